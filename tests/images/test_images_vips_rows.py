"""PNG and JPEG by rows: the samples and traits that reading the whole gives, and what is refused."""

from __future__ import annotations

import io
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin
from PIL.ImageCms import ImageCmsProfile, createProfile

from restorecli.errors import ImageError
from restorecli.images.image import FileTraits, ImageData
from restorecli.images.options import ReadOptions
from restorecli.images.png_rows import write_png_rows
from restorecli.images.reading import read_image
from restorecli.images.rows import open_rows
from restorecli.images.writing import write_image

vips = pytest.mark.skipif(find_spec("pyvips") is None, reason="libvips is not installed")

PHOTO = np.random.default_rng(0).integers(0, 256, (23, 37, 3), np.uint8).repeat(9, 0).repeat(7, 1)
ICC = ImageCmsProfile(createProfile("sRGB")).tobytes()


def exif(orientation: int = 1) -> bytes:
    block = Image.Exif()
    block[0x010E] = "a scan"
    block[0x0112] = orientation
    return block.tobytes()


def text() -> PngImagePlugin.PngInfo:
    info = PngImagePlugin.PngInfo()
    info.add_text("Title", "façade", zip=True)
    info.add_itxt("XML:com.adobe.xmp", "<x:xmpmeta xmlns:x='adobe:ns:meta/'/>")
    return info


def files(folder: Path) -> dict[str, Path]:
    gray = Image.fromarray(PHOTO[..., 0])
    photo = Image.fromarray(PHOTO)
    made = {
        name: folder / name for name in ("rgb.png", "gray.png", "deep.png", "rgb.jpg", "gray.jpg", "a.jpg")
    }
    photo.save(made["rgb.png"], icc_profile=ICC, exif=exif(), dpi=(300, 300), pnginfo=text())
    gray.save(made["gray.png"])
    deep = np.random.default_rng(1).random((3, *PHOTO.shape[:2]), np.float32)
    write_image(made["deep.png"], ImageData(deep, FileTraits(depth=16, icc=ICC, exif=exif(), dpi=(72, 72))))
    photo.save(made["rgb.jpg"], quality=80, icc_profile=ICC, exif=exif(), dpi=(300, 300), comment=b"hello")
    gray.save(made["gray.jpg"], quality=60)
    photo.save(made["a.jpg"], quality=95, subsampling=0, restart_marker_rows=2)
    return made


def in_passes(path: Path) -> Path:
    """Write an image once more, interlaced or progressive."""
    import pyvips

    anew = path.with_stem(f"{path.stem}-in-passes")
    pyvips.Image.new_from_file(str(path)).write_to_file(str(anew), interlace=True)
    return anew


@vips
@pytest.mark.parametrize("again", [False, True])
@pytest.mark.parametrize("name", ["rgb.png", "gray.png", "deep.png", "rgb.jpg", "gray.jpg", "a.jpg"])
def test_rows_are_those_of_the_whole(tmp_path, name, again) -> None:
    path = files(tmp_path)[name]
    if again:
        path = in_passes(path)
    whole = read_image(path)
    with open_rows(path) as rows:
        assert (rows.channels, *rows.size) == whole.pixels.shape
        assert rows.traits == whole.traits
        height = rows.size[0]
        for _ in range(2):  # the second time begins at the top again
            for start in range(0, height, 50):
                first, stop = max(start - 20, 0), min(start + 50, height)
                np.testing.assert_array_equal(rows.read(first, stop), whole.pixels[:, first:stop])
        np.testing.assert_array_equal(rows.read(100, 110), whole.pixels[:, 100:110])


@vips
def test_a_file_that_was_written_anew_is_read_anew(tmp_path) -> None:
    for color in (10, 200):
        Image.new("L", (70, 300), color).save(tmp_path / "x.png")
        with open_rows(tmp_path / "x.png") as rows:
            assert np.all(rows.read(0, 300) * 255 == color)


@vips
@pytest.mark.parametrize("again", [False, True])
@pytest.mark.parametrize("name", ["rgb.png", "deep.png", "rgb.jpg"])
@pytest.mark.parametrize("share", [0.3, 0.9])
def test_a_file_that_is_cut_short_is_refused(tmp_path, name, share, again) -> None:
    path = files(tmp_path)[name]
    if again:
        path = in_passes(path)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(ImageError, match="damaged or cut short") as caught, open_rows(path) as rows:
        rows.read(0, rows.size[0])
    assert caught.value.file == str(path)


@vips
def test_a_png_with_a_wrong_check_sum_is_refused(tmp_path) -> None:
    path = files(tmp_path)["gray.png"]
    data = bytearray(path.read_bytes())
    data[data.index(b"IDAT") + 400] ^= 255
    path.write_bytes(data)
    with pytest.raises(ImageError, match="damaged or cut short"), open_rows(path) as rows:
        rows.read(0, rows.size[0])


@vips
@pytest.mark.parametrize(
    ("name", "image", "how", "reason"),
    [
        ("x.png", "RGBA", {}, "it has alpha"),
        ("x.png", "P", {}, "it has a palette"),
        ("x.png", "1", {}, "fewer than 8 bits"),
        ("x.png", "RGB", {"exif": exif(6)}, "its orientation turns it"),
        ("x.jpg", "RGB", {"exif": exif(6)}, "its orientation turns it"),
        ("x.jpg", "CMYK", {}, "neither gray nor RGB"),
    ],
)
def test_what_can_only_be_read_whole_is_refused(tmp_path, name, image, how, reason) -> None:
    Image.fromarray(PHOTO).convert(image).save(tmp_path / name, **how)
    with pytest.raises(ImageError, match=f"cannot be read by rows: .*{reason}"):
        open_rows(tmp_path / name)


@vips
@pytest.mark.parametrize(
    ("name", "bytes_each", "reason"),
    [("rgb.png", 1, "it is interlaced"), ("rgb.jpg", 2, "it is progressive")],
)
def test_what_comes_in_passes_is_refused_where_these_do_not_fit(
    tmp_path, monkeypatch, name, bytes_each, reason
) -> None:
    path = in_passes(files(tmp_path)[name])
    monkeypatch.setattr("restorecli.images.budget.decoding_budget", lambda: PHOTO.size * bytes_each - 1)
    with pytest.raises(ImageError, match=reason):
        open_rows(path)
    monkeypatch.setattr("restorecli.images.budget.decoding_budget", lambda: PHOTO.size * 2)
    open_rows(path).read(0, 10)


@vips
def test_one_that_is_to_be_converted_is_refused(tmp_path) -> None:
    made = files(tmp_path)
    with pytest.raises(ImageError, match="converted to sRGB"):
        open_rows(made["rgb.png"], ReadOptions(to_srgb=True))


@given(
    st.lists(st.integers(0, 30), min_size=1).filter(any),
    st.integers(1, 40),
    st.sampled_from([1, 3]),
    st.sampled_from([8, 16]),
)
@settings(max_examples=60, deadline=None)
def test_a_png_written_by_rows_is_that_written_whole(
    tmp_path_factory, heights, width, channels, depth
) -> None:
    folder = tmp_path_factory.mktemp("png")
    height = sum(heights)
    pixels = np.random.default_rng(2).random((channels, height, width), np.float32) * 1.2 - 0.1
    icc = ICC if channels == 3 else None
    chunks = ((b"tEXt", b"Title\0x"),)
    traits = FileTraits("PNG", depth=depth, icc=icc, exif=exif(), dpi=(300, 300), chunks=chunks)
    write_image(folder / "whole.png", ImageData(pixels, traits))
    bands = np.split(pixels, np.cumsum(heights)[:-1], axis=1)
    assert write_png_rows(folder / "rows.png", bands, (height, width), channels, traits) == ()
    whole, rows = (read_image(folder / name) for name in ("whole.png", "rows.png"))
    np.testing.assert_array_equal(rows.pixels, whole.pixels)
    assert rows.traits == whole.traits
    with Image.open(io.BytesIO((folder / "rows.png").read_bytes())) as image:
        image.verify()


def test_values_of_other_types_are_no_png(tmp_path) -> None:
    with pytest.raises(ImageError, match="not written to a PNG by rows"):
        write_png_rows(tmp_path / "x.png", [], (4, 4), 1, FileTraits(depth=32, kind="f"))
    assert not list(tmp_path.iterdir())
