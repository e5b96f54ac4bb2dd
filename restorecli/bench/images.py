"""The images that benches run on: 768x512 RGB, from the built-in samples or from a folder."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from restorecli.errors import DataError
from restorecli.evaluation.metrics.psnr_ssim import to_8_bits
from restorecli.folders.samples import read_sample
from restorecli.folders.walking import walk
from restorecli.images.image import ImageData
from restorecli.images.reading import read_image

WIDTH, HEIGHT = 768, 512
"""The size of the Kodak photographs, on which the field's speeds are usually told."""

SIGMA = 25.0
"""Of the Gaussian noise that the degraded side gets, on the 0-255 scale."""

PREPARED = (
    f"enlarged or reduced (bicubic) to cover {WIDTH}x{HEIGHT}, central crop; "
    f"degraded: Gaussian noise of sigma {SIGMA:g}, rounded to 8 bits"
)
"""What is done to the images, in one line; printed with every table."""

_SAMPLES = ("astronaut", "chelsea", "coffee", "rocket")
_MAX_IMAGES = 8

Bytes = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class BenchPair:
    """One pair to measure: (3, 512, 768) uint8 each."""

    name: str
    degraded: Bytes
    reference: Bytes


def bench_pairs(data: Path | None) -> list[BenchPair]:
    """Return RGB images and their noisy copies, the same in every run.

    Args:
        data: A folder, of which the first eight RGB images are taken; None takes the four RGB photographs
            among the built-in samples.

    Raises:
        DataError: The folder holds no RGB image.
        ImageError: An image cannot be read.
    """
    chosen = list(itertools.islice(_rgb_images(data), _MAX_IMAGES))
    if not chosen:
        raise DataError("There is nothing to measure on.", expected="RGB images", got="none", file=data)
    return [_pair(name, image, number) for number, (name, image) in enumerate(chosen)]


def _rgb_images(data: Path | None) -> Iterator[tuple[str, ImageData]]:
    if data is None:
        yield from ((name, read_sample(name)) for name in _SAMPLES)
        return
    for file in walk(data):
        image = read_image(file.path)
        if image.channels == 3:
            yield file.relative.as_posix(), image


def _pair(name: str, image: ImageData, seed: int) -> BenchPair:
    whole = Image.fromarray(np.ascontiguousarray(to_8_bits(image.pixels).transpose(1, 2, 0)))
    fitted = np.asarray(ImageOps.fit(whole, (WIDTH, HEIGHT), Image.Resampling.BICUBIC))
    reference = np.ascontiguousarray(fitted.transpose(2, 0, 1))
    noise = np.random.default_rng(seed).normal(0, SIGMA / 255, reference.shape)
    return BenchPair(name, to_8_bits((reference / 255 + noise).astype(np.float32)), reference)
