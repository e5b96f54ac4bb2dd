"""Fits the models of `diagnosis.faint.saved_noise`: white noise that was saved as JPEG."""

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
from restorecli.diagnosis.faint.saved_noise import (
    SAVED_COLOR_MODEL,
    SAVED_GRAY_MODEL,
    SAVED_NOISE,
    measure_saved_noise,
)

_FULL_COLOR = "4:4:4"

_NOISES: tuple[Step, ...] = (
    {"name": "gaussian", "sigma": "log 4..14"},
    {"name": "gaussian", "sigma": "log 3..50"},
    {"name": "gaussian", "sigma": "log 4..25"},
    {"name": "poisson", "peak": "log 20..1000"},
    {"name": "gaussian", "sigma": "log 6..30"},
    {"name": "speckle", "std": "0.05..0.3"},
)
_SPREAD: tuple[Step, ...] = (
    {"name": "camera-noise", "electrons": "log 40..5000", "random": True},
    {"name": "film-grain", "random": True},
)
"""Noise that neighbors share, which other weights take away better."""

_OTHERS = (
    "haze",
    "fade",
    "gaussian-blur",
    "rain",
    "moire",
    "sand-dust",
    "scratches",
    "quantize",
    "defocus",
    "dither",
    "salt-pepper",
)
"""Other damages, which leave fine detail or take it away."""

_CLEAN_FOLDERS = (
    ("sand-dust/train/clean/*.jpg", 120),
    ("magnetic-tile/train/images/*/*.jpg", 48),
    ("sand-dust/train/dusty/*.jpg", 48),
    ("train400-gray/*.png", 48),
)
"""Images that are no photographs of BSDS in color, and how many of each."""

_COUNT = 24
"""How many clean images of each unusual kind."""

_CLEAN_WEIGHT, _SPREAD_WEIGHT = 2.0, 1.5
"""What clean examples count beside others, and those with noise of other kinds."""

_WIDTH, _STEPS = 32, 2500
"""Hidden values of each network, and batches that it is fitted to."""


def saved_examples(data: Path, *, is_gray: bool) -> Iterator[WeightedExample]:
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
            key = f"saved {file.name}"
            part = cut_part(read_as_asked(file, is_gray=is_gray), image_rng(0, key))
            yield WeightedExample(file.name, NONE, "other clean", part, _CLEAN_WEIGHT)
            saved = damaged(part, (_jpeg("70..97"),), key)
            yield WeightedExample(file.name, NONE, "other jpeg", saved, _CLEAN_WEIGHT)
    for name, part in unusual_parts("saved", _COUNT, is_gray=is_gray):
        yield WeightedExample(name, NONE, "drawn", part, _CLEAN_WEIGHT)
        saved = damaged(part, (_jpeg("60..97"),), f"saved {name}")
        yield WeightedExample(name, NONE, "drawn jpeg", saved, _CLEAN_WEIGHT)


def _of_photograph(number: int, file: Path, *, is_gray: bool) -> Iterator[WeightedExample]:
    whole, key = read_as_asked(file, is_gray=is_gray), f"saved {file.name}"
    rng = image_rng(0, f"{key} {is_gray}")

    def example(label: str, kind: str, *steps: Step, weight: float = 1.0) -> WeightedExample:
        part = cut_part(whole, rng)
        spoiled = damaged(part, steps, f"{key} {kind}") if steps else part
        return WeightedExample(file.name, label, kind, spoiled, weight)

    def clean(kind: str, *steps: Step) -> WeightedExample:
        return example(NONE, kind, *steps, weight=_CLEAN_WEIGHT)

    yield clean("clean")
    yield clean("clean jpeg", _jpeg("70..97"))
    yield clean("clean fine jpeg", _jpeg("88..98"))
    yield clean("clean full jpeg", _jpeg("70..97", _FULL_COLOR))
    yield clean("clean coarse jpeg", _jpeg("15..70"))
    varied = rounded(cut_part(VARIANTS[number % len(VARIANTS)](whole, rng), rng))
    yield WeightedExample(file.name, NONE, "clean varied", varied, _CLEAN_WEIGHT)
    saved = damaged(varied, (_jpeg("70..97"),), f"{key} varied")
    yield WeightedExample(file.name, NONE, "clean varied jpeg", saved, _CLEAN_WEIGHT)
    for turn in range(2):
        other = {"name": _OTHERS[(2 * number + turn) % len(_OTHERS)], "severity": int(rng.integers(1, 6))}
        yield example(NONE, f"other {turn}", other, *((_jpeg("70..97"),) if turn else ()))
    spread = _SPREAD[number % len(_SPREAD)]
    yield example(NONE, "spread", spread, weight=_SPREAD_WEIGHT)
    yield example(NONE, "spread jpeg", spread, _jpeg("60..97"), weight=_SPREAD_WEIGHT)
    for turn in range(6):
        noise = _NOISES[(number + turn) % len(_NOISES)]
        quality, subsampling = ("60..97", "88..98")[turn % 2], ("4:2:0", _FULL_COLOR)[turn == 0]
        yield example(SAVED_NOISE, f"noise {turn}", noise, _jpeg(quality, subsampling))


def _jpeg(quality: str, subsampling: str = "4:2:0") -> Step:
    return {"name": "jpeg", "quality": quality, "subsampling": subsampling}


def write_saved_noise_models(data: Path, folder: Path) -> int:
    """Fit both models and write them into a folder, under the names of those that ship.

    Args:
        data: See `saved_examples`.
        folder: It is made where it is not there.

    Returns:
        How many examples there were.

    Raises:
        DataError: A folder of `data` has no images.
    """
    examples = {
        SAVED_COLOR_MODEL: saved_examples(data, is_gray=False),
        SAVED_GRAY_MODEL: saved_examples(data, is_gray=True),
    }
    return write_hidden_layers(folder, examples, measure_saved_noise, SAVED_NOISE, width=_WIDTH, steps=_STEPS)
