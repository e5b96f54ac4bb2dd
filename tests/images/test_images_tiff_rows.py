"""TIFF by rows: equal to the whole file, whatever its layout; written by tiles, equal to what was given."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from skimage import data

from restorecli.errors import ImageError
from restorecli.images import tiff_rows, tiff_tiles
from restorecli.images.image import FileTraits, ImageData
from restorecli.images.options import ReadOptions
from restorecli.images.reading import read_image
from restorecli.images.tiff_rows import TiffRows
from restorecli.images.tiff_tiles import write_tiff_rows
from restorecli.images.writing import quantize, write_image


@st.composite
def layouts(draw):
    """How a TIFF of 61 x 83 pixels is laid out."""
    dtype = draw(st.sampled_from(["u1", "u2", "f4", "f2"]))
    packed = draw(st.sampled_from([None, "zlib", "lzw", "packbits", "zstd"]))
    kind = draw(
        st.sampled_from(["minisblack", "miniswhite", "rgb"] if dtype[0] == "u" else ["minisblack", "rgb"])
    )
    layout = draw(st.sampled_from([{}, {"rowsperstrip": 7}, {"rowsperstrip": 61}, {"tile": (16, 32)}]))
    return {
        "dtype": dtype,
        "photometric": kind,
        "compression": packed,
        "predictor": draw(st.booleans()) if packed in ("zlib", "lzw", "zstd") and dtype[0] == "u" else None,
        "byteorder": draw(st.sampled_from("<>")),
        "bigtiff": draw(st.booleans()),
        **layout,
    }


def samples_of(dtype: str, channels: int) -> np.ndarray:
    rng = np.random.default_rng(0)
    shape = (61, 83) if channels == 1 else (61, 83, channels)
    if dtype[0] == "f":
        return rng.normal(0.5, 1, shape).astype(dtype)
    return rng.integers(0, np.iinfo(dtype).max, shape, dtype, endpoint=True)


@given(layouts(), st.integers(0, 60), st.integers(1, 61))
@settings(max_examples=60, deadline=None)
def test_rows_are_those_of_the_whole(tmp_path_factory, layout, start, count):
    path = tmp_path_factory.mktemp("rows") / "x.tif"
    settings_ = dict(layout)
    data = samples_of(settings_.pop("dtype"), 3 if layout["photometric"] == "rgb" else 1)
    byteorder, bigtiff = settings_.pop("byteorder"), settings_.pop("bigtiff")
    with tifffile.TiffWriter(path, byteorder=byteorder, bigtiff=bigtiff) as file:
        file.write(data, metadata=None, description="a description", **settings_)
    whole = read_image(path)
    with TiffRows(path) as rows:
        part = rows.read(start, min(start + count, 61))
        assert (rows.size, rows.channels) == (whole.size, whole.channels)
        assert rows.traits.depth == whole.traits.depth
        assert rows.traits.exif == whole.traits.exif is not None
    np.testing.assert_array_equal(part, whole.pixels[:, start : start + count])


@pytest.mark.parametrize("mode", ["RGB", "L", "1"])
@pytest.mark.parametrize("packed", [None, "tiff_adobe_deflate"])
def test_another_programs_files_are_read_alike(tmp_path, mode, packed):
    image = Image.fromarray(samples_of("u1", 3)).convert(mode)
    image.save(tmp_path / "x.tif", compression=packed)
    with TiffRows(tmp_path / "x.tif") as rows:
        np.testing.assert_array_equal(rows.read(3, 60), read_image(tmp_path / "x.tif").pixels[:, 3:60])


@pytest.mark.parametrize("layout", [{"tile": (64, 64)}, {"rowsperstrip": 16}])
@pytest.mark.parametrize("kind", ["rgb", "minisblack"])  # the first is kept as YCbCr
def test_jpeg_inside_tiff_is_read_as_by_libtiff(tmp_path, layout, kind):
    photo = data.astronaut()[:300, :201]
    photo = photo if kind != "minisblack" else photo[..., 1]
    tifffile.imwrite(tmp_path / "x.tif", photo, photometric=kind, compression="jpeg", metadata=None, **layout)
    whole = read_image(tmp_path / "x.tif").pixels
    with TiffRows(tmp_path / "x.tif") as rows:
        np.testing.assert_array_equal(rows.read(37, 190), whole[:, 37:190])
    assert 0 < np.abs(whole[0] - photo.reshape(300, 201, -1)[..., 0] / 255).mean() < 0.05


def cut(pixels: np.ndarray, heights: list[int]) -> list[np.ndarray]:
    ends = [*itertools.accumulate(heights)]
    return [pixels[:, end - height : end] for height, end in zip(heights, ends, strict=True)]


@pytest.mark.parametrize("depth", [8, 16, 32])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("heights", [[300], [1] * 300, [255, 1, 44], [256, 44], [7, 280, 13]])
def test_written_rows_are_those_of_an_image_written_whole(tmp_path, depth, channels, heights):
    pixels = np.random.default_rng(1).normal(0.5, 0.4, (channels, 300, 270)).astype(np.float32)
    exif = some_exif()
    traits = FileTraits(
        "TIFF", depth, icc=None, exif=exif, xmp=b"<x:xmpmeta xmlns:x='adobe:ns:meta/'/>", dpi=(300, 150)
    )
    losses = write_tiff_rows(tmp_path / "rows.tif", iter(cut(pixels, heights)), (300, 270), channels, traits)
    assert losses == write_image(tmp_path / "whole.tif", ImageData(pixels, traits)) == ()
    rows, whole = read_image(tmp_path / "rows.tif"), read_image(tmp_path / "whole.tif")
    np.testing.assert_array_equal(rows.pixels, whole.pixels)
    assert rows.traits == whole.traits
    assert rows.traits.exif is not None
    if depth == 8:  # a reader that we did not write
        with Image.open(tmp_path / "rows.tif") as opened:
            np.testing.assert_array_equal(np.asarray(opened), quantize(pixels, 8))


def some_exif():
    exif = Image.Exif()
    exif[270], exif[315] = "a description", "somebody"
    exif.get_ifd(34665)[36867] = "2026:01:02 03:04:05"
    exif.get_ifd(34853)[1] = "N"
    return b"Exif\x00\x00" + exif.tobytes().removeprefix(b"Exif\x00\x00")


def test_a_file_beyond_four_gigabytes_keeps_its_tags_too(tmp_path, monkeypatch):
    monkeypatch.setattr(tiff_tiles, "_CLASSIC_LIMIT", 1000)
    traits = FileTraits("TIFF", 8, exif=some_exif(), dpi=(300, 300))
    pixels = np.random.default_rng(2).random((3, 40, 50)).astype(np.float32)
    write_tiff_rows(tmp_path / "x.tif", [pixels], (40, 50), 3, traits)
    assert (tmp_path / "x.tif").read_bytes()[:4] == b"II+\x00"
    again = read_image(tmp_path / "x.tif")
    assert np.abs(again.pixels - pixels).max() <= 0.5 / 255 + 1e-6
    with Image.open(tmp_path / "x.tif") as image:
        tags = image.getexif()
        assert (tags[270], tags[315]) == ("a description", "somebody")
        assert tags.get_ifd(34665)[36867] == "2026:01:02 03:04:05"
    write_image(tmp_path / "classic.tif", again)
    assert read_image(tmp_path / "classic.tif").traits.exif == again.traits.exif is not None


WHOLE_ONLY = {
    "alpha": ({"photometric": "rgb", "extrasamples": ["unassalpha"]}, (20, 30, 4), "alpha"),
    "apart": ({"photometric": "rgb", "planarconfig": "separate"}, (3, 20, 30), "apart"),
    "turned": ({"photometric": "rgb", "extratags": [(274, 3, 1, 6, True)]}, (20, 30, 3), "turns"),
}


@pytest.mark.parametrize(("how", "shape", "word"), WHOLE_ONLY.values(), ids=WHOLE_ONLY)
def test_what_can_only_be_read_whole_is_refused_with_the_reason(tmp_path, how, shape, word):
    tifffile.imwrite(tmp_path / "x.tif", np.zeros(shape, np.uint8), metadata=None, **how)
    with pytest.raises(ImageError, match=word):
        TiffRows(tmp_path / "x.tif")


def test_one_large_compressed_piece_is_refused_but_an_open_one_is_not(tmp_path, monkeypatch):
    monkeypatch.setattr(tiff_rows, "decoding_budget", lambda: 4 * 59 * 80)
    data = samples_of("u1", 1)
    for name, packed in (("packed.tif", "zlib"), ("open.tif", None)):
        tifffile.imwrite(tmp_path / name, data, compression=packed, rowsperstrip=61, metadata=None)
    with pytest.raises(ImageError, match="pieces"):
        TiffRows(tmp_path / "packed.tif")
    with TiffRows(tmp_path / "open.tif") as rows:
        np.testing.assert_array_equal(rows.read(10, 20)[0] * 255, data[10:20])


def test_a_conversion_of_colors_needs_the_whole(tmp_path):
    tifffile.imwrite(tmp_path / "x.tif", samples_of("u1", 3), photometric="rgb", metadata=None)
    with pytest.raises(ImageError, match="sRGB"):
        TiffRows(tmp_path / "x.tif", ReadOptions(to_srgb=True))


@pytest.mark.parametrize("packed", [None, "zlib"])
def test_a_file_cut_short_fails_at_its_end_only(tmp_path, packed):
    path = tmp_path / "x.tif"
    tifffile.imwrite(
        path, samples_of("u1", 3), photometric="rgb", compression=packed, rowsperstrip=5, metadata=None
    )
    whole = read_image(path).pixels
    with tifffile.TiffFile(path) as file:
        last = file.pages.first.dataoffsets[-1]
    path.write_bytes(path.read_bytes()[: last + 3])
    with TiffRows(path) as rows:
        np.testing.assert_array_equal(rows.read(0, 50), whole[:, :50])
        with pytest.raises(ImageError, match="damaged"):
            rows.read(50, 61)


def test_no_tiff_is_no_rows(tmp_path):
    (tmp_path / "x.tif").write_bytes(b"II*\x00 nothing")
    with pytest.raises(ImageError, match="damaged"):
        TiffRows(tmp_path / "x.tif")


def test_values_that_are_not_finite_are_refused_where_they_stand(tmp_path):
    data = samples_of("f4", 1)
    data[40, 5] = np.nan
    tifffile.imwrite(tmp_path / "x.tif", data, rowsperstrip=8, metadata=None)
    with TiffRows(tmp_path / "x.tif", ReadOptions(range="type")) as rows:
        rows.read(0, 40)
        with pytest.raises(ImageError, match="not finite"):
            rows.read(33, 50)
    with pytest.raises(ImageError, match="not finite"):
        TiffRows(tmp_path / "x.tif")


def test_a_full_disk_is_seen_before_anything_is_computed(tmp_path):
    def never():
        raise AssertionError("computed")
        yield

    with pytest.raises(ImageError, match="no room") as caught:
        write_tiff_rows(tmp_path / "x.tif", never(), (1 << 30, 1 << 30), 3, FileTraits("TIFF"))
    assert list(tmp_path.iterdir()) == []
    assert "bytes" in caught.value.expected


def test_rows_that_fail_leave_nothing_behind(tmp_path):
    def bands():
        yield np.zeros((1, 300, 20), np.float32)
        raise ImageError("the rest is damaged")

    with pytest.raises(ImageError, match="rest"):
        write_tiff_rows(tmp_path / "x.tif", bands(), (600, 20), 1, FileTraits("TIFF"))
    assert list(tmp_path.iterdir()) == []
