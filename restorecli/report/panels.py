"""Images as they are shown: to 8 bits, the same size for all of a pair, with a label."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from PIL import Image

from restorecli.errors import DataError
from restorecli.evaluation.metrics.catalog import METRICS
from restorecli.evaluation.metrics.psnr_ssim import psnr, ssim, to_8_bits
from restorecli.evaluation.pairing.pairs import Source
from restorecli.evaluation.result import PairScore, Scores
from restorecli.evaluation.tables.cells import format_number
from restorecli.images.image import Pixels


@dataclass(frozen=True, slots=True)
class Panel:
    """One image of a comparison.

    Attributes:
        label: What it is: degraded, restored or reference.
        pixels: (C, H, W) float32 in [0, 1], C = 1 or 3; values outside are clipped.
        caption: Its scores in words, or nothing.
        role: degraded, restored, reference, or other0, other1, ...: what the page's script knows it by.
    """

    label: str
    pixels: Pixels
    caption: str = ""
    role: str = ""


def panels_of(
    score: PairScore, others: Mapping[str, PairScore] = MappingProxyType({}), name: str = "restored"
) -> tuple[Panel, ...]:
    """Read the images of a pair: degraded, restored, other methods, reference, as far as they are known.

    Args:
        score: The pair and its scores.
        others: The same image by other methods, by name.
        name: What the restored image is called.

    Raises:
        ImageError: An image cannot be read any more.
        DataError: A locator of the manifest leads nowhere.
    """
    pair = score.pair
    sides: list[tuple[str, str, Source | None, Scores | None]] = [
        ("degraded", "degraded", pair.degraded, score.degraded),
        ("restored", name, pair.restored, score.restored),
        *(
            (f"other{index}", label, other.pair.restored, other.restored)
            for index, (label, other) in enumerate(others.items())
        ),
        ("reference", "reference", pair.reference, None),
    ]
    return tuple(
        Panel(label, source.read().pixels, "" if scores is None else score_words(scores), role)
        for role, label, source, scores in sides
        if source is not None
    )


def score_words(scores: Scores) -> str:
    """Return scores as a caption, e.g. "28.91 dB, SSIM 0.8123"."""
    words = []
    for name, score in scores.items():
        metric = METRICS[name]
        number = format_number(score, metric.decimals)
        words.append(f"{number} {metric.unit}" if name == "psnr" else f"{metric.title} {number}")
    return ", ".join(words)


def score_line(restored: Pixels | str, reference: Pixels | str) -> str:
    """Return PSNR and SSIM by the default protocol as a caption; nothing where they are not defined.

    Args:
        restored: (C, H, W) float32 in [0, 1], or the reason why there is none.
        reference: The same shape, or the reason why there is none.
    """
    if isinstance(restored, str) or isinstance(reference, str):
        return ""
    scores: dict[str, float | None] = {}
    for name, measure in (("psnr", psnr), ("ssim", ssim)):
        try:
            scores[name] = measure(restored, reference)
        except DataError:  # another size, or smaller than the window
            continue
    return score_words(scores)


def to_image(pixels: Pixels) -> Image.Image:
    """Return pixels as a Pillow image of mode L or RGB.

    Args:
        pixels: (C, H, W) float32 in [0, 1], C = 1 or 3; values outside are clipped, not-a-number becomes
            black.
    """
    levels = to_8_bits(np.nan_to_num(pixels, nan=0.0, posinf=1.0, neginf=0.0))
    return Image.fromarray(
        levels[0] if levels.shape[0] == 1 else np.ascontiguousarray(levels.transpose(1, 2, 0))
    )


def printable(text: str) -> str:
    """Spell out control, direction and undecodable characters, so that a hostile name shows what it is."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)
