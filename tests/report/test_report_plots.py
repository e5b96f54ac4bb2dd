"""Charts: readable as XML and PNG, the same bytes again, hostile names, and numbers at their places."""

from __future__ import annotations

import itertools
import math
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
from PIL import Image

from restorecli.errors import DataError, UsageError
from restorecli.evaluation.metrics.catalog import find_metrics
from restorecli.evaluation.pairing.pairs import Pair, Source
from restorecli.evaluation.result import PairScore
from restorecli.evaluation.statistics.assembly import assemble
from restorecli.folders.walking import OUTPUT_MARK
from restorecli.report.chart_images import distribution_chart, gain_chart
from restorecli.report.chart_means import mean_chart
from restorecli.report.chart_rows import OTHERS, series_of
from restorecli.report.chart_style import (
    AFTER,
    BEFORE,
    COLUMN,
    PALETTE,
    chart_style,
    label_room,
    write_figure,
)
from restorecli.report.plots import write_plots
from restorecli.report.spectra import error_spectra

HOSTILE = ("$\\frac{a}{b$", "_hidden", "<b>&\"'", "a\x1b[31m\u202e\n\udcff", "very " * 40, "$$", "%s {x}")


def scored(category: str, index: int, degraded: float | None, restored: float | None) -> PairScore:
    """A score of images that do not exist."""
    gone = Source(f"{index}.png", Path("gone"))
    sides = [None if value is None else {"psnr": value} for value in (degraded, restored)]
    return PairScore(Pair(f"{category}/{index}.png", category, None, gone, gone, gone), *sides)


def evaluation_of(scores: list[PairScore]):
    return assemble(scores, metrics=find_metrics(["psnr"]))


@pytest.fixture
def two_groups():
    values = [(20, 25), (22, 29), (24, 24), (21, 20), (23, 30), (19, math.inf)]
    return evaluation_of([scored("wood" if i % 2 else "stone", i, *pair) for i, pair in enumerate(values)])


def texts(path: Path) -> str:
    root = ET.parse(path).getroot()
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    return "\n".join("".join(part.itertext()) for part in root.iter("{http://www.w3.org/2000/svg}text"))


def test_every_chart_is_written_in_every_format(plain_evaluation, tmp_path):
    paths = write_plots(plain_evaluation, tmp_path / "charts")
    stems = [f"{name}-{kind}" for name in ("psnr", "ssim") for kind in ("means", "distribution", "gain")]
    assert [path.name for path in paths] == [
        f"{stem}.{suffix}" for stem in [*stems, "error-spectrum"] for suffix in ("png", "svg")
    ]
    for path in paths:
        if path.suffix == ".png":
            with Image.open(path) as image:
                assert image.width == round(8.6 * 160)
                assert image.height > 400
        else:
            assert "wood" in texts(path)
    assert (tmp_path / "charts" / OUTPUT_MARK).exists()


def test_the_same_evaluation_gives_the_same_bytes(two_groups, tmp_path):
    def write(folder: Path) -> list[Path]:
        with chart_style():
            chart = mean_chart(two_groups, two_groups.metrics[0])
            folder.mkdir()
            return write_figure(chart.figure, folder / "means", ("png", "svg", "pdf"))

    first = write(tmp_path / "one")
    mpl.rcParams["svg.hashsalt"] = "another"
    mpl.rcParams["text.usetex"] = True
    try:
        second = write(tmp_path / "two")
        assert mpl.rcParams["text.usetex"], "the user's own settings are put back"
    finally:
        mpl.rcdefaults()
    for one, other in zip(first, second, strict=True):
        assert one.read_bytes() == other.read_bytes(), one.name
        assert one.suffix != ".pdf" or one.read_bytes().startswith(b"%PDF")


def test_the_numbers_stand_in_the_chart(two_groups, tmp_path):
    paths = {path.stem: texts(path) for path in write_plots(two_groups, tmp_path, ("svg",))}
    means = paths["psnr-means"].splitlines()
    assert {"stone  (3)", "wood  (3)", "overall  (6)", "degraded", "restored"} <= set(means)
    assert {"22.33", "26.33", "20.67", "24.50 (+1 inf)"} <= set(means)  # by hand
    assert {"+4.00", "+3.00", "+3.60"} <= set(means)
    assert "RGB, no border crop" in paths["psnr-means"].replace("\n", " ")
    assert "1 infinite or undefined" in paths["psnr-distribution"].replace("\n", " ")


def test_hostile_names_are_drawn_as_they_are(tmp_path):
    scores = [scored(name, 3 * i + j, 20 + j, 25 + j) for i, name in enumerate(HOSTILE) for j in range(3)]
    for path in write_plots(evaluation_of(scores), tmp_path, ("svg", "png")):
        if path.suffix == ".svg":
            shown = texts(path)
            assert "$\\frac{a}{b$" in shown
            assert "_hidden" in shown
            assert "<b>&\"'" in shown
            assert "a\\x1b[31m\\u202e\\n\\udcff" in shown


def test_names_of_other_scripts_do_no_harm(tmp_path):
    scores = [scored("写真 猫 \U0001f4f7 عربي", index, 20, 25) for index in range(3)]
    assert "写真 猫" in texts(write_plots(evaluation_of(scores), tmp_path, ("svg",))[0])


def test_forty_groups_do_not_overlap():
    scores = [scored(f"category {i:02d}", 6 * i + j, 20 + j, 25 + j) for i in range(40) for j in range(6)]
    evaluation = evaluation_of(scores)
    for draw in (
        mean_chart,
        distribution_chart,
    ):
        with chart_style():
            figure = draw(evaluation, evaluation.metrics[0]).figure
            figure.draw_without_rendering()
            labels = [label.get_window_extent() for label in figure.axes[0].get_yticklabels()]
        assert len(labels) >= 40
        assert all(one.y0 > other.y1 for one, other in itertools.pairwise(labels))
        assert min(label.x0 for label in labels) >= 0


def test_bars_are_as_long_as_the_means(two_groups):
    with chart_style():
        axes = mean_chart(two_groups, two_groups.metrics[0]).figure.axes[0]
        bars = [(round(bar.get_width(), 3), mpl.colors.to_hex(bar.get_facecolor())) for bar in axes.patches]
        ends = axes.get_xlim()
    assert bars[:4] == [(22.333, BEFORE), (26.333, AFTER), (20.667, BEFORE), (24.5, AFTER)]
    assert ends[0] == 0


def test_intervals_are_those_of_the_table(two_groups):
    with chart_style():
        axes = mean_chart(two_groups, two_groups.metrics[0]).figure.axes[0]
        lines = {tuple(line.get_xdata()) for line in axes.lines}
    for group in two_groups.groups.values():
        assert group.degraded["psnr"].interval in lines
        assert group.restored["psnr"].interval in lines


def test_numbers_never_reach_the_column_of_gains():
    scores = [scored("a", i, 31.25 + i, math.inf if i == 3 else 33.5 + i) for i in range(4)]
    with chart_style():
        figure = mean_chart(evaluation_of(scores), find_metrics(["psnr"])[0]).figure
        figure.draw_without_rendering()
        axes = figure.axes[0]
        numbers = [text for text in axes.texts if "inf" in text.get_text()]
        assert numbers
        assert all(text.get_window_extent().x1 < axes.get_window_extent().x1 for text in numbers)


def test_quartiles_are_numpys(two_groups):
    scores = [scored("a", i, value, None) for i, value in enumerate([3, 1, 4, 1, 5, 9, 2, 6])]
    evaluation = evaluation_of(scores)
    with chart_style():
        axes = distribution_chart(evaluation, evaluation.metrics[0]).figure.axes[0]
        drawn = {float(x) for line in axes.lines for x in line.get_xdata()}
        points = sorted(float(x) for x in axes.collections[0].get_offsets()[:, 0])
    assert set(np.quantile([3, 1, 4, 1, 5, 9, 2, 6], (0.25, 0.5, 0.75))) <= drawn
    assert points == [1, 1, 2, 3, 4, 5, 6, 9]


def test_a_point_of_the_gain_chart_is_an_image(two_groups):
    with chart_style():
        axes = gain_chart(two_groups, two_groups.metrics[0]).figure.axes[0]
        points = [tuple(float(x) for x in place) for part in axes.collections for place in part.get_offsets()]
    assert sorted(points) == [(20, 5), (21, -1), (22, 7), (23, 7), (24, 0)]


def test_many_points_stay_a_small_file(tmp_path):
    rng = np.random.default_rng(0)
    pairs = zip(rng.normal(20, 1, 4000), rng.normal(26, 1, 4000), strict=True)
    evaluation = evaluation_of([scored("ab"[i % 2], i, float(a), float(b)) for i, (a, b) in enumerate(pairs)])
    for draw in (distribution_chart, gain_chart):
        with chart_style():
            chart = draw(evaluation, evaluation.metrics[0])
            (path,) = write_figure(chart.figure, tmp_path / draw.__name__, ("svg",))
        assert path.stat().st_size < 1_500_000, path.name


def test_other_methods_stand_beside_in_their_own_colors(two_groups, tmp_path):
    shifted = [
        replace(score, restored={"psnr": (score.restored["psnr"] + 1)}) for score in two_groups.images[:-1]
    ]
    others = {"tv": evaluation_of(shifted), "median": two_groups}
    series = series_of(two_groups, others)
    with chart_style():
        chart = mean_chart(two_groups, two_groups.metrics[0], series=series)
        bars = [
            (round(bar.get_width(), 2), mpl.colors.to_hex(bar.get_facecolor()))
            for bar in chart.figure.axes[0].patches
        ]
        chart = distribution_chart(two_groups, two_groups.metrics[0], series=series)
        points = [len(part.get_offsets()) for part in chart.figure.axes[0].collections]
    assert bars[:4] == [(22.33, BEFORE), (26.33, AFTER), (27.33, OTHERS[0]), (26.33, OTHERS[1])]
    assert bars[4:8] == [(20.67, BEFORE), (24.5, AFTER), (25.5, OTHERS[0]), (24.5, OTHERS[1])]
    assert points[:4] == [3, 3, 3, 3]
    paths = write_plots(two_groups, tmp_path, ("svg",), look=COLUMN, others=others)
    means = next(path for path in paths if path.stem == "psnr-means")
    assert {"degraded", "restored", "tv", "median"} <= set(texts(means).splitlines())
    assert "RGB, no border crop" not in texts(means)
    root = ET.parse(means).getroot()
    assert float(root.get("width").removesuffix("pt")) == pytest.approx(3.5 * 72, abs=0.01)


def test_one_side_alone_has_no_gain(small_evaluation, tmp_path):
    names = {path.stem for path in write_plots(small_evaluation, tmp_path, ("svg",))}
    assert names == {
        "psnr-means",
        "psnr-distribution",
        "ssim-means",
        "ssim-distribution",
        "error-spectrum",
    }


def test_metrics_and_groups_are_those_of_the_evaluation(make_evaluation, tmp_path):
    evaluation = make_evaluation(tmp_path, ["a/1.png", "b/2.png"])
    single = assemble(evaluation.images, metrics=find_metrics(["ssim"]), by=("category", "defect"))
    paths = write_plots(single, tmp_path / "charts", ("svg",))
    assert paths[0].name == "ssim-means.svg"
    assert "a/-  (1)" in texts(paths[0])
    assert "SSIM by category and defect" in texts(paths[0])


def test_refusals(two_groups, tmp_path):
    with pytest.raises(UsageError, match="format"):
        write_plots(two_groups, tmp_path, ("gif",))
    with pytest.raises(DataError, match="nothing to draw"):
        write_plots(evaluation_of([scored("a", 0, None, None)]), tmp_path)
    assert not list(tmp_path.iterdir())


def test_the_error_spectrum_of_noise_is_its_sigma(tmp_path):
    from restorecli.images.image import ImageData
    from restorecli.images.writing import write_image

    rng = np.random.default_rng(7)
    sources = []
    for name, sigma in (("clean", 0), ("noisy", 20), ("better", 5)):
        levels = np.clip(128 + rng.normal(0, sigma, (1, 128, 160)).round(), 0, 255)
        write_image(tmp_path / f"{name}.png", ImageData((levels / 255).astype(np.float32)))
        sources.append(Source(f"{name}.png", tmp_path, tmp_path / f"{name}.png"))
    clean, noisy, better = sources
    score = PairScore(Pair("x.png", "x", None, clean, better, noisy), {"psnr": 1.0}, {"psnr": 2.0})
    found = error_spectra({"x": [score], "gone": [scored("gone", 0, 1, 2)]})
    assert set(found) == {"x"}
    assert found["x"]["degraded"][4:] == pytest.approx(np.full(28, 20), rel=0.25)
    assert found["x"]["restored"].mean() == pytest.approx(5, rel=0.05)


def test_colors_are_told_apart_by_lightness():
    """So a print in black and white and any kind of color vision show two sides."""
    from skimage.color import rgb2lab

    before, after = (rgb2lab(np.array([[mpl.colors.to_rgb(color)]]))[0, 0, 0] for color in (BEFORE, AFTER))
    assert before - after > 25
    assert len(set(PALETTE)) == 8


def test_a_label_takes_the_room_that_it_says():
    with chart_style():
        assert label_room(["iiii"]) < label_room(["MMMM"]) < label_room(["MMMMMMMM"])
