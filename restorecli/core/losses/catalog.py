"""Every loss by its recipe name: a file beside this one and a line here."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

from restorecli.catalogs import Catalog, Entry, OwnParts, check_arguments
from restorecli.errors import UsageError

if TYPE_CHECKING:
    from torch import nn

Build: TypeAlias = "Callable[..., nn.Module]"

_ENTRIES: tuple[Entry[Build], ...] = (
    Entry("l1", "restorecli.core.losses.pixel:L1Loss", "mean absolute difference"),
    Entry("mse", "restorecli.core.losses.pixel:MseLoss", "mean squared difference"),
    Entry("charbonnier", "restorecli.core.losses.pixel:CharbonnierLoss", "mean sqrt(d^2 + eps^2)"),
    Entry("ssim", "restorecli.core.losses.structure:SsimLoss", "1 - SSIM, 11x11 Gaussian window"),
    Entry("edge", "restorecli.core.losses.edge:EdgeLoss", "Charbonnier distance of Laplacians"),
    Entry(
        "frequency",
        "restorecli.core.losses.frequency:FrequencyLoss",
        "mean absolute difference of Fourier transforms",
    ),
    Entry("psnr", "restorecli.core.losses.pixel:PsnrLoss", "negative PSNR of each image, in dB"),
)

LOSSES = Catalog("loss", _ENTRIES, own=OwnParts("restorecli.losses", "torch.nn:Module", Entry[Build]))


def create_loss(name: str, /, **arguments: object) -> nn.Module:
    """Build a loss by name.

    Raises:
        UsageError: There is no such loss, an argument is misspelt, or its value is not possible.
    """
    entry = LOSSES.find(name)
    check_arguments(f"The loss {entry.name}", arguments, entry.arguments())
    try:
        return entry.load()(**arguments)
    except (ValueError, TypeError) as error:
        raise UsageError(f"Invalid arguments for the loss {entry.name}.", got=str(error)) from error
