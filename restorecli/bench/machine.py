"""What this machine can do at most: multiplications and additions, and bytes, for each second of one core."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from restorecli.bench.timing import Taken

# OpenBLAS keeps products of this size on one thread, and they reach what large ones do.
_SIDE = 96
_PRODUCTS = 400
_COPIED = 64 << 20


@dataclass(frozen=True, slots=True)
class Limits:
    """The measured limits of one core.

    Attributes:
        flops: Floating-point operations per second in a product of two 96x96 float64 matrices.
        bytes_moved: Bytes read and written per second by a copy that is larger than the caches.
    """

    flops: float
    bytes_moved: float

    def to_dict(self) -> dict[str, object]:
        """Return the limits as JSON values."""
        return {"float64_flops_per_core": self.flops, "bytes_per_second_per_core": self.bytes_moved}


def limit_cases() -> dict[str, Callable[[], object]]:
    """Return what is to be timed beside the benches, by name."""
    matrix = np.random.default_rng(0).random((_SIDE, _SIDE))
    product = np.empty_like(matrix)
    source, target = np.ones(_COPIED, np.uint8), np.zeros(_COPIED, np.uint8)
    return {
        "blas": lambda: [np.matmul(matrix, matrix, out=product) for _ in range(_PRODUCTS)],
        "copy": lambda: np.copyto(target, source),
    }


def limits(taken: dict[str, Taken]) -> Limits:
    """Return the limits from the times of `limit_cases`; by CPU time, for one core."""
    return Limits(2 * _SIDE**3 * _PRODUCTS / taken["blas"].cpu, 2 * _COPIED / taken["copy"].cpu)


_PRODUCT_SIDE = 1024
_TYPES = ("float32", "bfloat16")


def product_cases() -> dict[str, Callable[[], object]]:
    """Return large matrix products of torch, to be timed beside what torch computes, by name."""
    import torch

    def case(name: str) -> Callable[[], object]:
        square = torch.rand(_PRODUCT_SIDE, _PRODUCT_SIDE).to(getattr(torch, name))
        return lambda: square @ square

    return {f"matrix product, {name}": case(name) for name in _TYPES}


def product_speed(taken: Mapping[str, Taken]) -> dict[str, float]:
    """Return operations per CPU second by type, from the times of `product_cases`."""
    return {name: 2 * _PRODUCT_SIDE**3 / taken[f"matrix product, {name}"].cpu for name in _TYPES}
