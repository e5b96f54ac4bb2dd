"""Validation: the restorer and the metrics that users run, on pictures that are not trained on."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import fmean

import numpy as np
import torch
from torch import nn

from restorecli.core.restorer import TorchRestorer
from restorecli.degrade.chain import Chain, degrade_array
from restorecli.evaluate.metrics import psnr, ssim
from restorecli.images.picture import Pixels
from restorecli.images.reading import read_picture
from restorecli.train.data import Pair
from restorecli.train.recipe import ValidationSection

VALIDATION_SEED = 0


@dataclass(frozen=True, slots=True)
class Example:
    """One validation picture: (C, H, W) in [0, 1], degraded once and for all."""

    key: str
    degraded: Pixels
    reference: Pixels


@dataclass(frozen=True, slots=True)
class ValidationScores:
    """Means over the validation pictures, and the restored samples."""

    psnr: float
    ssim: float
    degraded_psnr: float
    degraded_ssim: float
    samples: tuple[tuple[Example, Pixels], ...]

    def numbers(self) -> dict[str, float]:
        """Return the scores alone."""
        return {
            "psnr": self.psnr,
            "ssim": self.ssim,
            "degraded_psnr": self.degraded_psnr,
            "degraded_ssim": self.degraded_ssim,
        }


def make_examples(pairs: list[Pair], section: ValidationSection, *, channels: int) -> list[Example]:
    """Read and degrade the validation pictures; each keeps the same damage through the whole run."""
    chain = Chain.from_specs(section.degrade) if section.degrade else None
    return [_example(pair, chain, section.max_side, channels) for pair in pairs]


def _example(pair: Pair, chain: Chain | None, max_side: int, channels: int) -> Example:
    reference = _to_kind(_centre(read_picture(pair.reference).pixels, max_side), channels)
    if pair.degraded is not None:
        degraded = _to_kind(_centre(read_picture(pair.degraded).pixels, max_side), channels)
    else:
        assert chain is not None  # noqa: S101 - the recipe's check: clean pictures come with a chain
        degraded, _ = degrade_array(reference, chain, VALIDATION_SEED, pair.key)
    return Example(pair.key, degraded, reference)


def _centre(pixels: Pixels, side: int) -> Pixels:
    top, left = (max(length - side, 0) // 2 for length in pixels.shape[1:])
    return np.ascontiguousarray(pixels[:, top : top + side, left : left + side])


def _to_kind(pixels: Pixels, channels: int) -> Pixels:
    """Make colours gray for a gray network; gray pictures stay gray for an RGB one, as in `restore`."""
    if channels == 1 and pixels.shape[0] == 3:
        gray = np.tensordot(np.array([0.299, 0.587, 0.114], np.float32), pixels, axes=1)
        return gray[None].astype(np.float32)
    return pixels


def validate(
    network: nn.Module, examples: list[Example], device: torch.device, *, samples: int
) -> ValidationScores:
    """Restore every example in float32 and score it against its reference, before and after."""
    restorer = TorchRestorer(network, name="validation", device=device)
    scores, kept = [], []
    for number, example in enumerate(examples):
        restored = restorer(torch.from_numpy(example.degraded)[None])[0].cpu().numpy()
        scores.append(
            (
                psnr(restored, example.reference),
                ssim(restored, example.reference),
                psnr(example.degraded, example.reference),
                ssim(example.degraded, example.reference),
            )
        )
        if number < samples:
            kept.append((example, restored))
    after, after_ssim, before, before_ssim = (fmean(column) for column in zip(*scores, strict=True))
    return ValidationScores(after, after_ssim, before, before_ssim, tuple(kept))
