"""Losses: the function holds the mathematics, the module stores the arguments.

Batches (restored, reference), NCHW in [0, 1], come in, and one number goes out. `catalog` lists what
recipes may name; `weighted` sums several. A module may state `least`, what equal images cost, and
`symmetric`; the laws in `restorecli.testing.losses` hold every loss to it. `adversarial` and `variational`
serve strategies.
"""
