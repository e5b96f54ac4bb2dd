"""Masks are found beside images in the layouts of published data sets; several of one are joined."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import restorecli
from restorecli.degradation.chain import Chain
from restorecli.degradation.folder import degrade_folder
from restorecli.errors import ImageError
from restorecli.evaluation.folder import evaluate_folders
from restorecli.folders.manifest import Manifest
from restorecli.folders.mask_places import mask_for
from restorecli.folders.walking import walk
from restorecli.images.mask_images import read_marked
from restorecli.training.crops import ImageCache

NOISE = Chain.from_specs([{"name": "gaussian", "sigma": 5}])


def draw(path: Path, levels: object = 99, side: int = 16) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = np.full((side, side), levels, np.uint8) if isinstance(levels, int) else np.array(levels, np.uint8)
    Image.fromarray(rows).save(path)
    return path


@pytest.mark.parametrize(
    ("image", "mask"),
    [
        ("bottle/test/broken/000.png", "bottle/ground_truth/broken/000_mask.png"),
        ("bottle/test/broken/000.png", "bottle/ground_truth/broken/000.png"),
        ("bottle/test/broken/000.PNG", "bottle/Ground_Truth/Broken/000_Mask.PNG"),
        ("bottle/test/broken/000.jpg", "bottle/ground_truth/broken/000_mask.BMP"),
        ("box/test/logical/000.png", "box/ground_truth/logical/000"),
        ("images/crack/x.jpg", "masks/crack/x.png"),
        ("images/crack/X.JPG", "masks/crack/x.PNG"),
        ("images/x.jpg", "masks/x_mask.png"),
        ("images/crack/deep/x.jpg", "masks/crack/deep/x.png"),
        ("candle/Data/Images/Anomaly/000.JPG", "candle/Data/Masks/Anomaly/000.png"),
    ],
)
def test_the_mask_beside_an_image(tmp_path, image, mask):
    draw(tmp_path / image)
    folder = (tmp_path / mask).suffix == ""
    for name in ("000.png", "001.png") if folder else ("",):
        draw(tmp_path / mask / name)
    draw((tmp_path / mask).parent / "other.png")
    assert mask_for(tmp_path / image) == tmp_path / mask


@pytest.mark.parametrize("name", ["test/broken/001.png", "images/crack/y.png", "plain/x.png"])
def test_an_image_without_a_mask(tmp_path, name):
    draw(tmp_path / "ground_truth/broken/000_mask.png")
    draw(tmp_path / "masks/crack/x.png")
    assert mask_for(draw(tmp_path / name)) is None


def test_masks_of_one_image_are_joined_whatever_their_values(tmp_path):
    draw(tmp_path / "000/000.png", [[0, 1, 0], [0, 0, 0]])
    draw(tmp_path / "000/001.png", [[0, 0, 200], [7, 0, 0]])
    (tmp_path / "000/notes.txt").write_text("")
    expected = [[False, True, True], [True, False, False]]
    assert read_marked(tmp_path / "000").tolist() == expected
    marks = ImageCache().marks(tmp_path / "000")
    assert (marks.dtype, (marks == 255).tolist()) == (np.uint8, [expected])


def test_labels_of_0_and_1_are_a_mask(tmp_path):
    assert read_marked(draw(tmp_path / "x.png", [[0, 1], [1, 0]])).tolist() == [[False, True], [True, False]]


@pytest.mark.parametrize("sides", [(), (16, 17)])
def test_masks_that_cannot_be_joined_are_refused(tmp_path, sides):
    (tmp_path / "000").mkdir()
    for number, side in enumerate(sides):
        draw(tmp_path / "000" / f"{number}.png", 1, side)
    with pytest.raises(ImageError, match="differ in size, or there are none"):
        read_marked(tmp_path / "000")


def test_the_cache_keeps_an_image_and_its_marks_apart(tmp_path):
    path = draw(tmp_path / "x.png", [[0, 1], [1, 0]])
    cache = ImageCache()
    for _ in range(2):
        assert cache.get(path).max() == 1
        assert cache.marks(path).max() == 255


def test_masks_are_no_images_in_any_case_of_their_folders(tmp_path):
    for name in ("candle/Data/Images/Anomaly/0.JPG", "candle/Data/Images/Normal/1.JPG"):
        draw(tmp_path / name)
    draw(tmp_path / "candle/Data/Masks/Anomaly/0.png")
    draw(tmp_path / "box/test/logical/0.png")
    draw(tmp_path / "box/Ground_Truth/logical/0/0.png")
    assert [(file.relative.as_posix(), file.category, file.defect) for file in walk(tmp_path)] == [
        ("box/test/logical/0.png", "box", "logical"),
        ("candle/Data/Images/Anomaly/0.JPG", "candle", "Anomaly"),
        ("candle/Data/Images/Normal/1.JPG", "candle", "Normal"),
    ]


@pytest.fixture
def bottle(tmp_path: Path) -> Path:
    for name in ("broken/0.png", "broken/1.png", "cut/0.png", "good/0.png"):
        draw(tmp_path / "bottle/test" / name)
    draw(tmp_path / "bottle/ground_truth/broken/0_mask.png", [[255] * 16, *[[0] * 16] * 15])
    return tmp_path / "bottle"


def test_degrading_a_split_keeps_the_defects(bottle, tmp_path):
    degrade_folder(bottle / "test", tmp_path / "noisy", NOISE)
    records = Manifest(tmp_path / "noisy").read()
    assert {path: (line.category, line.defect) for path, line in records.items()} == {
        "broken/0.png": ("broken", "broken"),
        "broken/1.png": ("broken", "broken"),
        "cut/0.png": ("cut", "cut"),
        "good/0.png": ("good", "good"),
    }
    found = evaluate_folders(tmp_path / "noisy", by=("defect",), metrics=["psnr"])
    assert {name: group.n for name, group in found.groups.items()} == {"broken": 2, "cut": 1, "good": 1}


def test_a_split_by_another_name_is_ordinary(tmp_path):
    draw(tmp_path / "test/broken/0.png")
    assert [(file.category, file.defect) for file in walk(tmp_path / "test")] == [("broken", None)]


def test_defects_without_any_mask_are_said_with_the_layouts(bottle, tmp_path):
    degrade_folder(bottle, tmp_path / "noisy", NOISE)
    note, other = evaluate_folders(tmp_path / "noisy", metrics=["psnr"]).notes
    assert note.startswith("no mask was found for any image of bottle/cut (1); masks are looked for in: ")
    assert "MVTec LOCO" in note
    assert other == "no mask was found for test/broken/1.png, though for others of the same defect"
    draw(bottle / "ground_truth/cut/0/000.png", 1)
    draw(bottle / "ground_truth/broken/1_mask.png", 1)
    assert evaluate_folders(tmp_path / "noisy", metrics=["psnr"]).notes == ()


def test_images_whose_masks_are_empty_are_named_but_for_those_without_a_defect(bottle, tmp_path):
    for mask in ("broken/1_mask.png", "cut/0_mask.png", "good/0_mask.png"):
        draw(bottle / "ground_truth" / mask, 0)
    degrade_folder(bottle, tmp_path / "noisy", NOISE)
    notes = evaluate_folders(tmp_path / "noisy", metrics=["defect-score"]).notes
    [note] = [note for note in notes if "empty" in note]
    assert note.endswith("got an empty one: test/broken/1.png, test/cut/0.png")
    compared = restorecli.evaluate(
        tmp_path / "noisy", against={"b": tmp_path / "noisy"}, metrics="defect-score"
    )
    assert compared.notes == notes  # not once more for the other method


def test_joined_masks_are_scored(bottle, tmp_path):
    draw(bottle / "ground_truth/cut/0/000.png", [[3] * 16, *[[0] * 16] * 15])
    degrade_folder(bottle, tmp_path / "noisy", NOISE)
    found = evaluate_folders(tmp_path / "noisy", metrics=["psnr", "psnr-inside"])
    masks = {score.pair.path: score.pair.mask and score.pair.mask.locator for score in found.images}
    assert masks["test/cut/0.png"] is not None
    assert masks["test/cut/0.png"].endswith("ground_truth/cut/0")
    inside = {score.pair.path: score.final["psnr-inside"] for score in found.images}
    assert inside["test/cut/0.png"] is not None
    assert inside["test/good/0.png"] is None
