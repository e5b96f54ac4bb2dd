"""`restore` through its options."""

import json

import pytest
from PIL import Image


@pytest.fixture
def noisy(shell, photos):
    """The folder ./degraded of the shell."""
    shell("restorecli degrade ./photos --noise gaussian")
    return shell.folder / "degraded"


def test_a_folder_is_restored_once_and_keeps_its_tree(shell, noisy) -> None:
    line = "restorecli restore ./degraded --model sca-unet --json"
    first, second = (json.loads(shell(line).out) for _ in range(2))
    assert (first["written"], first["skipped"], first["failed"]) == (4, 0, 0)
    assert (second["written"], second["skipped"]) == (0, 4)
    assert (shell.folder / "restored" / "outdoors" / "1.png").is_file()


def test_an_ensemble_is_another_result_than_the_plain_one(shell, noisy) -> None:
    line = "restorecli restore ./degraded --model sca-unet --json"
    shell(line)
    again = json.loads(shell(f"{line} --ensemble").out)
    assert (again["written"], again["skipped"]) == (4, 0)
    assert json.loads(shell(f"{line} --ensemble").out)["skipped"] == 4
    assert json.loads(shell("restorecli eval --json").out)["overall"]["gain"]["psnr"] > 0


def test_a_plain_folder_needs_no_manifest(shell, photos) -> None:
    answer = shell("restorecli restore ./photos --model sca-unet")
    assert answer.out == ""
    assert "4 written -> restored" in answer.err
    assert "MP/s" in answer.err


def test_tiles_precision_format_and_device_are_taken(shell, noisy) -> None:
    words = "--tile 48 --overlap 16 --precision bf16 --device cpu --workers 1 --format tiff"
    shell(f"restorecli restore ./degraded/indoors/0.png -o ./out {words}")
    with Image.open(shell.folder / "out" / "0.tiff") as picture:
        assert picture.size == (72, 64)


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        ("--model scaunet", 2, "sca-unet"),
        ("--model sca-unet.nothing", 5, "sca-unet.gaussian"),
        ("--model missing.safetensors", 5, "missing.safetensors"),
        ("--model foreign.pth", 5, "--weights"),
        ("--weights broken.pth", 5, "broken.pth"),
        ("--model tv --ensemble", 2, "for networks"),
        ("--tile 3x", 2, "auto, none"),
        ("--tile 0", 2, "auto, none"),
        ("--overlap -1", 2, "overlap"),
        ("--precision half", 2, "bf16"),
        ("--device abacus", 2, "abacus"),
        ("-o ./degraded", 2, "degraded"),
    ],
)
def test_what_cannot_be_done_is_told(shell, noisy, words, code, told) -> None:
    (shell.folder / "broken.pth").write_bytes(b"no weights")
    (shell.folder / "foreign.pth").write_bytes(b"no weights")
    answer = shell(f"restorecli restore ./degraded {words} --json", code=code)
    assert json.loads(answer.out)["error"]["exit_code"] == code
    assert told in answer.err


def test_one_bad_file_costs_one_file(shell, noisy) -> None:
    (noisy / "indoors" / "bad.png").write_bytes(b"no picture")
    answer = shell("restorecli restore ./degraded --json", code=3)
    assert (json.loads(answer.out)["written"], json.loads(answer.out)["failed"]) == (4, 1)
