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


def create_model(name: str, **arguments: object) -> nn.Module:
    """Build an untrained network by name; see `restorecli.create_model`."""
    entry = find_model(name)
    unknown = [argument for argument in arguments if argument not in entry.arguments()]
    if unknown:
        raise UsageError(
            f"{name} has no argument {unknown[0]!r}.", expected=", ".join(entry.arguments()), came=unknown[0]
        )
    try:
        return entry.build(**arguments)
    except (ValueError, TypeError) as error:
        raise UsageError(f"{name} cannot be built so.", came=str(error)) from error


def count_parameters(module: nn.Module) -> int:
    """Return the number of parameters (batch-norm running statistics are not parameters)."""
    return sum(parameter.numel() for parameter in module.parameters())
