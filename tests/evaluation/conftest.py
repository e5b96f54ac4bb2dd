"""Small folders of images to evaluate."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest

from restorecli.evaluation.metrics.catalog import find_metrics
from restorecli.evaluation.pairing.pairs import Pair, Source
from restorecli.evaluation.result import Evaluation, PairScore
from restorecli.evaluation.statistics.assembly import assemble
from restorecli.images.image import FileTraits, ImageData
from restorecli.images.writing import write_image

Save = Callable[..., Path]


@pytest.fixture
def save() -> Save:
    """Write a random image, or the given pixels, to a path whose folders are made."""

    def write(path: Path, seed: int = 0, *, size=(16, 20), channels=3, pixels=None, alpha=False) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        if pixels is None:
            levels = np.random.default_rng(seed).integers(0, 256, (channels, *size))
            pixels = (levels / 255).astype(np.float32)
        mask = np.full(pixels.shape[1:], 255, np.uint8) if alpha else None
        write_image(path, ImageData(pixels, FileTraits(alpha=mask)))
        return path

    return write


def assembled(
    restored: Mapping[str, Sequence[float | None]],
    degraded: Mapping[str, Sequence[float | None]] | None = None,
    *,
    metrics: Sequence[str] = ("psnr", "ssim"),
    by: Sequence[str] = ("category",),
    fields: Mapping[str, Mapping[str, str]] | None = None,
) -> Evaluation:
    """Return an evaluation without files: scores by path, whose first folder is the category."""
    scores = []
    for path, values in restored.items():
        before = None if degraded is None else dict(zip(metrics, degraded[path], strict=True))
        pair = Pair(
            path=path,
            category=path.split("/")[0],
            defect=None,
            reference=Source(path, Path("clean")),
            restored=Source(path, Path("restored")),
            degraded=None if before is None else Source(path, Path("degraded")),
        )
        after = dict(zip(metrics, values, strict=True))
        scores.append(PairScore(pair, before, after, (), dict((fields or {}).get(path, {}))))
    return assemble(scores, metrics=find_metrics(metrics), by=by)


@pytest.fixture
def made() -> Callable[..., Evaluation]:
    """The function that makes an evaluation without files; see `assembled`."""
    return assembled
