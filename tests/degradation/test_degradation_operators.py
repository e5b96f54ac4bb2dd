"""Operators: one law of adjointness for all, and the degradations themselves as the judge of what they do."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from scipy import ndimage

from restorecli.degradation.catalog import from_record
from restorecli.degradation.chain import image_rng
from restorecli.degradation.operator_words import operator_named, read_kernel
from restorecli.degradation.operators import Convolution, PointSpread, noise_of, operator_of
from restorecli.errors import UsageError

STEPS = {
    "gaussian": [{"name": "gaussian-blur", "sigma": 1.3}],
    "motion": [{"name": "motion-blur", "length": 9.0, "angle": 35.0}],
    "defocus": [{"name": "defocus", "radius": 2.5, "edge": 0.4}],
    "half": [{"name": "downscale", "factor": 2}],
    "third": [{"name": "downscale", "factor": 3}],
    "blurred half": [{"name": "gaussian-blur", "sigma": 0.8}, {"name": "downscale", "factor": 2}],
}


def operators():
    """Return every kind of operator by name."""
    kinds = {name: operator_of(steps) for name, steps in STEPS.items()}
    uneven = PointSpread(np.random.default_rng(1).random((4, 6)), (3, 1))
    kinds["uneven circular"] = Convolution(uneven, 1, "circular")
    kinds["uneven third, circular"] = Convolution(uneven, 3, "circular")
    kinds["larger than the image"] = Convolution(PointSpread.centered(np.ones((41, 3)) / 123))
    return kinds


OPERATORS = operators()


@settings(max_examples=40, deadline=None)
@given(
    name=st.sampled_from(list(OPERATORS)),
    height=st.integers(2, 9),
    width=st.integers(2, 9),
    seed=st.integers(0, 2**32 - 1),
)
def test_every_operator_has_its_adjoint(name, height, width, seed) -> None:
    rng = np.random.default_rng(seed)
    size = (6 * height, 6 * width)  # a multiple of every factor, so that nothing is cut off
    operator = OPERATORS[name]
    x = rng.standard_normal((2, *size))
    y = rng.standard_normal((2, *(side // operator.factor for side in size)))
    assert operator.forward(x).shape == y.shape
    assert operator.adjoint(y).shape == x.shape
    one, other = np.vdot(operator.forward(x), y), np.vdot(x, operator.adjoint(y))
    assert one == pytest.approx(other, abs=1e-9 * np.linalg.norm(x) * np.linalg.norm(y))


@pytest.mark.parametrize("name", STEPS)
def test_an_operator_does_what_its_degradations_do(name) -> None:
    x = np.random.default_rng(0).random((3, 30, 42), np.float32)
    expected = x
    for step in STEPS[name]:
        expected = from_record(step).apply(expected, image_rng(0, "k"))
    result = operator_of(STEPS[name]).forward(x)
    assert result.dtype == np.float32
    np.testing.assert_allclose(result, expected, atol=2e-6)


def test_a_kernel_is_convolved_and_not_correlated() -> None:
    kernel = np.random.default_rng(2).random((3, 5))
    x = np.random.default_rng(3).random((1, 12, 14))
    expected = ndimage.convolve(x[0], kernel, mode="reflect")
    np.testing.assert_allclose(Convolution(PointSpread.centered(kernel)).forward(x)[0], expected)
    circular = Convolution(PointSpread.centered(kernel), 1, "circular").forward(x)[0]
    np.testing.assert_allclose(circular, ndimage.convolve(x[0], kernel, mode="wrap"))


@pytest.mark.parametrize("half", [False, True])
def test_the_transfer_function_is_the_circular_operator(half) -> None:
    spread = PointSpread(np.random.default_rng(4).random((4, 7)), (1, 5))
    x = np.random.default_rng(5).random((1, 11, 9))
    forward, back = (np.fft.rfft2, np.fft.irfft2) if half else (np.fft.fft2, np.fft.ifft2)
    result = back(forward(x[0]) * spread.transfer((11, 9), half=half), s=(11, 9)).real
    np.testing.assert_allclose(result, Convolution(spread, 1, "circular").forward(x)[0], atol=1e-12)
    centered = PointSpread.centered(spread.odd)
    np.testing.assert_allclose(Convolution(centered).forward(x), Convolution(spread).forward(x), atol=1e-12)


def test_two_operators_in_a_row_are_one() -> None:
    rng = np.random.default_rng(6)
    first = Convolution(PointSpread(rng.random((3, 4)), (1, 2)), 2, "circular")
    second = Convolution(PointSpread(rng.random((2, 3)), (0, 2)), 2, "circular")
    x = rng.random((1, 24, 32))
    np.testing.assert_allclose(first.then(second).forward(x), second.forward(first.forward(x)), atol=1e-12)


def test_which_kernels_mirror() -> None:
    assert {name: operator_of(steps).spread.mirrors for name, steps in STEPS.items() if "h" not in name} == {
        "gaussian": True,
        "motion": False,
        "defocus": True,
    }


def test_noise_and_what_is_not_linear_is_skipped() -> None:
    noisy = [{"name": "gaussian", "sigma": 3.0}, *STEPS["gaussian"], {"name": "gaussian", "sigma": 4.0}]
    assert noise_of(noisy) == pytest.approx(5.0)
    np.testing.assert_array_equal(operator_of(noisy).spread.kernel, OPERATORS["gaussian"].spread.kernel)
    assert noise_of([*noisy, {"name": "jpeg", "quality": 50}]) is None
    assert noise_of(STEPS["half"]) == 0
    assert noise_of([*noisy, {"name": "holes"}, {"name": "scratches"}]) == pytest.approx(5.0)
    assert operator_of([{"name": "jpeg", "quality": 50}]) is None


def test_operators_are_named_by_words() -> None:
    named = operator_named(["gaussian-blur:sigma=0.8", "downscale:factor=2"])
    expected = OPERATORS["blurred half"]
    assert named.factor == 2
    np.testing.assert_array_equal(named.spread.kernel, expected.spread.kernel)
    assert operator_named(["downscale"]).factor == 2
    assert operator_named([]) is None


@pytest.mark.parametrize(
    "word",
    [
        "gaussian",
        "gausian-blur",
        "gaussian-blur:sgma=1",
        "gaussian-blur:sigma",
        "defocus:linear=true",
        "motion-blur:length=0",
    ],
)
def test_words_that_name_no_operator_are_refused(word) -> None:
    with pytest.raises(UsageError):
        operator_named([word])


def test_an_image_of_a_kernel(tmp_path) -> None:
    levels = np.zeros((5, 7), np.uint8)
    levels[2, 3:6] = [200, 100, 100]
    Image.fromarray(levels).save(tmp_path / "kernel.png")
    spread = read_kernel(tmp_path / "kernel.png")
    np.testing.assert_allclose(spread.kernel[2, 3:6], [0.5, 0.25, 0.25], atol=1e-6)
    assert spread.center == (2, 3)
    operator = operator_named([str(tmp_path / "kernel.png")])
    point = np.zeros((1, 9, 9))
    point[0, 4, 4] = 1
    np.testing.assert_allclose(operator.forward(point)[0, 4, 4:7], [0.5, 0.25, 0.25], atol=1e-6)
    Image.fromarray(np.zeros((3, 3), np.uint8)).save(tmp_path / "black.png")
    with pytest.raises(UsageError, match="no kernel"):
        read_kernel(tmp_path / "black.png")
