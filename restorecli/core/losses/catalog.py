"""Every loss by its recipe name, and their weighted sum."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from torch import Tensor, nn

from restorecli.core.losses.edge import EdgeLoss
from restorecli.core.losses.frequency import FrequencyLoss
from restorecli.core.losses.pixel import CharbonnierLoss, L1Loss, MseLoss, PsnrLoss
from restorecli.core.losses.structure import SsimLoss
from restorecli.errors import UsageError


@dataclass(frozen=True, slots=True)
class LossEntry:
    """A loss of the catalog: its recipe name, its class and what it is in one line."""

    name: str
    build: Callable[..., nn.Module]
    summary: str

    def arguments(self) -> tuple[str, ...]:
        """Return the names of the loss's arguments."""
        return tuple(inspect.signature(self.build).parameters)


_ENTRIES = (
    LossEntry("l1", L1Loss, "mean absolute difference"),
    LossEntry("mse", MseLoss, "mean squared difference"),
    LossEntry("charbonnier", CharbonnierLoss, "mean sqrt(d^2 + eps^2)"),
    LossEntry("ssim", SsimLoss, "1 - SSIM, 11x11 Gaussian window"),
    LossEntry("edge", EdgeLoss, "Charbonnier distance of Laplacians"),
    LossEntry("frequency", FrequencyLoss, "mean absolute difference of Fourier transforms"),
    LossEntry("psnr", PsnrLoss, "negative PSNR of each picture, in dB"),
)

LOSSES: Mapping[str, LossEntry] = {entry.name: entry for entry in _ENTRIES}


def find_loss(name: str) -> LossEntry:
    """Return the catalog entry of `name`; UsageError with the nearest name otherwise."""
    if name not in LOSSES:
        near = difflib.get_close_matches(name, LOSSES, n=1)
        raise UsageError(
            f"There is no loss {name!r}.",
            expected=", ".join(LOSSES),
            came=name,
            hint=f"did you mean {near[0]!r}?" if near else None,
        )
    return LOSSES[name]


def create_loss(name: str, /, **arguments: object) -> nn.Module:
    """Build a loss by name.

    Raises:
        UsageError: There is no such loss, an argument is misspelt, or its value is not possible.
    """
    entry = find_loss(name)
    unknown = [argument for argument in arguments if argument not in entry.arguments()]
    if unknown:
        near = difflib.get_close_matches(unknown[0], entry.arguments(), n=1)
        raise UsageError(
            f"The loss {name} has no argument {unknown[0]!r}.",
            expected=", ".join(entry.arguments()) or "no arguments",
            came=unknown[0],
            hint=f"did you mean {near[0]!r}?" if near else None,
        )
    try:
        return entry.build(**arguments)
    except (ValueError, TypeError) as error:
        raise UsageError(f"The loss {name} cannot be built so.", came=str(error)) from error


class WeightedSum(nn.Module):
    """The sum of several losses, each times its weight; SCA-UNet's is charbonnier 1, edge 0.1, ssim 0.3.

    Args:
        terms: (name, weight, loss) triples; names must differ, since the parts are logged under them.
    """

    def __init__(self, terms: Sequence[tuple[str, float, nn.Module]]) -> None:
        super().__init__()
        self.names = tuple(name for name, _, _ in terms)
        if len(set(self.names)) != len(self.names):
            raise ValueError(f"loss names must differ, came {', '.join(self.names)}")
        self.weights = tuple(weight for _, weight, _ in terms)
        self.losses = nn.ModuleList(loss for _, _, loss in terms)

    def parts(self, restored: Tensor, reference: Tensor) -> dict[str, Tensor]:
        """Return each loss before weighting, by name."""
        return {name: loss(restored, reference) for name, loss in zip(self.names, self.losses, strict=True)}

    def total(self, parts: Mapping[str, Tensor]) -> Tensor:
        """Return the weighted sum of what `parts` gave."""
        terms = [weight * parts[name] for name, weight in zip(self.names, self.weights, strict=True)]
        return sum(terms[1:], start=terms[0])

    def forward(self, restored: Tensor, reference: Tensor) -> Tensor:
        """Return the weighted sum of the losses between two (N, C, H, W) batches."""
        return self.total(self.parts(restored, reference))
