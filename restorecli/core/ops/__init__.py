"""Pure functions on tensors (NCHW) that several networks, losses and restorers share, and compiled loops.

They hold no weights and work on any device: Gaussian windows and filters (`gaussian`), the estimate of
noise (`noise_level`), constants that stay where they are used (`constants`), random numbers that are
counted (`philox`). `compilation` is the one place that compiles loops, on NumPy arrays, for other rooms.
"""
