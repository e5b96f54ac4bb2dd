"""Pairs by manifest, by relative path and by stem; everything without a match is listed."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import pytest

from restorecli.errors import DataError
from restorecli.evaluation.pairing.finding import pair_folder
from restorecli.folders.manifest import Manifest, Record
from restorecli.folders.matching import Matches, NameIndex


def touch(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


def matches(pairing) -> dict[str, str]:
    return {pair.path: pair.reference.locator for pair in pairing.pairs}


def reasons(pairing) -> dict[tuple[str, str], str]:
    return {(entry.side, entry.path): entry.reason for entry in pairing.unmatched}


@pytest.mark.parametrize(
    ("restored", "reference"),
    [
        ("a/x.png", "a/x.png"),
        ("a/x.png", "a/x.jpg"),
        ("a/x.jpg.png", "a/x.jpg"),
        ("x.png", "a/x.png"),
        ("sigma25/a/x.png", "a/x.tif"),
        ("sigma25/x.png", "x.png"),
    ],
)
def test_a_mate_is_found_by_relative_path_then_by_stem(tmp_path, restored, reference):
    pairing = pair_folder(touch(tmp_path / "out", restored), touch(tmp_path / "ref", reference))
    assert matches(pairing) == {restored: reference}
    assert pairing.unmatched == ()


def test_the_same_number_in_another_category_is_no_mate(tmp_path):
    pairing = pair_folder(touch(tmp_path / "out", "bottle/000.png"), touch(tmp_path / "ref", "cable/000.png"))
    assert pairing.pairs == ()
    assert set(reasons(pairing)) == {("restored", "bottle/000.png"), ("reference", "cable/000.png")}


def test_one_flat_reference_serves_several_folders(tmp_path):
    out = touch(tmp_path / "out", "sigma15/x.png", "sigma25/x.png")
    pairing = pair_folder(out, touch(tmp_path / "ref", "x.png"))
    assert matches(pairing) == {"sigma15/x.png": "x.png", "sigma25/x.png": "x.png"}
    assert [pair.category for pair in pairing.pairs] == ["sigma15", "sigma25"]


def test_missing_and_unused_images_are_listed_on_their_side(tmp_path):
    pairing = pair_folder(
        touch(tmp_path / "out", "a.png", "b.png"), touch(tmp_path / "ref", "b.png", "c.png")
    )
    assert matches(pairing) == {"b.png": "b.png"}
    assert "stem 'a'" in reasons(pairing)["restored", "a.png"]
    assert "no restored image" in reasons(pairing)["reference", "c.png"]


def test_a_stem_with_several_matches_is_listed_with_them(tmp_path):
    pairing = pair_folder(touch(tmp_path / "out", "x.png"), touch(tmp_path / "ref", "a/x.png", "b/x.png"))
    assert "a/x.png, b/x.png" in reasons(pairing)["restored", "x.png"]


def test_duplicates_of_one_reference_are_listed(tmp_path):
    out = touch(tmp_path / "out", "x.bmp", "x.png", "y.bmp", "y.png")
    pairing = pair_folder(out, touch(tmp_path / "ref", "x.png", "y.tif"))
    assert matches(pairing) == {"x.png": "x.png"}
    assert "x.bmp, x.png" in reasons(pairing)["restored", "x.bmp"]
    assert "duplicate" in reasons(pairing)["restored", "y.bmp"]
    assert "duplicate" in reasons(pairing)["restored", "y.png"]


def test_two_files_are_a_pair_whatever_their_names(tmp_path):
    one, two = touch(tmp_path, "one.png") / "one.png", touch(tmp_path, "two.tif") / "two.tif"
    assert matches(pair_folder(one, two)) == {"one.png": "two.tif"}


def test_the_category_of_a_flat_folder_comes_from_the_references(tmp_path):
    pairing = pair_folder(touch(tmp_path / "out", "x.png"), touch(tmp_path / "ref", "blowhole/x.png"))
    assert pairing.pairs[0].category == "blowhole"


def test_mvtec_trees_give_category_and_defect(tmp_path):
    name = "bottle/test/broken/000.png"
    pairing = pair_folder(touch(tmp_path / "out", name), touch(tmp_path / "ref", name))
    assert (pairing.pairs[0].category, pairing.pairs[0].defect) == ("bottle", "broken")


def test_the_tree_of_the_references_is_enough(tmp_path):
    names = ("test/broken/000.png", "test/good/001.png", "train/good/002.png")
    tree = touch(tmp_path / "bottle", *names)
    touch(tree / "ground_truth/broken", "000_mask.png")
    pairs = {pair.path: pair for pair in pair_folder(touch(tmp_path / "out", *names), tree).pairs}
    assert {path: (pair.category, pair.defect) for path, pair in pairs.items()} == {
        "test/broken/000.png": ("bottle", "broken"),
        "test/good/001.png": ("bottle", "good"),
        "train/good/002.png": ("bottle", "good"),
    }


def restored_record(path: str, **values) -> Record:
    defaults = {"category": "c", "reference": "../ref/a.png", "source": "../degraded/a.png", "version": "1"}
    return Record(path=path, command="restore", **{**defaults, **values})


def test_a_manifest_links_everything(tmp_path):
    out = touch(tmp_path / "restored", "a.png", "b.png", "c.png")
    manifest = Manifest(out)
    manifest.append(restored_record("a.png", degraded="../degraded/a.png", defect="dent"))
    manifest.append(restored_record("b.png", reference=None))
    manifest.append(restored_record("gone.png"))
    pairing = pair_folder(out)
    (pair,) = pairing.pairs
    assert (pair.path, pair.category, pair.defect) == ("a.png", "c", "dent")
    assert pair.reference.locator == "../ref/a.png"
    assert pair.degraded is not None
    assert pair.degraded.locator == "../degraded/a.png"
    listed = reasons(pairing)
    assert "names no reference" in listed["restored", "b.png"]
    assert "no line" in listed["restored", "c.png"]
    assert "file is missing" in listed["restored", "gone.png"]


def test_given_references_go_before_the_manifest(tmp_path):
    out = touch(tmp_path / "restored", "a.png")
    Manifest(out).append(restored_record("a.png", degraded="../degraded/a.png"))
    (pair,) = pair_folder(out, touch(tmp_path / "other", "a.png")).pairs
    assert pair.reference.path == tmp_path / "other" / "a.png"
    assert pair.degraded is not None
    assert pair.degraded.locator == "../degraded/a.png"


def test_the_output_of_degrade_is_scored_as_degraded(tmp_path):
    out = touch(tmp_path / "degraded", "a.png")
    Manifest(out).append(
        Record("a.png", "degrade", "photographs", "sample:photographs/cat", "sample:photographs/cat", "1")
    )
    (pair,) = pair_folder(out).pairs
    assert pair.restored is None
    assert pair.degraded is not None
    assert pair.degraded.path == out / "a.png"


def test_degraded_images_by_name_are_paired_and_missing_ones_listed(tmp_path):
    out = touch(tmp_path / "out", "a.png", "b.png")
    pairing = pair_folder(
        out,
        touch(tmp_path / "ref", "a.png", "b.png"),
        touch(tmp_path / "noisy", "a.png", "z.png"),
    )
    assert [pair.degraded is not None for pair in pairing.pairs] == [True, False]
    assert set(reasons(pairing)) == {("degraded", "b.png"), ("degraded", "z.png")}


def test_without_manifest_and_references_the_error_says_what_was_looked_for(tmp_path):
    with pytest.raises(DataError) as caught:
        pair_folder(touch(tmp_path / "out", "a.png"))
    assert "manifest.jsonl" in str(caught.value)
    assert "REFERENCE" in str(caught.value)


def test_a_missing_folder_is_an_error(tmp_path):
    with pytest.raises(DataError):
        pair_folder(tmp_path / "nowhere")
    with pytest.raises(DataError):
        NameIndex(tmp_path / "nowhere")


def test_an_index_tells_what_nobody_took(tmp_path):
    index = NameIndex(touch(tmp_path, "a.png", "b.png"))
    found = Matches(index, [PurePosixPath("a.png")])
    assert [file.relative.name for file in found.unused()] == ["b.png"]


def test_a_name_that_comes_twice_is_no_double(tmp_path):
    index = NameIndex(touch(tmp_path, "a.tif", "b.tif"))
    names = [PurePosixPath("a.png"), PurePosixPath("a.png"), PurePosixPath("b.bmp"), PurePosixPath("b.png")]
    found = Matches(index, names)
    assert found.find(names[0]) == index.files[0]
    assert "duplicate name: b.bmp, b.png" in str(found.find(names[2]))
    assert [file.relative.name for file in found.unused()] == ["b.tif"]
