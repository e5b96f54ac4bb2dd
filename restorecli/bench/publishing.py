"""`bench card`: what a training reached, measured and written on the card of its weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from restorecli.bench.score_labels import Protocol, read_label
from restorecli.bench.weights import Measured, examples, measure
from restorecli.core.card_reading import Card, read_card
from restorecli.core.cards import to_markdown
from restorecli.core.models.catalog import create_model
from restorecli.core.torch_restorer import TorchRestorer
from restorecli.core.weights import digest_of, load_into, pack, read_weights
from restorecli.core.zoo import as_restorer
from restorecli.counting import counted
from restorecli.errors import DataError, UsageError
from restorecli.folders.jobs import Progress, SilentProgress
from restorecli.folders.places import make_folder
from restorecli.images.atomic import write_file
from restorecli.images.image import ImageData, Pixels
from restorecli.images.writing import write_image
from restorecli.restoration.adapter import MethodRestorer
from restorecli.restoration.image import ImageRestorer
from restorecli.restoration.methods.catalog import create_method

MAX_STORING_LOSS = 0.01
"""PSNR in dB that storing in 16 bits may cost; what costs more is stored in 32."""

MANY = 8
"""Scores on so many images or more have an interval; those on fewer also tell what other precisions lose."""

_SUFFIXES = ("safetensors", "md", "jpg")
_GAP = 6


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be measured and told.

    Attributes:
        labels: Scores to measure, as cards name them; see `score_labels.read_label`.
        rivals: Methods measured on the same images, for the labels of `MANY` of them or more.
        failures: What the weights are known to do badly, in a sentence or two.
        failure: The label of the images one of which shows that.
        image: Its name; empty takes the first.
        training: What the training record does not know, by name.
    """

    labels: Sequence[str]
    rivals: Sequence[str] = ()
    failures: str = ""
    failure: str = ""
    image: str = ""
    training: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Published:
    """Weights with what is known of them.

    Attributes:
        card: Their card.
        content: The bytes of the weights file.
        shown: The failure: degraded, restored and original side by side, (C, H, W); None if not asked for.
    """

    card: Card
    content: bytes
    shown: Pixels | None

    @property
    def name(self) -> str:
        """The name of the weights: "model.tag"."""
        return f"{self.card.model}.{self.card.tag}"

    def write(self, folder: Path) -> tuple[Path, ...]:
        """Write weights, page and image into a folder, over those of the same name; return their paths."""
        make_folder(folder, folder)
        weights, page, image = (folder / f"{self.name}.{suffix}" for suffix in _SUFFIXES)
        write_file(weights, self.content)
        if self.shown is None:
            write_file(page, to_markdown(self.card))
            return weights, page
        write_image(image, ImageData(self.shown), quality=88)
        write_file(page, to_markdown(self.card, image.name))
        return weights, page, image


def refuse_to_replace(path: Path, folder: Path) -> None:
    """Refuse a folder that holds weights of the same name, before hours are spent on new ones.

    Args:
        path: The weights file that is to be published.
        folder: Where to.

    Raises:
        UsageError: It holds a file that would be replaced.
        WeightsError: The weights cannot be read.
    """
    card = read_card(path)
    there = [file for suffix in _SUFFIXES if (file := folder / f"{card.model}.{card.tag}.{suffix}").exists()]
    if there:
        raise UsageError(
            "The file is there already.",
            file=there[0],
            unchanged="the file",
            hint="--overwrite, or another -o/--output",
        )


def publish(path: Path, data: Path, plan: Plan, progress: Progress | None = None) -> Published:
    """Measure what weights reach, and return them with all of it on their card.

    The tensors are stored in 16 bits where that loses less than `MAX_STORING_LOSS` dB on the labels of few
    images, and the scores are those of the stored tensors, in float32. What bfloat16 loses is the mean over
    those labels that have damage.

    Args:
        path: A weights file that `restorecli train` wrote.
        data: Holds the folders that the labels name.
        plan: What to measure and tell.
        progress: Progress callbacks.

    Raises:
        UsageError: A label cannot be read, its score is infinite, or a method is unknown.
        WeightsError: The weights are damaged, or not ours.
        DataError: Images are missing, or other than a label says.
    """
    tensors, card = read_weights(path)
    protocols = {label: _protocol(label) for label in plan.labels}
    shown = _protocol(plan.failure) if plan.failure else None
    # What is missing is told before hours are spent.
    for protocol in protocols.values():
        protocol.files(data)
    place = 0 if shown is None else _place(shown, data, plan.image)
    scale = _restorer(tensors, card, "fp32").spec.scale
    rivals = {name: _rival(name, scale) for name in plan.rivals}
    progress = progress or SilentProgress()
    progress.start(len(protocols), "scores")
    few = {label: protocol for label, protocol in protocols.items() if protocol.images < MANY}
    tensors, measured = _stored(tensors, card, few, data)
    restorer, rough = (_restorer(tensors, card, precision) for precision in ("fp32", "bf16"))
    scores = {label: score for label, score in card.scores.items() if read_label(label) is None}
    lost = []
    for label, protocol in protocols.items():
        found = measured.get(label) or measure(restorer, protocol, data)
        if not np.isfinite(found.psnr):
            raise UsageError(
                "This score is infinite: an image comes back as it was.",
                expected="labels whose images all differ from their reference when they are restored",
                got=label,
                hint="leave this --measure out, and say it in words",
            )
        scores[label] = _told(found, many=label not in few)
        if label in few and protocol.damage:
            lost.append(found.psnr - measure(rough, protocol, data).psnr)
        if label not in few:
            for name, rival in rivals.items():
                scores[label][f"{name}_psnr"] = round(measure(rival, protocol, data).psnr, 3)
        progress.advance(label)
    progress.finish()
    stored = {str(t.dtype).removeprefix("torch.") for t in tensors.values() if t.is_floating_point()}
    training = {**card.training, **plan.training, "stored": ", ".join(sorted(stored))}
    card = replace(
        card,
        scores=scores,
        training=training,
        precision_loss={"bf16": round(float(np.mean(lost)), 4)} if lost else {},
        failures=plan.failures,
        digest=digest_of(tensors),
    )
    image = None if shown is None else _shown(restorer, shown, data, place)
    return Published(card, pack(tensors, card), image)


def _protocol(label: str) -> Protocol:
    found = read_label(label)
    if found is None:
        raise UsageError(
            "This score cannot be measured.",
            expected='a label such as "cbsd68, gaussian sigma 25, 8 bits, seed 0, 68 images"',
            got=label,
            hint="the pages of shipped weights show many: restorecli models NAME",
        )
    return found


def _stored(
    tensors: dict[str, Tensor], card: Card, few: Mapping[str, Protocol], data: Path
) -> tuple[dict[str, Tensor], Mapping[str, Measured]]:
    """Return the tensors as they will be stored, in 16 bits if that was measured, and their scores."""
    half = {name: t.half() if t.is_floating_point() else t for name, t in tensors.items()}
    exact, rounded = (_restorer(each, card, "fp32") for each in (tensors, half))
    scores, halved = {}, {}
    for label, protocol in few.items():
        scores[label], halved[label] = (measure(each, protocol, data) for each in (exact, rounded))
    loss = max((scores[label].psnr - halved[label].psnr for label in few), default=np.inf)
    return (tensors, scores) if loss > MAX_STORING_LOSS else (half, halved)


def _restorer(tensors: Mapping[str, Tensor], card: Card, precision: str) -> TorchRestorer:
    with torch.random.fork_rng(devices=[]):  # of the start that is overwritten
        network = create_model(card.model, **card.arguments)
    load_into(network, dict(tensors), file=Path(f"{card.model}.{card.tag}"))
    return as_restorer(network, card.model, device="cpu", precision_name=precision)


def _rival(name: str, scale: int) -> MethodRestorer:
    return MethodRestorer(create_method(name, {"factor": scale} if scale > 1 else {}))


def _told(found: Measured, *, many: bool) -> dict[str, Any]:
    told: dict[str, Any] = {"psnr": round(found.psnr, 3)}
    if many and found.interval is not None:
        told["psnr_interval"] = [round(end, 2) for end in found.interval]
    told["ssim"] = round(found.ssim, 4)
    if np.isfinite(found.degraded_psnr):
        told["degraded_psnr"] = round(found.degraded_psnr, 3)
    return told


def _place(protocol: Protocol, data: Path, image: str) -> int:
    """Return which of a protocol's images has a name; the first without one.

    Raises:
        DataError: None has.
    """
    names = [file.relative.as_posix() for file in protocol.files(data)]
    if image and image not in names:
        expected = f"{names[0]} or another of {counted(len(names), 'image')}"
        raise DataError("The image that shows a failure is not there.", expected=expected, got=image)
    return names.index(image) if image else 0


def _shown(restorer: TorchRestorer, protocol: Protocol, data: Path, place: int) -> Pixels:
    """Return one image degraded, restored and as it was, with white between them."""
    degraded, reference = next(islice(examples(protocol, data), place, None))
    restored = ImageRestorer(restorer)(ImageData(degraded))[0].pixels
    times = reference.shape[1] // degraded.shape[1]
    height, channels = reference.shape[1], len(reference)
    gap = np.ones((channels, height, _GAP), np.float32)
    panels = [degraded.repeat(times, 1).repeat(times, 2), gap, restored, gap, reference]
    return np.concatenate(panels, axis=2).clip(0, 1).astype(np.float32)
