"""Moire: its energy lies at the asked frequencies, and there is as much of it as asked."""

import numpy as np
import pytest

from restorecli.degradation.chain import image_rng
from restorecli.degradation.families.moire import Moire


def rng(key="moire"):
    return image_rng(0, key)


def energy(plane):
    """Energy of each Fourier coefficient as a share of the mean square, by frequency."""
    spectrum = np.abs(np.fft.fft2(plane.astype(np.float64)) / plane.size) ** 2
    rows, columns = np.meshgrid(*(np.fft.fftfreq(side) for side in plane.shape), indexing="ij")
    return spectrum, rows, columns


@pytest.mark.parametrize("frequency", [0.125, 0.25, 0.3125])
@pytest.mark.parametrize(("angle", "toward"), [(0, (0, 1)), (90, (-1, 0)), (45, (-1, 1)), (-45, (1, 1))])
def test_a_straight_grating_is_a_single_peak_at_its_frequency(frequency, angle, toward) -> None:
    waves = Moire(count=1, bend=0, frequency=frequency, angle=angle).waves((256, 256), rng())
    spectrum, rows, columns = energy(waves[0])
    at = np.unravel_index(spectrum.argmax(), spectrum.shape)
    found = np.array([rows[at], columns[at]])
    wanted = frequency * np.array(toward) / np.hypot(*toward)
    assert min(np.abs(found - wanted).max(), np.abs(found + wanted).max()) <= 1 / 256


def test_amplitude_is_that_of_a_cosine() -> None:
    """A cosine of amplitude a has the mean square a^2 / 2, all of it in the two coefficients at +-f."""
    gray = np.full((1, 64, 64), 0.5, np.float32)
    added = Moire(amplitude=20, count=1, bend=0, frequency=0.25, angle=0).apply(gray, rng()) - gray
    spectrum, _, _ = energy(added[0])
    assert spectrum.sum() == pytest.approx((20 / 255) ** 2 / 2, rel=1e-3)
    assert np.sort(spectrum.ravel())[-2:].sum() == pytest.approx(spectrum.sum(), rel=1e-3)


@pytest.mark.parametrize("bend", [1.0, 3.0])
def test_bent_waves_stay_around_their_frequency(bend) -> None:
    waves = Moire(count=1, bend=bend, frequency=0.25, angle=0).waves((256, 256), rng())
    spectrum, rows, columns = energy(waves[0])
    near = np.hypot(rows, np.abs(columns) - 0.25) < 0.08
    assert spectrum[near].sum() > 0.9 * spectrum.sum()


def test_more_gratings_lie_within_the_spread() -> None:
    moire = Moire(count=6, bend=0, frequency=0.2, spread=0.2, tilt=0, angle=0)
    spectrum, rows, columns = energy(moire.waves((256, 256), rng())[0])
    inside = (np.abs(rows) < 0.01) & (np.abs(np.abs(columns) - 0.2) < 0.05)
    assert spectrum[inside].sum() > 0.97 * spectrum.sum()
    ring = np.abs(np.hypot(rows, columns) - 0.2) < 0.05
    tilted = Moire(count=6, bend=0, frequency=0.2, spread=0.2, tilt=90, angle=0)
    spectrum = energy(tilted.waves((256, 256), rng())[0])[0]
    assert spectrum[ring].sum() > 0.97 * spectrum.sum()
    assert spectrum[inside].sum() < 0.7 * spectrum.sum()


def test_color_is_a_shift_between_channels() -> None:
    gray = Moire(colour=0).waves((32, 32), rng())
    np.testing.assert_array_equal(gray[0], gray[1])
    coloured = Moire(colour=1).waves((32, 32), rng())
    assert np.abs(coloured[0] - coloured[1]).max() > 0.1


def test_a_gray_image_gets_the_waves_of_one_channel() -> None:
    image = np.random.default_rng(0).random((1, 24, 31), dtype=np.float32)
    colour = Moire().apply(np.repeat(image, 3, axis=0), rng())
    np.testing.assert_array_equal(Moire().apply(image, rng())[0], colour[0])
