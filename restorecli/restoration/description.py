"""What a file of weights holds, for people and programs, without restoring anything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from restorecli.core.card_reading import Card
from restorecli.core.restorer import RestorerSpec
from restorecli.core.zoo import as_restorer, find_network
from restorecli.restoration.onnx_runtime import SUFFIX, load_onnx


@dataclass(frozen=True, slots=True)
class FileDescription:
    """What a file of weights holds.

    Attributes:
        file: The file.
        network: Name of the network: of the catalog, or spandrel's.
        origin: What it is: the card's summary, or whose layout of names a foreign checkpoint has.
        arguments: The network's arguments, as the card or the shapes say them.
        channels: 1 for gray, 3 for RGB.
        scale: Sides of the output divided by those of the input.
        receptive_field: Side of the square that one pixel depends on; None for the whole image.
        takes_sigma: Whether it is told the level of the noise (`--sigma`).
        parameters: Number of parameters; None for an exported graph.
        scores: Scores reached, by set and protocol; empty where they are not known.
        data: What it was trained on.
        licence: Of the weights.
    """

    file: str
    network: str
    origin: str
    arguments: Mapping[str, Any]
    channels: int
    scale: int
    receptive_field: int | None
    takes_sigma: bool
    parameters: int | None
    scores: Mapping[str, Any]
    data: str
    licence: str

    def to_dict(self) -> dict[str, Any]:
        """Return the description JSON-ready."""
        return asdict(self)


def describe_file(path: Path) -> FileDescription:
    """Say what a file of weights holds: one of ours, an exported graph, or somebody else's checkpoint.

    Args:
        path: A .safetensors, .pth, .pt, .ckpt or .onnx file.

    Raises:
        WeightsError: It is missing or damaged, or it is not known which network it belongs to.
        UsageError: A package for an exported graph is missing.
    """
    if path.suffix == SUFFIX:
        graph = load_onnx(path, device="cpu")
        return _described(path, graph.spec, graph.card, None)
    module, card, name = find_network(path)
    parameters = sum(parameter.numel() for parameter in module.parameters())
    spec = as_restorer(module, name, device="cpu").spec
    return _described(path, spec, card, parameters)


def _described(path: Path, spec: RestorerSpec, card: Card, parameters: int | None) -> FileDescription:
    return FileDescription(
        file=str(path),
        network=card.model,
        origin=card.summary,
        arguments=card.arguments,
        channels=spec.channels,
        scale=spec.scale,
        receptive_field=spec.receptive_field,
        takes_sigma="sigma?" in spec.needs,
        parameters=parameters,
        scores=card.scores,
        data=card.data,
        licence=card.licence,
    )
