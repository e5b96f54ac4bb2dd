"""Printed screens: the mean is the tone, and the dots lie where they were asked for."""

import numpy as np
import pytest

from restorecli.degradation.chain import image_rng
from restorecli.degradation.families.screens import HalftoneScreen


def printed(image, **parameters):
    return HalftoneScreen(**parameters).apply(image, image_rng(0, "screen"))


def flat(*tones, side=200):
    return np.broadcast_to(np.array(tones, np.float32)[:, None, None], (len(tones), side, side)).copy()


@pytest.mark.parametrize("dot", ["round", "diamond"])
@pytest.mark.parametrize("tone", [0.1, 0.35, 0.8])
def test_the_mean_of_a_screen_is_the_tone(dot, tone) -> None:
    assert printed(flat(tone), dot=dot).mean() == pytest.approx(tone, abs=0.004)


def test_inks_give_the_mean_of_every_channel() -> None:
    """Screens at other angles overlap by chance, and inks multiply: Demichel's equation."""
    found = printed(flat(0.7, 0.3, 0.45), period=3.3)
    np.testing.assert_allclose(found.mean(axis=(1, 2)), [0.7, 0.3, 0.45], atol=0.005)


def test_white_and_black_stay_and_gray_needs_black_ink_alone() -> None:
    np.testing.assert_allclose(printed(flat(1.0)), 1, atol=1e-6)
    np.testing.assert_array_equal(printed(flat(0.0)), 0)
    gray = printed(flat(0.6, 0.6, 0.6))
    np.testing.assert_array_equal(gray[0], gray[1])
    np.testing.assert_array_equal(gray[:1], printed(flat(0.6)))


@pytest.mark.parametrize("dot", ["round", "diamond"])
@pytest.mark.parametrize(("period", "angle"), [(3.0, 15), (4.2, 45), (6.5, 75)])
def test_the_spectrum_has_its_peaks_at_the_stated_frequency_and_angle(dot, period, angle) -> None:
    plane = printed(flat(0.5, side=256), period=period, angle=angle, dot=dot)[0]
    window = np.outer(np.hanning(256), np.hanning(256))
    power = np.abs(np.fft.fft2((plane - plane.mean()) * window)) ** 2
    down, across = np.meshgrid(*(np.fft.fftfreq(256),) * 2, indexing="ij")
    at = np.unravel_index(power.argmax(), power.shape)
    assert np.hypot(down[at], across[at]) == pytest.approx(1 / period, abs=1 / 256)
    assert np.degrees(np.arctan2(-down[at], across[at])) % 90 == pytest.approx(angle, abs=2)


def test_channels_have_screens_of_their_own_angles() -> None:
    found = printed(flat(0.5, 1.0, 1.0, side=256), period=4.0, angle=45, soft=0)  # cyan alone, at 15 degrees
    np.testing.assert_allclose(found[1:], 1)
    power = np.abs(np.fft.fft2(found[0] - 0.5)) ** 2
    down, across = np.meshgrid(*(np.fft.fftfreq(256),) * 2, indexing="ij")
    at = np.unravel_index(power.argmax(), power.shape)
    assert np.degrees(np.arctan2(-down[at], across[at])) % 90 == pytest.approx(15, abs=2)
