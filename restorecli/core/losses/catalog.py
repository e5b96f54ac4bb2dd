"""Every loss by its recipe name: a file beside this one and a line here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, TypeAlias

from restorecli.catalogs import Catalog, Entry, OwnParts, check_arguments
from restorecli.core.losses.limits import LIMITS
from restorecli.errors import UsageError

if TYPE_CHECKING:
    from torch import nn

Build: TypeAlias = "Callable[..., nn.Module]"


def _entry(name: str, place: str, summary: str) -> Entry[Build]:
    return Entry(name, f"restorecli.core.losses.{place}", summary)


_ENTRIES: tuple[Entry[Build], ...] = (
    _entry("l1", "pixel:L1Loss", "mean absolute difference"),
    _entry("mse", "pixel:MseLoss", "mean squared difference"),
    _entry("charbonnier", "pixel:CharbonnierLoss", "mean sqrt(d^2 + eps^2)"),
    _entry("ssim", "structure:SsimLoss", "1 - SSIM, 11x11 Gaussian window"),
    _entry("edge", "edge:EdgeLoss", "Charbonnier distance of Laplacians"),
    _entry("frequency", "frequency:FrequencyLoss", "mean absolute difference of Fourier transforms"),
    _entry("psnr", "pixel:PsnrLoss", "negative PSNR of each image, in dB"),
)

LOSSES = Catalog("loss", _ENTRIES, own=OwnParts("restorecli.losses", "torch.nn:Module", Entry[Build]))


def create_loss(name: str, /, **arguments: object) -> nn.Module:
    """Build a loss by name.

    Raises:
        UsageError: There is no such loss, an argument is misspelled, or its value is not possible.

    Example:
        >>> create_loss("charbonnier", eps=0.01)
        CharbonnierLoss()
    """
    entry = LOSSES.find(name)
    check_arguments(f"The loss {entry.name}", arguments, entry.arguments())
    try:
        return entry.load()(**arguments)
    except (ValueError, TypeError) as error:
        raise _refused(entry.name, error) from error


def check_limits(name: str, arguments: Mapping[str, object]) -> None:
    """Refuse what a loss would refuse, in its own words; the loss is not imported.

    Args:
        name: The loss.
        arguments: By name; the others are its defaults.

    Raises:
        UsageError: There is no such loss, or a value is not possible.
    """
    entry = LOSSES.find(name)
    try:
        entry.call(LIMITS.get(entry.name), arguments)
    except (ValueError, TypeError) as error:
        raise _refused(entry.name, error) from error


def _refused(name: str, error: Exception) -> UsageError:
    return UsageError(f"Invalid arguments for the loss {name}.", got=str(error))
