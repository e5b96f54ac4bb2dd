"""Which back end computes a network fastest on this machine: measured once, and only what is equal counts."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from restorecli.core.restorer import PaddingRestorer

GAIN = 0.9
"""Share of torch's time below which another back end is taken: less is not worth another runtime."""

MAX_DIFFERENCE = 1 / 255
"""Largest difference to torch in float32 that a back end in float32 may have."""

MAX_ROUNDING = 1.25
"""Root mean square difference to float32 of a back end in bfloat16, at most, over that of torch in it."""

_SIDE = 128
_ROUNDS = 3


@dataclass(frozen=True, slots=True)
class Finish:
    """How one back end did.

    Attributes:
        seconds: For an image of 128x128, the fastest of three.
        largest: Largest difference to torch in float32, range [0, 1].
        rms: Root mean square of the differences.
        precision: What it computes in.
    """

    seconds: float
    largest: float
    rms: float
    precision: str


def race(runners: Mapping[str, PaddingRestorer], exact: PaddingRestorer) -> dict[str, Finish]:
    """Time back ends in turns; the first round, in which all get ready, does not count.

    Args:
        runners: By name; "torch" is among them.
        exact: The network in float32 in torch.
    """
    channels = exact.spec.channels
    batch = torch.rand(1, channels, _SIDE, _SIDE, generator=torch.Generator().manual_seed(0))
    seconds: dict[str, list[float]] = {name: [] for name in runners}
    results: dict[str, Tensor] = {}
    for _ in range(1 + _ROUNDS):
        for name, runner in runners.items():
            begun = time.perf_counter()
            results[name] = runner.unchecked(batch)
            seconds[name].append(time.perf_counter() - begun)
    expected = exact.unchecked(batch)
    finishes = {}
    for name, runner in runners.items():
        difference = (results[name] - expected).abs()
        rms = float(difference.square().mean().sqrt())
        finishes[name] = Finish(min(seconds[name][1:]), float(difference.max()), rms, runner.precision)
    return finishes


def winner(finishes: Mapping[str, Finish]) -> tuple[str, str]:
    """Return the back end to take, and why in a sentence: the fastest that computes the same."""
    base = finishes["torch"]
    equal = {name: finish for name, finish in finishes.items() if name == "torch" or _is_equal(finish, base)}
    best = min(equal, key=lambda name: equal[name].seconds)
    if best != "torch" and equal[best].seconds < GAIN * base.seconds:
        share = equal[best].seconds / base.seconds
        levels = 255 * equal[best].largest
        return best, f"{share:.2f} of torch's time here; differs from float32 by up to {levels:.2g} of 255"
    others = [
        f"{name} {finish.seconds / base.seconds:.2f}" + ("" if name in equal else " (not equal)")
        for name, finish in finishes.items()
        if name != "torch"
    ]
    return "torch", f"none takes less than {GAIN} of its time here: " + ", ".join(
        others or ["none installed"]
    )


def _is_equal(finish: Finish, base: Finish) -> bool:
    """Tell whether a back end computes what torch does, as closely as its precision allows."""
    if finish.precision == "float32":
        return finish.largest <= MAX_DIFFERENCE
    return finish.precision == base.precision and finish.rms <= MAX_ROUNDING * base.rms


def are_finishes(known: Any) -> bool:  # noqa: ANN401 - what a file holds
    """Tell whether something read from JSON is what `to_json` made."""
    return isinstance(known, dict) and "torch" in known and all(map(_is_finish, known.values()))


def _is_finish(known: Any) -> bool:  # noqa: ANN401
    return (
        isinstance(known, list)
        and len(known) == 4
        and all(isinstance(value, float) and math.isfinite(value) for value in known[:3])
        and isinstance(known[3], str)
    )


def to_json(finishes: Mapping[str, Finish]) -> dict[str, list[float | str]]:
    """Return finishes as JSON values."""
    return {
        name: [finish.seconds, finish.largest, finish.rms, finish.precision]
        for name, finish in finishes.items()
    }


def from_json(known: Mapping[str, list[Any]]) -> dict[str, Finish]:
    """Return finishes that `to_json` made JSON of."""
    return {name: Finish(*values) for name, values in known.items()}
