"""Checks a recipe whole: every fault at once, each with its place in the file and the nearest right name."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from restorecli.catalogs import Catalog, check_arguments, did_you_mean
from restorecli.core.losses.catalog import LOSSES
from restorecli.core.models.catalog import MODELS, check_limits, check_sizes
from restorecli.core.shipped import find_shipped
from restorecli.degradation.chain import Chain
from restorecli.errors import RecipeError, RestorecliError
from restorecli.training.argument_types import type_fault
from restorecli.training.faults import Fault, one_line, report
from restorecli.training.fitting import value_faults
from restorecli.training.overrides import overridden
from restorecli.training.recipe import Curriculum, Recipe, located
from restorecli.training.strategies.catalog import STRATEGIES
from restorecli.yaml12 import Keys, read_yaml

_SECTION = re.compile(r"a valid dictionary or instance of \w+")
"""How pydantic asks for a section; the class behind it is no word of a recipe."""

_NUMBER = re.compile(r"[-+]?\d+(\.\d*)?([eE][-+]?\d+)?")


def load_recipe(
    path: Path,
    *,
    overrides: Mapping[str, Any] | None = None,
    base: Path | None = None,
    on_note: Callable[[str], None] | None = None,
) -> Recipe:
    """Read and check a recipe.

    Args:
        path: The file.
        overrides: Values in place of the file's, by dotted keys; see `overridden`.
        base: Folder that relative data folders start from; by default the recipe's own.
        on_note: Is told what of the weights to start from does not fit and is left out.

    Raises:
        RecipeError: With every fault: unknown keys, wrong types, unknown names, missing folders.
    """
    content, places = read_yaml(path)
    if not isinstance(content, dict):
        raise RecipeError(
            "This recipe is not a table of keys.", expected="name:, model:, data:, loss:, budget:", file=path
        )
    merged = overridden(content, overrides or {})
    return _checked(merged, base or path.parent, partial(report, path, places), on_note)


def check_content(
    content: Mapping[str, Any],
    *,
    overrides: Mapping[str, Any] | None = None,
    base: Path,
    on_note: Callable[[str], None] | None = None,
) -> Recipe:
    """Check a recipe that is no file, but a mapping with the same keys.

    Args:
        content: The recipe.
        overrides: Values in place of its own, by dotted keys; see `overridden`.
        base: Folder that relative data folders start from.
        on_note: As of `load_recipe`.

    Raises:
        RecipeError: With every fault, each with its key.
    """
    return _checked(overridden(content, overrides or {}), base, partial(report, None, {}), on_note)


def _checked(
    merged: dict[str, Any],
    base: Path,
    error_of: Callable[[list[Fault]], RecipeError],
    on_note: Callable[[str], None] | None,
) -> Recipe:
    """Return the recipe of a content.

    Raises:
        RecipeError: That of `error_of`, for all faults.
    """
    try:
        recipe = Recipe.model_validate(merged)
    except ValidationError as error:
        raise error_of([*_form_faults(error), *_name_faults(merged, base)]) from None
    faults = [*_name_faults(merged, base), *_chain_needed(recipe)] or list(value_faults(recipe))
    if not faults:
        from restorecli.training.building import (
            building_faults,  # torch: seconds that a typing slip needs not
        )

        faults = list(building_faults(recipe, base, on_note))
    if faults:
        raise error_of(faults)
    return recipe


def _form_faults(error: ValidationError) -> Iterator[Fault]:
    """Tell unknown and missing keys and wrong values; the branches of a union make one fault together."""
    wrong: dict[Keys, list[str]] = {}
    got: dict[Keys, object] = {}
    for item in error.errors():
        at = tuple(part for part in item["loc"] if not _is_union_tag(part))
        if item["type"] == "extra_forbidden":
            yield at, _unknown_key(at)
        elif item["type"] == "missing":
            yield at, f"{at[-1]!r} is missing"
        else:
            text = item["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
            text = _SECTION.sub("a mapping of keys to values", text)
            wrong.setdefault(at, []).append(text)
            got[at] = item.get("input")
    for at, texts in wrong.items():
        yield at, " or ".join(texts) + _answer(got[at], texts)


def _unknown_key(at: Keys) -> str:
    known = _keys_at(at[:-1])
    ending = did_you_mean(str(at[-1]), known) or f"known keys: {', '.join(known)}"
    return f"unknown key {at[-1]!r}; {ending}"


def _answer(got: object, texts: list[str]) -> str:
    """Return what came, and the nearest of the names that were expected."""
    if isinstance(got, dict):
        return ""
    names = re.findall(r"'([^']*)'", " ".join(texts))
    near = did_you_mean(got, names) if isinstance(got, str) else None
    if "number" in " ".join(texts) and isinstance(got, str) and _NUMBER.fullmatch(got):
        near = "this is a text, as PyYAML reads 1e-3 for one; float() makes it a number"
    return f", got {got!r}" + (f"; {near}" if near else "")


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
        yield from _unknown_name(MODELS, model["name"], ("model", "name"))
        arguments = _table(model.get("arguments"))
        yield from _unknown_arguments(MODELS, model["name"], arguments, ("model", "arguments"))
        yield from _network_faults(model["name"], arguments)
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
    weight = value.get("weight", 1.0) if isinstance(value, dict) else value
    if type(weight) not in (int, float) or not 0 <= weight < math.inf:
        at = ("loss", name, "weight") if isinstance(value, dict) else ("loss", name)
        yield at, f"a weight is a number from 0, got {weight!r}"
    yield from _unknown_name(LOSSES, name, ("loss", name))
    arguments = [key for key in _table(value) if key != "weight"]
    yield from _unknown_arguments(LOSSES, name, arguments, ("loss", name))


def _strategy_faults(content: Mapping[str, Any]) -> Iterator[Fault]:
    strategy = content.get("strategy", "supervised")
    name = _table(strategy).get("name") if isinstance(strategy, dict) else strategy
    model = _table(content.get("model")).get("name")
    if not isinstance(name, str):
        return
    yield from _unknown_name(STRATEGIES, name, ("strategy",))
    arguments = [key for key in _table(strategy) if key != "name"]
    yield from _unknown_arguments(STRATEGIES, name, arguments, ("strategy",))
    resolved = STRATEGIES.resolve(name)
    known = _resolved(MODELS, model) if isinstance(model, str) else None
    if resolved is not None and known is not None:
        models = STRATEGIES[resolved].models
        if models and known not in models:
            yield ("strategy",), f"{resolved} trains {' and '.join(models)}, and the model is {known}"


def _resolved(catalog: Catalog[Any], name: str) -> str | None:
    """Return the listed name; None where there is none, which `_unknown_name` tells."""
    try:
        return catalog.resolve(name)
    except RestorecliError:
        return None


def _unknown_name(catalog: Catalog[Any], name: str, at: Keys) -> Iterator[Fault]:
    try:
        catalog.find(name)
    except RestorecliError as error:
        yield at, one_line(error)


def _unknown_arguments(
    catalog: Catalog[Any], name: str, arguments: Iterable[str], at: Keys
) -> Iterator[Fault]:
    """Tell arguments that a class does not take, as far as its file says it without being imported."""
    resolved = _resolved(catalog, name)
    known = None if resolved is None else catalog[resolved].written_arguments()
    try:
        check_arguments(str(resolved), arguments, arguments if known is None else known)
    except RestorecliError as error:
        yield at, one_line(error)


def _network_faults(name: str, arguments: Mapping[str, Any]) -> Iterator[Fault]:
    """Tell sizes, types and other limits that a network's arguments do not keep."""
    resolved = _resolved(MODELS, name)
    if resolved is None:
        return
    written = MODELS[resolved].written_arguments() or {}
    known = sorted(set(arguments).intersection(written))
    wrong = {part: fault for part in known if (fault := type_fault(written[part], arguments[part]))}
    yield from ((("model", "arguments", part), fault) for part, fault in wrong.items())
    try:
        check_sizes(resolved, arguments)
        if not wrong:
            check_limits(resolved, arguments)
    except RestorecliError as error:
        yield ("model", "arguments"), one_line(error)


def _init_faults(init: str, base: Path) -> Iterator[Fault]:
    file = _place(init, base)
    if file is None or not file.is_file():
        try:
            find_shipped(init)
        except RestorecliError as error:
            yield ("init",), f"no such file, and {one_line(error)}"


def _chain_faults(steps: list[Any], at: Keys) -> Iterator[Fault]:
    for index, step in enumerate(steps):
        if isinstance(step, (str, dict)):
            try:
                Chain.from_specs([step])
            except RestorecliError as error:
                yield (*at, index), one_line(error)


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
        yield ("data", "degrade"), "clean images need a chain of degradations, got an empty one"
    if recipe.curriculum is not None:
        yield from _curriculum_faults(recipe, recipe.curriculum)
    validated = recipe.validation.sources or recipe.data.train
    if any(source.clean is not None for source in validated) and not recipe.validation.degrade:
        yield (
            ("validation", "degrade"),
            "clean images need a fixed chain of degradations, got an empty one",
        )


def _curriculum_faults(recipe: Recipe, curriculum: Curriculum) -> Iterator[Fault]:
    if recipe.data.degrade:
        yield ("curriculum",), "its levels stand in place of data.degrade; leave one of the two out"
    if any(source.clean is None for source in recipe.data.train):
        yield ("curriculum",), "it needs clean images to degrade, got pairs of folders"
    by_budget = curriculum.kind not in ("on-demand", "rigid", "fixed")
    if by_budget and recipe.budget.steps is None:
        yield ("budget", "steps"), f"the curriculum {curriculum.kind} follows the steps, got none"
