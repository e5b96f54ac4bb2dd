"""From a name or a file to a restorer: the weights that ship, files of ours, and foreign checkpoints."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor, nn

from restorecli.core.card_reading import Card
from restorecli.core.device import pick_device, restoring_precision, warm_up
from restorecli.core.foreign import recognize, spandrel_files, translate
from restorecli.core.models.catalog import MODELS, create_model
from restorecli.core.models.dncnn import DnCnn
from restorecli.core.shipped import find_shipped
from restorecli.core.tensor_names import MORE_NETWORKS, unknown
from restorecli.core.torch_restorer import TorchRestorer
from restorecli.core.weights import is_ours, load_into, read_foreign, read_weights
from restorecli.errors import UsageError, WeightsError
from restorecli.heap import keep_large_blocks

CHECKPOINTS = (".safetensors", ".pth", ".pt", ".ckpt")
"""Suffixes of files that hold weights, ours or somebody else's."""


def load(
    name_or_file: str | Path,
    *,
    weights: str | Path | None = None,
    device: str | None = None,
    precision: str = "auto",
) -> TorchRestorer:
    """Return a network as a restorer that torch computes; see `restorecli.load`."""
    return load_with_card(name_or_file, weights=weights, device=device, precision=precision)[0]


def load_with_card(
    name_or_file: str | Path,
    *,
    weights: str | Path | None = None,
    device: str | None = None,
    precision: str = "auto",
) -> tuple[TorchRestorer, Card]:
    """Return a network as a restorer that torch computes, and its card; see `restorecli.load`."""
    warm_up(pick_device(device))
    with torch.random.fork_rng(devices=[]):  # of the start that is overwritten
        module, card, name = find_network(name_or_file, None if weights is None else Path(weights))
        losses = card.precision_loss
        network = as_restorer(module, name, device=device, precision_name=precision, losses=losses)
    return network, card


def as_restorer(
    module: nn.Module,
    name: str,
    *,
    device: str | None = None,
    precision_name: str = "auto",
    losses: Mapping[str, float] = MappingProxyType({}),
) -> TorchRestorer:
    """Return a trained network as a restorer; batch norms of DnCNN are merged into its convolutions.

    Args:
        module: The network.
        name: Name to print.
        device: Where to compute; None picks.
        precision_name: See `core.device.restoring_precision`.
        losses: PSNR that precisions lose with these weights, as the card says.
    """
    chosen = pick_device(device)
    dtype = restoring_precision(precision_name, chosen, losses)
    if chosen.type == "cpu":
        keep_large_blocks()
    if isinstance(module, DnCnn):
        module = module.fold()
    return TorchRestorer(module, name=name, device=chosen, dtype=dtype)


def find_network(name_or_file: str | Path, weights: Path | None = None) -> tuple[nn.Module, Card, str]:
    """Return a trained network, its card, and a name to print.

    Args:
        name_or_file: "model" or "model.tag", or a weights file of ours.
        weights: A foreign checkpoint for the network `name_or_file`.

    Raises:
        UsageError: The name is unknown.
        WeightsError: The weights are missing, damaged or do not fit.
    """
    if weights is not None:
        module, card = _foreign_network(str(name_or_file), weights)
        return module, card, f"{name_or_file} ({weights.name})"
    path = Path(name_or_file)
    if path.suffix in CHECKPOINTS:
        if path.suffix == ".safetensors" and (is_ours(path) or not path.is_file()):
            return *network_of(path), path.stem
        return _recognized(path)
    chosen = find_shipped(str(name_or_file))
    return *network_of(chosen.path), chosen.name


def _recognized(path: Path) -> tuple[nn.Module, Card, str]:
    """Build the network that somebody else's checkpoint is of, filled with its weights.

    Raises:
        WeightsError: It cannot be read, or it is not known which network it belongs to.
    """
    tensors = read_foreign(path)
    found = recognize(tensors)
    if found is not None:
        module = _build(found.model, found.arguments, path)
        load_into(module, found.tensors, file=path)
        card = _foreign_card(found.model, found.arguments, module, path, found.origin)
        return module, card, f"{found.model} ({path.name})"
    if not spandrel_files.is_installed():
        raise unknown(tensors, path, MORE_NETWORKS)
    network = spandrel_files.load(tensors, path, unknown(tensors, path))
    card = _foreign_card(network.architecture, {}, network, path, "read by spandrel")
    return network, card, f"{network.architecture} ({path.name})"


def _foreign_card(
    model: str, arguments: Mapping[str, Any], module: nn.Module, path: Path, origin: str = ""
) -> Card:
    """Return a card that says whose weights these are (as its summary), and that the rest is not known."""
    return Card(
        model,
        arguments,
        channels=getattr(module, "channels", 3),
        summary=origin,
        data=f"not known ({path.name})",
        licence="not known",
    )


def network_of(path: Path) -> tuple[nn.Module, Card]:
    """Build the network that a weights file of ours describes, filled with its weights.

    Raises:
        WeightsError: The file cannot be read, or describes a network that this version cannot build.
    """
    tensors, card = read_weights(path)
    return network_from(tensors, card, path), card


def network_from(tensors: Mapping[str, Tensor], card: Card, file: Path) -> nn.Module:
    """Build the network that a card describes, filled with tensors read with it; see `network_of`."""
    module = _build(card.model, card.arguments, file)
    load_into(module, tensors, file=file)
    return module


def _build(model: str, arguments: Mapping[str, Any], file: Path) -> nn.Module:
    """Build a network as a weights file asks for it, which is not to be trusted."""
    try:
        return create_model(model, **arguments)
    except UsageError as error:
        raise WeightsError(
            f"These weights are of a network that cannot be built here: {error.problem}",
            expected=error.expected,
            got=error.got,
            file=file,
            hint=error.hint,
        ) from error


def _foreign_network(model: str, path: Path) -> tuple[nn.Module, Card]:
    if model not in MODELS:
        MODELS.find(model.partition(".")[0])
        raise UsageError(
            "--weights goes with the plain name of a network.", expected=model.partition(".")[0], got=model
        )
    tensors, arguments = translate(model, read_foreign(path))
    module = _build(model, arguments, path)
    load_into(module, tensors, file=path)
    return module, _foreign_card(model, arguments, module, path)
