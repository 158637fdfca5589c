"""What is asked when somebody wants to know whether everything is ready: one line per check."""
