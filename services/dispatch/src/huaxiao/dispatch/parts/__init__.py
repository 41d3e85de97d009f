"""What orders are made of: tasks, materials, devices, predecessors, notes."""
