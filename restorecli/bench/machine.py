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
_PLANES, _PLANE_SIDE = 256, 64
_TYPES = ("float32", "bfloat16")


def torch_limit_cases() -> dict[str, Callable[[], object]]:
    """Return what torch does at the pace of the machine, to be timed beside networks, by name.

    Both a large matrix product and a large 3x3 convolution: which of the two comes nearer to what the
    processor can do depends on its maker, as torch takes them from two libraries.
    """
    import torch

    def product(name: str) -> Callable[[], object]:
        square = torch.rand(_PRODUCT_SIDE, _PRODUCT_SIDE).to(getattr(torch, name))
        return lambda: square @ square

    def convolution(name: str) -> Callable[[], object]:
        how = {"dtype": getattr(torch, name), "memory_format": torch.channels_last}
        planes = torch.rand(1, _PLANES, _PLANE_SIDE, _PLANE_SIDE).to(**how)
        kernels = torch.rand(_PLANES, _PLANES, 3, 3).to(**how)
        return torch.inference_mode()(lambda: torch.conv2d(planes, kernels, padding=1))

    makers = {"matrix product": product, "convolution": convolution}
    return {f"{what}, {name}": make(name) for name in _TYPES for what, make in makers.items()}


def torch_limits(taken: Mapping[str, Taken]) -> dict[str, float]:
    """Return operations per CPU second by type, of the faster of the two `torch_limit_cases`."""
    work = {"matrix product": 2 * _PRODUCT_SIDE**3, "convolution": 2 * 9 * (_PLANES * _PLANE_SIDE) ** 2}
    return {
        name: max(operations / taken[f"{what}, {name}"].cpu for what, operations in work.items())
        for name in _TYPES
    }
