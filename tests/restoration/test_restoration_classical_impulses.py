"""The switching median touches lost pixels alone, and finds them."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy import ndimage
from skimage.data import chelsea
from skimage.restoration import inpaint_biharmonic

from restorecli.degradation.families.noise import SaltPepper
from restorecli.restoration.context import Context
from restorecli.restoration.methods.classical.filters import Median
from restorecli.restoration.methods.classical.impulses import SwitchingMedian, find_impulses, without_areas
from restorecli.restoration.methods.classical.outliers import _local_medians, find_outliers
from restorecli.restoration.methods.classical.thin_plate import thin_plate
from restorecli.restoration.methods.classical.windows import fill_from_median


def scene(channels=3, height=60, width=70):
    rows, columns = np.arange(height)[:, None], np.arange(width)
    waves = [0.5 + 0.4 * np.sin(rows / 6 + c) * np.cos(columns / 8 - c) for c in range(channels)]
    return np.stack(waves).astype(np.float32)


@settings(max_examples=25, deadline=None)
@example(amount=0.125, channels=1, independent=False, seed=23)  # eight impulses together at the border
@example(amount=0.140625, channels=1, independent=False, seed=23)  # five in a dense heap
@given(
    amount=st.floats(0, 0.6),
    channels=st.sampled_from([1, 3]),
    independent=st.booleans(),
    seed=st.integers(0, 99),
)
def test_what_is_not_flagged_is_bit_identical_and_what_was_lost_is_flagged(
    amount, channels, independent, seed
) -> None:
    clean = scene(channels)
    noisy = SaltPepper(amount=amount, independent=independent).apply(clean, np.random.default_rng(seed))
    lost = noisy != clean
    flagged = find_impulses(noisy, 0.0, "auto")
    result = SwitchingMedian().restore(noisy, Context())
    np.testing.assert_array_equal(result[~flagged], noisy[~flagged])
    assert not (flagged & ~lost).any()
    assert np.count_nonzero(lost & ~flagged) <= 0.001 * lost.size


@pytest.mark.parametrize(("amount", "least"), [(0.05, 42), (0.1, 38), (0.3, 33), (0.6, 27), (0.9, 18)])
def test_it_reaches_far_beyond_a_plain_median(amount, least) -> None:
    clean = scene(height=96, width=96)
    noisy = SaltPepper(amount=amount).apply(clean, np.random.default_rng(0))
    context = Context()
    error = np.mean((SwitchingMedian().restore(noisy, context) - clean) ** 2)
    plain = np.mean((Median().restore(noisy, Context()) - clean) ** 2)
    assert 10 * np.log10(1 / error) > least
    assert error < 0.8 * plain
    assert context.found.values["impulses"] == pytest.approx(amount, abs=0.02)


def test_white_and_black_areas_are_the_images() -> None:
    clean = np.full((1, 60, 60), 0.5, np.float32)
    clean[:, :30] = 1
    clean[:, 30:, :20] = 0
    np.testing.assert_array_equal(SwitchingMedian().restore(clean, Context()), clean)
    noisy = SaltPepper(amount=0.1).apply(clean, np.random.default_rng(0))
    result = SwitchingMedian().restore(noisy, Context())
    assert np.count_nonzero(result != clean) < 0.01 * clean.size


def test_a_single_extreme_pixel_is_an_impulse_and_a_full_plane_is_none() -> None:
    one = np.zeros((9, 9), bool)
    one[4, 4] = True
    np.testing.assert_array_equal(without_areas(one), one)
    assert not without_areas(np.ones((9, 9), bool)).any()


def test_fully_saturated_colors_of_one_channel_are_kept_when_pixels_are_lost_together() -> None:
    clean = scene()
    clean[0, ::9, ::9] = 1
    noisy = SaltPepper(amount=0.2).apply(clean, np.random.default_rng(0))
    lost = (noisy != clean).any(axis=0)
    np.testing.assert_array_equal(SwitchingMedian().restore(noisy, Context())[:, ~lost], clean[:, ~lost])


def test_the_window_grows_only_until_it_holds_a_good_pixel() -> None:
    plane = np.zeros((7, 7), np.float32)
    lost = np.ones((7, 7), bool)
    plane[3, 6], lost[3, 6] = 0.75, False
    result, left = fill_from_median(plane, lost, 3)
    assert result[3, 3] == 0.75
    assert not left[3, 3]
    assert left[3, 2]
    assert result[3, 2] == 0
    plane[3, 4], lost[3, 4] = 0.25, False
    assert fill_from_median(plane, lost, 3)[0][3, 3] == 0.25
    plane[2, 3], lost[2, 3] = 0.5, False
    assert fill_from_median(plane, lost, 3)[0][3, 3] == 0.375


def test_the_tolerance_finds_impulses_that_were_compressed() -> None:
    clean = scene(1)
    noisy = clean.copy()
    noisy[0, ::7, ::7] = 4 / 255
    assert not find_impulses(noisy, 0.0, "auto").any()
    assert find_impulses(noisy, 5 / 255, "auto")[0, ::7, ::7].all()
    result = SwitchingMedian(tolerance=5.0).restore(noisy, Context())
    assert np.abs(result - clean).max() < 0.15


def test_the_plate_is_that_of_scikit_image_within_the_image() -> None:
    rng = np.random.default_rng(0)
    plane = rng.random((40, 50))
    lost = np.zeros(plane.shape, bool)
    lost[3:-3, 3:-3] = rng.random((34, 44)) < 0.2
    low, high = plane[~lost].min(), plane[~lost].max()
    judge = np.clip(inpaint_biharmonic(plane, lost), low, high)
    np.testing.assert_allclose(thin_plate(plane, lost), judge, atol=3e-5)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 99), share=st.floats(0.01, 0.5))
def test_a_slope_goes_on_through_gaps_and_what_is_known_stays(seed, share) -> None:
    rows, columns = np.mgrid[:24, :30]
    slope = 0.1 + 0.01 * rows + 0.015 * columns
    lost = np.zeros(slope.shape, bool)
    lost[2:-2, 2:-2] = np.random.default_rng(seed).random((20, 26)) < share
    found = thin_plate(np.where(lost, 7.0, slope), lost)
    np.testing.assert_allclose(found, slope, atol=1e-4)
    np.testing.assert_array_equal(found[~lost], slope[~lost])


@pytest.mark.parametrize("amount", [0.03, 0.27])
def test_a_plate_fills_photographs_better_than_a_median(amount) -> None:
    clean = np.moveaxis(chelsea()[100:228, 200:328], -1, 0).astype(np.float32) / 255
    noisy = SaltPepper(amount=amount).apply(clean, np.random.default_rng(0))
    error = {
        fill: np.mean((SwitchingMedian(fill=fill).restore(noisy, Context()) - clean) ** 2)
        for fill in ("median", "thin-plate")
    }
    assert 10 * np.log10(error["median"] / error["thin-plate"]) > 1


def test_an_image_without_a_known_pixel_stays() -> None:
    black = np.zeros((1, 8, 8), np.float32)
    np.testing.assert_array_equal(SwitchingMedian(fill="thin-plate").restore(black, Context()), black)


@pytest.mark.parametrize("photons", [50, 2000])
def test_hot_and_dead_pixels_of_any_value_are_found_and_stars_and_noise_are_left(photons) -> None:
    rng = np.random.default_rng(4)
    rows, columns = np.mgrid[:120, :140]
    clean = 0.02 + 0.1 * columns / 140
    for row, column in rng.integers(8, 110, (12, 2)):  # points of light, 2 px wide
        clean += 0.1 * np.exp(-((rows - row) ** 2 + (columns - column) ** 2) * 4 * np.log(2) / 4)
    noisy = (0.1 + rng.poisson(clean * photons) / photons).astype(np.float32)  # with a detector's offset
    hot = np.zeros(noisy.shape, np.bool_)
    hot[5::23, 7::31] = True
    noisy += np.where(hot, 25 * np.sqrt(clean / photons), 0).astype(np.float32)
    noisy[60, 100] = hot[60, 100] = True  # salt, which is found anyway
    method = SwitchingMedian(outliers=10)
    restored = method.restore(noisy[None], Context())[0]
    changed = restored != noisy
    assert changed[hot].all()
    assert not changed[~hot].any()
    assert (np.abs(restored - 0.1 - clean)[hot] < 3 * np.sqrt(clean / photons)[hot]).all()
    flat = np.rint(clean * 20)[None].astype(np.float32) / 20  # few levels: most pixels equal their neighbors
    np.testing.assert_array_equal(method.restore(flat, Context()), flat)


def test_noise_around_outliers_is_measured_as_the_median_filter_of_scipy_does() -> None:
    rng = np.random.default_rng(0)
    plane = rng.normal(0.5, 0.02, (40, 50)).astype(np.float32)
    plane[0, 0] = plane[20, 30] = plane[36, 25] = 1
    places = np.nonzero(plane == 1)
    filtered = ndimage.median_filter(plane, 15, mode="reflect")
    np.testing.assert_array_equal(_local_medians(plane, places), filtered[places])
    # A pixel in the corner is its own neighbor in a mirror.
    assert np.argwhere(find_outliers(plane, 10)).tolist() == [[20, 30], [36, 25]]


def test_black_and_white_can_be_left_to_outliers() -> None:
    pixels = np.random.default_rng(0).normal(0.4, 0.01, (1, 32, 32)).astype(np.float32)
    pixels[0, 5, 5], pixels[0, 20, 20:22] = 0.9, 1  # the latter no single pixel
    restored = SwitchingMedian(outliers=10, channels="none").restore(pixels, Context())
    assert restored[0, 5, 5] == pytest.approx(0.4, abs=0.03)
    assert np.argwhere(restored != pixels).tolist() == [[0, 5, 5]]
