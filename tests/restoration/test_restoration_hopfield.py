"""The network of 1988: its energy only falls, and at rest no gray level wants to change."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from restorecli.degradation.operators import Convolution, PointSpread
from restorecli.restoration.context import Context
from restorecli.restoration.methods.per_image.hopfield import SMOOTHNESS, Energy, Hopfield, settle

UNIFORM = Convolution(PointSpread.centered(np.full((5, 5), 1 / 25)))
SLIGHT = Convolution(PointSpread.centered(np.outer([0.1, 0.8, 0.1], [0.1, 0.8, 0.1])))
LOPSIDED = Convolution(PointSpread(np.array([[0.5, 0.3, 0.2]]), (0, 0)))
STEPS = pytest.mark.parametrize("step", ["best", "unit"])


def scene(height=16, width=16, channels=1):
    """Whole gray levels: a ramp, a box and a little texture."""
    rows, columns = np.mgrid[:height, :width]
    plane = 60 + 6 * rows + 3 * columns + 4 * ((rows + columns) % 3)
    plane[4:9, 5:11] = 180
    return np.repeat(np.clip(plane, 0, 255)[None].astype(float), channels, axis=0)


def judged_energy(observed, x, blur, weight):
    """The energy written out by SciPy's convolution, beyond our operators."""
    blurred = x[0] if blur is None else ndimage.convolve(x[0], blur.spread.odd, mode="reflect")
    bent = ndimage.convolve(x[0], SMOOTHNESS, mode="reflect")
    return 0.5 * ((observed[0] - blurred) ** 2).sum() + 0.5 * weight * (bent**2).sum()


@pytest.mark.parametrize("blur", [None, UNIFORM, SLIGHT, LOPSIDED])
def test_the_energy_is_its_formula_and_the_drive_its_gradient(blur) -> None:
    rng = np.random.default_rng(0)
    observed, x = rng.uniform(0, 255, (2, 1, 9, 11))
    energy = Energy(observed, blur, 0.3)
    assert energy(x) == pytest.approx(judged_energy(observed, x, blur, 0.3), rel=1e-9)
    drive, own = energy.drive(x), energy.self_coupling()
    for row, column in [(0, 0), (4, 5), (8, 10), (1, 9)]:
        after = x.copy()
        after[0, row, column] += 1
        change = judged_energy(observed, after, blur, 0.3) - judged_energy(observed, x, blur, 0.3)
        assert change == pytest.approx(-drive[0, row, column] + 0.5 * own[row, column], abs=1e-6)


@STEPS
@settings(max_examples=8, deadline=None)
@given(
    blur=st.sampled_from([None, UNIFORM, SLIGHT, LOPSIDED]),
    weight=st.floats(0, 5),
    height=st.integers(1, 8),
    width=st.integers(1, 8),
    seed=st.integers(0, 99),
)
def test_energy_falls_with_every_sweep_and_rest_is_a_local_minimum(
    step, blur, weight, height, width, seed
) -> None:
    rng = np.random.default_rng(seed)
    dark = rng.uniform(-20, 235)
    observed = rng.uniform(dark, dark + 40, (1, height, width))
    start = np.clip(np.rint(observed), 0, 255)
    state, energies = settle(Energy(observed, blur, weight), start, step=step, sweeps=20000)
    assert all(after < before for before, after in itertools.pairwise(energies[:-1]))
    assert energies[-1] == pytest.approx(judged_energy(observed, state, blur, weight), rel=1e-6, abs=1e-6)
    assert (state == np.rint(state)).all()
    assert 0 <= state.min() <= state.max() <= 255
    for row, column, change in itertools.product(range(height), range(width), (-1, 1)):
        other = state.copy()
        other[0, row, column] += change
        if 0 <= other[0, row, column] <= 255:
            assert judged_energy(observed, other, blur, weight) > energies[-1] - 1e-4


@STEPS
@pytest.mark.parametrize("weight", [0.0, 0.01])
def test_it_agrees_with_the_linear_solution_within_a_gray_level(step, weight) -> None:
    """16 x 16 without noise; the judge solves (H^T H + weight D^T D) x = H^T y with dense matrices."""
    count = 16 * 16
    units = np.eye(count).reshape(count, 16, 16)
    blurs = np.stack([ndimage.convolve(unit, SLIGHT.spread.kernel, mode="reflect").ravel() for unit in units])
    bends = np.stack([ndimage.convolve(unit, SMOOTHNESS, mode="reflect").ravel() for unit in units])
    observed = (blurs.T @ scene().ravel()).reshape(1, 16, 16)
    linear = np.linalg.solve(blurs @ blurs.T + weight * bends @ bends.T, blurs @ observed.ravel())
    start = np.clip(np.rint(observed), 0, 255)
    state, _ = settle(Energy(observed, SLIGHT, weight), start, step=step, sweeps=20000)
    assert np.abs(state.ravel() - linear).max() <= 1


def test_it_deblurs_and_denoises() -> None:
    clean = scene(40, 40) / 255
    blurred = UNIFORM.forward(clean).astype(np.float32)
    context = Context(sigma=0.0, operator=UNIFORM)
    restored = Hopfield().restore(blurred, context)
    assert np.mean((restored - clean) ** 2) < 0.6 * np.mean((blurred - clean) ** 2)
    assert context.found.values["sweeps"] > 1
    noisy = (clean + np.random.default_rng(0).normal(0, 15 / 255, clean.shape)).astype(np.float32)
    restored = Hopfield().restore(noisy, Context(sigma=15.0))
    assert np.mean((restored - clean) ** 2) < 0.7 * np.mean((noisy - clean) ** 2)


def test_every_channel_is_a_network_of_its_own() -> None:
    rng = np.random.default_rng(1)
    image = rng.random((3, 9, 10), dtype=np.float32)
    whole = Hopfield().restore(image, Context(sigma=10.0, operator=SLIGHT))
    for channel in range(3):
        alone = Hopfield().restore(image[channel : channel + 1], Context(sigma=10.0, operator=SLIGHT))
        np.testing.assert_array_equal(whole[channel], alone[0])
