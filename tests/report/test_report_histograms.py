"""The page's charts: bars as long as their means, and histograms that count every picture once."""

from __future__ import annotations

import re

import pytest

from restorecli.report.bars import SHOWN_GROUPS, bar_section
from restorecli.report.spreads import spread_section

RECT = re.compile(r'<rect x="([\d.]+)%" y="([\d.]+)" width="([\d.]+)%" height="([\d.]+)" class="([\w-]+)">')


def test_a_bar_is_as_long_as_its_mean_and_its_whisker_spans_the_interval(invent_evaluation):
    numbers = [(f"{i}.png", "x", 10.0 + i, 20.0 + 2 * i) for i in range(5)]
    evaluation = invent_evaluation(numbers, metrics=("psnr",))
    html = bar_section(evaluation)
    before, after = RECT.findall(html)[:2]
    assert (before[4], after[4]) == ("bar-before", "bar-after")
    assert float(after[2]) / float(before[2]) == pytest.approx(24 / 12, rel=1e-3)
    assert float(after[0]) == float(before[0]) == 0
    low, high = evaluation.overall.restored["psnr"].interval
    ends = re.findall(r'<line x1="([\d.]+)%" x2="([\d.]+)%" y1="([\d.]+)" y2="\3" class="whisker">', html)
    scale = float(after[2]) / 24
    assert float(ends[1][0]) == pytest.approx(low * scale, abs=0.01)
    assert float(ends[1][1]) == pytest.approx(high * scale, abs=0.01)


def test_negative_means_hang_to_the_left_of_zero(invent_evaluation):
    html = bar_section(invent_evaluation([("a.png", "x", -0.5, 0.5), ("b.png", "x", -0.5, 0.5)]))
    before, after = RECT.findall(html)[-2:]
    assert float(before[0]) + float(before[2]) == pytest.approx(float(after[0]), abs=0.01)
    assert float(before[2]) == pytest.approx(float(after[2]), abs=0.01)


def test_many_groups_are_cut_and_the_page_says_so(invent_evaluation):
    numbers = [(f"{i}.png", f"group {i:03}", 20.0, 30.0) for i in range(SHOWN_GROUPS + 5)]
    html = bar_section(invent_evaluation(numbers, metrics=("psnr",)))
    assert html.count('class="name"') == SHOWN_GROUPS
    assert f"first {SHOWN_GROUPS} of {SHOWN_GROUPS + 5} groups" in html


@pytest.mark.parametrize(("metric", "worse"), [("psnr", 3), ("mae", 9)])
def test_the_gains_count_every_picture_once_and_colour_the_worse_ones(invent_evaluation, metric, worse):
    gains = [-3.0, -2.0, -1.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0]
    numbers = [(f"{index}.png", "x", 20.0, 20.0 + gain) for index, gain in enumerate(gains)]
    html = spread_section(invent_evaluation(numbers, metrics=(metric,)))
    panel = html[html.rindex('aria-label="') :]
    assert f"gain; {worse} of 12 got worse" in panel
    heights = {"bin-before": 0.0, "bin-after": 0.0}
    for *_, height, kind in RECT.findall(panel):
        heights[kind] += float(height)
    share = heights["bin-before"] / sum(heights.values())
    assert share == pytest.approx(worse / 12, abs=0.01)


def test_scores_stand_above_the_line_and_below_it(invent_evaluation):
    numbers = [(f"{index}.png", "x", 20.0 + index, 30.0 + index) for index in range(8)]
    html = spread_section(invent_evaluation(numbers, metrics=("psnr",)))
    first = html[: html.index("</svg>")]
    (line,) = re.findall(r'<line x1="0" x2="100%" y1="(\d+)"', first)
    for _, top, _, height, kind in RECT.findall(first):
        if kind == "bin-after":
            assert float(top) + float(height) == pytest.approx(float(line), abs=0.11)
        else:
            assert float(top) == float(line)


def test_two_pictures_have_no_distribution(invent_evaluation):
    assert spread_section(invent_evaluation([("a.png", "x", 1.0, 2.0), ("b.png", "x", 1.0, 2.0)])) == ""
