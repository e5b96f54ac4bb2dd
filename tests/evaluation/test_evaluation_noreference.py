"""Consistency, whiteness and noise level: closed forms, known noise, and folders without references."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from restorecli.degradation.again import degrade_again
from restorecli.degradation.chain import Chain
from restorecli.degradation.folder import degrade_folder
from restorecli.errors import DataError, UsageError
from restorecli.evaluation.folder import evaluate_folders
from restorecli.evaluation.metrics.consistency import consistency, peak_ratio
from restorecli.evaluation.metrics.metric import Subject
from restorecli.evaluation.metrics.protocol import find_protocol
from restorecli.evaluation.metrics.residual import estimate_sigma, noise_level, residual_whiteness, whiteness
from restorecli.evaluation.pairing.finding import pair_folder
from restorecli.folders.manifest import Manifest, Record
from restorecli.images.image import FileTraits, ImageData
from restorecli.images.reading import read_image
from restorecli.images.writing import write_image

RGB = find_protocol("rgb")


def noise(*shape: int, sigma: float = 1.0, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, sigma, shape)


def subject(image, degraded=None, redegraded: Callable[[], np.ndarray] | None = None) -> Subject:
    return Subject(image, None, degraded=degraded, redegraded=redegraded, protocol=RGB)


@pytest.mark.parametrize("shape", [(1, 24, 24), (3, 60, 50), (1, 200, 300)])
def test_white_noise_is_as_white_as_its_size_allows(shape):
    ours = [residual_whiteness(noise(*shape, seed=seed)) for seed in range(5)]
    overlaps = [9 * side - 20 for side in shape[1:]]  # sum of side - |lag| over the nine lags
    squares = math.prod(overlaps) - math.prod(shape[1:])
    expected = 1 / (1 + shape[0] * squares / math.prod(shape) ** 2)
    assert np.mean(ours) == pytest.approx(expected, rel=0.02)


@pytest.mark.parametrize(
    ("taps", "expected"),
    [
        ([[1, 1]], 2 / 3),  # rho(0, +-1) = 1/2
        ([[1], [1]], 2 / 3),
        ([[1, 1], [1, 1]], 4 / 9),  # the product of the two
        ([[1, 0, 0, 0, 1]], 2 / 3),  # four pixels apart is still seen
        ([[1, 0, 0, 0, 0, 1]], 1),  # five are not
        ([[1, 0, 0], [0, 0, 1]], 2 / 3),
        ([[0, 0, 1], [1, 0, 0]], 2 / 3),
    ],
)
def test_a_running_mean_has_the_whiteness_of_its_autocorrelation(taps, expected):
    white = noise(320, 320, seed=5)
    kernel = np.array(taps)
    rows, columns = 320 - kernel.shape[0] + 1, 320 - kernel.shape[1] + 1
    mean = sum(
        weight * white[i : i + rows, j : j + columns] for (i, j), weight in np.ndenumerate(kernel) if weight
    )
    assert residual_whiteness(mean[None]) == pytest.approx(expected, rel=0.02)


@given(st.floats(0.5, 100), st.floats(-50, 50), st.integers(0, 99))
@settings(max_examples=15, deadline=None)
def test_whiteness_knows_no_scale_and_no_offset(scale, offset, seed):
    residual = noise(1, 40, 40, seed=seed)
    assert residual_whiteness(scale * residual + offset) == pytest.approx(residual_whiteness(residual))


def test_structure_left_in_the_residual_lowers_the_whiteness():
    clean = np.where(np.arange(64) // 8 % 2, 60.0, 180.0)[None, None] * np.ones((1, 64, 1))
    degraded = np.clip(clean + noise(1, 64, 64, sigma=10), 0, 255).round().astype(np.uint8)
    right, flat = clean.astype(np.uint8), np.full_like(clean, clean.mean()).astype(np.uint8)
    assert whiteness(subject(right, degraded)) > 0.95
    assert whiteness(subject(flat, degraded)) < 0.1


def test_there_is_no_residual_of_equal_or_different_images():
    image = np.zeros((1, 20, 20), np.uint8)
    for degraded in (None, image, image + 7, np.zeros((1, 10, 10), np.uint8)):
        with pytest.raises(DataError):
            whiteness(subject(image, degraded))


@pytest.mark.parametrize("sigma", [0.7, 5, 25])
@pytest.mark.parametrize("channels", [1, 3])
def test_the_noise_level_of_white_noise_is_its_sigma(sigma, channels):
    ramp = np.linspace(0, 255, 300)[None, None] * np.ones((channels, 300, 1))
    assert estimate_sigma(ramp + noise(channels, 300, 300, sigma=sigma)) == pytest.approx(sigma, rel=0.02)


def test_the_wavelet_is_orthonormal_and_blind_to_ramps():
    rows, columns = np.mgrid[:41, :38].astype(float)
    assert estimate_sigma((3 * rows - 2 * columns + 7)[None]) == 0
    spike = np.zeros((1, 41, 38))
    spike[0, 20, 20] = 1
    energies = []
    for down in range(2):
        for across in range(2):
            moved = np.roll(spike, (down, across), (1, 2))
            values = [estimate_sigma(moved[:, top : top + 4, left : left + 4]) * 0.6744897501960817
                      for top in range(14, 24, 2) for left in range(14, 24, 2)]  # fmt: skip
            energies.append(sum(value**2 for value in values))
    assert sum(energies) == pytest.approx(1)


def test_the_noise_level_is_on_the_scale_of_255_whatever_the_image_is_stored_in():
    levels = np.clip(128 + noise(1, 200, 200, sigma=20), 0, 255).round()
    eight, unit = levels.astype(np.uint8), (levels / 255).astype(np.float32)
    assert noise_level(subject(eight)) == pytest.approx(20, rel=0.03)
    assert noise_level(subject(unit)) == pytest.approx(noise_level(subject(eight)), rel=1e-5)
    with pytest.raises(DataError):
        noise_level(subject(eight[:, :3]))
    assert noise_level(subject(np.full((3, 9, 9), 0.5, np.float32))) == 0


def test_the_peak_ratio_rounds_like_the_degraded_file():
    exact = np.full((1, 4, 4), 0.5, np.float32)
    assert peak_ratio(exact, np.full((1, 4, 4), 128, np.uint8)) == math.inf
    assert peak_ratio(exact, exact + np.float32(0.125)) == pytest.approx(20 * math.log10(8))
    assert peak_ratio(exact - 1, exact - np.float32(0.875)) == pytest.approx(20 * math.log10(8))
    with pytest.raises(DataError):
        peak_ratio(exact, exact[:, :2])
    with pytest.raises(DataError):
        peak_ratio(exact * np.nan, exact)


def test_an_odd_line_of_the_manifest_costs_one_score():
    image = np.zeros((1, 8, 8), np.uint8)

    def unknown() -> np.ndarray:
        raise UsageError("There is no degradation 'ghosts'.")

    with pytest.raises(DataError, match="ghosts"):
        consistency(subject(image, image, unknown))


@pytest.fixture
def chain_on_disk(tmp_path) -> Callable[..., Path]:
    """Degrade one image and write a restored one, as the commands do; references can be taken away."""

    def run(steps, restored, *, depth: int = 8, unclipped: bool = False, keep: bool = True) -> Path:
        clean = np.random.default_rng(6).uniform(0.3, 0.7, (3, 36, 40)).astype(np.float32)
        (tmp_path / "clean").mkdir()
        write_image(tmp_path / "clean/a.png", ImageData(clean, FileTraits(depth=depth)))
        clean = read_image(tmp_path / "clean/a.png").pixels
        degrade_folder(tmp_path / "clean", tmp_path / "noisy", Chain.from_specs(steps), unclipped=unclipped)
        (line,) = Manifest(tmp_path / "noisy").read().values()
        out = tmp_path / "restored"
        out.mkdir()
        write_image(out / "a.png", ImageData(restored(clean), FileTraits(depth=depth)))
        values = {"seed": line.seed, "key": line.key, "degradations": line.degradations}
        Manifest(out).append(
            Record(
                "a.png",
                "restore",
                "all",
                "../clean/a.png" if keep else None,
                f"../noisy/{line.path}",
                "1",
                degraded=f"../noisy/{line.path}",
                unclipped=line.unclipped,
                **values,
            )
        )
        return out

    return run


BLUR_NOISE = [{"name": "blur", "sigma": 1.5}, {"name": "gaussian", "sigma": 15}]
ENLARGED = [{"name": "gaussian", "sigma": 5}, {"name": "downscale", "factor": 2}]


@pytest.mark.parametrize(
    ("steps", "options"),
    [
        (BLUR_NOISE, {}),
        (BLUR_NOISE, {"depth": 16}),
        (BLUR_NOISE, {"unclipped": True}),
        (ENLARGED, {}),
        (["jpeg"], {}),
        (["poisson"], {}),
    ],
)
def test_the_reference_itself_is_perfectly_consistent(chain_on_disk, steps, options):
    out = chain_on_disk(steps, lambda clean: clean, **options)
    found = evaluate_folders(out, metrics=["consistency"], redegrade=degrade_again)
    score = (found.images[0].restored or {})["consistency"]
    assert score is not None
    assert score > 100 if options.get("depth") == 16 else score == math.inf


def test_with_noise_alone_consistency_is_psnr(chain_on_disk):
    out = chain_on_disk([{"name": "gaussian", "sigma": 10}], lambda clean: clean + np.float32(8 / 255))
    found = evaluate_folders(out, metrics=["psnr", "consistency"], redegrade=degrade_again)
    scores = found.images[0].restored or {}
    assert scores["psnr"] == pytest.approx(20 * math.log10(255 / 8), abs=0.01)
    assert scores["consistency"] == pytest.approx(scores["psnr"], abs=0.05)


def test_what_the_blur_takes_away_costs_nothing_and_a_shift_of_brightness_does(chain_on_disk):
    checks = np.indices((36, 40)).sum(axis=0) % 2 * np.float32(0.1)
    out = chain_on_disk(
        [{"name": "blur", "sigma": 3}], lambda clean: clean + checks - np.float32(0.05), keep=False
    )
    found = evaluate_folders(out, metrics=["consistency"], redegrade=degrade_again)
    score = (found.images[0].restored or {})["consistency"]
    assert score is not None
    assert score > 45  # against about 26 dB for the image itself


NOWHERE = ["consistency", "whiteness", "noise-level"]


def test_without_any_reference_the_three_still_have_a_value(chain_on_disk):
    out = chain_on_disk(BLUR_NOISE, lambda clean: clean, keep=False)
    found = evaluate_folders(out, metrics=NOWHERE, redegrade=degrade_again)
    (image,) = found.images
    assert image.pair.reference is None
    assert None not in (image.restored or {"": None}).values()
    assert (image.degraded or {})["noise-level"] == pytest.approx(15, rel=0.2)
    with pytest.raises(DataError):
        evaluate_folders(out)


def test_plain_folders_need_no_manifest_where_no_metric_needs_one(tmp_path, save):
    for name in ("a.png", "b.png"):
        save(tmp_path / "out" / name, 1)
        save(tmp_path / "noisy" / name, 2)
    found = evaluate_folders(tmp_path / "out", degraded=tmp_path / "noisy", metrics=NOWHERE)
    assert [set(score.restored or {}) for score in found.images] == [set(NOWHERE)] * 2
    assert [(score.restored or {})["consistency"] for score in found.images] == [None, None]
    assert all((score.restored or {})["whiteness"] for score in found.images)
    with pytest.raises(DataError, match="which references"):
        evaluate_folders(tmp_path / "out", degraded=tmp_path / "noisy")


def test_the_output_of_another_program_is_checked_by_the_manifest_of_the_degraded_folder(tmp_path, save):
    clean = save(tmp_path / "clean/a.png", 1)
    degrade_folder(clean.parent, tmp_path / "noisy", Chain.from_specs(["jpeg"]))
    save(tmp_path / "theirs/a.png", pixels=read_image(clean).pixels)
    found = evaluate_folders(
        tmp_path / "theirs", degraded=tmp_path / "noisy", metrics=["consistency"], redegrade=degrade_again
    )
    assert (found.images[0].restored or {})["consistency"] == math.inf


def test_references_that_are_gone_are_only_missed_where_they_are_needed(tmp_path, save):
    out = tmp_path / "restored"
    save(out / "a.png", 1)
    Manifest(out).append(Record("a.png", "restore", "c", "../gone/a.png", "../gone/n.png", "1"))
    (pair,) = pair_folder(out, needs_reference=False).pairs
    assert pair.reference is None
    (pair,) = pair_folder(out).pairs
    assert pair.reference is not None
    given = save(tmp_path / "ref/b.png", 2).parent
    assert pair_folder(out, given, needs_reference=False).pairs == ()
