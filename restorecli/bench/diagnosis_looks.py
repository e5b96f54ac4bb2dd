"""Fits the tables of the second look to what networks take from damaged and from clean photographs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from restorecli.bench.diagnosis_examples import NONE, rounded
from restorecli.bench.diagnosis_fit import Measured, fit_chances
from restorecli.degradation.chain import Chain, degrade_array
from restorecli.degradation.damage_masks import damage_mask
from restorecli.diagnosis.deciding.decide import DecisionTable
from restorecli.diagnosis.measuring.view import Pixels, to_luma
from restorecli.diagnosis.remedies import model_against
from restorecli.diagnosis.second_look.drops import measure_drops
from restorecli.diagnosis.second_look.marks import find_marks
from restorecli.errors import DataError
from restorecli.images.reading import read_image

SCRATCHES, RAIN = "scratches", "rain"

_CROP, _BLOCK = 192, 8

_Kind = tuple[int, int, int]
"""A severity, 0 for none, and which photographs get it: those whose number leaves a rest when divided."""

_CROP_KINDS: Mapping[str, Sequence[_Kind]] = {
    SCRATCHES: ((0, 1, 0), (1, 6, 1), (2, 12, 3), (3, 12, 9), (4, 12, 5), (5, 12, 11)),
    RAIN: ((0, 1, 0), (1, 3, 0)),
}
_WHOLE_KINDS: Sequence[_Kind] = ((0, 16, 3), (1, 48, 7), (4, 48, 23))
_PALE_KINDS: Sequence[_Kind] = ((0, 8, 2), (1, 16, 6), (2, 16, 14), (4, 16, 10), (5, 32, 30))
"""Of scratches, whole photographs and crops of little color are looked at, too."""

_SHARES = (0.0, 0.0, 0.0, 0.15)
"""Of the color that is left in pale crops: most are gray."""

_SCRATCHED = 160
"""Photographs that are looked at in all these ways, of the others one clean crop: paint leaves many marks."""

_GRAY = 4
"""Every so many gray photographs are looked at, as they are and scratched, of each severity in turn."""

_SMOOTHED, _MEDIAN = 16, 5
"""Every so many photographs without thin things is looked at, and the side (px) of the median that takes
them: what a network takes that knows no better. Good networks leave few marks that are no paint."""

_FADED = 6
"""Every so many photographs are looked at faded, too, as they are and scratched: so old prints come."""

_OTHERS: Mapping[str, int] = {SCRATCHES: 4, RAIN: 3}
"""Every so many clear views of dusty places are clean examples, too: no network has seen them."""

_JPEG: Mapping[str, object] = {"name": "jpeg", "quality": "70..95"}
"""What every fourth scratched photograph was saved as."""

_PAINTED, _UNPAINTED = 0.5, 0.2
"""Share of a mark's pixels from which it counts as paint, and up to which as none; others are left out."""


@dataclass(frozen=True, slots=True)
class Look:
    """An image that a network restored, all (C, H, W) on the 0-255 scale.

    Attributes:
        clean: Before any damage.
        before: As the network got it.
        after: As it came out.
        is_damaged: Whether the image was damaged.
        painted: (H, W), True where paint covers a quarter of a pixel or more; None for other damage.
    """

    clean: Pixels
    before: Pixels
    after: Pixels
    is_damaged: bool
    painted: NDArray[np.bool_] | None = None


def looks(data: Path, damage: str, restored: Callable[[str, Pixels], Pixels]) -> Iterator[Look]:
    """Yield crops of training photographs, as they are and with faint damage, after the damage's network.

    Against scratches also faded ones, and clean ones without thin things, as a median leaves them.

    Args:
        data: Folder with `bsds400`, `sand-dust/train` and `train400-gray`.
        damage: "scratches" or "rain".
        restored: Returns what the weights of a name make of an image, both in [0, 1].

    Raises:
        DataError: There are no photographs.
    """
    photos = sorted(data.glob("bsds400/*.jpg"))
    if not photos:
        raise DataError("There are no training images.", file=data, expected="bsds400/*.jpg")
    others = sorted(data.glob("sand-dust/train/clean/*.jpg"))[:: _OTHERS[damage]]
    grays = sorted(data.glob("train400-gray/*.png"))[::_GRAY] if damage == SCRATCHES else []
    model = model_against(damage)
    faded = _faded(photos[::_FADED]) if damage == SCRATCHES else ()
    for file, clean, severity in chain(_crops_and_more(photos, others, damage), _gray(grays), faded):
        before, painted = clean, None
        if severity:
            before, painted = _damaged(clean, damage, severity, f"faint {file.name}")
        after = np.rint(255 * np.clip(restored(model, before), 0, 1)).astype(np.float32)
        yield Look(255 * clean, 255 * before, after, severity > 0, painted)
    if damage == SCRATCHES:
        yield from _smoothed(photos[::_SMOOTHED])


def _smoothed(photos: Sequence[Path]) -> Iterator[Look]:
    for number, file in enumerate(photos):
        clean = 255 * _part(read_image(file).pixels, number)
        yield Look(clean, clean, ndimage.median_filter(clean, (1, _MEDIAN, _MEDIAN)), is_damaged=False)


def _damaged(clean: Pixels, damage: str, severity: int, key: str) -> tuple[Pixels, NDArray[np.bool_] | None]:
    """Return an image with damage, and where it has paint on it."""
    specs: list[Mapping[str, object]] = [{"name": damage, "severity": severity}]
    if damage == SCRATCHES and sum(key.encode()) % 4 == 0:
        specs.append(_JPEG)
    worse, steps = degrade_array(clean, Chain.from_specs(specs), 0, key)
    return rounded(worse), damage_mask((clean.shape[1], clean.shape[2]), steps, 0, key)


def _crops_and_more(
    photos: Sequence[Path], others: Sequence[Path], damage: str
) -> Iterator[tuple[Path, Pixels, int]]:
    """Yield files, what is looked at of them, and the severity of the damage that it gets."""
    for number, file in enumerate(photos):
        whole = read_image(file).pixels
        crop = _part(whole, number)
        if damage == SCRATCHES and number >= _SCRATCHED:
            yield file, crop, 0
            continue
        yield from ((file, crop, severity) for severity in _chosen(_CROP_KINDS[damage], number))
        if damage == SCRATCHES:
            yield from ((file, whole, severity) for severity in _chosen(_WHOLE_KINDS, number))
            pale = _pale(crop, _SHARES[number // 8 % len(_SHARES)])
            yield from ((file, pale, severity) for severity in _chosen(_PALE_KINDS, number))
    for number, file in enumerate(others):
        yield file, _part(read_image(file).pixels, number), 0


def _gray(photos: Sequence[Path]) -> Iterator[tuple[Path, Pixels, int]]:
    for number, file in enumerate(photos):
        gray = read_image(file).pixels
        yield from ((file, gray, severity) for severity in (0, 1 + number % 5))


def _faded(photos: Sequence[Path]) -> Iterator[tuple[Path, Pixels, int]]:
    for number, file in enumerate(photos):
        crop = _part(read_image(file).pixels, number)
        pale, _ = degrade_array(
            crop, Chain.from_specs([{"name": "fade", "severity": 1 + number % 5}]), 0, file.name
        )
        yield from ((file, rounded(pale), severity) for severity in (0, 1 + number % 3))


def _chosen(kinds: Sequence[_Kind], number: int) -> list[int]:
    return [severity for severity, every, rest in kinds if number % every == rest]


def _pale(pixels: Pixels, share: float) -> Pixels:
    """Return an image with a share of its color, in steps of 1/255."""
    gray = to_luma(pixels)
    mixed = gray + np.float32(share) * (pixels - gray)
    return np.asarray(np.rint(np.clip(mixed, 0, 1) * 255) / 255, np.float32)


def _part(pixels: Pixels, number: int) -> Pixels:
    """Return the part of a number, which starts at a whole block of JPEG."""
    rng = np.random.default_rng([number, 7])
    top, left = (int(rng.integers(0, (side - _CROP) // _BLOCK + 1)) * _BLOCK for side in pixels.shape[1:])
    return np.ascontiguousarray(pixels[:, top : top + _CROP, left : left + _CROP])


def fit_marks(seen: Iterator[Look]) -> DecisionTable:
    """Return the table that tells paint from whatever else such a network takes away, mark by mark."""
    rows: list[Mapping[str, float]] = []
    labels: list[str] = []
    for look in seen:
        marks = find_marks(look.before, look.after)
        painted = np.zeros(marks.numbers.shape, np.bool_) if look.painted is None else look.painted
        shares = ndimage.mean(painted, marks.numbers, np.arange(1, len(marks.found) + 1))
        for mark, share in zip(marks.found, shares, strict=True):
            if not _UNPAINTED < share < _PAINTED:
                rows.append(mark)
                labels.append(SCRATCHES if share >= _PAINTED else NONE)
    return _fitted(rows, labels)


def fit_drops(seen: Iterator[Look]) -> DecisionTable:
    """Return the table that tells rain from what such a network takes from clean images."""
    found = [(measure_drops(look.before, look.after), RAIN if look.is_damaged else NONE) for look in seen]
    return _fitted([row for row, _ in found], [label for _, label in found])


def _fitted(rows: Sequence[Mapping[str, float]], labels: Sequence[str]) -> DecisionTable:
    names = tuple(sorted(set().union(*rows)))
    values = np.array([[row.get(name, np.nan) for name in names] for row in rows])
    return fit_chances(Measured(names, values, tuple((label,) for label in labels), ("",) * len(rows)))
