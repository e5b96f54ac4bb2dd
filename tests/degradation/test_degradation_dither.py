"""Error diffusion equals its sequential definition bit for bit; palettes are what they say."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from restorecli.degradation.chain import image_rng
from restorecli.degradation.families.diffusion import KERNELS, diffuse_levels, diffuse_palette
from restorecli.degradation.families.dither import KERNEL_NAMES, Dither
from restorecli.degradation.families.palettes import NAMED, median_cut, named_palette

RNG = image_rng(0, "dither")
SIZES = [(1, 1), (1, 9), (9, 1), (2, 2), (3, 4), (17, 13), (32, 31)]


def spread(plane, error, y, x, backward, weights):
    """The definition's second half: give the error to the neighbors, in the kernel's order."""
    for down, across in itertools.product(range(3), range(-2, 3)):
        weight = weights[down, across + 2]
        column = x - across if backward else x + across
        if weight != 0 and y + down < plane.shape[0] and 0 <= column < plane.shape[1]:
            plane[y + down, column] += error * weight


def visits(height, width, serpentine):
    for y in range(height):
        backward = serpentine and y % 2 == 1
        for x in range(width - 1, -1, -1) if backward else range(width):
            yield y, x, backward


def levels_by_definition(plane, weights, levels, serpentine):
    plane = plane.copy()
    top = levels - 1
    for y, x, backward in visits(*plane.shape, serpentine):
        value = plane[y, x]
        plane[y, x] = min(max(np.floor(value * top + 0.5), 0), top) / top
        spread(plane, value - plane[y, x], y, x, backward, weights)
    return plane


def palette_by_definition(planes, weights, palette, serpentine):
    planes = planes.copy()
    for y, x, backward in visits(*planes.shape[1:], serpentine):
        value = planes[:, y, x].copy()
        squares = (value[0] - palette[:, 0]) ** 2 + (value[1] - palette[:, 1]) ** 2
        planes[:, y, x] = palette[np.argmin(squares + (value[2] - palette[:, 2]) ** 2)]
        for channel in range(3):
            error = value[channel] - planes[channel, y, x]
            spread(planes[channel], error, y, x, backward, weights)
    return planes


@pytest.mark.parametrize("serpentine", [False, True])
@pytest.mark.parametrize("kernel", KERNELS)
def test_every_kernel_equals_the_sequential_definition_bit_for_bit(kernel, serpentine) -> None:
    weights = KERNELS[kernel].weights()
    generator = np.random.default_rng(5)
    for (height, width), levels in itertools.product(SIZES, (2, 3, 6, 256)):
        plane = generator.random((height, width), dtype=np.float32).astype(np.float64)
        expected = levels_by_definition(plane, weights, levels, serpentine)
        diffuse_levels(plane, weights, levels, serpentine)
        assert plane.tobytes() == expected.tobytes(), (height, width, levels)


@pytest.mark.parametrize("serpentine", [False, True])
@pytest.mark.parametrize("kernel", KERNELS)
def test_palettes_equal_the_sequential_definition_bit_for_bit(kernel, serpentine) -> None:
    weights = KERNELS[kernel].weights()
    generator = np.random.default_rng(6)
    for height, width in SIZES:
        planes = generator.random((3, height, width), dtype=np.float32).astype(np.float64)
        expected = palette_by_definition(planes, weights, NAMED["ega"], serpentine)
        diffuse_palette(planes, weights, NAMED["ega"], serpentine)
        assert planes.tobytes() == expected.tobytes(), (height, width)


@settings(max_examples=40, deadline=None)
@given(
    kernel=st.sampled_from(KERNEL_NAMES),
    serpentine=st.booleans(),
    levels=st.integers(2, 9),
    eighths=st.lists(st.integers(0, 16), min_size=1, max_size=60),
    width=st.integers(1, 12),
)
def test_values_half_way_between_levels_are_decided_as_defined(
    kernel, serpentine, levels, eighths, width
) -> None:
    """Sixteenths meet the thresholds exactly, where an approximation would fall on the other side."""
    values = np.resize(np.array(eighths) / 16, (-(-len(eighths) // width), width)).astype(np.float64)
    weights = KERNELS[kernel].weights()
    expected = levels_by_definition(values, weights, levels, serpentine)
    diffuse_levels(values, weights, levels, serpentine)
    np.testing.assert_array_equal(values, expected)


def test_the_degradation_runs_channel_by_channel_and_clips_first() -> None:
    image = np.random.default_rng(2).random((3, 11, 14), dtype=np.float32) * 1.4 - 0.2
    result = Dither(kernel="stucki", levels=3, serpentine=True).apply(image, RNG)
    for plane, given_plane in zip(result, image, strict=True):
        clipped = np.clip(given_plane, 0, 1).astype(np.float64)
        expected = levels_by_definition(clipped, KERNELS["stucki"].weights(), 3, True)
        np.testing.assert_array_equal(plane, expected.astype(np.float32))


@pytest.mark.parametrize("name", KERNELS)
def test_weights_sum_to_one_except_atkinsons(name) -> None:
    assert KERNELS[name].weights().sum() == pytest.approx(0.75 if name == "atkinson" else 1)
    assert not KERNELS[name].weights()[0, :3].any()
    assert set(KERNELS) == set(KERNEL_NAMES)


def test_known_weights() -> None:
    assert KERNELS["burkes"].rows[0] == (0, 0, 0, 8, 4)
    assert KERNELS["floyd-steinberg"].rows[:2] == ((0, 0, 0, 7, 0), (0, 3, 5, 1, 0))


def test_floyd_steinberg_of_middle_gray_by_hand() -> None:
    """0.5 -> 1, error -0.5; next 0.5 - 7/32 -> 0 ...; worked out on paper for a 2x2 square."""
    plane = np.full((2, 2), 0.5)
    diffuse_levels(plane, KERNELS["floyd-steinberg"].weights(), 2, False)
    np.testing.assert_array_equal(plane, [[1, 0], [0, 1]])


@pytest.mark.parametrize("serpentine", [False, True])
@pytest.mark.parametrize("name", [name for name in KERNELS if name != "atkinson"])
def test_local_means_are_kept(name, serpentine) -> None:
    image = np.repeat(np.linspace(0.1, 0.9, 64, dtype=np.float32)[None], 256, 0)[None]
    result = Dither(kernel=name, serpentine=serpentine).apply(image, RNG)
    assert set(np.unique(result)) == {0, 1}
    blocks = result.reshape(4, 64, 4, 16).mean(axis=(1, 3))
    np.testing.assert_allclose(blocks, image.reshape(4, 64, 4, 16).mean(axis=(1, 3)), atol=0.03)


def test_the_first_row_agrees_with_pillow() -> None:
    """Pillow's own Floyd-Steinberg uses integers: the first rows agree, later ones only in their means."""
    codes = np.random.default_rng(0).integers(0, 256, (64, 96), dtype=np.uint8)
    pillow = np.asarray(Image.fromarray(codes).convert("1"), dtype=np.float32)
    ours = Dither().apply(codes[None].astype(np.float32) / 255, RNG)[0]
    assert (ours[0] == pillow[0]).mean() > 0.95
    assert ours.mean() == pytest.approx(pillow.mean(), abs=0.01)


@pytest.mark.parametrize("palette", ["median-cut", *NAMED])
def test_palettes_leave_only_their_colors(palette) -> None:
    image = np.random.default_rng(3).random((3, 40, 50), dtype=np.float32)
    result = Dither(palette=palette, colours=7).apply(image, RNG)
    seen = np.unique(result.reshape(3, -1).T, axis=0)
    known = median_cut(image, 7) if palette == "median-cut" else NAMED[palette]
    distance = abs(seen[:, None] - known[None].astype(np.float32)).max(axis=2).min(axis=1)
    assert distance.max() < 1e-6
    gray = Dither(palette=palette, colours=4).apply(image[:1], RNG)
    assert gray.shape == (1, 40, 50)
    assert 2 <= len(np.unique(gray)) <= 6


def test_named_palettes() -> None:
    assert NAMED["web-safe"].shape == (216, 3)
    assert len(np.unique(NAMED["ega"], axis=0)) == 16
    np.testing.assert_allclose(NAMED["ega"][6] * 255, [170, 85, 0])
    np.testing.assert_allclose(named_palette("ega", 1)[:, 0] * 255, [0, 85, 170, 255])
    np.testing.assert_allclose(named_palette("web-safe", 1)[:, 0] * 255, [0, 51, 102, 153, 204, 255])


@settings(max_examples=25, deadline=None)
@given(colours=st.integers(2, 40), seed=st.integers(0, 10))
def test_median_cut_returns_the_colors_of_an_image_that_has_few(colours, seed) -> None:
    generator = np.random.default_rng(seed)
    chosen = np.unique(generator.integers(0, 256, (colours, 3)), axis=0)
    codes = chosen[np.concatenate([np.arange(len(chosen)), generator.integers(0, len(chosen), 200)])]
    image = (codes.T[:, None] / 255).astype(np.float32)
    np.testing.assert_allclose(median_cut(image, len(chosen)) * 255, chosen, atol=1e-9)
    assert len(median_cut(image, 2)) == 2


def test_median_cut_is_as_good_as_pillows() -> None:
    generator = np.random.default_rng(0)
    codes = np.clip(generator.normal([90, 130, 180], [50, 20, 30], (64, 64, 3)), 0, 255).astype(np.uint8)
    ours = median_cut(codes.transpose(2, 0, 1).astype(np.float32) / 255, 16) * 255
    nearest = ((codes[:, :, None].astype(float) - ours) ** 2).sum(axis=3).min(axis=2).mean()
    pillow = np.asarray(
        Image.fromarray(codes).quantize(16, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).convert("RGB")
    )
    assert nearest < 1.1 * ((codes.astype(float) - pillow) ** 2).sum(axis=2).mean()
