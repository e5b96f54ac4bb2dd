"""The HTML page: self-contained, escaped, under a content security policy, and true to the evaluation."""

from __future__ import annotations

import base64
import dataclasses
import datetime as dt
import hashlib
import json
import re
from html.parser import HTMLParser

import pytest

from restorecli.evaluation.metrics.catalog import METRICS
from restorecli.evaluation.pairing.pairs import Unmatched
from restorecli.evaluation.statistics.comparison import compare
from restorecli.report.page import MAX_LISTED, render_page, report_title, write_page

HOSTILE = (
    ("</script><script>alert(1)</script>", "<!--<script>", "\u202egnp.exe"),
    ("", "a" * 3000, "]]>&amp;"),
    ("\ud800\udcff", "\x00\x1b[31m\u2028\n", "'\"><svg/onload=alert(1)>"),
    ("{{ title }}", "{% raw %}", "url(#x) `${1}`"),
)


class Reader(HTMLParser):
    """Collects elements, texts and balance of a document."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag, attrs):
        assert len({name for name, _ in attrs}) == len(attrs)
        self.elements.append((tag, dict(attrs)))
        if tag not in ("meta", "link", "img", "input"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" not in self.open and "script" not in self.open:
            self.texts.append(data)

    def named(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def words(self) -> str:
        return " ".join(self.texts)


def read(text: str) -> Reader:
    reader = Reader()
    reader.feed(text)
    reader.close()
    assert reader.open == []
    ids = [a["id"] for _, a in reader.elements if "id" in a]
    assert len(set(ids)) == len(ids)
    return reader


def shape(text: str) -> list[tuple[str, list[str]]]:
    """The elements and the names of their attributes, but for what is drawn inside the charts."""
    whole = re.sub(r'(<svg [^>]*role="img"[^>]*>).*?</svg>', r"\1</svg>", text, flags=re.DOTALL)
    return [(tag, sorted(attributes)) for tag, attributes in read(whole).elements]


@pytest.mark.parametrize("names", HOSTILE)
def test_no_name_changes_the_page_but_its_words(invent_evaluation, rename, names):
    harmless = ["one", "three", "two"]
    numbers = [(name, name, 20.0, 25.0 + index) for index, name in enumerate(harmless)]
    title = names[0]
    unmatched = (Unmatched("restored", title, title),)
    evaluation = invent_evaluation(numbers, metrics=("psnr",), unmatched=unmatched, fields={"model": "x"})
    expected = shape(render_page(rename(evaluation, harmless), title="t", about=["a"]))
    text = render_page(rename(evaluation, list(names)), title=title, about=[title])
    assert sorted(shape(text)) == sorted(expected)
    assert text.count("<script") == 2
    assert all(c.isprintable() or c == "\n" for c in text)
    text.encode("utf-8")


def test_hostile_names_of_real_files_are_escaped_everywhere(hostile_evaluation):
    text = render_page(hostile_evaluation, title="<script>title</script>", about=["<img src=x onerror=y>"])
    reader = read(text)
    assert len(reader.named("script")) == 2
    assert not any(key.startswith("on") for _, attributes in reader.elements for key in attributes)
    assert not any("style" in attributes for _, attributes in reader.elements)
    assert "\u202e" not in text
    assert "\x1b" not in text
    assert "&lt;script&gt;alert(1)" in text
    assert "restored  lost<script>" in reader.words


def test_a_hostile_name_that_no_encoding_holds_is_written(hostile_evaluation, tmp_path):
    write_page(hostile_evaluation, tmp_path / "out" / "report.html", title="bad \udcff name")
    assert "bad \\udcff name" in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")


def test_nothing_is_loaded_from_anywhere(plain_evaluation):
    text = render_page(plain_evaluation)
    for _, attributes in read(text).elements:
        for key in ("src", "href", "srcset", "action", "data"):
            assert (attributes.get(key) or "data:").startswith(("data:", "#"))
    assert "url(" not in re.sub(r'"url\(#[\w-]+\)"', "", text)  # clip paths within a chart
    assert "@import" not in text
    assert "fetch(" not in text
    assert not re.search(r"https?://", text)


def test_the_policy_names_the_hashes_of_the_one_style_and_script(plain_evaluation):
    text = render_page(plain_evaluation)
    (policy,) = [m["content"] for m in read(text).named("meta") if "http-equiv" in m]
    assert policy is not None
    assert policy.startswith("default-src 'none'; img-src data:; ")
    assert "unsafe" not in policy
    for tag in ("style", "script"):
        (content,) = re.findall(f"<{tag}>(.*?)</{tag}>", text, flags=re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
    assert text.index("Content-Security-Policy") < text.index("<style>") < text.index("<script>")


def test_the_numbers_are_those_of_the_evaluation(plain_evaluation):
    words = read(render_page(plain_evaluation, title="My report", about=["Noise, then a network."])).words
    overall = plain_evaluation.overall
    assert f"{overall.restored['psnr'].mean:.2f} dB" in words
    assert f"{overall.restored['ssim'].mean:.4f}" in words
    assert f"{overall.gain['psnr']:+.2f}" in words
    low, high = overall.gain_intervals["psnr"]
    assert f"{low:+.2f} to {high:+.2f}" in words
    assert "My report" in words
    assert "Noise, then a network." in words
    assert plain_evaluation.protocol in words
    for name, group in plain_evaluation.categories.items():
        assert name in words
        assert f"{group.degraded['ssim'].mean:.4f}" in words
    for score in plain_evaluation.images:
        assert f"{score.restored['psnr']:.2f}" in words


@pytest.mark.slow
def test_every_metric_is_in_every_table_with_its_definition(invent_evaluation):
    names = tuple(METRICS)
    evaluation = invent_evaluation(
        [(f"{i}.png", "ab"[i % 2], 1.0 + i, 2.0 + i) for i in range(6)], metrics=names
    )
    reader = read(render_page(evaluation, limit=2))
    for metric in evaluation.metrics:
        unit = f" ({metric.unit})" if metric.unit else ""
        heads = [text for text in reader.texts if text == f"{metric.title}{unit}"]
        assert len(heads) >= 4, metric.name  # by group, overall, and the two pairs
        assert any(text.startswith(metric.definition) for text in reader.texts)
        labels = [a.get("aria-label") or "" for a in reader.named("svg")]
        assert any(
            re.match(rf"{metric.title} by category: a: degraded \S+, restored", words) for words in labels
        )


def test_lower_is_better_turns_the_colors_and_the_order_round(invent_evaluation):
    evaluation = invent_evaluation([("a.png", "x", 5.0, 7.0), ("b.png", "x", 5.0, 3.0)], metrics=("mae",))
    text = render_page(evaluation)
    assert re.findall(r'<span class="(gain|loss)">([+-]\d)', text)[-2:] == [("loss", "+2"), ("gain", "-2")]
    assert text.index(">a.png</bdi></h3>") < text.index(">b.png</bdi></h3>")


def test_scores_that_are_infinite_or_unknown_do_not_break_the_page(invent_evaluation):
    infinite = [(f"{i}.png", "x", 20.0, float("inf")) for i in range(4)]
    reader = read(render_page(invent_evaluation(infinite, metrics=("psnr",))))
    assert "inf dB" in reader.words
    unknown = [(f"{i}.png", "x", None, None) for i in range(4)]
    assert "- dB" in read(render_page(invent_evaluation(unknown, metrics=("psnr",)))).words


def test_notes_stand_before_the_numbers(invent_evaluation):
    evaluation = invent_evaluation([("a.png", "x", 20.0, 30.0)], notes=("defects are washed out in x",))
    text = render_page(evaluation)
    assert text.index("defects are washed out in x") < text.index('class="tiles"')


def test_a_comparison_is_shown_for_every_metric_and_group(invent_evaluation):
    numbers = [(f"{index}.png", "ab"[index % 2], 20.0, 30.0 + index) for index in range(16)]
    ours = invent_evaluation(numbers)
    theirs = invent_evaluation(
        [(path, category, before, after - 1 - after / 99) for path, category, before, after in numbers]
    )
    comparison = compare(ours, {"<b>old": theirs}, name="new")
    reader = read(render_page(ours, comparison=comparison, limit=0))
    entry = comparison.find("overall", "psnr", "<b>old")
    assert entry.verdict == "better"
    assert reader.texts.count("▲ better") == sum(e.verdict == "better" for e in comparison.differences)
    assert f"{entry.mean:+.2f}" in reader.texts
    assert f"{entry.interval[0]:+.2f} to {entry.interval[1]:+.2f}" in reader.texts
    assert "<b>old" in reader.texts
    assert "Against other methods" not in read(render_page(ours, limit=0)).texts


def test_long_lists_are_cut_and_say_so(invent_evaluation):
    unmatched = tuple(Unmatched("restored", f"{i}.png", "lost") for i in range(MAX_LISTED + 3))
    evaluation = invent_evaluation([("a.png", "x", 20.0, 30.0)], unmatched=unmatched)
    words = read(render_page(evaluation)).words
    assert f"{MAX_LISTED + 3} listed" in words
    assert "and 3 more" in words


def test_the_data_for_the_script_hold_what_it_sorts_by(plain_evaluation):
    text = render_page(plain_evaluation)
    (island,) = re.findall(r'<script type="application/json" id="facts">(.*?)</script>', text)
    facts = json.loads(island)
    assert [m["name"] for m in facts["metrics"]] == ["psnr", "ssim"]
    titles = re.findall(r"<h3><bdi>(.*?)</bdi></h3>", text)
    scores = {score.pair.path: score for score in plain_evaluation.images}
    assert len(facts["cards"]) == len(titles) == 8
    for card, path in zip(facts["cards"], titles, strict=True):
        assert card["final"] == scores[path].restored
        assert card["gain"]["psnr"] == scores[path].gain("psnr")
    order = [card["final"]["psnr"] for card in facts["cards"]]
    assert order == sorted(order)


def test_the_same_evaluation_gives_the_same_page(plain_evaluation):
    assert render_page(plain_evaluation) == render_page(plain_evaluation)


@pytest.mark.parametrize("limit", [0, 3])
def test_no_more_pairs_are_shown_than_asked_for(plain_evaluation, limit):
    assert len(read(render_page(plain_evaluation, limit=limit)).named("img")) == 3 * limit


def test_lost_defects_are_listed_with_what_they_lost(invent_evaluation):
    numbers = [("gone.png", "crack", 95.0, 20.5), ("kept.png", "crack", 95.0, 94.0)]
    reader = read(render_page(invent_evaluation(numbers, metrics=("defect-score",)), limit=0))
    assert "1 of 2 defects lost more than 10 points:" in reader.texts
    assert {"20.5", "74.5"} <= set(reader.texts)


def test_the_title_names_data_method_and_date(make_evaluation, tmp_path):
    evaluation = make_evaluation(tmp_path / "kodak", ["a.png"])
    day = dt.date(2026, 11, 29)
    assert report_title(evaluation, "tv", day) == "kodak/clean, restored by tv, 2026-11-29"
    known = [dataclasses.replace(score, fields={"model": "sca-unet"}) for score in evaluation.images]
    named = dataclasses.replace(evaluation, images=tuple(known))
    assert report_title(named, "out", day) == "kodak/clean, restored by sca-unet, 2026-11-29"
