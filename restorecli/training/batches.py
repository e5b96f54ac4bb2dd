"""Training batches, each a function of its number: samples (see `samples`) with their damage."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from restorecli.degradation.base import Degradation
from restorecli.degradation.chain import degrade_array
from restorecli.degradation.damage_masks import damage_mask
from restorecli.errors import ImageError
from restorecli.images.image import Pixels
from restorecli.training.crops import (
    crop_border,
    cut,
    random_corner,
    rounded_to_8_bits,
    scaled_size,
    to_channels,
    to_unit,
    turned,
)
from restorecli.training.curriculum import LevelPlan
from restorecli.training.pairs import Pair
from restorecli.training.recipe import Recipe
from restorecli.training.samples import SampleMaker


@dataclass(frozen=True, slots=True)
class Batch:
    """Crops of one step: (N, C, H, W) float32.

    Attributes:
        degraded: What the network sees.
        reference: The clean crops in [0, 1]; sides times the network's scale.
        second: A second, independent corruption of the same crops, where a strategy needs one.
        mask: (N, 1, H, W), 1 inside defects (of files, or made by degradations) and 0 elsewhere, where a
            strategy needs it.
    """

    degraded: Tensor
    reference: Tensor
    second: Tensor | None = None
    mask: Tensor | None = None

    def mapped(self, change: Callable[[Tensor], Tensor]) -> Batch:
        """Return the batch with every tensor changed."""
        return Batch(
            change(self.degraded),
            change(self.reference),
            None if self.second is None else change(self.second),
            None if self.mask is None else change(self.mask),
        )

    def tensors(self) -> list[Tensor]:
        """Return the tensors that are there."""
        parts = (self.degraded, self.reference, self.second, self.mask)
        return [part for part in parts if part is not None]

    def pin_memory(self) -> Batch:
        """Return a copy in memory that a GPU copies from while it computes."""
        return self.mapped(Tensor.pin_memory)


@dataclass(frozen=True, slots=True)
class Sample:
    """One crop of a batch, (C, H, W) each."""

    degraded: Pixels
    reference: Pixels
    second: Pixels | None = None
    mask: Pixels | None = None


class BatchMaker(SampleMaker[Sample]):
    """Makes the batch of any step.

    Args:
        pairs: The training images.
        recipe: Crop, batch, augmentation and seed.
        channels: Of the network: gray images are repeated for 3, colors become luma for 1.
        scale: Of the network: the degraded crop is smaller by it.
        needs: What beside degraded and reference crops is made: "second", "mask".
    """

    def __init__(
        self,
        pairs: list[Pair],
        recipe: Recipe,
        *,
        channels: int,
        scale: int = 1,
        needs: frozenset[str] = frozenset(),
    ) -> None:
        super().__init__(pairs, recipe, channels=channels, needs=needs)
        self._scale = scale
        if recipe.curriculum is not None:
            self.plan = LevelPlan(
                recipe.curriculum, seed=recipe.seed, batch=recipe.data.batch, steps=recipe.budget.steps
            )

    def batch(self, step: int) -> Batch:
        """Return the batch of a step (from 0).

        Raises:
            DataError: More than one image in a thousand (and more than one) cannot be read.
        """
        samples = [self.sample(number) for number in self.numbers(step)]
        return Batch(
            _stacked([sample.degraded for sample in samples]),
            _stacked([sample.reference for sample in samples]),
            _stacked_if_there([sample.second for sample in samples]),
            _stacked_if_there([sample.mask for sample in samples]),
        )

    def _crops(self, pair: Pair, rng: np.random.Generator, number: int) -> Sample:
        reference = self._cache.get(pair.reference, values=pair.values)
        mask = self._mask(pair, reference)
        if pair.degraded is None:
            sample = self._cut_and_degrade(reference, mask, rng, pair.key, number)
        else:
            degraded = self._cache.get(pair.degraded, pair.reference, pair.values)
            if scaled_size(degraded, self._scale) != reference.shape[1:]:
                raise ImageError(
                    "The two images of a pair have sizes that do not fit.",
                    expected=f"{scaled_size(degraded, self._scale)} (scale {self._scale})",
                    got=str(reference.shape[1:]),
                    file=pair.reference,
                )
            sample = self._cut_pair(degraded, reference, mask, rng)
        return sample

    def _cut_pair(
        self,
        degraded: NDArray[np.generic],
        reference: NDArray[np.generic],
        mask: NDArray[np.generic] | None,
        rng: np.random.Generator,
    ) -> Sample:
        small = self._data.crop // self._scale
        top, left = random_corner(degraded.shape[1:], small, rng)
        corner = (top * self._scale, left * self._scale, small * self._scale)
        turn = self._turn(rng)
        low = turned(to_unit(cut(degraded, top, left, small)), turn)
        high = turned(to_unit(cut(reference, *corner)), turn)
        inside = None if mask is None else turned(to_unit(cut(mask, *corner)), turn)
        high = _contiguous(to_channels(high, self._channels))
        # Of a folder of noisy pairs the "reference" is the second corruption.
        second = high if "second" in self._needs else None
        return Sample(_contiguous(to_channels(low, self._channels)), high, second, inside)

    def _cut_and_degrade(
        self,
        reference: NDArray[np.generic],
        mask: NDArray[np.generic] | None,
        rng: np.random.Generator,
        key: str,
        number: int,
    ) -> Sample:
        chain = self._chain if self.plan is None else self.plan.chain(number)
        assert chain is not None  # noqa: S101 - the recipe's check: clean images come with a chain
        margin = chain.margin
        found = self._cut_clean(reference, mask, rng, margin)
        high = to_unit(found.pixels)
        inside = None if found.mask is None else to_unit(found.mask)
        if found.gray:
            high = to_channels(high, 1)

        def corrupted(purpose: str) -> tuple[Pixels, tuple[Degradation, ...]]:
            low, steps = degrade_array(high, chain, self._seed, f"{key}#{number}{purpose}")
            if found.as_file:
                low = rounded_to_8_bits(low)
            return _contiguous(to_channels(crop_border(low, margin // self._scale), self._channels)), steps

        low, steps = corrupted("")
        second = corrupted("#second")[0] if "second" in self._needs else None
        clean = _contiguous(to_channels(crop_border(high, margin), self._channels))
        if inside is not None:
            damaged = damage_mask(high.shape[1:], steps, self._seed, f"{key}#{number}")
            inside = _contiguous(crop_border(inside if damaged is None else _joined(inside, damaged), margin))
        return Sample(low, clean, second, inside)


def _joined(mask: Pixels, damaged: NDArray[np.bool_]) -> Pixels:
    """Add what degradations damaged to a (1, H, W) mask, enlarged where they made the image smaller."""
    factor = mask.shape[1] // damaged.shape[0]
    joined: Pixels = np.maximum(mask, damaged.repeat(factor, 0).repeat(factor, 1)[None])
    return joined


def _contiguous(pixels: Pixels) -> Pixels:
    return np.ascontiguousarray(pixels)


def _stacked(crops: list[Pixels]) -> Tensor:
    return torch.from_numpy(np.stack(crops))


def _stacked_if_there(crops: list[Pixels | None]) -> Tensor | None:
    there = [crop for crop in crops if crop is not None]
    return _stacked(there) if there else None
