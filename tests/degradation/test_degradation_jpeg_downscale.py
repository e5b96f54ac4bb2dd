"""JPEG is Pillow's, reduction is MATLAB's."""

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from restorecli.degradation.chain import image_rng
from restorecli.degradation.families.compression import Jpeg
from restorecli.degradation.families.resize import Downscale, cubic
from restorecli.errors import ImageError

RNG = image_rng(0, "k")


def smooth(channels=3, height=64, width=96):
    y, x = np.mgrid[:height, :width] / 32
    planes = [0.5 + 0.4 * np.sin(x * (c + 1) + y) for c in range(channels)]
    return np.stack(planes).astype(np.float32)


@pytest.mark.parametrize("subsampling", ["4:4:4", "4:2:2", "4:2:0"])
@pytest.mark.parametrize("quality", [10, 75, 95])
def test_color_jpeg_is_pillows(quality, subsampling) -> None:
    image = smooth()
    codes = np.rint(image * 255).astype(np.uint8).transpose(1, 2, 0)
    buffer = io.BytesIO()
    Image.fromarray(codes).save(buffer, "JPEG", quality=quality, subsampling=subsampling)
    with Image.open(buffer) as encoded:
        assert encoded.layer[0][1:3] == {"4:4:4": (1, 1), "4:2:2": (2, 1), "4:2:0": (2, 2)}[subsampling]
        expected = np.asarray(encoded)
    result = Jpeg(quality=quality, subsampling=subsampling).apply(image, RNG)
    np.testing.assert_array_equal(np.rint(result * 255), expected.transpose(2, 0, 1))


def test_gray_stays_gray() -> None:
    image = smooth(1)
    buffer = io.BytesIO()
    Image.fromarray(np.rint(image[0] * 255).astype(np.uint8)).save(buffer, "JPEG", quality=20)
    result = Jpeg(quality=20).apply(image, RNG)
    assert result.shape == image.shape
    with Image.open(buffer) as encoded:
        np.testing.assert_array_equal(np.rint(result[0] * 255), np.asarray(encoded))


def test_less_quality_is_worse_and_values_outside_are_clipped() -> None:
    image = smooth()
    errors = [np.abs(Jpeg(quality=q).apply(image, RNG) - image).mean() for q in (95, 50, 20, 5)]
    assert errors == sorted(errors)
    wild = Jpeg(quality=90).apply(image * 3 - 1, RNG)
    assert wild.min() >= 0
    assert wild.max() <= 1


def test_too_large_for_jpeg_is_an_error_of_the_image() -> None:
    with pytest.raises(ImageError, match="too large"):
        Jpeg().apply(np.zeros((1, 1, 65501), np.float32), RNG)


@pytest.mark.data
@pytest.mark.parametrize("factor", [2, 3, 4])
def test_reduction_is_matlabs(reference_folder, factor) -> None:
    with np.load(reference_folder / "matlab_bicubic.npz") as stored:
        image = np.ascontiguousarray(stored["input"].transpose(2, 0, 1))
        expected = stored[f"down{factor}"].transpose(2, 0, 1)
    np.testing.assert_allclose(Downscale(factor=factor).apply(image, RNG), expected, atol=5e-7)


def test_the_cubic_kernel() -> None:
    """Keys' conditions: 1 at 0, 0 at 1 and 2, and every shift sums to 1."""
    np.testing.assert_allclose(cubic(np.array([0.0, 1.0, 2.0, 2.5, -1.0])), [1, 0, 0, 0, 0], atol=1e-12)
    assert cubic(np.array([0.5]))[0] == pytest.approx(0.5625)
    for shift in np.linspace(0, 1, 11):
        assert cubic(np.arange(-3, 4) + shift).sum() == pytest.approx(1)


@settings(max_examples=25, deadline=None)
@given(factor=st.integers(2, 8), height=st.integers(8, 40), width=st.integers(8, 40), value=st.floats(-1, 2))
def test_flat_images_stay_flat_and_sides_are_cut_to_multiples(factor, height, width, value) -> None:
    result = Downscale(factor=factor).apply(np.full((1, height, width), value, np.float32), RNG)
    assert result.shape == (1, height // factor, width // factor)
    np.testing.assert_allclose(result, np.float32(value), atol=1e-6)


def test_what_is_cut_off_does_not_matter() -> None:
    image = smooth(3, 26, 31)
    step = Downscale(factor=4)
    np.testing.assert_array_equal(step.apply(image, RNG), step.apply(image[:, :24, :28], RNG))


def test_a_ramp_stays_a_ramp_inside() -> None:
    ramp = np.tile(np.arange(64, dtype=np.float32), (8, 1))[None]
    result = Downscale(factor=2).apply(ramp, RNG)[0, 2, 4:-4]
    np.testing.assert_allclose(result, np.arange(8, 56, 2) + 0.5, atol=1e-4)
