"""What people do besides the month's orders, by subject: told over HTTP, shown, and checked."""
