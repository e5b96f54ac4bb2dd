"""The recipes that ship, by name; found without torch, since shell completion asks for them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from restorecli.catalogs import did_you_mean
from restorecli.errors import RecipeError

_PACKAGE = Path(__file__).resolve().parent.parent
IN_PACKAGE = _PACKAGE / "recipes"
IN_CHECKOUT = _PACKAGE.parent / "recipes"


def shipped_recipes() -> dict[str, Path]:
    """Return the recipes that ship with the package: name to file; of subfolders as "quick/rdn"."""
    folder = IN_PACKAGE if IN_PACKAGE.is_dir() else IN_CHECKOUT
    files = sorted(folder.rglob("*.yaml"), key=lambda path: (len(path.parts), path))
    return {path.relative_to(folder).with_suffix("").as_posix(): path for path in files}


def find_recipe(name_or_file: str | Path) -> Path:
    """Return the recipe's file: a path, or the name of a shipped recipe.

    Raises:
        RecipeError: There is neither; the nearest names are offered.
    """
    path = Path(name_or_file)
    return path if path.is_file() else shipped_recipe(str(name_or_file))


def shipped_recipe(name: str) -> Path:
    """Return a shipped recipe's file.

    Raises:
        RecipeError: None has this name; the nearest is offered.
    """
    known = shipped_recipes()
    if name in known:
        return known[name]
    path = Path(name)
    raise RecipeError(
        f"There is no recipe {name!r}.",
        expected="a .yaml file, or the name of a recipe that `restorecli recipes` lists",
        got="a folder" if path.is_dir() else f"no such file in {Path.cwd()}",
        hint=_how_to_get(name, known),
    )


def _how_to_get(name: str, known: Mapping[str, Path]) -> str:
    """Return what to try where there is no recipe `name`: the nearest name, or how to make a file."""
    path = Path(name)
    if path.suffix in (".yaml", ".yml") and not path.exists():
        shipped = path.stem if path.stem in known else "quick"
        return f"restorecli recipes {shipped} > {name}"
    return did_you_mean(name, known) or "restorecli recipes"


def data_base(recipe: str | Path, path: Path) -> Path:
    """Return the folder that a recipe's relative data folders start from.

    Args:
        recipe: What the user wrote: a file, or the name of a shipped recipe.
        path: The file that `find_recipe` found for it.

    Returns:
        The file's own folder; for a shipped recipe, which has no images beside it, the current folder.
    """
    return path.parent if path == Path(recipe) else Path.cwd()


def summary_of(path: Path) -> str:
    """Return a recipe's first comment line: what it trains."""
    first = path.read_text(encoding="utf-8").partition("\n")[0]
    return first.lstrip("# ").strip()
