"""Side-by-side strips: sizes, pixels and file names."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from restorecli.errors import UsageError
from restorecli.folders.walking import walk
from restorecli.report.panels import Panel, panels_of, printable, score_words, to_image
from restorecli.report.strips import side_by_side, write_strip, write_strips
from restorecli.training.pairs import training_files


def panel(label: str, height: int, width: int, channels: int = 3, value: float = 0.5) -> Panel:
    return Panel(label, np.full((channels, height, width), value, np.float32), "20.00 dB")


def test_images_stand_beside_one_another_unchanged():
    strip = side_by_side(
        [panel("degraded", 260, 300, value=0.2), panel("reference", 260, 300, channels=1, value=0.8)],
        title="x.png",
    )
    assert strip.mode == "RGB"
    assert strip.width == 2 * 300 + 3 * 16
    counts = {color: count for count, color in strip.getcolors(1 << 20)}
    assert counts[51, 51, 51] >= 260 * 300
    assert counts[204, 204, 204] >= 260 * 300


def test_small_images_are_enlarged_and_large_ones_shrunk():
    assert side_by_side([panel("reference", 16, 16)]).width == 240 + 32
    assert side_by_side([panel("reference", 1000, 4096)]).width == 1024 + 32
    assert side_by_side([panel("reference", 4096, 8)]).height > 1024


def test_a_downscaled_image_gets_the_size_of_the_reference():
    strip = side_by_side([panel("degraded", 130, 150), panel("reference", 260, 300)])
    assert strip.width == 2 * 300 + 3 * 16


@pytest.mark.parametrize("title", ["a" * 500, "写真/猫.png", "bad \udcff \x1b \u202e", ""])
def test_any_title_fits(title):
    assert side_by_side([panel("reference", 20, 20)], title=title).width == 272


def test_nothing_to_draw_is_refused():
    with pytest.raises(UsageError):
        side_by_side([])


def test_strips_keep_the_tree(plain_evaluation, tmp_path):
    paths = write_strips(plain_evaluation.images[:3], tmp_path / "strips")
    assert [path.relative_to(tmp_path / "strips").as_posix() for path in paths] == [
        "stone/0.png",
        "stone/1.png",
        "stone/2.png",
    ]
    with Image.open(paths[0]) as strip:
        strip.load()
        assert strip.format == "PNG"
    assert set((tmp_path / "strips").rglob("*.png")) == set(paths)


def test_one_strip_holds_all_that_is_known(plain_evaluation, small_evaluation, tmp_path):
    assert [p.label for p in panels_of(plain_evaluation.images[0])] == ["degraded", "restored", "reference"]
    write_strip(small_evaluation.images[0], tmp_path / "deep" / "one.png")
    assert (tmp_path / "deep" / "one.png").is_file()


def test_names_of_the_same_stem_do_not_overwrite_each_other(make_evaluation, tmp_path):
    evaluation = make_evaluation(tmp_path, ["a.png", "a.bmp"])
    assert len(set(write_strips(evaluation.images, tmp_path / "strips"))) == 2


def test_words_for_scores():
    assert score_words({"psnr": 28.914, "ssim": 0.81234}) == "28.91 dB, SSIM 0.8123"
    assert score_words({"psnr": float("inf"), "ssim": None}) == "inf dB, SSIM -"


def test_pixels_that_cannot_be_shown_are_clipped():
    pixels = np.array([[[-1.0, np.nan, 0.5, np.inf]]], np.float32)
    assert np.asarray(to_image(pixels)).tolist() == [[0, 0, 128, 255]]


def test_printable_spells_out_what_steers():
    assert printable("a\x1bé猫\u202e") == "a\\x1bé猫\\u202e"


def test_strips_are_no_training_data(plain_evaluation, tmp_path):
    write_strips(plain_evaluation.images, tmp_path / "report" / "pictures")
    write_strips(plain_evaluation.images, tmp_path / "report" / "pictures")
    found = {file.relative.parts[0] for file in training_files(tmp_path)}
    assert found == {"clean", "degraded", "restored"}
    assert list(walk(tmp_path / "report")) == []
    assert len(walk(tmp_path / "report" / "pictures")) == len(plain_evaluation.images)


def test_a_folder_of_own_images_stays_training_data(plain_evaluation, tmp_path):
    own = tmp_path / "report" / "pictures" / "own.png"
    own.parent.mkdir(parents=True)
    Image.new("L", (8, 8)).save(own)
    write_strips(plain_evaluation.images, own.parent)
    assert own in {file.path for file in training_files(tmp_path)}
