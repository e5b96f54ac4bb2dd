"""HTML that cannot be injected into: every text is escaped unless it was made by this module."""

from __future__ import annotations

import json
from html import escape

from restorecli.report.panels import printable

_VOID = frozenset({"img", "input", "link", "meta"})
_UNSAFE = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"})


class Html(str):
    """Text that is markup already; only the functions of this module make it out of other text."""

    __slots__ = ()


def element(name: str, /, *children: str, **attributes: str) -> Html:
    """Return one element; children that are not `Html` and all attribute values are escaped.

    Args:
        name: The element's name, written by us, never by data.
        children: Texts and elements.
        attributes: Values by name; a trailing underscore is dropped (`class_`) and an inner one is a dash
            (`data_label`).
    """
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{_escaped(value)}"' for key, value in attributes.items()
    )
    if name in _VOID:
        return Html(f"<{name}{written}>")
    return Html(f"<{name}{written}>{joined(*children)}</{name}>")


def joined(*children: str) -> Html:
    """Return texts and elements one after the other."""
    return Html("".join(child if isinstance(child, Html) else _escaped(child) for child in children))


def named(text: str) -> Html:
    """Return a name that came from outside: escaped, and its writing direction kept to itself."""
    return element("bdi", text)


def data_island(name: str, value: object) -> Html:
    """Return data for the page's script, in an element that no browser runs.

    Args:
        name: The element's id.
        value: What JSON can hold, without infinity and not-a-number; no text in it can end the element, since
            `<`, `>` and `&` are written as JSON escapes, and so is everything outside ASCII.

    Raises:
        ValueError: A number is not finite.
    """
    text = json.dumps(value, allow_nan=False, ensure_ascii=True, separators=(",", ":"))
    return element("script", Html(text.translate(_UNSAFE)), type="application/json", id=name)


def _escaped(text: str) -> str:
    return escape(printable(text), quote=True)
