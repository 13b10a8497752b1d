"""Local services as child processes: spawn, watch, wait for health, end."""
