"""Laws of reading and writing: what goes in comes out, and other libraries read the same from our files."""

from __future__ import annotations

from pathlib import Path

import imagecodecs
import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from skimage import io as skimage_io

from restorecli.errors import ImageError, UsageError
from restorecli.images.image import FileTraits, ImageData
from restorecli.images.reading import probe, read_image
from restorecli.images.writing import quantize, write_image

LOSSLESS = [
    (".png", 8),
    (".png", 16),
    (".tiff", 8),
    (".tiff", 16),
    (".tiff", 32),
    (".bmp", 8),
    (".ppm", 8),
    (".ppm", 16),
]
WITH_ALPHA = [case for case in LOSSLESS if case[0] in (".png", ".tiff")]
SAMPLE_TYPES = {8: np.uint8, 16: np.uint16, 32: np.float32}


def random_samples(seed: int, shape: tuple[int, ...], depth: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    if depth == 32:
        return rng.normal(0.5, 2.0, shape).astype(np.float32)  # values outside [0, 1] included
    return rng.integers(0, 2**depth, shape).astype(SAMPLE_TYPES[depth])


def as_pixels(samples: np.ndarray) -> np.ndarray:
    """(C, H, W) samples to pixels, by the definition, computed in double precision."""
    if samples.dtype == np.float32:
        return samples
    return (samples / np.iinfo(samples.dtype).max).astype(np.float32)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("roundtrip")


@settings(max_examples=15, deadline=None)
@given(
    case=st.sampled_from(LOSSLESS),
    channels=st.sampled_from([1, 3]),
    height=st.integers(1, 17),
    width=st.integers(1, 17),
    seed=st.integers(0, 2**32 - 1),
)
def test_identity_round_trip_is_exact(folder, case, channels, height, width, seed):
    suffix, depth = case
    samples = random_samples(seed, (channels, height, width), depth)
    path = folder / f"x{suffix}"
    losses = write_image(path, ImageData(as_pixels(samples), FileTraits(depth=depth)))
    back = read_image(path)
    assert losses == ()
    assert back.traits.depth == depth
    assert back.channels == channels
    np.testing.assert_array_equal(back.pixels, as_pixels(samples))
    assert back.pixels.dtype == np.float32
    assert back.pixels.flags.c_contiguous


@settings(max_examples=15, deadline=None)
@given(
    case=st.sampled_from(WITH_ALPHA),
    channels=st.sampled_from([1, 3]),
    height=st.integers(1, 9),
    width=st.integers(1, 9),
    seed=st.integers(0, 2**32 - 1),
)
def test_alpha_and_colors_beneath_it_are_carried_bit_exact(folder, case, channels, height, width, seed):
    suffix, depth = case
    pixels = as_pixels(random_samples(seed, (channels, height, width), depth))
    alpha = random_samples(seed + 1, (height, width), depth)
    alpha[0, 0] = 0  # fully transparent: the colors beneath stay
    path = folder / f"a{suffix}"
    write_image(path, ImageData(pixels, FileTraits(depth=depth, alpha=alpha)))
    back = read_image(path)
    assert back.traits.alpha is not None
    assert back.traits.alpha.dtype == alpha.dtype
    np.testing.assert_array_equal(back.traits.alpha, alpha)
    np.testing.assert_array_equal(back.pixels, pixels)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(
    ("suffix", "depth", "with_alpha"),
    [(*case, False) for case in LOSSLESS] + [(*case, True) for case in WITH_ALPHA],
)
def test_probe_promises_what_reading_gives(tmp_path, suffix, depth, channels, with_alpha):
    alpha = random_samples(2, (5, 7), depth) if with_alpha else None
    path = tmp_path / f"x{suffix}"
    pixels = as_pixels(random_samples(1, (channels, 5, 7), depth))
    write_image(path, ImageData(pixels, FileTraits(depth=depth, alpha=alpha)))
    header, image = probe(path), read_image(path)
    assert header.size == image.size == (5, 7)
    assert header.channels == image.channels == channels
    assert header.depth == image.traits.depth == depth
    assert header.alpha is with_alpha
    assert header.format == image.traits.format


@pytest.mark.parametrize("depth", [8, 16])
def test_every_integer_survives(tmp_path, depth):
    values = np.arange(2**depth, dtype=np.uint32).astype(SAMPLE_TYPES[depth])
    pixels = as_pixels(values.reshape(1, 2 ** (depth // 2), -1))
    np.testing.assert_array_equal(quantize(pixels, depth).ravel(), values)
    write_image(tmp_path / "all.png", ImageData(pixels, FileTraits(depth=depth)))
    np.testing.assert_array_equal(read_image(tmp_path / "all.png").pixels, pixels)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_our_16_bit_png_by_another_decoder(tmp_path, channels):
    samples = random_samples(3, (6, 5, channels), 16)
    colors = samples[..., : 3 if channels > 2 else 1].transpose(2, 0, 1)
    alpha = samples[..., -1] if channels in (2, 4) else None
    path = tmp_path / "x.png"
    write_image(path, ImageData(as_pixels(colors), FileTraits(depth=16, alpha=alpha, icc=None)))
    np.testing.assert_array_equal(imagecodecs.imread(path).reshape(samples.shape), samples)
    with Image.open(path) as opened:
        opened.load()  # Pillow narrows, but accepts the file
        assert opened.size == (5, 6)


@pytest.mark.parametrize("depth", [8, 16, 32])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_our_tiff_by_tifffile(tmp_path, depth, channels):
    samples = random_samples(4, (6, 5, channels), depth)
    colors = samples[..., : 3 if channels > 2 else 1].transpose(2, 0, 1)
    alpha = samples[..., -1] if channels in (2, 4) else None
    path = tmp_path / "x.tiff"
    write_image(path, ImageData(as_pixels(colors), FileTraits(depth=depth, alpha=alpha)))
    np.testing.assert_array_equal(tifffile.imread(path).reshape(samples.shape), samples)


@pytest.mark.parametrize("suffix", [".png", ".tiff", ".bmp", ".ppm"])
@pytest.mark.parametrize("channels", [1, 3])
def test_our_8_bit_files_by_pillow_and_scikit_image(tmp_path, suffix, channels):
    samples = random_samples(5, (6, 5, channels), 8)
    path = tmp_path / f"x{suffix}"
    write_image(path, ImageData(as_pixels(samples.transpose(2, 0, 1)), FileTraits()))
    with Image.open(path) as opened:
        np.testing.assert_array_equal(np.asarray(opened).reshape(samples.shape), samples)
    np.testing.assert_array_equal(skimage_io.imread(path).reshape(samples.shape), samples)


def test_our_reading_of_files_by_other_encoders(tmp_path):
    samples = random_samples(6, (9, 8, 3), 16)
    imagecodecs.imwrite(tmp_path / "a.png", samples)
    tifffile.imwrite(tmp_path / "b.tif", samples, photometric="rgb", compression="lzw", byteorder=">")
    tifffile.imwrite(tmp_path / "c.tif", samples, photometric="rgb", tile=(16, 16), bigtiff=True)
    planes = np.ascontiguousarray(samples.transpose(2, 0, 1))
    tifffile.imwrite(tmp_path / "d.tif", planes, photometric="rgb", planarconfig="separate")
    for name in ("a.png", "b.tif", "c.tif", "d.tif"):
        image = read_image(tmp_path / name)
        assert image.traits.depth == 16
        np.testing.assert_array_equal(image.pixels, as_pixels(planes))


@pytest.mark.parametrize("suffix", [".jpg", ".webp"])
def test_lossy_formats_are_near_and_jpeg_keeps_full_color_resolution(tmp_path, suffix):
    ramp = np.linspace(0.2, 0.8, 64, dtype=np.float32)
    pixels = np.stack(
        [np.tile(ramp, (64, 1)), np.tile(ramp[:, None], (1, 64)), np.full((64, 64), 0.5, np.float32)]
    )
    write_image(tmp_path / f"x{suffix}", ImageData(pixels))
    assert np.abs(read_image(tmp_path / f"x{suffix}").pixels - pixels).max() < 0.05
    if suffix == ".jpg":
        with Image.open(tmp_path / "x.jpg") as opened:
            assert [layer[1:3] for layer in opened.layer] == [(1, 1)] * 3


@pytest.mark.parametrize("value", [0.0, 1.0])
@pytest.mark.parametrize("suffix", [".png", ".tiff", ".bmp", ".ppm", ".jpg", ".webp"])
def test_flat_black_and_white_stay_exact(tmp_path, value, suffix):
    pixels = np.full((3, 32, 32), value, np.float32)
    write_image(tmp_path / f"x{suffix}", ImageData(pixels))
    np.testing.assert_array_equal(read_image(tmp_path / f"x{suffix}").pixels, pixels)


@pytest.mark.parametrize("size", [(1, 1), (1, 17), (3, 5), (4, 100_000)])
def test_unusual_sizes(tmp_path, size):
    pixels = as_pixels(random_samples(7, (3, *size), 16))
    for suffix, depth in ((".png", 16), (".tiff", 16), (".ppm", 16)):
        write_image(tmp_path / f"x{suffix}", ImageData(pixels, FileTraits(depth=depth)))
        np.testing.assert_array_equal(read_image(tmp_path / f"x{suffix}").pixels, pixels)


def test_values_outside_the_range_are_clipped_for_integers_and_kept_in_float_tiff(tmp_path):
    pixels = np.array([[[-0.5, 0.0, 0.25, 1.0, 1.5]]], np.float32)
    write_image(tmp_path / "x.png", ImageData(pixels))
    assert quantize(pixels, 8).tolist() == [[0, 0, 64, 255, 255]]
    np.testing.assert_array_equal(read_image(tmp_path / "x.png").pixels * 255, [[[0, 0, 64, 255, 255]]])
    write_image(tmp_path / "x.tiff", ImageData(pixels, FileTraits(depth=32)))
    np.testing.assert_array_equal(read_image(tmp_path / "x.tiff").pixels, pixels)


def test_halves_are_rounded_up():
    halves = ((np.arange(255) + 0.5) / 255).astype(np.float32).reshape(1, 15, 17)
    scaled = halves[0] * np.float32(255)  # what the definition is applied to
    np.testing.assert_array_equal(quantize(halves, 8), np.floor(scaled + np.float32(0.5)))


@pytest.mark.parametrize(
    ("suffix", "depth", "loss"),
    [
        (".png", 32, "32-bit samples narrowed to 16 bits"),
        (".jpg", 16, "16-bit samples narrowed to 8 bits"),
        (".bmp", 16, "16-bit samples narrowed to 8 bits"),
    ],
)
def test_a_depth_that_a_format_cannot_hold_is_named(tmp_path, suffix, depth, loss):
    image = ImageData(np.full((3, 4, 4), 0.5, np.float32), FileTraits(depth=depth))
    assert any(loss in text for text in write_image(tmp_path / f"x{suffix}", image))


@pytest.mark.parametrize("suffix", [".jpg", ".bmp", ".ppm"])
def test_alpha_that_a_format_cannot_hold_is_named(tmp_path, suffix):
    alpha = np.zeros((4, 4), np.uint8)
    image = ImageData(np.full((3, 4, 4), 0.5, np.float32), FileTraits(alpha=alpha))
    assert any("holds no alpha" in text for text in write_image(tmp_path / f"x{suffix}", image))


def test_alpha_is_rescaled_with_the_depth(tmp_path):
    alpha = np.array([[0, 1, 128, 255]], np.uint8)
    image = ImageData(np.zeros((1, 1, 4), np.float32), FileTraits(depth=16, alpha=alpha))
    write_image(tmp_path / "x.png", image)
    read = read_image(tmp_path / "x.png").traits.alpha
    assert read is not None
    assert read.tolist() == [[0, 257, 128 * 257, 65535]]


@pytest.mark.parametrize(
    "pixels",
    [
        np.full((3, 4, 4), np.nan, np.float32),
        np.full((1, 4, 4), np.inf, np.float32),
        np.zeros((2, 4, 4), np.float32),
        np.zeros((4, 4), np.float32),
        np.zeros((3, 0, 4), np.float32),
    ],
)
def test_impossible_pixels_are_refused_and_nothing_is_written(tmp_path, pixels):
    with pytest.raises(ImageError) as caught:
        write_image(tmp_path / "x.png", ImageData(pixels))
    assert caught.value.file == str(tmp_path / "x.png")
    assert list(tmp_path.iterdir()) == []


def test_alpha_of_another_size_is_refused(tmp_path):
    image = ImageData(np.zeros((3, 8, 8), np.float32), FileTraits(alpha=np.zeros((4, 4), np.uint8)))
    with pytest.raises(ImageError, match="Alpha and pixels differ"):
        write_image(tmp_path / "x.png", image)


def test_an_image_too_large_for_the_format_is_refused_and_nothing_is_written(tmp_path):
    strip = ImageData(np.zeros((1, 1, 70_000), np.float32))
    for suffix in (".jpg", ".webp"):
        with pytest.raises(ImageError, match="too large for"):
            write_image(tmp_path / f"x{suffix}", strip)
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_suffix_is_a_usage_error(tmp_path):
    with pytest.raises(UsageError, match="suffix"):
        write_image(tmp_path / "x.xyz", ImageData(np.zeros((1, 2, 2), np.float32)))


def test_a_missing_folder_costs_one_image(tmp_path):
    with pytest.raises(ImageError, match="cannot be written"):
        write_image(tmp_path / "missing" / "x.png", ImageData(np.zeros((1, 2, 2), np.float32)))


@pytest.mark.parametrize("name", ["é.png", "テスト.tiff", "🙂.png", "-rf.png", "a b.png", "x" * 251 + ".png"])
def test_names_of_every_kind(tmp_path, name):
    pixels = np.full((1, 3, 3), 0.2, np.float32)
    write_image(tmp_path / name, ImageData(pixels))
    assert read_image(tmp_path / name).size == (3, 3)
    assert [path.name for path in tmp_path.iterdir()] == [name]
