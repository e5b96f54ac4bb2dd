"""The chart of a frequency selection."""

import dataclasses

import numpy as np
import pytest
from PIL import Image

from restorecli.report.bands import BandImage, write_band_chart


def made(height=24, width=31, channels=3):
    rng = np.random.default_rng(4)
    shape = (height, width)
    planes = [rng.random(shape, dtype=np.float32) for _ in range(3)]
    bands = rng.dirichlet((1, 1, 1), shape).transpose(2, 0, 1).astype(np.float32)
    before, after = (rng.random((channels, *shape), dtype=np.float32) for _ in range(2))
    rows = [("band", "lambda"), ("0-0.28", "2.00")]
    return BandImage(before, after, (0.28, 0.64), bands, *planes, planes[0], planes[1], rows)


def drawn(shown, path):
    write_band_chart(shown, path, title="Frequency selection: x", about="An image.")
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


@pytest.fixture(scope="module")
def unchanged(tmp_path_factory):
    path = tmp_path_factory.mktemp("bands") / "a.png"
    return drawn(made(), path), path.read_bytes()


def test_same_arrays_give_the_same_bytes(tmp_path, unchanged):
    drawn(made(), tmp_path / "b.png")
    assert (tmp_path / "b.png").read_bytes() == unchanged[1]


@pytest.mark.parametrize(
    "field", ["before", "after", "bands", "level", "threshold", "gate", "patch_level", "patch_threshold"]
)
def test_every_array_is_seen(tmp_path, unchanged, field):
    shown = made()
    changed = getattr(shown, field).copy()
    changed[..., 2:9, 3:20] = 0.95 - 0.9 * changed[..., 2:9, 3:20]
    image = drawn(dataclasses.replace(shown, **{field: changed}), tmp_path / "b.png")
    assert image.shape == unchanged[0].shape
    assert (image != unchanged[0]).any()


@pytest.mark.parametrize(("height", "width", "channels"), [(1, 1, 1), (2, 90, 3), (64, 3, 1)])
def test_any_shape_is_drawn(tmp_path, height, width, channels):
    assert drawn(made(height, width, channels), tmp_path / "x.png").std() > 10


def test_nothing_taken_out_is_said_and_features_outside_the_range_are_stretched(tmp_path, unchanged):
    shown = made()
    same = drawn(dataclasses.replace(shown, after=shown.before), tmp_path / "same.png")
    assert tile(same, 2).std() < 2  # mid-gray: nothing was taken out
    assert tile(unchanged[0], 2).std() > 10
    flat = np.zeros_like(shown.before)
    black = drawn(dataclasses.replace(shown, before=flat, after=flat, level=flat[0]), tmp_path / "flat.png")
    assert tile(black, 0).max() == 0
    features = 40 * shown.before - 30
    stretched = drawn(
        dataclasses.replace(shown, before=features, after=features / 2), tmp_path / "features.png"
    )
    assert tile(stretched, 0).min() < 60
    assert tile(stretched, 0).max() > 200


def tile(image, column):
    """The middle of an image of the first row, as it was drawn."""
    height, width = image.shape[:2]
    left = round(width * (0.05 + 0.2262 * column))
    return image[round(0.19 * height) : round(0.25 * height), left + 40 : left + 120].astype(int)


def test_a_hostile_title_is_spelled_out(tmp_path):
    plain = tmp_path / "plain.png"
    about = "An image."
    for name, title in (("a", "$\\frac{\x1b[31m<b>"), ("b", r"$\frac{\x1b[31m<b>"), ("c", "$frac{[31m<b>")):
        write_band_chart(made(), plain.with_name(f"{name}.png"), title=title, about=about)
    images = [np.asarray(Image.open(plain.with_name(f"{name}.png"))) for name in "abc"]
    assert (images[0] == images[1]).all()
    assert (images[0] != images[2]).any()
