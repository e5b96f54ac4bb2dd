"""Small constant tensors that stay on their device: copying one there would wait for the device."""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor

from restorecli.core.ops.gaussian import gaussian_window

Numbers = tuple[float, ...] | tuple[tuple[float, ...], ...]


def constant(values: Numbers, like: Tensor) -> Tensor:
    """Return numbers as a tensor with the type and on the device of `like`; not to be written to.

    Example:
        >>> constant((1.0, 2.0), torch.zeros(3, dtype=torch.float64))
        tensor([1., 2.], dtype=torch.float64)
    """
    return _constant(values, like.dtype, like.device)


@lru_cache(maxsize=128)
def _constant(values: Numbers, dtype: torch.dtype, device: torch.device) -> Tensor:
    with torch.inference_mode(False):  # what is kept must serve training too
        return torch.tensor(values, dtype=dtype, device=device)


def window_like(size: int, sigma: float, like: Tensor) -> Tensor:
    """Return `gaussian_window` with the type and on the device of `like`; not to be written to.

    Example:
        >>> torch.equal(window_like(11, 1.5, torch.zeros(1)), gaussian_window(11, 1.5))
        True
    """
    return _window(size, sigma, like.dtype, like.device)


@lru_cache(maxsize=128)
def _window(size: int, sigma: float, dtype: torch.dtype, device: torch.device) -> Tensor:
    with torch.inference_mode(False):
        return gaussian_window(size, sigma, dtype=dtype).to(device)
