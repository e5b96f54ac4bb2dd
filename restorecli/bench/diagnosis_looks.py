"""Fits the tables of the second look to what networks take from damaged and from clean photographs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy import ndimage

from restorecli.bench.diagnosis_examples import NONE, damaged
from restorecli.bench.diagnosis_fit import Measured, fit_chances
from restorecli.diagnosis.decide import DecisionTable
from restorecli.diagnosis.drops import measure_drops
from restorecli.diagnosis.marks import POWER, measure_marks
from restorecli.diagnosis.remedies import model_against
from restorecli.diagnosis.view import Pixels, to_luma
from restorecli.errors import DataError
from restorecli.images.reading import read_image

SCRATCHES, RAIN = "scratches", "rain"

_CROP, _BLOCK = 192, 8

_Kind = tuple[int, int, int]
"""A severity, 0 for none, and which photographs get it: those whose number leaves a rest when divided."""

_CROP_KINDS: Mapping[str, Sequence[_Kind]] = {
    SCRATCHES: ((0, 1, 0), (1, 3, 0), (3, 6, 1)),
    RAIN: ((0, 1, 0), (1, 3, 0)),
}
_WHOLE_KINDS: Sequence[_Kind] = ((0, 4, 1), (1, 12, 3))
_PALE_KINDS: Sequence[_Kind] = ((0, 4, 0), (1, 8, 2))
"""Of scratches, whole photographs and crops of little color are looked at, too."""

_SHARES = (0.0, 0.04, 0.15, 0.3)
"""Of the color that is left in pale crops."""

_OTHERS = 3
"""Every so many clear views of dusty places are clean examples, too: no network has seen them."""

_PAINTED = 8.0
"""Levels of luma from which a pixel has paint on it."""


@dataclass(frozen=True, slots=True)
class Look:
    """An image that a network restored, all (C, H, W) on the 0-255 scale.

    Attributes:
        clean: Before any damage.
        before: As the network got it.
        after: As it came out.
        is_damaged: Whether the two before differ.
    """

    clean: Pixels
    before: Pixels
    after: Pixels
    is_damaged: bool


def looks(data: Path, damage: str, restored: Callable[[str, Pixels], Pixels]) -> Iterator[Look]:
    """Yield crops of training photographs, as they are and with faint damage, after the damage's network.

    Args:
        data: Folder with `bsds400` and `sand-dust/train`.
        damage: "scratches" or "rain".
        restored: Returns what the weights of a name make of an image, both in [0, 1].

    Raises:
        DataError: There are no photographs.
    """
    photos = sorted(data.glob("bsds400/*.jpg"))
    if not photos:
        raise DataError("There are no training images.", file=data, expected="bsds400/*.jpg")
    others = sorted(data.glob("sand-dust/train/clean/*.jpg"))[::_OTHERS]
    model = model_against(damage)
    for file, clean, severity in _crops_and_more(photos, others, damage):
        before = clean
        if severity:
            before = damaged(clean, ({"name": damage, "severity": severity},), f"faint {file.name}")
        after = np.rint(255 * np.clip(restored(model, before), 0, 1)).astype(np.float32)
        yield Look(255 * clean, 255 * before, after, severity > 0)


def _crops_and_more(
    photos: Sequence[Path], others: Sequence[Path], damage: str
) -> Iterator[tuple[Path, Pixels, int]]:
    """Yield files, what is looked at of them, and the severity of the damage that it gets."""
    for number, file in enumerate(photos):
        whole = read_image(file).pixels
        crop = _part(whole, np.random.default_rng([number, 7]))
        yield from ((file, crop, severity) for severity in _chosen(_CROP_KINDS[damage], number))
        if damage == SCRATCHES:
            yield from ((file, whole, severity) for severity in _chosen(_WHOLE_KINDS, number))
            pale = _pale(crop, _SHARES[number // 4 % len(_SHARES)])
            yield from ((file, pale, severity) for severity in _chosen(_PALE_KINDS, number))
    for number, file in enumerate(others):
        yield file, _part(read_image(file).pixels, np.random.default_rng([number, 7])), 0


def _chosen(kinds: Sequence[_Kind], number: int) -> list[int]:
    return [severity for severity, every, rest in kinds if number % every == rest]


def _pale(pixels: Pixels, share: float) -> Pixels:
    """Return an image with a share of its color, in steps of 1/255."""
    gray = to_luma(pixels)
    mixed = gray + np.float32(share) * (pixels - gray)
    return np.asarray(np.rint(np.clip(mixed, 0, 1) * 255) / 255, np.float32)


def _part(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """Return a part that starts at a whole block of JPEG."""
    top, left = (int(rng.integers(0, (side - _CROP) // _BLOCK + 1)) * _BLOCK for side in pixels.shape[1:])
    return np.ascontiguousarray(pixels[:, top : top + _CROP, left : left + _CROP])


def fit_marks(seen: Iterator[Look]) -> DecisionTable:
    """Return the table that tells paint from what such a network takes from clean images, mark by mark."""
    rows: list[dict[str, float]] = []
    labels: list[str] = []
    for look in seen:
        found = measure_marks(look.before, _where_painted(look) if look.is_damaged else look.after)
        rows += [{name: value for name, value in mark.items() if name != POWER} for mark in found]
        labels += [SCRATCHES if look.is_damaged else NONE] * len(found)
    return _fitted(rows, labels)


def _where_painted(look: Look) -> Pixels:
    """Return what the network made of the paint, and everything else as it was."""
    painted = np.abs(to_luma(look.before - look.clean)) > _PAINTED
    return np.where(ndimage.binary_dilation(painted), look.after, look.before)


def fit_drops(seen: Iterator[Look]) -> DecisionTable:
    """Return the table that tells rain from what such a network takes from clean images."""
    found = [(measure_drops(look.before, look.after), RAIN if look.is_damaged else NONE) for look in seen]
    return _fitted([row for row, _ in found], [label for _, label in found])


def _fitted(rows: Sequence[Mapping[str, float]], labels: Sequence[str]) -> DecisionTable:
    names = tuple(sorted(set().union(*rows)))
    values = np.array([[row.get(name, np.nan) for name in names] for row in rows])
    return fit_chances(Measured(names, values, tuple((label,) for label in labels), ("",) * len(rows)))
