"""The console: what the services tell, as pages for people."""
