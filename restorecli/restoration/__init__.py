"""Tiling, back ends and the folder job that restores pictures."""
