"""Validation: the restorer and the metrics that users run, on pictures that are not trained on."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from restorecli.core.restorer import TorchRestorer
from restorecli.degrade.chain import Chain, degrade_array
from restorecli.errors import DataError, ImageError
from restorecli.evaluate.gaussian import WINDOW
from restorecli.evaluate.metrics import psnr, ssim
from restorecli.evaluate.statistics import summarise
from restorecli.images.picture import Pixels
from restorecli.images.reading import read_picture
from restorecli.train.data import Pair, to_gray
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
    """Means over the validation pictures (PSNR in dB, SSIM up to 1), and the restored samples."""

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
    """Read and degrade the validation pictures; each keeps the same damage through the whole run.

    Raises:
        DataError: A picture cannot be read, is too small to be scored, or does not fit its mate.
    """
    chain = Chain.from_specs(section.degrade) if section.degrade else None
    examples = []
    for pair in pairs:
        try:
            examples.append(_example(pair, chain, section.max_side, channels))
        except ImageError as error:
            raise DataError(
                f"A validation picture cannot be used: {error.problem}",
                expected=error.expected,
                came=error.came,
                file=error.file or pair.reference,
                unchanged="nothing was started",
                hint="repair it or take it out of the folder; validation.sources names other folders",
            ) from error
    return examples


def _example(pair: Pair, chain: Chain | None, max_side: int, channels: int) -> Example:
    reference = read_picture(pair.reference).pixels
    if min(*reference.shape[1:], max_side) < WINDOW:
        raise ImageError(
            "it is too small for SSIM",
            expected=f"sides (and max_side) of at least {WINDOW} pixels",
            came=f"{reference.shape[2]} x {reference.shape[1]}, max_side {max_side}",
        )
    if pair.degraded is None:
        assert chain is not None  # noqa: S101 - the recipe's check: clean pictures come with a chain
        reference = _to_kind(_centre(reference, max_side), channels)
        degraded, _ = degrade_array(reference, chain, VALIDATION_SEED, pair.key)
        return Example(pair.key, degraded, reference)
    degraded = read_picture(pair.degraded).pixels
    if degraded.shape[1:] != reference.shape[1:]:
        raise ImageError(
            "the two pictures of a pair differ in size",
            expected=f"{reference.shape[2]} x {reference.shape[1]}",
            came=f"{degraded.shape[2]} x {degraded.shape[1]}",
            file=pair.degraded,
        )
    sides = [_to_kind(_centre(side, max_side), channels) for side in (degraded, reference)]
    most = max(side.shape[0] for side in sides)
    degraded, reference = (np.broadcast_to(side, (most, *side.shape[1:])).copy() for side in sides)
    return Example(pair.key, degraded, reference)


def _centre(pixels: Pixels, side: int) -> Pixels:
    top, left = (max(length - side, 0) // 2 for length in pixels.shape[1:])
    return np.ascontiguousarray(pixels[:, top : top + side, left : left + side])


def _to_kind(pixels: Pixels, channels: int) -> Pixels:
    """Make colours gray for a gray network; gray pictures stay gray for an RGB one, as in `restore`."""
    return to_gray(pixels) if channels == 1 and pixels.shape[0] == 3 else pixels


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
    after, after_ssim, before, before_ssim = (_mean(column) for column in zip(*scores, strict=True))
    return ValidationScores(after, after_ssim, before, before_ssim, tuple(kept))


def _mean(scores: Sequence[float]) -> float:
    """Return the mean as `eval` gives it, of the finite scores: one exact picture must not hide the rest."""
    mean = summarise(scores).mean
    return math.nan if mean is None else mean
