"""PSNR and SSIM inside and outside: scikit-image on the same pixels, and what the two must add up to."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from restorecli.errors import DataError
from restorecli.evaluation.metrics.catalog import METRICS
from restorecli.evaluation.metrics.metric import Subject
from restorecli.evaluation.metrics.protocol import find_protocol
from restorecli.evaluation.metrics.psnr_ssim import psnr, ssim
from restorecli.evaluation.metrics.regions import masked_psnr, masked_ssim


def pair(channels: int = 3, height: int = 40, width: int = 53, seed: int = 0):
    rng = np.random.default_rng(seed)
    reference = rng.integers(0, 256, (channels, height, width), dtype=np.uint8)
    noisy = np.clip(reference + rng.normal(0, 25, reference.shape), 0, 255).astype(np.uint8)
    return noisy, reference


def box(height: int = 40, width: int = 53, *, rows=slice(12, 22), columns=slice(20, 41)) -> np.ndarray:
    mask = np.zeros((height, width), bool)
    mask[rows, columns] = True
    return mask


@pytest.mark.parametrize("channels", [1, 3])
def test_psnr_inside_is_that_of_the_pixels_alone(channels):
    restored, reference = pair(channels)
    mask = box()
    theirs = peak_signal_noise_ratio(reference[:, mask], restored[:, mask], data_range=255)
    assert masked_psnr(restored, reference, mask) == pytest.approx(theirs, abs=1e-10)


@pytest.mark.parametrize("channels", [1, 3])
def test_ssim_inside_is_the_mean_of_the_map_over_the_mask(channels):
    restored, reference = pair(channels)
    for mask in (box(), box(rows=slice(0, 9), columns=slice(2, 30)), ~box()):
        _, full = structural_similarity(
            reference,
            restored,
            data_range=255,
            channel_axis=0,
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
            full=True,
        )
        theirs = full[:, 5:-5, 5:-5][:, mask[5:-5, 5:-5]].mean()
        assert masked_ssim(restored, reference, mask) == pytest.approx(theirs, abs=1e-12)


def test_over_the_whole_image_both_are_the_plain_metrics():
    restored, reference = pair()
    everything = np.ones(reference.shape[1:], bool)
    assert masked_psnr(restored, reference, everything) == pytest.approx(psnr(restored, reference), abs=1e-10)
    assert masked_ssim(restored, reference, everything) == pytest.approx(ssim(restored, reference), abs=1e-12)


@given(st.integers(0, 2**32 - 1), st.floats(0.05, 0.95))
@settings(max_examples=15, deadline=None)
def test_inside_and_outside_weighted_by_their_areas_are_the_whole(seed, share):
    restored, reference = pair(1, seed=seed)
    mask = np.random.default_rng(seed).random((40, 53)) < share
    errors = [255**2 / 10 ** (masked_psnr(restored, reference, side) / 10) for side in (mask, ~mask)]
    whole = np.average(errors, weights=[mask.sum(), (~mask).sum()])
    assert whole == pytest.approx(np.square(restored.astype(float) - reference).mean())
    inner = mask[5:-5, 5:-5]
    maps = [masked_ssim(restored, reference, side) for side in (mask, ~mask)]
    assert np.average(maps, weights=[inner.sum(), (~inner).sum()]) == pytest.approx(ssim(restored, reference))


def test_the_size_of_the_image_around_changes_nothing():
    restored, reference = pair(1)
    mask = box()
    wide = [np.pad(image, ((0, 0), (0, 200), (0, 200)), mode="edge") for image in (restored, reference)]
    large = np.pad(mask, ((0, 200), (0, 200)))
    assert masked_psnr(*wide, large) == masked_psnr(restored, reference, mask)
    assert masked_ssim(*wide, large) == pytest.approx(masked_ssim(restored, reference, mask), abs=1e-12)


def test_a_flawless_defect_is_infinite_and_one():
    restored, reference = pair()
    mask = box()
    grown = box(rows=slice(6, 28), columns=slice(14, 47))
    mended = np.where(grown, reference, restored)
    assert masked_psnr(mended, reference, mask) == math.inf
    assert masked_ssim(mended, reference, mask) == 1


def test_an_empty_region_has_no_score():
    restored, reference = pair()
    nothing = np.zeros(reference.shape[1:], bool)
    with pytest.raises(DataError):
        masked_psnr(restored, reference, nothing)
    for region in (nothing, box(rows=slice(0, 5)), box(columns=slice(48, 53))):
        with pytest.raises(DataError, match="region"):
            masked_ssim(restored, reference, region)
    small = [image[:, :8, :8] for image in (restored, reference)]
    with pytest.raises(DataError, match="region"):
        masked_ssim(*small, np.ones((8, 8), bool))


def test_the_protocols_crop_holds_for_the_mask_too():
    restored, reference = pair()
    mask = box()
    subject = Subject(restored, reference, mask=mask, protocol=find_protocol("basicsr:4"))
    inner = (slice(None), slice(4, -4), slice(4, -4))
    expected = masked_psnr(restored[inner], reference[inner], mask[4:-4, 4:-4])
    assert METRICS["psnr-inside"].function(subject) == pytest.approx(expected, abs=1e-9)
    ours = [METRICS[name].function(subject) for name in ("ssim-inside", "ssim-outside", "psnr-outside")]
    assert np.isfinite(ours).all()
