"""What a network costs, counted while it runs: multiply-adds for each pixel."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch.utils.flop_counter import FlopCounterMode

if TYPE_CHECKING:
    from torch import Tensor

    from restorecli.restoration.restorer import Restorer

COUNTED = (
    "multiply-adds are of convolutions, matrix products, attention and Fourier transforms, "
    "not of what goes value by value"
)
"""What is counted."""

# A Fourier transform of n real values takes 2.5 n log2 n operations, as is usual; of complex ones twice that.
_REAL = 2.5


def multiply_adds(restorer: Restorer, batch: Tensor) -> float:
    """Return the multiply-adds that a restorer takes for each pixel of a batch.

    What is computed counts, so also what pads an image to the network's multiple. Two operations are one
    multiply-add.

    Args:
        restorer: What is counted.
        batch: (N, C, H, W) in [0, 1]; where everything attends to everything, its size matters.
    """
    with FlopCounterMode(display=False, custom_mapping=_formulas()) as counter:
        restorer(batch)
    return float(counter.get_total_flops()) / 2 / (batch.shape[0] * batch.shape[-2] * batch.shape[-1])


def _formulas() -> dict[Any, Any]:
    """Return the operations of what torch's own counter leaves out, by the shapes of the arguments."""
    return {
        torch.ops.aten._scaled_dot_product_flash_attention_for_cpu: _attention,
        torch.ops.aten._fft_r2c: _from_real,
        torch.ops.aten._fft_c2r: _to_real,
        torch.ops.aten._fft_c2c: _between_complex,
    }


def _attention(
    query: Sequence[int], key: Sequence[int], value: Sequence[int], *_: object, **__: object
) -> int:
    return 2 * math.prod(query[:-1]) * key[-2] * (query[-1] + value[-1])


def _from_real(values: Sequence[int], axes: Sequence[int], *_: object, **__: object) -> int:
    return round(_REAL * _values_times_log(values, axes))


def _to_real(_: object, axes: Sequence[int], *__: object, out_shape: Sequence[int], **___: object) -> int:
    return round(_REAL * _values_times_log(out_shape, axes))


def _between_complex(values: Sequence[int], axes: Sequence[int], *_: object, **__: object) -> int:
    return round(2 * _REAL * _values_times_log(values, axes))


def _values_times_log(shape: Sequence[int], axes: Sequence[int]) -> float:
    return math.prod(shape) * math.log2(math.prod(shape[axis] for axis in axes))
