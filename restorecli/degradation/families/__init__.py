"""The degradations themselves: a file for each family."""
