"""Every way of training by its recipe name: a file beside this one and a line here."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from restorecli.core.losses.catalog import WeightedSum
from restorecli.errors import UsageError
from restorecli.training.strategies.adversarial import Adversarial
from restorecli.training.strategies.autoregressive import Autoregressive
from restorecli.training.strategies.base import Strategy
from restorecli.training.strategies.coarse_to_fine import CoarseToFine
from restorecli.training.strategies.masked import Masked
from restorecli.training.strategies.noise2noise import Noise2Noise
from restorecli.training.strategies.old_photo import OldPhotoTraining
from restorecli.training.strategies.supervised import Supervised
from restorecli.training.strategies.variational import Variational

_GIVEN = ("channels", "crop")
"""What a strategy may ask for beside its own arguments."""


@dataclass(frozen=True, slots=True)
class StrategyEntry:
    """A strategy of the catalog.

    Attributes:
        name: Its name in a recipe.
        build: The class: called with the recipe's `WeightedSum`, with the network's `channels` and with the
            side of the crops, `crop`, if it asks for them, and with the strategy's own arguments.
        summary: What it is, in one line.
        models: The networks that it can train; empty where it can train any.
    """

    name: str
    build: Callable[..., Strategy]
    summary: str
    models: tuple[str, ...] = ()

    def arguments(self) -> tuple[str, ...]:
        """Return the names of the strategy's own arguments."""
        return tuple(name for name in self.parameters()[1:] if name not in _GIVEN)

    def parameters(self) -> tuple[str, ...]:
        """Return the names of everything that the class is called with."""
        return tuple(inspect.signature(self.build).parameters)


_ENTRIES = (
    StrategyEntry("supervised", Supervised, "restored against reference"),
    StrategyEntry("noise2noise", Noise2Noise, "restored against a second corruption: no clean pictures"),
    StrategyEntry(
        "coarse-to-fine", CoarseToFine, "restored against reference at several scales", models=("lcdnet",)
    ),
    StrategyEntry("masked", Masked, "supervised, with the error inside defect masks added"),
    StrategyEntry("adversarial", Adversarial, "supervised, and a discriminator is to be fooled (GAN)"),
    StrategyEntry("variational", Variational, "CVAE-GAN: a code, and features of two rivals", ("cvae-gan",)),
    StrategyEntry("old-photo", OldPhotoTraining, "find the damage and restore it", ("old-photo",)),
    StrategyEntry("autoregressive", Autoregressive, "likelihood, pixel after pixel", ("pixelcnn",)),
)

STRATEGIES: Mapping[str, StrategyEntry] = {entry.name: entry for entry in _ENTRIES}


def find_strategy(name: str) -> StrategyEntry:
    """Return the catalog entry of `name`; UsageError with the nearest name otherwise."""
    if name not in STRATEGIES:
        near = difflib.get_close_matches(name, STRATEGIES, n=1)
        raise UsageError(
            f"There is no strategy {name!r}.",
            expected=", ".join(STRATEGIES),
            came=name,
            hint=f"did you mean {near[0]!r}?" if near else None,
        )
    return STRATEGIES[name]


def create_strategy(
    name: str, loss: WeightedSum, channels: int, crop: int, /, **arguments: object
) -> Strategy:
    """Build a strategy by name, for a network of `channels` channels and crops of `crop` pixels.

    Raises:
        UsageError: There is no such strategy, an argument is misspelt, or its value is not possible.
    """
    entry = find_strategy(name)
    unknown = [argument for argument in arguments if argument not in entry.arguments()]
    if unknown:
        near = difflib.get_close_matches(unknown[0], entry.arguments(), n=1)
        raise UsageError(
            f"The strategy {name} has no argument {unknown[0]!r}.",
            expected=", ".join(entry.arguments()) or "no arguments",
            came=unknown[0],
            hint=f"did you mean {near[0]!r}?" if near else None,
        )
    values = dict(zip(_GIVEN, (channels, crop), strict=True))
    given = {name: value for name, value in values.items() if name in entry.parameters()}
    try:
        return entry.build(loss, **given, **arguments)
    except (ValueError, TypeError, RuntimeError) as error:
        raise UsageError(f"The strategy {name} cannot be built so.", came=str(error)) from error
