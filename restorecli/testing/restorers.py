"""Laws that hold for everything that restores, a network or a method; each is called with a restorer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import torch
from torch import Tensor

from restorecli.core.restorer import RestorerSpec

SIZE = (27, 35)
"""Height and width of the images: odd, so that a network must pad."""


class Restores(Protocol):
    """What the laws ask of a restorer."""

    @property
    def spec(self) -> RestorerSpec:
        """What it states."""

    def __call__(self, batch: Tensor) -> Tensor:
        """Map (N, C, H, W) in [0, 1] to the same, sides times the scale."""


def batch_of(*shape: int) -> Tensor:
    """Return random images, (N, C, H, W) in [0, 1], always the same ones."""
    return torch.rand(shape, generator=torch.Generator().manual_seed(0))


def shape_type_and_range_hold(restorer: Restores) -> None:
    """Gray and color come back as float32 in [0, 1], sides times the scale, in memory of their own."""
    scale = restorer.spec.scale
    for channels in (1, 3):
        batch = batch_of(2, channels, *SIZE)
        before = batch.clone()
        restored = restorer(batch)
        assert restored.shape == (2, channels, scale * SIZE[0], scale * SIZE[1])
        assert restored.dtype == torch.float32
        assert 0 <= float(restored.min()) <= float(restored.max()) <= 1
        assert torch.equal(batch, before), f"{restorer.spec.name} writes into what it is given"


def the_same_images_give_the_same_result(restorer: Restores) -> None:
    """Nothing is drawn anew, and nothing is remembered."""
    batch = batch_of(1, 3, *SIZE)
    first = restorer(batch).clone()
    restorer(batch.flip(-1))
    assert torch.equal(restorer(batch), first), f"{restorer.spec.name}: draw with a seed of its own"


def images_of_a_batch_do_not_meet(restorer: Restores) -> None:
    """An image is restored alike alone and beside others."""
    batch = batch_of(2, 3, *SIZE)
    alone = torch.cat([restorer(item[None]) for item in batch])
    torch.testing.assert_close(restorer(batch), alone, atol=1e-5, rtol=0)


RESTORER_LAWS: tuple[Callable[[Restores], None], ...] = (
    shape_type_and_range_hold,
    the_same_images_give_the_same_result,
    images_of_a_batch_do_not_meet,
)
"""Each is called with a restorer for images of `SIZE`."""
