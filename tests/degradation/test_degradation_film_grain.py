"""Film grain: against discs drawn one by one, and by the moments of its closed form."""

from functools import cache

import numpy as np
import pytest
from scipy import ndimage

from restorecli.degradation.families.film_grain import FilmGrain, grain_variance


def rng(seed=0):
    return np.random.default_rng(seed)


@cache
def discs(gray, radius, spread, side=176, fine=4):
    """The Boolean model by brute force: a Poisson number of discs on a fine grid, then the Gaussian."""
    random, wide = rng(5), side * fine
    per_place = -np.log1p(-gray) / (np.pi * (radius * fine) ** 2)
    empty = random.poisson(per_place, (wide, wide)) == 0
    covered = ndimage.distance_transform_edt(empty) <= radius * fine
    return ndimage.gaussian_filter(covered.astype(float), spread * fine)[8:-8:fine, 8:-8:fine]


def alike(field, lag):
    """Correlation with what lies `lag` px to the right and below, both."""
    rest = field - field.mean()
    across, down = (rest[:, lag:] * rest[:, :-lag]).mean(), (rest[lag:] * rest[:-lag]).mean()
    return 0.5 * (across + down) / rest.var()


def flat(gray, channels=1, side=240, **values):
    """Grain alone, 0-255 scale, (channels, side, side)."""
    image = np.full((channels, side, side), gray, np.float32)
    return 255 * (FilmGrain(**values).apply(image, rng(1)).astype(np.float64) - image)


@pytest.mark.parametrize("gray", [0.2, 0.5, 0.8])
def test_the_variance_is_that_of_discs_drawn_one_by_one(gray) -> None:
    drawn = discs(gray, 1.0, 0.6)
    assert drawn.mean() == pytest.approx(gray, abs=0.02)
    (expected,) = grain_variance(np.array([gray]), 1.0, 0.6)
    assert drawn.var() == pytest.approx(expected, rel=0.08)
    ratio = flat(gray, radius=1.0, spread=0.6).var() / flat(0.5, radius=1.0, spread=0.6).var()
    assert ratio == pytest.approx(drawn.var() / discs(0.5, 1.0, 0.6).var(), rel=0.1)


@pytest.mark.parametrize("lag", [1, 2])
def test_neighbors_are_as_alike_as_those_of_discs(lag) -> None:
    grain = flat(0.5, radius=1.0, spread=0.6)[0]
    assert alike(grain, lag) == pytest.approx(alike(discs(0.5, 1.0, 0.6), lag), abs=0.04)
    for gray in (0.2, 0.8):
        assert alike(grain, lag) == pytest.approx(alike(discs(gray, 1.0, 0.6), lag), abs=0.05)


def test_a_single_point_of_film_is_covered_or_not() -> None:
    """Seen through almost no Gaussian the variance is u (1 - u); black and white have none."""
    gray = np.array([0.0, 0.1, 0.5, 0.9, 1.0])
    np.testing.assert_allclose(grain_variance(gray, 10.0, 0.02), gray * (1 - gray), atol=1e-3)
    assert grain_variance(gray, 1.0, 0.6)[[0, -1]].tolist() == [0, 0]


def test_the_amount_is_the_deviation_at_middle_gray_whatever_the_radius() -> None:
    for radius in (0.3, 0.9, 1.6):
        assert flat(0.5, amount=12.0, radius=radius).std() == pytest.approx(12, rel=0.05)
    assert not flat(1.0).any()


def test_grain_is_gaussian_and_coarser_with_its_radius_and_the_scanner() -> None:
    grain = flat(0.5)
    assert np.mean((grain / grain.std()) ** 4) == pytest.approx(3, abs=0.15)
    assert alike(flat(0.5, radius=0.5)[0], 1) < alike(grain[0], 1) < alike(flat(0.5, radius=1.5)[0], 1)
    assert alike(flat(0.5, spread=0.3)[0], 1) < alike(grain[0], 1) < alike(flat(0.5, spread=0.9)[0], 1)


@pytest.mark.parametrize("color", [0.0, 0.3, 1.0])
def test_channels_share_what_is_not_of_their_color(color) -> None:
    grain = flat(0.5, channels=3, color=color)
    assert grain.std(axis=(1, 2)) == pytest.approx(13, rel=0.05)
    np.testing.assert_allclose(np.corrcoef(grain.reshape(3, -1))[np.triu_indices(3, 1)], 1 - color, atol=0.03)
    if color == 0:
        np.testing.assert_allclose(grain[1:], grain[[0, 0]], atol=1e-4)


def test_the_border_is_as_grainy_as_the_middle_and_values_outside_pass() -> None:
    strips = [FilmGrain(radius=1.5).apply(np.full((1, 400, 2), 0.5, np.float32), rng(s)) for s in range(4)]
    assert 255 * np.std(strips) == pytest.approx(13, rel=0.1)
    outside = np.array([-0.2, 1.3], np.float32).reshape(1, 1, 2)
    np.testing.assert_array_equal(FilmGrain().apply(outside, rng()), outside)
