"""Weights that are cast once, in place of by autocast at every call."""

from __future__ import annotations

import copy

import torch
from torch import nn

_CAST = (nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.ConvTranspose2d, nn.Linear)
"""Layers whose weights autocast casts (torch, "Autocast Op Reference") and that do nothing else with them."""


def with_weights_in(module: nn.Module, dtype: torch.dtype) -> nn.Module:
    """Return a copy of a network that under autocast computes the same without casting weights.

    Convolutions give the same bits; a product of matrices may be summed in another order.

    Autocast keeps what it cast only until its context is left, which is after every call: at inference it
    casts each weight and each bias again for every image, one launch on the device for each.

    Args:
        module: The network; it stays as it is.
        dtype: bfloat16 or float16.

    Returns:
        The copy, or the network itself where there is nothing to cast.
    """
    if not any(type(part) in _CAST for part in module.modules()):
        return module
    cast = copy.deepcopy(module)
    for part in cast.modules():
        if type(part) in _CAST:  # a subclass may compute with its weights before
            part.to(dtype)
    return cast
