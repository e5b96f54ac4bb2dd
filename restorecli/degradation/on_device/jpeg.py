"""JPEG on the device by its DCT, in the arithmetic of libjpeg (as Pillow uses it), without its files.

Color conversion, the sizes of the chroma planes (box means down, triangle filter up) and the scaling of the
tables are those of libjpeg to the bit; the two cosine transforms are true ones and not its integer ones, so
that rounded coefficients and samples may differ by one now and then.

Wallace, IEEE Transactions on Consumer Electronics 38 (1), 1992; tables: ITU-T T.81, annex K.1.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from restorecli.degradation.families import compression
from restorecli.degradation.on_device.base import Drawn, Randomness, Values, switches
from restorecli.degradation.sampler import DegradationSampler

_LUMA = (
    (16, 11, 10, 16, 24, 40, 51, 61),
    (12, 12, 14, 19, 26, 58, 60, 55),
    (14, 13, 16, 24, 40, 57, 69, 56),
    (14, 17, 22, 29, 51, 87, 80, 62),
    (18, 22, 37, 56, 68, 109, 103, 77),
    (24, 35, 55, 64, 81, 104, 113, 92),
    (49, 64, 78, 87, 103, 121, 120, 101),
    (72, 92, 95, 98, 112, 100, 103, 99),
)
_CHROMA = (
    (17, 18, 24, 47, 99, 99, 99, 99),
    (18, 21, 26, 66, 99, 99, 99, 99),
    (24, 26, 56, 99, 99, 99, 99, 99),
    (47, 66, 99, 99, 99, 99, 99, 99),
    (99, 99, 99, 99, 99, 99, 99, 99),
    (99, 99, 99, 99, 99, 99, 99, 99),
    (99, 99, 99, 99, 99, 99, 99, 99),
    (99, 99, 99, 99, 99, 99, 99, 99),
)
_BASE = np.array((_LUMA, _CHROMA))
_SIDE = 8
_HALF = 1 << 15
_FACTORS = {"4:4:4": (1, 1), "4:2:2": (1, 2), "4:2:0": (2, 2)}
"""By how much chroma planes are lower and narrower."""

_STEPS = np.arange(_SIDE)
_COSINES = np.cos((2 * _STEPS[None] + 1) * _STEPS[:, None] * math.pi / 16) / 2
_COSINES[0] /= math.sqrt(2)


def quantization_tables(quality: int) -> NDArray[np.float32]:
    """Return libjpeg's tables for luma and chroma at a quality of 1 to 100: (2, 8, 8)."""
    percent = 5000 // quality if quality < 50 else 200 - 2 * quality
    tables: NDArray[np.float32] = np.clip((_BASE * percent + 50) // 100, 1, 255).astype(np.float32)
    return tables


class Jpeg:
    """Encode and decode as baseline JPEG; images are clipped and rounded to 8 bits for it."""

    def __init__(self, sampler: DegradationSampler) -> None:
        words = {str(step.parameters()["subsampling"]) for step in sampler.extremes()}
        self._factors = [_FACTORS[word] for word in (words if len(words) == 1 else _FACTORS)]

    def values(self, drawn: Drawn) -> Values:
        """Return tables (N, 2, 8, 8), the sizes of chroma planes, and where there is a step."""
        steps = [step if isinstance(step, compression.Jpeg) else compression.Jpeg() for step in drawn]
        tables = np.stack([quantization_tables(step.quality) for step in steps])
        factors = [_FACTORS[step.subsampling] for step in steps]
        return {
            "tables": torch.from_numpy(tables),
            "chosen": torch.stack(
                [switches([each == factor for factor in factors]) for each in self._factors]
            ),
            "applied": switches([step is not None for step in drawn]),
            "cosines": torch.from_numpy(_COSINES.astype(np.float32)),
        }

    def apply(self, images: Tensor, values: Values, randomness: Randomness) -> Tensor:
        """Return the decoded images; see the protocol. Equal channels stay equal, as in a gray JPEG."""
        del randomness
        levels = (images.clamp(0, 1) * 255 + 0.5).floor()
        tables, cosines = values["tables"], values["cosines"]
        if images.shape[1] == 1:
            decoded = _coded(levels, tables[:, :1], cosines)
        else:
            luma, chroma = _to_ycc(levels.int())
            luma = _coded(luma.float(), tables[:, :1], cosines)
            coded = [_coded_smaller(chroma.float(), tables[:, 1:], cosines, each) for each in self._factors]
            chosen = coded[0]
            for each, where in zip(coded[1:], values["chosen"][1:], strict=True):
                chosen = torch.where(where, each, chosen)
            decoded = _to_rgb(luma.int(), chosen.int()).float()
        return torch.where(values["applied"], decoded / 255, images)


def _to_ycc(rgb: Tensor) -> tuple[Tensor, Tensor]:
    """Return luma (N, 1, H, W) and chroma (N, 2, H, W) of int32 levels."""
    red, green, blue = rgb.unbind(1)
    luma = 19595 * red + 38470 * green + 7471 * blue + _HALF >> 16
    offset = (128 << 16) + _HALF - 1
    blueness = -11059 * red - 21709 * green + 32768 * blue + offset >> 16
    redness = 32768 * red - 27439 * green - 5329 * blue + offset >> 16
    return luma[:, None], torch.stack((blueness, redness), 1)


def _to_rgb(luma: Tensor, chroma: Tensor) -> Tensor:
    """Return int32 levels (N, 3, H, W)."""
    blueness, redness = (chroma - 128).unbind(1)
    red = (91881 * redness + _HALF) >> 16
    green = (-22554 * blueness - 46802 * redness + _HALF) >> 16
    blue = (116130 * blueness + _HALF) >> 16
    return (luma + torch.stack((red, green, blue), 1)).clamp(0, 255)


def _coded(planes: Tensor, tables: Tensor, cosines: Tensor) -> Tensor:
    """Return planes (N, P, H, W) of levels after transform, rounding and back; tables are (N, 1, 8, 8)."""
    height, width = planes.shape[2:]
    whole = _extended(planes, -height % _SIDE, -width % _SIDE)
    count, kinds, high, wide = whole.shape
    blocks = whole.reshape(count, kinds, high // _SIDE, _SIDE, wide // _SIDE, _SIDE).transpose(3, 4) - 128
    table = tables[:, :, None, None]
    # libjpeg keeps coefficients in eighths and rounds their halves away from zero.
    eighths = (_transformed(blocks, cosines) * 8 + 0.5).floor()
    kept = eighths.sign() * ((eighths.abs() + 4 * table) / (8 * table)).floor() * table
    back = (_transformed(kept, cosines.mT) + 128.5).floor().clamp(0, 255)
    return back.transpose(3, 4).reshape(whole.shape)[:, :, :height, :width]


def _transformed(blocks: Tensor, matrix: Tensor) -> Tensor:
    """Return M B M^T of each 8x8 block, in float32 by sums and not by a product that might round to TF32."""
    rows = (matrix[:, :, None] * blocks[..., None, :, :]).sum(-2)
    return (rows[..., :, None, :] * matrix).sum(-1)


def _coded_smaller(chroma: Tensor, tables: Tensor, cosines: Tensor, factors: tuple[int, int]) -> Tensor:
    """Make chroma planes smaller, code them, and enlarge them again by the triangle filter."""
    low, narrow = factors
    height, width = chroma.shape[2:]
    # Columns are repeated up to whole blocks before the means, rows after them.
    extended = _extended(chroma, -height % low, -width % (_SIDE * narrow))
    small = extended
    if narrow == 2:
        small = small[..., ::2] + small[..., 1::2]
        small = small[:, :, ::2] + small[:, :, 1::2] if low == 2 else small
        bias = torch.arange(small.shape[3], device=small.device) % 2 + (low == 2)
        small = ((small + bias) / (low * narrow)).floor()
    coded = _coded(small, tables, cosines)[..., : -(-width // narrow)]
    if low == 2:
        return _enlarged_twice(coded)[:, :, :height, :width]
    return _enlarged_sideways(coded)[..., :width] if narrow == 2 else coded


def _enlarged_sideways(planes: Tensor) -> Tensor:
    """Enlarge twice along rows: three parts of the nearer sample and one of the farther, rounded."""
    padded = F.pad(planes, (1, 1, 0, 0), mode="replicate")
    left = ((3 * planes + padded[..., :-2] + 1) / 4).floor()
    right = ((3 * planes + padded[..., 2:] + 2) / 4).floor()
    return torch.stack((left, right), -1).flatten(-2)


def _enlarged_twice(planes: Tensor) -> Tensor:
    """Enlarge twice along both sides, rounded once."""
    padded = F.pad(planes, (0, 0, 1, 1), mode="replicate")
    rows = torch.stack((3 * planes + padded[:, :, :-2], 3 * planes + padded[:, :, 2:]), 3).flatten(2, 3)
    wide = F.pad(rows, (1, 1, 0, 0), mode="replicate")
    left = ((3 * rows + wide[..., :-2] + 8) / 16).floor()
    right = ((3 * rows + wide[..., 2:] + 7) / 16).floor()
    return torch.stack((left, right), -1).flatten(-2)


def _extended(planes: Tensor, down: int, right: int) -> Tensor:
    """Repeat the last row and column."""
    return F.pad(planes, (0, right, 0, down), mode="replicate") if down or right else planes
