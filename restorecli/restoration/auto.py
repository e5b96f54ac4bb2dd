"""`--model auto`: each image is diagnosed, and what helps against its damage is applied."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from restorecli.core.device import pick_device, warm_up
from restorecli.core.restorer import RestorerSpec
from restorecli.core.shipped import shipped
from restorecli.degradation.operator_words import operator_named
from restorecli.images.image import Pixels
from restorecli.restoration.adapter import MethodRestorer
from restorecli.restoration.backends import load_network
from restorecli.restoration.bordered import BorderedRestorer
from restorecli.restoration.context import DIAGNOSIS, KEPT_MEANS, LEFT, Context, Example
from restorecli.restoration.image import ImageRestorer
from restorecli.restoration.methods.catalog import METHODS, create_method
from restorecli.restoration.purposes import for_its_purpose
from restorecli.restoration.restorer import Restorer

# What diagnoses images is imported where it is used: half a second that other models need not wait for.
if TYPE_CHECKING:
    from restorecli.diagnosis.result import Diagnosis, Step

_DIAGNOSIS = Path(__file__).parents[1] / "diagnosis"
_DECIDING = (".py", ".json", ".safetensors")
"""Suffixes of what decides about damage: code, tables and networks."""

AUTO = "auto"
"""The name of the restorer that finds out what each image needs."""


class AutoRestorer(Restorer):
    """A restorer that finds out what each image needs, and leaves images without damage as they are.

    Args:
        device: Where networks compute; see `restorecli.load`.
        precision: Of networks.
        ensemble: Of networks: the mean over turned and mirrored ways.
        backend: What computes networks; see `backends`.

    Attributes:
        diagnoses: What was found, image by image.
    """

    def __init__(
        self,
        *,
        device: str | None = None,
        precision: str = "auto",
        ensemble: bool = False,
        backend: str = "torch",
    ) -> None:
        self.diagnoses: list[Diagnosis] = []
        self._precision = precision
        self._device = pick_device(device)
        warm_up(self._device)
        self._ensemble = ensemble
        self._backend = backend
        self._networks: dict[str, Restorer] = {}

    def __repr__(self) -> str:
        """Return its name, and where networks compute."""
        return f"<{AUTO} on {self._device}>"

    @property
    def spec(self) -> RestorerSpec:
        """Any image, of its own size."""
        return RestorerSpec(name=AUTO, channels=3)

    @property
    def device(self) -> torch.device:
        """Where networks compute."""
        return self._device

    @property
    def found(self) -> Sequence[str]:
        """What was found and done: "4 images: JPEG, quality about 20 -> deblock"."""
        from restorecli.diagnosis.files import kinds

        return kinds(self.diagnoses)

    def hand_over(self) -> Sequence[Diagnosis]:
        """Return the diagnoses, and forget them."""
        found, self.diagnoses = self.diagnoses, []
        return found

    def take_over(self, found: Sequence[Diagnosis]) -> None:
        """Add the diagnoses of another process."""
        self.diagnoses += found

    def identity(self) -> Mapping[str, Any]:
        """Return what its results depend on: how damage is found and treated, and how networks compute."""
        identity = {
            "name": AUTO,
            "weights": _digest(),
            "precision": self._precision,
        }
        if self._backend != "torch":
            identity["backend"] = self._backend
        return {**identity, "ensemble": True} if self._ensemble else identity

    def steps(self, pixels: Pixels, context: Context) -> Sequence[Restorer]:
        """Return what helps against the damage of one image, in order; nothing where it has none."""
        from restorecli.diagnosis.behind_marks import look_behind_marks
        from restorecli.diagnosis.diagnosing import FileInfo, looked_at
        from restorecli.diagnosis.files import file_info
        from restorecli.diagnosis.large import diagnose_any_size
        from restorecli.diagnosis.measured import as_measured
        from restorecli.diagnosis.second_look.confirming import confirm

        example = context.like or Example(pixels)
        if example.diagnosis is None:
            info = FileInfo() if context.file is None else file_info(context.file)
            clipped = np.clip(example.pixels, 0, 1)
            found = diagnose_any_size(clipped, info)
            if context.measured:
                found = as_measured(found, clipped)
            seen = looked_at(clipped, found.inside)
            found = confirm(found, seen, self.restored_by)
            example.diagnosis = look_behind_marks(found, seen, self.restored_by, _without_marks)
        diagnosis = example.diagnosis
        if context.measured and diagnosis.steps and not _replaces_pixels(diagnosis):
            context.note({KEPT_MEANS: True})
        if diagnosis.left:
            context.note({LEFT: ", ".join(diagnosis.left)})
        self.diagnoses.append(diagnosis)
        context.note({DIAGNOSIS: str(diagnosis), "confidence": round(diagnosis.confidence, 3)})
        if diagnosis.inside is None or not diagnosis.steps:
            return self._applied(diagnosis.steps, pixels, context)
        return (BorderedRestorer(diagnosis.inside, partial(self._applied, diagnosis.steps), context),)

    def _applied(self, steps: Sequence[Step], pixels: Pixels, context: Context) -> Sequence[Restorer]:
        return [restorer for step in steps for restorer in self._apply(step, pixels, context)]

    def _apply(self, step: Step, pixels: Pixels, context: Context) -> Sequence[Restorer]:
        from restorecli.diagnosis.measuring.holes import find_holes

        told = replace(
            context,
            sigma=step.sigma,
            operator=operator_named((step.operator,)) if step.operator else None,
            mask=find_holes(pixels)[0] if step.mask else None,
        )
        if step.model in METHODS:
            return MethodRestorer(create_method(step.model, step.parameters)).steps(pixels, told)
        return for_its_purpose(self._network(step.model)).steps(pixels, told)

    def _network(self, name: str) -> Restorer:
        if name not in self._networks:
            network = load_network(
                name, device=str(self._device), precision=self._precision, backend=self._backend
            )
            network.ensemble = self._ensemble
            self._networks[name] = network
        return self._networks[name]

    def restored_by(self, name: str, pixels: Pixels) -> Pixels:
        """Return what the weights of a name make of an image, in [0, 1].

        Args:
            name: Of shipped weights.
            pixels: (C, H, W) float32 in [0, 1].
        """
        return ImageRestorer(self._network(name)).restore(pixels)[0].clip(0, 1)

    def __call__(self, batch: Tensor) -> Tensor:
        """Restore (N, C, H, W), image by image, each with what it needs."""
        return torch.stack([self._restored(image) for image in batch])

    def _restored(self, image: Tensor) -> Tensor:
        restored = image[None].float()
        for step in self.steps(image.detach().cpu().float().numpy(), Context()):
            restored = step(restored)
        return restored[0]


def _without_marks(before: Pixels, after: Pixels) -> Pixels:
    from restorecli.restoration.only_marks import only_marks

    return only_marks(before, after).pixels


def _replaces_pixels(diagnosis: Diagnosis) -> bool:
    """Tell whether single pixels were replaced, such as hot ones: their brightness was no measurement."""
    return any(finding.damage == "salt-pepper" for finding in diagnosis.findings)


@cache
def _digest() -> str:
    """Return a digest of what decides about a result: code and data of the diagnosis, and shipped weights.

    Of a change of the code it is not known whether it changes a result: it counts as one.
    """
    from restorecli.diagnosis.remedies import treatments

    here = Path(__file__)
    files = [
        here,
        here.with_name("bordered.py"),
        here.with_name("keep_means.py"),
        here.with_name("only_marks.py"),
        here.parent / "methods" / "anscombe.py",
        here.parents[1] / "images" / "measured.py",
    ]
    files += sorted(file for file in _DIAGNOSIS.rglob("*") if file.suffix in _DECIDING)
    treating = treatments()
    files += [entry.path for entry in shipped() if entry.name in treating]
    content = hashlib.sha256()
    for file in files:
        content.update(file.read_bytes())
    return content.hexdigest()[:16]
