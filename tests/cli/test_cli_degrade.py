"""`degrade` through its options: what is written, where, and with which answer."""

import hashlib
import json
import os
import subprocess
import sys

import numpy as np
import pytest
import tifffile
from PIL import Image

from restorecli.degradation.catalog import DEGRADATIONS


def digests(folder):
    """Return the SHA-256 of every image below a folder, by relative path."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != "manifest.jsonl"
    }


def records(folder):
    return [json.loads(line) for line in (folder / "manifest.jsonl").read_text().splitlines()]


def test_the_chain_is_applied_in_order_with_its_values(shell, photos) -> None:
    shell("restorecli degrade ./photos --noise blur --noise gaussian --set gaussian.sigma=20 --sigma 1.25")
    for record in records(shell.folder / "degraded"):
        names = [(step["name"], step["sigma"]) for step in record["degradations"]]
        assert names == [("gaussian-blur", 1.25), ("gaussian", 20.0)]


def test_values_are_drawn_from_ranges_and_choices(shell, photos) -> None:
    shell("restorecli degrade ./photos --noise gaussian --sigma 5..6 --noise jpeg --set jpeg.quality=40,60")
    for record in records(shell.folder / "degraded"):
        noise, jpeg = record["degradations"]
        assert 5 <= noise["sigma"] <= 6
        assert jpeg["quality"] in (40, 60)


def test_the_same_seed_gives_the_same_bytes_with_any_number_of_workers(shell, photos) -> None:
    for name, words in (("a", "--workers 1"), ("b", "--workers 3"), ("c", "--seed 1")):
        shell(f"restorecli degrade ./photos -o {name} --noise gaussian --random {words}")
    assert digests(shell.folder / "a") == digests(shell.folder / "b") != digests(shell.folder / "c")


def test_a_replay_gives_the_same_bytes(shell, photos) -> None:
    shell("restorecli degrade ./photos -o a --noise speckle --noise jpeg --random --seed 9")
    shell("restorecli degrade --replay a -o b")
    assert digests(shell.folder / "a") == digests(shell.folder / "b")


def test_finished_images_are_skipped_unless_overwritten(shell, photos) -> None:
    line = "restorecli degrade ./photos --noise gaussian --json"
    counts = [shell(each).data for each in (line, line, f"{line} --overwrite")]
    assert [(count["written"], count["skipped"]) for count in counts] == [(4, 0), (0, 4), (4, 0)]


def test_unclipped_noise_is_float_tiff_beyond_the_range(shell, photos) -> None:
    shell("restorecli degrade ./photos --noise gaussian --severity 5 --unclipped")
    written = sorted((shell.folder / "degraded").rglob("*.tif*"))
    assert len(written) == 4
    pixels = tifffile.imread(written[0])
    assert pixels.dtype == "float32"
    assert pixels.min() < 0
    assert pixels.max() > 1


def test_another_format_can_be_asked_for(shell, photos) -> None:
    shell("restorecli degrade ./photos --noise gaussian --format bmp")
    assert len(list((shell.folder / "degraded").rglob("*.bmp"))) == 4


def test_one_bad_file_costs_one_file(shell, photos) -> None:
    (photos / "indoors" / "bad.png").write_bytes(b"\x89PNG\r\n\x1a\nno more")
    answer = shell("restorecli degrade ./photos --noise gaussian --json", code=3)
    summary = answer.data
    assert (summary["written"], summary["failed"]) == (4, 1)
    assert summary["failures"][0]["path"] == "indoors/bad.png"
    assert "bad.png" in answer.err


def test_another_run_in_the_output_is_told(shell, photos) -> None:
    program = (
        "import sys; from pathlib import Path; from restorecli.folders.lock import output_lock\n"
        "with output_lock(Path('degraded')):\n    print('held', flush=True); sys.stdin.readline()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout.readline() == "held\n"
        answer = shell("restorecli degrade ./photos --noise gaussian", code=8)
        holder.communicate("go\n")
    assert "degraded" in answer.err
    shell("restorecli degrade ./photos --noise gaussian")


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("", 2),
        ("--noise gausian", 2),
        ("--noise gaussian --severity 6", 2),
        ("--noise gaussian --workers 0", 2),
        ("--noise gaussian --format gif", 2),
        ("--noise gaussian -o ./photos", 2),
        ("--noise gaussian --unclipped --format png", 2),
        ("--noise gaussian --severity 2 --random", 2),
        ("--chain missing.yaml", 4),
        ("--replay ./photos", 2),
        ("--replay ./photos --seed 0", 2),
        ("--replay ./photos --unclipped", 2),
        ("--noise gaussian --set gaussian.name=jpeg", 2),
        ("--noise gaussian --set gaussian.probability=0.5", 2),
    ],
)
def test_what_cannot_be_done_is_told_before_anything_is_written(shell, photos, words, code) -> None:
    before = digests(photos)
    answer = shell(f"restorecli degrade ./photos {words} --json", code=code)
    assert answer.error["exit_code"] == code
    assert digests(photos) == before
    assert not list((shell.folder / "degraded").rglob("*.png"))


def test_a_replay_takes_no_source(shell, photos) -> None:
    shell("restorecli degrade ./photos --noise gaussian")
    assert "SRC" in shell("restorecli degrade ./photos -o again --replay degraded", code=2).err


def test_a_missing_source_is_told(shell) -> None:
    assert "nowhere" in shell("restorecli degrade ./nowhere --noise gaussian", code=4).err


def test_the_list_shows_every_degradation(shell) -> None:
    listed = shell("restorecli degrade --list --json").data
    assert [entry["name"] for entry in listed] == list(DEGRADATIONS)
    shown = shell("restorecli degrade --list all").out
    for entry in listed:
        assert entry["name"] in shown
        assert len(entry["severities"]) == 5
        for parameter in entry["parameters"]:
            assert parameter["help"]
            assert parameter["name"] in shown


@pytest.mark.parametrize("name", DEGRADATIONS)
def test_every_degradation_runs_by_its_name(shell, photos, name) -> None:
    assert "4 written" in shell(f"restorecli degrade ./photos --noise {name}").err


PLAIN_LOCALE = {"LANG": "C", "LC_ALL": "C", "TERM": "dumb"}
ASCII_ONLY = {**PLAIN_LOCALE, "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}


@pytest.mark.parametrize("locale", [PLAIN_LOCALE, ASCII_ONLY], ids=["plain", "ascii-only"])
def test_any_file_name_survives_any_locale(shell, photos, locale) -> None:
    names = ["é.png", "テスト.png", "🦉.png", "-o.png", "a b[bold].png", os.fsdecode(b"no-utf8-\xff.png")]
    for name in names:
        (photos / name).write_bytes((photos / "indoors" / "0.png").read_bytes())
    (photos / "ü-bad.png").write_bytes(b"no image")
    answer = shell.process("restorecli degrade ./photos --noise gaussian --json", code=3, **locale)
    failed = answer.data["failures"][0]["path"]
    assert os.fsencode(failed) == "ü-bad.png".encode()
    assert "Traceback" not in answer.err
    assert all((shell.folder / "degraded" / name).is_file() for name in names)
    shell.process("restorecli eval --by-category --json", code=None, **locale)


def test_the_locale_does_not_change_the_bytes(shell, photos) -> None:
    (photos / "é.png").write_bytes((photos / "indoors" / "0.png").read_bytes())
    shell.process("restorecli degrade ./photos -o a --noise gaussian", **ASCII_ONLY)
    shell.process("restorecli degrade ./photos -o b --noise gaussian")
    assert digests(shell.folder / "a") == digests(shell.folder / "b")


def test_one_image_takes_a_quality_and_a_file_for_its_mask(shell, photos) -> None:
    source = sorted(photos.rglob("*.png"))[0].relative_to(shell.folder)
    line = f"restorecli degrade {source} --noise scratches -o"
    shell(f"{line} worse.jpg --quality 30 --mask mask.png")
    mask = np.asarray(Image.open(shell.folder / "mask.png"))
    assert set(np.unique(mask)) == {0, 255}
    shell(f"{line} folder")
    (whole,) = (shell.folder / "folder/masks").rglob("*.png")
    np.testing.assert_array_equal(np.asarray(Image.open(whole)), mask)
    small = (shell.folder / "worse.jpg").stat().st_size
    shell(f"{line} worse.jpg --overwrite")
    assert (shell.folder / "worse.jpg").stat().st_size > 1.5 * small
    assert not (shell.folder / "manifest.jsonl").exists()


@pytest.mark.parametrize(
    "words",
    [
        "-o worse.png --mask mask.png",
        "-o worse.png --noise scratches --mask worse.png",
        "-o worse.png --noise scratches --mask taken.png",
        "-o worse --noise scratches --mask mask.png",
        "-o worse --quality 30",
    ],
)
def test_masks_and_quality_of_one_image_are_refused_where_they_make_no_sense(shell, photos, words) -> None:
    source = sorted(photos.rglob("*.png"))[0].relative_to(shell.folder)
    (shell.folder / "taken.png").write_bytes(b"taken")
    answer = shell(f"restorecli degrade {source} --noise gaussian {words} --json", code=2)
    assert answer.error["exit_code"] == 2
    assert (shell.folder / "taken.png").read_bytes() == b"taken"
    assert not list(shell.folder.glob("worse*"))
