"""Charts inside the page: the drawing of the paper, in the page's colors and under its policy."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import pytest

from restorecli.report.chart_images import gain_chart
from restorecli.report.chart_means import MAX_GROUPS, mean_chart
from restorecli.report.chart_style import COLUMN, PAGE, SCREEN, chart_style
from restorecli.report.inline_svg import COLORS, inline_svg

HOSTILE = "</svg><script>alert(1)</script>"


@pytest.fixture(scope="module")
def evaluation(invent_evaluation):
    numbers = [(f"{i}.png", HOSTILE if i % 2 else "stone", 10.0 + i, 20.0 + 2 * i) for i in range(6)]
    return invent_evaluation(numbers, metrics=("psnr",))


def inline(evaluation, name="a", draw=mean_chart) -> str:
    with chart_style(PAGE):
        return inline_svg(draw(evaluation, evaluation.metrics[0], PAGE), name, 'label "of" <all>')


def test_nothing_in_it_needs_a_style_that_the_policy_forbids(evaluation):
    root = ET.fromstring(inline(evaluation))
    assert root.tag == "svg"
    assert root.get("aria-label") == 'label "of" <all>'
    assert {"width", "height"}.isdisjoint(root.attrib)
    for part in root.iter():
        assert "style" not in part.attrib
        assert part.tag not in ("style", "metadata", "script")
        assert not any(key.startswith("{") for key in part.attrib)


def test_bars_and_whiskers_are_as_long_as_the_numbers(evaluation):
    """All on one scale: two ticks of the axis say where 0 is, and how long a decibel."""
    root = ET.fromstring(inline(evaluation))
    texts = {text.text: float(text.get("x")) for text in root.iter("text") if text.get("x")}
    zero, unit = texts["0"], (texts["20"] - texts["0"]) / 20
    bars = [
        [float(x) for x in re.findall(r"[ML] ([\d.]+) ", path.get("d"))]
        for path in root.iter("path")
        if path.get("class") in ("fill-before", "fill-after")
    ]
    group = evaluation.groups["stone"]
    wanted = [group.degraded["psnr"].mean, group.restored["psnr"].mean]
    shown = sorted(round((max(bar) - zero) / unit, 2) for bar in bars)
    assert all(min(bar) == pytest.approx(zero, abs=0.01) for bar in bars)
    for mean in wanted:
        assert any(abs(mean - length) < 0.02 for length in shown)
    lines = [
        [(float(x) - zero) / unit for x in re.findall(r"[ML] ([\d.]+) ", path.get("d"))]
        for path in root.iter("path")
        if path.get("class") == "stroke-ink"
    ]
    low, high = evaluation.overall.restored["psnr"].interval
    assert any(line == pytest.approx([low, high], abs=0.02) for line in lines)


def test_colors_of_the_page_are_classes_and_texts_stay_texts(evaluation):
    svg = inline(evaluation)
    assert not any(color in svg for color in COLORS)
    assert {"fill-before", "fill-after", "stroke-ink", "fill-muted"} <= set(re.findall(r"[\w-]+", svg))
    assert "<script" not in svg
    assert "&lt;/svg&gt;&lt;s" in svg


def test_ids_of_two_charts_of_a_page_differ_and_lead_where_they_led(evaluation):
    one, other = (inline(evaluation, name, gain_chart) for name in ("one", "other"))
    ids = [set(re.findall(r'\bid="([^"]+)"', svg)) for svg in (one, other)]
    assert ids[0]
    assert not ids[0] & ids[1]
    for svg, own in zip((one, other), ids, strict=True):
        assert set(re.findall(r"#([\w.-]+)\)", svg)) | set(re.findall(r'href="#([^"]+)"', svg)) == own


def test_many_groups_are_cut_and_the_chart_says_so(invent_evaluation):
    numbers = [(f"{i}.png", f"group {i:03}", 20.0, 30.0) for i in range(MAX_GROUPS + 5)]
    evaluation = invent_evaluation(numbers, metrics=("psnr",))
    with chart_style(PAGE):
        chart = mean_chart(evaluation, evaluation.metrics[0], PAGE, limit=MAX_GROUPS)
        labels = [label.get_text() for label in chart.figure.axes[0].get_yticklabels()]
    assert len(labels) == MAX_GROUPS + 1
    assert labels[-1].startswith("overall")
    assert f"first {MAX_GROUPS} of {MAX_GROUPS + 5} groups" in chart.subtitle


def test_one_group_has_one_row(invent_evaluation):
    evaluation = invent_evaluation([(f"{i}.png", "all of it", 20.0, 30.0 + i) for i in range(3)])
    with chart_style(PAGE):
        axes = mean_chart(evaluation, evaluation.metrics[0], PAGE).figure.axes[0]
        labels = [label.get_text() for label in axes.get_yticklabels()]
    assert labels == ["all of it  (3)"]
    assert len(axes.patches) == 2


@pytest.mark.parametrize(("metric", "worse"), [("psnr", 3), ("mae", 8)])
def test_an_image_that_did_not_change_did_not_get_worse(invent_evaluation, metric, worse):
    gains = [-3.0, -2.0, -1.0, 0.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0]
    numbers = [(f"{index}.png", "x", 20.0, 20.0 + gain) for index, gain in enumerate(gains)]
    evaluation = invent_evaluation(numbers, metrics=(metric,))
    with chart_style(PAGE):
        assert f"{worse} of 12 got worse" in gain_chart(evaluation, evaluation.metrics[0], PAGE).subtitle


@pytest.mark.parametrize("look", [COLUMN, PAGE])
def test_charts_inside_a_document_have_no_words_of_their_own(evaluation, look):
    with chart_style(look):
        chart = mean_chart(evaluation, evaluation.metrics[0], look)
        words = {text.get_text() for text in chart.figure.texts}
        width = chart.figure.get_figwidth()
    assert words == {"degraded", "restored", "\u25a0"}
    assert width == look.width
    assert chart.title == "PSNR by category"
    with chart_style(SCREEN):
        words = {text.get_text() for text in mean_chart(evaluation, evaluation.metrics[0]).figure.texts}
    assert chart.title in words
