"""A new site, set up by asking: what is asked, what is found out, and the two files at the end."""
