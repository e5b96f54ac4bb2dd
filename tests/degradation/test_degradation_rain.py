"""Rain: streaks that only brighten, in the direction, amount and size that were asked for."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from restorecli.degradation.chain import image_rng
from restorecli.degradation.families.rain import Rain, streak_kernel


def rng():
    return image_rng(0, "rain")


def make_image(channels=3, height=60, width=80):
    return np.random.default_rng(2).random((channels, height, width), dtype=np.float32)


def orientation(plane):
    """Direction of least change, in degrees counter-clockwise from upright, by the structure tensor."""
    rows, columns = (ndimage.gaussian_filter(plane.astype(np.float64), 1, order=o) for o in ((1, 0), (0, 1)))
    tensor = np.array([[(rows**2).mean(), (rows * columns).mean()], [0, (columns**2).mean()]])
    _, vectors = np.linalg.eigh(tensor, UPLO="U")
    down, across = vectors[:, 0]  # of the smaller eigenvalue
    return (np.degrees(np.arctan2(across, down)) + 90) % 180 - 90


@settings(max_examples=15, deadline=None)
@given(
    amount=st.floats(0, 1),
    length=st.floats(1, 40),
    angle=st.floats(-90, 90),
    width=st.floats(1, 4),
    gain=st.floats(0, 1),
)
def test_streaks_only_brighten_and_never_beyond_white(amount, length, angle, width, gain) -> None:
    image = make_image()
    rain = Rain(amount=amount, length=length, angle=angle, width=width, gain=gain, haze=0)
    rained = rain.apply(image, rng())
    assert (rained >= image).all()
    assert rained.max() <= 1 + 1e-6


@pytest.mark.parametrize("angle", [-30, -12, 0, 7.5, 30, 60])
def test_streaks_have_the_asked_direction(angle) -> None:
    rain = Rain(amount=0.2, length=25, angle=angle, haze=0)
    layer = rain.apply(np.zeros((1, 240, 260), np.float32), rng())[0]
    assert orientation(layer) == pytest.approx(angle, abs=1.5)


def test_the_upper_end_leans_to_the_left_for_a_positive_angle() -> None:
    rows, columns = np.nonzero(streak_kernel(21, 30, 1) > 0.5)
    assert columns[rows.argmin()] < columns[rows.argmax()]


def test_the_sum_is_the_screen_of_image_and_layer_and_then_haze() -> None:
    image = make_image().astype(np.float64)
    rain = Rain(haze=0.1)
    layer = rain.layer((60, 80), rng()).astype(np.float64)
    expected = 0.9 * (1 - (1 - image) * (1 - layer)) + 0.1 * 0.8
    np.testing.assert_allclose(rain.apply(make_image(), rng()), expected, atol=1e-6)


def test_gray_stays_gray_and_gets_the_same_rain() -> None:
    gray = make_image(1)
    rained = Rain().apply(gray, rng())
    np.testing.assert_array_equal(
        Rain().apply(np.repeat(gray, 3, axis=0), rng()), np.repeat(rained, 3, axis=0)
    )


@pytest.mark.parametrize(("length", "width"), [(9, 1), (35, 1), (20, 3)])
@pytest.mark.parametrize("amount", [0.02, 0.1])
def test_the_amount_is_the_area_of_the_streaks(length, width, amount) -> None:
    """Judge: pixels that a streak touches at half its strength or more, few enough to lie apart."""
    layer = Rain(amount=amount, length=length, width=width, angle=15, gain=1).layer((700, 700), rng())
    assert (layer > 0.5 * 0.65).mean() == pytest.approx(amount, rel=0.25)


def test_more_amount_more_light() -> None:
    means = [Rain(amount=amount).layer((200, 200), rng()).mean() for amount in (0.05, 0.1, 0.2, 0.4, 0.8)]
    assert (np.diff(means) > 0).all()


def test_a_thin_upright_streak_is_a_line_of_its_length() -> None:
    kernel = streak_kernel(9, 0, 1)
    middle = kernel.shape[1] // 2
    assert np.count_nonzero(kernel) == np.count_nonzero(kernel[:, middle]) == 9
    np.testing.assert_allclose(kernel[kernel > 0], 1)


@pytest.mark.parametrize(("length", "angle", "width"), [(20, 0, 3), (35, 30, 2), (9, -20, 1.5)])
def test_a_streak_has_its_length_and_width(length, angle, width) -> None:
    """Second moments of a line of length l and a disc of diameter w: l^2 / 12 + w^2 / 16, and w^2 / 16."""
    kernel = streak_kernel(length, angle, width)
    kernel = kernel / kernel.sum()
    offsets = np.arange(kernel.shape[0]) - kernel.shape[0] // 2
    lean = np.radians(angle)
    along = offsets[:, None] * np.cos(lean) + offsets[None] * np.sin(lean)
    across = offsets[None] * np.cos(lean) - offsets[:, None] * np.sin(lean)
    assert (kernel * along**2).sum() == pytest.approx(length**2 / 12 + width**2 / 16, rel=0.05)
    assert (kernel * across**2).sum() == pytest.approx(width**2 / 16, abs=0.3)


def test_rain_falls_alike_everywhere() -> None:
    """Drops beyond the image reach into it: its border is as wet as its middle."""
    layer = Rain(amount=0.3, length=35, width=2).layer((600, 600), rng())
    border = np.concatenate([layer[:15].ravel(), layer[-15:].ravel()])
    assert border.mean() == pytest.approx(layer[200:400].mean(), rel=0.1)


def test_whiter_than_white_is_left_as_it_is() -> None:
    image = np.full((1, 40, 40), 1.5, np.float32)
    np.testing.assert_array_equal(Rain(haze=0).apply(image, rng()), image)
