"""Child processes: started, watched, ended together."""
