"""Plans of centres' days: asked for, searched by other processes, looked at, changed, applied."""
