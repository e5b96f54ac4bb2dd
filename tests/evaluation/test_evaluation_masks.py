"""Which mask belongs to which image, and what it marks."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import numpy as np
import pytest
from PIL import Image

from restorecli.errors import DataError
from restorecli.evaluation.folder import evaluate_folders
from restorecli.evaluation.pairing.defect_masks import read_mask
from restorecli.evaluation.pairing.finding import pair_folder
from restorecli.evaluation.pairing.pairs import Source
from restorecli.folders.manifest import Manifest, Record
from restorecli.folders.mask_places import MaskIndex, mask_for
from restorecli.folders.walking import walk
from restorecli.images.mask_images import read_marked


def touch(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


def masks(pairing) -> dict[str, str | None]:
    return {pair.path: None if pair.mask is None else pair.mask.locator for pair in pairing.pairs}


def draw(path: Path, levels: np.ndarray) -> Source:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(levels).save(path)
    return Source(path.name, path.parent, path)


@pytest.mark.parametrize(
    ("image", "mask"),
    [
        ("bottle/test/broken/000.png", "bottle/ground_truth/broken/000_mask.png"),
        ("images/crack/x.jpg", "masks/crack/x.png"),
    ],
)
def test_masks_beside_the_references_are_found_by_themselves(tmp_path, image, mask):
    data = touch(tmp_path / "data", image, mask)
    out = touch(tmp_path / "out", image)
    assert masks(pair_folder(out, data)) == {image: mask}


def test_masks_are_found_through_the_manifest(tmp_path):
    touch(tmp_path, "data/images/crack/x.jpg", "data/masks/crack/x.png", "restored/crack/x.png")
    Manifest(tmp_path / "restored").append(
        Record("crack/x.png", "restore", "crack", "../data/images/crack/x.jpg", "../degraded/x.png", "1")
    )
    (pair,) = pair_folder(tmp_path / "restored").pairs
    assert pair.mask is not None
    assert pair.mask.path == tmp_path / "data/masks/crack/x.png"
    assert pair.record is not None
    assert pair.record.category == "crack"


def test_an_image_without_a_mask_is_no_problem(tmp_path):
    data = touch(tmp_path / "data", "images/free/x.jpg", "images/crack/y.jpg", "masks/crack/y.png")
    pairing = pair_folder(touch(tmp_path / "out", "free/x.png", "crack/y.png"), data)
    assert masks(pairing) == {"free/x.png": None, "crack/y.png": "masks/crack/y.png"}
    assert pairing.unmatched == ()


@pytest.mark.parametrize(
    ("image", "mask"),
    [
        ("crack/x.png", "crack/x.png"),
        ("crack/x.jpg", "crack/x_mask.bmp"),
        ("crack/x.jpg.png", "crack/x.png"),
        ("x.png", "crack/x.png"),
        ("sigma25/crack/x.png", "crack/x_mask.png"),
        ("images/crack/x.png", "masks/crack/x.png"),
        ("bottle/test/broken/000.png", "bottle/ground_truth/broken/000_mask.png"),
        ("bottle/test/broken/000.png", "broken/000_mask.png"),
    ],
)
def test_given_masks_are_found_by_relative_path_then_by_stem(tmp_path, image, mask):
    out, data = touch(tmp_path / "out", image), touch(tmp_path / "ref", image)
    pairing = pair_folder(out, data, masks=touch(tmp_path / "given", mask))
    assert masks(pairing) == {image: mask}
    assert pairing.unmatched == ()


def test_the_name_of_the_reference_finds_a_mask_too(tmp_path):
    index = MaskIndex(touch(tmp_path, "crack/x.png"))
    names = [PurePosixPath("out-7.png"), PurePosixPath("../data/images/crack/x.jpg")]
    found = index.find(names)
    assert found == tmp_path / "crack/x.png"


def test_the_mask_of_another_category_is_not_taken(tmp_path):
    pairing = pair_folder(
        touch(tmp_path / "out", "bottle/000.png", "cable/000.png"),
        touch(tmp_path / "ref", "bottle/000.png", "cable/000.png"),
        masks=touch(tmp_path / "given", "cable/000.png"),
    )
    assert masks(pairing) == {"bottle/000.png": None, "cable/000.png": "cable/000.png"}


def test_unused_and_ambiguous_masks_are_listed(tmp_path):
    pairing = pair_folder(
        touch(tmp_path / "out", "x.png", "y.png"),
        touch(tmp_path / "ref", "x.png", "y.png"),
        masks=touch(tmp_path / "given", "a/x.png", "b/x.png", "y.png", "z.png"),
    )
    listed = {(entry.side, entry.path): entry.reason for entry in pairing.unmatched}
    assert "a/x.png, b/x.png" in listed["mask", "x.png"]
    assert listed["mask", "z.png"] == "no image of this name"
    assert masks(pairing)["y.png"] == "y.png"


def test_masks_of_which_not_one_fits_are_an_error(tmp_path):
    out, ref = touch(tmp_path / "out", "x.png"), touch(tmp_path / "ref", "x.png")
    with pytest.raises(DataError, match="Not one mask"):
        pair_folder(out, ref, masks=touch(tmp_path / "given", "z.png"))
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="no mask"):
        pair_folder(out, ref, masks=tmp_path / "empty")


def test_one_mask_file_serves_every_image(tmp_path):
    out, ref = touch(tmp_path / "out", "x.png", "y.png"), touch(tmp_path / "ref", "x.png", "y.png")
    mask = touch(tmp_path, "roi.png") / "roi.png"
    assert masks(pair_folder(out, ref, masks=mask)) == {"x.png": "roi.png", "y.png": "roi.png"}


@pytest.mark.parametrize(
    ("levels", "marked"),
    [
        ([0, 127, 128, 255], [False, False, True, True]),
        ([0, 1, 0, 1], [False, True, False, True]),
        ([0, 0, 0, 0], [False] * 4),
        ([255, 255, 255, 255], [True] * 4),
        ([0, 3, 1, 2], [False] * 4),
    ],
    ids=["soft", "labels", "empty", "full", "compression noise"],
)
@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "1", "16"])
def test_a_pixel_above_half_of_full_scale_is_defect(tmp_path, levels, marked, mode):
    row = np.array([levels], np.uint8)
    if mode == "1":
        row, marked = row > 127, [level > 127 for level in levels]
    elif mode == "16":
        row = row.astype(np.uint16) * 257
    elif mode != "L":
        row = np.stack([row, row * 0, row // 2, *([row * 0 + 255] if mode == "RGBA" else [])], axis=-1)
    found = read_mask(draw(tmp_path / "m.png", row), (1, 4))
    assert found.dtype == np.bool_
    assert found.tolist() == [marked]


def test_a_mask_of_another_size_is_refused_with_both_sizes(tmp_path):
    source = draw(tmp_path / "m.png", np.zeros((4, 6), np.uint8))
    with pytest.raises(DataError) as caught:
        read_mask(source, (6, 4))
    assert (caught.value.expected, caught.value.got) == ("4x6", "6x4")


def test_a_mask_of_another_size_or_no_image_is_listed_and_the_image_scored(tmp_path, save):
    for name in ("a.png", "b.png", "c.png"):
        save(tmp_path / "ref" / name, 1, size=(40, 40))
        save(tmp_path / "out" / name, 2, size=(40, 40))
    draw(tmp_path / "m/a.png", np.full((20, 20), 255, np.uint8))
    (tmp_path / "m/b.png").write_text("no image")
    draw(tmp_path / "m/c.png", np.full((40, 40), 255, np.uint8))
    found = evaluate_folders(
        tmp_path / "out", tmp_path / "ref", masks=tmp_path / "m", metrics=["psnr", "psnr-inside"]
    )
    inside = {score.pair.path: (score.restored or {})["psnr-inside"] for score in found.images}
    whole = {score.pair.path: (score.restored or {})["psnr"] for score in found.images}
    assert inside == {"a.png": None, "b.png": None, "c.png": pytest.approx(whole["c.png"])}
    assert None not in whole.values()
    reasons = {entry.path: entry.reason for entry in found.unmatched if entry.side == "mask"}
    assert set(reasons) == {"a.png", "b.png"}
    assert "20x20" in reasons["a.png"]


def test_an_empty_mask_means_no_defect(tmp_path, save):
    save(tmp_path / "ref/a.png", 1, size=(40, 40))
    save(tmp_path / "out/a.png", 2, size=(40, 40))
    draw(tmp_path / "m/a.png", np.zeros((40, 40), np.uint8))
    names = ["psnr", "psnr-inside", "ssim-inside", "defect-score", "psnr-outside"]
    found = evaluate_folders(tmp_path / "out", tmp_path / "ref", masks=tmp_path / "m", metrics=names)
    scores = found.images[0].final
    assert [scores[name] for name in names[1:4]] == [None] * 3
    assert scores["psnr-outside"] == pytest.approx(scores["psnr"])


@pytest.mark.data
def test_the_masks_of_the_magnetic_tiles_are_found(data_folder):
    root = data_folder / "magnetic-tile" / "test"
    found: dict[str, list[int]] = {}
    for file in walk(root):
        mask = mask_for(file)
        area = 0 if mask is None else int(read_marked(mask).sum())
        found.setdefault(file.category, []).append(area)
    assert {category: (len(areas), min(areas) > 0) for category, areas in found.items()} == {
        **dict.fromkeys(("blowhole", "break", "crack", "fray", "uneven"), (8, True)),
        "free": (30, False),
    }


@pytest.mark.parametrize(("asked", "shown"), [(None, True), (["psnr", "ssim"], False)])
def test_the_score_of_defects_is_measured_where_there_are_masks_and_nothing_was_asked_for(
    tmp_path, asked, shown
):
    rng = np.random.default_rng(0)
    clean = rng.integers(90, 110, (48, 48)).astype(np.uint8)
    lost = clean.copy()
    clean[20:26, 20:26] = 200
    draw(tmp_path / "data/images/crack/x.png", clean)
    draw(tmp_path / "data/masks/crack/x.png", np.where(clean == 200, 255, 0).astype(np.uint8))
    draw(tmp_path / "out/crack/x.png", lost)
    scored = evaluate_folders(tmp_path / "out", tmp_path / "data/images", metrics=asked)
    names = [metric.name for metric in scored.metrics]
    assert names == ["psnr", "ssim", *(["defect-score"] if shown else [])]
    if shown:
        assert scored.images[0].restored["defect-score"] < 50
