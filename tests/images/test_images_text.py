"""What files say in words, and PNG's own words on colors: carried on, or named as lost."""

from __future__ import annotations

import struct
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from restorecli.images.decoded import DamagedImageError
from restorecli.images.image import FileTraits, ImageData
from restorecli.images.png_chunks import TEXT_KINDS, comment_chunk, comment_of, make_chunk, names_other_colors
from restorecli.images.reading import read_image
from restorecli.images.writing import write_image

GAMMA = (b"gAMA", struct.pack(">I", 100_000))
SRGB = (b"sRGB", b"\x00")
PLAIN = (b"tEXt", b"Title\x00A tile\xe9")
PACKED = (b"zTXt", b"Software\x00\x00" + zlib.compress(b"a program"))
WORLD = (b"iTXt", "Author\x00\x00\x00fr\x00Auteur\x00写真".encode())


def png_with(*chunks: tuple[bytes, bytes], depth: int = 8) -> bytes:
    header = struct.pack(">IIBBBBB", 5, 4, depth, 2, 0, 0, 0)
    rows = (b"\x00" + bytes(5 * 3 * depth // 8)) * 4
    parts = [(b"IHDR", header), *chunks, (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(make_chunk(*part) for part in parts)


def traits_of(path) -> FileTraits:
    return read_image(path).traits


@pytest.mark.parametrize("depth", [8, 16])
def test_text_and_colors_of_a_png_come_back_byte_for_byte(tmp_path, depth):
    chunks = (GAMMA, PLAIN, PACKED, WORLD, PLAIN)
    (tmp_path / "a.png").write_bytes(png_with(*chunks, depth=depth))
    loaded = read_image(tmp_path / "a.png")
    assert (loaded.traits.chunks, loaded.traits.notes) == (chunks, ())
    assert write_image(tmp_path / "b.png", loaded) == ()
    assert traits_of(tmp_path / "b.png").chunks == chunks
    with Image.open(tmp_path / "b.png") as image:  # another reader
        image.load()
        assert image.info["gamma"] == 1.0
        assert (image.text["Title"], image.text["Software"]) == ("A tile\xe9", "a program")
        assert (image.text["Author"], image.text["Author"].lang) == ("写真", "fr")


def test_text_that_stands_behind_the_pixels_is_found(tmp_path):
    info = PngImagePlugin.PngInfo()
    info.add(b"tEXt", b"Late\x00text", after_idat=True)
    Image.new("RGB", (5, 4)).save(tmp_path / "a.png", pnginfo=info)
    assert traits_of(tmp_path / "a.png").chunks == ((b"tEXt", b"Late\x00text"),)


@pytest.mark.parametrize("comment", [b"hello", "h\xe9llo 写真".encode(), b"latin \xe9", b"x" * 65_533])
def test_a_jpegs_comment_travels_to_png_and_back(tmp_path, comment):
    Image.new("RGB", (5, 4)).save(tmp_path / "a.jpg", comment=comment)
    loaded = read_image(tmp_path / "a.jpg")
    assert write_image(tmp_path / "b.png", loaded) == ()
    again = read_image(tmp_path / "b.png")
    assert again.traits.chunks == loaded.traits.chunks != ()
    assert write_image(tmp_path / "c.jpg", again) == ()
    with Image.open(tmp_path / "c.jpg") as image:
        assert image.info["comment"] == comment
    with Image.open(tmp_path / "b.png") as image:
        wanted = comment.decode() if comment != b"latin \xe9" else "latin \xe9"
        assert image.text["Comment"] == wanted


@given(st.binary(min_size=1, max_size=200))
@settings(max_examples=60, deadline=None)
def test_any_comment_makes_a_text_chunk_that_gives_it_back(comment):
    kind, payload = comment_chunk(comment)
    assert kind in TEXT_KINDS
    assert comment_of([(kind, payload)]) == comment.rstrip(b"\x00").replace(b"\x00", b" ")


@given(st.sampled_from(sorted(TEXT_KINDS)), st.binary(max_size=30))
@settings(max_examples=60, deadline=None)
def test_damaged_text_costs_no_image_that_could_be_read(tmp_path_factory, kind, rest):
    folder = tmp_path_factory.mktemp("text")
    chunk = (kind, b"Comment\x00" + rest)
    (folder / "a.png").write_bytes(png_with(chunk, depth=16))
    try:
        image = read_image(folder / "a.png")
    except DamagedImageError:
        if kind != b"zTXt":  # whose way of packing Pillow insists on
            raise
        return
    assert image.traits.chunks == (chunk,)
    write_image(folder / "b.jpg", image)
    write_image(folder / "b.png", image)


def test_text_that_a_format_cannot_hold_is_named(tmp_path):
    traits = FileTraits(chunks=(PLAIN, comment_chunk(b"hello"), SRGB))
    image = ImageData(np.zeros((3, 4, 5), np.float32), traits)
    for name in ("jpg", "tif", "webp", "bmp", "ppm"):
        losses = write_image(tmp_path / f"x.{name}", image)
        assert any("does not hold all the text of the image" in loss for loss in losses)
    only = ImageData(image.pixels, FileTraits(chunks=(comment_chunk(b"hello"), SRGB)))
    assert write_image(tmp_path / "x.jpg", only) == ()
    long = ImageData(image.pixels, FileTraits(chunks=(comment_chunk(b"x" * 65_534),)))
    assert write_image(tmp_path / "y.jpg", long)[0] == "JPEG holds no comment of this size"


@pytest.mark.parametrize(
    ("chunks", "others"),
    [
        ((), False),
        ((SRGB,), False),
        ((GAMMA,), True),
        ((GAMMA, SRGB), False),
        (((b"gAMA", struct.pack(">I", 45_455)),), False),
        (((b"cICP", b"\x0c\x0d\x00\x01"), SRGB), True),
        ((PLAIN,), False),
    ],
)
def test_colors_other_than_srgb_are_named_as_lost(tmp_path, chunks, others):
    assert names_other_colors(chunks) is others
    image = ImageData(np.zeros((3, 4, 5), np.float32), FileTraits(chunks=chunks))
    losses = write_image(tmp_path / "x.tif", image)
    assert any("color space" in loss for loss in losses) is others


def test_a_raw_profile_is_left_out_with_words(tmp_path):
    """ImageMagick's copy of EXIF would tell viewers to turn pixels that stand upright."""
    raw = (b"zTXt", b"Raw profile type exif\x00\x00" + zlib.compress(b"\nexif\n       0\n"))
    (tmp_path / "a.png").write_bytes(png_with(PLAIN, raw, depth=16))
    traits = traits_of(tmp_path / "a.png")
    assert traits.chunks == (PLAIN,)
    assert traits.notes == ("a raw profile in a text chunk is not carried on",)
