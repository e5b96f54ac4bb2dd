"""Networks from Python: untrained as a torch module, or trained and ready to restore."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from restorecli.api.wording import in_python_words
from restorecli.core.models.catalog import check_stated
from restorecli.core.models.catalog import create_model as build
from restorecli.core.restorer import RestorerSpec
from restorecli.core.torch_restorer import TorchRestorer
from restorecli.core.zoo import as_restorer
from restorecli.errors import UsageError
from restorecli.restoration.choice import choose_restorer
from restorecli.restoration.known import Known
from restorecli.restoration.restorer import Restorer

if TYPE_CHECKING:
    from torch import nn


@in_python_words
def create_model(name: str, **arguments: object) -> nn.Module:
    """Build an untrained network.

    Args:
        name: A name of `restorecli models`, e.g. "sca-unet".
        arguments: The network's own arguments, e.g. `channels=1`; a misspelled one is an error.

    Returns:
        A torch module that maps (N, C, H, W) to the same shape (times its scale), float32, range [0, 1].

    Raises:
        UsageError: The name or an argument is unknown.

    Example:
        >>> import restorecli, torch
        >>> network = restorecli.create_model("dncnn", channels=1, depth=3)
        >>> network(torch.zeros(1, 1, 16, 16)).shape
        torch.Size([1, 1, 16, 16])
    """
    return build(name, **arguments)


@in_python_words
def load(
    name_or_file: str | Path | nn.Module,
    *,
    weights: str | Path | None = None,
    device: str | None = None,
    precision: str = "auto",
) -> Restorer:
    """Load a trained network, or a method that needs no training, ready to restore.

    Args:
        name_or_file: "model", "model.tag" or a method of `restorecli models`, or a file that
            `restorecli train` or `restorecli export` wrote. Or a network of your own, from (N, C, H, W) in
            [0, 1] to the same, with the attributes `channels`, `scale`, `multiple` (of which sides must be
            multiples) and `receptive_field` (the side of the square that a pixel depends on; None for the
            whole image).
        weights: A foreign checkpoint (.pth or .safetensors) for the network `name_or_file`.
        device: "cuda", "mps" or "cpu"; by default the first of these that is there.
        precision: "auto", "fp32", "bf16" or "fp16".

    Returns:
        A restorer: called with a float32 (N, C, H, W) batch in [0, 1], C = 1 or 3 and any H and W, it
        returns the restored batch in the same shape (times its scale) and range.

    Raises:
        UsageError: The name is unknown, a package for an exported file is missing, or a network lacks
            attributes.
        WeightsError: The weights are missing, damaged or do not fit.

    Example:
        >>> import restorecli, torch
        >>> restorer = restorecli.load("tv")
        >>> restorer(torch.zeros(2, 3, 20, 30)).shape
        torch.Size([2, 3, 20, 30])
    """
    return restorer_of(name_or_file, weights=weights, device=device, precision=precision)


def restorer_of(
    model: str | Path | Restorer | nn.Module,
    *,
    parameters: Mapping[str, object] | None = None,
    weights: str | Path | None = None,
    known: Known | None = None,
    device: str | None = None,
    precision: str = "auto",
    ensemble: bool = False,
) -> Restorer:
    """Return the restorer that a name stands for, one as it is, or a network as one.

    Args:
        model: See `restorecli.restore_image`.
        parameters: Of a method that is named.
        weights: A foreign checkpoint for a network that is named.
        known: What the caller says about the images; see `choose_restorer`, also for what follows. A restorer
            keeps what it was made with.
        device: Where a network computes.
        precision: Of a network.
        ensemble: Of a network.

    Raises:
        UsageError: It is none of these, a network lacks attributes, or something is given beside one that is
            for names alone.
    """
    if isinstance(model, str | Path):
        return choose_restorer(
            model,
            parameters=parameters,
            weights=weights,
            known=known,
            device=device,
            precision=precision,
            ensemble=ensemble,
        )
    for name, given in {"parameters": parameters, "weights": weights}.items():
        if given:
            raise UsageError(
                f"{name} are for models that are named.",
                expected=f"a name beside {name}, or a network alone",
                got=f"{type(model).__name__} beside {name}",
            )
    from torch import nn

    if isinstance(model, nn.Module):
        network = _own_network(model, device, precision)
        network.ensemble = ensemble
        return network
    if isinstance(getattr(model, "spec", None), RestorerSpec):
        return model
    raise UsageError(
        "This is nothing that restores.",
        expected="a name, a file, what `restorecli.load` returned, or a torch.nn.Module",
        got=type(model).__name__,
    )


def _own_network(network: nn.Module, device: str | None, precision: str) -> TorchRestorer:
    """Return a network that is no name's as a restorer.

    Raises:
        UsageError: It does not say what must be known of it.
    """
    name = type(network).__name__
    check_stated(name, network)
    return as_restorer(network, name, device=device, precision_name=precision)
