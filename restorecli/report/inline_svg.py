"""Charts inside the page: matplotlib's SVG without style attributes, its colors taken from the page."""

from __future__ import annotations

import io
import re
import xml.etree.ElementTree as ET  # what is parsed was written by matplotlib a moment ago
from collections.abc import Iterator
from types import MappingProxyType
from typing import Final

from markupsafe import Markup

from restorecli.report.chart_style import AFTER, BEFORE, INK, MUTED, PAPER, RULE, WORSE, Chart
from restorecli.report.panels import printable

COLORS: Final = MappingProxyType(
    {
        INK: "ink",
        MUTED: "muted",
        RULE: "rule",
        BEFORE: "before",
        AFTER: "after",
        WORSE: "worse",
        PAPER: "card",
    }
)
"""Colors of a chart that are other ones on a dark page, and the CSS variables that hold them."""

_FONT = re.compile(r"(?:(?P<weight>\d+|bold)\s+)?(?P<size>[\d.]+)px\b")
_REFERENCE = re.compile(r"#([\w.-]+)")
_DROPPED = ("metadata", "style")


def inline_svg(chart: Chart, name: str, label: str) -> Markup:
    """Return a chart as an element that may stand in an HTML page.

    A page whose content security policy allows no style attributes shows it as drawn: properties become
    attributes, colors become classes such as `fill-ink` and `stroke-rule`, and texts take the page's font.

    Args:
        chart: Drawn within `chart_style`, and written there too.
        name: What makes its ids differ from those of other charts of the page.
        label: What the chart shows, in words.
    """
    stream = io.BytesIO()
    chart.figure.savefig(stream, format="svg", metadata={"Date": None, "Creator": None})
    root = ET.fromstring(stream.getvalue())  # noqa: S314
    used = {
        found for part in root.iter() for value in part.attrib.values() for found in _REFERENCE.findall(value)
    }
    for parent in root.iter():
        for child in list(parent):
            if _local(child.tag) in _DROPPED:
                parent.remove(child)
    for part in root.iter():
        part.tag = _local(part.tag)
        part.attrib = dict(_attributes(part.attrib, name, used))
    root.attrib = {"viewBox": root.attrib["viewBox"], "role": "img", "aria-label": printable(label)}
    return Markup(ET.tostring(root, encoding="unicode"))  # noqa: S704


def _local(name: str) -> str:
    return name.rpartition("}")[2]


def _attributes(attributes: dict[str, str], name: str, used: set[str]) -> Iterator[tuple[str, str]]:
    """Yield what an element keeps, with its properties as attributes and its colors as classes."""
    classes = []
    properties = [part.partition(":") for part in attributes.get("style", "").split(";") if part.strip()]
    given = {_local(key): value for key, value in attributes.items() if key != "style"}
    for key, value in {**given, **{key.strip(): value.strip() for key, _, value in properties}}.items():
        if key == "id":
            if value in used:
                yield key, f"{name}-{value}"
        elif key == "font":
            yield from _font(value)
        elif key in ("fill", "stroke") and value in COLORS:
            classes.append(f"{key}-{COLORS[value]}")
        elif not key.startswith("font-family"):
            yield key, _REFERENCE.sub(rf"#{name}-\1", value) if "href" in key or "url(" in value else value
    if classes:
        yield "class", " ".join(classes)


def _font(value: str) -> Iterator[tuple[str, str]]:
    found = _FONT.search(value)
    if found is not None:
        yield "font-size", found["size"]
        if found["weight"] is not None:
            yield "font-weight", found["weight"]
