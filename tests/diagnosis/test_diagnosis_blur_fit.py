"""The blur that explains a spectrum: kernels of other libraries are found to a few percent."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage
from skimage.filters import gaussian

from restorecli.degradation.catalog import find
from restorecli.diagnosis.diagnosing import diagnose
from restorecli.diagnosis.measuring.blur_fit import Blur, fit_blurs, is_endless, is_weak, measured
from restorecli.diagnosis.measuring.spectrum_model import SpectrumModel
from restorecli.diagnosis.measuring.view import view_of
from restorecli.folders.samples import read_sample

SAMPLES = ("astronaut", "chelsea", "coffee")

Doubles = NDArray[np.float64]


def _photo(name: str) -> Doubles:
    return read_sample(name).pixels[:, :320, :400].astype(np.float64)


def _as_file(pixels: Doubles) -> NDArray[np.float32]:
    return (np.rint(255 * np.clip(pixels, 0, 1)) / 255).astype(np.float32)


def _convolved(name: str, kernel: Doubles) -> NDArray[np.float32]:
    return _as_file(np.stack([ndimage.convolve(plane, kernel / kernel.sum()) for plane in _photo(name)]))


def _best(image: NDArray[np.float32]) -> Blur:
    return fit_blurs(view_of(image))[0]


def _fine(radius: int) -> tuple[Doubles, Doubles]:
    """Return rows and columns of a grid with 11 points a pixel, from the middle of a kernel."""
    axis = (np.arange(11 * (2 * radius + 1)) + 0.5) / 11 - radius - 0.5
    return axis[:, None], axis[None, :]


def _pixels(fine: Doubles) -> Doubles:
    side = fine.shape[0] // 11
    return np.asarray(fine.reshape(side, 11, side, 11).mean(axis=(1, 3)))


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize("sigma", [1.5, 3.0, 5.0])
def test_a_gaussian_is_found_to_a_few_percent(name: str, sigma: float) -> None:
    blurred = np.stack(
        [gaussian(plane, sigma, mode="reflect", preserve_range=True) for plane in _photo(name)]
    )
    found = _best(_as_file(blurred))
    assert found.damage == "gaussian-blur"
    # The photographs are not perfectly sharp themselves, chelsea least.
    assert 0.95 * sigma < found.values["sigma"] < 1.05 * np.hypot(sigma, 1.1)


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize("radius", [2.5, 4.3, 8.0])
def test_a_disc_is_found_to_a_percent(name: str, radius: float) -> None:
    down, across = _fine(10)
    found = _best(_convolved(name, _pixels((np.hypot(down, across) <= radius).astype(np.float64))))
    assert found.damage == "defocus"
    assert found.values["radius"] == pytest.approx(radius, rel=0.02)


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize(("length", "angle"), [(9, 20), (15, 100), (27, 150)])
def test_a_motion_is_found_with_length_and_direction(name: str, length: float, angle: float) -> None:
    down, across = _fine(16)
    turned = np.radians(angle)
    along = across * np.cos(turned) - down * np.sin(turned)
    beside = across * np.sin(turned) + down * np.cos(turned)
    path = (np.abs(along) <= length / 2) & (np.abs(beside) <= 0.5)
    found = _best(_convolved(name, _pixels(path.astype(np.float64))))
    assert found.damage == "motion-blur"
    assert found.values["length"] == pytest.approx(length, rel=0.05)
    assert abs((found.values["angle"] - angle + 90) % 180 - 90) < 1


@pytest.mark.parametrize("noise", [0.5, 2.0, 8.0])
def test_the_noise_over_a_blur_is_measured(noise: float) -> None:
    rng = np.random.default_rng(0)
    blurred = np.stack([ndimage.gaussian_filter(plane, 2.0) for plane in _photo("chelsea")])
    noisy = blurred + rng.normal(0, noise / 255, blurred.shape)
    for image in (_as_file(noisy), _as_file(noisy[:1])):
        found = _best(image)
        assert found.noise == pytest.approx(np.hypot(noise, 12**-0.5), rel=0.08)
        assert measured(found)["blur noise"] == found.noise


def test_the_kernel_that_made_an_image_explains_it_better_than_others() -> None:
    down, across = _fine(10)
    disc = _pixels((np.hypot(down, across) <= 5).astype(np.float64))
    model = SpectrumModel(view_of(_convolved("coffee", disc)))
    others = [_pixels((np.hypot(down, across) <= radius).astype(np.float64)) for radius in (4.6, 5.4)]
    right = model.explain(disc / disc.sum())
    assert right.misfit < min(model.explain(other / other.sum()).misfit for other in others) - 0.1
    assert right.misfit < model.explain(np.ones((1, 1))).misfit - 0.3


def test_the_fall_of_a_sharp_spectrum_is_that_of_the_noise_it_was_made_of() -> None:
    """A random field whose power falls as f^-2.6 over white noise, made by another Fourier transform."""
    rng = np.random.default_rng(1)
    frequency = np.hypot(np.fft.fftfreq(512)[:, None], np.fft.fftfreq(512)[None, :])
    frequency[0, 0] = 1
    field = np.fft.ifft2(np.fft.fft2(rng.normal(size=(512, 512))) * frequency**-1.3).real
    level, noise = 1.0, 3.0
    image = 128 + level * field + rng.normal(0, noise, field.shape)
    found = SpectrumModel(view_of((image[None] / 255).astype(np.float32))).explain(np.ones((1, 1)))
    assert found.slope == pytest.approx(2.6, abs=0.2)
    assert found.level == pytest.approx(level**2 * 0.1**-2.6, rel=0.15)
    assert found.noise == pytest.approx(noise, rel=0.15)


@pytest.mark.parametrize("shape", [(1, 32, 32), (3, 33, 300), (1, 512, 40)])
def test_images_of_any_size_have_a_best_blur(shape: tuple[int, int, int]) -> None:
    image = np.random.default_rng(2).random(shape).astype(np.float32)
    for blur in fit_blurs(view_of(image)):
        assert np.isfinite([blur.misfit, blur.noise, *blur.values.values()]).all()


@pytest.mark.parametrize(
    ("damage", "values", "weak"),
    [
        ("gaussian-blur", {"sigma": 0.49}, True),
        ("gaussian-blur", {"sigma": 0.9}, False),
        ("defocus", {"radius": 1.0, "edge": 0.4}, True),
        ("defocus", {"radius": 2.0, "edge": 0.4}, False),
        ("motion-blur", {"length": 3.0, "angle": 10.0, "sigma": 0.0}, True),
        ("motion-blur", {"length": 7.0, "angle": 10.0, "sigma": 0.0}, False),
    ],
)
def test_blur_of_sharp_photographs_is_weak(damage: str, values: dict[str, float], weak: bool) -> None:
    assert is_weak(Blur(damage, values, 0.1, 1.0)) == weak


def test_what_is_smooth_by_nature_is_no_blur_and_what_degrade_makes_is() -> None:
    assert is_endless(Blur("gaussian-blur", {"sigma": 13.9}, 0.0, 0.0))
    for name in ("gaussian-blur", "defocus", "motion-blur"):
        strongest = {key: float(value) for key, value in find(name).severities[-1].items() if key != "angle"}
        assert not is_endless(Blur(name, strongest, 0.0, 0.0))


def test_a_cloud_is_left_alone() -> None:
    field = gaussian(np.random.default_rng(0).random((256, 256)), 14)
    cloud = np.rint(200 * (field - field.min()) / np.ptp(field)) / 255
    assert diagnose(cloud.astype(np.float32)[None]).is_clean
