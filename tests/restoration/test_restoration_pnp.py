"""Plug-and-play: the closed forms against the equations they solve, the schedule, and what a prior gains."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage import data
from skimage.restoration import denoise_tv_chambolle
from torch import nn

from restorecli.core.torch_restorer import TorchRestorer
from restorecli.degradation.families.blur import motion_kernel
from restorecli.degradation.operators import Convolution, PointSpread, operator_of, reduction_spread
from restorecli.errors import ImageError, UsageError, WeightsError
from restorecli.restoration.context import Context
from restorecli.restoration.methods import pnp, priors
from restorecli.restoration.methods.catalog import create_method
from restorecli.restoration.methods.classical.holes import nearest_known
from restorecli.restoration.methods.data_steps import (
    fourier_step,
    mask_step,
    noise_schedule,
    observe,
    step_weights,
)

MOTION = PointSpread.centered(motion_kernel(9, 30))


def psnr(one, other):
    return float(-10 * np.log10(np.mean((np.clip(one, 0, 1).astype(float) - other) ** 2)))


@pytest.fixture(scope="module")
def photo():
    """A part of scikit-image's cameraman, (1, 96, 96) float32."""
    return (data.camera()[100:196, 200:296] / 255).astype(np.float32)[None]


@pytest.fixture
def with_prior(monkeypatch):
    """Make a plug-and-play method whose denoiser is any function of (pixels, sigma)."""

    def make(prior, **parameters):
        monkeypatch.setattr(pnp.PlugAndPlay, "_prior", lambda self, context: prior)
        return pnp.PlugAndPlay(**parameters)

    return make


@settings(max_examples=30, deadline=None)
@given(
    factor=st.integers(1, 4),
    height=st.integers(2, 6),
    width=st.integers(2, 6),
    weight=st.floats(1e-4, 10),
    seed=st.integers(0, 2**32 - 1),
)
def test_the_fourier_step_solves_its_normal_equations(factor, height, width, weight, seed) -> None:
    """(H^T H + a) x = H^T y + a z, with the operator's own forward and adjoint as the judge."""
    rng = np.random.default_rng(seed)
    kernel = rng.random((3, 4))
    spread = PointSpread(kernel / kernel.sum(), (2, 1))
    circular = Convolution(spread, factor, "circular")
    y = rng.random((2, height, width))
    z = rng.random((2, height * factor, width * factor))
    spectrum = spread.transfer(z.shape[1:])
    x = fourier_step(y, z, spectrum, weight, factor)
    left = circular.adjoint(circular.forward(x)) + weight * x
    np.testing.assert_allclose(left, circular.adjoint(y) + weight * z, atol=1e-5)
    np.testing.assert_allclose(observe(x, spectrum, factor), circular.forward(x), atol=1e-9)


def test_without_a_prior_the_step_is_the_inverse_filter() -> None:
    """D = identity and a -> 0: a kernel without zeros is inverted exactly, whatever z says."""
    spread = PointSpread.centered(np.array([[0.1, 0.6, 0.3]]))
    x = np.random.default_rng(0).random((1, 16, 16))
    blurred = Convolution(spread, 1, "circular").forward(x)
    spectrum = spread.transfer((16, 16))
    inverse = np.fft.ifft2(np.fft.fft2(blurred) / spectrum).real
    result = fourier_step(blurred, np.zeros_like(x), spectrum, 1e-12)
    np.testing.assert_allclose(result, inverse, atol=1e-8)
    np.testing.assert_allclose(result, x, atol=1e-8)


def test_the_mask_step_solves_its_equation() -> None:
    rng = np.random.default_rng(0)
    y, z, known = rng.random((3, 5, 6)), rng.random((3, 5, 6)), rng.random((5, 6)) < 0.5
    x = mask_step(y, z, known, 0.3)
    np.testing.assert_allclose(known * x + 0.3 * x, known * y + 0.3 * z)


@given(noise=st.floats(0.3, 48), iterations=st.integers(2, 40))
def test_levels_fall_to_the_noise_and_weights_rise(noise, iterations) -> None:
    levels = noise_schedule(noise, iterations)
    weights = step_weights(noise, levels)
    assert levels[0] == pytest.approx(49)
    assert levels[-1] == pytest.approx(noise)
    assert (np.diff(levels) < 0).all()
    assert (np.diff(weights) > 0).all()
    assert weights[-1] == pytest.approx(0.23)
    np.testing.assert_allclose(np.diff(np.log(levels)), np.log(noise / 49) / (iterations - 1))


def test_noise_above_the_first_level_keeps_its_level() -> None:
    np.testing.assert_allclose(noise_schedule(60.0, 3), [60, 60, 60])


@pytest.mark.parametrize("way", range(8))
def test_every_way_to_turn_is_turned_back_and_all_differ(way) -> None:
    x = np.random.default_rng(0).random((2, 4, 6))
    np.testing.assert_array_equal(pnp._turn_back(pnp._turn(x, way), way), x)
    others = [pnp._turn(x, other) for other in range(8) if other != way]
    assert not any(np.array_equal(pnp._turn(x, way), other) for other in others)


def test_the_denoiser_gets_turned_images_and_falling_levels(photo, with_prior) -> None:
    seen = []

    def watch(pixels, sigma):
        seen.append((pixels, sigma))
        return pixels

    known = Context(sigma=5.0, operator=Convolution(MOTION))
    with_prior(watch, iterations=9).restore(photo[:, :40], known)
    assert [pixels.shape[1] < pixels.shape[2] for pixels, _ in seen] == [True, False] * 4 + [True]
    np.testing.assert_allclose([sigma for _, sigma in seen], noise_schedule(5.0, 9))
    assert all(pixels.dtype == np.float32 for pixels, _ in seen)


def tv(pixels, sigma):
    return denoise_tv_chambolle(pixels, 1.2 * sigma / 255, channel_axis=0).astype(np.float32)


def degraded(photo, operator, sigma):
    noise = np.random.default_rng(0).standard_normal(operator.forward(photo).shape) * sigma / 255
    return (operator.forward(photo) + noise).astype(np.float32)


def test_a_blurred_image_gains_with_total_variation_as_prior(photo, with_prior) -> None:
    known = Context(sigma=2.55, operator=Convolution(MOTION))
    given = degraded(photo, known.operator, 2.55)
    result = with_prior(tv).restore(given, known)
    assert result.shape == photo.shape
    assert psnr(result, photo) > psnr(given, photo) + 4
    assert psnr(result, photo) > psnr(create_method("wiener-deconv").restore(given, known), photo)


def test_a_small_image_gains_over_bicubic(photo, with_prior) -> None:
    known = Context(sigma=0.3, operator=Convolution(reduction_spread(2), 2))
    given = degraded(photo, known.operator, 0.3)
    method = with_prior(tv)
    assert method.scale_for(known) == 2
    plain = create_method("bicubic").restore(given, known)
    assert psnr(method.restore(given, known), photo) > psnr(plain, photo) + 0.5


def test_lost_pixels_are_filled_and_the_others_kept(photo, with_prior) -> None:
    lost = np.random.default_rng(1).random(photo.shape[1:]) < 0.5
    given = np.where(lost, np.float32(1), photo)
    known = Context(sigma=0.0, mask=lost)
    result = with_prior(tv).restore(given, known)
    nearest = nearest_known(given, lost)
    assert psnr(result[:, lost], photo[:, lost]) > psnr(nearest[:, lost], photo[:, lost]) + 1
    assert psnr(result[:, ~lost], photo[:, ~lost]) > 40


def test_holes_are_not_taken_for_noise_where_nothing_says_its_level(photo, with_prior) -> None:
    seen = []

    def watch(pixels, sigma):
        seen.append(sigma)
        return pixels

    lost = np.random.default_rng(1).random(photo.shape[1:]) < 0.5
    with_prior(watch, iterations=3).restore(np.where(lost, np.float32(1), photo), Context(mask=lost))
    np.testing.assert_allclose(seen, noise_schedule(12**-0.5, 3))


def test_nothing_known_is_an_error_of_the_image(photo) -> None:
    with pytest.raises(ImageError, match="what to undo"):
        create_method("pnp").restore(photo, Context(sigma=1.0))


@pytest.mark.parametrize("name", ["no-such", "sca-unet.no-such", "folder/none.safetensors"])
def test_an_unknown_denoiser_is_refused(photo, name) -> None:
    method = create_method("pnp", {"denoiser": name})
    with pytest.raises((UsageError, WeightsError)):
        method.restore(photo, Context(sigma=1.0, operator=Convolution(MOTION)))


# Networks as priors


class Shrink(nn.Module):
    """Gives back its input, made smaller by the level that it is told (or 0)."""

    channels, scale, multiple, receptive_field, receptive_field_told, takes_sigma = 1, 1, 1, 1, 1, True

    def forward(self, x, sigma=None):
        level = torch.zeros(len(x)) if sigma is None else sigma
        return x * (1 - level[:, None, None, None] / 255)


def network(monkeypatch, *, takes_sigma):
    module = Shrink()
    module.takes_sigma = takes_sigma
    restorer = TorchRestorer(module, name="shrink", device=torch.device("cpu"))
    monkeypatch.setattr(priors, "load", lambda name, device: restorer)
    return priors.network_prior("shrink", seed=0)


def test_a_network_that_takes_a_level_is_told_it(monkeypatch) -> None:
    prior = network(monkeypatch, takes_sigma=True)
    image = np.full((3, 8, 8), 0.8, np.float32)
    for sigma in (51.0, 0.0):
        np.testing.assert_allclose(prior(image, sigma), 0.8 * (1 - sigma / 255), rtol=1e-6)


def test_a_blind_network_gets_noise_of_the_level_to_remove(monkeypatch) -> None:
    prior = network(monkeypatch, takes_sigma=False)
    image = np.full((1, 100, 100), 0.5, np.float32)
    first, second = prior(image, 20.0), prior(image, 20.0)
    assert first.std() * 255 == pytest.approx(20, rel=0.05)
    assert not np.array_equal(first, second)
    again = network(monkeypatch, takes_sigma=False)
    np.testing.assert_array_equal(again(image, 20.0), first)


def test_the_fingerprint_is_that_of_the_weights() -> None:
    shipped = create_method("pnp").fingerprint()["denoiser_weights"]
    other = create_method("pnp", {"denoiser": "dncnn"}).fingerprint()["denoiser_weights"]
    assert len(shipped) == 16
    assert shipped != other


@pytest.mark.slow
def test_a_shipped_network_gains_five_decibels(photo) -> None:
    """The law of SYSTEMS.md for kernels of Levin's size and little noise."""
    known = Context(
        sigma=2.55, operator=operator_of([{"name": "motion-blur", "length": 15.0, "angle": 30.0}])
    )
    given = degraded(photo, known.operator, 2.55)
    result = create_method("pnp", {"denoiser": "dncnn.gray-blind"}).restore(given, known)
    assert psnr(result, photo) > psnr(given, photo) + 5
