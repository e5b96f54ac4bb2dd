"""`show`: images side by side, in a terminal, in a pipe and as a PNG."""

import os
import pty
import re
import subprocess
import sys

import pytest
from PIL import Image


@pytest.fixture
def chain(shell, photos):
    """A shell with ./photos and ./degraded."""
    shell("restorecli degrade ./photos --noise gaussian --sigma 40")
    return shell


def test_a_pipe_gets_characters_and_is_told_so(chain):
    answer = chain("restorecli show ./degraded ./photos")
    assert answer.out.isascii()
    assert "\x1b" not in answer.out
    assert "indoors/0.png" in answer.out
    assert "stdout shows no colors" in answer.err
    assert max(len(line) for line in answer.out.splitlines()) <= 100


def test_colors_can_be_asked_for(chain):
    assert re.search(r"\x1b\[38;2;\d+;\d+;\d+;48;2;", chain("restorecli show ./photos --colors 24bit").out)
    assert re.search(r"\x1b\[38;5;\d+", chain("restorecli show ./photos --colors 256").out)


def test_without_paths_it_shows_what_the_chain_left(chain):
    assert chain("restorecli show --json").out.count("degraded/") == 4
    chain("restorecli degrade ./photos -o restored --noise gaussian --sigma 5")
    assert chain("restorecli show --json").data["columns"] == ["degraded", "restored"]


def test_a_sheet_is_written_and_named(chain):
    answer = chain("restorecli show ./degraded ./photos -o out/sheet.png --difference --error --limit 3")
    assert answer.out == ""
    assert "wrote out/sheet.png" in answer.err
    assert "3 of 4 images" in answer.err
    with Image.open(chain.folder / "out" / "sheet.png") as sheet:
        assert sheet.width == 2 * 28 + 4 * 320 + 3 * 12


def test_json_says_what_stands_where(chain):
    document = chain("restorecli show ./degraded ./photos --limit 2 --json -o s.png").data
    assert document["columns"] == ["degraded", "photos"]
    assert (document["shown"], document["total"], document["output"]) == (2, 4, "s.png")
    assert [entry["name"] for entry in document["pictures"]] == ["indoors/0.png", "outdoors/1.png"]
    assert document["pictures"][0]["files"] == ["degraded/indoors/0.png", "photos/indoors/0.png"]
    assert document["problems"] == []


def test_what_cannot_be_shown_is_listed_and_the_rest_is_written(chain):
    (chain.folder / "photos" / "indoors" / "0.png").unlink()
    (chain.folder / "photos" / "outdoors" / "1.png").write_bytes(b"nothing")
    answer = chain("restorecli show ./degraded ./photos -o s.png", code=3)
    assert answer.err.count("not shown:") == 2
    assert (chain.folder / "s.png").is_file()
    document = chain("restorecli show ./degraded ./photos --json", code=3).data
    assert document["pictures"][0]["files"] == ["degraded/indoors/0.png", None]
    assert len(document["problems"]) == 2


def test_hostile_names_steer_no_terminal(chain):
    source = chain.folder / "photos" / "indoors" / "0.png"
    source.rename(source.with_name("x\x1b]0;owned\x07\u202e.png"))
    answer = chain("restorecli show ./photos")
    assert "\x1b" not in answer.out + answer.err
    assert "\u202e" not in answer.out + answer.err


@pytest.mark.parametrize(
    ("line", "code", "word"),
    [
        ("show ./photos --difference", 2, "nothing to compare with"),
        ("show ./photos --crop 12", 2, "--crop is not understood"),
        ("show ./photos --crop 0x5+1+1", 2, "--crop is not understood"),
        ("show ./photos --inset", 2, "needs the part"),
        ("show ./photos --scores", 2, "nothing to compare"),
        ("show ./photos -o sheet.jpg", 2, "ends in .png"),
        ("show ./nowhere", 4, "no such file"),
        ("show ./photos ./nowhere", 4, "no such file"),
        ("show ./photos --limit 0", 2, "limit"),
    ],
)
def test_refusals(chain, line, code, word):
    answer = chain(f"restorecli {line}", code=code)
    assert word in " ".join(answer.err.split())
    assert not list(chain.folder.glob("sheet*"))


def test_nothing_here_is_told(shell):
    assert "nothing to show here" in shell("restorecli show", code=4).err


@pytest.mark.slow
@pytest.mark.parametrize(("colorterm", "code"), [("truecolor", r"38;2;\d+;\d+;\d+"), ("", r"38;5;\d+")])
def test_a_real_terminal_gets_colors(chain, colorterm, code):
    """The child's stdout is a pseudo terminal, as of a user."""
    main, child = pty.openpty()
    environment = {**os.environ, "TERM": "xterm-256color", "COLORTERM": colorterm, "NO_COLOR": ""}
    done = subprocess.Popen(
        [sys.executable, "-m", "restorecli", "show", "photos", "--limit", "1"],
        cwd=chain.folder,
        env={**environment, "COLUMNS": "60", "LINES": "20"},
        stdout=child,
        stderr=subprocess.DEVNULL,
    )
    os.close(child)
    shown = b""
    try:
        while part := os.read(main, 65536):
            shown += part
    except OSError:  # Linux: the other end is closed
        pass
    assert done.wait() == 0
    assert re.search(rf"\x1b\[{code}", shown.decode("utf-8"))
    assert "\u2580" in shown.decode("utf-8")


@pytest.mark.parametrize("words", ["./photos", "./degraded ./photos", "./photos/indoors/0.png"])
def test_a_sheet_is_never_written_over_what_it_shows(chain, words):
    before = (chain.folder / "photos/indoors/0.png").read_bytes()
    answer = chain(f"restorecli show {words} -o photos/indoors/0.png", code=2)
    assert "overwrite" in answer.err
    assert (chain.folder / "photos/indoors/0.png").read_bytes() == before


def test_endings_of_names_are_taken_off_or_guessed(shell):
    for name, others in (("one", ("a_x1.png", "b_x2.png")), ("two", ("a.png", "b.png"))):
        (shell.folder / name).mkdir()
        for other in others:
            Image.new("L", (16, 16)).save(shell.folder / name / other)
    shell("restorecli show one two -o sheet.png", code=3)
    shell("restorecli show one two -o sheet.png --strip-suffix _x1 --strip-suffix _x2")
    (shell.folder / "one" / "b_x2.png").rename(shell.folder / "one" / "b_x1.png")
    assert "note: names were matched" in shell("restorecli show one two -o sheet.png").err


def test_titles_crop_zoom_inset_and_scores_together(chain):
    line = "restorecli show noisy=./degraded clean=./photos --crop 20x16+2+2 --zoom 2 --scores"
    assert chain(f"{line} --json").data["columns"] == ["noisy", "clean"]
    assert re.search(r"\d+\.\d\d dB, SSIM 0\.\d{4}", chain(line).out)
    chain(f"{line} --inset -o photos/sheet.png")
    assert chain("restorecli show ./photos --json").data["total"] == 4  # the sheet is no image of the folder


def test_a_path_with_an_equals_sign_that_is_there_is_a_path(chain):
    (chain.folder / "degraded").rename(chain.folder / "a=b")
    assert chain("restorecli show a=b ./photos --json").data["columns"] == ["a=b", "photos"]
