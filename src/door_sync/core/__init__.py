"""The decisions: who may open which doors, and what has to be written for it.

Everything here is a function of its arguments. No I/O, logging, clock, randomness or environment.
"""
