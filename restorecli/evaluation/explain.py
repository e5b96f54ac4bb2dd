"""One pair under every protocol: why two papers report different numbers for the same image."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from restorecli.errors import DataError
from restorecli.evaluation.metrics.metric import Subject, View
from restorecli.evaluation.metrics.protocol import PROTOCOLS, Protocol, as_it_is, find_protocol
from restorecli.evaluation.pairing.pairs import Pair
from restorecli.images.image import Pixels
from restorecli.images.reading import read_image

DEFAULT = "rgb"
"""What every other protocol is compared with."""

GRAY = "a gray image has no luma to take: compared as it is, within the range 0-255"
"""Stands for the reason of a protocol on Y where the image is gray."""

Both = tuple[float | None, float | None]
"""PSNR and SSIM."""

_SHOWN = (*PROTOCOLS, "rgb:4", "basicsr-y:4")

_REASONS: Mapping[str, str] = {
    "rgb": "the default: all three channels, whole image, rounded as a PNG would hold it",
    "unrounded": "levels are not rounded: what images of 16 bits or floats differ in below an 8-bit level",
    "y-matlab": "Y of 16-235, which alone adds 1.3 dB, and averages what differs between the channels",
    "y-yiq": "luma of the full range 0-255: averages the channels like MATLAB's Y, without its 1.3 dB",
    "basicsr": "the same numbers as rgb",
    "basicsr-y": "MATLAB's Y without the rounding that MATLAB does",
    "skimage-default": "SSIM only: a 7x7 uniform window and sample variances instead of the Gaussian 11x11",
    "scikit-matlab": "the same numbers as rgb",
    "kair": "the same numbers as rgb",
    "kair-y": "the same numbers as y-matlab",
    "torchmetrics": "levels are not rounded (no matter for 8-bit files); SSIM counts the mirrored border",
    "piq": "1e-8 added to the MSE; SSIM after down-scaling where the shorter side has 384 pixels or more",
    "rgb:4": "without the outermost 4 pixels, which many methods restore worst",
    "basicsr-y:4": "MATLAB's Y without the outermost 4 pixels: the habit of super-resolution at scale 4",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One pair under one protocol.

    Attributes:
        protocol: Its name.
        psnr: Decibels, or None where it is undefined.
        ssim: SSIM, or None where it is undefined.
        psnr_difference: To the default, or None where one of the two is undefined or infinite.
        ssim_difference: The same for SSIM.
        reason: Why it differs, in one sentence.
        line: What the protocol does, in full.
    """

    protocol: str
    psnr: float | None
    ssim: float | None
    psnr_difference: float | None
    ssim_difference: float | None
    reason: str
    line: str

    def to_dict(self) -> dict[str, object]:
        """Return the row as JSON values; infinity is the string "inf"."""
        return {
            "protocol": self.protocol,
            "psnr": "inf" if self.psnr == math.inf else self.psnr,
            "ssim": self.ssim,
            "psnr_difference": self.psnr_difference,
            "ssim_difference": self.ssim_difference,
            "reason": self.reason,
            "line": self.line,
        }


@dataclass(frozen=True, slots=True)
class Explanation:
    """One pair under all protocols.

    Attributes:
        restored: Name of the image.
        reference: Name of the clean image.
        scores: One row by protocol, the default first.
    """

    restored: str
    reference: str
    scores: tuple[Row, ...]

    @property
    def headers(self) -> tuple[str, ...]:
        """What stands over the columns of `rows`."""
        return ("protocol", "PSNR (dB)", "to rgb", "SSIM", "to rgb", "why")

    @property
    def rows(self) -> tuple[tuple[str, ...], ...]:
        """The table as text: protocol, PSNR, its difference, SSIM, its difference, reason."""
        return tuple(
            (
                row.protocol,
                _number(row.psnr, 3),
                _number(row.psnr_difference, 3, signed=True),
                _number(row.ssim, 5),
                _number(row.ssim_difference, 5, signed=True),
                row.reason,
            )
            for row in self.scores
        )

    def to_dict(self) -> dict[str, object]:
        """Return the one object that `eval --explain --json` prints."""
        return {
            "restored": self.restored,
            "reference": self.reference,
            "protocols": [row.to_dict() for row in self.scores],
        }


def explain(restored: Path, reference: Path) -> Explanation:
    """Score one pair under every protocol.

    Args:
        restored: File of the image.
        reference: File of the clean image, of the same size and number of channels.

    Returns:
        PSNR and SSIM by protocol, their difference to the default, and why they differ.

    Raises:
        ImageError: A file cannot be read.
        DataError: The two differ in size or channels, or a value is not finite.
    """
    whole = read_image(reference)
    image = read_image(restored, like=whole.traits)
    return _explained((str(restored), str(reference)), [image.pixels, whole.pixels])


def explain_pair(pair: Pair) -> Explanation:
    """Score the restored image of a pair, or the degraded one where it is alone, under every protocol.

    Raises:
        ImageError: A file cannot be read.
        DataError: There is no reference, the two differ in size or channels, or a value is not finite.
    """
    image, reference = pair.restored or pair.degraded, pair.reference
    if image is None or reference is None:
        raise DataError("A protocol compares two images.", expected="a reference", got=pair.path)
    whole = reference.read()
    pixels = [image.read(whole.traits).pixels, whole.pixels]
    return _explained((pair.path, reference.locator), pixels)


def _explained(names: tuple[str, str], pixels: Sequence[Pixels]) -> Explanation:
    views = View(pixels[0]), View(pixels[1])
    protocols = [find_protocol(name) for name in _SHOWN]
    subjects = [Subject(*views, protocol=protocol) for protocol in protocols]
    subjects[0].eight_bits()  # refuses what cannot be compared under any protocol
    scores = [(_score(subject, "psnr"), _score(subject, "ssim")) for subject in subjects]
    first = scores[0]
    is_gray = len(views[0].pixels) == 1
    return Explanation(
        *names,
        tuple(_row(protocol, one, first, is_gray) for protocol, one in zip(protocols, scores, strict=True)),
    )


def _score(subject: Subject, metric: str) -> float | None:
    try:
        return subject.protocol.scorers[metric](*subject.compared())
    except DataError:
        return None


def _row(protocol: Protocol, scores: Both, first: Both, is_gray: bool) -> Row:
    return Row(
        protocol.name,
        *scores,
        _difference(scores[0], first[0]),
        _difference(scores[1], first[1]),
        GRAY if is_gray and protocol.color is not as_it_is else _REASONS[protocol.name],
        protocol.line,
    )


def _difference(one: float | None, other: float | None) -> float | None:
    if one is None or other is None or not (math.isfinite(one) and math.isfinite(other)):
        return None
    return one - other


def _number(value: float | None, decimals: int, *, signed: bool = False) -> str:
    if value is None:
        return "-"
    value = round(value, decimals) + 0.0  # no "-0.000"
    return f"{value:{'+' if signed else ''}.{decimals}f}"
