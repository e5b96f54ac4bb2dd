"""Metrics, pairing, statistics and tables."""
