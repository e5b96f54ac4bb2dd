"""Every way of training by its recipe name: a file beside this one and a line here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from restorecli.catalogs import Catalog, Entry, check_arguments
from restorecli.errors import UsageError
from restorecli.training.strategies.limits import LIMITS

if TYPE_CHECKING:
    from restorecli.core.losses.weighted import WeightedSum
    from restorecli.training.strategies.base import Strategy

Build: TypeAlias = "Callable[..., Strategy]"

_GIVEN = ("channels", "crop")
"""What a strategy may ask for beside its own arguments."""


@dataclass(frozen=True)
class StrategyEntry(Entry[Build]):
    """A strategy of the catalog.

    Its class is called with the recipe's `WeightedSum`, with the network's `channels` and with the side of
    the crops, `crop`, if it asks for them, and with the strategy's own arguments.

    Attributes:
        models: The networks that it can train; empty where it can train any.
    """

    models: tuple[str, ...] = ()

    def own_arguments(self) -> tuple[str, ...]:
        """Return the names of the arguments that a recipe may set."""
        return _own(self.arguments())

    def written_arguments(self) -> Mapping[str, str] | None:
        """Return the arguments that a recipe may set, with their types, without importing the class."""
        written = super().written_arguments()
        return None if written is None else {name: written[name] for name in _own(tuple(written))}


def _own(arguments: tuple[str, ...]) -> tuple[str, ...]:
    """Leave out the loss, which comes first, and what is given beside it."""
    return tuple(name for name in arguments[1:] if name not in _GIVEN)


def _entry(name: str, place: str, summary: str, models: tuple[str, ...] = ()) -> StrategyEntry:
    return StrategyEntry(name, f"restorecli.training.strategies.{place}", summary, models)


# fmt: off
_ENTRIES = (
    _entry("supervised", "supervised:Supervised", "restored against reference"),
    _entry("noise2noise", "noise2noise:Noise2Noise",
           "restored against a second corruption: no clean images"),
    _entry("coarse-to-fine", "coarse_to_fine:CoarseToFine", "restored against reference at several scales",
           ("lcdnet",)),
    _entry("masked", "masked:Masked", "supervised, with the error inside defect masks added"),
    _entry("adversarial", "adversarial:Adversarial", "supervised, and a discriminator is to be fooled (GAN)"),
    _entry("variational", "variational:Variational", "CVAE-GAN: a code, and features of two discriminators",
           ("cvae-gan",)),
    _entry("old-photo", "old_photo:OldPhotoTraining", "find the damage and restore it", ("old-photo",)),
    _entry("autoregressive", "autoregressive:Autoregressive", "likelihood, pixel after pixel", ("pixelcnn",)),
)
# fmt: on

STRATEGIES = Catalog("strategy", _ENTRIES)


def create_strategy(
    name: str, loss: WeightedSum, channels: int, crop: int, /, **arguments: object
) -> Strategy:
    """Build a strategy by name, for a network of `channels` channels and crops of `crop` pixels.

    Raises:
        UsageError: There is no such strategy, an argument is misspelled, or its value is not possible.
    """
    entry = STRATEGIES.find(name)
    check_arguments(f"The strategy {entry.name}", arguments, entry.own_arguments())
    values = dict(zip(_GIVEN, (channels, crop), strict=True))
    given = {name: value for name, value in values.items() if name in entry.arguments()}
    try:
        return entry.load()(loss, **given, **arguments)
    except (ValueError, TypeError, RuntimeError) as error:
        raise _refused(entry.name, error) from error


def check_limits(name: str, crop: int, arguments: Mapping[str, object]) -> None:
    """Refuse what a strategy would refuse, in its own words; the strategy is not imported.

    Args:
        name: The strategy.
        crop: Side of the crops in pixels.
        arguments: By name, of types that it takes; the others are its defaults.

    Raises:
        UsageError: There is no such strategy, or a value is not possible.
    """
    entry = STRATEGIES.find(name)
    try:
        entry.call(LIMITS.get(entry.name), {"crop": crop, **arguments})
    except (ValueError, TypeError) as error:
        raise _refused(entry.name, error) from error


def _refused(name: str, error: Exception) -> UsageError:
    return UsageError(f"Invalid arguments for the strategy {name}.", got=str(error))
