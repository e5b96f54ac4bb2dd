"""Faint darkness, faint haze and the noise of cameras: small models over many measurements of their own."""
