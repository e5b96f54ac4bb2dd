"""Validation: the restorer and the metrics that users run, on images that are not trained on."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from restorecli.core.torch_restorer import TorchRestorer
from restorecli.degradation.chain import Chain, StepSpec, degrade_array
from restorecli.errors import DataError, ImageError
from restorecli.evaluation.metrics.gaussian import WINDOW
from restorecli.evaluation.metrics.psnr_ssim import psnr, ssim
from restorecli.evaluation.statistics.summary import summarize
from restorecli.images.image import Pixels
from restorecli.images.options import ReadOptions
from restorecli.images.reading import read_image
from restorecli.training.crops import scaled_size, to_gray
from restorecli.training.pairs import Pair
from restorecli.training.recipe import ValidationSection

VALIDATION_SEED = 0


@dataclass(frozen=True, slots=True)
class Example:
    """One validation image: (C, H, W) in [0, 1], degraded once and for all."""

    key: str
    degraded: Pixels
    reference: Pixels


@dataclass(frozen=True, slots=True)
class LevelScore:
    """How well a level of a curriculum is restored, in dB, and the share of the training that it now gets."""

    psnr: float
    share: float


@dataclass(frozen=True, slots=True)
class ValidationScores:
    """Means over the validation images (PSNR in dB, SSIM up to 1), and the restored samples.

    Of a run with a curriculum also every level's score.
    """

    psnr: float
    ssim: float
    degraded_psnr: float
    degraded_ssim: float
    samples: tuple[tuple[Example, Pixels], ...]
    levels: tuple[LevelScore, ...] = ()

    def numbers(self) -> dict[str, float]:
        """Return the scores alone."""
        return {
            "psnr": self.psnr,
            "ssim": self.ssim,
            "degraded_psnr": self.degraded_psnr,
            "degraded_ssim": self.degraded_ssim,
        }

    def level_numbers(self) -> dict[str, float]:
        """Return the score and the share of every level, by names that count from 1."""
        return {
            f"level_{number}_{name}": value
            for number, level in enumerate(self.levels, start=1)
            for name, value in (("psnr", level.psnr), ("share", level.share))
        }


def make_examples(
    pairs: list[Pair],
    section: ValidationSection,
    *,
    channels: int,
    scale: int = 1,
    level: Sequence[StepSpec] = (),
) -> list[Example]:
    """Read and degrade the validation images; each keeps the same damage through the whole run.

    Args:
        pairs: The images.
        section: How they are validated.
        channels: Of the network: colors become gray for 1.
        scale: Of the network: references are cut to a multiple of it.
        level: Degradations in place of the section's: a level of a curriculum.

    Raises:
        DataError: An image cannot be read, is too small to be scored, or does not fit its counterpart.
    """
    steps = level or section.degrade
    chain = Chain.from_specs(steps) if steps else None
    examples = []
    for pair in pairs:
        try:
            examples.append(_example(pair, chain, section.max_side, channels, scale))
        except ImageError as error:
            raise DataError(
                f"A validation image cannot be used: {error.problem}",
                expected=error.expected,
                got=error.got,
                file=error.file or pair.reference,
                unchanged="nothing was started",
                hint="repair it or take it out of the folder; validation.sources names other folders",
            ) from error
    return examples


def _example(pair: Pair, chain: Chain | None, max_side: int, channels: int, scale: int) -> Example:
    reading = ReadOptions(range=pair.values)
    clean = read_image(pair.reference, reading)
    reference = clean.pixels
    if min(*reference.shape[1:], max_side) < WINDOW * scale:
        raise ImageError(
            "It is too small for SSIM.",
            expected=f"sides (and max_side) of at least {WINDOW * scale} pixels",
            got=f"{reference.shape[2]} x {reference.shape[1]}, max_side {max_side}",
        )
    if pair.degraded is None:
        assert chain is not None  # noqa: S101 - the recipe's check: clean images come with a chain
        reference = _to_kind(_center(reference, max_side, scale), channels)
        degraded, _ = degrade_array(reference, chain, VALIDATION_SEED, pair.key)
        return Example(pair.key, degraded, reference)
    degraded = read_image(pair.degraded, reading, like=clean.traits).pixels
    if scaled_size(degraded, scale) != reference.shape[1:]:
        raise ImageError(
            "The two images of a pair have sizes that do not fit.",
            expected=f"{reference.shape[2]} x {reference.shape[1]}"
            + (f", {scale} times smaller" if scale > 1 else ""),
            got=f"{degraded.shape[2]} x {degraded.shape[1]}",
            file=pair.degraded,
        )
    sides = [_to_kind(side, channels) for side in _center_pair(degraded, reference, max_side, scale)]
    most = max(side.shape[0] for side in sides)
    degraded, reference = (np.broadcast_to(side, (most, *side.shape[1:])).copy() for side in sides)
    return Example(pair.key, degraded, reference)


def _center(pixels: Pixels, side: int, multiple: int = 1) -> Pixels:
    """Cut the middle out, at most `side` pixels a side and a multiple of `multiple`."""
    height, width = (min(length, side) // multiple * multiple for length in pixels.shape[1:])
    top, left = (pixels.shape[1] - height) // 2, (pixels.shape[2] - width) // 2
    return np.ascontiguousarray(pixels[:, top : top + height, left : left + width])


def _center_pair(degraded: Pixels, reference: Pixels, side: int, scale: int) -> tuple[Pixels, Pixels]:
    small = _center(degraded, side // scale)
    top, left = ((a - b) // 2 * scale for a, b in zip(degraded.shape[1:], small.shape[1:], strict=True))
    height, width = scaled_size(small, scale)
    large = reference[:, top : top + height, left : left + width]
    return small, np.ascontiguousarray(large)


def _to_kind(pixels: Pixels, channels: int) -> Pixels:
    """Make colors gray for a gray network; gray images stay gray for an RGB one, as in `restore`."""
    return to_gray(pixels) if channels == 1 and pixels.shape[0] == 3 else pixels


def validate(
    network: nn.Module, examples: list[Example], device: torch.device, *, samples: int
) -> ValidationScores:
    """Restore every example in float32 and score it against its reference, before and after."""
    restorer = TorchRestorer(network, name="validation", device=device)
    scores, kept = [], []
    for number, example in enumerate(examples):
        restored = restorer(torch.from_numpy(example.degraded)[None])[0].cpu().numpy()
        before = enlarged(example.degraded, example.reference)
        scores.append(
            (
                psnr(restored, example.reference),
                ssim(restored, example.reference),
                psnr(before, example.reference),
                ssim(before, example.reference),
            )
        )
        if number < samples:
            kept.append((example, restored))
    after, after_ssim, degraded, degraded_ssim = (_mean(column) for column in zip(*scores, strict=True))
    return ValidationScores(after, after_ssim, degraded, degraded_ssim, tuple(kept))


def enlarged(degraded: Pixels, reference: Pixels) -> Pixels:
    """Return a degraded image at the reference's size, by bicubic interpolation where it is smaller."""
    if degraded.shape[1:] == reference.shape[1:]:
        return degraded
    small = torch.from_numpy(degraded)[None]
    large = F.interpolate(small, size=reference.shape[1:], mode="bicubic", align_corners=False)
    return large[0].clamp(0, 1).numpy()


def _mean(scores: Sequence[float]) -> float:
    """Return the mean as `eval` gives it, of the finite scores: one exact image must not hide the rest."""
    mean = summarize(scores).mean
    return math.nan if mean is None else mean
