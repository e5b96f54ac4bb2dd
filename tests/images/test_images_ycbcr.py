"""YCbCr TIFF: converted by the file's own coefficients, as libtiff does."""

from __future__ import annotations

import io

import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image
from skimage import color, data

from restorecli.errors import ImageError
from restorecli.images.options import ReadOptions
from restorecli.images.reading import probe, read_image
from restorecli.images.stacks import open_stack
from restorecli.images.tiff_ycbcr import to_rgb

RGB = data.astronaut()[40:103, 60:141]
BT709 = (2126, 10000, 7152, 10000, 722, 10000)
STUDIO = (16, 1, 235, 1, 128, 1, 240, 1, 128, 1, 240, 1)


def tagged(coefficients=None, reference=None):
    tags = []
    if coefficients is not None:
        tags.append((529, 5, 3, coefficients, True))
    if reference is not None:
        tags.append((532, 5, 6, reference, True))
    return tags


def ycbcr(shares=(0.299, 0.587, 0.114)):
    """The textbook's forward conversion, full range."""
    rgb = RGB.astype(np.float64)
    luma = rgb @ np.array(shares)
    blue = (rgb[..., 2] - luma) / (2 - 2 * shares[2]) + 128
    red = (rgb[..., 0] - luma) / (2 - 2 * shares[0]) + 128
    return np.clip(np.rint(np.dstack([luma, blue, red])), 0, 255).astype(np.uint8)


def by_libtiff(path):
    """What libtiff makes of it, which Pillow asks for packed files."""
    with Image.open(path) as image:
        assert image.mode == "RGB"
        return np.asarray(image).astype(int)


def read(path):
    image = read_image(path)
    assert any("own coefficients" in note for note in image.traits.notes)
    return np.rint(image.pixels.transpose(1, 2, 0) * 255).astype(int)


@pytest.mark.parametrize("coefficients", [None, BT709])
def test_plain_and_packed_files_agree_with_libtiff(tmp_path, coefficients):
    shares = (0.2126, 0.7152, 0.0722) if coefficients else (0.299, 0.587, 0.114)
    for compression in (None, "lzw", "zlib"):
        tifffile.imwrite(
            tmp_path / "x.tif", ycbcr(shares), photometric="ycbcr", compression=compression, metadata=None,
            extratags=tagged(coefficients),
        )  # fmt: skip
        found = read(tmp_path / "x.tif")
        assert np.abs(found - RGB).max() <= 3  # steps of the differences are wider than those of RGB
        if compression is not None:
            assert np.abs(found - by_libtiff(tmp_path / "x.tif")).max() <= 1
        assert probe(tmp_path / "x.tif").channels == 3


def test_studio_range_agrees_with_scikit_image():
    levels = np.clip(np.rint(color.rgb2ycbcr(RGB)), 0, 255).astype(np.uint8)
    expected = np.rint(np.clip(color.ycbcr2rgb(levels.astype(float)), 0, 1) * 255)
    found = to_rgb(levels, (0.299, 0.587, 0.114), (16, 235, 128, 240, 128, 240))
    assert np.abs(found.astype(int) - expected).max() <= 1 + 2  # 127 of TIFF stands against 127.5 of BT.601


def subsampled(levels: np.ndarray, across: int, down: int, *, packed: bool) -> bytes:
    """A TIFF in two strips whose blocks share their differences, written out by hand."""
    height, width, _ = levels.shape
    rows = 32
    strips = []
    for top in range(0, height, rows):
        part = levels[top : top + rows]
        wide = np.pad(part, ((0, -part.shape[0] % down), (0, -width % across), (0, 0)), mode="edge")
        blocks = wide.reshape(wide.shape[0] // down, down, wide.shape[1] // across, across, 3).swapaxes(1, 2)
        luma = blocks[..., 0].reshape(*blocks.shape[:2], -1)
        shared = blocks[..., 1:].mean(axis=(2, 3)).round().astype(np.uint8)
        strip = np.dstack([luma, shared]).tobytes()
        strips.append(imagecodecs.lzw_encode(strip) if packed else strip)
    stream = io.BytesIO()
    tags = [(530, 3, 2, (across, down), True)]
    placeholder = np.zeros((height, width, 3), np.uint8)
    tifffile.imwrite(stream, placeholder, photometric="rgb", rowsperstrip=rows, metadata=None, extratags=tags)
    data = bytearray(stream.getvalue())
    stream.seek(0)
    with tifffile.TiffFile(stream) as file:
        page = file.pages.first
        data[page.tags[262].valueoffset] = 6
        data[page.tags[259].valueoffset] = 5 if packed else 1
        counts = page.tags[279]
        for number, (strip, place) in enumerate(zip(strips, page.dataoffsets, strict=True)):
            data[place : place + len(strip)] = strip
            size = {3: 2, 4: 4}[int(counts.dtype)]
            start = counts.valueoffset + size * number
            data[start : start + size] = len(strip).to_bytes(size, "little")
    return bytes(data)


@pytest.mark.parametrize(("across", "down"), [(2, 2), (2, 1), (4, 2)])
@pytest.mark.parametrize("packed", [False, True])
def test_fewer_colors_than_luma_agree_with_libtiff(tmp_path, across, down, packed):
    (tmp_path / "x.tif").write_bytes(subsampled(ycbcr(), across, down, packed=packed))
    found = read(tmp_path / "x.tif")
    assert np.median(np.abs(found - RGB)) <= 4
    (tmp_path / "judge.tif").write_bytes(subsampled(ycbcr(), across, down, packed=True))
    assert np.abs(found - by_libtiff(tmp_path / "judge.tif")).max() <= 1


def test_pages_of_ycbcr_are_a_stack(tmp_path):
    with tifffile.TiffWriter(tmp_path / "x.tif") as writer:
        for _ in range(2):
            writer.write(ycbcr(), photometric="ycbcr", metadata=None)
    with open_stack(tmp_path / "x.tif", ReadOptions(frames="all")) as stack:
        for image in stack:
            assert np.abs(np.rint(image.pixels.transpose(1, 2, 0) * 255) - RGB).max() <= 3


def test_jpeg_inside_tiff_is_left_to_its_decoder(tmp_path):
    Image.fromarray(RGB).convert("YCbCr").save(tmp_path / "x.tif", compression="jpeg", quality=95)
    assert not read_image(tmp_path / "x.tif").traits.notes


@pytest.mark.parametrize(("tag", "value"), [(529, (0, 1, 1, 1, 1, 1)), (529, (1, 0) * 3), (532, (5, 1) * 6)])
def test_impossible_coefficients_are_not_believed(tmp_path, tag, value):
    tags = [(tag, 5, len(value) // 2, value, True)]
    tifffile.imwrite(tmp_path / "x.tif", ycbcr(), photometric="ycbcr", metadata=None, extratags=tags)
    assert np.abs(read(tmp_path / "x.tif") - RGB).max() <= 3


def test_cmyk_and_lab_keep_their_refusal(tmp_path):
    Image.new("CMYK", (8, 8)).save(tmp_path / "cmyk.tif")
    Image.new("LAB", (8, 8)).save(tmp_path / "lab.tif")
    for name in ("cmyk.tif", "lab.tif"):
        with pytest.raises(ImageError, match="not processed"):
            read_image(tmp_path / name)
