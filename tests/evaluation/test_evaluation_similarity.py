"""The compiled SSIM: any memory layout, the extremes, and the same digits whatever surrounds an image."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.metrics import structural_similarity

from restorecli.evaluation.metrics.psnr_ssim import ssim
from restorecli.evaluation.metrics.similarity import similarity_sum


def judge(first: np.ndarray, second: np.ndarray) -> float:
    mean, _ = structural_similarity(
        first,
        second,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
        data_range=255,
        full=True,
    )
    return mean


def noise(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


@pytest.mark.parametrize("size", [(11, 11), (11, 300), (300, 11), (23, 64), (40, 1030)])
def test_sizes_around_the_window_and_the_vector_length_agree_with_scikit_image(size) -> None:
    first, second = noise(1, *size), noise(2, *size)
    valid = (size[0] - 10) * (size[1] - 10)
    assert similarity_sum(first, second) / valid == pytest.approx(judge(first, second), abs=1e-12)


@pytest.mark.parametrize("step", [1, 2, 5])
def test_the_hardest_contrasts_agree_with_scikit_image(step) -> None:
    """Checkerboards of 0 and 255 and their negatives: the largest sums and the largest differences."""
    rows, columns = np.indices((37, 45)) // step
    board = ((rows + columns) % 2 * 255).astype(np.uint8)
    for other in (255 - board, np.zeros_like(board), np.full_like(board, 255)):
        assert similarity_sum(board, other) / (27 * 35) == pytest.approx(judge(board, other), abs=1e-12)


def test_flat_bright_areas_with_one_level_of_noise_keep_all_digits() -> None:
    """Here single precision loses the fifth digit."""
    first = 254 + np.random.default_rng(0).integers(0, 2, (60, 70), dtype=np.uint8)
    second = 254 + np.random.default_rng(1).integers(0, 2, (60, 70), dtype=np.uint8)
    assert similarity_sum(first, second) / (50 * 60) == pytest.approx(judge(first, second), abs=1e-12)


@given(st.integers(0, 12), st.integers(0, 12), st.integers(0, 2**32 - 1))
@settings(max_examples=25, deadline=None)
def test_a_crop_scores_the_same_digits_as_its_copy(top, left, seed) -> None:
    whole = noise(seed, 2, 3, 40, 52)
    first, second = whole[:, :, top : top + 24, left : left + 31]
    assert not first.flags.c_contiguous
    assert ssim(first, second) == ssim(first.copy(), second.copy())


def test_layout_and_permissions_do_not_matter() -> None:
    first, second = noise(3, 30, 41, 3), noise(4, 30, 41, 3)
    want = ssim(*(np.ascontiguousarray(side.transpose(2, 0, 1)) for side in (first, second)))
    second.flags.writeable = False
    assert ssim(first.transpose(2, 0, 1), second.transpose(2, 0, 1)) == want


def test_neither_image_is_written_to() -> None:
    first, second = noise(5, 1, 20, 20), noise(6, 1, 20, 20)
    before = first.copy(), second.copy()
    ssim(first, second)
    np.testing.assert_array_equal((first, second), before)


def test_the_compiler_is_loaded_by_the_first_score_and_not_before() -> None:
    check = "import sys, restorecli.evaluation.folder; print('numba' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", check], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "False"
