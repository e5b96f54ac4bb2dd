"""Exporting a trained network to ONNX: written, compared with torch, and only then given its name."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch

from restorecli.core.card_reading import Card
from restorecli.core.onnx.graph import to_onnx
from restorecli.core.restorer import PaddingRestorer, pad_to_multiple
from restorecli.core.torch_restorer import TorchRestorer
from restorecli.core.zoo import as_restorer, find_network
from restorecli.errors import UsageError, WeightsError
from restorecli.images.atomic import atomic_write
from restorecli.restoration.onnx_runtime import SUFFIX, OnnxRestorer, require

TOLERANCE = 1e-4
"""Largest difference to torch with which an export is accepted, range [0, 1]."""

_CHECKED = ((1, 37, 53), (2, 88, 24), (1, 1, 1))
"""Batch, height and width of the images that are compared; padded to the network's multiple."""


@dataclass(frozen=True, slots=True)
class Exported:
    """An export that was checked.

    Attributes:
        output: The ONNX file.
        model: Name of what was exported.
        bytes: Size of the file.
        difference: Largest difference to torch over the images that were compared, range [0, 1].
    """

    output: Path
    model: str
    bytes: int
    difference: float

    def to_dict(self) -> dict[str, object]:
        """Return the export JSON-ready."""
        return {
            "command": "export",
            "output": str(self.output),
            "model": self.model,
            "bytes": self.bytes,
            "difference": self.difference,
            "tolerance": TOLERANCE,
        }


def export_model(
    model: str | Path,
    output: Path | None = None,
    *,
    weights: Path | None = None,
    overwrite: bool = False,
) -> Exported:
    """Export a trained network to one ONNX file with free batch, height and width.

    Args:
        model: "model" or "model.tag" that ships, or a weights file of ours.
        output: The file to write; None takes NAME.onnx in the current folder.
        weights: A foreign checkpoint for the network `model`.
        overwrite: Replace a file that is there.

    Raises:
        UsageError: The name is unknown, the file is there already or not called .onnx, or a package is
            missing.
        WeightsError: The weights are missing or damaged, or the graph does not compute what torch computes.
        DataError: The folder does not exist or cannot be written to.
        ResourceError: The disk is full.
    """
    require("onnx", "onnxruntime")
    network, card, name = find_network(model, weights)
    plain_name = Path(model).stem if Path(model).suffix == ".safetensors" else str(model if weights else name)
    target = _target(output, plain_name, overwrite=overwrite)
    restorer = as_restorer(network, name, device="cpu")
    return write_export(restorer, card, target)


def write_export(restorer: TorchRestorer, card: Card, target: Path) -> Exported:
    """Write an ONNX file of a network, which gets its name only after it was compared with torch.

    Raises:
        WeightsError: They differ by more than `TOLERANCE`; nothing is left of the file.
    """
    footprints = {kind: restorer.footprint(kind) for kind in (1, 3)}
    raw = to_onnx(restorer, card, {kind: (f.linear, f.quadratic) for kind, f in footprints.items()})
    with atomic_write(target, needed=len(raw)) as temporary:
        temporary.write_bytes(raw)
        difference = largest_difference(restorer, OnnxRestorer(temporary, device="cpu"))
        if not difference <= TOLERANCE:
            raise WeightsError(
                f"The exported graph of {restorer.spec.name} does not compute what torch computes.",
                expected=f"a difference of at most {TOLERANCE:g}",
                got=f"{difference:.3g}",
                file=target,
                unchanged="whatever stood under this name",
            )
    return Exported(target, restorer.spec.name, len(raw), difference)


def largest_difference(one: PaddingRestorer, other: PaddingRestorer) -> float:
    """Return the largest difference of two restorers of one network on random images, before clipping."""
    random = torch.Generator().manual_seed(0)
    differences = []
    for count, height, width in _CHECKED:
        batch = torch.rand(count, one.spec.channels, height, width, generator=random)
        padded = pad_to_multiple(batch, one.spec.multiple)
        differences.append((one.compute(padded) - other.compute(padded)).abs().max())
    return float(torch.stack(differences).max())


def _target(output: Path | None, name: str, *, overwrite: bool) -> Path:
    target = Path(f"{name}{SUFFIX}") if output is None else output
    if target.suffix != SUFFIX:
        raise UsageError(
            "The file must be called .onnx.", expected=f"a name that ends in {SUFFIX}", got=str(target)
        )
    if target.exists() and not overwrite:
        raise UsageError(
            "The file is there already.",
            file=target,
            unchanged="the file",
            hint="--overwrite, or another -o/--output",
        )
    return target
