"""AVIF is read and written, HEIC is read with its extra package; Pillow and imagecodecs judge."""

from __future__ import annotations

from pathlib import PurePosixPath

import imagecodecs
import numpy as np
import pytest
from PIL import Image, ImageCms
from skimage import data

from restorecli.errors import ImageError
from restorecli.folders.outputs import output_name
from restorecli.folders.walking import walk
from restorecli.images import pillow_files
from restorecli.images.exif import PREFIX
from restorecli.images.formats import FOREIGN_SUFFIXES, FORMATS, SUFFIXES, format_named, sniff
from restorecli.images.image import FileTraits, ImageData
from restorecli.images.options import ReadOptions
from restorecli.images.reading import probe, read_image
from restorecli.images.writing import write_image

PHOTO = data.astronaut()[40:104, 60:140]
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
PIXELS = np.ascontiguousarray(PHOTO.transpose(2, 0, 1), np.float32) / np.float32(255)


def test_an_avif_of_pillow_is_read_as_pillow_shows_it(tmp_path):
    Image.fromarray(PHOTO).save(tmp_path / "x.avif", quality=80)
    image = read_image(tmp_path / "x.avif")
    with Image.open(tmp_path / "x.avif") as opened:
        expected = np.asarray(opened.convert("RGB"))
    np.testing.assert_array_equal(np.rint(image.pixels * 255), expected.transpose(2, 0, 1))
    assert image.traits.format == "AVIF"
    assert probe(tmp_path / "x.avif").size == image.size == (64, 80)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("alpha", [False, True])
def test_an_avif_is_written_close_to_its_pixels_with_alpha(tmp_path, channels, alpha):
    plane = np.random.default_rng(0).integers(0, 2, (64, 80)).astype(np.uint8) * 255 if alpha else None
    image = ImageData(PIXELS[:channels], FileTraits(alpha=plane))
    losses = write_image(tmp_path / "x.avif", image, quality=95)
    assert bool(losses) == (channels == 1)
    again = read_image(tmp_path / "x.avif")
    assert np.abs(again.pixels - image.pixels).mean() < 0.01
    if alpha:
        assert again.traits.alpha is not None
        assert np.abs(again.traits.alpha.astype(int) - plane).max() < 40


def test_metadata_of_avif_come_back(tmp_path):
    exif = Image.Exif()
    exif[271] = "Maker"
    traits = FileTraits(icc=SRGB, exif=PREFIX + exif.tobytes().removeprefix(PREFIX), xmp=b"<x:xmpmeta/>")
    assert write_image(tmp_path / "x.avif", ImageData(PIXELS, traits)) == ()
    again = read_image(tmp_path / "x.avif").traits
    assert again.icc == SRGB
    assert again.xmp == b"<x:xmpmeta/>"
    assert b"Maker" in (again.exif or b"")


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_an_avif_stands_upright(tmp_path, orientation):
    exif = Image.Exif()
    exif[274] = orientation
    Image.fromarray(PHOTO).save(tmp_path / "x.png", exif=exif)
    Image.fromarray(PHOTO).save(tmp_path / "x.avif", quality=90, exif=exif.tobytes())
    expected = read_image(tmp_path / "x.png")
    image = read_image(tmp_path / "x.avif")
    assert image.size == expected.size == probe(tmp_path / "x.avif").size
    assert np.abs(image.pixels - expected.pixels).mean() < 0.02
    write_image(tmp_path / "y.avif", image)
    assert read_image(tmp_path / "y.avif").size == image.size


@pytest.mark.parametrize("bits", [10, 12])
@pytest.mark.parametrize("channels", [3, 4])
def test_deeper_avif_keeps_its_bits(tmp_path, bits, channels):
    samples = np.random.default_rng(0).integers(0, 2**bits, (16, 20, channels)).astype(np.uint16)
    encoded = imagecodecs.avif_encode(samples, level=100, bitspersample=bits)
    (tmp_path / "x.avif").write_bytes(encoded)
    expected = imagecodecs.avif_decode(encoded)
    image = read_image(tmp_path / "x.avif")
    assert image.traits.depth == probe(tmp_path / "x.avif").depth == 16
    np.testing.assert_allclose(image.pixels, expected[..., :3].transpose(2, 0, 1) / (2**bits - 1), atol=1e-6)
    if channels == 4:
        np.testing.assert_allclose(image.traits.alpha / 65535, expected[..., 3] / (2**bits - 1), atol=1e-4)


def test_a_damaged_avif_costs_one_file(tmp_path):
    Image.fromarray(PHOTO).save(tmp_path / "x.avif")
    whole = (tmp_path / "x.avif").read_bytes()
    for length in (20, 100, len(whole) // 2):
        (tmp_path / "x.avif").write_bytes(whole[:length])
        for options in (ReadOptions(), ReadOptions(allow_truncated=True)):
            with pytest.raises(ImageError):
                read_image(tmp_path / "x.avif", options)


def test_heic_is_read_as_its_own_library_reads_it(tmp_path):
    heif = pytest.importorskip("pillow_heif")
    heif.from_pillow(Image.fromarray(PHOTO)).save(tmp_path / "x.heic", quality=90)
    image = read_image(tmp_path / "x.heic")
    expected = np.asarray(heif.open_heif(tmp_path / "x.heic", convert_hdr_to_8bit=True))
    np.testing.assert_array_equal(np.rint(image.pixels * 255), expected.transpose(2, 0, 1))
    assert image.traits.format == "HEIF"
    assert probe(tmp_path / "x.heic").size == (64, 80)


@pytest.mark.parametrize("orientation", [1, 3, 6])
def test_a_heic_stands_upright(tmp_path, orientation):
    heif = pytest.importorskip("pillow_heif")
    exif = Image.Exif()
    exif[274] = orientation
    image = Image.fromarray(PHOTO)
    image.save(tmp_path / "x.png", exif=exif)
    heif.from_pillow(image).save(tmp_path / "x.heic", quality=90, exif=exif.tobytes())
    expected = read_image(tmp_path / "x.png")
    loaded = read_image(tmp_path / "x.heic")
    assert loaded.size == expected.size == probe(tmp_path / "x.heic").size
    assert np.abs(loaded.pixels - expected.pixels).mean() < 0.03


def test_without_the_extra_a_heic_is_named_with_the_way_to_it(tmp_path, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    (tmp_path / "x.heic").write_bytes(b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic" + bytes(40))
    with pytest.raises(ImageError, match="extra package") as caught:
        read_image(tmp_path / "x.heic")
    assert "restorecli[heic]" in str(caught.value.hint)


# --- the table of formats ---


def test_what_a_microscope_wrote_is_listed_and_refused_with_a_way_out(tmp_path):
    """A folder of such files was said to hold no image at all."""
    (tmp_path / "cells.czi").write_bytes(b"ZISRAWFILE" + bytes(90))
    [file] = walk(tmp_path)
    with pytest.raises(ImageError, match="PNG or TIFF first"):
        read_image(file.path)
    assert output_name(PurePosixPath("a/cells.LSM"), "PNG", 8, None) == PurePosixPath("a/cells.LSM.tiff")


def test_every_format_of_the_table_has_a_way_in_and_out():
    from restorecli.images.writing import ENCODED

    written = {name for name, kind in FORMATS.items() if kind.suffixes}
    assert written == ENCODED
    assert set(FORMATS) - {"PPM"} == set(pillow_files.OPENED)
    assert set(SUFFIXES.values()) == written
    assert not set(SUFFIXES) & FOREIGN_SUFFIXES
    for name in written:
        for called in FORMATS[name].names:
            assert format_named(called) == name


@pytest.mark.parametrize("name", [name for name, kind in FORMATS.items() if kind.suffixes])
def test_what_the_table_says_of_a_format_is_so(tmp_path, name):
    kind = FORMATS[name]
    traits = FileTraits(depth=16, alpha=np.full((64, 80), 60000, np.uint16), icc=SRGB, dpi=(300.0, 300.0))
    path = tmp_path / f"x{kind.suffixes[0]}"
    losses = " ".join(write_image(path, ImageData(PIXELS[:1], traits)))
    again = read_image(path)
    assert sniff(path.read_bytes()[:64]) == name
    assert (again.traits.depth == 16) == (16 in kind.depths) == ("narrowed" not in losses)
    assert (again.traits.alpha is not None) == kind.alpha == ("alpha" not in losses)
    assert (again.channels == 1) == kind.gray == ("no gray" not in losses)
    assert kind.metadata == ("no ICC" not in losses)
    assert (again.traits.dpi is not None) == kind.resolution == ("resolution" not in losses)
