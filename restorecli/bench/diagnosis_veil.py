"""Fits the models of `diagnosis.faint.veil`: faint haze, in color and in gray."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from restorecli.bench.diagnosis_camera import cut_part, picked, unusual_parts
from restorecli.bench.diagnosis_clean import VARIANTS
from restorecli.bench.diagnosis_examples import NONE, Step, damaged, rounded
from restorecli.bench.diagnosis_hidden import (
    WeightedExample,
    read_as_asked,
    write_hidden_layers,
)
from restorecli.degradation.chain import image_rng
from restorecli.diagnosis.faint.veil import HAZE, VEIL_COLOR_MODEL, VEIL_GRAY_MODEL, measure_veil
from restorecli.images.image import Pixels

_SAVED: Step = {"name": "jpeg", "quality": "70..97"}
_NOISE: Step = {"name": "gaussian", "sigma": "1..15"}
_FAINT: Step = {"name": HAZE, "severity": 1}
_ANY: Step = {"name": HAZE, "random": True, "beta": "0.3..0.9"}

_OTHERS = (
    "fade",
    "low-light",
    "gaussian-blur",
    "defocus",
    "fade",
    "rain",
    "moire",
    "sand-dust",
    "old-photo",
    "scratches",
    "quantize",
    "dither",
    "speckle",
    "sand-dust",
)
"""Other damages, those with pale tones more often."""

_CLEAN_FOLDERS = (
    ("sand-dust/train/clean/*.jpg", 240),
    ("magnetic-tile/train/images/*/*.jpg", 32),
    ("sand-dust/train/dusty/*.jpg", 48),
    ("train400-gray/*.png", 24),
)
"""Images that are no photographs of BSDS in color, and how many of each."""

_COUNT = 24
"""How many clean images of each unusual kind."""

_LIFTED, _LOWERED = (0.03, 0.16), (0.0, 0.12)
"""Black that matte images have, and what they lack of white."""


_WIDTH, _STEPS = 32, 2500
"""Hidden values of each network, and batches that it is fitted to: what haze leaves differs more than what
darkness does."""


def veil_examples(data: Path, *, is_gray: bool) -> Iterator[WeightedExample]:
    """Yield the examples that a shipped model is fitted to, without images that are held out.

    Args:
        data: Folder with `bsds400`, `sand-dust/train`, `magnetic-tile/train` and `train400-gray`.
        is_gray: Whether images are turned to gray before anything is done to them.

    Raises:
        DataError: A folder has no images.
    """
    for number, file in enumerate(picked(data, "bsds400/*.jpg")):
        whole = read_as_asked(file, is_gray=is_gray)
        yield from _of_photograph(number, file.name, whole, is_gray=is_gray)
    for pattern, count in _CLEAN_FOLDERS:
        for file in picked(data, pattern)[:count]:
            whole, key = read_as_asked(file, is_gray=is_gray), f"veil {file.name}"
            part = cut_part(whole, image_rng(0, key))
            yield WeightedExample(file.name, NONE, "other clean", whole)
            yield WeightedExample(file.name, NONE, "other clean", part)
            if "clean" in pattern:
                yield WeightedExample(file.name, HAZE, "other hazy", damaged(part, (_FAINT,), key))
    for name, part in unusual_parts("veil", _COUNT, is_gray=is_gray):
        yield WeightedExample(name, NONE, "drawn", part)


def _of_photograph(number: int, name: str, whole: Pixels, *, is_gray: bool) -> Iterator[WeightedExample]:
    key = f"veil {name}"
    rng = image_rng(0, f"{key} {is_gray}")

    def example(label: str, kind: str, part: Pixels, *steps: Step, weight: float = 1.0) -> WeightedExample:
        spoiled = damaged(part, steps, f"{key} {kind}") if steps else part
        return WeightedExample(name, label, kind, spoiled, weight)

    parts = [cut_part(whole, rng) for _ in range(3)]
    yield example(NONE, "clean whole", whole, weight=2)
    for place, part in enumerate(parts):
        yield example(NONE, f"clean {place}", part, weight=2)
    yield example(NONE, "clean jpeg", (whole, parts[0])[number % 2], _SAVED)
    varied = VARIANTS[number % len(VARIANTS)](whole, rng)
    yield example(NONE, "clean varied", rounded(cut_part(varied, rng)))
    yield example(NONE, "matte", _matte((whole, parts[1])[number % 2], rng))
    yield example(NONE, "noisy", parts[number % 3], _NOISE)
    other = {"name": _OTHERS[number % len(_OTHERS)], "severity": int(rng.integers(1, 5))}
    yield example(NONE, "other", parts[2], other)
    yield example(HAZE, "faint whole", whole, _FAINT)
    for place, part in enumerate(parts):
        yield example(HAZE, f"faint {place}", part, _FAINT)
    yield example(HAZE, "any whole", whole, _ANY)
    yield example(HAZE, "any", parts[0], _ANY)
    yield example(HAZE, "faint jpeg", (parts[1], whole)[number % 2], _FAINT, _SAVED)
    yield example(HAZE, "faint noisy", parts[2], _FAINT, _NOISE)


def _matte(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """Return an image with lifted blacks and lowered whites everywhere, as photographs are graded."""
    black, lost = rng.uniform(*_LIFTED), rng.uniform(*_LOWERED)
    return rounded(np.asarray(black + (1 - black - lost) * pixels, np.float32))


def write_veil_models(data: Path, folder: Path) -> int:
    """Fit both models and write them into a folder, under the names of those that ship.

    Args:
        data: See `veil_examples`.
        folder: It is made where it is not there.

    Returns:
        How many examples there were.

    Raises:
        DataError: A folder of `data` has no images.
    """
    examples = {
        VEIL_COLOR_MODEL: veil_examples(data, is_gray=False),
        VEIL_GRAY_MODEL: veil_examples(data, is_gray=True),
    }
    return write_hidden_layers(folder, examples, measure_veil, HAZE, width=_WIDTH, steps=_STEPS)
