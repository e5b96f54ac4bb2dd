"""What shows only when a recipe's parts are built: wrong arguments, and sections that do not fit."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from restorecli.core.losses.catalog import create_loss
from restorecli.core.losses.weighted import WeightedSum
from restorecli.core.models.catalog import create_model
from restorecli.counting import counted
from restorecli.errors import RecipeError, RestorecliError, WeightsError
from restorecli.training.faults import Fault, one_line
from restorecli.training.fitting import size_faults
from restorecli.training.recipe import Recipe
from restorecli.training.start import freeze, notes_on_start, start_from
from restorecli.training.strategies.catalog import create_strategy


def building_faults(
    recipe: Recipe, base: Path, on_note: Callable[[str], None] | None = None
) -> Iterator[Fault]:
    """Tell what is wrong with a recipe whose form and names are right.

    Args:
        recipe: The recipe.
        base: Folder that relative ones start from.
        on_note: Is told what of the weights to start from does not fit and is left out.
    """
    faults = list(_argument_faults(recipe))
    yield from faults or _misfits(recipe, base, on_note)


def _argument_faults(recipe: Recipe) -> Iterator[Fault]:
    try:
        _on_meta_device(recipe.model.name, recipe.model.arguments)
    except RestorecliError as error:
        yield ("model", "arguments"), one_line(error)
    for loss, _, arguments in recipe.loss_terms():
        try:
            create_loss(loss, **arguments)
        except RestorecliError as error:
            yield ("loss", loss), one_line(error)
    strategy, arguments = recipe.strategy_choice()
    try:
        with torch.device("meta"):
            create_strategy(strategy, WeightedSum([]), 3, recipe.data.crop, **arguments)
    except RestorecliError as error:
        yield ("strategy",), one_line(error)


def _crop_fault(recipe: Recipe, network: nn.Module) -> str | None:
    """Tell why a network cannot be trained on such crops, e.g. where batch norm meets a single pixel."""
    side = recipe.data.crop // int(network.scale)  # type: ignore[arg-type]
    crops = torch.empty(recipe.data.batch, int(network.channels), side, side, device="meta")  # type: ignore[arg-type]
    try:
        network.train()(crops)
    except ValueError as error:
        crops_of = f"{counted(recipe.data.batch, 'crop')} of {side} px"
        return f"{recipe.model.name} cannot be trained on {crops_of}: {error}"
    except (NotImplementedError, RuntimeError):  # a value is asked for, which the meta device has not
        return None
    return None


def _misfits(recipe: Recipe, base: Path, on_note: Callable[[str], None] | None) -> Iterator[Fault]:
    """Check what shows only when sections meet: the network against crops, chains, frozen parts, weights."""
    network = _on_meta_device(recipe.model.name, recipe.model.arguments)
    losses = {name: create_loss(name, **arguments) for name, _, arguments in recipe.loss_terms()}
    windows = [(name, getattr(loss, "window", 0)) for name, loss in losses.items()]
    yield from size_faults(recipe, int(network.multiple), int(network.scale), windows)  # type: ignore[arg-type]
    if (fault := _crop_fault(recipe, network)) is not None:
        yield ("data", "crop"), fault
    try:
        freeze(network, recipe.freeze)
    except RecipeError as error:
        yield ("freeze",), one_line(error).removeprefix("freeze: ")
    if recipe.init is None:
        return
    try:
        notes = _notes_on_start(recipe, recipe.init, base)
    except WeightsError as error:
        yield ("init",), one_line(error)
        return
    if on_note is not None:
        for note in notes:
            on_note(note)


def _notes_on_start(recipe: Recipe, init: str, base: Path) -> tuple[str, ...]:
    """Fill a network that is built for that only; the caller's random numbers stay as they are.

    Raises:
        WeightsError: The weights to start from do not fit.
    """
    with torch.random.fork_rng(devices=[]):
        network = create_model(recipe.model.name, **recipe.model.arguments)
        return notes_on_start(start_from(network, init, base))


def _on_meta_device(name: str, arguments: Mapping[str, Any]) -> nn.Module:
    """Build a network without memory for its weights."""
    with torch.device("meta"):
        return create_model(name, **arguments)
