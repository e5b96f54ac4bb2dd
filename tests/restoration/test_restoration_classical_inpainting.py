"""Equations hold in holes, and textures go on."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.restoration import inpaint_biharmonic

from restorecli.errors import ImageError
from restorecli.restoration.context import Context
from restorecli.restoration.methods.classical.harmonic import harmonic
from restorecli.restoration.methods.classical.inpainting import InpaintBiharmonic, InpaintHarmonic, InpaintTv
from restorecli.restoration.methods.classical.quilts import least_cut
from restorecli.restoration.methods.classical.sources import largest_window, whole_windows
from restorecli.restoration.methods.classical.synthesis import InpaintExemplar, InpaintQuilting
from restorecli.restoration.methods.classical.variation import least_variation


def total_variation(image: np.ndarray) -> float:
    """Return the sum over pixels of the length of all channels' forward differences together."""
    down = np.diff(image, axis=1, append=image[:, -1:])
    across = np.diff(image, axis=2, append=image[:, :, -1:])
    return float(np.sqrt((down**2 + across**2).sum(axis=0)).sum())


def box(shape, top, left, height, width):
    mask = np.zeros(shape, bool)
    mask[top : top + height, left : left + width] = True
    return mask


def ramp(channels=3, height=40, width=50):
    rows, columns = np.arange(height)[:, None], np.arange(width)
    slopes = [(0.004, 0.006), (-0.005, 0.003), (0.002, -0.007)][:channels]
    planes = [0.5 + down * (rows - 20) + across * (columns - 25) for down, across in slopes]
    return np.stack(planes).astype(np.float32)


@pytest.mark.parametrize("method", [InpaintBiharmonic, InpaintHarmonic])
@pytest.mark.parametrize("channels", [1, 3])
def test_linear_ramps_are_reproduced(method, channels) -> None:
    mask = box((40, 50), 12, 15, 14, 17) | box((40, 50), 30, 4, 2, 30)
    broken = np.where(mask, np.float32(0), ramp(channels))
    np.testing.assert_allclose(method().restore(broken, Context(mask=mask)), ramp(channels), atol=2e-5)


def test_biharmonic_is_scikit_images() -> None:
    pixels = np.random.default_rng(0).random((3, 24, 26)).astype(np.float32)
    mask = box((24, 26), 8, 9, 6, 7)
    theirs = inpaint_biharmonic(pixels.transpose(1, 2, 0).astype(float), mask, channel_axis=-1)
    ours = InpaintBiharmonic().restore(pixels, Context(mask=mask))
    np.testing.assert_allclose(ours, theirs.transpose(2, 0, 1), atol=1e-6)


def test_harmonic_is_the_closed_form_of_discrete_waves() -> None:
    """cos(a x) cosh(b y) with cosh b = 2 - cos a solves the discrete Laplace equation exactly."""
    a = 0.35
    b = np.arccosh(2 - np.cos(a))
    rows, columns = np.arange(48)[:, None] - 24, np.arange(60) - 30
    exact = 0.5 + 1e-3 * np.cos(a * columns) * np.cosh(b * rows)
    mask = box((48, 60), 9, 11, 28, 33) & ~box((48, 60), 20, 20, 3, 4)
    result = harmonic(np.where(mask, 0.0, exact)[None], mask)[0]
    np.testing.assert_allclose(result, exact, atol=1e-6)


@settings(max_examples=20, deadline=None)
@given(
    height=st.integers(2, 24), width=st.integers(2, 24), share=st.floats(0.05, 0.9), seed=st.integers(0, 99)
)
def test_every_lost_pixel_is_the_mean_of_its_neighbors(height, width, share, seed) -> None:
    rng = np.random.default_rng(seed)
    mask = rng.random((height, width)) < share
    mask[rng.integers(height), rng.integers(width)] = False
    pixels = rng.random((2, height, width))
    result = harmonic(pixels, mask)
    sums, counts = np.zeros_like(result), np.zeros((height, width))
    for axis, step in ((0, 1), (0, -1), (1, 1), (1, -1)):
        edge = np.ones((height, width))
        cut = [slice(None), slice(None)]
        cut[axis] = slice(0, 1) if step == 1 else slice(-1, None)
        edge[tuple(cut)] = 0
        sums += np.roll(result, step, axis + 1) * edge
        counts += edge
    np.testing.assert_allclose(result[:, mask], (sums / counts)[:, mask], atol=1e-5)
    assert result.min() >= pixels[:, ~mask].min() - 1e-6
    assert result.max() <= pixels[:, ~mask].max() + 1e-6


def test_large_holes_agree_with_a_direct_solver() -> None:
    """Large enough for the coarse start; the judge is SciPy's sparse LU on equations written anew."""
    from scipy import sparse
    from scipy.sparse.linalg import spsolve

    rng = np.random.default_rng(0)
    pixels = rng.random((1, 90, 100))
    mask = box((90, 100), 0, 10, 80, 80)
    line = [sparse.diags_array([np.ones(n - 1), np.ones(n - 1)], offsets=[-1, 1]) for n in (90, 100)]
    links = sparse.kron(line[0], sparse.eye_array(100)) + sparse.kron(sparse.eye_array(90), line[1])
    links = sparse.csr_array(links)
    lost, known = np.flatnonzero(mask), np.flatnonzero(~mask)
    matrix = sparse.diags_array(links.sum(axis=1)).tocsr() - links
    expected = spsolve(matrix[lost][:, lost].tocsc(), links[lost][:, known] @ pixels.reshape(-1)[known])
    np.testing.assert_allclose(harmonic(pixels, mask)[0][mask], expected, atol=1e-5)


def test_total_variation_joins_a_bar_that_harmonic_blurs() -> None:
    pixels = np.full((1, 40, 40), 0.2, np.float32)
    pixels[:, 14:26] = 0.8
    mask = box((40, 40), 0, 17, 40, 5)
    broken = np.where(mask, np.float32(0.5), pixels)
    tv = InpaintTv(iterations=2000).restore(broken, Context(mask=mask))
    np.testing.assert_allclose(tv, pixels, atol=0.02)


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 99), channels=st.sampled_from([1, 3]))
def test_total_variation_cannot_be_lowered(seed, channels) -> None:
    """It is convex: no random step in the hole, however small, gives less."""
    rng = np.random.default_rng(seed)
    image, mask = rng.random((channels, 14, 15)), box((14, 15), 4, 0, 6, 7)
    least = least_variation(image, mask, 4000)
    np.testing.assert_array_equal(least[:, ~mask], image[:, ~mask])
    best = total_variation(least)
    for size in (0.3, 0.03, 0.003):
        step = np.where(mask, size * rng.standard_normal(image.shape), 0)
        assert total_variation(least + step) > best - 2e-3
        assert total_variation(least + 0.5 * (harmonic(image, mask) - least)) > best - 2e-3


def tiles(channels, height=60, width=66, period=(6, 7)):
    tile = np.random.default_rng(1).random((channels, *period)).astype(np.float32)
    times = (1, -(-height // period[0]), -(-width // period[1]))
    return np.ascontiguousarray(np.tile(tile, times)[:, :height, :width])


@pytest.mark.parametrize("method", [InpaintExemplar(), InpaintQuilting(block=16)], ids=lambda m: m.name)
@pytest.mark.parametrize("channels", [1, 3])
def test_a_periodic_texture_goes_on_exactly(method, channels) -> None:
    pixels = tiles(channels)
    mask = box((60, 66), 18, 20, 22, 25) | box((60, 66), 0, 0, 5, 6)
    broken = np.where(mask, np.float32(0.5), pixels)
    np.testing.assert_array_equal(method.restore(broken, Context(mask=mask)), pixels)


@pytest.mark.parametrize("method", [InpaintExemplar(), InpaintQuilting()], ids=lambda m: m.name)
def test_copied_pixels_are_the_images_own(method) -> None:
    """Nothing is averaged, so 16-bit values stay what they were."""
    pixels = np.rint(np.random.default_rng(0).random((3, 50, 60)) * 65535).astype(np.float32) / 65535
    mask = box((50, 60), 15, 20, 17, 18)
    result = method.restore(np.where(mask, np.float32(0), pixels), Context(mask=mask))
    own = {tuple(color) for color in pixels[:, ~mask].T}
    assert {tuple(color) for color in result[:, mask].T} <= own


def test_exemplars_go_on_with_lines_first() -> None:
    """A bar across a hole is joined, where the harmonic solution fades."""
    pixels = np.full((1, 60, 60), 0.2, np.float32)
    pixels[:, 26:34] = 0.9
    pixels += 0.01 * np.random.default_rng(0).random((1, 60, 60), dtype=np.float32)
    mask = box((60, 60), 15, 20, 30, 20)
    broken = np.where(mask, np.float32(0), pixels)
    result = InpaintExemplar().restore(broken, Context(mask=mask))
    assert np.abs(result - pixels).max() < 0.02
    faded = InpaintHarmonic().restore(broken, Context(mask=mask))
    assert np.abs(faded - pixels).max() > 0.3


def test_sources_far_away_are_used_where_none_are_near() -> None:
    """Stripes: whatever lies far enough to the side, within six rows, fits."""
    pixels = np.tile(np.array([[0.2], [0.7]], np.float32), (1, 20, 120))
    mask = box((40, 120), 0, 10, 40, 60)
    for method in (InpaintExemplar(reach=6), InpaintQuilting(block=12, reach=6)):
        result = method.restore(np.where(mask, np.float32(0), pixels), Context(mask=mask))
        np.testing.assert_array_equal(result, pixels)


@pytest.mark.parametrize("method", [InpaintExemplar(), InpaintQuilting()], ids=lambda m: m.name)
def test_a_mask_that_leaves_nothing_whole_is_refused_with_advice(method) -> None:
    mask = np.zeros((20, 20), bool)
    mask[::2] = True
    with pytest.raises(ImageError, match="inpaint-harmonic"):
        method.restore(np.zeros((1, 20, 20), np.float32), Context(mask=mask))


def test_quilting_draws_by_its_seed() -> None:
    pixels = np.random.default_rng(0).random((1, 60, 60)).astype(np.float32)
    mask = box((60, 60), 15, 15, 25, 25)
    results = [
        InpaintQuilting(block=12, tolerance=0.5, seed=seed).restore(pixels, Context(mask=mask))
        for seed in (0, 0, 1)
    ]
    np.testing.assert_array_equal(results[0], results[1])
    assert not np.array_equal(results[0], results[2])


@settings(max_examples=30, deadline=None)
@given(rows=st.integers(1, 7), columns=st.integers(1, 4), seed=st.integers(0, 999))
def test_the_least_cut_is_the_best_of_all_paths(rows, columns, seed) -> None:
    errors = np.random.default_rng(seed).random((rows, columns))
    paths = [[column] for column in range(columns)]
    for _ in range(rows - 1):
        paths = [[*p, c] for p in paths for c in range(columns) if abs(c - p[-1]) <= 1]
    best = min(sum(errors[row, column] for row, column in enumerate(path)) for path in paths)
    path = least_cut(errors)
    assert np.abs(np.diff(path)).max(initial=0) <= 1
    assert errors[np.arange(rows), path].sum() == pytest.approx(best)


def test_whole_windows_hold_nothing_lost() -> None:
    mask = np.random.default_rng(0).random((20, 25)) < 0.05
    windows = np.lib.stride_tricks.sliding_window_view(mask, (4, 5))
    np.testing.assert_array_equal(whole_windows(mask, 4, 5), ~windows.any(axis=(2, 3)))
    assert largest_window(box((20, 25), 0, 0, 20, 18), 9, 2) == (7, 7)
    assert largest_window(np.zeros((4, 30), bool), 9, 2) == (3, 9)
