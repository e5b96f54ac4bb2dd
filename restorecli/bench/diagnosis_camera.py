"""Fits the tables of `diagnosis.faint.camera_noise`: noise that neighbors share, in color and in gray."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from restorecli.bench.diagnosis_clean import UNUSUAL, VARIANTS
from restorecli.bench.diagnosis_examples import HELD_OUT, NONE, OTHERS, Kind, damaged, rounded, severities
from restorecli.bench.diagnosis_fit import Measured, fit_chances, fitted_to
from restorecli.bench.diagnosis_hidden import as_asked
from restorecli.degradation.chain import image_rng
from restorecli.diagnosis.deciding.decide import DecisionTable, write_table
from restorecli.diagnosis.faint.camera_noise import (
    CAMERA_NOISE,
    COLOR_TABLE,
    FILM_GRAIN,
    GRAY_TABLE,
    measure_camera_noise,
)
from restorecli.diagnosis.measuring.view import View, to_luma
from restorecli.errors import DataError
from restorecli.images.image import Pixels
from restorecli.images.reading import read_image

_SIDE = 192
"""Pixels of a side of an example."""

_CAMERA = {"name": CAMERA_NOISE, "electrons": "log 40..5000", "random": True}
_FILM = {"name": FILM_GRAIN, "random": True}
_SAVED = {"name": "jpeg", "quality": "60..97"}

_NOISES = (
    Kind((CAMERA_NOISE,), ({**_CAMERA, "smoothing": 0.0},)),
    Kind((CAMERA_NOISE,), ({**_CAMERA, "smoothing": "0.3..1.2"}, _SAVED)),
    Kind((CAMERA_NOISE,), ({**_CAMERA, "smoothing": 0.0}, _SAVED)),
    Kind((FILM_GRAIN,), (_FILM,)),
    Kind((FILM_GRAIN,), (_FILM, _SAVED)),
)

_FAINT_CAMERA = {"name": CAMERA_NOISE, "electrons": "log 1500..6000"}
_FAINT_FILM = {"name": FILM_GRAIN, "severity": "1..2"}

_FAINT_NOISES = (
    Kind((CAMERA_NOISE,), ({**_FAINT_CAMERA, "smoothing": 0.0},)),
    Kind((CAMERA_NOISE,), ({**_FAINT_CAMERA, "smoothing": 0.0},)),
    Kind((CAMERA_NOISE,), ({**_FAINT_CAMERA, "smoothing": "0.3..1.2"},)),
    Kind((CAMERA_NOISE,), ({**_FAINT_CAMERA, "smoothing": 0.0}, _SAVED)),
    Kind((FILM_GRAIN,), (_FAINT_FILM,)),
    Kind((FILM_GRAIN,), (_FAINT_FILM, _SAVED)),
)
"""Where clean images and noisy ones meet, examples of both decide how much is found."""

_WHITE = frozenset(("gaussian", "poisson", "speckle", "fade", "old-photo"))
"""Damages that come with noise: it is told otherwise whether neighbors share it."""

_CLEAN_WEIGHT, _DAMAGED_WEIGHT = 12.0, 3.0
"""What an example without noise counts beside one with it: to find noise where there is none does harm."""

_SEEN, _SEEN_GRAY = (1.0, 3.5), (3.0, 8.0)
"""Root mean square of noise, 0-255 scale, that counts nothing, and from which on it counts in full: in gray
images faint noise cannot be told from texture, and would only blur what strong noise is."""

_PENALTY, _PENALTY_GRAY = 1e-3, 2e-3

_NO_CLEAN = frozenset((NONE, *_WHITE))

_CLEAN_FOLDERS = (
    ("sand-dust/train/clean/*.jpg", 120),
    ("magnetic-tile/train/images/*/*.jpg", 64),
    ("train400-gray/*.png", 48),
    ("sand-dust/train/dusty/*.jpg", 48),
)
"""Images that are no photographs of BSDS in color, and how many of each."""

_COUNT = 16
"""How many clean images of each unusual kind."""


@dataclass(frozen=True, slots=True)
class NoiseExample:
    """An image, what noise it has, and the same without it.

    Attributes:
        name: What it was made of.
        label: `NONE`, "camera-noise" or "film-grain".
        pixels: (C, 192, 192), or smaller where the image was.
        clean: What the noise was added to; of one without noise, itself.
        weight: What it counts.
        faint: Whether it is of those where clean and noisy images in color meet; gray ones meet elsewhere.
    """

    name: str
    label: str
    pixels: Pixels
    clean: Pixels
    weight: float
    faint: bool = False


def noise_examples(data: Path) -> Iterator[NoiseExample]:
    """Yield the examples that both shipped tables are fitted to, without images that are held out.

    Args:
        data: Folder with `bsds400`, `sand-dust/train`, `magnetic-tile/train` and `train400-gray`.

    Raises:
        DataError: A folder has no images.
    """
    others = [
        kind for kind in (*severities(), *OTHERS) if len(kind.labels) == 1 and kind.labels[0] not in _NO_CLEAN
    ]
    for number, file in enumerate(picked(data, "bsds400/*.jpg")):
        yield from _of_photograph(number, file, others)
    for pattern, count in _CLEAN_FOLDERS:
        for file in picked(data, pattern)[:count]:
            rng = image_rng(0, f"camera {file.name}")
            part = cut_part(read_image(file).pixels, rng)
            yield _without(file.name, part, _CLEAN_WEIGHT)
            saved = damaged(part, [{"name": "jpeg", "quality": "70..97"}], file.name)
            yield _without(file.name, saved, _CLEAN_WEIGHT)
    for name, part in unusual_parts("camera", _COUNT):
        yield _without(name, part, _CLEAN_WEIGHT)


def _of_photograph(number: int, file: Path, others: Sequence[Kind]) -> Iterator[NoiseExample]:
    pixels, rng = read_image(file).pixels, image_rng(0, f"camera {file.name}")
    key = f"camera {file.name}"
    if number % 6 == 5:
        pixels = pixels.mean(axis=0, keepdims=True)
    for turn in range(2):
        yield _without(file.name, cut_part(pixels, rng), _CLEAN_WEIGHT)
        saved = damaged(cut_part(pixels, rng), [{"name": "jpeg", "quality": "70..97"}], f"{key} {turn}")
        yield _without(file.name, saved, _CLEAN_WEIGHT)
    varied = VARIANTS[number % len(VARIANTS)](pixels, rng)
    yield _without(file.name, rounded(cut_part(varied, rng)), _CLEAN_WEIGHT)
    blocky = damaged(cut_part(pixels, rng), [{"name": "jpeg", "quality": "15..70"}], key)
    yield _without(file.name, blocky, 0.7 * _CLEAN_WEIGHT)
    for turn in range(2):
        kind = others[int(rng.integers(len(others)))]
        spoiled = damaged(cut_part(pixels, rng), kind.steps, f"{key} {turn} other")
        yield _without(file.name, spoiled, _DAMAGED_WEIGHT)
    for turn, kind in enumerate(_NOISES):
        clean = cut_part(pixels, rng)
        noisy = damaged(clean, kind.steps, f"{key} {turn}")
        yield NoiseExample(file.name, kind.labels[0], noisy, clean, 1.0)
    if len(pixels) == 3:
        yield from (replace(example, faint=True) for example in _faint_examples(file.name, pixels))


def _faint_examples(name: str, pixels: Pixels) -> Iterator[NoiseExample]:
    """Yield crops of a photograph with faint noise, and without, one of them saved as JPEG.

    Args:
        name: Of its file.
        pixels: (3, H, W) float32 in [0, 1].
    """
    key = f"faint {name}"
    rng = image_rng(0, key)
    for _ in range(3):
        yield _without(name, cut_part(pixels, rng), _CLEAN_WEIGHT)
    saved = damaged(cut_part(pixels, rng), [{"name": "jpeg", "quality": "70..97"}], key)
    yield _without(name, saved, _CLEAN_WEIGHT)
    for turn, kind in enumerate(_FAINT_NOISES):
        clean = cut_part(pixels, rng)
        yield NoiseExample(name, kind.labels[0], damaged(clean, kind.steps, f"{key} {turn}"), clean, 1.0)


def _without(name: str, pixels: Pixels, weight: float) -> NoiseExample:
    return NoiseExample(name, NONE, pixels, pixels, weight)


def cut_part(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """Cut a square out anywhere, so that blocks of JPEG start anywhere, too."""
    top, left = (int(rng.integers(max(side - _SIDE, 0) + 1)) for side in pixels.shape[1:])
    return np.ascontiguousarray(pixels[:, top : top + _SIDE, left : left + _SIDE])


def unusual_parts(task: str, count: int, *, is_gray: bool = False) -> Iterator[tuple[str, Pixels]]:
    """Yield squares of images that are no photographs, of 8 bits, and what each is called.

    Args:
        task: Whose examples they are, which seeds them.
        count: How many of each kind.
        is_gray: Whether they are turned to gray.
    """
    for make in UNUSUAL:
        for number in range(count):
            name = f"{make.__name__}/{number}"
            rng = image_rng(0, f"{task} {name}")
            yield name, rounded(as_asked(cut_part(make(rng), rng), is_gray=is_gray))


def picked(data: Path, pattern: str) -> list[Path]:
    """Return all files in a fixed random order, without those that are held out."""
    files = [
        file for index, file in enumerate(sorted(data.glob(pattern))) if index % HELD_OUT != HELD_OUT - 1
    ]
    if not files:
        raise DataError("There are no training images.", file=data, expected=pattern)
    return [files[index] for index in np.random.default_rng(0).permutation(len(files))]


@dataclass(frozen=True, slots=True)
class MeasuredNoise:
    """Measurements of examples in color and in gray, what each counts, and how many there were."""

    color: Measured
    color_weights: NDArray[np.float64]
    gray: Measured
    gray_weights: NDArray[np.float64]
    count: int


def measure_noise(examples: Iterable[NoiseExample]) -> MeasuredNoise:
    """Measure examples, those in color also in gray but where their noise is faint."""
    color, gray, count = _Rows(*_SEEN), _Rows(*_SEEN_GRAY), 0
    for example in examples:
        count += 1
        levels, before = (255 * part for part in (example.pixels, example.clean))
        if len(levels) == 3:
            color.add(example, levels, before)
        if not example.faint:
            gray.add(example, *(np.rint(to_luma(part))[None] for part in (levels, before)))
    return MeasuredNoise(*color.measured(), *gray.measured(), count)


class _Rows:
    """Measurements, example by example."""

    def __init__(self, faint: float, plain: float) -> None:
        self._seen = faint, plain
        self._found: list[dict[str, float]] = []
        self._examples: list[NoiseExample] = []
        self._weights: list[float] = []

    def add(self, example: NoiseExample, levels: Pixels, before: Pixels) -> None:
        noise = float(np.sqrt(np.square(levels - before).mean()))
        seen = 1.0 if example.label == NONE else np.interp(noise, self._seen, (0, 1))
        self._found.append(measure_camera_noise(View(levels, levels)))
        self._examples.append(example)
        self._weights.append(example.weight * float(seen))

    def measured(self) -> tuple[Measured, NDArray[np.float64]]:
        names = tuple(sorted(set().union(*self._found)))
        values = np.array([[row.get(name, np.nan) for name in names] for row in self._found])
        labels = tuple((example.label,) for example in self._examples)
        images = tuple(example.name for example in self._examples)
        return Measured(names, values, labels, images), np.array(self._weights)


def fit_noise(measured: Measured, weights: NDArray[np.float64], penalty: float = _PENALTY) -> DecisionTable:
    """Return the table of `NONE`, camera noise and film grain that fits the examples best.

    Args:
        measured: The examples.
        weights: What each counts, (examples,).
        penalty: See `diagnosis_fit.fit_chances`.
    """
    return fit_chances(measured, weights / weights.sum(), penalty)


def write_noise_tables(data: Path, folder: Path) -> int:
    """Fit both tables and write them into a folder, under the names of those that ship.

    Args:
        data: See `noise_examples`.
        folder: It is made where it is not there.

    Returns:
        How many examples there were.

    Raises:
        DataError: A folder of `data` has no images.
    """
    measured = measure_noise(noise_examples(data))
    folder.mkdir(parents=True, exist_ok=True)
    for file, part, weights, penalty in (
        (COLOR_TABLE, measured.color, measured.color_weights, _PENALTY),
        (GRAY_TABLE, measured.gray, measured.gray_weights, _PENALTY_GRAY),
    ):
        about = fitted_to(len(part.labels))
        write_table(fit_noise(part, weights, penalty), folder / file.name, about)
    return measured.count
