"""Which values are black and white: what comes in goes out in the same type and units."""

from __future__ import annotations

import io

import imagecodecs
import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from restorecli.errors import ImageError, UsageError
from restorecli.images.image import FileTraits, ImageData
from restorecli.images.options import ReadOptions
from restorecli.images.png_chunks import make_chunk
from restorecli.images.reading import read_image
from restorecli.images.scale import ValueScale, from_unit, to_unit
from restorecli.images.tiff_rows import TiffRows
from restorecli.images.tiff_tiles import write_tiff_rows
from restorecli.images.writing import write_image


def ramp(low: float, high: float, dtype: type, shape: tuple[int, ...] = (40, 60)) -> np.ndarray:
    values = np.linspace(low, high, int(np.prod(shape))).reshape(shape)
    kind = np.dtype(dtype)
    return (values if kind.kind == "f" else np.rint(values)).astype(kind)


def tiff(path, samples, **settings):
    tifffile.imwrite(path, samples, **{"metadata": None, **settings})
    return path


def stated(low: float, high: float, kind: int = 12) -> dict[str, object]:
    return {"extratags": [(340, kind, 1, low, True), (341, kind, 1, high, True)]}


KINDS = {
    "a microscope's floats": (np.float32, -300, 670, (-300, 670)),
    "compositing": (np.float32, -0.3, 1.9, (-0.3, 1.9)),
    "floats of 8 bits": (np.float32, 3, 251, None),
    "doubles": (np.float64, -5, 5, (-5, 5)),
    "halves": (np.float16, 0, 7.5, (0, 7.5)),
    "Hounsfield units": (np.int16, -1024, 3071, (-1024, 3071)),
    "signed, never below 0": (np.int16, 0, 3000, (0, 4095)),
    "signed 32 bits": (np.int32, -70_000, 90_000, (-70_000, 90_000)),
    "signed bytes": (np.int8, -100, 100, (-100, 100)),
    "32 bits": (np.uint32, 5, 100_000, (0, 131_071)),
    "12 in 16 bits": (np.uint16, 7, 4000, (0, 4095)),
    "10 in 16 bits": (np.uint16, 7, 1023, (0, 1023)),
}


@pytest.mark.parametrize("name", KINDS)
def test_a_tiff_goes_out_in_the_type_and_the_units_it_came_in(tmp_path, name):
    dtype, low, high, expected = KINDS[name]
    samples = ramp(low, high, dtype)
    image = read_image(tiff(tmp_path / "x.tif", samples))
    scale = image.traits.scale
    assert scale is not None
    assert scale.how == "measured"
    assert any(scale.note == note for note in image.traits.notes)
    if expected is not None:
        assert (scale.black, scale.white) == pytest.approx(expected, rel=1e-6)
    assert image.pixels.min() >= 0
    assert image.pixels.max() <= 1
    losses = write_image(tmp_path / "y.tif", image)
    written = tifffile.imread(tmp_path / "y.tif")
    assert losses == ()
    assert written.dtype == samples.dtype
    tolerance = 0 if samples.dtype.kind in "ui" else 4e-7 * (high - low)
    np.testing.assert_allclose(written.astype(np.float64), samples.astype(np.float64), rtol=0, atol=tolerance)


@pytest.mark.parametrize("name", KINDS)
def test_what_is_written_is_read_by_the_scale_it_was_written_with(tmp_path, name):
    """A restored image has other extremes; measured anew, it would have another black and white."""
    dtype, low, high, _ = KINDS[name]
    image = read_image(tiff(tmp_path / "x.tif", ramp(low, high, dtype)))
    darker = ImageData((image.pixels * 0.1 + 0.01).astype(np.float32), image.traits)
    write_image(tmp_path / "y.tif", darker)
    again = read_image(tmp_path / "y.tif")
    ours, theirs = again.traits.value_scale, image.traits.value_scale
    assert (ours.black, ours.white) == (theirs.black, theirs.white)
    step = 1 / (theirs.white - theirs.black) if np.dtype(dtype).kind in "ui" else 1e-3
    np.testing.assert_allclose(again.pixels, darker.pixels, atol=0.51 * step)


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_a_dark_image_of_16_bits_does_not_become_one_of_12(tmp_path, suffix):
    dark = ImageData(np.full((1, 20, 30), 0.05, np.float32), FileTraits(depth=16))
    write_image(tmp_path / f"x{suffix}", dark)
    again = read_image(tmp_path / f"x{suffix}")
    assert again.traits.scale is None
    np.testing.assert_allclose(again.pixels, 0.05, atol=1e-5)


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_a_dark_image_of_12_bits_in_16_does_not_become_one_of_8(tmp_path, suffix):
    traits = FileTraits(depth=16, scale=ValueScale(0, 4095, "measured"))
    write_image(tmp_path / f"x{suffix}", ImageData(np.full((3, 20, 30), 0.05, np.float32), traits))
    again = read_image(tmp_path / f"x{suffix}")
    assert again.traits.value_scale.white == 4095
    np.testing.assert_allclose(again.pixels, 0.05, atol=2e-4)


def test_noise_that_leaves_0_to_1_does_not_change_the_scale_of_floats(tmp_path):
    noisy = np.random.default_rng(0).normal(0.5, 0.4, (1, 40, 50)).astype(np.float32)
    write_image(tmp_path / "x.tif", ImageData(noisy, FileTraits(depth=32)))
    np.testing.assert_array_equal(read_image(tmp_path / "x.tif").pixels, noisy)


@pytest.mark.parametrize("file_format", ["PNG", "TIFF", "PPM"])
@pytest.mark.parametrize("depth", [8, 16])
def test_ordinary_files_are_read_and_written_as_ever(tmp_path, file_format, depth):
    dtype = np.uint8 if depth == 8 else np.uint16
    samples = np.random.default_rng(1).integers(0, 2**depth, (12, 14, 3)).astype(dtype)
    suffix = {"PNG": ".png", "TIFF": ".tif", "PPM": ".ppm"}[file_format]
    pixels = samples.transpose(2, 0, 1) / np.float32(2**depth - 1)
    write_image(tmp_path / f"x{suffix}", ImageData(pixels, FileTraits(file_format, depth)))
    image = read_image(tmp_path / f"x{suffix}")
    assert image.traits.scale is None
    assert image.traits.plain
    assert image.traits.notes == ()
    np.testing.assert_array_equal(image.pixels, pixels)
    if file_format == "TIFF":
        with tifffile.TiffFile(tmp_path / "x.tif") as file:
            assert 341 not in file.pages.first.tags


def test_eight_bits_stay_eight_bits_however_dark(tmp_path):
    for samples in (np.zeros((4, 5), np.uint8), np.full((4, 5), 3, np.uint8)):
        Image.fromarray(samples).save(tmp_path / "x.png")
        image = read_image(tmp_path / "x.png")
        assert image.traits.scale is None
        np.testing.assert_array_equal(image.pixels[0], samples / np.float32(255))


@pytest.mark.parametrize("dtype", [np.uint16, np.int16, np.float32, np.float64, np.uint32])
@pytest.mark.parametrize("value", [0, 1000])
def test_a_flat_image_is_read_and_written(tmp_path, dtype, value):
    image = read_image(tiff(tmp_path / "x.tif", np.full((4, 5), value, dtype)))
    write_image(tmp_path / "y.tif", image)
    np.testing.assert_allclose(tifffile.imread(tmp_path / "y.tif"), value, rtol=1e-6)


# --- what files say ---


def test_the_tags_of_a_tiff_count_before_what_is_measured(tmp_path):
    samples = ramp(10, 500, np.float32)
    image = read_image(tiff(tmp_path / "x.tif", samples, **stated(-1000.0, 1000.0)))
    assert image.traits.scale == ValueScale(-1000, 1000, "file")
    np.testing.assert_allclose(image.pixels[0], (samples + 1000) / 2000, rtol=1e-6)


@pytest.mark.parametrize("levels", [(5.0, 5.0), (7.0, -1.0), (0.0, np.inf), (np.nan, 1.0)])
def test_tags_that_make_no_sense_are_not_believed(tmp_path, levels):
    image = read_image(tiff(tmp_path / "x.tif", ramp(-3, 500, np.float32), **stated(*levels)))
    assert image.traits.value_scale.how == "measured"


def test_ome_says_how_many_bits_are_significant(tmp_path):
    path = tmp_path / "x.ome.tif"
    samples = ramp(5, 9000, np.uint16)
    tifffile.imwrite(path, samples, ome=True, metadata={"axes": "YX", "SignificantBits": 14})
    assert read_image(path).traits.scale == ValueScale(0, 16383, "file")


def test_imagej_says_what_it_shows_of_floats(tmp_path):
    path = tmp_path / "x.tif"
    tifffile.imwrite(path, ramp(-3, 500, np.float32), imagej=True, metadata={"min": -10.0, "max": 600.0})
    assert read_image(path).traits.scale == ValueScale(-10, 600, "file")
    tifffile.imwrite(path, ramp(0, 1, np.float32), imagej=True, metadata={"min": 0.2, "max": 0.6})
    assert read_image(path).traits.scale is None


def packed_12_bits(samples: np.ndarray) -> bytes:
    """A TIFF with 12 bits per sample, which no library here writes: two samples in three bytes."""
    image = io.BytesIO()
    tifffile.imwrite(image, samples, metadata=None, byteorder=">")
    data = bytearray(image.getvalue())
    image.seek(0)
    with tifffile.TiffFile(image) as file:
        tags = file.pages.first.tags
        bits, counts, start = tags[258].valueoffset, tags[279], file.pages.first.dataoffsets[0]
    packed = _pack(samples)
    data[start : start + len(packed)] = packed
    data[bits : bits + 2] = (12).to_bytes(2, "big")
    size = 2 if counts.dtype == 3 else 4
    data[counts.valueoffset : counts.valueoffset + size] = len(packed).to_bytes(size, "big")
    return bytes(data)


def _pack(samples: np.ndarray) -> bytes:
    pairs = samples.reshape(-1, 2).astype(np.uint32)
    both = pairs[:, 0] << 12 | pairs[:, 1]
    return np.stack([both >> 16, both >> 8 & 255, both & 255], axis=1).astype(np.uint8).tobytes()


def test_twelve_bits_per_sample_keep_their_units(tmp_path):
    samples = ramp(0, 3000, np.uint16)
    (tmp_path / "x.tif").write_bytes(packed_12_bits(samples))
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "x.tif"), samples)  # the judge reads it so
    image = read_image(tmp_path / "x.tif")
    assert image.traits.scale == ValueScale(0, 4095, "file")
    write_image(tmp_path / "y.tif", image)
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "y.tif"), samples)


@pytest.mark.parametrize(("highest", "white"), [(3000, 4095), (200, 4095), (60_000, None)])
def test_significant_bits_of_a_png_count_unless_its_samples_fill_16(tmp_path, highest, white):
    data = bytes(imagecodecs.png_encode(ramp(0, highest, np.uint16)))
    (tmp_path / "x.png").write_bytes(data[:33] + make_chunk(b"sBIT", b"\x0c") + data[33:])
    scale = read_image(tmp_path / "x.png").traits.scale
    assert (None if scale is None else scale.white) == white


# --- what users say ---


def test_a_given_range_counts_before_all_and_values_outside_come_through(tmp_path):
    samples = ramp(-1024, 3071, np.int16)
    path = tiff(tmp_path / "x.tif", samples, **stated(-2000.0, 2000.0))
    image = read_image(path, ReadOptions(range="-160..240"))
    assert image.traits.scale == ValueScale(-160, 240, "given")
    assert image.pixels.min() < 0
    assert image.pixels.max() > 1
    write_image(tmp_path / "y.tif", image)
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "y.tif"), samples)


def test_file_and_type_measure_nothing(tmp_path):
    path = tiff(tmp_path / "x.tif", ramp(7, 4000, np.uint16))
    for word in ("file", "type"):
        image = read_image(path, ReadOptions(range=word))
        assert image.traits.plain
    shown = tmp_path / "y.tif"
    tifffile.imwrite(shown, ramp(7, 4000, np.uint16), imagej=True, metadata={"min": 100.0, "max": 3000.0})
    assert read_image(shown, ReadOptions(range="file")).traits.scale == ValueScale(100, 3000, "file")


@pytest.mark.parametrize(
    "text", ["", "0", "..", "1..1", "5..3", "a..b", "0..inf", "nan..1", "0..1..2", "Auto"]
)
def test_an_unknown_range_is_named(text):
    with pytest.raises(UsageError, match="range of values"):
        ReadOptions(range=text)


# --- comparisons ---


def test_an_image_is_compared_on_the_scale_of_its_reference(tmp_path):
    reference = read_image(tiff(tmp_path / "a.tif", ramp(0, 4000, np.uint16)))
    darker = tiff(tmp_path / "b.tif", ramp(0, 200, np.uint16))
    assert read_image(darker).traits.value_scale.white == 255
    read = read_image(darker, like=reference.traits)
    assert read.traits.scale == reference.traits.scale
    assert read.pixels.max() == pytest.approx(200 / 4095)


def test_an_image_of_another_type_is_not_measured(tmp_path):
    reference = read_image(tiff(tmp_path / "a.tif", ramp(0, 255, np.uint8)))
    noisy = ramp(-0.2, 1.3, np.float32)
    read = read_image(tiff(tmp_path / "b.tif", noisy), like=reference.traits)
    np.testing.assert_array_equal(read.pixels[0], noisy)


def test_other_formats_take_the_scaled_image_and_say_so(tmp_path):
    image = read_image(tiff(tmp_path / "x.tif", ramp(-300, 670, np.float32)))
    losses = write_image(tmp_path / "y.png", image)
    assert losses == ("values -300 to 670 written as 0 to 65535: PNG holds no more",)
    assert read_image(tmp_path / "y.png").pixels.max() == 1


def test_a_few_values_far_out_do_not_darken_the_rest(tmp_path):
    samples = np.random.default_rng(0).normal(300, 20, (100, 100)).astype(np.float32)
    samples[3, 4] = 1e6
    image = read_image(tiff(tmp_path / "x.tif", samples))
    assert image.traits.value_scale.white < 500
    write_image(tmp_path / "y.tif", image)
    np.testing.assert_allclose(tifffile.imread(tmp_path / "y.tif"), samples, rtol=1e-5)


def test_colors_of_values_on_another_scale_are_not_converted(tmp_path):
    from PIL import ImageCms

    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    samples = ramp(0, 4000, np.uint16, (10, 12, 3))
    path = tiff(tmp_path / "x.tif", samples, photometric="rgb", iccprofile=profile)
    with pytest.raises(ImageError, match="not converted"):
        read_image(path, ReadOptions(to_srgb=True))
    assert read_image(path, ReadOptions(to_srgb=True, range="type")).traits.depth == 16


# --- by rows ---


@pytest.mark.parametrize("name", KINDS)
def test_rows_are_read_and_written_by_the_scale_of_the_whole(tmp_path, name):
    dtype, low, high, _ = KINDS[name]
    samples = ramp(low, high, dtype, (300, 40))
    path = tiff(tmp_path / "x.tif", samples, rowsperstrip=16)
    whole = read_image(path)
    with TiffRows(path) as rows:
        assert rows.traits.scale == whole.traits.scale
        np.testing.assert_array_equal(rows.read(30, 200), whole.pixels[:, 30:200])
        bands = (rows.read(start, min(start + 90, 300)) for start in range(0, 300, 90))
        write_tiff_rows(tmp_path / "y.tif", bands, rows.size, rows.channels, rows.traits)
    written = tifffile.imread(tmp_path / "y.tif")
    assert written.dtype == samples.dtype
    np.testing.assert_allclose(written.astype(np.float64), samples.astype(np.float64), rtol=1e-3, atol=1e-6)
    assert read_image(tmp_path / "y.tif").traits.value_scale.white == whole.traits.value_scale.white


# --- laws ---


@settings(max_examples=60, deadline=None)
@given(
    black=st.floats(-1e6, 1e6),
    span=st.floats(1e-3, 1e6),
    values=st.lists(st.integers(-(2**15), 2**15 - 1), min_size=1, max_size=30),
)
def test_integers_of_16_bits_survive_any_scale_that_is_not_far_wider(black, span, values):
    scale = ValueScale(black, black + span)
    samples = np.array(values, np.int16)[:, np.newaxis]
    farthest = np.abs(samples - black).max() / span
    if farthest * span * 2.0**-24 < 0.2:
        back = from_unit(to_unit(samples, scale), scale, samples.dtype)
        np.testing.assert_array_equal(back, samples)


@pytest.mark.parametrize("dtype", [np.uint64, np.int64, np.uint32, np.int32])
def test_pixels_beyond_the_type_are_clipped_and_never_wrap(dtype):
    limits = np.iinfo(dtype)
    scale = ValueScale(float(limits.min), float(limits.max))
    out = from_unit(np.array([[-1.0, 2.0]], np.float32), scale, np.dtype(dtype))
    assert out[0, 0] == limits.min
    assert out[0, 1] > limits.max * 0.999
