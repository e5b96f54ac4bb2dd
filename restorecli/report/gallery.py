"""The pictures of the page: pairs with a slider between degraded and restored."""

from __future__ import annotations

from restorecli.errors import RestorecliError
from restorecli.evaluate.result import Evaluation
from restorecli.evaluate.tables import format_number
from restorecli.report.choice import Choice, choose
from restorecli.report.embed import CUT, Embedded, embed
from restorecli.report.markup import Html, element, joined
from restorecli.report.panels import panels_of


def gallery_section(evaluation: Evaluation, limit: int) -> Html:
    """Return the section with at most `limit` pairs; nothing for none."""
    choices = choose(evaluation, limit)
    if not choices:
        return Html("")
    shown = (
        f"{len(choices)} of {len(evaluation.images)} pairs: of every category the one with the median PSNR "
        f"and the lowest one. Full resolution; of large pictures the central {CUT[0]}×{CUT[1]} pixels."
    )
    return joined(
        element("h2", "Pictures"),
        element("p", shown, class_="muted lead"),
        element("div", *(_card(choice) for choice in choices), class_="gallery"),
    )


def _card(choice: Choice) -> Html:
    pair = choice.score.pair
    reason = f" · {choice.reason}" if choice.reason else ""
    header = element("header", element("h3", pair.path), element("span", f"{pair.category}{reason}"))
    try:
        pictures = embed(panels_of(choice.score))
    except RestorecliError as error:
        return element(
            "article",
            header,
            element("p", f"Cannot be shown: {error.problem}", class_="scores"),
            class_="card",
        )
    return element("article", header, _compare(pictures, pair.path), _scores(choice, pictures), class_="card")


def _compare(pictures: tuple[Embedded, ...], name: str) -> Html:
    roles = ("before", "after", "truth") if len(pictures) == 3 else ("before", "after")
    figures = [_figure(picture, role, name) for picture, role in zip(pictures, roles, strict=True)]
    label = f"Slide between {pictures[0].label} and {pictures[1].label}: {name}"
    slider = element("input", type="range", min="0", max="100", step="0.5", value="50", aria_label=label)
    return element("div", *figures, slider, class_="compare")


def _figure(picture: Embedded, role: str, name: str) -> Html:
    image = element(
        "img",
        src=picture.uri,
        alt=f"{picture.label}: {name}",
        width=str(picture.size[0]),
        height=str(picture.size[1]),
        class_="small" if picture.is_small else "cut" if picture.is_cut else "whole",
    )
    return element("figure", image, element("figcaption", picture.label), class_=role)


def _scores(choice: Choice, pictures: tuple[Embedded, ...]) -> Html:
    parts: list[Html] = [
        element("span", f"{picture.label} ", element("b", picture.caption))
        for picture in pictures
        if picture.caption
    ]
    gain = choice.score.gain("psnr")
    if gain is not None:
        words = f"{format_number(gain, 2, signed=True)} dB"
        parts.append(element("span", words, class_="gain" if gain >= 0 else "loss"))
    if len(pictures) == 3:
        button = element("button", "reference", type="button", class_="switch", aria_pressed="false")
        parts.append(button)
    return element("p", *parts, class_="scores")
