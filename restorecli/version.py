"""The version, in a module of its own: every room can record it without importing the verbs."""

__version__ = "0.1.0"
