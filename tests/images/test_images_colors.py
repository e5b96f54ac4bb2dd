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


def lab_of(samples):
    """8-bit CIELAB under D50 by the formulas of CIE 15 and the sRGB matrix adapted to D50 (Lindbloom)."""
    matrix = [
        [0.4360747, 0.3850649, 0.1430804],
        [0.2225045, 0.7168786, 0.0606169],
        [0.0139322, 0.0971045, 0.7141733],
    ]
    values = samples / 255
    linear = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    x, y, z = np.moveaxis(linear @ np.transpose(matrix) / [0.96422, 1, 0.82521], -1, 0)
    fx, fy, fz = (np.where(t > 216 / 24389, np.cbrt(t), (24389 / 27 * t + 16) / 116) for t in (x, y, z))
    light, a, b = 116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)
    signed = (np.rint(part).astype(np.int8).view(np.uint8) for part in (a, b))
    return np.stack([np.rint(light * 2.55).astype(np.uint8), *signed], axis=-1)


def test_lab_is_refused_with_the_way_in_and_converted_on_request(tmp_path, samples):
    muted = samples // 2 + 64  # whole numbers of a and b leave several levels open in saturated colors
    tifffile.imwrite(tmp_path / "x.tif", lab_of(muted), photometric="cielab")
    with pytest.raises(ImageError, match="LAB") as caught:
        read_image(tmp_path / "x.tif")
    assert "--to-srgb" in str(caught.value.hint)
    image = read_image(tmp_path / "x.tif", ReadOptions(to_srgb=True))
    assert any("Lab converted" in note for note in image.traits.notes)
    off = np.abs(image.pixels * 255 - muted.transpose(2, 0, 1))
    assert off.mean() < 0.7
    assert off.max() <= 4


@pytest.mark.parametrize("icc", [GRAY, WIDE[:200], b"\x00" * 200])
def test_a_profile_that_does_not_fit_is_refused_on_conversion_only(tmp_path, samples, icc):
    Image.fromarray(samples).save(tmp_path / "x.jpg", icc_profile=icc)
    assert read_image(tmp_path / "x.jpg").traits.icc == icc
    with pytest.raises(ImageError, match="profile"):
        read_image(tmp_path / "x.jpg", ReadOptions(to_srgb=True))
