"""How much of a defect is kept: closed forms, least squares of another library, and the warning."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import distance_transform_edt
from skimage.filters import gaussian

from restorecli.errors import DataError
from restorecli.evaluation.folder import evaluate_folders
from restorecli.evaluation.metrics import defects
from restorecli.evaluation.metrics.catalog import find_metrics
from restorecli.evaluation.pairing.pairs import Pair, Source
from restorecli.evaluation.result import PairScore
from restorecli.evaluation.statistics.assembly import assemble
from restorecli.folders.walking import walk
from restorecli.images.image import ImageData
from restorecli.images.reading import read_image
from restorecli.images.writing import write_image

GROUND = 120.0


def spot(size: int = 80, at: int = 34, side: int = 12) -> np.ndarray:
    mask = np.zeros((size, size), bool)
    mask[at : at + side, at : at + side] = True
    return mask


def pattern(mask: np.ndarray, mean: float = -30, spread: float = 15, channels: int = 1) -> np.ndarray:
    noise = np.random.default_rng(1).normal(mean, spread, (channels, *mask.shape))
    return noise * mask


MASK = spot()
DEFECT = pattern(MASK)
REFERENCE = GROUND + DEFECT
MEASURES = (defects.contrast_kept, defects.edges_kept, defects.defect_score)


@given(st.floats(0, 1))
@settings(max_examples=20, deadline=None)
def test_a_defect_blended_into_its_surroundings_keeps_what_is_left_of_it(share):
    for measure in MEASURES:
        assert measure(GROUND + (1 - share) * DEFECT, REFERENCE, MASK) == pytest.approx(100 * (1 - share))


def test_the_reference_itself_keeps_everything_whatever_its_texture():
    texture = np.random.default_rng(0).integers(0, 256, (3, 60, 70), dtype=np.uint8)
    mask = np.zeros((60, 70), bool)
    mask[20:40, 25:50] = True
    for measure in MEASURES:
        assert measure(texture, texture, mask) == pytest.approx(100)


def test_what_is_exaggerated_costs_as_much_as_what_is_lost():
    for factor, score in ((1.2, 80), (0.8, 80), (2, 0), (-0.5, 0)):
        restored = GROUND + factor * DEFECT
        assert defects.contrast_kept(restored, REFERENCE, MASK) == pytest.approx(100 * factor)
        assert defects.edges_kept(restored, REFERENCE, MASK) == pytest.approx(100 * factor)
        assert defects.defect_score(restored, REFERENCE, MASK) == pytest.approx(score)


def test_the_score_is_the_geometric_mean_of_its_two_parts():
    restored = gaussian(REFERENCE[0], 2)[None]
    contrast, edges, score = (measure(restored, REFERENCE, MASK) for measure in MEASURES)
    assert edges < contrast - 10
    assert score == pytest.approx((contrast * edges) ** 0.5)


def test_noise_is_no_kept_edge():
    noisy = REFERENCE + np.random.default_rng(2).normal(0, 20, REFERENCE.shape)
    flat = noisy - DEFECT
    energy = [float(np.square(np.gradient(image[0])).sum()) for image in (noisy, REFERENCE)]
    assert energy[0] > 3 * energy[1]  # which is what the energy of the gradients alone would call kept
    for measure in MEASURES:
        assert measure(noisy, REFERENCE, MASK) == pytest.approx(100, abs=8)
        assert measure(flat, REFERENCE, MASK) == pytest.approx(0, abs=8)


def test_a_defect_counts_the_same_wherever_it_lies():
    scene = GROUND + np.random.default_rng(3).normal(0, 3, (1, 80, 80)) + DEFECT
    restored = gaussian(scene[0], 1)[None]
    moved = [np.roll(image, (7, -9), (-2, -1)) for image in (restored, scene, MASK)]
    for measure in MEASURES:
        assert measure(*moved) == pytest.approx(measure(restored, scene, MASK), rel=1e-9)


def test_each_part_of_a_mask_is_seen_against_its_own_surroundings():
    first, second = spot(at=12), spot(at=56)
    ground = np.where(np.arange(80)[:, None] < 40, 60.0, 180.0)[None]
    reference = ground - 30.0 * (first | second)
    restored = ground - 15.0 * (first | second)
    assert defects.contrast_kept(restored, reference, first | second) == pytest.approx(50, abs=1e-6)


def test_a_defect_that_is_bright_and_dark_at_once_has_contrast():
    halves = np.sign(np.arange(80) - 39.5)[None, None] * 40.0 * MASK
    assert (halves.sum(), defects.contrast_kept(GROUND + halves / 2, GROUND + halves, MASK)) == (
        0,
        pytest.approx(50),
    )


def test_a_stain_of_another_color_and_the_same_brightness_has_contrast():
    stain = np.array([40.0, -40.0, 0.0])[:, None, None] * MASK
    gray = np.full((3, 80, 80), GROUND)
    assert defects.defect_score(gray + stain / 4, gray + stain, MASK) == pytest.approx(25)
    assert defects.defect_score(gray, gray + stain, MASK) == 0


def test_both_parts_are_the_factors_of_least_squares():
    rng = np.random.default_rng(4)
    reference = gaussian(rng.uniform(0, 255, (80, 80)), 1) + DEFECT[0]
    restored = gaussian(reference, 1.5) + rng.normal(0, 5, (80, 80))
    smooth = [gaussian(image, 1.5, mode="nearest", truncate=4) for image in (restored, reference)]
    far = distance_transform_edt(~MASK)
    ring = (far > 3) & (far <= 12)
    inside = [image[MASK] - image[ring].mean() for image in smooth]
    slopes = [np.concatenate([slope[far <= 3] for slope in np.gradient(image)]) for image in smooth]
    for measure, (ours, theirs) in ((defects.contrast_kept, inside), (defects.edges_kept, slopes)):
        factor = np.linalg.lstsq(theirs[:, None], ours, rcond=None)[0].item()
        assert measure(restored[None], reference[None], MASK) == pytest.approx(100 * factor, rel=1e-9)


def test_without_edges_the_contrast_decides():
    rows, columns = np.mgrid[:200, :200] - 100.0
    shade = -8 * np.exp(-(rows**2 + columns**2) / (2 * 60**2))[None]
    mask = np.hypot(rows, columns) < 50
    with pytest.raises(DataError, match="edge"):
        defects.edges_kept(GROUND + shade, GROUND + shade, mask)
    assert defects.defect_score(GROUND + shade / 2, GROUND + shade, mask) == pytest.approx(50)


@pytest.mark.parametrize(
    ("mask", "reason"),
    [(np.zeros_like(MASK), "mask"), (np.ones_like(MASK), "contrast"), (spot(at=4, side=6), "contrast")],
    ids=["empty", "everything", "invisible"],
)
def test_a_mask_without_a_visible_defect_has_no_score(mask, reason):
    with pytest.raises(DataError) as caught:
        defects.contrast_kept(REFERENCE, REFERENCE, mask)
    assert reason in f"{caught.value} {caught.value.expected}"
    if reason == "mask" or not mask.all():
        with pytest.raises(DataError):
            defects.defect_score(REFERENCE, REFERENCE, mask)


def scored(
    category: str, *, psnr: tuple[float, float], score: tuple[float | None, float | None]
) -> PairScore:
    here = Source("x.png", Path())
    pair = Pair("x.png", category, None, here, here, here)
    sides = ({"psnr": p, "defect-score": s} for p, s in zip(psnr, score, strict=True))
    return PairScore(pair, *sides)


def warned(*scores: PairScore) -> tuple[str, ...]:
    return defects.warnings(assemble(scores, metrics=find_metrics(["psnr", "defect-score"])))


def test_a_gain_that_costs_the_defects_is_warned_of_with_its_numbers():
    (warning,) = warned(
        scored("crack", psnr=(20, 29), score=(80, 50)),
        scored("crack", psnr=(20, 30), score=(84, 60)),
        scored("crack", psnr=(20, 30), score=(None, None)),
        scored("dent", psnr=(20, 30), score=(80, 75)),
    )
    assert warning.startswith("crack: ")
    for number in ("9.67 dB", "27.0 points", "82.0", "55.0", "2 images"):
        assert number in warning


@pytest.mark.parametrize(
    ("psnr", "score", "expected"),
    [
        ((20, 30), (80, 70), 1),
        ((20, 30), (80, 70.01), 0),
        ((20, 20), (80, 10), 0),
        ((30, 20), (80, 10), 0),
        ((20, 30), (None, None), 0),
    ],
)
def test_the_rule_of_the_warning(psnr, score, expected):
    assert len(warned(scored("crack", psnr=psnr, score=score))) == expected


@pytest.mark.data
@pytest.mark.parametrize(("spread", "warns"), [(0.8, False), (2.5, True)])
def test_on_real_cracks_strong_smoothing_is_warned_of_and_mild_is_not(tmp_path, data_folder, spread, warns):
    tiles = data_folder / "magnetic-tile" / "test" / "images"
    for file in walk(tiles / "crack"):
        clean = read_image(file.path).pixels
        rng = np.random.default_rng(len(file.relative.name))
        noisy = gaussian(clean[0], 1)[None] + rng.normal(0, 20 / 255, clean.shape)
        for name, pixels in (("noisy", noisy), ("restored", gaussian(noisy[0], spread)[None])):
            path = tmp_path / name / "crack" / f"{file.relative.stem}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            write_image(path, ImageData(pixels.astype(np.float32)))
    found = evaluate_folders(
        tmp_path / "restored", tiles, degraded=tmp_path / "noisy", metrics=["psnr", "defect-score"]
    )
    gain = (found.overall.gain or {})["psnr"]
    assert gain is not None
    assert gain > 4
    assert bool(defects.warnings(found)) is warns


def test_without_the_two_metrics_there_is_nothing_to_warn_of():
    only = assemble([scored("crack", psnr=(20, 30), score=(90, 0))], metrics=find_metrics(["psnr"]))
    assert defects.warnings(only) == ()
