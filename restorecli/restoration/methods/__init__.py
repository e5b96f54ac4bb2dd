"""Restoration without trained weights: classical, per image and plug-and-play, and the catalog."""
