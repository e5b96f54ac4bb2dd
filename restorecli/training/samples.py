"""Training samples, each a function of its number: which image, which crop, which turn.

Sample k of a run is the same whatever happened before it: all of it follows from the run's seed and k alone.
That is what makes a resumed run equal to an unbroken one.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from restorecli.degradation.chain import Chain, image_rng
from restorecli.errors import DataError, ImageError
from restorecli.training.crops import MIRRORED, ImageCache, cut, random_corner, turned
from restorecli.training.curriculum import LevelPlan
from restorecli.training.pairs import Pair
from restorecli.training.recipe import Recipe

S = TypeVar("S")


@dataclass(frozen=True, slots=True)
class Cut:
    """A clean crop with the margin that its degradations need, mirrored and turned.

    Attributes:
        pixels: (C, S, S) in the depth of the file.
        mask: (1, S, S) of 0 and 255, or None.
        gray: Whether a color crop is to be made luma.
        as_file: Whether the degraded crop is clipped and rounded to 8 bits.
    """

    pixels: NDArray[np.generic]
    mask: NDArray[np.generic] | None
    gray: bool
    as_file: bool


class SampleMaker(ABC, Generic[S]):
    """Makes the samples of any step; what a sample is, is up to those below.

    Args:
        pairs: The training images.
        recipe: Crop, batch, augmentation and seed.
        channels: Of the network: gray images are repeated for 3, colors become luma for 1.
        needs: What beside degraded and reference crops is made: "second", "mask".

    Attributes:
        quarantine: Images that could not be read, with the reason.
        plan: Which level of a curriculum a sample gets; None without one.
    """

    def __init__(self, pairs: list[Pair], recipe: Recipe, *, channels: int, needs: frozenset[str]) -> None:
        self._pairs = pairs
        self._data = recipe.data
        self._seed = recipe.seed
        self._chain = Chain.from_specs(recipe.data.degrade) if recipe.data.degrade else None
        self._channels = channels
        self._needs = needs
        self._cache = ImageCache()
        self._order: tuple[int, NDArray[np.intp]] = (-1, np.empty(0, np.intp))
        self.quarantine: dict[str, str] = {}
        self.plan: LevelPlan | None = None

    def numbers(self, step: int) -> range:
        """Return the numbers of a step's samples."""
        size = self._data.batch
        return range(step * size, (step + 1) * size)

    def sample(self, number: int) -> S:
        """Return a sample; an unreadable image gives way to the next.

        Raises:
            DataError: More than one image in a thousand (and more than one) cannot be read.
        """
        for attempt in range(len(self._pairs)):
            pair = self._pair(number + attempt)
            try:
                return self._crops(pair, image_rng(self._seed, pair.key, "train", number), number)
            except ImageError as error:
                self._set_aside(pair, error)
        raise DataError("No training image can be used.", got=next(iter(self.quarantine.values()), None))

    @abstractmethod
    def _crops(self, pair: Pair, rng: np.random.Generator, number: int) -> S:
        """Return the sample of an image."""

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

    def _cut_clean(
        self,
        reference: NDArray[np.generic],
        mask: NDArray[np.generic] | None,
        rng: np.random.Generator,
        margin: int,
    ) -> Cut:
        """Cut a crop out of a clean image, `margin` larger on each side."""
        side = self._data.crop + 2 * margin
        top, left = random_corner(reference.shape[1:], side, rng)
        turn = self._turn(rng)
        pixels = turned(cut(reference, top, left, side), turn)
        inside = None if mask is None else turned(cut(mask, top, left, side), turn)
        gray = self._channels == 1 or (pixels.shape[0] == 3 and bool(rng.random() < self._data.gray))
        as_file = self._data.eight_bit > 0 and bool(rng.random() < self._data.eight_bit)
        return Cut(pixels, inside, gray, as_file)

    def _turn(self, rng: np.random.Generator) -> int:
        if self._data.augment == "flips":
            return int(rng.choice(MIRRORED))
        return int(rng.integers(8)) if self._data.augment else 0
