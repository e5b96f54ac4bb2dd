"""Stacks are scored plane by plane."""

import numpy as np
import pytest
import tifffile
from skimage import data
from skimage.metrics import peak_signal_noise_ratio

from restorecli.degradation.again import degrade_again
from restorecli.degradation.chain import Chain
from restorecli.degradation.folder import degrade_folder
from restorecli.evaluation.folder import evaluate_folders
from restorecli.evaluation.rivals import evaluate_rival
from restorecli.images.options import ReadOptions
from restorecli.restoration.adapter import MethodRestorer
from restorecli.restoration.folder import restore_folder
from restorecli.restoration.methods.catalog import create_method

NOISE = Chain.from_specs([{"name": "gaussian", "sigma": 25.0}])
MEDIAN = MethodRestorer(create_method("median", {"size": 3}))


@pytest.fixture
def clean(tmp_path):
    (tmp_path / "clean").mkdir()
    samples = np.stack([data.camera()[top : top + 64, 100:170] for top in (0, 100, 200, 300, 400)])
    tifffile.imwrite(
        tmp_path / "clean" / "a.tif", samples, photometric="minisblack", metadata={"axes": "ZYX"}
    )
    return samples


@pytest.mark.parametrize(
    ("frames", "rest"), [("all", "all"), ("1..3", "all"), ("all", "2..4"), ("1..4", "1..2")]
)
def test_every_plane_meets_its_own_reference(tmp_path, clean, frames, rest):
    noisy, restored = tmp_path / "noisy", tmp_path / "restored"
    degrade_folder(tmp_path / "clean", noisy, NOISE, reading=ReadOptions(frames=frames))
    restore_folder(noisy, restored, MEDIAN, reading=ReadOptions(frames=rest))
    before, after = (tifffile.imread(folder / "a.tif") for folder in (noisy, restored))
    first, _, last = ("0..4" if frames == "all" else frames).partition("..")
    references = clean[int(first) : int(last) + 1]
    low, _, high = (f"0..{len(before) - 1}" if rest == "all" else rest).partition("..")
    chosen = slice(int(low), int(high) + 1)

    scores = evaluate_folders(noisy, None, metrics=["psnr"], protocol="skimage-default").images
    assert [score.pair.path for score in scores] == [f"a.tif#{number}" for number in range(len(before))]
    for score, reference, image in zip(scores, references, before, strict=True):
        judged = peak_signal_noise_ratio(reference, image, data_range=255)
        assert score.degraded["psnr"] == pytest.approx(judged, abs=1e-6)

    scores = evaluate_folders(restored, None, metrics=["psnr"], protocol="skimage-default").images
    assert len(scores) == len(after)
    for score, reference, noise, image in zip(scores, references[chosen], before[chosen], after, strict=True):
        assert score.restored["psnr"] == pytest.approx(
            peak_signal_noise_ratio(reference, image, data_range=255), abs=1e-6
        )
        assert score.degraded["psnr"] == pytest.approx(
            peak_signal_noise_ratio(reference, noise, data_range=255), abs=1e-6
        )


def test_a_plane_is_degraded_again_with_its_own_noise(tmp_path, clean):
    """What was restored perfectly, degraded again, is the degraded image itself."""
    noisy = tmp_path / "noisy"
    degrade_folder(tmp_path / "clean", noisy, NOISE, reading=ReadOptions(frames="all"))
    restore_folder(noisy, tmp_path / "restored", MEDIAN, reading=ReadOptions(frames="all"))
    tifffile.imwrite(
        tmp_path / "restored" / "a.tif", clean, photometric="minisblack", metadata={"axes": "ZYX"}
    )
    found = evaluate_folders(tmp_path / "restored", None, metrics=["consistency"], redegrade=degrade_again)
    assert all(score.restored["consistency"] > 60 for score in found.images)


def test_another_method_is_compared_plane_by_plane(tmp_path, clean):
    noisy, wider = tmp_path / "noisy", MethodRestorer(create_method("median", {"size": 5}))
    degrade_folder(tmp_path / "clean", noisy, NOISE, reading=ReadOptions(frames="all"))
    for name, restorer in (("restored", MEDIAN), ("wider", wider)):
        restore_folder(noisy, tmp_path / name, restorer, reading=ReadOptions(frames="all"))
    candidate = evaluate_folders(tmp_path / "restored", None, metrics=["psnr"], protocol="skimage-default")
    rival = evaluate_rival(candidate, tmp_path / "wider", protocol="skimage-default")
    assert rival.unmatched == ()
    assert [score.pair.path for score in rival.images] == [f"a.tif#{number}" for number in range(5)]
    for score, reference, image in zip(
        rival.images, clean, tifffile.imread(tmp_path / "wider" / "a.tif"), strict=True
    ):
        judged = peak_signal_noise_ratio(reference, image, data_range=255)
        assert score.restored["psnr"] == pytest.approx(judged, abs=1e-6)
