"""Restoration networks, one file each; layers that several share are in `blocks`.

A network maps (N, C, H, W) in [0, 1] to the same, sides times `scale`. It states `channels`, `scale`, the
`multiple` of which its sides must be, and its `receptive_field`; padding, range and precision are the
business of `core.torch_restorer`. `catalog` lists them with a small size each, by which the laws in
`restorecli.testing.models` test them.
"""
