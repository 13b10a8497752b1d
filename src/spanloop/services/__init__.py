"""Local services as child processes: started, watched, waited for, ended."""
