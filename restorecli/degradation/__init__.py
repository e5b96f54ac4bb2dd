"""Degradations, their chains and the folder job that writes degraded pictures."""
