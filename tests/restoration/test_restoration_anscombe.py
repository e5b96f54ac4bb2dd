"""Stabilized denoising of photon noise: formulas against sums over the law itself, means, whole files."""

import numpy as np
import pytest
import tifffile
from scipy import integrate, ndimage, stats

import restorecli
from restorecli.folders.manifest import Manifest
from restorecli.restoration.context import Context
from restorecli.restoration.methods.anscombe import stabilized, unstabilized
from restorecli.restoration.methods.catalog import create_method


def mean_stabilized(rate: float, read: float) -> float:
    """The expectation of the stabilized value, by SciPy's law of Poisson and quadrature over read noise."""
    counts = np.arange(int(rate + 12 * rate**0.5 + 30))
    weights = stats.poisson.pmf(counts, rate)
    if not read:
        return float(weights @ stabilized(counts.astype(float)))
    z = np.linspace(-9, 9, 4001)
    at = stabilized(counts[:, None] + read * z + read**2)
    return float(weights @ integrate.simpson(at * stats.norm.pdf(z), x=z, axis=1))


@pytest.mark.parametrize("rate", [0.0, 0.1, 0.5, 1, 3, 10, 100, 1000])
def test_the_inverse_gives_the_mean_of_counts_back(rate) -> None:
    """Makitalo and Foi's closed form is within 0.07 of the exact inverse at few counts, and exact at many."""
    assert unstabilized(np.array(mean_stabilized(rate, 0))) == pytest.approx(rate, abs=0.07)
    algebraic = mean_stabilized(rate, 0) ** 2 / 4 - 3 / 8
    if rate >= 1:
        assert algebraic < rate - 0.15  # what the unbiased inverse is for


@pytest.mark.parametrize("read", [0.7, 1.5, 4])
@pytest.mark.parametrize("rate", [0.0, 0.5, 2, 10, 100])
def test_read_noise_comes_off_the_inverse(rate, read) -> None:
    value = unstabilized(np.array(mean_stabilized(rate, read))) - read**2
    assert value == pytest.approx(rate, abs=0.12)


def test_stabilized_noise_is_even() -> None:
    rng = np.random.default_rng(0)
    for rate in (4, 20, 200):
        assert stabilized(rng.poisson(rate, 200_000).astype(float)).std() == pytest.approx(1, abs=0.03)


def plateaus(levels) -> np.ndarray:
    """Flat squares of 48 px: levels in electrons."""
    return np.kron(np.array(levels, float).reshape(2, -1), np.ones((48, 48)))


@pytest.mark.parametrize("denoiser", ["dncnn.gray-blind", "wavelet"])
def test_flat_places_keep_their_mean(denoiser) -> None:
    """Without the means being set afterwards: the inverse is unbiased."""
    levels = [1, 2, 5, 10, 20, 40]
    clean = plateaus(levels)
    rng = np.random.default_rng(3)
    noisy = (2.2 * (rng.poisson(clean) + rng.normal(0, 1.5, clean.shape)) + 100) / 255
    method = create_method("anscombe", {"denoiser": denoiser})
    restored = method.restore(noisy[None].astype(np.float32), Context())[0]
    electrons = (255 * restored - 100) / 2.2
    before = (255 * noisy - 100) / 2.2
    for index in range(len(levels)):
        row, column = divmod(index, 3)
        inner = (slice(48 * row + 12, 48 * row + 36), slice(48 * column + 12, 48 * column + 36))
        assert electrons[inner].mean() == pytest.approx(before[inner].mean(), rel=0.04, abs=0.1)
        assert electrons[inner].std() < 0.4 * before[inner].std()


def test_an_image_without_photons_comes_back_bit_for_bit() -> None:
    flat = np.full((1, 40, 40), 0.25, np.float32)
    assert np.array_equal(create_method("anscombe").restore(flat, Context()), flat)


@pytest.fixture
def stack(tmp_path):
    """Two frames of soft cells, 8 electrons at most, as a microscope's camera gives them in 16 bits."""
    soft = ndimage.gaussian_filter(np.random.default_rng(7).normal(size=(128, 128)), 5, mode="wrap")
    clean = 100 + 2.2 * 8 * np.clip(soft / soft.max(), 0, 1)
    rng = np.random.default_rng(1)
    frames = [
        rng.poisson((clean - 100) / 2.2) * 2.2 + 100 + rng.normal(0, 3.3, clean.shape) for _ in range(2)
    ]
    noisy = np.rint(frames).astype(np.uint16)
    tifffile.imwrite(tmp_path / "one.tif", noisy[0])
    tifffile.imwrite(tmp_path / "two.tif", noisy, imagej=True, metadata={"axes": "TYX"})
    return tmp_path, clean, noisy


def test_auto_takes_it_for_a_dark_16_bit_image_and_keeps_depth_and_mean(stack) -> None:
    folder, clean, noisy = stack
    restorecli.restore(folder / "one.tif", folder / "out")
    restored = tifffile.imread(folder / "out" / "one.tif")
    assert restored.dtype == np.uint16
    assert restored.mean() == pytest.approx(noisy[0].mean(), abs=0.1)

    def error(image) -> float:
        return float(np.mean((image - clean) ** 2))

    by_wavelet = restorecli.restore_image(noisy[0], model="wavelet").astype(float)
    assert error(restored.astype(float)) < min(error(noisy[0].astype(float)) / 20, error(by_wavelet))
    assert "anscombe" in Manifest(folder / "out").read()["one.tif"].restorer["found"]["diagnosis"]


def test_frames_share_gain_and_are_all_treated(stack) -> None:
    folder, clean, _ = stack
    restorecli.restore(folder / "two.tif", folder / "out", frames="all")
    restored = tifffile.imread(folder / "out" / "two.tif")
    assert [np.mean((frame - clean) ** 2) < 3 for frame in restored.astype(float)] == [True, True]
