"""The manual: Markdown pages that ship with the package and are shown by `restorecli docs`."""

from __future__ import annotations

from importlib import resources

from restorecli.catalogs import did_you_mean
from restorecli.errors import UsageError


def pages() -> dict[str, str]:
    """Return the names of all pages, in alphabetical order, with their titles."""
    files = sorted(resources.files(__name__).iterdir(), key=lambda file: file.name.removesuffix(".md"))
    return {
        file.name.removesuffix(".md"): file.read_text(encoding="utf-8").partition("\n")[0].removeprefix("# ")
        for file in files
        if file.name.endswith(".md")
    }


def page(name: str) -> str:
    """Return the text of a page, in Markdown.

    Raises:
        UsageError: There is no such page; the nearest name is offered.
    """
    known = pages()
    if name not in known:
        raise UsageError(
            f"There is no page {name!r}.",
            expected=", ".join(known),
            got=name,
            hint=did_you_mean(name, known) or "restorecli docs",
        )
    return resources.files(__name__).joinpath(f"{name}.md").read_text(encoding="utf-8")
