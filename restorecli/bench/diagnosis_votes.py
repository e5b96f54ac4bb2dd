"""Fits how the two classifiers of the diagnosis are joined, to photographs that neither was fitted to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special

from restorecli.bench.diagnosis_clean import VARIANTS, drawn, plain, relief, slide, starry
from restorecli.bench.diagnosis_examples import (
    CLEAN,
    HELD_OUT,
    NONE,
    OTHERS,
    Example,
    damaged,
    every_pair,
    severities,
)
from restorecli.bench.diagnosis_fit import example_weights
from restorecli.degradation.chain import image_rng
from restorecli.diagnosis.deciding.decide import shipped_table
from restorecli.diagnosis.deciding.naming import leading, possible_damages
from restorecli.diagnosis.deciding.network import network_chances
from restorecli.diagnosis.deciding.votes import MIN_CHANCE, Votes
from restorecli.diagnosis.measuring.measurements import measure
from restorecli.diagnosis.measuring.view import view_of
from restorecli.errors import DataError
from restorecli.images.image import Pixels
from restorecli.images.reading import read_image

Doubles = NDArray[np.float64]

_CROP = 192
_TURNS = 24
"""Damaged versions of each photograph."""

_PENALTY = 1e-3
"""Weight of the sum of squares of the offsets."""

_MISTAKEN = 1 / 1000
"""Share of clean images that may be taken for each damage."""

_MARGIN, _SURE = 0.01, (0.55, 0.95)
"""What is added to the chance that clean images reach, and the bounds of what is sure."""


def held_out_examples(data: Path) -> Iterator[Example]:
    """Yield clean and damaged photographs that the table and the network were not fitted on.

    Every second is cut to its middle 192 px, on which damage is harder to see.

    Args:
        data: Folder with `bsds400`, `sand-dust/train`, `magnetic-tile/train` and `train400-gray`.
    """
    kinds = (*severities(), *severities(), *OTHERS, *every_pair())
    photos = _held_out(data, "bsds400/*.jpg")
    others = [
        *_held_out(data, "sand-dust/train/clean/*.jpg"),
        *_held_out(data, "magnetic-tile/train/images/*/*.jpg")[::3],
        *_held_out(data, "train400-gray/*.png")[::2],
    ]
    for number, file in enumerate((*photos, *others)):
        pixels = read_image(file).pixels
        for look, image in _looks(pixels, number):
            yield Example(f"{file.name} {look}", (NONE,), image)
    for number, file in enumerate((*photos, *others[::4])):
        pixels = read_image(file).pixels
        if number % 8 == 7:
            pixels = pixels.mean(axis=0, keepdims=True)
        for turn in range(_TURNS if number < len(photos) else _TURNS // 4):
            kind = kinds[(number * _TURNS + turn) % len(kinds)]
            key = f"votes {file.name}{turn}"
            base = _middle(pixels) if (number + turn) % 2 else pixels
            yield Example(file.name, kind.labels, damaged(base, kind.steps, key))
    for file in _held_out(data, "sand-dust/train/dusty/*.jpg"):
        yield Example(file.name, ("sand-dust",), read_image(file).pixels)
    for make in (drawn, starry, slide, relief, plain):
        for number in range(12):
            yield Example(make.__name__, (NONE,), make(image_rng(0, f"votes {make.__name__}{number}")))


def _looks(pixels: Pixels, number: int) -> Iterator[tuple[str, Pixels]]:
    yield "itself", pixels
    yield "middle", _middle(pixels)
    change = VARIANTS[number % len(VARIANTS)]
    yield change.__name__, change(pixels, image_rng(0, f"votes {number}"))
    yield "saved", damaged(pixels, CLEAN[number % len(CLEAN)].steps, f"votes {number}")


def _held_out(data: Path, pattern: str) -> list[Path]:
    files = sorted(data.glob(pattern))[HELD_OUT - 1 :: HELD_OUT]
    if not files:
        raise DataError("There are no training images.", file=data, expected=pattern)
    return files


def _middle(pixels: Pixels) -> Pixels:
    top, left = (max(side - _CROP, 0) // 2 // 8 * 8 for side in pixels.shape[1:])
    return np.ascontiguousarray(pixels[:, top : top + _CROP, left : left + _CROP])


@dataclass(frozen=True, slots=True)
class Classified:
    """What both classifiers said of some examples.

    Attributes:
        labels: The damages of each example.
        measured: The chances by measurements, for each example.
        seen: The chances by the network.
        possible: The damages that it may have.
    """

    labels: Sequence[tuple[str, ...]]
    measured: Sequence[Mapping[str, float]]
    seen: Sequence[Mapping[str, float]]
    possible: Sequence[frozenset[str]]


def classify(examples: Iterable[Example]) -> Classified:
    """Return the chances of the shipped table and the shipped network for examples."""
    table = shipped_table()
    labels, measured, seen, possible = [], [], [], []
    for example in examples:
        view = view_of(example.pixels)
        found = measure(example.pixels, view)
        labels.append(example.labels)
        measured.append(table.chances(found))
        seen.append(network_chances(view))
        possible.append(possible_damages(table.possible(found), measured[-1], seen[-1]))
    return Classified(labels, measured, seen, possible)


def fit_votes(classified: Classified) -> Votes:
    """Return the weights and offsets of maximum likelihood, and what is sure.

    All damages weigh the same, `NONE` three times as much. A damage is sure from the chance that all but
    one in 1000 images without damage stay below.
    """
    classes = (NONE, *sorted(set(classified.measured[0]) - {NONE}))
    logs = np.stack([_logs(classified.measured, classes), _logs(classified.seen, classes)])
    targets = np.array([[named.count(name) / len(named) for name in classes] for named in classified.labels])
    shares = example_weights(targets)

    def loss(values: Doubles) -> float:
        scores = np.tensordot(values[:2], logs, axes=1) + values[2:]
        scores -= special.logsumexp(scores, axis=1, keepdims=True)
        return -float(shares @ (targets * scores).sum(axis=1)) + _PENALTY * float(np.square(values[2:]).sum())

    start = np.concatenate([[0.5, 0.5], np.zeros(len(classes))])
    bounds = [(0.0, None), (0.0, None), *[(None, None)] * len(classes)]
    best = optimize.minimize(loss, start, bounds=bounds, method="L-BFGS-B").x
    offsets = dict(zip(classes, np.round(best[2:], 3).tolist(), strict=True))
    votes = Votes(round(float(best[0]), 3), round(float(best[1]), 3), offsets, {})
    return replace(votes, sure=_sure(votes, classified))


def _logs(chances: Sequence[Mapping[str, float]], classes: Sequence[str]) -> Doubles:
    return np.log(np.maximum([[one[name] for name in classes] for one in chances], MIN_CHANCE))


def _sure(votes: Votes, classified: Classified) -> dict[str, float]:
    """Return for each damage the chance that all but a few images without damage stay below."""
    reached: dict[str, list[float]] = {name: [] for name in votes.offsets}
    clean = [index for index, named in enumerate(classified.labels) if named == (NONE,)]
    for index in clean:
        chances = votes.join(classified.measured[index], classified.seen[index])
        lead = leading(chances, classified.possible[index])
        if lead is not None:
            reached[lead[0]].append(lead[1])
    few = int(_MISTAKEN * len(clean))
    limits = {name: sorted([*chances, *[0.0] * (few + 1)])[-few - 1] for name, chances in reached.items()}
    return {name: round(float(np.clip(limit + _MARGIN, *_SURE)), 3) for name, limit in limits.items()}
