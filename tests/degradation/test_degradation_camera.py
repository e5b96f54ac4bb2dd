"""Camera noise: its demosaicing, its variance by a closed form, and how it is spread."""

import numpy as np
import pytest

from restorecli.degradation.families import camera
from restorecli.degradation.families.camera import CameraNoise, demosaic, mosaic


def rng(seed=0):
    return np.random.default_rng(seed)


def linear(image):
    """sRGB decoded, after IEC 61966-2-1."""
    return np.where(image <= 0.04045, image / 12.92, ((np.maximum(image, 0) + 0.055) / 1.055) ** 2.4)


@pytest.mark.parametrize(("top", "left"), [(0, 0), (0, 1), (1, 0), (1, 1)])
def test_demosaicing_keeps_what_each_pixel_saw_and_plains_and_slopes(top, left) -> None:
    y, x = np.mgrid[:18, :21].astype(np.float32)
    slope = 0.3 + 0.01 * y - 0.02 * x
    colors = demosaic(slope, top, left)
    np.testing.assert_allclose(
        colors[:, 2:-2, 2:-2], np.broadcast_to(slope, colors.shape)[:, 2:-2, 2:-2], atol=1e-6
    )
    np.testing.assert_allclose(demosaic(np.full((7, 8), 0.4, np.float32), top, left), 0.4, atol=1e-6)
    raw = rng().random((18, 21), dtype=np.float32)
    seen = np.take_along_axis(demosaic(raw, top, left), mosaic(raw.shape, top, left)[None], 0)[0]
    np.testing.assert_array_equal(seen, raw)


def test_the_mosaic_has_a_red_a_blue_and_two_greens_in_each_square() -> None:
    assert mosaic((2, 2)).tolist() == [[0, 1], [1, 2]]
    assert mosaic((2, 2), 1, 0).tolist() == [[1, 2], [0, 1]]


def test_the_variance_is_that_of_photons_and_read_noise_through_the_filters(monkeypatch) -> None:
    """Without a color matrix: of green where green was seen, and where red was: (20 red + 16 green) / 64."""
    monkeypatch.setattr(camera, "_TO_SRGB", np.eye(3))
    step = CameraNoise(electrons=200, read=4, red=2.0, blue=1.5)
    image = np.full((3, 400, 400), 0.6, np.float32)
    light = linear(image)[0, 0, 0]
    values = linear(step.apply(image, rng(3)).astype(np.float64))
    top, left = (int(start) for start in rng(3).integers(2, size=2))
    color = mosaic(image.shape[1:], top, left)

    def variance(gain):
        return light / gain / 200 + (4 / 200) ** 2

    green, red = variance(1.0), variance(2.0)
    assert values[1][color == 1].var() == pytest.approx(green, rel=0.03)
    assert values[1][color == 0].var() == pytest.approx((20 * red + 16 * green) / 64, rel=0.04)
    assert values[0][color == 0].var() == pytest.approx(2.0**2 * red, rel=0.04)
    assert values.mean(axis=(1, 2)) == pytest.approx(light, abs=0.002)


def test_noise_grows_with_light_and_falls_with_electrons() -> None:
    def spread(level, electrons):
        image = np.full((3, 96, 96), level, np.float32)
        return linear(CameraNoise(electrons=electrons, read=0).apply(image, rng())).std()

    assert spread(0.2, 500) < spread(0.5, 500) < spread(0.9, 500)
    assert spread(0.5, 100) == pytest.approx(10**0.5 * spread(0.5, 1000), rel=0.1)


def test_smoothing_weakens_the_noise_and_makes_it_coarse() -> None:
    image = np.full((3, 256, 256), 0.5, np.float32)

    def noise(smoothing):
        return CameraNoise(smoothing=smoothing).apply(image, rng())[1] - 0.5

    def alike(field):
        return np.corrcoef(field[:, :-1].ravel(), field[:, 1:].ravel())[0, 1]

    rough, smooth = noise(0.0), noise(1.0)
    assert smooth.std() < 0.5 * rough.std()
    assert alike(rough) < 0.7 < alike(smooth)
    white = rng().standard_normal((256, 256))
    assert alike(rough) > abs(alike(white)) + 0.05, "the mosaic already joins neighbors"


@pytest.mark.parametrize("smoothing", [0.0, 0.7])
def test_gray_images_stay_gray_and_get_the_noise_of_the_luma(smoothing) -> None:
    step = CameraNoise(smoothing=smoothing)
    gray = np.full((1, 40, 30), 0.5, np.float32)
    noisy = step.apply(gray, rng())
    assert noisy.shape == gray.shape
    color = step.apply(np.repeat(gray, 3, 0), rng())
    luma = np.tensordot([0.2126, 0.7152, 0.0722], linear(color.astype(np.float64)), axes=1)
    np.testing.assert_allclose(linear(noisy.astype(np.float64))[0], luma, atol=1e-6)


def test_few_pixels_and_white_are_no_trouble() -> None:
    for shape in ((3, 1, 1), (1, 1, 5), (3, 2, 3)):
        assert np.isfinite(CameraNoise(smoothing=2.0).apply(np.ones(shape, np.float32), rng())).all()
