"""A network against scratches changes marks that look like paint, and nothing else.

Such a network is trained to give back sound pixels as they came, but never quite does, and of images unlike
those that it was trained on it takes highlights, letters and wires for scratches. What it took away is
judged, mark by mark; everywhere but on and near the marks that are believed its input is given back.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy import ndimage
from torch import Tensor

from restorecli.core.footprint import Footprint
from restorecli.core.restorer import RestorerSpec, is_finite
from restorecli.counting import counted
from restorecli.diagnosis.second_look import marks
from restorecli.diagnosis.second_look.marks import MARKS_TABLE, find_marks, paint_chances
from restorecli.images.image import Pixels
from restorecli.restoration.context import Context
from restorecli.restoration.restorer import Restorer

_BELIEVED = 0.5
"""Chance of being paint above which a mark is filled: more often right than wrong."""

_SURE, _BESIDE = 0.9, 0.4
"""Chance above which a mark is sure, and that above which others beside a sure one are filled: chosen for the
PSNR of scratched training photographs."""

_WHOLE_WITHIN, _REACH = 1.0, 4.0
"""Pixels from a mark up to which the network's result is taken whole, and from which not at all."""


class OnlyMarks(Restorer):
    """A network against scratches, of whose changes only those of marks that look like paint stay.

    Args:
        network: What takes scratches away, of the size that it was given.
    """

    def __init__(self, network: Restorer) -> None:
        self.network = network

    def __repr__(self) -> str:
        """Return the network's words."""
        return f"<only the marks of {self.network!r}>"

    @property
    def spec(self) -> RestorerSpec:
        """That of the network."""
        return self.network.spec

    @property
    def device(self) -> torch.device:
        """Where the network computes."""
        return self.network.device

    @property
    def backend_reason(self) -> str:
        """Why the network's runtime computes."""
        return self.network.backend_reason

    @property
    def streams(self) -> bool:
        """Whether rows are enough: of an image that memory cannot hold each tile is judged by itself."""
        return self.network.streams

    def identity(self) -> Mapping[str, Any]:
        """Return that of the network, and a digest of what judges marks."""
        return {**self.network.identity(), "only_marks": _digest()}

    def footprint(self, channels: int) -> Footprint:
        """Return what images take in the network."""
        return self.network.footprint(channels)

    def steps(self, pixels: Pixels, context: Context) -> Sequence[Restorer]:
        """Return what keeps the input of the network, the network, and what gives it back but for marks."""
        keep = _Kept()
        return (keep, *self.network.steps(pixels, context), _GivenBack(keep, context))

    def in_float32(self) -> OnlyMarks | None:
        """Return the same with the network in float32, or None if it is that already."""
        precise = self.network.in_float32()
        return None if precise is None else OnlyMarks(precise)

    def unchecked(self, batch: Tensor) -> Tensor:
        """Restore a batch, image by image; what is not finite comes back as NaN."""
        return _judged(batch, self.network.unchecked(batch), None)

    def __call__(self, batch: Tensor) -> Tensor:
        """Restore (N, C, H, W), image by image; see `PaddingRestorer` for the errors."""
        return _judged(batch, self.network(batch), None)


class _Kept(Restorer):
    """Remembers what the network is given."""

    batch: Tensor

    @property
    def spec(self) -> RestorerSpec:
        return RestorerSpec(name="input", channels=3, whole=True)

    def __call__(self, batch: Tensor) -> Tensor:
        self.batch = batch.clone()
        return batch


class _GivenBack(Restorer):
    """Gives back what the network was given, but for marks."""

    def __init__(self, kept: _Kept, context: Context) -> None:
        self._kept = kept
        self._context = context

    @property
    def spec(self) -> RestorerSpec:
        return RestorerSpec(name="only marks", channels=3, whole=True)

    def __call__(self, batch: Tensor) -> Tensor:
        return _judged(self._kept.batch, batch, self._context)


@dataclass(frozen=True, slots=True)
class Judged:
    """What a network against scratches may change.

    Attributes:
        pixels: (C, H, W): the input but on and near believed marks, where it is what the network made of it.
        count: How many marks are believed.
        share: Of the image's pixels that changed.
    """

    pixels: Pixels
    count: int
    share: float


def only_marks(before: Pixels, after: Pixels) -> Judged:
    """Give back what a network changed elsewhere than on and near marks that look like paint.

    Args:
        before: (C, H, W) float32, C = 1 or 3, nominally in [0, 1].
        after: The same as restored.
    """
    # What a network clips was not taken away.
    taken = find_marks(255 * before.clip(0, 1), 255 * after)
    chances = paint_chances(taken.found)
    limit = _BESIDE if chances.max(initial=0.0) > _SURE else _BELIEVED
    believed = np.concatenate([[False], chances > limit])
    if not believed.any():
        return Judged(before, 0, 0.0)
    away = ndimage.distance_transform_edt(~believed[taken.numbers])
    part = np.clip((_REACH - away) / (_REACH - _WHOLE_WITHIN), 0, 1).astype(np.float32)
    # Sums would round: where nothing changes it is the input itself.
    pixels = np.where(part > 0, before + part * (after - before), before)
    return Judged(pixels, int(np.count_nonzero(believed)), float(np.count_nonzero(part) / part.size))


def _judged(before: Tensor, after: Tensor, context: Context | None) -> Tensor:
    """Return (N, C, H, W) with the marks of each image filled; what is not finite stays so."""
    if not is_finite(after):
        return after
    given, made = (batch.detach().cpu().float().numpy() for batch in (before, after))
    judged = [only_marks(*pair) for pair in zip(given, made, strict=True)]
    if context is not None:
        for one in judged:
            context.note({"marks": one.count, "marks_share": round(one.share, 6)})
            context.found.notes.append(_words(one))
    return torch.from_numpy(np.stack([one.pixels for one in judged])).to(after.device)


def _words(judged: Judged) -> str:
    if not judged.count:
        return "nothing looks like a scratch or dust: no pixel was changed"
    return f"{counted(judged.count, 'mark')} filled, {100 * judged.share:.2f} % of the image"


@cache
def _digest() -> str:
    """Return a digest of what judges marks: code and table."""
    content = hashlib.sha256()
    for file in (Path(__file__), Path(marks.__file__), MARKS_TABLE):
        content.update(file.read_bytes())
    return content.hexdigest()[:16]
