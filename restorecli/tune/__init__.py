"""Picking a method's parameters on pairs of degraded and clean images."""
