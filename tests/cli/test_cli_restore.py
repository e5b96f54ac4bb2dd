"""`restore` through its options."""

import errno
import os
from pathlib import Path

import pytest
from PIL import Image


@pytest.fixture
def noisy(shell, photos):
    """The folder ./degraded of the shell."""
    shell("restorecli degrade ./photos --noise gaussian")
    return shell.folder / "degraded"


def test_a_folder_is_restored_once_and_keeps_its_tree(shell, noisy) -> None:
    line = "restorecli restore ./degraded --model sca-unet --json"
    first, second = (shell(line).data for _ in range(2))
    assert (first["written"], first["skipped"], first["failed"]) == (4, 0, 0)
    assert (second["written"], second["skipped"]) == (0, 4)
    assert (shell.folder / "restored" / "outdoors" / "1.png").is_file()


def test_an_ensemble_is_another_result_than_the_plain_one(shell, noisy) -> None:
    line = "restorecli restore ./degraded --model sca-unet --json"
    shell(line)
    again = shell(f"{line} --ensemble").data
    assert (again["written"], again["skipped"]) == (4, 0)
    assert shell(f"{line} --ensemble").data["skipped"] == 4
    assert shell("restorecli eval --json").data["overall"]["gain"]["psnr"] > 0


def test_a_plain_folder_needs_no_manifest(shell, photos) -> None:
    answer = shell("restorecli restore ./photos --model sca-unet")
    assert answer.out == ""
    assert "4 written -> restored" in answer.err
    assert "MP/s" in answer.err


def test_tiles_precision_format_and_device_are_taken(shell, noisy) -> None:
    words = "--tile 48 --overlap 16 --precision bf16 --device cpu --workers 1 --format tiff"
    shell(f"restorecli restore ./degraded/indoors/0.png -o ./out {words}")
    with Image.open(shell.folder / "out" / "0.tiff") as image:
        assert image.size == (72, 64)


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        ("--model scaunet", 2, "sca-unet"),
        ("--model sca-unet.nothing", 5, ", .gaussian, "),
        ("--model missing.safetensors", 5, "missing.safetensors"),
        ("--model foreign.pth", 5, "nothing in the file was run"),
        ("--weights broken.pth", 5, "broken.pth"),
        ("--model tv --ensemble", 2, "for networks"),
        ("--tile 3x", 2, "auto, none"),
        ("--tile 0", 2, "auto, none"),
        ("--overlap -1", 2, "overlap"),
        ("--precision half", 2, "bf16"),
        ("--device abacus", 2, "abacus"),
        ("-o ./degraded", 2, "degraded"),
        ("-o ./broken.pth", 4, "a folder is needed"),
        ("-o ./photos", 2, "clean original"),
        ("-o ./photos --overwrite", 2, "clean original"),
        ("--model tv --sigma inf", 2, "--sigma"),
        ("--model tv --device abacus", 2, "abacus"),
        ("--model tv --precision bf16", 2, "for networks"),
    ],
)
def test_what_cannot_be_done_is_told(shell, noisy, words, code, told) -> None:
    (shell.folder / "broken.pth").write_bytes(b"no weights")
    (shell.folder / "foreign.pth").write_bytes(b"no weights")
    answer = shell(f"restorecli restore ./degraded {words} --json", code=code)
    assert answer.error["exit_code"] == code
    assert told in answer.err


def test_an_image_of_somebody_else_is_never_overwritten(shell, noisy) -> None:
    mine = shell.folder / "mine" / "indoors" / "0.png"
    mine.parent.mkdir(parents=True)
    mine.write_bytes(b"mine")
    answer = shell("restorecli restore ./degraded -o ./mine --model median", code=2)
    assert "did not write" in answer.err
    assert mine.read_bytes() == b"mine"
    assert shell("restorecli restore ./degraded -o ./mine --model median --overwrite").err
    assert mine.read_bytes() != b"mine"
    assert "4 already there" in shell("restorecli restore ./degraded -o ./mine --model median").err


@pytest.mark.parametrize(
    ("model", "words"),
    [
        ("sca-unet", "--ensemble"),
        ("nlm", "--sigma 50"),
        ("dncnn", "--tile 16 --overlap 0"),
        ("inpaint-harmonic", "--mask '#ffffff'"),
        ("wiener-deconv", "--operator gaussian-blur:sigma=2"),
    ],
)
def test_an_option_that_is_left_out_again_is_another_result(shell, noisy, model, words) -> None:
    line = f"restorecli restore ./degraded/indoors --model {model} --json"
    assert shell(f"{line} {words}").data["written"] == 2
    assert shell(f"{line} {words}").data["skipped"] == 2
    assert shell(line, code=None).data.get("skipped", 0) == 0


def test_another_kernel_in_the_same_file_is_another_result(shell, noisy) -> None:
    line = "restorecli restore ./degraded/indoors --model wiener-deconv --operator kernel.png --json"
    for width in (3, 5):
        Image.new("L", (width, 1), 255).save(shell.folder / "kernel.png")
        assert shell(line).data["written"] == 2
    assert shell(line).data["skipped"] == 2


def test_one_bad_file_costs_one_file(shell, noisy) -> None:
    (noisy / "indoors" / "bad.png").write_bytes(b"no image")
    answer = shell("restorecli restore ./degraded --json", code=3)
    assert (answer.data["written"], answer.data["failed"]) == (4, 1)


@pytest.mark.parametrize("frames", ["first", "all", "0"])
def test_one_file_that_may_not_be_read_costs_one_file(shell, noisy, monkeypatch, frames) -> None:
    opened = Path.open

    def refusing(path: Path, *arguments, **named):
        if path.name == "0.png" and path.parent.parent.name == "degraded":
            raise PermissionError(errno.EPERM, os.strerror(errno.EPERM), str(path))
        return opened(path, *arguments, **named)

    monkeypatch.setattr(Path, "open", refusing)
    answer = shell(f"restorecli restore ./degraded --model median --frames {frames} --json", code=3)
    assert (answer.data["written"], answer.data["failed"]) == (3, 1)
    assert answer.data["failures"][0]["got"] == "Operation not permitted"
