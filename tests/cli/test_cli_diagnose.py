"""`restorecli diagnose`: one image at length, folders as a table, JSON for programs."""

import numpy as np
import tifffile
from PIL import Image

from restorecli.errors import ExitCode
from restorecli.folders.samples import read_sample


def _photo() -> Image.Image:
    pixels = read_sample("coffee").pixels[:, :320, :320]
    return Image.fromarray((pixels.transpose(1, 2, 0) * 255).astype("uint8"))


def test_one_image_is_told_at_length(shell) -> None:
    _photo().save(shell.folder / "poor.jpg", quality=10)
    told = shell("restorecli diagnose poor.jpg").out
    assert told.startswith("JPEG (sure: ")
    assert "quality about 10" in told
    assert "restore would use" in told
    assert "Detail that JPEG rounded away is gone." in told


def test_an_image_without_damage_is_said_to_have_none(shell) -> None:
    _photo().save(shell.folder / "good.png")
    assert shell("restorecli diagnose good.png").out.startswith("no damage found")


def test_folders_are_a_table_and_a_line_for_each_kind(shell) -> None:
    (shell.folder / "imgs").mkdir()
    _photo().save(shell.folder / "imgs" / "good.png")
    _photo().save(shell.folder / "imgs" / "poor.jpg", quality=10)
    done = shell("restorecli diagnose imgs")
    assert "no damage found" in done.out
    assert "poor.jpg" in done.out
    assert "1 image: JPEG, quality about 10" in done.err


def test_json_holds_every_image_and_what_failed(shell) -> None:
    (shell.folder / "imgs").mkdir()
    _photo().save(shell.folder / "imgs" / "poor.jpg", quality=10)
    (shell.folder / "imgs" / "torn.png").write_bytes(b"torn")
    done = shell("restorecli diagnose imgs --json", code=ExitCode.SOME_FAILED)
    poor, torn = done.data["pictures"]
    assert poor["findings"][0]["damage"] == "jpeg"
    assert poor["damaged"] is True
    assert "error" in torn


def test_restore_says_a_line_for_each_kind_and_needs_no_model(shell) -> None:
    (shell.folder / "imgs").mkdir()
    _photo().save(shell.folder / "imgs" / "good.png")
    _photo().save(shell.folder / "imgs" / "poor.jpg", quality=10)
    done = shell("restorecli restore ./imgs")
    assert "1 image: JPEG, quality about 10 -> " in done.err
    assert "1 image: no damage found" in done.err
    assert shell("restorecli restore ./imgs -o again --json").data["kinds"]
    assert "JPEG" not in shell("restorecli restore ./imgs -o third --quiet").err


def test_measured_data_is_told_and_its_brightness_left(shell) -> None:
    dim = read_sample("coffee").pixels.mean(0)[:160, :160] * 4000
    Image.fromarray(dim.astype("uint16")).save(shell.folder / "dim.png")
    told = shell("restorecli diagnose dim.png").out
    assert told.startswith("gray of more than 8 bits")
    assert "low-light" not in told
    [one] = shell("restorecli diagnose dim.png --json").data["pictures"]
    assert one["measured"] is True


def test_a_stack_is_diagnosed_plane_by_plane(shell) -> None:
    """--frames all was refused, with the advice to say --frames all."""
    tifffile.imwrite(shell.folder / "stack.tif", np.zeros((3, 40, 48), np.uint16), photometric="minisblack")
    found = shell("restorecli diagnose stack.tif --frames all --json").data["pictures"]
    assert [one["path"] for one in found] == [f"stack.tif#{number}" for number in range(3)]
    assert (
        len(shell("restorecli diagnose stack.tif --frames 1..2 --range 0..4095 --json").data["pictures"]) == 2
    )


def test_images_too_small_to_tell_are_no_failure(shell) -> None:
    (shell.folder / "imgs").mkdir()
    _photo().resize((20, 60)).save(shell.folder / "imgs" / "tiny.png")
    assert shell("restorecli diagnose imgs/tiny.png").out == "too small to tell: a side is under 32 px\n"
    told = shell("restorecli diagnose imgs --json").data["pictures"][0]
    assert (told["damaged"], told["confidence"]) == (False, 0.0)
    assert told["untold"] == "too small to tell: a side is under 32 px"


def test_the_border_of_a_print_is_told(shell) -> None:
    framed = Image.new("RGB", (400, 400), (255, 255, 255))
    framed.paste(_photo(), (40, 40))
    framed.save(shell.folder / "framed.png")
    told = shell("restorecli diagnose framed.png").out
    assert "only what is inside a border of one color was looked at" in told
    assert "(40, 40)" in told
