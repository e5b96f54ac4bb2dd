"""Conversion to sRGB through the profile, judged by Pillow's own transform."""

from __future__ import annotations

import io

import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image, ImageCms

from restorecli.errors import ImageError
from restorecli.images import png
from restorecli.images.image import FileTraits, ImageData
from restorecli.images.options import ReadOptions
from restorecli.images.reading import read_image
from restorecli.images.writing import write_image

WIDE = imagecodecs.cms_profile(
    "rgb",
    whitepoint=[0.3127, 0.3290, 1.0],
    primaries=[0.64, 0.33, 1.0, 0.21, 0.71, 1.0, 0.15, 0.06, 1.0],
    gamma=2.2,
)
"""Adobe RGB (1998) but for the white point's adaptation."""
GRAY = imagecodecs.cms_profile("gray", whitepoint=[0.3127, 0.3290, 1.0], gamma=1.0)


def by_pillow(samples: np.ndarray) -> np.ndarray:
    source = ImageCms.ImageCmsProfile(io.BytesIO(WIDE))
    converted = ImageCms.profileToProfile(Image.fromarray(samples), source, ImageCms.createProfile("sRGB"))
    return np.asarray(converted)


@pytest.fixture
def samples() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (8, 9, 3), dtype=np.uint8)


def test_8_bit_agrees_with_pillow(tmp_path, samples):
    pixels = (samples / 255).astype(np.float32).transpose(2, 0, 1)
    write_image(tmp_path / "x.png", ImageData(pixels, FileTraits(icc=WIDE)))
    plain, converted = (
        read_image(tmp_path / "x.png"),
        read_image(tmp_path / "x.png", ReadOptions(to_srgb=True)),
    )
    assert plain.traits.icc == WIDE
    assert converted.traits.icc is None
    assert converted.traits.notes[-1] == "converted to sRGB"
    expected = by_pillow(samples).transpose(2, 0, 1)
    assert np.abs(expected.astype(int) - samples.transpose(2, 0, 1)).max() > 5  # the profile matters
    assert np.abs(converted.pixels * 255 - expected).max() <= 1.01


@pytest.mark.parametrize("depth", [16, 32])
def test_deeper_samples_agree_with_8_bit_ones_and_keep_their_depth(tmp_path, samples, depth):
    path = tmp_path / ("x.png" if depth == 16 else "x.tif")
    if depth == 16:
        path.write_bytes(png.encode_deep(samples.astype(np.uint16) * 257, icc=WIDE))
    else:
        tifffile.imwrite(path, (samples / 255).astype(np.float32), photometric="rgb", iccprofile=WIDE)
    image = read_image(path, ReadOptions(to_srgb=True))
    assert image.traits.depth == depth
    clipped = np.clip(image.pixels, 0, 1)
    assert np.abs(clipped * 255 - by_pillow(samples).transpose(2, 0, 1)).max() <= 1.01


def test_gray_stays_gray(tmp_path):
    linear = np.array([[0.0, 0.2140, 1.0]], np.float32)  # 0.2140 in linear light is 0.5 in sRGB
    write_image(tmp_path / "x.png", ImageData(linear[np.newaxis], FileTraits(depth=16, icc=GRAY)))
    image = read_image(tmp_path / "x.png", ReadOptions(to_srgb=True))
    assert image.channels == 1
    np.testing.assert_allclose(image.pixels[0, 0], [0, 0.5, 1], atol=0.002)


def test_without_a_profile_nothing_changes(tmp_path, samples):
    Image.fromarray(samples).save(tmp_path / "x.png")
    with_option, without = (
        read_image(tmp_path / "x.png", ReadOptions(to_srgb=True)),
        read_image(tmp_path / "x.png"),
    )
    np.testing.assert_array_equal(with_option.pixels, without.pixels)
    assert with_option.traits.notes == ()


def test_cmyk_with_a_profile_that_is_none_is_refused(tmp_path, samples):
    Image.fromarray(samples).convert("CMYK").save(tmp_path / "x.jpg", icc_profile=b"no profile" * 20)
    with pytest.raises(ImageError, match="CMYK image cannot be used"):
        read_image(tmp_path / "x.jpg", ReadOptions(to_srgb=True))


@pytest.mark.parametrize("icc", [GRAY, WIDE[:200], b"\x00" * 200])
def test_a_profile_that_does_not_fit_is_refused_on_conversion_only(tmp_path, samples, icc):
    Image.fromarray(samples).save(tmp_path / "x.jpg", icc_profile=icc)
    assert read_image(tmp_path / "x.jpg").traits.icc == icc
    with pytest.raises(ImageError, match="profile"):
        read_image(tmp_path / "x.jpg", ReadOptions(to_srgb=True))
