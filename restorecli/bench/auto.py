"""`bench auto`: does the diagnosis name the damage, and how near does `--model auto` come to the best?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from restorecli.core.shipped import shipped
from restorecli.degradation.catalog import DEGRADATIONS
from restorecli.degradation.chain import Chain, degrade_array
from restorecli.degradation.masks import damage_mask
from restorecli.degradation.operators import operator_of
from restorecli.diagnosis.decide import NONE
from restorecli.diagnosis.remedies import REMEDIES, remedy_for
from restorecli.diagnosis.result import Diagnosis
from restorecli.errors import DataError
from restorecli.evaluation.metrics.psnr_ssim import psnr
from restorecli.folders.jobs import Progress, SilentProgress
from restorecli.folders.walking import walk
from restorecli.images.image import ImageData, Pixels
from restorecli.images.reading import read_image
from restorecli.restoration.auto import AutoRestorer
from restorecli.restoration.choice import choose_restorer
from restorecli.restoration.context import Context
from restorecli.restoration.image import ImageRestorer
from restorecli.restoration.methods.catalog import METHODS
from restorecli.restoration.restorer import Restorer
from restorecli.tune.crops import evenly

SEVERITIES = (1, 3, 5)

IMAGES = 24
"""How many images are degraded, unless more or fewer are asked for."""

_DENOISERS = ("sca-unet.gaussian", "sca-unet.noise-blur", "wavelet")
_DEBLURRERS = ("wiener-deconv", "richardson-lucy", "sca-unet.noise-blur", "sca-unet.deblur")
_INPAINTERS = ("inpaint-tv", "inpaint-harmonic", "inpaint-biharmonic")
_OLD = ("sca-unet.old-photo", "gray-world")

RIVALS: Mapping[str, Sequence[str]] = {
    "gaussian": _DENOISERS,
    "poisson": _DENOISERS,
    "speckle": _DENOISERS,
    "salt-pepper": ("switching-median", "sca-unet.salt-pepper", "median"),
    "quantize": ("sca-unet.gaussian", "bilateral"),
    "gaussian-blur": _DEBLURRERS,
    "motion-blur": (*_DEBLURRERS, "sca-unet.motion"),
    "defocus": _DEBLURRERS,
    "dither": ("resnet.dither", "inverse-halftone"),
    "sand-dust": ("swm.sand-dust", "dedust", "gray-world"),
    "haze": ("dehaze", "sca-unet.haze"),
    "rain": ("sca-unet.rain", "median"),
    "low-light": ("sca-unet.low-light", "gray-world"),
    "moire": ("demoire", "sca-unet.moire"),
    "jpeg": ("deblock", "sca-unet.jpeg"),
    "scratches": ("sca-unet.old-photo", "median"),
    "fade": _OLD,
    "old-photo": _OLD,
    "holes": _INPAINTERS,
}
"""What else is meant for each damage; weights that do not ship are left out. `sca-unet.blind` is for all."""

_FOR_ALL = ("sca-unet.blind",)


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
        """Return the cell as JSON values."""
        best = self.best
        document = asdict(self) | {"named": dict(self.named), "rivals": dict(self.rivals)}
        return document | {"best": None if best is None else {"name": best[0], "psnr": best[1]}}


def bench_auto(
    test: Path,
    *,
    images: int = IMAGES,
    severities: Sequence[int] = SEVERITIES,
    damages: Sequence[str] = (),
    rivals: bool = True,
    progress: Progress | None = None,
) -> list[Cell]:
    """Degrade images in every way, let `--model auto` restore them, and compare.

    Degraded images are clipped and rounded to 8 bits, as files are, and the diagnosis sees nothing but
    their pixels. PSNR is that of `eval`.

    Args:
        test: Folder of clean images that nothing was fitted on.
        images: How many, taken evenly over the sorted folder.
        severities: Of `degrade`.
        damages: Only these degradations; by default all.
        rivals: Whether single models and methods are measured, too.
        progress: Progress callbacks.

    Raises:
        DataError: The folder is missing or empty.
    """
    files = evenly(walk(test), images)
    if not files:
        raise DataError("There is no image to measure on.", file=test)
    references = {file.relative.as_posix(): read_image(file.path).pixels for file in files}
    chosen = damages or tuple(DEGRADATIONS)
    kinds = [(NONE, 0), *((damage, severity) for damage in chosen for severity in severities)]
    progress = progress or SilentProgress()
    progress.start(len(kinds), "kinds of damage")
    bench = _Bench(references, rivals=rivals)
    cells = []
    for damage, severity in kinds:
        cells.append(bench.cell(damage, severity))
        progress.advance(f"{damage} {severity}")
    progress.finish()
    return cells


@dataclass(frozen=True, slots=True)
class _Example:
    degraded: Pixels
    reference: Pixels
    known: Context

    @property
    def comparable(self) -> bool:
        return self.degraded.shape == self.reference.shape


class _Bench:
    """What is measured on all cells, and the models that were loaded for it."""

    def __init__(self, references: Mapping[str, Pixels], *, rivals: bool) -> None:
        self._references = references
        self._rivals = rivals
        self._auto = AutoRestorer()
        self._loaded: dict[str, Restorer] = {}

    def cell(self, damage: str, severity: int) -> Cell:
        """Measure one damage of one severity."""
        examples = list(self._examples(damage, severity))
        outputs = [_restored(self._auto, example.degraded, Context()) for example in examples]
        diagnoses = self._auto.diagnoses[-len(examples) :]
        scores = [
            psnr(output, example.reference)
            for output, example in zip(outputs, examples, strict=True)
            if example.comparable
        ]
        before = [psnr(one.degraded, one.reference) for one in examples if one.comparable]
        return Cell(
            damage,
            severity,
            len(examples),
            dict(Counter(_named(diagnosis) for diagnosis in diagnoses).most_common()),
            float(np.mean([_is_right(diagnosis, damage) for diagnosis in diagnoses])),
            float(np.mean(before)) if before else None,
            float(np.mean(scores)) if scores else None,
            float(np.min(scores)) if scores else None,
            self._rival_scores(damage, examples) if self._rivals and before else {},
        )

    def _examples(self, damage: str, severity: int) -> Iterator[_Example]:
        for key, reference in self._references.items():
            if damage == NONE:
                yield _Example(reference, reference, Context())
                continue
            chain = Chain.from_specs([{"name": damage, "severity": severity}])
            worse, steps = degrade_array(reference, chain, 0, key)
            records = tuple(step.record() for step in steps)
            same = worse.shape == reference.shape
            size = (reference.shape[1], reference.shape[2])
            known = Context(
                operator=operator_of(records) if same else None,
                mask=damage_mask(size, steps, 0, key) if same else None,
            )
            yield _Example(_as_file(worse), reference, known)

    def _rival_scores(self, damage: str, examples: Sequence[_Example]) -> dict[str, float]:
        there = {*METHODS, *(entry.name for entry in shipped())}
        names = [name for name in (*RIVALS.get(damage, ()), *_FOR_ALL) if name in there]
        return {
            name: float(np.mean([self._score(self._restorer(name), example) for example in examples]))
            for name in dict.fromkeys(names)
        }

    def _restorer(self, name: str) -> Restorer:
        if name not in self._loaded:
            self._loaded[name] = choose_restorer(name)
        return self._loaded[name]

    def _score(self, restorer: Restorer, example: _Example) -> float:
        needs = {need.removesuffix("?") for need in restorer.spec.needs}
        document = Context(
            operator=example.known.operator if "operator" in needs else None,
            mask=example.known.mask if "mask" in needs else None,
        )
        return float(psnr(_restored(restorer, example.degraded, document), example.reference))


def _as_file(pixels: Pixels) -> Pixels:
    return np.rint(np.clip(pixels, 0, 1) * 255).astype(np.float32) / np.float32(255)


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
