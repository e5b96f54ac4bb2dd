"""Checks a recipe whole: every fault at once, each with its place in the file and the nearest right name."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from pydantic import BaseModel, ValidationError
from torch import nn

from restorecli.catalogs import did_you_mean
from restorecli.core.losses.catalog import create_loss
from restorecli.core.losses.weighted import WeightedSum
from restorecli.core.models.catalog import MODELS, create_model
from restorecli.core.zoo import find_shipped
from restorecli.degradation.chain import Chain
from restorecli.errors import RecipeError, RestorecliError, WeightsError
from restorecli.training.recipe import Curriculum, DataSection, Recipe, located
from restorecli.training.start import freeze, start_from
from restorecli.training.strategies.catalog import STRATEGIES, create_strategy
from restorecli.yaml12 import Keys, Place, read_yaml

Fault = tuple[Keys, str]

_MAX_CROP = 1 << 14


def load_recipe(
    path: Path, *, overrides: Mapping[str, Any] | None = None, base: Path | None = None
) -> Recipe:
    """Read and check a recipe.

    Args:
        path: The file.
        overrides: Top-level sections to lay over the file's, key by key (what the command line sets).
        base: Folder that relative data folders start from; by default the recipe's own.

    Raises:
        RecipeError: With every fault: unknown keys, wrong types, unknown names, missing folders.
    """
    content, places = read_yaml(path)
    if not isinstance(content, dict):
        raise RecipeError(
            "This recipe is not a table of keys.", expected="name:, model:, data:, loss:, budget:", file=path
        )
    merged = _merge(content, overrides or {})
    base = base or path.parent
    try:
        recipe = Recipe.model_validate(merged)
    except ValidationError as error:
        raise _report(path, places, [*_form_faults(error), *_name_faults(merged, base)]) from None
    faults = [*_name_faults(merged, base), *_chain_needed(recipe), *_misfits(recipe, base)]
    if faults:
        raise _report(path, places, faults)
    return recipe


def _merge(content: Mapping[str, Any], overrides: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(content)
    for key, value in overrides.items():
        old = merged.get(key)
        merged[key] = _merge(old, value) if isinstance(old, dict) and isinstance(value, Mapping) else value
    return merged


def _form_faults(error: ValidationError) -> Iterator[Fault]:
    """Tell unknown and missing keys and wrong values; the branches of a union make one fault together."""
    wrong: dict[Keys, list[str]] = {}
    came: dict[Keys, object] = {}
    for item in error.errors():
        at = tuple(part for part in item["loc"] if not _is_union_tag(part))
        if item["type"] == "extra_forbidden":
            yield at, _unknown_key(at)
        elif item["type"] == "missing":
            yield at, f"{at[-1]!r} is missing"
        else:
            text = item["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
            wrong.setdefault(at, []).append(text)
            came[at] = item.get("input")
    for at, texts in wrong.items():
        yield at, " or ".join(texts) + _answer(came[at], texts)


def _unknown_key(at: Keys) -> str:
    known = _keys_at(at[:-1])
    ending = did_you_mean(str(at[-1]), known) or f"known keys: {', '.join(known)}"
    return f"unknown key {at[-1]!r}; {ending}"


def _answer(came: object, texts: list[str]) -> str:
    """Return what came, and the nearest of the names that were expected."""
    if isinstance(came, dict):
        return ""
    names = re.findall(r"'([^']*)'", " ".join(texts))
    near = did_you_mean(came, names) if isinstance(came, str) else None
    return f", came {came!r}" + (f"; {near}" if near else "")


def _is_union_tag(part: str | int) -> bool:
    """Pydantic names the branches of a union in an error's place (`float`, `dict[str,any]`)."""
    return isinstance(part, str) and (part in ("float", "str", "int") or part.startswith("dict["))


def _keys_at(at: Keys) -> list[str]:
    section: Any = Recipe
    for part in at:
        if isinstance(part, int) or not (isinstance(section, type) and issubclass(section, BaseModel)):
            continue
        annotation = section.model_fields[part].annotation if part in section.model_fields else None
        section = next((a for a in getattr(annotation, "__args__", ()) if isinstance(a, type)), annotation)
    return list(section.model_fields) if isinstance(section, type) and issubclass(section, BaseModel) else []


def _name_faults(content: Mapping[str, Any], base: Path) -> Iterator[Fault]:
    """Check every name, also in a recipe with faults of form: what has a wrong type is passed over."""
    model = _table(content.get("model"))
    if isinstance(model.get("name"), str):
        yield from _model_faults(model["name"], _table(model.get("arguments")))
    for name, value in _table(content.get("loss")).items():
        if isinstance(value, dict) or (type(value) in (int, float) and math.isfinite(value)):
            yield from _loss_faults(name, value)
    for section, place in (("data", "train"), ("validation", "sources")):
        part = _table(content.get(section))
        yield from _chain_faults(_list(part.get("degrade")), (section, "degrade"))
        for index, source in enumerate(_list(part.get(place))):
            yield from _folder_faults(_table(source), (section, place, index), base)
    for index, level in enumerate(_list(_table(content.get("curriculum")).get("levels"))):
        yield from _chain_faults(_list(level), ("curriculum", "levels", index))
    if isinstance(content.get("init"), str):
        yield from _init_faults(content["init"], base)
    yield from _strategy_faults(content)


def _table(value: object) -> dict[str, Any]:
    """Return a mapping's entries under texts; nothing of what is no mapping."""
    return {k: v for k, v in value.items() if isinstance(k, str)} if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _loss_faults(name: str, value: float | dict[str, Any]) -> Iterator[Fault]:
    arguments = _table(value)
    weight = arguments.pop("weight", 1.0) if isinstance(value, dict) else value
    if type(weight) not in (int, float) or not 0 <= weight < math.inf:
        at = ("loss", name, "weight") if isinstance(value, dict) else ("loss", name)
        yield at, f"a weight is a number from 0, came {weight!r}"
    try:
        create_loss(name, **arguments)
    except RestorecliError as error:
        yield ("loss", name), _one_line(error)


def _strategy_faults(content: Mapping[str, Any]) -> Iterator[Fault]:
    strategy = content.get("strategy", "supervised")
    arguments = _table({"name": strategy} if isinstance(strategy, str) else strategy)
    name = arguments.pop("name", None)
    if not isinstance(name, str):
        return
    crop = _table(content.get("data")).get("crop")
    crop = crop if type(crop) is int and 0 < crop <= _MAX_CROP else DataSection.model_fields["crop"].default
    try:
        with torch.device("meta"):
            create_strategy(name, WeightedSum([]), 3, crop, **arguments)
    except RestorecliError as error:
        yield ("strategy",), _one_line(error)
        return
    entry, model = STRATEGIES.find(name), _table(content.get("model")).get("name")
    known = MODELS.resolve(model) if isinstance(model, str) else None
    if entry.models and known is not None and known not in entry.models:
        yield ("strategy",), f"{entry.name} trains {' and '.join(entry.models)}, and the model is {known}"


def _init_faults(init: str, base: Path) -> Iterator[Fault]:
    file = _place(init, base)
    if file is None or not file.is_file():
        try:
            find_shipped(init)
        except RestorecliError as error:
            yield ("init",), f"no such file, and {_one_line(error)}"


def _model_faults(name: str, arguments: Mapping[str, Any]) -> Iterator[Fault]:
    try:
        _on_paper(name, arguments)
    except RestorecliError as error:
        yield ("model", "name" if MODELS.resolve(name) is None else "arguments"), _one_line(error)


def _on_paper(name: str, arguments: Mapping[str, Any]) -> nn.Module:
    """Build a network without memory for its weights."""
    with torch.device("meta"):
        return create_model(name, **arguments)


def _chain_faults(steps: list[Any], at: Keys) -> Iterator[Fault]:
    for index, step in enumerate(steps):
        if isinstance(step, (str, dict)):
            try:
                Chain.from_specs([step])
            except RestorecliError as error:
                yield (*at, index), _one_line(error)


def _folder_faults(source: Mapping[str, Any], at: Keys, base: Path) -> Iterator[Fault]:
    for key in ("clean", "degraded", "reference"):
        if isinstance(source.get(key), str):
            folder = _place(source[key], base)
            if folder is None or not folder.is_dir():
                yield (*at, key), f"no such folder: {folder or repr(source[key])}"


def _place(name: str, base: Path) -> Path | None:
    """Return where a name of the recipe points; None for one that cannot be a file's."""
    try:
        place = located(name, base)
        place.stat()
    except FileNotFoundError:
        return place
    except (OSError, ValueError, RuntimeError):  # too long, a NUL in it, an unknown ~user
        return None
    return place


def _chain_needed(recipe: Recipe) -> Iterator[Fault]:
    clean = any(source.clean is not None for source in recipe.data.train)
    if clean and not recipe.data.degrade and recipe.curriculum is None:
        yield ("data", "degrade"), "clean pictures need a chain of degradations, came an empty one"
    if recipe.curriculum is not None:
        yield from _curriculum_faults(recipe, recipe.curriculum)
    validated = recipe.validation.sources or recipe.data.train
    if any(source.clean is not None for source in validated) and not recipe.validation.degrade:
        yield (
            ("validation", "degrade"),
            "clean pictures need a fixed chain of degradations, came an empty one",
        )


def _curriculum_faults(recipe: Recipe, curriculum: Curriculum) -> Iterator[Fault]:
    if recipe.data.degrade:
        yield ("curriculum",), "its levels stand in place of data.degrade; leave one of the two out"
    if any(source.clean is None for source in recipe.data.train):
        yield ("curriculum",), "it needs clean pictures to degrade, came pairs of folders"
    by_budget = curriculum.kind not in ("on-demand", "rigid", "fixed")
    if by_budget and recipe.budget.steps is None:
        yield ("budget", "steps"), f"the curriculum {curriculum.kind} follows the steps, came none"


def _misfits(recipe: Recipe, base: Path) -> Iterator[Fault]:
    """Check what shows only when sections meet: the network against crops, chains, frozen parts, weights."""
    try:
        network = _on_paper(recipe.model.name, recipe.model.arguments)
        losses = {name: create_loss(name, **arguments) for name, _, arguments in recipe.loss_terms()}
        chains = {at: Chain.from_specs(steps) for at, steps in _chains(recipe) if steps}
    except (RestorecliError, ValueError, TypeError):
        return  # a wrong name, which is reported at its own place
    crop, multiple = recipe.data.crop, int(network.multiple)  # type: ignore[arg-type]
    if crop % multiple:
        yield ("data", "crop"), f"{recipe.model.name} needs a multiple of {multiple}, came {crop}"
    for name, loss in losses.items():
        if getattr(loss, "window", 0) > crop:
            yield ("data", "crop"), f"{name} needs at least its window of {loss.window} pixels, came {crop}"
    if crop % int(network.scale):  # type: ignore[arg-type]
        yield (
            ("data", "crop"),
            f"{recipe.model.name} needs a multiple of its scale {network.scale}, came {crop}",
        )
    for at, chain in chains.items():
        if (fault := _scale_fault(chain, network.scale)) is not None:
            yield at, fault
    try:
        freeze(network, recipe.freeze)
    except RecipeError as error:
        yield ("freeze",), _one_line(error).removeprefix("freeze: ")
    if recipe.init is not None and not list(_init_faults(recipe.init, base)):
        yield from _init_misfits(recipe, recipe.init, base)


def _init_misfits(recipe: Recipe, init: str, base: Path) -> Iterator[Fault]:
    """Check that the weights to start from fit, in a network that is built for that only."""
    with torch.random.fork_rng(devices=[]):
        try:
            start_from(create_model(recipe.model.name, **recipe.model.arguments), init, base)
        except WeightsError as error:
            yield ("init",), _one_line(error)


def _chains(recipe: Recipe) -> Iterator[tuple[Keys, list[Any]]]:
    yield ("data", "degrade"), recipe.data.degrade
    yield ("validation", "degrade"), recipe.validation.degrade
    for index, level in enumerate(recipe.curriculum.levels if recipe.curriculum else ()):
        yield ("curriculum", "levels", index), level


def _scale_fault(chain: Chain, scale: object) -> str | None:
    try:
        shrunk = chain.scale
    except RestorecliError as error:
        return _one_line(error)
    return None if shrunk == scale else f"sides become {shrunk} times smaller; the network's scale is {scale}"


def _one_line(error: RestorecliError) -> str:
    details = error.details()
    parts = [error.problem]
    if "expected" in details:
        parts.append(f"expected {details['expected']}")
    if "came" in details:
        parts.append(f"came {details['came']}")
    if "try" in details:
        parts.append(details["try"])
    return "; ".join(parts)


def _report(path: Path, places: Mapping[Keys, Place], faults: list[Fault]) -> RecipeError:
    lines = []
    for at, text in faults:
        known = at
        while known and known not in places:
            known = known[:-1]
        line, column = places.get(known, (1, 1))
        dotted = ".".join(str(part) for part in at) or "recipe"
        lines.append((line, column, f"{path}:{line}:{column}  {dotted}: {text}"))
    ordered = list(dict.fromkeys(text for _, _, text in sorted(lines)))
    count = f"{len(ordered)} fault" + ("s" if len(ordered) > 1 else "")
    return RecipeError(
        f"This recipe has {count}; nothing was started.\n" + "\n".join(f"  {text}" for text in ordered),
        file=path,
    )
