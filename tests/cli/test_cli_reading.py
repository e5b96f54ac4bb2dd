"""The reading options, from `degrade` over `restore` to `eval`."""

import pytest
from PIL import Image

from restorecli.folders.manifest import Manifest

OPTIONS = "--to-srgb --frames first --allow-truncated"


@pytest.fixture
def unusual(shell, photos):
    """The folder ./unusual: a CMYK image, one of two pages, and one that is cut short."""
    folder = shell.folder / "unusual"
    folder.mkdir()
    images = [Image.open(path) for path in sorted(photos.rglob("*.png"))]
    images[0].convert("CMYK").save(folder / "print.jpg", quality=95)
    images[1].save(folder / "pages.tiff", save_all=True, append_images=images[2:])
    whole = (photos / "indoors" / "0.png").read_bytes()
    (folder / "cut.png").write_bytes(whole[:-60])
    return folder


def test_the_hints_name_options_that_are_there(shell, unusual) -> None:
    answer = shell("restorecli degrade ./unusual --noise gaussian --json", code=3)
    hints = " ".join(failure["try"] for failure in answer.data["failures"])
    for option in ("--to-srgb", "--frames first", "--allow-truncated"):
        assert option in hints


def test_what_was_read_with_options_is_told_and_scored_against_the_same(shell, unusual) -> None:
    line = f"restorecli degrade ./unusual --noise gaussian --sigma 1 {OPTIONS}"
    answer = shell(f"{line} --json")
    assert answer.data["written"] == 3
    for name in ("cut.png", "pages.tiff", "print.jpg"):
        assert f"note: {name}: " in answer.err
    assert "3 already there" in shell(line).err
    scores = shell("restorecli eval ./degraded --json").data
    assert scores["unmatched"] == []
    assert min(image["degraded"]["psnr"] for image in scores["images"]) > 46
    shell("restorecli restore ./degraded --model sca-unet")
    for words in ("", "./restored ./unusual"):
        scores = shell(f"restorecli eval {words} --json").data
        assert (scores["unmatched"], len(scores["images"])) == ([], 3)


def test_restore_reads_unusual_files_on_request(shell, unusual) -> None:
    line = "restorecli restore ./unusual --model sca-unet"
    assert "0 written, 3 failed" in shell(line, code=3).err
    answer = shell(f"{line} {OPTIONS}")
    assert "note: pages.tiff: first of 3 frames or pages" in answer.err
    assert "3 already there" in shell(f"{line} {OPTIONS}").err
    assert all(record.reading.to_srgb for record in Manifest(shell.folder / "restored").read().values())


@pytest.mark.parametrize("words", ["--frames last", "--replay ./degraded --to-srgb"])
def test_choices_that_do_not_exist_are_told(shell, photos, words) -> None:
    shell("restorecli degrade ./photos --noise gaussian")
    noise = "" if "--replay" in words else "--noise gaussian"
    shell(f"restorecli degrade ./photos -o ./again {noise} {words}", code=2)


def test_the_same_note_on_many_images_is_one_line(shell, unusual) -> None:
    (unusual / "print2.jpg").write_bytes((unusual / "print.jpg").read_bytes())
    answer = shell(f"restorecli degrade ./unusual --noise gaussian {OPTIONS}")
    assert answer.err.count("CMYK") == 1
    assert "note: 2 images, first print.jpg: CMYK" in answer.err
