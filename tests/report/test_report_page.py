"""The HTML page: self-contained, escaped, under a content security policy, and true to the evaluation."""

from __future__ import annotations

import base64
import hashlib
import io
import re
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from restorecli.report.choice import choose
from restorecli.report.markup import Html, element, joined
from restorecli.report.page import render_page, write_page


class Reader(HTMLParser):
    """Collects elements, texts and balance of a document."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in ("meta", "link", "img", "input"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)


def read(text: str) -> Reader:
    reader = Reader()
    reader.feed(text)
    reader.close()
    assert reader.open == []
    return reader


def named(reader: Reader, tag: str) -> list[dict[str, str | None]]:
    return [attributes for name, attributes in reader.elements if name == tag]


@given(st.text(), st.text())
@settings(deadline=None)
def test_any_text_comes_back_as_text_and_nothing_else(text, value):
    reader = read(element("p", text, title=value))
    assert [name for name, _ in reader.elements] == ["p"]
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    assert "".join(reader.texts) == shown


def test_markup_is_kept_and_text_beside_it_escaped():
    assert joined(element("b", "1 < 2"), "<i>") == Html("<b>1 &lt; 2</b>&lt;i&gt;")
    assert element("img", alt="a\"b'") == '<img alt="a&quot;b&#x27;">'


def test_hostile_names_are_escaped_everywhere(hostile_evaluation):
    text = render_page(hostile_evaluation, title="<script>title</script>", about=["<img src=x onerror=y>"])
    reader = read(text)
    assert len(named(reader, "script")) == 1
    assert not any(key.startswith("on") for _, attributes in reader.elements for key in attributes)
    assert not any("style" in attributes for _, attributes in reader.elements)
    assert "\u202e" not in text
    assert "\x1b" not in text
    assert text.count("<script>") == 1
    assert "&lt;script&gt;alert(1)" in text


def test_a_hostile_name_that_no_encoding_holds_is_written(hostile_evaluation, tmp_path):
    write_page(hostile_evaluation, tmp_path / "out" / "report.html", title="bad \udcff name")
    assert "bad \\udcff name" in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")


def test_nothing_is_loaded_from_anywhere(plain_evaluation):
    text = render_page(plain_evaluation)
    reader = read(text)
    for _, attributes in reader.elements:
        for key in ("src", "href", "srcset", "action", "data"):
            assert (attributes.get(key) or "data:").startswith("data:")
    assert "url(" not in text
    assert "@import" not in text
    assert not re.search(r"https?://", text)


def test_the_policy_names_the_hashes_of_the_one_style_and_script(plain_evaluation):
    text = render_page(plain_evaluation)
    (meta,) = [m for m in named(read(text), "meta") if m.get("http-equiv") == "Content-Security-Policy"]
    policy = meta["content"] or ""
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    for tag in ("style", "script"):
        (content,) = re.findall(f"<{tag}>(.*?)</{tag}>", text, flags=re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy


def test_the_policy_stands_before_everything_it_governs(plain_evaluation):
    text = render_page(plain_evaluation)
    assert text.index("Content-Security-Policy") < text.index("<style>") < text.index("<script>")


def test_the_numbers_are_those_of_the_evaluation(plain_evaluation):
    reader = read(render_page(plain_evaluation, title="My report", about=["Noise, then a network."]))
    words = " ".join(reader.texts)
    overall = plain_evaluation.overall
    assert f"{overall.restored['psnr'].mean:.2f} dB" in words
    assert f"{overall.restored['ssim'].mean:.4f}" in words
    assert f"{overall.gain['psnr']:+.2f}" in words
    assert "My report" in words
    assert "Noise, then a network." in words
    assert plain_evaluation.protocol in words
    for name, group in plain_evaluation.categories.items():
        assert name in words
        assert f"{group.degraded['ssim'].mean:.4f}" in words


def test_every_shown_pair_has_three_pictures_that_decode(plain_evaluation):
    images = named(read(render_page(plain_evaluation, pictures=3)), "img")
    assert len(images) == 9
    for attributes in images:
        data = base64.b64decode(attributes["src"].partition(",")[2])
        with Image.open(io.BytesIO(data)) as image:
            assert image.size == (int(attributes["width"]), int(attributes["height"]))
    assert {i["alt"].partition(":")[0] for i in images} == {"degraded", "restored", "reference"}


def test_without_degraded_pictures_the_slider_is_against_the_reference(small_evaluation):
    reader = read(render_page(small_evaluation))
    assert [i["alt"] for i in named(reader, "img")] == ["restored: a.png", "reference: a.png"]
    (slider,) = named(reader, "input")
    assert slider["aria-label"] == "Slide between restored and reference: a.png"
    assert named(reader, "button") == []
    assert named(reader, "svg") == []


def test_large_pictures_are_cut_at_full_resolution(tmp_path, make_evaluation):
    evaluation = make_evaluation(tmp_path, ["a.png"], size=(500, 700))
    images = named(read(render_page(evaluation)), "img")
    assert {(i["width"], i["height"]) for i in images} == {("560", "420")}


def test_unmatched_pictures_are_listed(hostile_evaluation):
    words = " ".join(read(render_page(hostile_evaluation)).texts)
    assert "Not scored" in words
    assert "1 listed" in words
    assert "restored lost<script>" in words


def test_a_picture_that_is_gone_costs_only_itself(plain_evaluation):
    for score in plain_evaluation.images:
        if score.pair.category == "wood":
            score.pair.restored.path.unlink()
    reader = read(render_page(plain_evaluation))
    assert "Cannot be shown" in " ".join(reader.texts)
    assert len(named(reader, "img")) == 6


def test_no_pictures_can_be_asked_for(plain_evaluation):
    assert named(read(render_page(plain_evaluation, pictures=0)), "img") == []


def test_the_same_evaluation_gives_the_same_page(plain_evaluation):
    assert render_page(plain_evaluation) == render_page(plain_evaluation)


def test_the_choice_is_the_median_and_the_lowest_of_each_category(plain_evaluation):
    chosen = choose(plain_evaluation)
    assert [choice.reason for choice in chosen if choice.score.pair.category == "wood"].count(
        "median of 4"
    ) == 1
    wood = sorted(
        score.restored["psnr"] for score in plain_evaluation.images if score.pair.category == "wood"
    )
    picked = {c.reason: c.score.restored["psnr"] for c in chosen if c.score.pair.category == "wood"}
    assert picked == {"median of 4": wood[1], "lowest of 4": wood[0]}
    assert len(choose(plain_evaluation, limit=2)) == 2


@pytest.mark.parametrize("limit", [0, 1, 3, 12])
def test_the_choice_is_sorted_and_without_doubles(plain_evaluation, limit):
    paths = [choice.score.pair.path for choice in choose(plain_evaluation, limit)]
    assert paths == sorted(set(paths))
    assert len(paths) == min(limit, 4)
