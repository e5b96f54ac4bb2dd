"""Damage that has a place: streaks, lines, specks, holes; and tones of the whole."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from skimage import draw

from restorecli.diagnosis.deciding.naming import BLURS, limits, with_evidence, without_dust, without_evidence
from restorecli.diagnosis.measuring.holes import can_be_holes, find_holes, measure_holes, shows_holes
from restorecli.diagnosis.measuring.levels import measure_levels
from restorecli.diagnosis.measuring.lines import measure_lines, shows_paint
from restorecli.diagnosis.measuring.streaks import measure_streaks
from restorecli.diagnosis.measuring.tones import measure_tones
from restorecli.diagnosis.measuring.view import MAX_WINDOW, view_of
from restorecli.folders.samples import read_sample

Pixels = NDArray[np.float32]


def _photo(name: str = "chelsea") -> Pixels:
    return read_sample(name).pixels[:, :256, :320].copy()


def test_a_scratch_is_as_long_as_it_was_drawn() -> None:
    image = 0.4 * np.ones((3, 200, 300), np.float32)
    rows, columns = draw.line(20, 100, 170, 130)
    image[:, rows, columns] = image[:, rows, columns + 1] = 0.95
    found = measure_lines(view_of(image))
    assert found["line light"] == pytest.approx(151 / 200, abs=0.03)
    assert found["line dark"] == 0
    assert found["line white"] == pytest.approx(0.95, abs=0.01)
    assert measure_lines(view_of(1 - image))["line dark"] == pytest.approx(151 / 200, abs=0.03)


def test_specks_are_counted_once_each() -> None:
    image = 0.4 * np.ones((3, 200, 300), np.float32)
    for row, column in ((30, 40), (30, 200), (120, 100), (160, 260)):
        image[(slice(None), *draw.disk((row, column), 3.5))] = 0.95
    assert measure_lines(view_of(image))["specks"] == pytest.approx(4 * 1e4 / 60_000)


def test_rain_runs_one_way_and_is_bright() -> None:
    rng, image = np.random.default_rng(0), _photo()
    for _ in range(400):
        row, column = rng.integers(0, 230), rng.integers(10, 310)
        rows, columns = draw.line(row, column, row + 20, column - 5)
        image[:, rows, columns] = image[:, rows, columns] * 0.5 + 0.5
    rain, clean = measure_streaks(view_of(image)), measure_streaks(view_of(_photo()))
    assert rain["streak along"] > clean["streak along"] + 0.15
    assert rain["streak light"] > clean["streak light"] + 1


@pytest.mark.parametrize("fill", [0.0, 1.0])
def test_holes_are_found_where_they_are(fill: float) -> None:
    image = 0.1 + 0.8 * _photo()
    image[:, 40:90, 60:150] = fill
    lost, color = find_holes(image)
    expected = np.zeros(lost.shape, bool)
    expected[40:90, 60:150] = True
    np.testing.assert_array_equal(lost, expected)
    assert set(color) == {255 * fill}
    found = measure_holes(image)
    assert found["hole share"] == pytest.approx(50 * 90 / (256 * 320))
    assert found["hole jump"] > 30


def test_clipped_lights_fade_into_white_and_holes_beside_them_do_not() -> None:
    light = np.clip(_photo() * 2.2, 0, 1)
    found = measure_holes(light)
    assert found["hole fades"] > 0.3
    assert found["hole sharp"] < 0.01
    assert not can_be_holes({**found, "hole share": 0.3, "hole jump": 50.0})
    light[:, 30:100, 190:300] = 0.4 * _photo()[:, 30:100, 190:300]
    light[:, 40:90, 200:290] = 1
    found = measure_holes(light)
    assert found["hole sharp"] == pytest.approx(50 * 90 / light[0].size, rel=0.1)
    assert can_be_holes({**found, "hole jump": 50.0})


def test_dust_must_be_surer_where_channels_share_their_details() -> None:
    seen, sure = {"rain": 0.0}, {"sand-dust": 0.766}
    grainy, shared = (
        limits({"noise shared": value, "paint lines": 0.0}, seen, sure, 1 << 18)["sand-dust"]
        for value in (0.5, 0.7)
    )
    assert grainy == pytest.approx(0.766)
    assert shared == pytest.approx(0.95)


def test_a_print_of_one_hue_may_have_faded_though_its_scan_is_noisy() -> None:
    found = {"one hue": 2.0, "noise shared": 0.93, "paint lines": 0.0}
    seen = {"fade": 0.3}
    assert with_evidence(found, {"fade": 0.9}, seen) == {"fade"}
    assert not with_evidence(found, {"fade": 0.7}, seen)
    assert not with_evidence({**found, "one hue": 4.0}, {"fade": 0.9}, seen)


def test_what_looks_dusty_but_shares_its_details_may_have_faded() -> None:
    seen = {"fade": 0.1, "sand-dust": 0.6, "none": 0.3}
    assert without_dust({"noise shared": 0.9}, seen) == seen
    assert without_dust({}, seen) == seen, "gray"
    faint = {"fade": 0.1, "sand-dust": 0.2, "none": 0.7}
    assert without_dust({"noise shared": 0.99}, faint) == faint
    assert without_dust({"noise shared": 0.97}, seen) == {
        "fade": pytest.approx(0.7),
        "sand-dust": 0.0,
        "none": 0.3,
    }


def test_haze_must_be_surer_in_images_of_full_whites() -> None:
    seen = {"rain": 0.0}
    sure = {"haze": 0.95, "sand-dust": 0.76}
    assert limits({"whitest": 255.0, "paint lines": 0.0}, seen, sure, 1 << 18)["haze"] == 0.985
    assert limits({"whitest": 240.0, "paint lines": 0.0}, seen, sure, 1 << 18)["haze"] == 0.95


def test_fading_of_gray_needs_that_black_and_white_are_gone() -> None:
    of_print = {"blackest": 13.0, "whitest": 239.0, "hole share": 0.0, "hole jump": 0.0, "paint lines": 0.0}
    measured = dict.fromkeys(BLURS, 0.2)
    for tones in (of_print, {**of_print, "blackest": 12.0}, {**of_print, "whitest": 240.0}):
        assert ("fade" in without_evidence(tones, measured)) == (tones != of_print)
        assert "fade" not in without_evidence({**tones, "noise shared": 0.9}, measured), "color"
    narrow, wide = (
        limits({**of_print, "dark end": level}, {"rain": 0.0}, {"fade": 0.55}, 1 << 18)["fade"]
        for level in (90.0, 89.0)
    )
    assert (narrow, wide) == (0.55, 0.94)


def test_holes_in_three_corners_are_found_and_a_margin_is_none() -> None:
    image = 0.1 + 0.8 * _photo()
    image[:, :60, :80] = image[:, :50, -70:] = image[:, -40:, :90] = 1
    assert find_holes(image)[0].mean() == pytest.approx((60 * 80 + 50 * 70 + 40 * 90) / (256 * 320))
    image[:, :30] = image[:, -30:] = 1
    assert not find_holes(image)[0].any()


def test_thin_ends_of_holes_are_found_and_single_white_pixels_are_none() -> None:
    image = 0.1 + 0.8 * _photo()
    image[:, 40:90, 60:150] = image[:, 90, 100] = image[:, 150, 200] = 1
    lost, _ = find_holes(image)
    assert lost[90, 100]
    assert not lost[150, 200]
    assert np.count_nonzero(lost) == 50 * 90 + 1


def test_a_sky_that_is_clipped_is_no_hole() -> None:
    slope = np.linspace(0.6, 1.4, 300, dtype=np.float32)[:, None].repeat(200, axis=1)
    assert measure_holes(np.clip(np.stack([slope] * 3), 0, 1))["hole jump"] < 2


def test_a_veil_lifts_the_dark_channel_by_its_light() -> None:
    clean = _photo()
    hazy = 0.5 * clean + 0.5 * 0.9
    before, after = measure_tones(view_of(clean)), measure_tones(view_of(hazy))
    assert after["veil middle"] == pytest.approx(0.5 * before["veil middle"] + 0.5 * 0.9 * 255, abs=1)
    assert after["contrast"] == pytest.approx(0.5 * before["contrast"], rel=0.01)


def test_a_cast_is_the_log_of_the_channels_ratio() -> None:
    image = np.ones((3, 64, 64), np.float32) * np.array([0.8, 0.6, 0.4], np.float32)[:, None, None]
    found = measure_tones(view_of(image))
    assert found["warm"] == pytest.approx(np.log((0.8 * 255 + 4) / (0.4 * 255 + 4)), abs=1e-4)
    assert found["warm share"] == 1


def test_brown_prints_have_one_hue() -> None:
    gray = _photo().mean(axis=0)
    brown = np.stack([gray, 0.8 * gray, 0.6 * gray])
    assert measure_tones(view_of(brown))["one hue"] < 0.5 < measure_tones(view_of(_photo()))["one hue"]


def test_the_window_keeps_the_phase_of_blocks_and_small_images_whole() -> None:
    image = np.zeros((3, 1203, 2005), np.float32)
    view = view_of(np.random.default_rng(0).random((1, 1203, 2005), np.float32))
    assert view.window.shape[1] * view.window.shape[2] <= MAX_WINDOW
    marked = image.copy()
    marked[:, ::8, ::8] = (1.0, 0.5, 0.2)[0]
    marked[0] = 0  # not gray
    assert view_of(marked).window[1, 0, 0] == 255
    assert view_of(image[:, :300, :400] + marked[:, :300, :400]).window.shape == (3, 300, 400)
    assert max(view.small.shape[1:]) <= 256


def test_a_margin_is_no_hole() -> None:
    image = np.ones((3, 256, 320), np.float32)
    image[:, 40:200, 40:280] = 0.1 + 0.8 * _photo()[:, :160, :240]
    assert measure_holes(image)["hole share"] == 0


@pytest.mark.parametrize(
    ("color", "bend", "painted"),
    [((0.85, 0.85, 0.85), 0, True), ((0.95, 0.88, 0.78), 0, False), ((0.85, 0.85, 0.85), 25, False)],
)
def test_gray_straight_lines_look_painted_and_straw_does_not(color, bend: int, painted: bool) -> None:
    """A straight gray line over a green ground is paint; one with its own color, or a bow, is a thing."""
    image = np.ones((3, 192, 192), np.float32) * np.array([0.45, 0.55, 0.4], np.float32)[:, None, None]
    rows = np.arange(20, 170)
    columns = np.rint(90 + bend * np.sin((rows - 20) / 24)).astype(int)
    for column in (columns, columns + 1):
        image[:, rows, column] = np.array(color, np.float32)[:, None]
    found = measure_lines(view_of(image))
    assert found["white lines"] == pytest.approx(np.hypot(150, 2 + np.ptp(columns)) / 192, abs=0.01)
    assert found["paint lines"] == (found["white lines"] if painted else 0)
    assert shows_paint(found) == painted


def test_scratches_need_more_where_no_line_looks_painted() -> None:
    sure = {"scratches": 0.7, "haze": 0.8, "low-light": 0.9}
    for lines, limit in ((0.5, 0.6), (0.1, 0.97)):
        asked = limits({"paint lines": lines}, {"rain": 0.0}, sure, 10**6)
        assert asked["scratches"] == limit
        assert {name: asked[name] for name in ("haze", "low-light")} == {"haze": 0.8, "low-light": 0.9}


def test_what_fades_into_a_color_is_no_hole_and_what_ends_at_once_is_one() -> None:
    measured = dict.fromkeys(BLURS, 0.5)
    assert without_evidence({"hole jump": 2.0}, measured) == {"holes"}
    assert without_evidence({"hole jump": 60.0}, measured) == set()


def test_blur_that_measurements_rule_out_is_not_found() -> None:
    assert without_evidence({"hole jump": 60.0}, dict.fromkeys(BLURS, 0.02)) == BLURS


def test_holes_are_plain_to_see_in_photographs_and_not_in_charts() -> None:
    image = 0.1 + 0.8 * _photo()
    image[:, 40:120, 60:150] = 1
    chart = np.full((3, 256, 320), 0.2, np.float32)
    chart[:, 40:120, 60:150] = 1
    for pixels, plain in ((image, True), (chart, False), (_photo(), False)):
        found = {**measure_holes(pixels), **measure_levels(view_of(pixels))}
        assert shows_holes(found) == plain
