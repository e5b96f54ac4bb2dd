"""Fits the small networks over measurements; see `diagnosis.hidden_layer`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from restorecli.bench.diagnosis_examples import NONE
from restorecli.bench.diagnosis_fit import Measured, blank
from restorecli.diagnosis.hidden_layer import HiddenLayer

_PARTS, _HIDDEN = 3, 16
"""Networks that are averaged, which makes one of three times as many hidden values, and theirs."""

_STEPS, _BATCH, _RATE, _DECAY = 800, 256, 5e-3, 0.3
_DROPPED, _JITTER = 0.2, 0.15
"""Share of hidden values left out at each step, and the deviation of what is added to standardized
measurements: there are few photographs, and the network shall not know them one by one."""


def balanced(
    labels: Sequence[tuple[str, ...]], weights: NDArray[np.float64], damage: str
) -> NDArray[np.float64]:
    """Return weights of sum 1, half of which is that of examples with the damage."""
    damaged = np.array([label == (damage,) for label in labels])
    shares = np.where(damaged, weights / weights[damaged].sum(), weights / weights[~damaged].sum())
    return np.asarray(shares / 2)


def fit_hidden_layer(
    measured: Measured, weights: NDArray[np.float64], damage: str, steps: int | None = None
) -> HiddenLayer:
    """Return the model that fits the examples: AdamW on the cross entropy, the mean of three networks.

    Args:
        measured: The examples.
        weights: What each counts, of sum 1.
        damage: The label of examples that have the damage.
        steps: Batches that each network is fitted to; 800 by default.
    """
    scale = blank(measured, (NONE, damage))
    z = scale.standardize(measured.values).astype(np.float32)
    damaged = np.array([label == (damage,) for label in measured.labels], np.float32)
    states = [_fitted(z, damaged, weights, seed, steps or _STEPS) for seed in range(_PARTS)]
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
    steps: int,
) -> dict[str, NDArray[np.float64]]:
    import torch
    from torch import nn

    inputs, targets = torch.from_numpy(z), torch.from_numpy(damaged)
    shares = torch.from_numpy((weights * len(z)).astype(np.float32))
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(seed)
        network = nn.Sequential(
            nn.Linear(z.shape[1], _HIDDEN), nn.Tanh(), nn.Dropout(_DROPPED), nn.Linear(_HIDDEN, 1)
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


def about(measured: Measured) -> str:
    """Return what a model's file says of how it was fitted."""
    return (
        f"Fitted by `restorecli bench diagnosis` to {len(measured.labels)} examples of training photographs"
    )
