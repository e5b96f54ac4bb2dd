"""Networks from Python: untrained as a torch module, or trained and ready to restore."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from restorecli.api.wording import in_python_words
from restorecli.core.models.catalog import create_model as build
from restorecli.restoration.choice import choose_restorer
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
    name_or_file: str | Path,
    *,
    weights: str | Path | None = None,
    device: str | None = None,
    precision: str = "auto",
) -> Restorer:
    """Load a trained network, or a method that needs no training, ready to restore.

    Args:
        name_or_file: "model", "model.tag" or a method of `restorecli models`, or a file that
            `restorecli train` or `restorecli export` wrote.
        weights: A foreign checkpoint (.pth or .safetensors) for the network `name_or_file`.
        device: "cuda", "mps" or "cpu"; by default the first of these that is there.
        precision: "auto", "fp32", "bf16" or "fp16".

    Returns:
        A restorer: called with a float32 (N, C, H, W) batch in [0, 1], C = 1 or 3 and any H and W, it
        returns the restored batch in the same shape (times its scale) and range.

    Raises:
        UsageError: The name is unknown, or a package for an exported file is missing.
        WeightsError: The weights are missing, damaged or do not fit.

    Example:
        >>> import restorecli, torch
        >>> restorer = restorecli.load("tv")
        >>> restorer(torch.zeros(2, 3, 20, 30)).shape
        torch.Size([2, 3, 20, 30])
    """
    return choose_restorer(name_or_file, weights=weights, device=device, precision=precision)
