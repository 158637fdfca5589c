"""How the program calls a person."""
