"""Checks a recipe whole: every fault at once, each with its place in the file and the nearest right name."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from restorecli.core.losses.catalog import create_loss
from restorecli.core.models.catalog import create_model
from restorecli.degrade.chain import Chain
from restorecli.errors import RecipeError, RestorecliError
from restorecli.train.recipe import Recipe
from restorecli.train.yaml_text import Path_, Place, read_yaml

Fault = tuple[Path_, str]


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
    try:
        recipe = Recipe.model_validate(merged)
    except ValidationError as error:
        faults = [
            _typed_fault(item["loc"], item["type"], item["msg"], item.get("input")) for item in error.errors()
        ]
        raise _report(path, places, [*faults, *_name_faults_of_raw(merged)]) from None
    faults = [*_name_faults(recipe), *_folder_faults(recipe, base or path.parent)]
    if faults:
        raise _report(path, places, faults)
    return recipe


def _merge(content: Mapping[str, Any], overrides: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(content)
    for key, value in overrides.items():
        old = merged.get(key)
        merged[key] = _merge(old, value) if isinstance(old, dict) and isinstance(value, Mapping) else value
    return merged


def _typed_fault(loc: tuple[str | int, ...], kind: str, message: str, came: object) -> Fault:
    at = tuple(part for part in loc if not _is_union_tag(part))
    if kind == "extra_forbidden":
        known = _keys_at(at[:-1])
        near = difflib.get_close_matches(str(at[-1]), known, n=1)
        ending = f"did you mean {near[0]!r}?" if near else f"known keys: {', '.join(known)}"
        return at, f"unknown key {at[-1]!r}; {ending}"
    if kind == "missing":
        return at, f"{at[-1]!r} is missing"
    text = message.removeprefix("Value error, ").removeprefix("Input should be ")
    return at, f"{text}, came {came!r}" if not isinstance(came, dict) else text


def _is_union_tag(part: str | int) -> bool:
    """Pydantic names the branches of a union in an error's place (`float`, `dict[str,any]`)."""
    return isinstance(part, str) and (part in ("float", "str", "int") or part.startswith("dict["))


def _keys_at(at: Path_) -> list[str]:
    section: Any = Recipe
    for part in at:
        if isinstance(part, int) or not (isinstance(section, type) and issubclass(section, BaseModel)):
            continue
        annotation = section.model_fields[part].annotation if part in section.model_fields else None
        section = next((a for a in getattr(annotation, "__args__", ()) if isinstance(a, type)), annotation)
    return list(section.model_fields) if isinstance(section, type) and issubclass(section, BaseModel) else []


def _name_faults_of_raw(content: Mapping[str, Any]) -> Iterator[Fault]:
    """Check the names that can be checked in a recipe that already has faults of form."""
    model = content.get("model")
    if isinstance(model, dict) and isinstance(model.get("name"), str):
        arguments = model.get("arguments")
        yield from _model_faults(model["name"], arguments if isinstance(arguments, dict) else {})
    data = content.get("data")
    if isinstance(data, dict) and isinstance(data.get("degrade"), list):
        yield from _chain_faults(data["degrade"], ("data", "degrade"))


def _name_faults(recipe: Recipe) -> Iterator[Fault]:
    yield from _model_faults(recipe.model.name, recipe.model.arguments)
    for name, _, arguments in recipe.loss_terms():
        try:
            create_loss(name, **arguments)
        except (RestorecliError, TypeError, ValueError) as error:
            yield ("loss", name), _one_line(error)
    yield from _chain_faults(recipe.data.degrade, ("data", "degrade"))
    yield from _chain_faults(recipe.validation.degrade, ("validation", "degrade"))


def _model_faults(name: str, arguments: Mapping[str, Any]) -> Iterator[Fault]:
    try:
        create_model(name, **arguments)
    except RestorecliError as error:
        at = "name" if "There is no model" in error.problem else "arguments"
        yield ("model", at), _one_line(error)


def _chain_faults(steps: list[Any], at: Path_) -> Iterator[Fault]:
    for index, step in enumerate(steps):
        try:
            Chain.from_specs([step])
        except RestorecliError as error:
            yield (*at, index), _one_line(error)


def _folder_faults(recipe: Recipe, base: Path) -> Iterator[Fault]:
    for section, sources in (("data", recipe.data.train), ("validation", recipe.validation.sources)):
        for index, source in enumerate(sources):
            for key in ("clean", "degraded", "reference"):
                name = getattr(source, key)
                if name is not None and not recipe.folder_of(name, base).is_dir():
                    place = "train" if section == "data" else "sources"
                    yield (section, place, index, key), f"no such folder: {recipe.folder_of(name, base)}"
    yield from _chain_needed(recipe)


def _chain_needed(recipe: Recipe) -> Iterator[Fault]:
    clean = any(source.clean is not None for source in recipe.data.train)
    if clean and not recipe.data.degrade:
        yield ("data", "degrade"), "clean pictures need a chain of degradations, came an empty one"
    validated = recipe.validation.sources or recipe.data.train
    if any(source.clean is not None for source in validated) and not recipe.validation.degrade:
        yield (
            ("validation", "degrade"),
            "clean pictures need a fixed chain of degradations, came an empty one",
        )


def _one_line(error: Exception) -> str:
    if not isinstance(error, RestorecliError):
        return str(error)
    details = error.details()
    parts = [error.problem]
    if "expected" in details:
        parts.append(f"expected {details['expected']}")
    if "try" in details:
        parts.append(details["try"])
    return "; ".join(parts)


def _report(path: Path, places: Mapping[Path_, Place], faults: list[Fault]) -> RecipeError:
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
