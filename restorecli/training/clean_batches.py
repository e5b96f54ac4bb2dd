"""Batches that the device degrades: the host cuts clean crops, in 8 bits where files have them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from restorecli.core.ops.philox import key_of
from restorecli.degradation.base import Degradation
from restorecli.degradation.chain import Chain, image_rng
from restorecli.degradation.on_device.base import Values, switches
from restorecli.degradation.on_device.chain import DeviceChain
from restorecli.training.batches import Batch
from restorecli.training.crops import LUMA, to_unit
from restorecli.training.pairs import Pair
from restorecli.training.recipe import Recipe
from restorecli.training.samples import Cut, SampleMaker

Drawn = tuple[Degradation | None, ...]


@dataclass(frozen=True, slots=True)
class CleanSample:
    """A clean crop and what was drawn for it.

    Attributes:
        number: The sample's number.
        cut: The crop with its margin.
        drawn: The chain's steps with their values; None where one is left out.
        second: The same, drawn again, where a strategy needs a second corruption.
    """

    number: int
    cut: Cut
    drawn: Drawn
    second: Drawn | None


@dataclass(frozen=True, slots=True)
class CleanBatch:
    """Clean crops of one step with their margins, and what is to be done to them.

    Attributes:
        crops: (N, C, S, S), uint8 where all files have 8 bits, else float32 in [0, 1].
        numbers: (N,) int64, the samples' numbers.
        luma: (N, 1, 1, 1) bool: color crops that become luma.
        gray: (N, 1, 1, 1) bool: crops whose channels are equal, luma ones among them.
        as_file: (N, 1, 1, 1) bool: crops that are clipped and rounded to 8 bits at the end.
        values: What was drawn for each step of the chain.
        second: The same for a second corruption, or None.
        mask: (N, 1, S, S) uint8, 0 and 255, or None.
    """

    crops: Tensor
    numbers: Tensor
    luma: Tensor
    gray: Tensor
    as_file: Tensor
    values: tuple[Values, ...]
    second: tuple[Values, ...] | None = None
    mask: Tensor | None = None

    def mapped(self, change: Callable[[Tensor], Tensor]) -> CleanBatch:
        """Return the batch with every tensor changed."""

        def each(values: tuple[Values, ...]) -> tuple[Values, ...]:
            return tuple({name: change(tensor) for name, tensor in step.items()} for step in values)

        return CleanBatch(
            change(self.crops),
            change(self.numbers),
            change(self.luma),
            change(self.gray),
            change(self.as_file),
            each(self.values),
            None if self.second is None else each(self.second),
            None if self.mask is None else change(self.mask),
        )

    def pin_memory(self) -> CleanBatch:
        """Return a copy in memory that a GPU copies from while it computes."""
        return self.mapped(Tensor.pin_memory)


class CleanMaker(SampleMaker[CleanSample]):
    """Makes the clean batch of any step; the same crops as `BatchMaker` cuts, and the same values drawn.

    Args:
        pairs: The training images, all of them clean.
        recipe: Crop, batch, augmentation and seed.
        channels: Of the network.
        needs: What beside degraded and reference crops is made: "second", "mask".
    """

    def __init__(
        self, pairs: list[Pair], recipe: Recipe, *, channels: int, needs: frozenset[str] = frozenset()
    ) -> None:
        super().__init__(pairs, recipe, channels=channels, needs=needs)
        self._steps = Chain.from_specs(recipe.data.degrade)
        self._on_device = DeviceChain(self._steps)

    def batch(self, step: int) -> CleanBatch:
        """Return the batch of a step (from 0).

        Raises:
            DataError: More than one image in a thousand (and more than one) cannot be read.
        """
        samples = [self.sample(number) for number in self.numbers(step)]
        cuts = [sample.cut for sample in samples]
        in_color = [each.pixels.shape[0] == 3 for each in cuts]
        luma = [each.gray and color for each, color in zip(cuts, in_color, strict=True)]
        gray = [each or not color for each, color in zip(luma, in_color, strict=True)]
        second = [sample.second for sample in samples if sample.second is not None]
        masks = [each.mask for each in cuts if each.mask is not None]
        return CleanBatch(
            _stacked([each.pixels for each in cuts], 3 if any(in_color) else 1),
            torch.tensor([sample.number for sample in samples]),
            switches(luma),
            switches(gray),
            switches([each.as_file for each in cuts]),
            self._on_device.values([sample.drawn for sample in samples]),
            self._on_device.values(second) if second else None,
            _stacked(masks, 1) if masks else None,
        )

    def _crops(self, pair: Pair, rng: np.random.Generator, number: int) -> CleanSample:
        reference = self._cache.get(pair.reference, values=pair.values)
        found = self._cut_clean(reference, self._mask(pair, reference), rng, self._steps.margin)

        def drawn(purpose: str) -> Drawn:
            return self._steps.draw_each(image_rng(self._seed, f"{pair.key}#{number}{purpose}", "draw"))

        return CleanSample(number, found, drawn(""), drawn("#second") if "second" in self._needs else None)


def _stacked(crops: Sequence[NDArray[np.generic]], channels: int) -> Tensor:
    """Return crops as one tensor, gray ones repeated; uint8 where all are, else float32 in [0, 1]."""
    if any(crop.dtype != np.uint8 for crop in crops):
        crops = [to_unit(crop) for crop in crops]
    return torch.from_numpy(np.stack([np.broadcast_to(crop, (channels, *crop.shape[1:])) for crop in crops]))


class Degrader:
    """Makes batches of clean ones, on the device that these are on.

    Every number is a function of the run's seed, the sample's number and the place in the chain.

    Args:
        recipe: Chain, crop and seed.
        channels: Of the network.
    """

    def __init__(self, recipe: Recipe, channels: int) -> None:
        self._chain = DeviceChain(Chain.from_specs(recipe.data.degrade))
        self._keys: Mapping[str, tuple[int, int]] = {
            purpose: key_of(recipe.seed, purpose) for purpose in ("degrade", "second")
        }
        self._channels, self._crop = channels, recipe.data.crop

    def __call__(self, clean: CleanBatch) -> Batch:
        """Return degraded and clean crops, (N, C, H, W) float32 without margins."""
        images = self._with_channels(_unit(clean.crops), clean.luma)
        gray = clean.gray if self._channels > 1 else None

        def corrupted(purpose: str, values: Sequence[Values]) -> Tensor:
            damaged = self._chain.apply(images, values, self._keys[purpose], clean.numbers, gray)
            rounded = (damaged.clamp(0, 1) * 255 + 0.5).floor() / 255
            return self._cropped(torch.where(clean.as_file, rounded, damaged))

        return Batch(
            corrupted("degrade", clean.values),
            self._cropped(images),
            None if clean.second is None else corrupted("second", clean.second),
            None if clean.mask is None else self._cropped(_unit(clean.mask)),
        )

    def _with_channels(self, images: Tensor, luma: Tensor) -> Tensor:
        """Return images with the network's channels, the ones asked for as luma in each of them."""
        if images.shape[1] == 3:
            red, green, blue = (weight * images[:, i : i + 1] for i, weight in enumerate(LUMA.tolist()))
            images = torch.where(luma, red + green + blue, images)
        return images[:, :1] if self._channels == 1 else images.expand(-1, self._channels, -1, -1)

    def _cropped(self, images: Tensor) -> Tensor:
        border = (images.shape[-1] - self._crop) // 2
        inner = images[..., border : border + self._crop, border : border + self._crop]
        return inner.contiguous(memory_format=torch.channels_last)


def _unit(pixels: Tensor) -> Tensor:
    return pixels.float() / 255 if pixels.dtype == torch.uint8 else pixels
