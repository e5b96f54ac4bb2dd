"""Restoration networks, one file each."""
