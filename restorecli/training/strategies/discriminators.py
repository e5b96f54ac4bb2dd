"""What strategies with discriminators share: judging images without training the judge."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn


@contextmanager
def frozen(*discriminators: nn.Module) -> Iterator[None]:
    """Freeze the weights of discriminators inside: gradients pass through them to the images."""
    weights = [
        weight
        for discriminator in discriminators
        for weight in discriminator.parameters()
        if weight.requires_grad
    ]
    for weight in weights:
        weight.requires_grad_(False)
    try:
        yield
    finally:
        for weight in weights:
            weight.requires_grad_(True)
