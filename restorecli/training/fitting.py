"""What a recipe's values and sizes must satisfy, as far as no network has to be built for it (no torch)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from restorecli.core.losses.catalog import LOSSES
from restorecli.core.losses.catalog import check_limits as check_loss
from restorecli.core.models.catalog import multiple_of, scale_of
from restorecli.degradation.chain import Chain
from restorecli.degradation.on_device.names import host_only
from restorecli.errors import RestorecliError, UsageError
from restorecli.training.argument_types import type_fault
from restorecli.training.faults import Fault, one_line
from restorecli.training.recipe import Recipe
from restorecli.training.strategies.catalog import STRATEGIES
from restorecli.training.strategies.catalog import check_limits as check_strategy
from restorecli.yaml12 import Keys


def value_faults(recipe: Recipe) -> Iterator[Fault]:
    """Tell values of losses and strategies that cannot be, and sizes that do not fit those of the network.

    Args:
        recipe: Whose form and names are right.
    """
    faults = [*_loss_faults(recipe), *_strategy_faults(recipe), *_device_faults(recipe)]
    yield from faults or _catalog_sizes(recipe)


def size_faults(
    recipe: Recipe, multiple: int, scale: int, windows: Iterable[tuple[str, int]]
) -> Iterator[Fault]:
    """Tell crops and chains that do not fit a network and losses.

    Args:
        recipe: The recipe.
        multiple: Of which the sides of the network's images are multiples.
        scale: By what it enlarges.
        windows: Losses by name with the pixels that they need across.
    """
    crop, name = recipe.data.crop, recipe.model.name
    if crop % multiple:
        yield ("data", "crop"), f"{name} needs a multiple of {multiple}, got {crop}"
    for loss, window in windows:
        if window > crop:
            yield ("data", "crop"), f"{loss} needs at least its window of {window} pixels, got {crop}"
    if crop % scale:
        yield ("data", "crop"), f"{name} needs a multiple of its scale {scale}, got {crop}"
    for at, steps in _chains(recipe):
        if steps and (fault := _scale_fault(Chain.from_specs(steps), scale)) is not None:
            yield at, fault


def _catalog_sizes(recipe: Recipe) -> Iterator[Fault]:
    """Do this for a network and losses of the catalog, whose sizes their arguments tell."""
    name, arguments = recipe.model.name, recipe.model.arguments
    multiple = multiple_of(name, arguments)
    if multiple is None:
        return
    windows = []
    for loss, _, given in recipe.loss_terms():
        window = {**LOSSES.find(loss).written_defaults(), **given}.get("window")
        windows += [(loss, window)] if isinstance(window, int) else []
    yield from size_faults(recipe, multiple, scale_of(name, arguments), windows)


def _loss_faults(recipe: Recipe) -> Iterator[Fault]:
    for name, _, arguments in recipe.loss_terms():
        try:
            check_loss(name, arguments)
        except UsageError as error:
            yield ("loss", name), one_line(error)


def _strategy_faults(recipe: Recipe) -> Iterator[Fault]:
    name, arguments = recipe.strategy_choice()
    written = STRATEGIES.find(name).written_arguments() or {}
    types = {part: written[part] for part in arguments if "Literal" not in written[part]}  # words have limits
    wrong = {part: fault for part, kind in types.items() if (fault := type_fault(kind, arguments[part]))}
    yield from ((("strategy", part), fault) for part, fault in wrong.items())
    if not wrong:
        try:
            check_strategy(name, recipe.data.crop, arguments)
        except UsageError as error:
            yield ("strategy",), one_line(error)


def _device_faults(recipe: Recipe) -> Iterator[Fault]:
    """Tell what keeps batches from being degraded on the device."""
    if recipe.data.degrade_on == "host":
        return
    at = ("data", "degrade_on")
    if any(source.clean is None for source in recipe.data.train):
        yield at, "device degrades clean images, and nothing of pairs of folders"
    if recipe.curriculum is not None:
        yield at, "the levels of a curriculum are degraded on the host alone"
    elif recipe.data.degrade and (fault := host_only(Chain.from_specs(recipe.data.degrade))) is not None:
        yield at, fault


def _chains(recipe: Recipe) -> Iterator[tuple[Keys, list[Any]]]:
    yield ("data", "degrade"), recipe.data.degrade
    yield ("validation", "degrade"), recipe.validation.degrade
    for index, level in enumerate(recipe.curriculum.levels if recipe.curriculum else ()):
        yield ("curriculum", "levels", index), level


def _scale_fault(chain: Chain, scale: object) -> str | None:
    try:
        shrunk = chain.scale
    except RestorecliError as error:
        return one_line(error)
    return None if shrunk == scale else f"sides become {shrunk} times smaller; the network's scale is {scale}"
