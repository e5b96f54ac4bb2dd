"""The page of the manual that draws the house, compared with the imports of the code."""

import ast
import re
from functools import cache
from pathlib import Path

import restorecli
from restorecli.docs import page

PACKAGE = Path(restorecli.__file__).parent
GROUND = {"catalogs", "cores", "counting", "errors", "heap", "plugins", "result", "version", "yaml12"}
"""Single modules that may be imported from everywhere."""
DATA = {"docs", "weights", "recipes"}
"""Folders of data; `docs` has a few lines that read it."""


@cache
def real_house() -> dict[str, set[str]]:
    """Return what each room imports; every file is parsed once."""
    house: dict[str, set[str]] = {}
    for file in PACKAGE.rglob("*.py"):
        room = file.relative_to(PACKAGE).parts[0].removesuffix(".py")
        house.setdefault(room, set()).update(imported_rooms(file) - {room})
    return {room: uses for room, uses in house.items() if room not in {"__init__", "__main__", *DATA}}


def imported_rooms(file: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module == "restorecli":
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("restorecli."):
            found.add(node.module.split(".")[1])
        elif isinstance(node, ast.Import):
            found |= {name.name.split(".")[1] for name in node.names if name.name.startswith("restorecli.")}
    return found - DATA


def drawn_house() -> dict[str, set[str]]:
    rows = re.findall(r"^\| `(\w+)` \| .* \| ([\w, -]+) \|$", page("architecture"), re.MULTILINE)
    return {room: set() if uses == "-" else set(uses.split(", ")) for room, uses in rows}


def test_the_table_of_the_architecture_page_is_that_of_the_code() -> None:
    rooms = {room: uses - GROUND for room, uses in real_house().items() if room not in GROUND}
    assert drawn_house() == rooms, "mend the table in restorecli/docs/architecture.md (or the imports)"


def test_the_ground_imports_no_room() -> None:
    for module in GROUND:
        assert real_house()[module] <= GROUND, module


def test_imports_run_in_one_direction() -> None:
    house, settled = real_house(), set()
    while True:
        free = {room for room, uses in house.items() if uses <= settled} - settled
        if not free:
            break
        settled |= free
    assert settled == set(house), "these rooms import each other in a circle"


def test_the_table_for_contributors_names_files_that_are_there() -> None:
    table = (PACKAGE.parent / ".github" / "CONTRIBUTING.md").read_text(encoding="utf-8")
    named = re.findall(r"`((?:restorecli|tests|recipes)/[^`]*)`", table)
    missing = [name for name in named if "NAME" not in name and not (PACKAGE.parent / name).exists()]
    assert len(named) > 20
    assert missing == [], "mend the table in .github/CONTRIBUTING.md"


def names_in(folder: Path) -> set[str]:
    """Return the modules and packages below a room, and all names that their files hold."""
    files = list(folder.rglob("*.py"))
    words = set().union(
        *(re.findall(r"\w+", file.read_text(encoding="utf-8").split('"""', 2)[-1]) for file in files)
    )
    return words | {file.stem for file in files} | {file.parent.name for file in files}


def test_what_a_room_says_of_itself_names_what_is_there() -> None:
    for room in sorted(real_house().keys() - GROUND):
        described = ast.get_docstring(ast.parse((PACKAGE / room / "__init__.py").read_text(encoding="utf-8")))
        assert described is not None, f"say in restorecli/{room}/__init__.py what flows through it"
        assert len(described.splitlines()) >= 5, f"say in restorecli/{room}/__init__.py what flows through it"
        named = {part for words in re.findall(r"`([\w.]+)`", described) for part in words.split(".")}
        named -= {"run_VERB"}  # stands for several
        gone = named - names_in(PACKAGE / room) - real_house().keys() - {"restorecli"}
        assert gone == set(), f"restorecli/{room}/__init__.py names what is not there any more"
