"""What every network costs at its small and at its full size: parameters, multiply-adds, speed here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import torch

from restorecli.bench.complexity import multiply_adds
from restorecli.bench.timing import Taken, interleaved, torch_threads
from restorecli.core.models.catalog import count_parameters, create_model
from restorecli.core.models.dncnn import DnCnn
from restorecli.core.torch_restorer import TorchRestorer
from restorecli.heap import keep_large_blocks

if TYPE_CHECKING:
    from restorecli.core.models.catalog import ModelEntry

SIZES = ("small", "full")


@dataclass(frozen=True, slots=True)
class Cost:
    """What a network costs at one size.

    Attributes:
        arguments: Of the network.
        parameters: How many it learns.
        multiply_adds: For each pixel of the image that was timed.
        taken: Median time for one image.
        pixels: Of that image.
    """

    arguments: Mapping[str, object]
    parameters: int
    multiply_adds: float
    taken: Taken
    pixels: int

    @property
    def speed(self) -> float:
        """Megapixels per second of one core, by CPU time, which other programs hardly change."""
        return self.pixels / 1e6 / self.taken.cpu

    def to_dict(self) -> dict[str, object]:
        """Return the cost as JSON values."""
        return {
            "arguments": dict(self.arguments),
            "parameters": self.parameters,
            "multiply_adds_per_pixel": self.multiply_adds,
            "megapixels_per_core_second": self.speed,
            "megapixels_per_second": self.pixels / 1e6 / self.taken.wall,
            **self.taken.to_dict(),
        }


def measure_costs(
    entry: ModelEntry, *, side: int = 256, rounds: int = 3, threads: int = 1
) -> dict[str, Cost]:
    """Measure a network at both sizes, which take turns; untrained, in float32, through its restorer.

    Args:
        entry: The network; one without small arguments is measured once, for both sizes.
        side: Of the square RGB image.
        rounds: Calls of each that count.
        threads: That torch computes on.

    Returns:
        By the size's name, "small" and "full".
    """
    keep_large_blocks()
    chosen = {"small": entry.small, "full": {}} if entry.small else {"full": {}}
    batch = torch.rand(1, 3, side, side, generator=torch.Generator().manual_seed(0))
    with torch_threads(threads):
        restorers = {size: _untrained(entry.name, arguments) for size, arguments in chosen.items()}
        counted = {size: multiply_adds(restorer, batch) for size, restorer in restorers.items()}
        taken = interleaved({size: partial(restorer, batch) for size, restorer in restorers.items()}, rounds)
    costs = {
        size: Cost(
            arguments=dict(arguments),
            parameters=_parameters(entry.name, arguments),
            multiply_adds=counted[size],
            taken=taken[size],
            pixels=side * side,
        )
        for size, arguments in chosen.items()
    }
    return {size: costs.get(size, costs["full"]) for size in SIZES}


def _untrained(name: str, arguments: Mapping[str, object]) -> TorchRestorer:
    torch.manual_seed(0)
    module = create_model(name, **arguments)
    if isinstance(module, DnCnn):
        module = module.eval().fold()  # as `restore` runs it
    return TorchRestorer(module, name=name, device=torch.device("cpu"))


def _parameters(name: str, arguments: Mapping[str, object]) -> int:
    with torch.device("meta"):
        return count_parameters(create_model(name, **arguments))
