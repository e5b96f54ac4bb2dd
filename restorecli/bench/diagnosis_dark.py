"""Fits the models of `diagnosis.faint.darkness`: faint darkness, in color and in gray."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from restorecli.bench.diagnosis_camera import cut_part, picked, unusual_parts
from restorecli.bench.diagnosis_clean import VARIANTS
from restorecli.bench.diagnosis_examples import NONE, Step, damaged, rounded
from restorecli.bench.diagnosis_hidden import (
    WeightedExample,
    read_as_asked,
    write_hidden_layers,
)
from restorecli.degradation.chain import image_rng
from restorecli.diagnosis.faint.darkness import (
    DARK_COLOR_MODEL,
    DARK_GRAY_MODEL,
    LOW_LIGHT,
    measure_darkness,
)
from restorecli.images.image import Pixels

_SAVED = {"name": "jpeg", "quality": "70..97"}

_PHOTONS = {
    "name": LOW_LIGHT,
    "gamma": 1.0,
    "gain": 1.0,
    "brightness": 1.0,
    "peak": "log 500..20000",
    "read": "0..0.5",
}
"""The noise of darkness without the darkness."""

_FAINT: tuple[Step, ...] = (
    {"name": "gaussian", "sigma": "1..8"},
    {"name": "gaussian", "sigma": "1.5..4"},
    _PHOTONS,
    {"name": "camera-noise", "electrons": "log 1000..6000", "smoothing": 0.0},
    {"name": "camera-noise", "electrons": "log 500..6000", "smoothing": "0.3..1.2"},
    {"name": "film-grain", "severity": "1..2"},
    {"name": "poisson", "peak": "log 300..8000"},
    {"name": "speckle", "std": "0.01..0.06"},
)
"""Faint noise that undamaged photographs have, too: it must not be taken for that of darkness."""

_OTHERS = (
    "haze",
    "fade",
    "quantize",
    "dither",
    "gaussian-blur",
    "defocus",
    "rain",
    "moire",
    "sand-dust",
    "jpeg",
    "old-photo",
    "scratches",
)
"""Other damages; in images that have them darkness is told otherwise."""

_FAINT_DARK: Step = {"name": LOW_LIGHT, "severity": 1}
_STRONGER: tuple[Step, ...] = (
    {"name": LOW_LIGHT, "severity": 2},
    {"name": LOW_LIGHT, "random": True, "gamma": "1.4..2.2"},
)

_PLACES = 10
"""Places of a photograph that are looked at for its darkest part."""

_CLEAN_FOLDERS = (
    ("sand-dust/train/clean/*.jpg", 60),
    ("magnetic-tile/train/images/*/*.jpg", 32),
    ("sand-dust/train/dusty/*.jpg", 24),
    ("train400-gray/*.png", 24),
)
"""Images that are no photographs of BSDS in color, and how many of each."""

_COUNT = 32
"""How many clean images of each unusual kind."""

_CLEAN_WEIGHT = 1.5
_SAVED_WEIGHT = 0.5
"""What clean examples and dark ones under JPEG count beside others."""


_WIDTH, _STEPS = 16, 800
"""Hidden values of each network, and batches that it is fitted to."""


def dark_examples(data: Path, *, is_gray: bool) -> Iterator[WeightedExample]:
    """Yield the examples that a shipped model is fitted to, without images that are held out.

    Args:
        data: Folder with `bsds400`, `sand-dust/train`, `magnetic-tile/train` and `train400-gray`.
        is_gray: Whether images are turned to gray before anything is done to them.

    Raises:
        DataError: A folder has no images.
    """
    for number, file in enumerate(picked(data, "bsds400/*.jpg")):
        yield from _of_photograph(number, file, is_gray=is_gray)
    for pattern, count in _CLEAN_FOLDERS:
        for file in picked(data, pattern)[:count]:
            part = cut_part(read_as_asked(file, is_gray=is_gray), image_rng(0, f"dark {file.name}"))
            yield WeightedExample(file.name, NONE, "other clean", part, _CLEAN_WEIGHT)
            noisy = damaged(part, (_FAINT[1],), f"dark {file.name}")
            yield WeightedExample(file.name, NONE, "other noisy", noisy)
    for name, part in unusual_parts("dark", _COUNT, is_gray=is_gray):
        yield WeightedExample(name, NONE, "drawn", part, _CLEAN_WEIGHT)


def _of_photograph(number: int, file: Path, *, is_gray: bool) -> Iterator[WeightedExample]:
    whole, key = read_as_asked(file, is_gray=is_gray), f"dark {file.name}"
    rng = image_rng(0, f"{key} {is_gray}")
    darkest = min((cut_part(whole, rng) for _ in range(_PLACES)), key=lambda part: float(part.mean()))

    def example(label: str, kind: str, part: Pixels, *steps: Step, weight: float = 1.0) -> WeightedExample:
        spoiled = damaged(part, steps, f"{key} {kind}") if steps else part
        return WeightedExample(file.name, label, kind, spoiled, weight)

    def clean(kind: str, part: Pixels, *steps: Step) -> WeightedExample:
        return example(NONE, kind, part, *steps, weight=_CLEAN_WEIGHT)

    yield clean("clean", cut_part(whole, rng))
    yield clean("clean", cut_part(whole, rng))
    yield clean("clean dark", darkest)
    yield clean("clean jpeg", (darkest, cut_part(whole, rng))[number % 2], _SAVED)
    varied = VARIANTS[number % len(VARIANTS)](whole, rng)
    yield clean("clean varied", rounded(cut_part(varied, rng)))
    for turn in range(4):
        step = _FAINT[(4 * number + turn + number // 2) % len(_FAINT)]
        if turn % 2:
            yield example(NONE, f"noisy dark {step['name']}", darkest, step)
        else:
            yield example(NONE, f"noisy {step['name']}", cut_part(whole, rng), step)
    step = _FAINT[int(rng.integers(len(_FAINT)))]
    yield example(NONE, "noisy jpeg", (cut_part(whole, rng), darkest)[number % 2], step, _SAVED)
    other = {"name": _OTHERS[number % len(_OTHERS)], "severity": int(rng.integers(1, 5))}
    yield example(NONE, "other", cut_part(whole, rng), other)
    yield example(LOW_LIGHT, "faint", cut_part(whole, rng), _FAINT_DARK, weight=1.5)
    yield example(LOW_LIGHT, "faint too", cut_part(whole, rng), _FAINT_DARK, weight=1.5)
    yield example(LOW_LIGHT, "faint dark", darkest, _FAINT_DARK, weight=1.5)
    yield example(LOW_LIGHT, "stronger", cut_part(whole, rng), _STRONGER[number % 2])
    saved = ({"name": "jpeg", "quality": "90..97"}, _SAVED)[number % 2]
    yield example(LOW_LIGHT, "faint jpeg", cut_part(whole, rng), _FAINT_DARK, saved, weight=_SAVED_WEIGHT)


def write_dark_models(data: Path, folder: Path) -> int:
    """Fit both models and write them into a folder, under the names of those that ship.

    Args:
        data: See `dark_examples`.
        folder: It is made where it is not there.

    Returns:
        How many examples there were.

    Raises:
        DataError: A folder of `data` has no images.
    """
    examples = {
        DARK_COLOR_MODEL: dark_examples(data, is_gray=False),
        DARK_GRAY_MODEL: dark_examples(data, is_gray=True),
    }
    return write_hidden_layers(folder, examples, measure_darkness, LOW_LIGHT, width=_WIDTH, steps=_STEPS)
