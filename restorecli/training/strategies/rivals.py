"""What strategies with rivals share: judging the network's images without changing the judge."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn


@contextmanager
def held(*rivals: nn.Module) -> Iterator[None]:
    """Keep the weights of rivals out of what is computed inside: gradients go through them, not into them."""
    weights = [weight for rival in rivals for weight in rival.parameters() if weight.requires_grad]
    for weight in weights:
        weight.requires_grad_(False)
    try:
        yield
    finally:
        for weight in weights:
            weight.requires_grad_(True)
