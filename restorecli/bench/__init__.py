"""Measured speed and quality: every number in the manual can be made again here.

Timings compare ours with other libraries in turns within one run and print ratios (`timing`, `machine`
measures the limits of this machine); experiments train small networks side by side (`trials`, `models`,
`dither`, `ablations`).
"""
