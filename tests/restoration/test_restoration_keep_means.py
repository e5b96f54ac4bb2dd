"""Local means of measured data survive a denoiser that moves brightness."""

import numpy as np
import pytest
from scipy import ndimage

import restorecli
from restorecli.diagnosis.result import Diagnosis, Finding, Step
from restorecli.restoration.keep_means import SPREAD, keep_means

RNG = np.random.default_rng(0)


def test_means_are_kept_and_noise_does_not_come_back() -> None:
    clean = np.tile(np.linspace(0.2, 0.6, 192, dtype=np.float32), (1, 160, 1))
    noisy = clean + RNG.normal(0, 0.1, clean.shape).astype(np.float32)
    kept = keep_means(noisy, clean * np.float32(0.97))
    assert kept.mean() == pytest.approx(noisy.mean(), abs=1e-6)
    noise = (kept - keep_means(clean, clean * np.float32(0.97))).std()
    assert noise == pytest.approx(0.1 / (2 * np.pi**0.5 * SPREAD), rel=0.3)  # of white noise, closed form
    assert np.abs(kept - clean)[:, 48:-48, 48:-48].max() < 0.01


@pytest.mark.parametrize(("damage", "kept"), [("poisson", True), ("salt-pepper", False)])
def test_auto_keeps_the_means_of_measured_data_but_not_of_hot_pixels(monkeypatch, damage, kept) -> None:
    levels = RNG.integers(9000, 50_000, (64, 70)).astype(np.uint16)
    levels[RNG.random(levels.shape) < 0.1] = 65535
    found = Diagnosis((Finding(damage, damage, 0.9),), (Step("median", {"size": 5}),), (), 0.9)
    monkeypatch.setattr("restorecli.diagnosis.large.diagnose_any_size", lambda *_: found)
    restored = restorecli.restore_image(levels)
    median = ndimage.median_filter(levels, 5, mode="reflect")
    assert abs(median.mean() - levels.mean()) > 1000
    assert np.isclose(restored.mean(), levels.mean(), rtol=0, atol=1) == kept
    assert np.array_equal(restored, median) != kept
