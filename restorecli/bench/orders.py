"""`bench orders`: where an image has two damages, which is to be undone first?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from restorecli.bench.auto_examples import DegradedImage, degraded_by, references
from restorecli.errors import DataError, UsageError
from restorecli.evaluation.metrics.psnr_ssim import psnr
from restorecli.folders.jobs import Progress, SilentProgress
from restorecli.images.image import ImageData, Pixels
from restorecli.restoration.choice import choose_restorer
from restorecli.restoration.context import Context
from restorecli.restoration.image import ImageRestorer
from restorecli.restoration.restorer import Restorer

Step = Mapping[str, object]
Way = tuple[str, ...]

IMAGES = 8
"""How many images are degraded, unless more or fewer are asked for."""

_AS_DEGRADED: Way = ()


@dataclass(frozen=True, slots=True)
class Pair:
    """Two damages that come together.

    Attributes:
        name: Both, in the order in which an image suffers them.
        steps: What makes them.
        one: What undoes the first.
        other: What undoes the second.
        others: More ways to try: what may undo both at once, alone or after something.
        sigma: The noise among them, 0-255 scale, for models that take it.
    """

    name: str
    steps: tuple[Step, ...]
    one: str
    other: str
    others: tuple[Way, ...] = ()
    sigma: float | None = None

    @property
    def ways(self) -> list[Way]:
        """Nothing, each alone, both in either order, and both at once."""
        single = [_AS_DEGRADED, (self.one,), (self.other,), (self.one, self.other), (self.other, self.one)]
        return [*single, *self.others]


def _step(name: str, **values: object) -> Step:
    return {"name": name, **values}


_NOISE, _JPEG = "sca-unet.gaussian", "sca-unet.jpeg"

PAIRS: Sequence[Pair] = (
    Pair(
        "gaussian+jpeg",
        (_step("gaussian", sigma=20), _step("jpeg", quality=50)),
        _NOISE,
        _JPEG,
        (("sca-unet.noise-jpeg",),),
        20,
    ),
    Pair(
        "low-light+gaussian",
        (_step("low-light", severity=3), _step("gaussian", sigma=8)),
        "sca-unet.low-light",
        _NOISE,
        (),
        8,
    ),
    Pair(
        "low-light+jpeg",
        (_step("low-light", severity=3), _step("jpeg", quality=50)),
        "sca-unet.low-light",
        _JPEG,
        (("sca-unet.low-light", "sca-unet.noise-jpeg"),),
    ),
    Pair("haze+jpeg", (_step("haze", severity=3), _step("jpeg", quality=40)), "sca-unet.haze", _JPEG),
    Pair(
        "haze+gaussian",
        (_step("haze", severity=3), _step("gaussian", sigma=15)),
        "sca-unet.haze",
        _NOISE,
        (),
        15,
    ),
    Pair(
        "sand-dust+jpeg", (_step("sand-dust", severity=3), _step("jpeg", quality=40)), "swm.sand-dust", _JPEG
    ),
    Pair(
        "gaussian+scratches",
        (_step("gaussian", sigma=20), _step("scratches", severity=3)),
        _NOISE,
        "sca-unet.scratches",
        (),
        20,
    ),
    Pair(
        "fade+scratches",
        (_step("fade", severity=3), _step("scratches", severity=3)),
        "gray-world",
        "sca-unet.old-photo",
    ),
    Pair(
        "gaussian-blur+gaussian",
        (_step("gaussian-blur", sigma=1.6), _step("gaussian", sigma=10)),
        "wiener-deconv",
        _NOISE,
        (("sca-unet.noise-blur",),),
        10,
    ),
    Pair(
        "weak gaussian-blur+gaussian",
        (_step("gaussian-blur", sigma=1), _step("gaussian", sigma=20)),
        "wiener-deconv",
        _NOISE,
        (("sca-unet.noise-blur",),),
        20,
    ),
    Pair(
        "strong gaussian-blur+gaussian",
        (_step("gaussian-blur", sigma=3), _step("gaussian", sigma=4)),
        "wiener-deconv",
        _NOISE,
        (("sca-unet.noise-blur",), ("richardson-lucy",)),
        4,
    ),
    Pair(
        "gaussian+old-photo",
        (_step("fade", severity=3), _step("gaussian", sigma=15), _step("scratches", severity=3)),
        _NOISE,
        "sca-unet.old-photo",
        (),
        15,
    ),
    Pair(
        "defocus+gaussian",
        (_step("defocus", radius=2.5), _step("gaussian", sigma=10)),
        "wiener-deconv",
        _NOISE,
        (("sca-unet.noise-blur",),),
        10,
    ),
    Pair(
        "gaussian-blur+jpeg",
        (_step("gaussian-blur", sigma=1.6), _step("jpeg", quality=50)),
        "wiener-deconv",
        _JPEG,
        (("sca-unet.noise-blur",),),
    ),
    Pair(
        "dither+jpeg",
        (_step("dither", severity=3), _step("jpeg", quality=80)),
        "resnet.dither",
        _JPEG,
    ),
)


@dataclass(frozen=True, slots=True)
class Order:
    """What came of one pair.

    Attributes:
        pair: Its name.
        scores: Mean PSNR, in dB, by way: models with " -> " between them; "as degraded".
    """

    pair: str
    scores: Mapping[str, float]

    @property
    def best(self) -> str:
        """The way that scores best."""
        return max(self.scores, key=self.scores.__getitem__)

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return asdict(self) | {"best": self.best}


def bench_orders(
    test: Path,
    *,
    images: int = IMAGES,
    crop: int | None = None,
    pairs: Sequence[str] = (),
    progress: Progress | None = None,
) -> list[Order]:
    """Degrade images twice, undo it in every order, and say what came of each.

    Args:
        test: Folder of clean images.
        images: How many, taken evenly over the sorted folder.
        crop: Side of the square in their middle that is taken; None takes all of them.
        pairs: Only these; by default all of `PAIRS`.
        progress: Progress callbacks.

    Raises:
        DataError: The folder is missing or empty.
        UsageError: There is no such pair.
    """
    clean = references(test, images, crop)
    if not clean:
        raise DataError("There is no image to measure on.", file=test)
    chosen = _chosen(pairs)
    progress = progress or SilentProgress()
    progress.start(len(chosen), "pairs of damage")
    loaded: dict[str, Restorer] = {}
    orders = []
    for pair in chosen:
        examples = degraded_by(clean, pair.steps)
        rows = [_scores(pair, example, loaded) for example in examples]
        orders.append(Order(pair.name, {way: float(np.mean([row[way] for row in rows])) for way in rows[0]}))
        progress.advance(pair.name)
    progress.finish()
    return orders


def _chosen(names: Sequence[str]) -> list[Pair]:
    known = {pair.name: pair for pair in PAIRS}
    wrong = [name for name in names if name not in known]
    if wrong:
        raise UsageError("There is no such pair.", expected=", ".join(known), got=", ".join(wrong))
    return [known[name] for name in names or known]


def _scores(pair: Pair, example: DegradedImage, loaded: dict[str, Restorer]) -> dict[str, float]:
    results: dict[Way, Pixels] = {_AS_DEGRADED: example.degraded}
    for way in pair.ways:
        if way not in results:
            restorer = loaded.setdefault(way[-1], choose_restorer(way[-1]))
            results[way] = _restored(restorer, results[way[:-1]], pair, example)
    return {
        " -> ".join(way) or "as degraded": float(psnr(result, example.reference))
        for way, result in results.items()
    }


def _restored(restorer: Restorer, pixels: Pixels, pair: Pair, example: DegradedImage) -> Pixels:
    needs = {need.removesuffix("?") for need in restorer.spec.needs}
    told = Context(
        sigma=pair.sigma if "sigma" in needs else None,
        operator=example.known.operator if "operator" in needs else None,
    )
    return ImageRestorer(restorer)(ImageData(pixels), told)[0].pixels
