"""A network of ours as a restorer that another runtime than torch computes, on the CPU."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from restorecli.core.footprint import Footprint
from restorecli.core.restorer import PaddingRestorer
from restorecli.core.torch_restorer import TorchRestorer
from restorecli.errors import WeightsError
from restorecli.images.faults import write_fault
from restorecli.restoration.export import largest_difference

Run = Callable[[NDArray[np.float32]], NDArray[np.float32]]
"""Maps a C-ordered (N, C, H, W) batch to what the network makes of it, in memory of its own."""

TOLERANCE = 1e-4
"""Largest difference to torch, range [0, 1], with which a network counts as translated."""


@contextmanager
def cache_faults_told(folder: Path) -> Iterator[None]:
    """Say what it means that the cache, where translated networks are kept, cannot be written to.

    Args:
        folder: Of the cache.

    Raises:
        DataError: The folder cannot be made or written to.
        ResourceError: The disk is full or failing.
    """
    try:
        yield
    except OSError as fault:
        error = write_fault(fault, folder)
        error.hint = "name another cache folder in the variable RESTORECLI_CACHE, or take --backend torch"
        raise error from fault


class RuntimeRestorer(PaddingRestorer):
    """A network that another runtime computes; tiles and finished files treat it like torch's.

    Args:
        network: The network in torch: its name, its weights, and what it takes in memory.
        backend: Name of the runtime.
        precision: What it computes in: "float32" or "bfloat16".
        run: Computes a batch.
    """

    def __init__(self, network: TorchRestorer, *, backend: str, precision: str, run: Run) -> None:
        self.device = torch.device("cpu")
        self.spec = network.spec
        self.backend = backend
        self._network = network
        self._precision = precision
        self._run = run

    @property
    def precision(self) -> str:
        """The type that it computes in."""
        return self._precision

    def digest(self) -> str:
        """Return the digest of the network's weights."""
        return self._network.digest()

    def footprint(self, channels: int) -> Footprint:
        """Return what images of 1 or 3 channels take in memory: what the network takes in torch."""
        return self._network.footprint(channels)

    def in_float32(self) -> PaddingRestorer | None:
        """Return torch in float32 for what is not finite, or None if this computes in float32."""
        return None if self._precision == "float32" else self._network.in_float32() or self._network

    def compute(self, batch: Tensor) -> Tensor:
        """Run the network."""
        return torch.from_numpy(self._run(np.ascontiguousarray(batch.numpy())))


def check_translation(network: TorchRestorer, translated: PaddingRestorer) -> None:
    """Compare a network in another runtime with torch, both in float32, on images of three sizes.

    Raises:
        WeightsError: They differ by more than `TOLERANCE`.
    """
    difference = largest_difference(network.in_float32() or network, translated)
    if not difference <= TOLERANCE:
        raise WeightsError(
            f"{translated.spec.name} in another runtime does not compute what torch computes.",
            expected=f"a difference of at most {TOLERANCE:g}",
            got=f"{difference:.3g}",
            unchanged="everything",
            hint="--backend torch",
        )
