"""Training batches, each a function of its number.

Sample k of a run is the same whatever happened before it: which image, which crop, which damage follow
from the run's seed and k alone. That is what makes a resumed run equal to an unbroken one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from restorecli.degradation.base import Degradation
from restorecli.degradation.chain import Chain, degrade_array, image_rng
from restorecli.degradation.damage_masks import damage_mask
from restorecli.errors import DataError, ImageError
from restorecli.images.image import Pixels
from restorecli.training.crops import (
    MIRRORED,
    ImageCache,
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

    def pin_memory(self) -> Batch:
        """Return a copy in memory that a GPU copies from while it computes."""
        parts = (self.degraded, self.reference, self.second, self.mask)
        degraded, reference, second, mask = (None if part is None else part.pin_memory() for part in parts)
        assert degraded is not None and reference is not None  # noqa: S101, PT018 - both always are there
        return Batch(degraded, reference, second, mask)


@dataclass(frozen=True, slots=True)
class Sample:
    """One crop of a batch, (C, H, W) each."""

    degraded: Pixels
    reference: Pixels
    second: Pixels | None = None
    mask: Pixels | None = None


class BatchMaker:
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
        self._pairs = pairs
        self._data = recipe.data
        self._seed = recipe.seed
        self._chain = Chain.from_specs(recipe.data.degrade) if recipe.data.degrade else None
        self._channels = channels
        self._scale = scale
        self._needs = needs
        self._cache = ImageCache()
        self._order: tuple[int, NDArray[np.intp]] = (-1, np.empty(0, np.intp))
        self.quarantine: dict[str, str] = {}
        self.plan: LevelPlan | None = None
        if recipe.curriculum is not None:
            self.plan = LevelPlan(
                recipe.curriculum, seed=recipe.seed, batch=recipe.data.batch, steps=recipe.budget.steps
            )

    def batch(self, step: int) -> Batch:
        """Return the batch of a step (from 0).

        Raises:
            DataError: More than one image in a thousand (and more than one) cannot be read.
        """
        size = self._data.batch
        samples = [self.sample(step * size + i) for i in range(size)]
        return Batch(
            _stacked([sample.degraded for sample in samples]),
            _stacked([sample.reference for sample in samples]),
            _stacked_if_there([sample.second for sample in samples]),
            _stacked_if_there([sample.mask for sample in samples]),
        )

    def sample(self, number: int) -> Sample:
        """Return the crops of a sample; an unreadable image gives way to the next."""
        for attempt in range(len(self._pairs)):
            pair = self._pair(number + attempt)
            try:
                return self._crops(pair, image_rng(self._seed, pair.key, "train", number), number)
            except ImageError as error:
                self._set_aside(pair, error)
        raise DataError("No training image can be used.", got=next(iter(self.quarantine.values()), None))

    def share_memory(self, makers: int) -> None:
        """Keep so few images in memory that `makers` of these together keep no more than one would."""
        self._cache.share(makers)

    def adopt(self, quarantine: Mapping[str, str]) -> None:
        """Set aside what another maker of the same batches could not read.

        Raises:
            DataError: See `batch`.
        """
        if not quarantine.keys() <= self.quarantine.keys():
            self.quarantine |= quarantine
            self._check_quarantine()

    def _set_aside(self, pair: Pair, error: ImageError) -> None:
        got = f" ({error.got} instead of {error.expected})" if error.got and error.expected else ""
        self.quarantine[error.file or str(pair.reference)] = error.problem + got
        self._check_quarantine()

    def _check_quarantine(self) -> None:
        if len(self.quarantine) > max(1, len(self._pairs) // 1000):
            listed = "; ".join(f"{name}: {why}" for name, why in list(self.quarantine.items())[:5])
            raise DataError(
                "Too many training images cannot be used.",
                expected="fewer than 0.1 %",
                got=listed,
                unchanged="the last checkpoint",
                hint="repair them or take them out of the folder, then --resume",
            )

    def _pair(self, number: int) -> Pair:
        epoch, place = divmod(number, len(self._pairs))
        if self._order[0] != epoch:
            order = image_rng(self._seed, "epoch", epoch).permutation(len(self._pairs))
            self._order = (epoch, order)
        return self._pairs[int(self._order[1][place])]

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

    def _mask(self, pair: Pair, reference: NDArray[np.generic]) -> NDArray[np.generic] | None:
        """Return the defect's mask as (1, H, W) of 0 and 255: all 0 where the image has none."""
        if "mask" not in self._needs:
            return None
        if pair.mask is None:
            return np.zeros((1, *reference.shape[1:]), np.uint8)
        mask = self._cache.marks(pair.mask)
        if mask.shape[1:] != reference.shape[1:]:
            raise ImageError(
                "The mask has another size than its image.",
                expected=str(reference.shape[1:]),
                got=str(mask.shape[1:]),
                file=pair.mask,
            )
        return mask

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
        side = self._data.crop + 2 * margin
        top, left = random_corner(reference.shape[1:], side, rng)
        turn = self._turn(rng)
        high = turned(to_unit(cut(reference, top, left, side)), turn)
        inside = None if mask is None else turned(to_unit(cut(mask, top, left, side)), turn)
        if self._channels == 1 or (high.shape[0] == 3 and rng.random() < self._data.gray):
            high = to_channels(high, 1)
        as_file = self._data.eight_bit > 0 and rng.random() < self._data.eight_bit

        def corrupted(purpose: str) -> tuple[Pixels, tuple[Degradation, ...]]:
            low, steps = degrade_array(high, chain, self._seed, f"{key}#{number}{purpose}")
            if as_file:
                low = rounded_to_8_bits(low)
            return _contiguous(to_channels(crop_border(low, margin // self._scale), self._channels)), steps

        low, steps = corrupted("")
        second = corrupted("#second")[0] if "second" in self._needs else None
        clean = _contiguous(to_channels(crop_border(high, margin), self._channels))
        if inside is not None:
            damaged = damage_mask(high.shape[1:], steps, self._seed, f"{key}#{number}")
            inside = _contiguous(crop_border(inside if damaged is None else _joined(inside, damaged), margin))
        return Sample(low, clean, second, inside)

    def _turn(self, rng: np.random.Generator) -> int:
        if self._data.augment == "flips":
            return int(rng.choice(MIRRORED))
        return int(rng.integers(8)) if self._data.augment else 0


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
