"""Hot pixels: found where few stand alone, and taken away with nothing else changed."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from skimage import metrics

from restorecli.diagnosis import diagnose
from restorecli.diagnosis.measuring.impulses import HOT_PIXELS, find_hot_pixels
from restorecli.folders.samples import read_sample
from restorecli.restoration.context import Context
from restorecli.restoration.methods.catalog import create_method

Pixels = NDArray[np.float32]


def _crop(name: str) -> Pixels:
    return read_sample(name).pixels[:, 64:256, 64:256]


def _heated(pixels: Pixels, channels: slice, rng: np.random.Generator) -> tuple[Pixels, NDArray[np.bool_]]:
    """Return an image with 12 hot pixels of any value, and where they are."""
    hot = np.zeros(pixels.shape[1:], np.bool_)
    hot.flat[rng.choice(hot.size, 12, replace=False)] = True
    heated = pixels.copy()
    heated[channels, hot] = rng.uniform(0.7, 1, (len(heated[channels]), 12))
    return np.rint(255 * heated).astype(np.float32) / np.float32(255), hot


@pytest.mark.parametrize("channels", [slice(0, 3), slice(1, 2)])
def test_hot_pixels_are_found_and_nothing_but_them_is_changed(channels: slice) -> None:
    clean = _crop("chelsea")
    heated, hot = _heated(clean, channels, np.random.default_rng(0))
    found = diagnose(heated)
    assert str(found).startswith("hot pixels, number about ")
    (step,) = found.steps
    restored = create_method(step.model, step.parameters).restore(heated, Context())
    assert not (restored != heated)[:, ~hot].any()
    psnr = metrics.peak_signal_noise_ratio
    assert psnr(clean, restored, data_range=1) > psnr(clean, heated, data_range=1) + 6


def test_hot_pixels_are_taken_away_before_noise() -> None:
    rng = np.random.default_rng(1)
    noisy = np.clip(_crop("coffee") + rng.normal(0, 6 / 255, (3, 192, 192)), 0, 1).astype(np.float32)
    found = diagnose(_heated(noisy, slice(0, 3), rng)[0])
    assert [step.model for step in found.steps] == ["switching-median", "sca-unet.gaussian"]
    assert found.findings[0].strengths[0].name == HOT_PIXELS


@pytest.mark.parametrize("name", ["astronaut", "coffee", "rocket", "hubble_deep_field", "camera", "coins"])
def test_glints_and_stars_are_no_hot_pixels(name: str) -> None:
    assert not find_hot_pixels(255 * read_sample(name).pixels).any()


def test_a_point_of_light_is_spread_by_optics_and_many_single_pixels_are_something_else() -> None:
    rows, columns = np.mgrid[:96, :96]
    spread = np.full((1, 96, 96), 20, np.float32)
    alone = spread.copy()
    for row, column in ((20, 20), (50, 70), (75, 30)):
        spread[0] += 200 * np.exp(-((rows - row) ** 2 + (columns - column) ** 2) / (2 * 0.7**2))
        alone[0, row, column] = 220
    assert not find_hot_pixels(spread).any()
    assert np.argwhere(find_hot_pixels(alone)[0]).tolist() == [[20, 20], [50, 70], [75, 30]]
    alone[0, 20, 20] = alone[0, 50, 70] = 20
    assert not find_hot_pixels(alone).any()  # one is too few
    alone[0, ::7, ::7] = 220
    assert not find_hot_pixels(alone).any()
