"""Whole folders: scores, groups, faults, and the same table with any number of workers."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from restorecli.errors import DataError, UsageError
from restorecli.evaluation.folder import evaluate_folders
from restorecli.evaluation.metrics.psnr_ssim import PROTOCOL, psnr, ssim
from restorecli.evaluation.tables.saved import to_json
from restorecli.folders.manifest import Manifest, Record
from restorecli.images.reading import read_image


@pytest.fixture
def chain(tmp_path, save):
    """A restored folder whose manifest names degraded and reference images, in two categories."""
    manifests = {name: Manifest(tmp_path / name) for name in ("degraded", "restored")}
    for index, category in enumerate(("tiles", "tiles", "wood")):
        name = f"{category}/{index}.png"
        for offset, folder in enumerate(("clean", "degraded", "restored")):
            save(tmp_path / folder / name, seed=10 * index + offset)
        reference, source = f"../clean/{name}", f"../degraded/{name}"
        manifests["degraded"].append(Record(name, "degrade", category, reference, reference, "1"))
        manifests["restored"].append(
            Record(name, "restore", category, reference, source, "1", degraded=source)
        )
    return tmp_path


def test_the_manifest_alone_gives_degraded_against_restored(chain):
    evaluation = evaluate_folders(chain / "restored")
    assert evaluation.protocol == PROTOCOL
    assert [score.pair.path for score in evaluation.images] == ["tiles/0.png", "tiles/1.png", "wood/2.png"]
    assert {name: group.n for name, group in evaluation.categories.items()} == {"tiles": 2, "wood": 1}
    restored, degraded, clean = (
        read_image(chain / folder / "wood/2.png").pixels for folder in ("restored", "degraded", "clean")
    )
    wood = evaluation.categories["wood"]
    assert wood.restored["psnr"].mean == psnr(restored, clean)
    assert wood.degraded["ssim"].mean == ssim(degraded, clean)
    assert wood.gain["psnr"] == psnr(restored, clean) - psnr(degraded, clean)
    assert evaluation.overall.n == 3
    assert evaluation.unmatched == ()


def test_the_overall_mean_weighs_every_image_the_same(chain):
    evaluation = evaluate_folders(chain / "restored")
    values = [score.restored["psnr"] for score in evaluation.images]
    assert evaluation.overall.restored["psnr"].mean == pytest.approx(np.mean(values), abs=1e-12)
    assert evaluation.overall.restored["psnr"].std == pytest.approx(np.std(values, ddof=1), abs=1e-12)


def test_any_number_of_workers_gives_the_same_text(chain):
    texts = {to_json(evaluate_folders(chain / "restored", workers=workers)) for workers in (1, 2, 4)}
    assert len(texts) == 1


def test_without_paths_restored_is_taken_then_degraded(chain, monkeypatch):
    monkeypatch.chdir(chain)
    assert evaluate_folders().overall.restored is not None
    (chain / "restored").rename(chain / "elsewhere")
    alone = evaluate_folders()
    assert alone.overall.restored is None
    assert alone.overall.degraded["psnr"].n == 3
    assert alone.overall.gain is None


def test_an_empty_folder_says_what_was_looked_for(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError) as caught:
        evaluate_folders()
    assert "./restored or ./degraded" in str(caught.value)
    assert int(caught.value.exit_code) == 4


def test_the_json_object_is_the_agreed_one(chain):
    document = json.loads(to_json(evaluate_folders(chain / "restored")))
    assert document["protocol"] == PROTOCOL
    for group in (document["overall"], *document["categories"].values()):
        assert group["n"] >= 1
        for side in ("degraded", "restored"):
            assert {"psnr", "ssim", "psnr_std", "ssim_std", "identical"} <= set(group[side])
        assert set(group["gain"]) == {"psnr", "ssim"}
    first = document["images"][0]
    assert (first["path"], first["category"], first["reference"]) == (
        "tiles/0.png",
        "tiles",
        "../clean/tiles/0.png",
    )
    assert first["restored"]["psnr"] > 0
    assert document["unmatched"] == []


def test_identical_images_are_inf_and_named(tmp_path, save):
    for folder in ("out", "ref"):
        save(tmp_path / folder / "same.png", seed=1)
    save(tmp_path / "out" / "other.png", seed=2)
    save(tmp_path / "ref" / "other.png", seed=3)
    evaluation = evaluate_folders(tmp_path / "out", tmp_path / "ref")
    side = evaluation.to_dict()["overall"]["restored"]
    assert side["identical"] == 1
    assert side["psnr_n"] == 1
    assert math.isfinite(side["psnr"])
    line = next(line for line in evaluation.to_dict()["images"] if line["path"] == "same.png")
    assert line["restored"]["psnr"] == "inf"
    assert line["restored"]["ssim"] == 1.0
    json.loads(to_json(evaluation), parse_constant=pytest.fail)
    assert evaluation.notes == (
        "1 of 2 restored images equal their reference (PSNR inf); the mean is over the others",
    )


def test_faulty_pairs_are_listed_and_the_others_scored(tmp_path, save):
    save(tmp_path / "ref" / "good.png", seed=1)
    save(tmp_path / "out" / "good.png", seed=2)
    save(tmp_path / "ref" / "size.png", size=(16, 20))
    save(tmp_path / "out" / "size.png", size=(16, 24))
    save(tmp_path / "ref" / "color.png", channels=3)
    save(tmp_path / "out" / "color.png", channels=1)
    save(tmp_path / "ref" / "broken.png")
    (tmp_path / "out" / "broken.png").write_bytes(b"no image")
    (tmp_path / "ref" / "lost.png").write_bytes(b"")
    save(tmp_path / "out" / "lost.png")
    evaluation = evaluate_folders(tmp_path / "out", tmp_path / "ref")
    assert [score.pair.path for score in evaluation.images] == ["good.png"]
    listed = {entry.path: (entry.side, entry.reason) for entry in evaluation.unmatched}
    assert listed["size.png"] == ("restored", "different sizes: restored 24x16 RGB, reference 20x16 RGB")
    channels = "different channels: restored 20x16 gray, reference 20x16 RGB; make both gray or both RGB"
    assert listed["color.png"] == ("restored", channels)
    assert listed["broken.png"][0] == "restored"
    assert listed["lost.png"][0] == "reference"
    assert [pair.path for pair in evaluation.unscored] == ["broken.png", "color.png", "lost.png", "size.png"]
    assert tmp_path / "ref" / "size.png" in evaluation.unscored_files
    assert set(evaluation.files) == {tmp_path / "out" / "good.png", tmp_path / "ref" / "good.png"}


def test_gray_as_rgb_is_scored_as_gray_and_color_is_not(tmp_path, save):
    gray = np.random.default_rng(0).integers(0, 256, (1, 16, 20)).astype(np.float32) / 255
    for name in ("gray.png", "both.png"):
        save(tmp_path / "ref" / name, pixels=gray)
    save(tmp_path / "out" / "gray.png", pixels=np.repeat(gray, 3, axis=0))
    save(tmp_path / "out" / "both.png", pixels=gray)
    evaluation = evaluate_folders(tmp_path / "out", tmp_path / "ref")
    notes = {score.pair.path: score.notes for score in evaluation.images}
    assert notes == {"both.png": (), "gray.png": ("RGB without color scored as gray",)}
    assert evaluation.notes[0] == "RGB without color scored as gray in 1 of 2 pairs"
    assert evaluation.overall.restored["psnr"].identical == 2


@pytest.mark.parametrize(("levels", "is_gray"), [(0, True), (1, True), (2, False)])
def test_channels_one_level_apart_are_gray_and_two_levels_apart_are_color(tmp_path, save, levels, is_gray):
    """WebP rounds the three channels of a gray image apart by one level at most."""
    gray = np.random.default_rng(0).integers(8, 240, (1, 16, 20)).astype(np.float32)
    colored = np.repeat(gray, 3, axis=0)
    colored[2, 5, 7] += levels
    save(tmp_path / "ref" / "a.png", pixels=gray / 255)
    save(tmp_path / "out" / "a.png", pixels=colored / 255)
    if is_gray:
        (score,) = evaluate_folders(tmp_path / "out", tmp_path / "ref").images
        assert score.restored["psnr"] == math.inf
        assert score.notes == ("RGB without color scored as gray",)
    else:
        with pytest.raises(DataError, match="Not one pair"):
            evaluate_folders(tmp_path / "out", tmp_path / "ref")


def test_nothing_to_score_is_a_data_error_with_the_reasons(tmp_path, save):
    save(tmp_path / "out" / "a.png")
    save(tmp_path / "ref" / "b.png")
    with pytest.raises(DataError) as caught:
        evaluate_folders(tmp_path / "out", tmp_path / "ref")
    assert "a.png" in str(caught.value)
    assert "by name" in str(caught.value)


def test_gray_stored_as_rgb_is_scored_as_gray(tmp_path, save):
    gray = (np.random.default_rng(0).integers(0, 256, (1, 16, 16)) / 255).astype(np.float32)
    save(tmp_path / "ref" / "a.png", pixels=gray)
    save(tmp_path / "out" / "a.png", pixels=np.repeat(gray, 3, axis=0))
    evaluation = evaluate_folders(tmp_path / "out", tmp_path / "ref")
    assert evaluation.images[0].restored["psnr"] == math.inf


def test_alpha_is_ignored_and_said(tmp_path, save):
    save(tmp_path / "ref" / "a.png", seed=1)
    save(tmp_path / "out" / "a.png", seed=2, alpha=True)
    evaluation = evaluate_folders(tmp_path / "out", tmp_path / "ref")
    assert evaluation.images[0].notes == ("alpha ignored",)
    assert evaluation.notes == ("alpha ignored in 1 of 1 pairs",)


def test_small_images_have_psnr_and_no_ssim(tmp_path, save):
    save(tmp_path / "ref" / "a.png", seed=1, size=(8, 8))
    save(tmp_path / "out" / "a.png", seed=2, size=(8, 8))
    evaluation = evaluate_folders(tmp_path / "out", tmp_path / "ref")
    assert evaluation.images[0].restored["ssim"] is None
    assert evaluation.overall.restored["psnr"].n == 1
    assert evaluation.overall.restored["ssim"].undefined == 1
    assert evaluation.notes == ("SSIM undefined in 1 of 1 restored images",)


def test_a_downscaled_degraded_image_is_a_note_and_no_fault(tmp_path, save):
    save(tmp_path / "ref" / "a.png", seed=1, size=(33, 40))
    save(tmp_path / "out" / "a.png", seed=2, size=(33, 40))
    save(tmp_path / "low" / "a.png", seed=3, size=(17, 20))
    evaluation = evaluate_folders(tmp_path / "out", tmp_path / "ref", degraded=tmp_path / "low")
    assert evaluation.images[0].degraded is None
    assert "20x17" in evaluation.images[0].notes[0]
    assert evaluation.unmatched == ()


def test_a_faulty_degraded_image_costs_only_its_own_score(tmp_path, save):
    for name in ("a.png", "b.png"):
        save(tmp_path / "ref" / name, seed=1)
        save(tmp_path / "out" / name, seed=2)
        save(tmp_path / "low" / name, seed=3)
    (tmp_path / "low" / "b.png").write_bytes(b"no image")
    evaluation = evaluate_folders(tmp_path / "out", tmp_path / "ref", degraded=tmp_path / "low")
    assert evaluation.overall.restored["psnr"].n == 2
    assert evaluation.overall.degraded["psnr"].n == 1
    assert [entry.side for entry in evaluation.unmatched] == ["degraded"]


def test_groups_by_defect(tmp_path, save):
    for defect in ("dent", "good"):
        name = f"bottle/test/{defect}/0.png"
        save(tmp_path / "ref" / name, seed=1)
        save(tmp_path / "out" / name, seed=2)
    evaluation = evaluate_folders(tmp_path / "out", tmp_path / "ref", by=("category", "defect"))
    assert list(evaluation.groups) == ["bottle/dent", "bottle/good"]
    assert list(evaluation.categories) == ["bottle"]


def test_an_unknown_grouping_is_refused_with_the_nearest(chain):
    with pytest.raises(UsageError) as caught:
        evaluate_folders(chain / "restored", by=("categry",))
    assert "'category'" in caught.value.hint


def test_progress_hears_of_every_pair_and_fault(tmp_path, save):
    class Listener:
        def __init__(self):
            self.heard = []

        def start(self, total, what):
            self.heard.append((total, what))

        def advance(self, done, failure=None):
            self.heard.append((done, failure is not None))

        def finish(self):
            self.heard.append("end")

    save(tmp_path / "ref" / "a.png", seed=1)
    save(tmp_path / "out" / "a.png", seed=2)
    save(tmp_path / "ref" / "b.png", seed=1)
    save(tmp_path / "out" / "b.png", size=(11, 11))
    listener = Listener()
    evaluate_folders(tmp_path / "out", tmp_path / "ref", progress=listener)
    assert listener.heard == [(2, "pairs"), ("a.png", False), ("b.png", True), "end"]
