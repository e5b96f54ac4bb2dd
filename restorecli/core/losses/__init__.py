"""Losses: the function holds the mathematics, the module stores the arguments."""
