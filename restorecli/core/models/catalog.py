"""Every network by its command-line name: one line each, nothing found by scanning."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from torch import nn

from restorecli.core.models.dncnn import DnCnn
from restorecli.core.models.sca_unet import ScaUNet
from restorecli.core.models.unet import UNet
from restorecli.errors import UsageError


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """A network of the catalog.

    Attributes:
        name: The name on the command line.
        build: The class; its keyword arguments are the network's arguments.
        summary: What it is, in one line.
        reference: The paper it comes from.
        default_tag: The weights that the bare name stands for, or None where none ship.
    """

    name: str
    build: Callable[..., nn.Module]
    summary: str
    reference: str
    default_tag: str | None = None

    def arguments(self) -> tuple[str, ...]:
        """Return the names of the network's arguments."""
        return tuple(inspect.signature(self.build).parameters)


_ENTRIES = (
    ModelEntry(
        "sca-unet",
        ScaUNet,
        "residual U-Net, gated skips, non-local bottleneck",
        "Sarvesan, Mendhe",
        "gaussian",
    ),
    ModelEntry("dncnn", DnCnn, "plain CNN that predicts the noise", "Zhang et al., TIP 2017", "gray-blind"),
    ModelEntry(
        "unet", UNet, "plain U-Net baseline with a global residual", "Ronneberger et al., MICCAI 2015"
    ),
)

MAX_SIZE = 1024
"""The largest depth or width: a larger one is a slip or an attack, and would eat all memory."""

MODELS: Mapping[str, ModelEntry] = {entry.name: entry for entry in _ENTRIES}


def find_model(name: str) -> ModelEntry:
    """Return the catalog entry of `name`.

    Raises:
        UsageError: No such network; the nearest names are offered.
    """
    if name not in MODELS:
        near = difflib.get_close_matches(name, MODELS, n=1)
        raise UsageError(
            f"There is no model {name!r}.",
            expected=", ".join(MODELS),
            came=name,
            hint=f"did you mean {near[0]!r}?" if near else "restorecli models",
        )
    return MODELS[name]


def create_model(name: str, /, **arguments: object) -> nn.Module:
    """Build an untrained network by name; see `restorecli.create_model`."""
    entry = find_model(name)
    for argument, value in arguments.items():
        _check_argument(entry, argument, value)
    try:
        return entry.build(**arguments)
    except (ValueError, TypeError, RuntimeError) as error:
        raise UsageError(f"{name} cannot be built so.", came=f"{dict(arguments)}: {error}") from error


def _check_argument(entry: ModelEntry, argument: str, value: object) -> None:
    """Refuse a misspelt argument, and sizes that no network of the catalog can have."""
    known = entry.arguments()
    if argument not in known:
        near = difflib.get_close_matches(argument, known, n=1)
        raise UsageError(
            f"{entry.name} has no argument {argument!r}.",
            expected=", ".join(known),
            came=argument,
            hint=f"did you mean {near[0]!r}?" if near else None,
        )
    if argument == "channels" and value not in (1, 3):
        raise UsageError(
            f"{entry.name} cannot be built so.",
            expected="channels: 1 (gray) or 3 (RGB)",
            came=f"channels: {value!r}",
        )
    if type(value) is int and not 1 <= value <= MAX_SIZE:
        raise UsageError(
            f"{entry.name} cannot be built so.",
            expected=f"{argument}: 1 to {MAX_SIZE}",
            came=f"{argument}: {value}",
        )


def count_parameters(module: nn.Module) -> int:
    """Return the number of parameters (batch-norm running statistics are not parameters)."""
    return sum(parameter.numel() for parameter in module.parameters())
