"""Fits the small networks over measurements; see `diagnosis.faint.hidden_layer`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from restorecli.bench.diagnosis_examples import NONE, rounded
from restorecli.bench.diagnosis_fit import Measured, blank, fitted_to
from restorecli.diagnosis.faint.hidden_layer import HiddenLayer, write_hidden_layer
from restorecli.diagnosis.measuring.view import View, view_of
from restorecli.images.image import Pixels
from restorecli.images.reading import read_image

_PARTS = 3
"""Networks that are averaged, which makes one of three times as many hidden values."""

_BATCH, _RATE, _DECAY = 256, 5e-3, 0.3
_DROPPED, _JITTER = 0.2, 0.15
"""Share of hidden values left out at each step, and the deviation of what is added to standardized
measurements: there are few photographs, and the network shall not know them one by one."""


@dataclass(frozen=True, slots=True)
class WeightedExample:
    """An image, and whether it has the damage.

    Attributes:
        name: What it was made of.
        label: `NONE` or the damage.
        kind: What was done to it, in a word.
        pixels: (C, H, W).
        weight: What it counts.
    """

    name: str
    label: str
    kind: str
    pixels: Pixels
    weight: float = 1.0


def read_as_asked(file: Path, *, is_gray: bool) -> Pixels:
    """Return the pixels of a file, (C, H, W) in [0, 1], in gray where that is asked for."""
    return as_asked(read_image(file).pixels, is_gray=is_gray)


def as_asked(pixels: Pixels, *, is_gray: bool) -> Pixels:
    """Return pixels as they are, or their gray as a file of 8 bits holds it."""
    return rounded(pixels.mean(axis=0, keepdims=True)) if is_gray else pixels


def measure_examples(
    examples: Iterable[WeightedExample], measure: Callable[[View], Mapping[str, float]], damage: str
) -> tuple[Measured, NDArray[np.float64]]:
    """Measure examples, and return what each counts: damaged ones in all as much as the others.

    Args:
        examples: What is measured.
        measure: Returns measurements by name.
        damage: The label of examples that have the damage.
    """
    found, labels, names, weights = [], [], [], []
    for example in examples:
        found.append(measure(view_of(example.pixels)))
        labels.append((example.label,))
        names.append(example.name)
        weights.append(example.weight)
    columns = tuple(sorted(set().union(*found)))
    values = np.array([[row.get(name, np.nan) for name in columns] for row in found])
    measured = Measured(columns, values, tuple(labels), tuple(names))
    return measured, balanced(labels, np.array(weights), damage)


def balanced(
    labels: Sequence[tuple[str, ...]], weights: NDArray[np.float64], damage: str
) -> NDArray[np.float64]:
    """Return weights of sum 1, half of which is that of examples with the damage."""
    damaged = np.array([label == (damage,) for label in labels])
    shares = np.where(damaged, weights / weights[damaged].sum(), weights / weights[~damaged].sum())
    return np.asarray(shares / 2)


def fit_hidden_layer(
    measured: Measured,
    weights: NDArray[np.float64],
    damage: str,
    *,
    width: int,
    steps: int,
) -> HiddenLayer:
    """Return the model that fits the examples: AdamW on the cross entropy, the mean of three networks.

    Args:
        measured: The examples.
        weights: What each counts, of sum 1.
        damage: The label of examples that have the damage.
        width: Hidden values of each network.
        steps: Batches that each network is fitted to.
    """
    scale = blank(measured, (NONE, damage))
    z = scale.standardize(measured.values).astype(np.float32)
    damaged = np.array([label == (damage,) for label in measured.labels], np.float32)
    states = [_fitted(z, damaged, weights, seed, width, steps) for seed in range(_PARTS)]
    hidden, offsets, output = (
        np.concatenate([state[name] for state in states]) for name in ("0.weight", "0.bias", "3.weight")
    )
    return HiddenLayer(
        measured.names,
        scale.units,
        scale.means,
        scale.deviations,
        hidden,
        offsets,
        output / _PARTS,
        float(np.mean([state["3.bias"] for state in states])),
    )


def _fitted(
    z: NDArray[np.float32],
    damaged: NDArray[np.float32],
    weights: NDArray[np.float64],
    seed: int,
    width: int,
    steps: int,
) -> dict[str, NDArray[np.float64]]:
    import torch
    from torch import nn

    inputs, targets = torch.from_numpy(z), torch.from_numpy(damaged)
    shares = torch.from_numpy((weights * len(z)).astype(np.float32))
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(seed)
        network = nn.Sequential(
            nn.Linear(z.shape[1], width), nn.Tanh(), nn.Dropout(_DROPPED), nn.Linear(width, 1)
        )
        optimizer = torch.optim.AdamW(network.parameters(), _RATE, weight_decay=_DECAY)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
        for _ in range(steps):
            chosen = torch.randint(len(z), (_BATCH,))
            jittered = inputs[chosen] + _JITTER * torch.randn(_BATCH, z.shape[1])
            losses = nn.functional.binary_cross_entropy_with_logits(
                network(jittered)[:, 0], targets[chosen], reduction="none"
            )
            optimizer.zero_grad()
            torch.autograd.backward((losses * shares[chosen]).mean())
            optimizer.step()
            schedule.step()
    state = {name: part.double().numpy() for name, part in network.state_dict().items()}
    return state | {"3.weight": state["3.weight"][0]}


def write_hidden_layers(
    folder: Path,
    examples: Mapping[Path, Iterable[WeightedExample]],
    measure: Callable[[View], Mapping[str, float]],
    damage: str,
    *,
    width: int,
    steps: int,
) -> int:
    """Fit models and write them into a folder.

    Args:
        folder: It is made where it is not there.
        examples: What each model is fitted to, by the file that ships, whose name it gets.
        measure: See `measure_examples`.
        damage: The label of examples that have the damage.
        width: See `fit_hidden_layer`.
        steps: See `fit_hidden_layer`.

    Returns:
        How many examples there were.
    """
    count = 0
    for file, of_file in examples.items():
        measured, weights = measure_examples(of_file, measure, damage)
        folder.mkdir(parents=True, exist_ok=True)
        model = fit_hidden_layer(measured, weights, damage, width=width, steps=steps)
        write_hidden_layer(model, folder / file.name, fitted_to(len(measured.labels)))
        count += len(measured.labels)
    return count
