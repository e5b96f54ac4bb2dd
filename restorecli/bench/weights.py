"""`bench weights`: the scores on the cards of the shipped weights, measured again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from restorecli.bench.score_labels import Protocol, read_label
from restorecli.core.shipped import ShippedWeights, find_shipped, shipped
from restorecli.core.weights import read_weights
from restorecli.degradation.chain import Chain, degrade_array
from restorecli.degradation.families.resize import cut_to_multiples
from restorecli.errors import DataError
from restorecli.evaluation.metrics.protocol import find_protocol
from restorecli.evaluation.statistics.intervals import Interval, bootstrap_interval
from restorecli.folders.jobs import Progress, SilentProgress
from restorecli.images.image import ImageData, Pixels
from restorecli.images.reading import read_image
from restorecli.restoration.backends import load_network
from restorecli.restoration.image import ImageRestorer
from restorecli.restoration.methods.classical.resampling import enlarge
from restorecli.restoration.restorer import Restorer
from restorecli.training.crops import rounded_to_8_bits
from restorecli.tune.crops import middle

TOLERANCE = 0.01
"""dB that a score may differ from the card's: another CPU adds in another order."""


@dataclass(frozen=True, slots=True)
class Measured:
    """Means over images, in fp32, by the protocol of `eval`.

    Attributes:
        psnr: Of the restored images, in dB; infinite where one equals its reference.
        interval: 95% bootstrap interval of that mean; None for one image, or where that is infinite.
        ssim: Of the restored images.
        degraded_psnr: Of the degraded images, in dB, enlarged by `bicubic` where they are smaller; infinite
            for undamaged ones.
    """

    psnr: float
    interval: Interval | None
    ssim: float
    degraded_psnr: float


@dataclass(frozen=True, slots=True)
class Row:
    """One score of one card.

    Attributes:
        weights: Their name.
        label: Images and damage, as the card tells them.
        card: The PSNR on the card, in dB.
        measured: What comes out now.
    """

    weights: str
    label: str
    card: float
    measured: Measured

    @property
    def difference(self) -> float:
        """How much more PSNR comes out now than the card says, in dB."""
        return self.measured.psnr - self.card

    @property
    def differs(self) -> bool:
        """Whether that is more than rounding, either way."""
        return abs(self.difference) > TOLERANCE

    def to_dict(self) -> dict[str, Any]:
        """Return the row as JSON values."""
        before = self.measured.degraded_psnr
        told = asdict(self) | {"difference": self.difference, "differs": self.differs}
        told["measured"]["degraded_psnr"] = before if np.isfinite(before) else None
        return told


def bench_weights(
    data: Path, *, only: Sequence[str] = (), images: int | None = None, progress: Progress | None = None
) -> list[Row]:
    """Measure the scores on the cards of shipped weights again.

    Args:
        data: Holds the folders that the cards name: cbsd68, bsd68-gray, magnetic-tile, sand-dust.
        only: Names of weights; by default all that ship.
        images: Only scores that were measured on at most so many images; None for all.
        progress: Progress callbacks.

    Returns:
        Rows by weights, in the order of their cards; scores of other protocols (validation) are left out.

    Raises:
        UsageError: There is no such network.
        WeightsError: There are no such weights.
        DataError: Images are missing, or no score is left.
    """
    chosen = [find_shipped(name) for name in only] or shipped()
    wanted = [job for weights in chosen for job in _jobs(weights, images)]
    if not wanted:
        raise DataError(
            "There is no score to measure.",
            expected="scores of cards on images below the data folder",
            got="none of so few images" if images else "none",
            file=data,
        )
    for _, _, protocol, _ in wanted:
        protocol.files(data)  # what is missing is told before hours are spent
    progress = progress or SilentProgress()
    progress.start(len(wanted), "scores")
    rows = []
    for weights, label, protocol, card in wanted:
        measured = measure(load_network(weights.path, device="cpu", precision="fp32"), protocol, data)
        rows.append(Row(weights.name, label, card, measured))
        progress.advance(f"{weights.name}: {label}")
    progress.finish()
    return rows


def _jobs(weights: ShippedWeights, most: int | None) -> Iterator[tuple[ShippedWeights, str, Protocol, float]]:
    for label, score in read_weights(weights.path)[1].scores.items():
        protocol = read_label(label)
        if protocol is not None and (most is None or protocol.images <= most):
            yield weights, label, protocol, float(score["psnr"])


def measure(restorer: Restorer, protocol: Protocol, data: Path) -> Measured:
    """Degrade the images of a protocol, restore and score them, as the four commands do with files.

    Images that are made smaller are cut to multiples of the factor before, and compared at that size.

    Args:
        restorer: A network or a method that needs to be told nothing.
        protocol: Which images, and what is done to them.
        data: Where the protocol's folder lies.

    Raises:
        DataError: The folder is missing, or holds another number of images.
        ImageError: An image cannot be read.
    """
    restore, scoring = ImageRestorer(restorer), find_protocol(protocol.scoring)
    psnr, ssim = scoring.scorers["psnr"], scoring.scorers["ssim"]
    after, similar, before = [], [], []
    for degraded, reference in examples(protocol, data):
        levels, wanted = scoring.levels(restore(ImageData(degraded))[0].pixels), scoring.levels(reference)
        after.append(psnr(levels, wanted))
        similar.append(ssim(levels, wanted))
        before.append(psnr(scoring.levels(_as_large(degraded, reference)), wanted))
    return Measured(
        psnr=float(np.mean(after)),
        interval=bootstrap_interval(after) if np.isfinite(after).all() else None,
        ssim=float(np.mean(similar)),
        degraded_psnr=float(np.mean(before)),
    )


def examples(protocol: Protocol, data: Path) -> Iterator[tuple[Pixels, Pixels]]:
    """Yield degraded and reference images, in [0, 1] but for what noise takes beyond, if that is kept."""
    side = protocol.side
    cut = partial(middle, height=side, width=side) if side else np.ascontiguousarray
    chain = Chain.from_specs(protocol.damage) if protocol.damage else None
    for file in protocol.files(data):
        reference = cut(read_image(file.path).pixels)
        if protocol.pair is not None:
            degraded = cut(read_image(data / protocol.folder / protocol.pair[0] / file.relative).pixels)
        elif chain is None:
            degraded = reference
        else:
            reference = cut_to_multiples(reference, chain.scale)
            degraded, _ = degrade_array(reference, chain, protocol.seed, file.relative.as_posix())
            degraded = degraded if protocol.unclipped else rounded_to_8_bits(degraded)
        yield degraded, reference


def _as_large(degraded: Pixels, reference: Pixels) -> Pixels:
    """Return the degraded image at the reference's size, a smaller one by the method `bicubic`."""
    factor = reference.shape[1] // degraded.shape[1]
    return degraded if factor == 1 else enlarge(degraded, factor).astype(np.float32)
