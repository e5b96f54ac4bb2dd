"""Noise has the mean, the spread and the law that its formula says."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from restorecli.degradation.chain import image_rng
from restorecli.degradation.families.noise import Gaussian, Poisson, SaltPepper, Speckle
from restorecli.degradation.families.quantize import Quantize


def flat(value=0.5, channels=3, side=256):
    return np.full((channels, side, side), value, np.float32)


def rng(seed=0):
    return image_rng(seed, "noise")


@settings(max_examples=15, deadline=None)
@given(sigma=st.floats(1, 100), value=st.floats(0, 1))
def test_gaussian_has_its_mean_and_its_sigma(sigma, value) -> None:
    noise = (Gaussian(sigma=sigma).apply(flat(value), rng()).astype(np.float64) - np.float32(value)) * 255
    assert noise.std() == pytest.approx(sigma, rel=0.02)
    assert abs(noise.mean()) < 0.02 * sigma


def test_gaussian_is_normal_and_white() -> None:
    noise = Gaussian(sigma=25).apply(flat(0), rng())[0]
    assert stats.kstest(noise.ravel() * 255 / 25, "norm").pvalue > 0.01
    assert abs(np.corrcoef(noise[:, 1:].ravel(), noise[:, :-1].ravel())[0, 1]) < 0.01


@pytest.mark.parametrize(("sigma", "psnr"), [(15, 24.61), (25, 20.17), (50, 14.15)])
def test_unclipped_gaussian_noise_has_the_psnr_of_the_papers(sigma, psnr) -> None:
    image = np.random.default_rng(0).random((3, 321, 481), dtype=np.float32)
    noise = Gaussian(sigma=sigma).apply(image, rng()).astype(np.float64) - image
    assert -10 * np.log10(np.mean(noise**2)) == pytest.approx(psnr, abs=0.02)


def test_gaussian_gray_noise_is_the_same_in_all_channels() -> None:
    noise = Gaussian(sigma=25, gray=True).apply(flat(), rng())
    np.testing.assert_array_equal(noise[0], noise[1])
    np.testing.assert_array_equal(noise[0], noise[2])
    separate = Gaussian(sigma=25).apply(flat(), rng())
    assert abs(np.corrcoef(separate[0].ravel(), separate[1].ravel())[0, 1]) < 0.01


@settings(max_examples=15, deadline=None)
@given(peak=st.floats(1, 200), value=st.floats(0.2, 1))
def test_poisson_has_the_variance_x_over_peak(peak, value) -> None:
    noisy = Poisson(peak=peak).apply(flat(value), rng()).astype(np.float64)
    assert noisy.mean() == pytest.approx(value, rel=0.02)
    assert noisy.std() == pytest.approx(np.sqrt(value / peak), rel=0.02)
    np.testing.assert_allclose(noisy * peak, np.rint(noisy * peak), atol=1e-3)


def test_poisson_leaves_black_black_and_takes_values_outside() -> None:
    assert not Poisson(peak=5).apply(flat(0), rng()).any()
    assert not Poisson(peak=5).apply(flat(-0.5), rng()).any()
    assert Poisson(peak=500).apply(flat(1.5), rng()).mean() == pytest.approx(1.5, rel=0.02)


@settings(max_examples=15, deadline=None)
@given(amount=st.floats(0.03, 1), salt=st.floats(0.1, 0.9))
def test_salt_pepper_hits_its_share_of_pixels(amount, salt) -> None:
    noisy = SaltPepper(amount=amount, salt=salt).apply(flat(0.5, side=512), rng())
    white, black = (noisy == 1).mean(), (noisy == 0).mean()
    assert white + black == pytest.approx(amount, rel=0.05)
    assert white == pytest.approx(amount * salt, rel=0.1)
    kept = (noisy != 0) & (noisy != 1)
    assert (noisy[kept] == 0.5).all()


def test_salt_pepper_loses_whole_pixels_unless_channels_are_independent() -> None:
    together = SaltPepper(amount=0.3).apply(flat(), rng())
    np.testing.assert_array_equal(together[0], together[1])
    apart = SaltPepper(amount=0.3, independent=True).apply(flat(), rng())
    both = ((apart[0] != 0.5) & (apart[1] != 0.5)).mean()
    assert both == pytest.approx(0.09, rel=0.1)


def test_random_valued_impulses_are_uniform() -> None:
    noisy = SaltPepper(amount=1, random_valued=True).apply(flat(channels=1), rng())
    assert stats.kstest(noisy.ravel(), "uniform").pvalue > 0.01


@settings(max_examples=15, deadline=None)
@given(std=st.floats(0.05, 1), law=st.sampled_from(["gaussian", "gamma"]), value=st.floats(0.1, 1))
def test_speckle_multiplies_by_a_factor_of_mean_one(std, law, value) -> None:
    factor = Speckle(std=std, law=law).apply(flat(value), rng()).astype(np.float64) / value
    assert factor.mean() == pytest.approx(1, abs=0.02)
    assert factor.std() == pytest.approx(std, rel=0.02)


def test_speckle_with_the_gamma_law_has_its_looks() -> None:
    """Four looks have std 1/2; the judge is SciPy's own Gamma distribution."""
    factor = Speckle(std=0.5, law="gamma").apply(flat(1), rng()).ravel()
    assert stats.kstest(factor, stats.gamma(4, scale=1 / 4).cdf).pvalue > 0.01
    assert factor.min() > 0


@settings(max_examples=20, deadline=None)
@given(levels=st.integers(2, 256), dither=st.booleans())
def test_quantize_gives_its_levels_and_an_error_of_step_squared_over_12(levels, dither) -> None:
    image = np.random.default_rng(0).random((1, 256, 256), dtype=np.float32)
    quantized = Quantize(levels=levels, dither=dither).apply(image, rng()).astype(np.float64)
    index = quantized * (levels - 1)
    np.testing.assert_allclose(index, np.rint(index), atol=1e-4)
    assert quantized.min() >= 0
    assert quantized.max() <= 1
    step = 1 / (levels - 1)
    error = quantized - image
    assert abs(error).max() <= (1 if dither else 0.5) * step * 1.001
    assert error.var() == pytest.approx(step**2 / (6 if dither else 12), rel=0.05)


def test_quantize_with_dither_keeps_local_means() -> None:
    quantized = Quantize(levels=2, dither=True).apply(flat(0.3), rng())
    assert quantized.mean() == pytest.approx(0.3, rel=0.02)


def test_quantize_to_256_levels_keeps_8_bit_images() -> None:
    image = (np.arange(256, dtype=np.float32) / np.float32(255))[None, None]
    np.testing.assert_array_equal(Quantize(levels=256).apply(image, rng()), image)
