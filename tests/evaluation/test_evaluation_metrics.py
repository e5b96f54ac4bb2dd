"""PSNR and SSIM against scikit-image, closed forms and laws."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from restorecli.errors import DataError
from restorecli.evaluation.metrics.psnr_ssim import psnr, ssim, to_8_bits

C1 = (0.01 * 255) ** 2

sizes = st.tuples(st.sampled_from([1, 3]), st.integers(11, 80), st.integers(11, 80))
seeds = st.integers(0, 2**32 - 1)
levels = st.integers(0, 255)


def random_pair(shape: tuple[int, int, int], seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    reference = rng.uniform(-0.1, 1.1, shape).astype(np.float32)
    noise = rng.normal(0, rng.uniform(0.001, 0.5), shape)
    return (reference + noise).astype(np.float32), reference


def judge_ssim(restored: np.ndarray, reference: np.ndarray) -> float:
    return structural_similarity(
        restored,
        reference,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
        data_range=255,
        channel_axis=0,
    )


@given(sizes, seeds)
@settings(max_examples=60, deadline=None)
def test_both_agree_with_scikit_image_on_the_rounded_images(shape, seed):
    restored, reference = random_pair(shape, seed)
    one, two = (np.floor(np.clip(x, 0, 1) * 255 + 0.5).astype(np.uint8) for x in (restored, reference))
    assert psnr(restored, reference) == pytest.approx(
        peak_signal_noise_ratio(two, one, data_range=255), abs=1e-9
    )
    assert ssim(restored, reference) == pytest.approx(judge_ssim(one, two), abs=1e-12)


@given(sizes, seeds)
@settings(max_examples=30, deadline=None)
def test_both_are_symmetric_and_bounded(shape, seed):
    restored, reference = random_pair(shape, seed)
    assert psnr(restored, reference) == psnr(reference, restored)
    assert ssim(restored, reference) == pytest.approx(ssim(reference, restored), abs=1e-14)
    assert -1 <= ssim(restored, reference) <= 1


@given(arrays(np.uint8, sizes))
@settings(max_examples=30, deadline=None)
def test_an_image_equals_itself_exactly(image):
    assert psnr(image, image.copy()) == math.inf
    assert ssim(image, image.copy()) == 1.0


@given(sizes, seeds)
@settings(max_examples=20, deadline=None)
def test_a_uniform_shift_by_one_level_costs_48_1308_db(shape, seed):
    reference = np.random.default_rng(seed).integers(0, 255, shape).astype(np.float32) / 255
    assert psnr(reference + np.float32(1 / 255), reference) == pytest.approx(48.1308, abs=5e-5)


@given(levels, levels, sizes)
@settings(max_examples=40, deadline=None)
def test_two_constants_have_the_closed_form(a, b, shape):
    one, two = np.full(shape, a, np.uint8), np.full(shape, b, np.uint8)
    assert ssim(one, two) == pytest.approx((2 * a * b + C1) / (a * a + b * b + C1), abs=1e-12)
    expected = math.inf if a == b else 20 * math.log10(255 / abs(a - b))
    assert psnr(one, two) == pytest.approx(expected, abs=1e-12)


@given(levels)
@settings(deadline=None)
def test_rounding_gives_back_every_level_and_is_half_up(level):
    pixels = np.full((1, 2, 2), level / 255, np.float32)
    assert (to_8_bits(pixels) == level).all()
    assert (to_8_bits(np.full((1, 1, 1), (level + 0.5) / 255, np.float64)) == min(level + 1, 255)).all()


def test_rounding_does_not_touch_its_input():
    pixels = np.array([[[-1.0, 0.5, 2.0]]], np.float32)
    assert to_8_bits(pixels).tolist() == [[[0, 128, 255]]]
    assert pixels.tolist() == [[[-1.0, 0.5, 2.0]]]


@pytest.mark.parametrize("metric", [psnr, ssim])
@pytest.mark.parametrize("other", [(3, 20, 21), (1, 20, 20), (3, 20)])
def test_different_shapes_are_refused_with_both(metric, other):
    with pytest.raises(DataError) as caught:
        metric(np.zeros(other, np.float32), np.zeros((3, 20, 20), np.float32))
    assert str(other) in str(caught.value)
    assert "(3, 20, 20)" in str(caught.value)


@pytest.mark.parametrize("metric", [psnr, ssim])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite_are_refused(metric, value):
    bad = np.zeros((1, 16, 16), np.float32)
    bad[0, 3, 3] = value
    with pytest.raises(DataError, match="not finite"):
        metric(bad, np.zeros_like(bad))


@pytest.mark.parametrize("shape", [(1, 10, 40), (3, 40, 10), (1, 1, 1)])
def test_ssim_refuses_an_image_smaller_than_its_window(shape):
    with pytest.raises(DataError, match="at least 11"):
        ssim(np.zeros(shape, np.float32), np.zeros(shape, np.float32))


@pytest.mark.data
def test_both_agree_with_what_other_libraries_returned_for_real_images(reference_folder: Path):
    from PIL import Image

    table = json.loads((reference_folder / "metrics.json").read_text())
    for entry in table["pairs"]:
        one, two = (
            np.asarray(Image.open(reference_folder.parent / entry[side])).transpose(2, 0, 1)
            for side in ("restored", "reference")
        )
        values = entry["values"]
        for name in (
            "skimage.peak_signal_noise_ratio",
            "basicsr.calculate_psnr(crop_border=0,test_y_channel=False)",
            "kair.calculate_psnr",
        ):
            assert psnr(one, two) == pytest.approx(values[name], abs=1e-4)
        for name in (
            "skimage.structural_similarity(gaussian_weights,sigma=1.5,use_sample_covariance=False)",
            "basicsr.calculate_ssim(crop_border=0,test_y_channel=False)",
            "kair.calculate_ssim",
        ):
            assert ssim(one, two) == pytest.approx(values[name], abs=1e-6)
