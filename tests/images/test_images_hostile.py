"""Files whose metadata lie: whatever their tags and chunks hold, an image or an `ImageError` comes."""

from __future__ import annotations

import contextlib
import io
import struct
import zlib

import numpy as np
import pytest
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from restorecli.errors import ImageError
from restorecli.images.image import ImageData
from restorecli.images.options import ReadOptions
from restorecli.images.png_chunks import make_chunk
from restorecli.images.reading import probe, read_image
from restorecli.images.tiff_rows import TiffRows
from restorecli.images.writing import write_image

ICC, XMP, ORIENTATION = 34675, 700, 274
TAGS = (270, 274, 282, 283, 296, 305, 306, 315, 340, 341, 280, 281, 700, 33432, 34665, 34675, 34853, 37724)
BYTE, ASCII, SHORT, LONG, RATIONAL, UNDEFINED, FLOAT, DOUBLE = 1, 2, 3, 4, 5, 7, 11, 12
SIZES = {BYTE: 1, ASCII: 1, SHORT: 2, LONG: 4, RATIONAL: 8, UNDEFINED: 1, FLOAT: 4, DOUBLE: 8}
EVERY_WAY = (
    ReadOptions(),
    ReadOptions(to_srgb=True),
    ReadOptions(allow_truncated=True, to_srgb=True, frames="first"),
)

pytestmark = pytest.mark.filterwarnings("ignore")  # as in a user's program, where warnings are no errors

hostile = settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def tiff_with(tags: dict[int, tuple[int, int, bytes]], dtype: type = np.uint8, channels: int = 3) -> bytes:
    """A TIFF of 4 x 5 pixels with further tags, written out by hand: tag -> (type, count, value bytes)."""
    samples = np.full((4, 5, channels), 100, dtype)
    bits = np.full(channels, 8 * samples.dtype.itemsize, np.uint16)
    kinds = np.full(channels, 3 if samples.dtype.kind == "f" else 1, np.uint16)
    pixels = samples.tobytes()

    def short(value: int) -> tuple[int, int, bytes]:
        return SHORT, 1, struct.pack("<H", value)

    fields = {
        256: short(5),
        257: short(4),
        258: (SHORT, channels, bits.tobytes()),
        259: short(1),
        262: short(2 if channels == 3 else 1),
        273: (LONG, 1, struct.pack("<I", 8)),
        277: short(channels),
        278: short(4),
        279: (LONG, 1, struct.pack("<I", len(pixels))),
        339: (SHORT, channels, kinds.tobytes()),
    } | tags
    start = 8 + len(pixels)
    tail_start = start + 2 + 12 * len(fields) + 4
    directory, tail = struct.pack("<H", len(fields)), b""
    for tag, (kind, count, value) in sorted(fields.items()):
        if len(value) > 4:
            place = struct.pack("<I", tail_start + len(tail))
            tail += value + bytes(len(value) % 2)
            value = place
        directory += struct.pack("<HHI", tag, kind, count) + value.ljust(4, b"\x00")
    return b"II*\x00" + struct.pack("<I", start) + pixels + directory + bytes(4) + tail


def looked_at(path, options: ReadOptions) -> None:
    """Read a file in every way; what comes is a sound image that every format takes, or an `ImageError`."""
    image = None
    with contextlib.suppress(ImageError):
        image = read_image(path, options, budget=1 << 26)
    if image is None:
        return
    assert_sound(image)
    for suffix in (".png", ".jpg", ".tif", ".webp", ".bmp", ".ppm"):
        target = path.parent / f"written{suffix}"
        write_image(target, image)
        assert read_image(target).size == image.size


def assert_sound(image: ImageData) -> None:
    traits = image.traits
    for block in (traits.icc, traits.exif, traits.xmp):
        assert block is None or (type(block) is bytes and 0 < len(block) < 1 << 20)
    assert traits.dpi is None or (len(traits.dpi) == 2 and all(type(value) is float for value in traits.dpi))
    assert all(type(kind) is bytes and type(payload) is bytes for kind, payload in traits.chunks)
    assert np.isfinite(image.pixels).all()


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize(
    "value",
    [
        (ASCII, 6, b"hello\x00"),
        (LONG, 1, struct.pack("<I", 4_000_000_000)),  # as a number of bytes to make, it would be a bomb
        (SHORT, 3, struct.pack("<HHH", 1, 2, 3)),
        (DOUBLE, 2, struct.pack("<dd", 1e300, float("nan"))),
        (RATIONAL, 1, struct.pack("<II", 1, 0)),
    ],
    ids=["text", "a number", "numbers", "doubles", "a fraction"],
)
@pytest.mark.parametrize("tag", [ICC, XMP])
def test_a_tag_that_is_no_bytes_costs_that_tag_and_is_told(tmp_path, dtype, value, tag):
    path = tmp_path / "x.tif"
    path.write_bytes(tiff_with({tag: value}, dtype))
    for options in EVERY_WAY:
        looked_at(path, options)
        if tag == XMP and dtype == np.uint8:
            continue  # Pillow itself refuses such a file
        image = read_image(path, options)
        assert image.traits.icc is None
        assert image.traits.xmp is None
        assert any("left out" in note for note in image.traits.notes), image.traits.notes


def test_a_profile_of_nonsense_costs_one_file_and_only_where_it_is_used(tmp_path):
    path = tmp_path / "x.tif"
    path.write_bytes(tiff_with({ICC: (UNDEFINED, 200, bytes(16) + b"RGB " + bytes(180))}))
    assert len(read_image(path).traits.icc or b"") == 200
    with pytest.raises(ImageError, match="ICC profile"):
        read_image(path, ReadOptions(to_srgb=True))


_tag_values = st.sampled_from(sorted(SIZES)).flatmap(
    lambda kind: st.tuples(st.just(kind), st.integers(0, 9)).flatmap(
        lambda chosen: st.tuples(
            st.just(chosen[0]),
            st.sampled_from([chosen[1], chosen[1], chosen[1], 2**31]),
            st.binary(min_size=SIZES[chosen[0]] * chosen[1], max_size=SIZES[chosen[0]] * chosen[1]),
        )
    )
)


@hostile
@given(
    tags=st.dictionaries(st.sampled_from(TAGS), _tag_values, max_size=4),
    dtype=st.sampled_from([np.uint8, np.uint16, np.float32]),
    channels=st.sampled_from([1, 3]),
    options=st.sampled_from(EVERY_WAY),
)
def test_tiff_tags_of_any_type_and_count(tmp_path, tags, dtype, channels, options):
    path = tmp_path / "x.tif"
    path.write_bytes(tiff_with(tags, dtype, channels))
    looked_at(path, options)
    with contextlib.suppress(ImageError):
        probe(path)
    with contextlib.suppress(ImageError), TiffRows(path):
        pass


@hostile
@given(
    kind=st.sampled_from(
        b"iCCP eXIf pHYs tEXt zTXt iTXt gAMA cHRM sRGB cICP sBIT acTL tRNS bKGD tIME fcTL".split()
    ),
    payload=st.one_of(
        st.binary(max_size=40),
        st.sampled_from([b"XML:com.adobe.xmp\x00", b"Comment\x00", b"Raw profile type exif\x00"]),
    ),
    more=st.binary(max_size=40),
    packed=st.booleans(),
    deep=st.booleans(),
    options=st.sampled_from(EVERY_WAY),
)
def test_png_chunks_of_any_content(tmp_path, kind, payload, more, packed, deep, options):
    samples = np.full((4, 5), 1000 if deep else 100, np.uint16 if deep else np.uint8)
    stream = io.BytesIO()
    Image.fromarray(samples).save(stream, "PNG")
    data = stream.getvalue()
    chunk = make_chunk(kind, payload + (zlib.compress(more) if packed else more))
    path = tmp_path / "x.png"
    path.write_bytes(data[:33] + chunk + data[33:])
    looked_at(path, options)
    with contextlib.suppress(ImageError):
        probe(path)


@hostile
@given(
    marker=st.sampled_from([0xE0, 0xE1, 0xE2, 0xED, 0xEE, 0xFE]),
    head=st.sampled_from(
        [
            b"",
            b"JFIF\x00",
            b"Exif\x00\x00",
            b"http://ns.adobe.com/xap/1.0/\x00",
            b"ICC_PROFILE\x00\x01\x01",
            b"MPF\x00",
            b"Photoshop 3.0\x00",
        ]
    ),
    rest=st.binary(max_size=40),
    options=st.sampled_from(EVERY_WAY),
)
def test_jpeg_segments_of_any_content(tmp_path, marker, head, rest, options):
    stream = io.BytesIO()
    Image.fromarray(np.full((8, 8, 3), 100, np.uint8)).save(stream, "JPEG")
    data = stream.getvalue()
    segment = struct.pack(">BBH", 0xFF, marker, 2 + len(head) + len(rest)) + head + rest
    path = tmp_path / "x.jpg"
    path.write_bytes(data[:2] + segment + data[2:])
    looked_at(path, options)


@hostile
@given(
    icc=st.binary(min_size=1, max_size=40),
    exif=st.binary(min_size=1, max_size=40),
    xmp=st.binary(min_size=1, max_size=40),
    options=st.sampled_from(EVERY_WAY),
)
def test_webp_blocks_of_any_content(tmp_path, icc, exif, xmp, options):
    path = tmp_path / "x.webp"
    image = Image.fromarray(np.full((4, 5, 3), 100, np.uint8))
    image.save(path, "WEBP", lossless=True, icc_profile=icc, exif=exif, xmp=xmp)
    looked_at(path, options)


def test_one_hostile_file_does_not_end_the_reading_of_tifffile_made_ones(tmp_path):
    """The way the fault was found: a profile as text, written by an ordinary library."""
    path = tmp_path / "x.tif"
    tag = (ICC, ASCII, 5, "hello", True)
    tifffile.imwrite(path, np.zeros((4, 5, 3), np.uint8), photometric="rgb", extratags=[tag])
    assert read_image(path, ReadOptions(to_srgb=True)).size == (4, 5)
