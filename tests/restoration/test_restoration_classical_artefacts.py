"""Blocks, waves, dither, casts and haze: each method undoes what its model makes."""

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from scipy import fft, ndimage

from restorecli.degradation.families.atmosphere import luma
from restorecli.degradation.families.compression import Jpeg
from restorecli.degradation.families.diffusion import KERNELS
from restorecli.degradation.families.dither import Dither
from restorecli.degradation.families.sand_dust import scatter
from restorecli.folders.record import Record
from restorecli.restoration.context import Context
from restorecli.restoration.methods.classical import airlight, jpeg_blocks
from restorecli.restoration.methods.classical.deblocking import Deblock
from restorecli.restoration.methods.classical.filters import Gaussian
from restorecli.restoration.methods.classical.gratings import find_waves, remove_wave
from restorecli.restoration.methods.classical.halftones import InverseHalftone, error_color, error_level
from restorecli.restoration.methods.classical.notching import Demoire
from restorecli.restoration.methods.classical.weather import Dedust, Dehaze, GrayWorld


def photograph(height=160, width=176):
    from skimage import data

    return np.ascontiguousarray(
        data.astronaut()[40 : 40 + height, 140 : 140 + width].transpose(2, 0, 1), np.float32
    ) / np.float32(255)


def psnr(one, two):
    return 10 * np.log10(1 / np.mean((np.asarray(one, float) - two) ** 2))


def record_of(**step):
    return Record("a.png", "degrade", "all", None, "a.png", "0", degradations=(step,))


# --- JPEG


def test_the_block_transform_is_scipys() -> None:
    plane = np.random.default_rng(0).random((24, 40)).astype(np.float32)
    ours = jpeg_blocks.transform(plane)
    for top in range(0, 24, 8):
        for left in range(0, 40, 8):
            block = plane[top : top + 8, left : left + 8]
            expected = fft.dctn(block, norm="ortho")
            np.testing.assert_allclose(ours[top : top + 8, left : left + 8], expected, atol=1e-5)
    np.testing.assert_allclose(jpeg_blocks.transform(ours, inverse=True), plane, atol=1e-6)


def test_the_steps_are_those_of_the_standard() -> None:
    """Annex K of ITU-T T.81 is libjpeg's quality 50; quality 10 has five times its steps."""
    table = jpeg_blocks.quantization(50)
    np.testing.assert_array_equal(table[0], [16, 11, 10, 16, 24, 40, 51, 61])
    np.testing.assert_array_equal(table[:, 0], [16, 12, 14, 14, 18, 24, 49, 72])
    np.testing.assert_array_equal(jpeg_blocks.quantization(50, chroma=True)[0, :4], [17, 18, 24, 47])
    np.testing.assert_array_equal(jpeg_blocks.quantization(10), np.minimum(table * 5, 255))


@pytest.mark.parametrize("quality", [10, 15, 20, 30, 40, 50, 60, 75, 85, 90])
@pytest.mark.parametrize("channels", [1, 3])
def test_the_quality_is_read_from_the_image(quality, channels) -> None:
    compressed = Jpeg(quality=quality, subsampling="4:4:4").apply(photograph()[:channels], None)
    context = Context()
    Deblock().restore(compressed, context)
    assert context.found.values["estimated_quality"] == quality


def test_what_was_never_compressed_stays() -> None:
    rng = np.random.default_rng(0)
    image = np.rint((photograph() * 0.9 + 0.04 + 0.01 * rng.random((3, 160, 176))) * 255) / 255
    shrunk = ndimage.zoom(image, (1, 0.7, 0.7), order=1).astype(np.float32)
    context = Context()
    np.testing.assert_array_equal(Deblock().restore(shrunk, context), shrunk)
    assert context.found.values["estimated_quality"] == "none"


@pytest.mark.parametrize(("quality", "gain"), [(5, 0.5), (10, 0.6), (20, 0.5), (40, 0.3)])
def test_deblocking_gains(quality, gain) -> None:
    clean = photograph()
    compressed = Jpeg(quality=quality).apply(clean, None)
    known = Context(record=record_of(name="jpeg", quality=quality, subsampling="4:2:0"))
    by_record = Deblock().restore(compressed, known)
    assert psnr(by_record, clean) > psnr(compressed, clean) + gain
    np.testing.assert_array_equal(by_record, Deblock(quality=quality).restore(compressed, Context()))


def test_the_result_could_have_given_the_file() -> None:
    """For a gray JPEG: its coefficients, quantized, are those of the file."""
    clean = photograph()[:1]
    compressed = Jpeg(quality=20).apply(clean, None)
    steps = np.tile(jpeg_blocks.quantization(20), (20, 22))
    restored = Deblock(quality=20).restore(compressed, Context())[0]
    one, two = (jpeg_blocks.transform(plane * 255 - 128) / steps for plane in (compressed[0], restored))
    assert np.abs(one - two).max() < 0.5 + 1e-3


def test_the_grid_is_that_of_the_file_in_any_size() -> None:
    clean = photograph(91, 83)
    compressed = Jpeg(quality=15).apply(clean, None)
    restored = Deblock(quality=15).restore(compressed, Context())
    assert restored.shape == clean.shape
    assert psnr(restored, clean) > psnr(compressed, clean) + 0.3


def test_a_real_file_of_another_program_is_read(tmp_path) -> None:
    samples = (photograph().transpose(1, 2, 0) * 255).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(samples).save(buffer, "JPEG", quality=35, subsampling=2, optimize=True, progressive=True)
    with Image.open(buffer) as decoded:
        pixels = np.asarray(decoded, np.float32).transpose(2, 0, 1) / np.float32(255)
    context = Context()
    Deblock().restore(np.ascontiguousarray(pixels), context)
    assert context.found.values["estimated_quality"] == 35


# --- moire


def cosine(shape, down, across, phase=0.4):
    rows, columns = np.arange(shape[0])[:, None], np.arange(shape[1])
    return np.cos(2 * np.pi * (down * rows + across * columns) + phase).astype(np.float32)


@settings(max_examples=15, deadline=None)
@given(
    frequency=st.floats(0.1, 0.42),
    angle=st.floats(0, np.pi),
    phase=st.floats(0, 6),
    amplitude=st.floats(0.05, 0.15),
)
def test_an_injected_cosine_falls_by_more_than_20_db(frequency, angle, phase, amplitude) -> None:
    """Of any frequency and phase: none needs to fit into the image a whole number of times."""
    clean = photograph()[1:2] * 0.7 + 0.15
    wave = amplitude * cosine(clean.shape[1:], frequency * np.sin(angle), frequency * np.cos(angle), phase)
    waves = find_waves((clean + wave)[0], 0.06, 12.0, 12)
    assert waves[0].frequency == pytest.approx(frequency, abs=0.002)
    left = remove_wave((clean + wave)[0], waves[0], 8.0) - remove_wave(clean[0], waves[0], 8.0)
    assert 10 * np.log10(np.mean(wave**2) / np.mean(left**2)) > 20


def test_demoire_brings_the_image_back() -> None:
    clean = photograph() * 0.7 + 0.15
    shape = clean.shape[1:]
    moire = clean + 0.08 * cosine(shape, 0.13, 0.21) + 0.06 * cosine(shape, -0.22, 0.09)
    context = Context()
    restored = Demoire().restore(moire, context)
    assert psnr(restored, clean) > psnr(moire, clean) + 12
    assert context.found.values["waves"] >= 6


def test_an_image_without_waves_stays() -> None:
    clean = photograph()
    np.testing.assert_array_equal(Demoire(excess=25.0).restore(clean, Context()), clean)


def test_waves_in_a_row_of_pixels_are_found_too() -> None:
    row = (0.5 + 0.2 * cosine((1, 200), 0, 0.2)).astype(np.float32)[None]
    restored = Demoire().restore(row, Context())
    assert np.abs(restored - 0.5)[0, 0, 20:-20].max() < 0.02


# --- dither


@pytest.mark.parametrize("kernel", KERNELS)
def test_dither_is_the_image_plus_colored_errors(kernel) -> None:
    """Exactly: taking the color off what dithering adds leaves the quantizer's errors, none above 1/2."""
    color = error_color(kernel)
    assert color.sum() == pytest.approx(0.25 if kernel == "atkinson" else 0, abs=1e-9)
    plane = np.random.default_rng(0).random((1, 20, 23)).astype(np.float32)
    added = (Dither(kernel=kernel).apply(plane, None) - plane)[0].astype(np.float64)
    errors = np.zeros((22, 27))
    for y in range(20):
        for x in range(23):
            before = errors[y : y + 3, x : x + 5][::-1, ::-1]
            errors[y + 2, x + 2] = added[y, x] - (color * before).sum()
    assert np.abs(errors).max() <= 0.5 + 1e-5
    assert np.abs(errors).max() > 0.45


def test_the_level_of_errors_is_found() -> None:
    from restorecli.restoration.methods.classical.wavelets import FILTERS, band_gains

    rng = np.random.default_rng(0)
    color = error_color("stucki")
    white = 0.1 * rng.standard_normal((128, 128))
    noise = ndimage.convolve(white, np.pad(color, ((2, 0), (0, 0))), mode="wrap").astype(np.float32)
    gain = band_gains(FILTERS["db2"], 1, color)[0][2]
    assert error_level(noise, gain) == pytest.approx(0.1, rel=0.03)


@pytest.mark.parametrize(
    ("settings_", "gain"),
    [({"levels": 2}, 0.8), ({"levels": 4}, 0.5), ({"levels": 2, "kernel": "stucki"}, 0.3)],
)
def test_inverse_halftoning_beats_the_best_gaussian(settings_, gain) -> None:
    clean = photograph()
    dithered = Dither(**settings_).apply(clean, None)
    best = max(psnr(Gaussian(width=w).restore(dithered, Context()), clean) for w in (0.7, 1.0, 1.3, 1.6))
    step = {"name": "dither", "kernel": "floyd-steinberg", **settings_}
    restored = InverseHalftone().restore(dithered, Context(record=record_of(**step)))
    assert psnr(restored, clean) > best + gain
    by_name = InverseHalftone(kernel=step["kernel"]).restore(dithered, Context())
    np.testing.assert_array_equal(restored, by_name)


# --- color and air


def test_gray_world_makes_means_equal_and_undoes_gains() -> None:
    image = photograph() * 0.6 + 0.1
    cast = image * np.array([1.4, 1, 0.4], np.float32)[:, None, None]
    balanced = GrayWorld(stretch=0.0).restore(cast, Context())
    np.testing.assert_allclose(balanced.mean(axis=(1, 2)), balanced.mean(), rtol=1e-4)
    ratio = balanced / GrayWorld(stretch=0.0).restore(image, Context())
    np.testing.assert_allclose(ratio, ratio.mean(), rtol=1e-4)
    np.testing.assert_allclose(GrayWorld(strength=0.0, stretch=0.0).restore(cast, Context()), cast)


def test_stretching_reaches_both_ends_and_keeps_gray() -> None:
    image = 0.4 + 0.2 * photograph()[:1]
    stretched = GrayWorld(stretch=0.01).restore(image, Context())
    assert np.mean(stretched <= 0) == pytest.approx(0.01, abs=0.025)  # many pixels share a level
    assert np.mean(stretched >= 1) == pytest.approx(0.01, abs=0.025)
    flat = np.full((3, 8, 8), 0.5, np.float32)
    np.testing.assert_array_equal(GrayWorld(stretch=0.01).restore(flat, Context()), flat)


def test_the_dark_channel_is_the_least_of_every_window() -> None:
    image = photograph(30, 34)
    dark = airlight.dark_channel(image, 5)
    padded = np.pad(image.min(axis=0), 2, mode="symmetric")
    expected = np.lib.stride_tricks.sliding_window_view(padded, (5, 5)).min(axis=(2, 3))
    np.testing.assert_array_equal(dark, expected)


def test_known_air_is_undone_exactly() -> None:
    """`clear` inverts the scattering model that `degrade` applies."""
    scene = photograph(40, 44)
    depth = np.random.default_rng(0).random((40, 44), dtype=np.float32)
    light = np.array([0.8, 0.82, 0.85], np.float32)
    hazy = scatter(scene, depth, np.full(3, 1.2, np.float32), light)
    np.testing.assert_allclose(airlight.clear(hazy, light, np.exp(-1.2 * depth), 0.1), scene, atol=1e-5)


def test_dehazing_finds_the_light_and_the_transmission_where_its_prior_holds() -> None:
    """A scene with black in every window, flat haze, and a far place that is all air."""
    rng = np.random.default_rng(0)
    scene = rng.random((3, 120, 120)).astype(np.float32) ** 2
    scene[:, ::5, ::5] = 0
    light = np.array([0.75, 0.8, 0.85], np.float32)
    depth = np.full((120, 120), 0.7, np.float32)
    depth[:20, :30] = 9
    hazy = scatter(scene, depth, np.ones(3, np.float32), light)
    context = Context()
    restored = Dehaze(strength=1.0, smooth=4).restore(hazy, context)
    found = [context.found.values[f"light_{channel}"] for channel in range(3)]
    np.testing.assert_allclose(found, light, atol=0.01)
    away = (slice(None), slice(50, 110), slice(50, 110))
    np.testing.assert_allclose(restored[away], scene[away], atol=0.05)
    assert np.abs(hazy[away] - scene[away]).mean() > 0.2


def test_dedusting_takes_off_cast_and_veil() -> None:
    scene = photograph()
    light, beta = np.array([0.8, 0.62, 0.3], np.float32), np.array([1.0, 1.03, 1.4], np.float32)
    dusty = scatter(scene, np.full(scene.shape[1:], 0.8, np.float32), beta, light)
    restored = np.clip(Dedust().restore(dusty, Context()), 0, 1)
    assert psnr(restored, scene) > psnr(dusty, scene) + 2
    chroma = [np.ptp(image.mean(axis=(1, 2))) for image in (dusty, restored)]
    assert chroma[1] < 0.3 * chroma[0]
    assert luma(restored).std() > luma(dusty).std()
