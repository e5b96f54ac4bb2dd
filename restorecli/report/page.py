"""The report: one HTML file that opens offline, drawn only from what an evaluation computed."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from importlib import resources
from pathlib import Path

from restorecli.evaluate.result import Evaluation
from restorecli.evaluate.statistics import MEAN_POLICY
from restorecli.images.atomic import atomic_write
from restorecli.report.gallery import gallery_section
from restorecli.report.markup import Html, element, joined
from restorecli.report.overview import score_table, tiles
from restorecli.version import __version__

_SHOWN_UNMATCHED = 500
_UNFOLDED_UNMATCHED = 10


def write_page(
    evaluation: Evaluation,
    path: Path,
    *,
    title: str = "Restoration report",
    about: Sequence[str] = (),
    pictures: int = 12,
) -> None:
    """Write the report as one self-contained HTML file.

    It loads nothing from anywhere: pictures are data URIs, and a content security policy allows only the one
    style sheet and the one script whose hashes it names. Every text is escaped. Without scripts the pictures
    stand beside one another; with them each pair has a slider.

    Args:
        evaluation: What was found; nothing is computed here.
        path: The .html file; its folder is made when missing.
        title: The heading.
        about: Sentences below the heading, e.g. what was degraded and restored how.
        pictures: How many pairs to show at most.

    Raises:
        ResourceError: The disk is full; an older report is left as it was.
        DataError: The folder cannot be written to.
    """
    text = render_page(evaluation, title=title, about=about, pictures=pictures)
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def render_page(
    evaluation: Evaluation,
    *,
    title: str = "Restoration report",
    about: Sequence[str] = (),
    pictures: int = 12,
) -> str:
    """Return the report's HTML; the arguments are those of `write_page`."""
    style, script = _asset("page.css"), _asset("page.js")
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=_policy(style, script)),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="referrer", content="no-referrer"),
        element("link", rel="icon", href="data:,"),
        element("title", title),
        element("style", style),
    )
    main = element(
        "main",
        element("h1", title),
        *(element("p", sentence, class_="lead muted") for sentence in about),
        tiles(evaluation),
        score_table(evaluation),
        gallery_section(evaluation, pictures),
        _unmatched(evaluation),
        _footer(evaluation),
    )
    body = element("body", main, element("script", script))
    return f"<!doctype html>\n{element('html', head, body, lang='en')}\n"


def _asset(name: str) -> Html:
    return Html(resources.files("restorecli.report").joinpath(name).read_text(encoding="utf-8"))


def _policy(style: str, script: str) -> str:
    """Return a policy that allows our style and script by their hashes, data URIs as pictures, no more."""
    return (
        f"default-src 'none'; img-src data:; style-src {_hash(style)}; script-src {_hash(script)}; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    digest = base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")
    return f"'sha256-{digest}'"


def _unmatched(evaluation: Evaluation) -> Html:
    entries = evaluation.unmatched
    if not entries:
        return Html("")
    items = [
        element("li", element("b", f"{entry.side} {entry.path}"), f": {entry.reason}")
        for entry in entries[:_SHOWN_UNMATCHED]
    ]
    hidden = len(entries) - len(items)
    if hidden:
        items.append(element("li", f"and {hidden} more, which `restorecli eval --json` lists"))
    unfolded = {"open": ""} if len(entries) <= _UNFOLDED_UNMATCHED else {}
    summary = element("summary", f"{len(entries)} listed, each with its reason")
    return joined(
        element("h2", "Not scored"),
        element("p", "These pictures are in no number above.", class_="muted"),
        element("details", summary, element("ul", *items), **unfolded),
    )


def _footer(evaluation: Evaluation) -> Html:
    return element(
        "footer",
        element("p", f"Protocol: {evaluation.protocol}."),
        element("p", MEAN_POLICY),
        *(element("p", f"Note: {note}.") for note in evaluation.notes),
        element("p", f"Made by restorecli {__version__}."),
    )
