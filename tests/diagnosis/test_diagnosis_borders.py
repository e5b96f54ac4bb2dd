"""Prints inside borders: found with their corners, looked at alone; skies and backdrops are no borders."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from restorecli.diagnosis import diagnose
from restorecli.diagnosis.measuring.borders import Print, find_print
from restorecli.folders.samples import read_sample

Pixels = NDArray[np.float32]

SIZE = (300, 420)
"""Of the image, around a print of 200 x 280 px."""


def _scan(
    color: tuple[int, int, int], turned: float = 0.0, corner: tuple[int, int] = (50, 60)
) -> Image.Image:
    """A photograph on a ground of one color, turned by some degrees about the middle of the image."""
    photo = np.rint(read_sample("chelsea").pixels[:, 60:260, 100:380] * 255).astype(np.uint8)
    scan = Image.new("RGB", SIZE[::-1], color)
    scan.paste(Image.fromarray(photo.transpose(1, 2, 0)), (corner[1], corner[0]))
    return scan.rotate(turned, Image.Resampling.BICUBIC, fillcolor=color)


def _pixels(image: Image.Image) -> Pixels:
    return np.asarray(image, np.float32).transpose(2, 0, 1) / np.float32(255)


def _turned(x: float, y: float, degrees: float) -> tuple[float, float]:
    """Where a point of the image comes to lie when it is turned counterclockwise, as Pillow does."""
    angle = np.deg2rad(degrees)
    middle = np.array([SIZE[1] / 2, SIZE[0] / 2])
    matrix = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    east, south = matrix @ (np.array([x, y]) - middle) + middle
    return float(east), float(south)


@pytest.mark.parametrize(
    "color", [(255, 255, 255), (6, 6, 8), (228, 224, 214)], ids=["white", "black", "paper"]
)
@pytest.mark.parametrize("turned", [0.0, 2.5, -4.0])
def test_the_corners_of_a_print_are_found_at_an_angle(color: tuple[int, int, int], turned: float) -> None:
    found = find_print(_pixels(_scan(color, turned)))
    assert found is not None
    truth = [_turned(x, y, turned) for x, y in ((60, 50), (340, 50), (340, 250), (60, 250))]
    np.testing.assert_allclose(found.corners, truth, atol=1.5)
    weights = found.weights(SIZE)
    mask = Image.new("L", SIZE[::-1], 0)
    mask.paste(255, (60, 50, 340, 250))
    inside = np.asarray(mask.rotate(turned)) > 0
    assert not weights[~inside].any(), "the border stays as it is"
    assert weights[inside].mean() > 0.95
    assert inside[found.core(SIZE)].all()


def test_borders_around_one_another_are_all_left_out() -> None:
    print_on_paper = _scan((235, 225, 200))
    lid = Image.new("RGB", (520, 400), (10, 10, 10))
    lid.paste(print_on_paper, (40, 40))
    found = find_print(_pixels(lid))
    assert found is not None
    np.testing.assert_allclose(found.corners, [(100, 90), (380, 90), (380, 290), (100, 290)], atol=2)


def test_a_print_in_the_corner_of_the_scanner_is_found() -> None:
    found = find_print(_pixels(_scan((250, 250, 250), corner=(0, 0))))
    assert found is not None
    np.testing.assert_allclose(found.corners, [(0, 0), (280, 0), (280, 200), (0, 200)], atol=1.5)
    assert found.weights(SIZE)[0, 0] == 1, "it has no edge where the image ends"


def _sky() -> Pixels:
    pixels = read_sample("coffee").pixels[:, :300, :400].copy()
    pixels[:, :120] = 0.9
    return pixels


def _disc() -> Pixels:
    rows, columns = np.mgrid[:300, :400]
    inside = np.hypot(rows - 150, columns - 200) < 130
    return np.where(inside, read_sample("coffee").pixels[:, :300, :400], np.float32(1))


@pytest.mark.parametrize("make", [_sky, _disc, lambda: np.full((1, 64, 64), 0.5, np.float32)])
def test_skies_and_backdrops_are_no_borders(make) -> None:
    assert find_print(make()) is None


@pytest.mark.parametrize("name", ["astronaut", "chelsea", "coffee", "rocket"])
def test_photographs_have_no_borders(name: str) -> None:
    assert find_print(read_sample(name).pixels) is None


def test_only_what_is_inside_a_border_is_diagnosed() -> None:
    scan = _pixels(_scan((255, 255, 255), 1.5))
    found = diagnose(scan)
    inside = find_print(scan)
    assert isinstance(found.inside, Print)
    assert found.inside == inside
    rows, columns = inside.core(SIZE)
    alone = diagnose(np.ascontiguousarray(scan[:, rows, columns]))
    assert (found.findings, found.steps, found.confidence) == (alone.findings, alone.steps, alone.confidence)
    assert found.to_dict()["inside"] == [list(corner) for corner in inside.corners]
