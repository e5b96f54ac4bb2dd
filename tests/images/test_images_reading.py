"""Every kind of image file: what it becomes, what is noted, and what is refused with which words."""

from __future__ import annotations

import io
import os
import signal
import struct
import zlib
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image

from restorecli.errors import ImageError, UsageError
from restorecli.folders.walking import walk
from restorecli.images import png
from restorecli.images.decoded import DamagedImageError
from restorecli.images.options import ReadOptions
from restorecli.images.png_chunks import make_chunk
from restorecli.images.reading import probe, read_image
from restorecli.images.stacks import open_stack

RNG_SEED = 7


def noise(shape: tuple[int, ...], dtype: type = np.uint8) -> np.ndarray:
    return np.random.default_rng(RNG_SEED).integers(0, np.iinfo(dtype).max + 1, shape).astype(dtype)


def encoded(image: Image.Image, file_format: str, **settings: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, file_format, **settings)
    return stream.getvalue()


def put(folder: Path, name: str, data: bytes) -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def rgb(height: int = 9, width: int = 7) -> Image.Image:
    return Image.fromarray(noise((height, width, 3)))


def as_chw(image: Image.Image) -> np.ndarray:
    samples = np.asarray(image)
    planes = samples[np.newaxis] if samples.ndim == 2 else samples.transpose(2, 0, 1)
    return (planes / 255).astype(np.float32)


# --- what becomes of it ---


@pytest.mark.parametrize("file_format", ["PNG", "BMP", "TIFF", "PPM"])
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_plain_files_of_pillow(tmp_path, file_format, mode):
    image = rgb().convert(mode)
    loaded = read_image(put(tmp_path, "x.bin", encoded(image, file_format)))
    assert loaded.traits.format == file_format
    assert loaded.traits.notes == ()
    np.testing.assert_array_equal(loaded.pixels, as_chw(image))


def test_content_decides_the_format_and_not_the_suffix(tmp_path):
    path = put(tmp_path, "really-a.png", encoded(rgb(), "BMP"))
    assert read_image(path).traits.format == probe(path).format == "BMP"


def test_palette_becomes_rgb_with_a_note(tmp_path):
    image = rgb().convert("P")
    loaded = read_image(put(tmp_path, "p.png", encoded(image, "PNG")))
    assert loaded.traits.notes == ("palette expanded to RGB",)
    np.testing.assert_array_equal(loaded.pixels, as_chw(image.convert("RGB")))


def test_palette_with_transparency_becomes_rgba_with_a_note(tmp_path):
    image = rgb().convert("P")
    loaded = read_image(put(tmp_path, "p.png", encoded(image, "PNG", transparency=bytes(range(200)))))
    assert loaded.traits.notes == ("palette expanded to RGBA",)
    indices = np.asarray(image)
    assert loaded.traits.alpha is not None
    np.testing.assert_array_equal(loaded.traits.alpha, np.where(indices < 200, indices, 255))


def test_one_bit_becomes_gray_with_a_note(tmp_path):
    image = rgb().convert("1")
    for name, file_format in (("a.png", "PNG"), ("b.tif", "TIFF"), ("c.bmp", "BMP")):
        loaded = read_image(put(tmp_path, name, encoded(image, file_format)))
        assert loaded.traits.notes == ("1-bit samples widened to 8-bit gray",)
        np.testing.assert_array_equal(loaded.pixels[0], np.asarray(image).astype(np.float32))


@pytest.mark.parametrize("bits", [2, 4])
def test_few_bits_of_gray_use_the_whole_range(tmp_path, bits):
    levels = np.arange(2**bits, dtype=np.uint8)
    packed = np.packbits(np.unpackbits(levels[:, None], axis=1)[:, 8 - bits :].ravel())
    header = struct.pack(">IIBBBBB", len(levels), 1, bits, 0, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(b"\x00" + packed.tobytes())), (b"IEND", b"")]
    data = png.SIGNATURE + b"".join(make_chunk(*chunk) for chunk in chunks)
    image = read_image(put(tmp_path, "x.png", data))
    np.testing.assert_allclose(image.pixels[0, 0], levels / (2**bits - 1), atol=1e-7)


@pytest.mark.parametrize("mode", ["LA", "RGBA"])
def test_alpha_of_pillow_files(tmp_path, mode):
    samples = noise((9, 7, 2 if mode == "LA" else 4))
    image = read_image(put(tmp_path, "x.png", encoded(Image.fromarray(samples), "PNG")))
    assert image.channels == (1 if mode == "LA" else 3)
    assert image.traits.alpha is not None
    np.testing.assert_array_equal(image.traits.alpha, samples[..., -1])
    np.testing.assert_array_equal(image.pixels * 255, samples[..., :-1].transpose(2, 0, 1))


def test_a_transparent_color_becomes_alpha_at_8_and_16_bits(tmp_path):
    for dtype, depth in ((np.uint8, 8), (np.uint16, 16)):
        samples = noise((5, 4), dtype)
        key = make_chunk(b"tRNS", struct.pack(">H", int(samples[2, 1])))
        data = imagecodecs.png_encode(samples)
        image = read_image(put(tmp_path, "x.png", data[:33] + key + data[33:]))
        assert image.traits.depth == depth
        assert image.channels == 1
        assert image.traits.alpha is not None
        full = np.iinfo(dtype).max
        np.testing.assert_array_equal(image.traits.alpha, np.where(samples == samples[2, 1], 0, full))


def test_lossless_webp_is_exact(tmp_path):
    image = rgb()
    loaded = read_image(put(tmp_path, "x.webp", encoded(image, "WEBP", lossless=True)))
    np.testing.assert_array_equal(loaded.pixels, as_chw(image))


def test_16_bit_color_png_keeps_its_low_bits(tmp_path):
    """Pillow would return this dark image as black, and others as 8-bit because its maximum is small."""
    dark = noise((9, 7, 3), np.uint16) % 200
    path = put(tmp_path, "x.png", imagecodecs.png_encode(dark))
    image = read_image(path, ReadOptions(range="type"))
    assert image.traits.depth == 16
    np.testing.assert_array_equal(np.round(image.pixels * 65535), dark.transpose(2, 0, 1))


def test_interlaced_16_bit_png(tmp_path):
    samples = noise((9, 7), np.uint16)
    rows = b""
    for left, top, step_x, step_y in png._ADAM7:
        part = samples[top::step_y, left::step_x]
        if part.size:
            rows += b"".join(b"\x00" + row.astype(">u2").tobytes() for row in part)
    header = struct.pack(">IIBBBBB", 7, 9, 16, 0, 0, 0, 1)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    data = png.SIGNATURE + b"".join(make_chunk(*chunk) for chunk in chunks)
    image = read_image(put(tmp_path, "x.png", data))
    np.testing.assert_array_equal(np.round(image.pixels[0] * 65535), samples)
    again = read_image(put(tmp_path, "y.png", data[:-12]), ReadOptions(allow_truncated=True))
    np.testing.assert_array_equal(again.pixels, image.pixels)


@pytest.mark.parametrize("maximum", [1, 15, 255, 1023, 65535])
def test_netpbm_of_any_maximum_plain_and_raw(tmp_path, maximum):
    values = np.random.default_rng(1).integers(0, maximum + 1, (2, 3, 3))
    dtype = np.uint8 if maximum < 256 else ">u2"
    raw = f"P6 # a comment\n3 2\n{maximum}\n".encode() + values.astype(dtype).tobytes()
    plain = f"P3\n3 2 {maximum}\n{' '.join(map(str, values.ravel()))}\n".encode()
    for data in (raw, plain):
        image = read_image(put(tmp_path, "x.ppm", data))
        assert image.traits.depth == (8 if maximum < 256 else 16)
        assert bool(image.traits.notes) == (maximum not in (255, 65535))
        np.testing.assert_allclose(image.pixels, values.transpose(2, 0, 1) / maximum, atol=1e-7)


def test_bitmaps_plain_and_raw(tmp_path):
    image = rgb(5, 11).convert("1")
    raw = encoded(image, "PPM")
    bits = np.where(np.asarray(image), 0, 1)
    plain = b"P1\n11 5\n" + b"\n".join("".join(map(str, row)).encode() for row in bits)
    for data in (raw, plain):
        loaded = read_image(put(tmp_path, "x.pbm", data))
        np.testing.assert_array_equal(loaded.pixels[0], np.asarray(image))


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_floating_point_tiff_keeps_its_values(tmp_path, dtype):
    values = np.random.default_rng(2).normal(0, 3, (5, 4, 3)).astype(dtype)
    tifffile.imwrite(tmp_path / "x.tif", values, photometric="rgb")
    image = read_image(tmp_path / "x.tif")
    assert image.traits.dtype == dtype
    unscaled = read_image(tmp_path / "x.tif", ReadOptions(range="type"))
    np.testing.assert_array_equal(unscaled.pixels, values.astype(np.float32).transpose(2, 0, 1))
    assert not unscaled.traits.notes


def test_32_bit_integers_keep_their_type(tmp_path):
    values = np.array([[0, 2**31, 2**32 - 1]], np.uint32)
    tifffile.imwrite(tmp_path / "x.tif", values)
    image = read_image(tmp_path / "x.tif")
    np.testing.assert_allclose(image.pixels[0, 0], [0, 0.5, 1], atol=1e-7)
    assert image.traits.dtype == np.uint32


def test_white_is_zero_is_inverted(tmp_path):
    values = noise((5, 4), np.uint16)
    tifffile.imwrite(tmp_path / "x.tif", values, photometric="miniswhite")
    image = read_image(tmp_path / "x.tif")
    np.testing.assert_array_equal(np.round(image.pixels[0] * 65535), 65535 - values)
    assert "inverted" in image.traits.notes[0]


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_premultiplied_alpha_is_divided_out(tmp_path, dtype):
    full = np.iinfo(dtype).max
    samples = np.array([[[full // 4, 0, full // 2, full // 2], [0, 0, 0, 0]]], dtype)
    tifffile.imwrite(tmp_path / "x.tif", samples, photometric="rgb", extrasamples=["assocalpha"])
    image = read_image(tmp_path / "x.tif")
    assert "premultiplied alpha divided out" in image.traits.notes
    np.testing.assert_allclose(image.pixels[:, 0, 0], [0.5, 0, 1], atol=1 / full * 2)
    assert image.traits.alpha is not None
    assert image.traits.alpha.tolist() == [[full // 2, 0]]


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_an_extra_channel_of_unknown_meaning_is_carried(tmp_path, dtype):
    samples = noise((5, 4, 4), dtype)
    tifffile.imwrite(tmp_path / "x.tif", samples, photometric="rgb", extrasamples=["unspecified"])
    image = read_image(tmp_path / "x.tif")
    assert any("unspecified" in note for note in image.traits.notes)
    assert image.traits.alpha is not None
    np.testing.assert_array_equal(image.traits.alpha, samples[..., 3])


def test_a_thumbnail_is_no_second_page(tmp_path):
    with tifffile.TiffWriter(tmp_path / "x.tif") as writer:
        writer.write(noise((9, 7, 3)), photometric="rgb")
        writer.write(noise((3, 2, 3)), photometric="rgb", subfiletype=1)
    assert read_image(tmp_path / "x.tif").size == (9, 7)


@pytest.mark.parametrize("below", [True, False])  # copies as directories below the image, and beside it
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_smaller_copies_are_noted(tmp_path, dtype, below):
    with tifffile.TiffWriter(tmp_path / "x.tif") as writer:
        for side in (64, 32, 16):
            kind = {"subifds": 2 * below} if side == 64 else {"subfiletype": 1}
            samples = noise((side, side, 3), dtype)
            writer.write(samples, photometric="rgb", tile=(16, 16), **kind)
    for frames in ("refuse", "all"):
        image = read_image(tmp_path / "x.tif", ReadOptions(frames=frames))
        assert image.size == (64, 64)
        assert image.traits.notes == ("smaller copies (pyramid, thumbnails) are not written",)


def test_the_main_image_of_a_phone_photograph_is_read_with_a_note(tmp_path):
    data = encoded(rgb(), "MPO", save_all=True, append_images=[rgb()])
    image = read_image(put(tmp_path, "x.jpg", data))
    assert image.traits.format == "JPEG"
    assert "multi-image" in image.traits.notes[0]


# --- what is refused ---


def several(file_format: str) -> bytes:
    return encoded(rgb(), file_format, save_all=True, append_images=[rgb().rotate(180)])


@pytest.mark.parametrize("file_format", ["PNG", "WEBP", "TIFF"])
def test_several_images_in_a_file_are_refused_unless_the_first_is_asked_for(tmp_path, file_format):
    path = put(tmp_path, "x", several(file_format))
    with pytest.raises(ImageError, match="several images") as caught:
        read_image(path)
    assert caught.value.hint is not None
    assert "--frames first" in caught.value.hint
    image = read_image(path, ReadOptions(frames="first"))
    assert image.traits.notes == ("first of 2 frames or pages",)
    with pytest.raises(UsageError):
        read_image(path, ReadOptions(frames="last"))


def test_several_pages_of_16_bits(tmp_path):
    tifffile.imwrite(tmp_path / "x.tif", noise((3, 5, 4), np.uint16), photometric="minisblack")
    with pytest.raises(ImageError, match="several images"):
        read_image(tmp_path / "x.tif")
    assert read_image(tmp_path / "x.tif", ReadOptions(frames="first")).size == (5, 4)


def test_a_stream_of_two_netpbm_images_is_refused(tmp_path):
    data = encoded(rgb(), "PPM")
    with pytest.raises(ImageError, match="several images"):
        read_image(put(tmp_path, "x.ppm", data * 2))
    assert read_image(put(tmp_path, "x.ppm", data * 2), ReadOptions(frames="first")).size == (9, 7)


def test_cmyk_is_refused_with_a_hint(tmp_path):
    path = put(tmp_path, "x.jpg", encoded(rgb().convert("CMYK"), "JPEG"))
    with pytest.raises(ImageError, match="CMYK") as caught:
        read_image(path)
    assert caught.value.hint == "--to-srgb converts it"
    image = read_image(path, ReadOptions(to_srgb=True))
    assert image.channels == 3
    assert "plain formula" in image.traits.notes[0]


def test_complex_samples_are_refused(tmp_path):
    tifffile.imwrite(tmp_path / "x.tif", np.ones((4, 4), np.complex64))
    with pytest.raises(ImageError, match="complex"):
        read_image(tmp_path / "x.tif")


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_channels_beyond_alpha_are_refused(tmp_path, dtype):
    kinds = ["unspecified", "unspecified"]
    tifffile.imwrite(tmp_path / "x.tif", noise((5, 4, 5), dtype), photometric="rgb", extrasamples=kinds)
    with pytest.raises(ImageError, match="unusual number of channels"):
        read_image(tmp_path / "x.tif")


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_values_that_are_not_finite_are_refused(tmp_path, value):
    values = np.zeros((4, 4), np.float32)
    values[1, 2] = value
    tifffile.imwrite(tmp_path / "x.tif", values)
    with pytest.raises(ImageError, match="not finite"):
        read_image(tmp_path / "x.tif")


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("zero.png", b"", "empty"),
        ("text.png", b"This is no image", "no image of a format"),
        ("page.jpg", b"<html><body>404</body></html>", "no image of a format"),
        ("layers.psd", b"8BPS" + bytes(20), "no image of a format"),
        ("start.png", png.SIGNATURE, "cannot be read"),
        ("start.tif", b"II*\x00", "damaged or cut short"),
        ("start.ppm", b"P6\n12", "header is damaged"),
        ("start.jpg", b"\xff\xd8\xff", "cannot be read"),
    ],
)
def test_what_is_no_image_is_named(tmp_path, name, data, words):
    path = put(tmp_path, name, data)
    for function in (read_image, probe):
        with pytest.raises(ImageError, match=words) as caught:
            function(path)
        assert caught.value.file == str(path)


def test_a_missing_file_a_folder_and_a_pipe_are_image_errors(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    for name, words in (
        ("missing.png", "cannot be read"),
        ("", "no regular file"),
        ("pipe.png", "no regular file"),
    ):
        for function in (read_image, probe):
            with pytest.raises(ImageError, match=words):
                function(tmp_path / name)


def test_channels_that_are_no_colors_and_single_missing_values_are_refused_with_words(tmp_path):
    tifffile.imwrite(tmp_path / "5.tif", noise((9, 8, 5)), photometric="minisblack", planarconfig="contig")
    with pytest.raises(ImageError, match="--frames all takes every channel"):
        read_image(tmp_path / "5.tif")
    with open_stack(tmp_path / "5.tif", ReadOptions(frames="all")) as stack:
        assert len(stack) == 5
    values = np.ones((9, 8), np.float32)
    values[1, 2] = np.nan
    tifffile.imwrite(tmp_path / "nan.tif", values)
    with pytest.raises(ImageError, match="1 value, NaN or infinite"):
        read_image(tmp_path / "nan.tif")


def test_nobody_waits_at_a_pipe_for_an_image(tmp_path):
    """Listing the folder opened it, and waited for ever for someone who writes into it."""
    os.mkfifo(tmp_path / "pipe.png")
    signal.alarm(20)
    try:
        assert [file.relative.name for file in walk(tmp_path)] == ["pipe.png"]
        assert open_stack(tmp_path / "pipe.png", ReadOptions(frames="all")) is None
    finally:
        signal.alarm(0)


# --- damage ---


def damaged_png(depth: int) -> bytes:
    return bytes(imagecodecs.png_encode(noise((64, 64, 3), np.uint8 if depth == 8 else np.uint16)))


@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize("missing", [1, 4, 8, 12, 13, 200, 5000])
def test_a_png_cut_anywhere_is_refused_by_default(tmp_path, depth, missing):
    path = put(tmp_path, "x.png", damaged_png(depth)[:-missing])
    with pytest.raises(DamagedImageError, match="cut short") as caught:
        read_image(path)
    assert caught.value.hint is not None
    assert "--allow-truncated" in caught.value.hint
    image = read_image(path, ReadOptions(allow_truncated=True))
    assert image.size == (64, 64)
    assert "damaged file" in image.traits.notes[-1]


@pytest.mark.parametrize("depth", [8, 16])
def test_what_is_left_of_a_png_is_right_and_the_rest_is_black(tmp_path, depth):
    whole = damaged_png(depth)
    truth = read_image(put(tmp_path, "whole.png", whole)).pixels
    left = read_image(
        put(tmp_path, "half.png", whole[: len(whole) // 2]), ReadOptions(allow_truncated=True)
    ).pixels
    np.testing.assert_array_equal(left[:, :28], truth[:, :28])
    assert not left[:, 40:].any()


@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize("place", [40, 2000, -13, -5])
def test_one_flipped_bit_in_a_png_is_found(tmp_path, depth, place):
    data = bytearray(damaged_png(depth))
    data[place] ^= 1
    with pytest.raises(DamagedImageError):
        read_image(put(tmp_path, "x.png", bytes(data)))


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("missing", [1, 2, 500])
def test_a_cut_jpeg_is_refused_by_default(tmp_path, progressive, missing):
    data = encoded(rgb(64, 64), "JPEG", progressive=progressive)
    path = put(tmp_path, "x.jpg", data[:-missing])
    with pytest.raises(DamagedImageError, match="cut short"):
        read_image(path)
    image = read_image(path, ReadOptions(allow_truncated=True))
    assert image.size == (64, 64)
    assert "damaged file" in image.traits.notes[-1]


@pytest.mark.parametrize("name", ["x.bmp", "x.ppm", "x.tif", "deep.tif"])
def test_other_cut_files(tmp_path, name):
    if name == "deep.tif":
        tifffile.imwrite(tmp_path / "whole", noise((64, 64, 3), np.uint16), photometric="rgb")
        data = (tmp_path / "whole").read_bytes()
    else:
        data = encoded(rgb(64, 64), {".bmp": "BMP", ".ppm": "PPM", ".tif": "TIFF"}[name[1:]])
    path = put(tmp_path, name, data[:-300])
    with pytest.raises(DamagedImageError, match="cut short"):
        read_image(path)


def test_a_cut_webp_and_a_cut_compressed_tiff_cannot_be_saved_even_on_request(tmp_path):
    tifffile.imwrite(tmp_path / "whole", noise((64, 64, 3), np.uint16), photometric="rgb", compression="zlib")
    for name, data in (
        ("x.tif", (tmp_path / "whole").read_bytes()),
        ("x.webp", encoded(rgb(64, 64), "WEBP")),
    ):
        for allowed in (False, True):
            with pytest.raises(DamagedImageError):
                read_image(put(tmp_path, name, data[:-300]), ReadOptions(allow_truncated=allowed))


@pytest.mark.parametrize("name", ["x.png", "x.bmp", "x.ppm", "x.tif", "x.jpg"])
def test_what_is_left_of_a_damaged_file_is_bounded_by_its_bytes(tmp_path, name):
    """A header of a few hundred bytes that promises gigapixels would be filled up with black."""
    side = 30_000
    dib = struct.pack("<IiiHHIIiiII", 40, side, side, 1, 24, 0, 0, 0, 0, 0, 0)
    data = {
        "x.png": bomb(side)[:-4],
        "x.bmp": b"BM" + struct.pack("<IHHI", 54, 0, 0, 54) + dib + bytes(219),
        "x.ppm": f"P6 {side} {side} 255\n".encode() + bytes(200),
        "x.tif": tiff_promising(side),
        "x.jpg": jpeg_promising(side),
    }[name]
    path = put(tmp_path, name, data)
    with pytest.raises(ImageError, match="almost nothing is left") as caught:
        read_image(path, ReadOptions(allow_truncated=True), budget=1 << 40)
    assert f"{len(data):,} bytes" in str(caught.value.got)


def tiff_promising(side: int) -> bytes:
    image = io.BytesIO()
    tifffile.imwrite(image, np.zeros((8, 8), np.uint8), metadata=None)
    data = bytearray(image.getvalue())
    image.seek(0)
    with tifffile.TiffFile(image) as file:
        tags = file.pages.first.tags
        for tag, value in ((256, side), (257, side), (278, side), (279, side * side)):
            kind = "<I" if tags[tag].dtype == 4 else "<H"
            struct.pack_into(kind, data, tags[tag].valueoffset, value)
    return bytes(data)


def jpeg_promising(side: int) -> bytes:
    data = bytearray(encoded(rgb(64, 64), "JPEG"))
    place = data.index(b"\xff\xc0") + 5
    struct.pack_into(">HH", data, place, side, side)
    return bytes(data[:-300])


@pytest.mark.parametrize(("suffix", "settings"), [("PNG", {}), ("JPEG", {"quality": 30})])
def test_a_smooth_image_of_which_a_third_is_left_stays_below_the_bound(tmp_path, suffix, settings):
    ramp = np.add.outer(np.arange(3000), np.arange(4000)) // 28
    image = Image.fromarray(np.dstack([ramp] * 3).astype(np.uint8))
    data = encoded(image, suffix, **settings)
    path = put(tmp_path, "x", data[: len(data) // 3])
    assert read_image(path, ReadOptions(allow_truncated=True)).size == (3000, 4000)


# --- bombs ---


def bomb(side: int) -> bytes:
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(bytes(1000))), (b"IEND", b"")]
    return png.SIGNATURE + b"".join(make_chunk(*chunk) for chunk in chunks)


def test_a_bomb_is_refused_from_its_header(tmp_path):
    with pytest.raises(ImageError, match="too large") as caught:
        read_image(put(tmp_path, "x.png", bomb(200_000)))
    assert caught.value.got is not None
    assert "200000 x 200000" in caught.value.got
    assert probe(tmp_path / "x.png").size == (200_000, 200_000)


@pytest.mark.parametrize("name", ["x.png", "x.jpg", "x.tif", "x.bmp", "x.ppm", "x.webp"])
def test_the_limit_is_a_budget_and_holds_for_every_format(tmp_path, name):
    formats = {"png": "PNG", "jpg": "JPEG", "tif": "TIFF", "bmp": "BMP", "ppm": "PPM", "webp": "WEBP"}
    path = put(tmp_path, name, encoded(Image.new("RGB", (400, 300)), formats[name[2:]]))
    with pytest.raises(ImageError, match="memory"):
        read_image(path, budget=400 * 300)
    assert read_image(path, budget=10_000_000).size == (300, 400)


def test_a_tiff_of_8_bits_beyond_pillows_limit_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    samples = noise((40, 50, 3), np.uint8)
    tifffile.imwrite(tmp_path / "x.tif", samples, photometric="rgb")
    Image.new("P", (50, 40)).save(tmp_path / "palette.tif")
    read = np.rint(read_image(tmp_path / "x.tif").pixels * 255)
    np.testing.assert_array_equal(read, samples.transpose(2, 0, 1))
    with pytest.raises(ImageError, match="too large"):
        read_image(tmp_path / "palette.tif")


def test_pillows_constant_limit_does_not_hold_here(tmp_path):
    """Pillow stops at 179 megapixels whatever the machine; here the budget alone decides."""
    path = put(tmp_path, "x.png", encoded(Image.new("1", (16000, 12000)), "PNG"))
    assert probe(path).size == (12000, 16000)
    with pytest.raises(ImageError, match="free memory"):
        read_image(path, budget=1_000_000)
