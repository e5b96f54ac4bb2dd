"""Super-resolution: MATLAB, Pillow and PyTorch as judges of interpolation, laws and gains for the rest."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from skimage import data

from restorecli.degradation.families.resize import cubic
from restorecli.degradation.operators import Convolution, PointSpread, operator_of
from restorecli.errors import ImageError
from restorecli.restoration.context import Context
from restorecli.restoration.methods.catalog import create_method
from restorecli.restoration.methods.classical.examples import _steps, borrowed_details
from restorecli.restoration.methods.classical.resampling import enlarge, lanczos3
from restorecli.restoration.methods.classical.superresolution import squared_norm

ENLARGING = ("bicubic", "lanczos", "back-projection", "tv-super-resolution", "self-similarity")


def reduction(factor):
    return operator_of([{"name": "downscale", "factor": factor}])


def psnr(one, other):
    return float(-10 * np.log10(np.mean((np.clip(one, 0, 1).astype(float) - other) ** 2)))


@pytest.fixture(scope="module")
def photo():
    """A part of scikit-image's cameraman, (1, 120, 120) float32."""
    return (data.camera()[100:220, 180:300] / 255).astype(np.float32)[None]


@pytest.mark.data
@pytest.mark.parametrize("factor", [2, 3, 4])
def test_bicubic_is_matlabs(reference_folder, factor) -> None:
    with np.load(reference_folder / "matlab_bicubic.npz") as stored:
        small, expected = (stored[f"{way}{factor}"].transpose(2, 0, 1) for way in ("down", "up"))
    result = create_method("bicubic", {"factor": factor}).restore(small, Context())
    np.testing.assert_allclose(result, expected, atol=5e-7)


@pytest.mark.parametrize("factor", [2, 3, 5])
def test_interpolation_is_pillows_inside(factor) -> None:
    """Pillow cuts its kernel at the border instead of mirroring, and computes in float32."""
    plane = np.random.default_rng(0).random((20, 24), np.float32)
    size = (24 * factor, 20 * factor)
    inside = (slice(4 * factor, -4 * factor),) * 2
    for kernel, reach, theirs in (
        (cubic, 2, Image.Resampling.BICUBIC),
        (lanczos3, 3, Image.Resampling.LANCZOS),
    ):
        expected = np.asarray(Image.fromarray(plane).resize(size, theirs))
        result = enlarge(plane[None], factor, kernel, reach)[0]
        np.testing.assert_allclose(result[inside], expected[inside], atol=2e-6)


def test_areas_and_not_corners_coincide() -> None:
    """A ramp is kept by a cubic, and PyTorch's bilinear interpolation (align_corners=False) keeps it too."""
    ramp = np.arange(16.0)[None, None, :].repeat(9, axis=1)
    tensor = torch.from_numpy(ramp)[None]
    expected = torch.nn.functional.interpolate(tensor, scale_factor=3, mode="bilinear")[0].numpy()
    np.testing.assert_allclose(enlarge(ramp, 3)[..., 9:-9], expected[..., 9:-9], atol=1e-9)


@settings(max_examples=20, deadline=None)
@given(
    name=st.sampled_from(ENLARGING),
    factor=st.integers(1, 4),
    height=st.integers(1, 12),
    width=st.integers(1, 12),
    value=st.floats(0, 1),
)
def test_a_flat_image_of_any_size_stays_flat(name, factor, height, width, value) -> None:
    method = create_method(name, {"factor": factor})
    flat = np.full((1, height, width), value, np.float32)
    result = method.restore(flat, Context(sigma=1.0))
    assert result.shape == (1, factor * height, factor * width)
    assert result.dtype == np.float32
    np.testing.assert_allclose(result, value, atol=1e-4)


@pytest.mark.parametrize("factor", [2, 4])
def test_every_method_beats_bicubic(photo, factor) -> None:
    known = Context(sigma=0.0, operator=reduction(factor))
    small = known.operator.forward(photo)
    scores = {name: psnr(create_method(name).restore(small, known), photo) for name in ENLARGING}
    assert all(scores[name] > scores["bicubic"] + 0.1 for name in ENLARGING[1:]), scores
    assert scores["self-similarity"] > scores["back-projection"]


@pytest.mark.parametrize("name", ["back-projection", "self-similarity"])
def test_the_result_reduced_again_is_the_small_image(photo, name) -> None:
    known = Context(sigma=0.0, operator=reduction(3))
    small = known.operator.forward(photo)
    result = create_method(name, {"iterations": 30}).restore(small, known)
    left = known.operator.forward(result) - small
    assert np.sqrt(np.mean(left**2)) < 0.31 / 255
    plain = create_method("bicubic").restore(small, known)
    assert np.sqrt(np.mean((known.operator.forward(plain) - small) ** 2)) > 2 / 255


def test_blur_before_the_reduction_is_undone_too(photo) -> None:
    steps = [{"name": "gaussian-blur", "sigma": 1.2}, {"name": "downscale", "factor": 2}]
    known = Context(sigma=0.5, operator=operator_of(steps))
    small = known.operator.forward(photo)
    informed = create_method("tv-super-resolution").restore(small, known)
    assumed = create_method("tv-super-resolution", {"factor": 2}).restore(small, Context(sigma=0.5))
    assert psnr(informed, photo) > psnr(assumed, photo) + 1


def test_noise_is_smoothed_by_total_variation_and_not_fitted(photo) -> None:
    known = Context(sigma=10.0, operator=reduction(2))
    noise = np.random.default_rng(0).standard_normal((1, 60, 60)) * 10 / 255
    small = (known.operator.forward(photo) + noise).astype(np.float32)
    scores = {name: psnr(create_method(name).restore(small, known), photo) for name in ENLARGING}
    assert scores["tv-super-resolution"] > scores["bicubic"] + 0.5


def test_the_factor_comes_from_the_method_or_the_operator_and_they_may_not_differ(photo) -> None:
    known = Context(sigma=0.0, operator=reduction(3))
    small = known.operator.forward(photo)
    assert create_method("bicubic").scale_for(known) == 3
    assert create_method("bicubic", {"factor": 2}).scale_for(Context()) == 2
    with pytest.raises(ImageError, match="contradicts"):
        create_method("bicubic", {"factor": 2}).restore(small, known)
    with pytest.raises(ImageError, match="by how much"):
        create_method("bicubic").restore(small, Context())
    blur = Context(sigma=0.0, operator=Convolution(PointSpread.centered(np.ones((1, 1)))))
    assert create_method("bicubic", {"factor": 2}).restore(small, blur).shape == (1, 80, 80)


def test_the_norm_of_the_operator() -> None:
    """Against the largest singular value of its matrix."""
    operator = reduction(2)
    columns = np.eye(144).reshape(144, 12, 12)
    matrix = operator.forward(columns).reshape(144, -1)
    largest = np.linalg.svd(matrix, compute_uv=False)[0] ** 2
    assert largest <= squared_norm(operator, (12, 12)) <= 1.1 * largest


def test_details_are_borrowed_from_where_they_recur() -> None:
    """An edge has the same shape on every scale, so that its details make it steeper; flat parts get none."""
    rows, columns = np.mgrid[:24, :24]
    edge = np.clip((rows + 0.5 * columns - 18) / 2 + 0.5, 0, 1)[None]
    details = borrowed_details(edge, 2, 3)
    assert details.shape == (1, 48, 48)
    steepness = [np.abs(np.diff(x, axis=1)).max() for x in (enlarge(edge, 2), enlarge(edge, 2) + details)]
    assert steepness[1] > 1.15 * steepness[0]
    assert np.abs(details[0, :6, :6]).max() < 1e-9


@given(st.integers(1, 8))
def test_large_factors_are_done_in_steps(factor) -> None:
    steps = _steps(factor)
    assert np.prod(steps, dtype=int) == factor
    assert all(step <= 3 or step in (5, 7) for step in steps)
