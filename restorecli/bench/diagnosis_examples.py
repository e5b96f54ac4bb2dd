"""Images of known damage, or of none, from which the table of `restorecli.diagnosis` is fitted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from restorecli.bench.diagnosis_clean import VARIANTS, drawn, plain, relief, slide, starry
from restorecli.degradation.catalog import DEGRADATIONS
from restorecli.degradation.chain import Chain, degrade_array, image_rng
from restorecli.diagnosis.faint.camera_noise import SPREAD_NOISE
from restorecli.diagnosis.measuring.screens import SCREEN
from restorecli.errors import DataError
from restorecli.images.image import Pixels
from restorecli.images.reading import read_image

Step = Mapping[str, object]

NONE = "none"

HELD_OUT = 5
"""Every fifth image of a folder is left out of fitting, to check on."""

_HARD = ("scratches", "haze", "rain", "scratches", "low-light", "fade", "old-photo", "haze", "scratches")
"""Damages that need more examples, some of them the more often."""

_BESIDE_CLEAN = 7
"""Damaged versions made of an image, beside the clean ones."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of example.

    Attributes:
        labels: Damages, each of the same weight; `NONE` alone for images without damage.
        steps: What makes it of a clean image.
    """

    labels: tuple[str, ...]
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Example:
    """An image and what its damage is called."""

    name: str
    labels: tuple[str, ...]
    pixels: Pixels


def severities() -> list[Kind]:
    """Return every degradation at every severity."""
    kinds = []
    for severity in (3, 5, 1, 2, 4):
        for name in DEGRADATIONS:
            if name in (*SPREAD_NOISE, SCREEN):  # has tables, or a law, of its own
                continue
            labels = (NONE,) if name == "downscale" else (name,)
            kinds.append(Kind(labels, ({"name": name, "severity": severity},)))
    return kinds


def _kind(labels: str, *steps: Step) -> Kind:
    return Kind(tuple(labels.split("+")), steps)


OTHERS = (
    _kind("gaussian+jpeg", {"name": "gaussian", "sigma": "8..40"}, {"name": "jpeg", "quality": "20..75"}),
    _kind("jpeg", {"name": "jpeg", "quality": "5..75"}),
    _kind("gaussian", {"name": "gaussian", "sigma": "log 6..100"}),
    _kind(
        "gaussian-blur+gaussian",
        {"name": "gaussian-blur", "sigma": "1..4"},
        {"name": "gaussian", "sigma": "3..25"},
    ),
    _kind(
        "gaussian-blur+jpeg",
        {"name": "gaussian-blur", "sigma": "1..4"},
        {"name": "jpeg", "quality": "20..75"},
    ),
    _kind("gaussian", {"name": "gaussian", "sigma": "8..60", "gray": True}),
    _kind("poisson", {"name": "poisson", "peak": "log 3..100"}),
    _kind("salt-pepper", {"name": "salt-pepper", "amount": "0.02..0.5"}),
    _kind("salt-pepper", {"name": "salt-pepper", "amount": "0.02..0.4", "independent": True}),
    _kind("speckle", {"name": "speckle", "std": "0.1..0.6", "law": "gamma"}),
    _kind("dither", {"name": "dither", "kernel": "any", "levels": "2..16"}),
    _kind("dither", {"name": "dither", "kernel": "any", "palette": "median-cut", "colours": "4..64"}),
    _kind("defocus", {"name": "defocus", "radius": "2..9", "edge": "0.1..0.5"}),
    _kind("motion-blur", {"name": "motion-blur", "length": "7..31", "angle": "0..180"}),
    _kind("gaussian-blur", {"name": "gaussian-blur", "sigma": "0.9..4"}),
    _kind("sand-dust", {"name": "sand-dust", "random": True}),
    _kind("sand-dust", {"name": "sand-dust", "random": True, "beta": "0.6..2"}),
    _kind("haze", {"name": "haze", "random": True}),
    _kind("low-light", {"name": "low-light", "random": True}),
    _kind("low-light+jpeg", {"name": "low-light", "severity": "2..4"}, {"name": "jpeg", "quality": "30..75"}),
    _kind("haze+jpeg", {"name": "haze", "severity": "2..4"}, {"name": "jpeg", "quality": "30..75"}),
    _kind("rain", {"name": "rain", "random": True}),
    _kind("moire", {"name": "moire", "random": True}),
    _kind("holes", {"name": "holes", "random": True}),
    _kind("holes", {"name": "holes", "kind": "text", "share": "0.05..0.3", "fill": "black"}),
    _kind("scratches", {"name": "scratches", "count": "3..12", "dust": "4..30"}),
    _kind("old-photo", {"name": "old-photo", "severity": 3}),
    _kind("fade", {"name": "fade", "severity": 3}),
)
"""Damage of other strengths than those of the severities, and two at once."""

_PAIRS = (
    _kind("gaussian+jpeg", {"name": "gaussian", "sigma": "10..40"}, {"name": "jpeg", "quality": "25..80"}),
    _kind("low-light+jpeg", {"name": "low-light", "severity": "2..5"}, {"name": "jpeg", "quality": "40..80"}),
    _kind("gaussian+jpeg", {"name": "gaussian", "sigma": "10..40"}, {"name": "jpeg", "quality": "25..80"}),
    _kind("low-light", {"name": "low-light", "severity": "2..5"}, {"name": "jpeg", "quality": "85..95"}),
)

_MORE_PAIRS = (
    _kind(
        "low-light+gaussian",
        {"name": "low-light", "severity": "2..5"},
        {"name": "gaussian", "sigma": "3..15"},
    ),
    _kind("haze+jpeg", {"name": "haze", "severity": "2..4"}, {"name": "jpeg", "quality": "20..60"}),
    _kind("low-light+jpeg", {"name": "low-light", "severity": "2..4"}, {"name": "jpeg", "quality": "20..60"}),
    _kind(
        "scratches+gaussian",
        {"name": "gaussian", "sigma": "8..30"},
        {"name": "scratches", "severity": "2..5"},
    ),
    _kind("sand-dust+jpeg", {"name": "sand-dust", "severity": "2..4"}, {"name": "jpeg", "quality": "20..60"}),
    _kind("defocus+gaussian", {"name": "defocus", "radius": "2..6"}, {"name": "gaussian", "sigma": "3..20"}),
    _kind("haze+gaussian", {"name": "haze", "severity": "2..4"}, {"name": "gaussian", "sigma": "5..25"}),
    _kind(
        "motion-blur+gaussian",
        {"name": "motion-blur", "severity": "2..4"},
        {"name": "gaussian", "sigma": "3..20"},
    ),
)

_FAINT = (
    _kind("haze", {"name": "haze", "severity": 1}),
    _kind("haze", {"name": "haze", "beta": "0.3..0.8"}),
    _kind("low-light", {"name": "low-light", "severity": 1}),
)
"""Veils and darkness of the least severity, which are missed most often."""

_UNUSUAL = (starry, slide, relief, plain)

CLEAN = (
    _kind(NONE, {"name": "jpeg", "quality": "86..96"}),
    _kind(NONE, {"name": "downscale", "factor": 2}),
    _kind(NONE, {"name": "jpeg", "quality": "86..96", "subsampling": "4:4:4"}),
    _kind(NONE, {"name": "gaussian", "sigma": "0..1.5"}),
)


def training_examples(data: Path, images: int) -> Iterator[Example]:
    """Yield the examples that the shipped table is fitted on.

    Args:
        data: Folder with `bsds400`, `sand-dust/train`, `magnetic-tile/train` and `train400-gray`.
        images: How many of `bsds400` are taken from either end of a fixed random order.
    """
    rng = np.random.default_rng(0)
    photos = _picked(data, "bsds400/*.jpg", 400, rng)
    dusty = _picked(data, "sand-dust/train/dusty/*.jpg", 400, rng)
    clean = [
        *_picked(data, "sand-dust/train/clean/*.jpg", 400, rng),
        *_picked(data, "magnetic-tile/train/images/*/*.jpg", 60, rng),
        *_picked(data, "train400-gray/*.png", 60, rng),
    ]
    yield from examples(dusty, "sand-dust", gray_every=0)
    yield from (Example(_name(file), (NONE,), read_image(file).pixels) for file in clean)
    yield from examples(photos[:images])
    yield from examples(photos[::-1][:images])
    yield from variants(photos)
    yield from hard(photos)
    yield from pairs(photos)
    yield from pairs(photos, _MORE_PAIRS, "two")
    for number, kind in enumerate(_FAINT):
        yield from pairs(photos[2 * number :: 5], (kind,), "faint")
    yield from unusual()


def every_pair() -> tuple[Kind, ...]:
    """Return the kinds of examples that have two damages, or one beside weak JPEG."""
    return (*_PAIRS, *_MORE_PAIRS)


def hard(photos: Sequence[Path]) -> Iterator[Example]:
    """Yield two damaged versions of each photograph, of the damages that clean photographs resemble most."""
    kinds = [
        Kind((name,), ({"name": name, "severity": severity},)) for severity in (3, 5, 2) for name in _HARD
    ]
    for number, file in enumerate(photos):
        pixels = read_image(file).pixels
        for turn in (0, 1):
            kind = kinds[(2 * number + turn) % len(kinds)]
            yield Example(_name(file), kind.labels, damaged(pixels, kind.steps, f"hard {file.name}{turn}"))


def pairs(photos: Sequence[Path], kinds: Sequence[Kind] = _PAIRS, key: str = "pair") -> Iterator[Example]:
    """Yield each photograph with one of some kinds of damage, in turn.

    Args:
        photos: Clean photographs.
        kinds: By default two damages that come together in phones and on the web.
        key: What the random numbers depend on beside the file's name.
    """
    for number, file in enumerate(photos):
        kind = kinds[number % len(kinds)]
        pixels = damaged(read_image(file).pixels, kind.steps, f"{key} {file.name}")
        yield Example(_name(file), kind.labels, pixels)


def unusual(count: int = 40) -> Iterator[Example]:
    """Yield clean images that are no photographs of everyday things: skies, cells, reliefs, boards.

    Args:
        count: How many of each.
    """
    for make in _UNUSUAL:
        for number in range(count):
            name = f"{make.__name__}/{number}"
            yield Example(name, (NONE,), rounded(make(image_rng(0, name))))


def variants(photos: Sequence[Path]) -> Iterator[Example]:
    """Yield clean images of other looks: two of each photograph, and after every second a drawn one."""
    for number, file in enumerate(photos):
        pixels = read_image(file).pixels
        for turn in (0, 1):
            change = VARIANTS[(2 * number + turn) % len(VARIANTS)]
            rng = image_rng(0, f"{file.name}{turn}")
            yield Example(_name(file), (NONE,), rounded(change(pixels, rng)))
        if number % 2 == 0:
            yield Example(f"drawn/{number}", (NONE,), rounded(drawn(image_rng(0, f"drawn{number}"))))


def rounded(pixels: Pixels) -> Pixels:
    """Clip and round to 8 bits, as in a file."""
    return np.rint(np.clip(pixels, 0, 1) * 255).astype(np.float32) / np.float32(255)


def _picked(data: Path, pattern: str, count: int, rng: np.random.Generator) -> list[Path]:
    """Return at most `count` files in a random order, without those that are held out."""
    files = [
        file for index, file in enumerate(sorted(data.glob(pattern))) if index % HELD_OUT != HELD_OUT - 1
    ]
    if not files:
        raise DataError("There are no training images.", file=data, expected=pattern)
    return [files[index] for index in rng.permutation(len(files))[:count]]


def _name(file: Path) -> str:
    return f"{file.parent.name}/{file.name}"


def examples(files: Sequence[Path], label: str = NONE, gray_every: int = 6) -> Iterator[Example]:
    """Yield examples made of clean photographs, or those photographs themselves where they are damaged.

    Args:
        files: Images.
        label: `NONE` for clean ones, of which damaged ones are made; else the damage that they have.
        gray_every: Every so many images are turned to gray first.
    """
    kinds = (*severities(), *OTHERS)
    for number, file in enumerate(files):
        pixels = read_image(file).pixels
        if gray_every and number % gray_every == gray_every - 1:
            pixels = pixels.mean(axis=0, keepdims=True)
        name = _name(file)
        yield Example(name, (label,), pixels)
        if label != NONE:
            continue
        yield Example(name, (NONE,), _shifted(pixels, number))
        chosen = [CLEAN[number % len(CLEAN)]]
        chosen += [kinds[(number * _BESIDE_CLEAN + index) % len(kinds)] for index in range(_BESIDE_CLEAN)]
        for kind in chosen:
            yield Example(name, kind.labels, damaged(pixels, kind.steps, f"{name}{kind.labels}{number}"))


def _shifted(pixels: Pixels, number: int) -> Pixels:
    """Cut an image so that its blocks of JPEG, if it has them, do not start at the corner."""
    down, across = (int(shift) for shift in image_rng(0, str(number)).integers(0, 8, 2))
    return pixels[:, down:, across:]


def damaged(pixels: Pixels, steps: Sequence[Step], key: str) -> Pixels:
    """Return an image with damage, clipped and rounded to 8 bits as in a file."""
    worse, _ = degrade_array(pixels, Chain.from_specs(list(steps)), 0, key)
    return rounded(worse)
