"""Steps of a chain applied to an image row by row: the pixels are those of the whole image, to the bit."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, cast

import numpy as np
from numpy.typing import DTypeLike, NDArray

from restorecli.degradation.base import Degradation
from restorecli.degradation.families.compression import BLOCK
from restorecli.errors import ImageError
from restorecli.images.forward import Forward
from restorecli.images.image import Pixels
from restorecli.images.rows import blocks

_Place = tuple[int, int]
"""Number of a draw within `apply`, and channel."""


@dataclass(frozen=True, slots=True)
class Rows:
    """An image that can be gone through from top to bottom, as often as one likes.

    Attributes:
        size: Height and width in pixels.
        channels: 1 for gray, 3 for RGB.
        bands: Begins at the top and yields (C, rows, W) float32 pixels, any number of rows each.
    """

    size: tuple[int, int]
    channels: int
    bands: Callable[[], Iterator[Pixels]]

    def mapped(self, change: Callable[[Pixels], Pixels]) -> Rows:
        """Return the image with a change that each pixel undergoes by itself."""
        return Rows(self.size, self.channels, lambda: map(change, self.bands()))


def check_by_rows(steps: Sequence[Degradation]) -> None:
    """Refuse steps that need the whole image at once.

    Raises:
        ImageError: With the first such step, and why it does.
    """
    for step in steps:
        if not step.by_rows:
            why = "its pattern is drawn for the whole image at once"
            if step.also_depends_on:
                why = f"a place depends on {step.also_depends_on}"
            elif step.masked:
                why = "what it damages is drawn for the whole image at once"
            raise ImageError(
                f"The image is too large for memory, and {step.name} is not done by rows: {why}.",
                expected="degradations that are done by rows, such as noise and blur",
                got=step.name,
                hint="free memory, or cut the image into parts",
            )


def degraded_rows(
    rows: Rows, steps: Sequence[Degradation], rng_for_step: Callable[[int], np.random.Generator]
) -> Rows:
    """Return an image with steps applied to it, as `chain.apply_all` applies them to a whole one.

    Memory is that of some bands for each step. Noise in color goes through the image once for each further
    channel, to find where the random numbers of the channel begin.

    Args:
        rows: The image.
        steps: Steps that are done by rows.
        rng_for_step: From the number of a step, counted from 0, to its generator.
    """
    for number, step in enumerate(steps):
        if step.row_margin == 0 and step.scale == 1:
            rows = _by_pixels(rows, step, rng_for_step(number))
        else:
            rows = _by_windows(rows, step, rng_for_step(number))
    return rows


def _by_windows(rows: Rows, step: Degradation, rng: np.random.Generator) -> Rows:
    """Apply a step without noise to windows of rows, each with a margin that is cut off again."""
    scale = step.scale
    grid = BLOCK * scale
    margin = -(-step.row_margin // grid) * grid
    height, width = rows.size

    def bands() -> Iterator[Pixels]:
        source = Forward(rows.bands())
        for start, stop in blocks(height, width, grid):
            first = max(start - margin, 0)
            done = step.apply(source.read(first, min(stop + margin, height)), rng)
            if stop // scale > start // scale:  # less than a row of a reduced image may be left
                yield done[:, (start - first) // scale : (stop - first) // scale]

    return Rows((height // scale, width // scale), rows.channels, bands)


def _by_pixels(rows: Rows, step: Degradation, rng: np.random.Generator) -> Rows:
    """Apply a step whose pixels depend on nothing but themselves and their random numbers."""
    states = _located(rows, step, rng)

    def bands() -> Iterator[Pixels]:
        draws = _Draws(states)
        for band in rows.bands():
            yield draws.apply(step, band)

    return Rows(rows.size, rows.channels, bands)


def _located(rows: Rows, step: Degradation, rng: np.random.Generator) -> dict[_Place, Any]:
    """Return the states of the generator where the random numbers of each draw and channel begin."""
    places = _places(step, rows.channels)
    if not places:
        return {}
    # How many numbers a draw takes depends on the pixels for some steps only.
    seen = rows if step.also_depends_on else _blank(rows)
    states = {places[0]: rng.bit_generator.state}
    for place, following in pairwise(places):
        draws = _Draws({place: states[place]})
        for band in seen.bands():
            draws.apply(step, band)
        states[following] = draws.state(place)
    return states


def _places(step: Degradation, channels: int) -> list[_Place]:
    """Return what a step draws, in the order in which it draws for a whole image."""
    draws = _Draws({})
    draws.apply(step, np.zeros((channels, 1, 1), np.float32))
    return [(number, channel) for number, planes in enumerate(draws.planes) for channel in range(planes)]


def _blank(rows: Rows) -> Rows:
    height, width = rows.size

    def bands() -> Iterator[Pixels]:
        for start, stop in blocks(height, width):
            yield np.zeros((rows.channels, stop - start, width), np.float32)

    return Rows(rows.size, rows.channels, bands)


class _Draws:
    """Stands for the generator of a step, and gives rows the random numbers they have in the whole image.

    A generator fills one channel after another, so that each channel of each draw has one of its own here.

    Args:
        states: Where the numbers of a draw and channel begin; those of others are 0.

    Attributes:
        planes: Channels of each draw of the last application.
    """

    def __init__(self, states: Mapping[_Place, Any]) -> None:
        self._generators = {place: _generator(state) for place, state in states.items()}
        self.planes: list[int] = []

    def apply(self, step: Degradation, band: Pixels) -> Pixels:
        """Apply a step to the rows after those of the last application."""
        self.planes = []
        return step.apply(band, cast("np.random.Generator", self))

    def state(self, place: _Place) -> Any:  # noqa: ANN401 - as numpy has it
        """Return where a draw and channel has come to."""
        return self._generators[place].bit_generator.state

    def standard_normal(self, size: tuple[int, ...], dtype: DTypeLike = np.float64) -> NDArray[Any]:
        return self._filled(size, lambda rng, _: rng.standard_normal(size[1:], dtype=cast("Any", dtype)))

    def random(self, size: tuple[int, ...], dtype: DTypeLike = np.float64) -> NDArray[Any]:
        return self._filled(size, lambda rng, _: rng.random(size[1:], dtype=cast("Any", dtype)))

    def standard_gamma(
        self, shape: float, size: tuple[int, ...], dtype: DTypeLike = np.float64
    ) -> NDArray[Any]:
        return self._filled(size, lambda rng, _: rng.standard_gamma(shape, size[1:], cast("Any", dtype)))

    def poisson(self, lam: NDArray[np.float64]) -> NDArray[Any]:
        return self._filled(lam.shape, lambda rng, channel: rng.poisson(lam[channel]))

    def _filled(
        self, size: tuple[int, ...], draw: Callable[[np.random.Generator, int], NDArray[Any]]
    ) -> NDArray[Any]:
        number = len(self.planes)
        self.planes.append(size[0])
        known = {
            channel: draw(self._generators[number, channel], channel)
            for channel in range(size[0])
            if (number, channel) in self._generators
        }
        zeros = np.zeros(size[1:], next(iter(known.values())).dtype if known else np.float32)
        return np.stack([known.get(channel, zeros) for channel in range(size[0])])


def _generator(state: Any) -> np.random.Generator:  # noqa: ANN401 - as numpy has it
    bits = np.random.PCG64()
    bits.state = state
    return np.random.Generator(bits)
