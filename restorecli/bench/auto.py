"""`bench auto`: does the diagnosis name the damage, and how near does `--model auto` come to the best?"""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np

from restorecli.bench.auto_examples import DegradedImage, degraded_images, references
from restorecli.bench.kept import Kept
from restorecli.degradation.catalog import DEGRADATIONS
from restorecli.diagnosis.deciding.decide import NONE
from restorecli.diagnosis.remedies import REMEDIES, remedy_for
from restorecli.diagnosis.result import Diagnosis
from restorecli.errors import DataError
from restorecli.evaluation.metrics.psnr_ssim import psnr
from restorecli.folders.jobs import Progress, SilentProgress
from restorecli.images.image import ImageData, Pixels
from restorecli.restoration.auto import AUTO, AutoRestorer
from restorecli.restoration.choice import choose_restorer
from restorecli.restoration.context import Context
from restorecli.restoration.image import ImageRestorer
from restorecli.restoration.restorer import Restorer

SEVERITIES = (1, 3, 5)

IMAGES = 24
"""How many images are degraded, unless more or fewer are asked for."""

_DENOISERS = ("sca-unet.gaussian", "sca-unet.noise", "sca-unet.noise-jpeg", "sca-unet.noise-blur", "wavelet")
_DEBLURRERS = ("wiener-deconv", "richardson-lucy", "sca-unet.noise-blur", "sca-unet.deblur")
_INPAINTERS = ("inpaint-tv", "inpaint-harmonic", "inpaint-biharmonic")
_OLD = ("sca-unet.old-photo", "gray-world")

RIVALS: Mapping[str, Sequence[str]] = {
    "gaussian": _DENOISERS,
    "poisson": _DENOISERS,
    "speckle": _DENOISERS,
    "camera-noise": ("sca-unet.camera", "sca-unet.grain", *_DENOISERS),
    "film-grain": ("sca-unet.grain", "sca-unet.camera", *_DENOISERS),
    "salt-pepper": ("switching-median", "median"),
    "quantize": ("sca-unet.gaussian", "sca-unet.noise-jpeg", "tv", "bilateral"),
    "gaussian-blur": _DEBLURRERS,
    "motion-blur": _DEBLURRERS,
    "defocus": _DEBLURRERS,
    "dither": ("resnet.dither", "inverse-halftone"),
    "halftone-screen": ("descreen", "inverse-halftone", "resnet.dither"),
    "sand-dust": ("swm.sand-dust", "dedust", "gray-world"),
    "haze": ("dehaze", "sca-unet.haze"),
    "rain": ("sca-unet.rain", "median"),
    "low-light": ("sca-unet.low-light", "gray-world"),
    "moire": ("demoire", "sca-unet.moire"),
    "jpeg": ("deblock", "sca-unet.jpeg"),
    "scratches": ("sca-unet.scratches", "sca-unet.old-photo", "median"),
    "fade": _OLD,
    "old-photo": _OLD,
    "holes": _INPAINTERS,
}
"""What else is meant for each damage."""

Measured = Mapping[str, Any]
"""What is kept of one model on the images of a cell: `psnr`, one for each image, and more of `auto`."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One damage of one severity.

    Attributes:
        damage: Its name, or `NONE` for images as they are.
        severity: 1 to 5; 0 for images as they are.
        images: How many.
        named: How many images were said to have which damage.
        right: Share of images for which the specialist of this damage was taken.
        degraded: Mean PSNR before, in dB; None for sizes that differ, infinite for `NONE`.
        auto: Mean PSNR after `--model auto`.
        worst: Least PSNR of an image after it.
        rivals: Mean PSNR by model or method, each told the truth about the damage.
    """

    damage: str
    severity: int
    images: int
    named: Mapping[str, int]
    right: float
    degraded: float | None
    auto: float | None
    worst: float | None
    rivals: Mapping[str, float]

    @property
    def best(self) -> tuple[str, float] | None:
        """The best of the rivals and of leaving the image alone."""
        if self.degraded is None:
            return None
        every = {"as degraded": self.degraded, **self.rivals}
        name = max(every, key=every.__getitem__)
        return name, every[name]

    def to_dict(self) -> dict[str, Any]:
        """Return the cell as JSON values; None for the infinite PSNR of images as they are."""
        best = self.best
        document = asdict(self) | {"named": dict(self.named), "rivals": dict(self.rivals)}
        document["pictures"] = document.pop("images")  # the key that it has always had
        for name in ("degraded", "auto", "worst"):
            document[name] = _finite(document[name])
        known = None if best is None else {"name": best[0], "psnr": _finite(best[1])}
        return document | {"best": known}


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def bench_auto(
    test: Path,
    *,
    images: int = IMAGES,
    crop: int | None = None,
    severities: Sequence[int] = SEVERITIES,
    damages: Sequence[str] = (),
    rivals: bool = True,
    keep: Path | None = None,
    progress: Progress | None = None,
) -> list[Cell]:
    """Degrade images in every way, let `--model auto` restore them, and compare.

    Degraded images are clipped and rounded to 8 bits, as files are, and the diagnosis sees nothing but
    their pixels. PSNR is that of `eval`.

    Args:
        test: Folder of clean images that nothing was fitted on.
        images: How many, taken evenly over the sorted folder.
        crop: Side of the square in their middle that is taken; None takes all of them.
        severities: Of `degrade`.
        damages: Only these degradations; by default all.
        rivals: Whether single models and methods are measured, too.
        keep: File in which measurements are kept, and from which those of the same images, damage and model
            are taken. The code of the diagnosis is compared, that of methods is not: another file after a
            change of it.
        progress: Progress callbacks.

    Raises:
        DataError: The folder is missing or empty, or the file holds something else.
    """
    clean = references(test, images, crop)
    if not clean:
        raise DataError("There is no image to measure on.", file=test)
    chosen = damages or tuple(DEGRADATIONS)
    kinds = [(NONE, 0), *((damage, severity) for damage in chosen for severity in severities)]
    progress = progress or SilentProgress()
    progress.start(len(kinds), "kinds of damage")
    bench = _Bench(clean, rivals=rivals, kept=Kept(keep))
    cells = []
    for damage, severity in kinds:
        cells.append(bench.cell(damage, severity))
        progress.advance(f"{damage} {severity}")
    progress.finish()
    return cells


class _Bench:
    """What is measured on all cells, and the models that were loaded for it."""

    def __init__(self, clean: Mapping[str, Pixels], *, rivals: bool, kept: Kept) -> None:
        self._clean = clean
        self._images = _digest(clean)
        self._rivals = rivals
        self._kept = kept
        self._auto = AutoRestorer()
        self._loaded: dict[str, Restorer] = {}

    def cell(self, damage: str, severity: int) -> Cell:
        """Measure one damage of one severity."""
        key = {"images": self._images, "damage": damage, "severity": severity}
        examples = cache(lambda: degraded_images(self._clean, damage, severity))
        before = self._measured({**key, "model": "as degraded"}, lambda: _before(examples()))["psnr"]
        auto = self._measured(
            {**key, "model": AUTO, "identity": dict(self._auto.identity())},
            lambda: self._diagnosed(damage, examples()),
        )
        return Cell(
            damage,
            severity,
            len(self._clean),
            dict(Counter(auto["named"]).most_common()),
            float(np.mean(auto["right"])),
            _mean(before),
            _mean(auto["psnr"]),
            min(auto["psnr"], default=None),
            self._rival_scores(key, damage, examples) if self._rivals and before else {},
        )

    def _measured(self, key: Mapping[str, object], measure: Callable[[], Measured]) -> Measured:
        value = self._kept.find(key)
        if value is None:
            value = measure()
            self._kept.add(key, value)
        return value

    def _diagnosed(self, damage: str, examples: Sequence[DegradedImage]) -> Measured:
        """Return what `auto` named, whether its specialist is right, and PSNR after it, by image."""
        outputs, diagnoses = [], []
        for example in examples:
            outputs.append(_restored(self._auto, example.degraded, Context()))
            diagnoses.append(self._auto.diagnoses[-1])
        return {
            "named": [_named(diagnosis) for diagnosis in diagnoses],
            "right": [_is_right(diagnosis, damage) for diagnosis in diagnoses],
            "psnr": [
                float(psnr(output, example.reference))
                for output, example in zip(outputs, examples, strict=True)
                if example.comparable
            ],
        }

    def _rival_scores(
        self, key: Mapping[str, object], damage: str, examples: Callable[[], Sequence[DegradedImage]]
    ) -> dict[str, float]:
        scores = {}
        for name in RIVALS.get(damage, ()):
            restorer = self._restorer(name)
            told = {**key, "model": name, "identity": dict(restorer.identity())}
            scores[name] = self._measured(told, partial(_scores, restorer, examples))["psnr"]
        return {name: float(np.mean(values)) for name, values in scores.items()}

    def _restorer(self, name: str) -> Restorer:
        if name not in self._loaded:
            self._loaded[name] = choose_restorer(name)
        return self._loaded[name]


def _digest(clean: Mapping[str, Pixels]) -> str:
    found = hashlib.sha256()
    for name, pixels in clean.items():
        found.update(f"{name} {pixels.shape}".encode())
        found.update(pixels.tobytes())
    return found.hexdigest()[:16]


def _before(examples: Sequence[DegradedImage]) -> Measured:
    return {"psnr": [float(psnr(one.degraded, one.reference)) for one in examples if one.comparable]}


def _mean(scores: Sequence[float]) -> float | None:
    return float(np.mean(scores)) if scores else None


def _scores(restorer: Restorer, examples: Callable[[], Sequence[DegradedImage]]) -> Measured:
    return {"psnr": [_score(restorer, example) for example in examples()]}


def _score(restorer: Restorer, example: DegradedImage) -> float:
    needs = {need.removesuffix("?") for need in restorer.spec.needs}
    told = Context(
        operator=example.known.operator if "operator" in needs else None,
        mask=example.known.mask if "mask" in needs else None,
    )
    return float(psnr(_restored(restorer, example.degraded, told), example.reference))


def _restored(restorer: Restorer, pixels: Pixels, context: Context) -> Pixels:
    return ImageRestorer(restorer)(ImageData(pixels), context)[0].pixels


def _named(diagnosis: Diagnosis) -> str:
    return diagnosis.findings[0].damage if diagnosis.findings else NONE


def _is_right(diagnosis: Diagnosis, damage: str) -> bool:
    """Tell whether the first finding leads to what this damage would lead to."""
    if damage in (NONE, "downscale"):
        return diagnosis.is_clean
    if diagnosis.is_clean:
        return False
    first = diagnosis.findings[0]
    if first.damage == damage:
        return True
    taken = remedy_for(first)
    wanted = {remedy.model for remedy in REMEDIES if remedy.damage == damage}
    return taken is not None and bool(taken.model) and taken.model in wanted
