"""What is shown fits where it is shown, and nothing in it steers a terminal."""

import io
import re
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest
import typer

from restorecli.cli import render
from restorecli.cli.support import scores
from restorecli.errors import ImageError, InterruptedRunError
from restorecli.evaluation.folder import evaluate_folders
from restorecli.folders.jobs import Failure, FolderSummary


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def shown(function, *arguments, terminal: bool = False, **named) -> tuple[str, str]:
    """Return what a function writes to stdout and stderr."""
    out, err = (Terminal(), Terminal()) if terminal else (io.StringIO(), io.StringIO())
    with redirect_stdout(out), redirect_stderr(err):
        function(*arguments, **named)
    return out.getvalue(), err.getvalue()


def test_a_pipe_gets_whole_lines() -> None:
    path = "/".join(["folder"] * 60)
    out, _ = shown(render.table, ("file", "dB"), [(path, "28.1")])
    assert any(path in line for line in out.splitlines())
    _, err = shown(render.show_error, ImageError("it is cut off", file=path))
    assert any(path in line for line in err.splitlines())


def test_a_pipe_gets_no_spaces_behind_the_last_word_of_a_line() -> None:
    table = (("what", "here"), [("few", "short"), ("many", "long " * 60)])
    told, _ = shown(render.table, *table)
    _, aside = shown(render.table, *table, stderr=True)
    assert told == aside
    assert "few   short\n" in told
    assert not [line for line in told.splitlines() if line != line.rstrip()]


def test_an_error_has_a_box_in_a_terminal_only(monkeypatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "60")
    error = ImageError("it is cut off", got=" ".join(["bytes"] * 60), hint="look at it")
    _, boxed = shown(render.show_error, error, terminal=True)
    assert boxed.startswith("\x1b")
    assert all(len(re.sub(r"\x1b\[[0-9;]*m", "", line)) <= 60 for line in boxed.splitlines())
    _, piped = shown(render.show_error, error)
    assert piped.splitlines()[0] == "Error (exit code 3): it is cut off"
    assert piped.splitlines()[-1] == "  try: look at it"
    assert piped.isascii()


def test_numbers_are_aligned_to_the_right_and_words_to_the_left() -> None:
    out, _ = shown(
        render.table, ("name", "dB", "kind"), [("a", "8.5", "word"), ("bb", "+18.5", "w"), ("c", "-", "w")]
    )
    lines = out.splitlines()
    assert lines[2].index("8.5") + 3 == lines[3].index("+18.5") + 5
    assert lines[2].index("word") == lines[3].index("w")


def test_the_spread_is_left_out_where_it_does_not_fit(shell, photos, monkeypatch) -> None:
    shell("restorecli degrade ./photos --noise gaussian")
    shell("restorecli degrade ./photos -o restored --noise gaussian --sigma 5")
    evaluation = evaluate_folders(Path("restored"), Path("photos"), degraded=Path("degraded"))
    monkeypatch.setenv("TERM", "xterm")
    for columns, spread in (("80", False), ("200", True)):
        monkeypatch.setenv("COLUMNS", columns)
        out, _ = shown(scores.show, evaluation, by_group=True, terminal=True)
        assert ("±" in out) == spread
        plain = re.sub(r"\x1b\[[0-9;]*m", "", out)
        assert all(len(line) <= int(columns) for line in plain.splitlines())


def test_small_images_have_a_size_and_a_speed() -> None:
    summary = FolderSummary("restore", Path("a.png"), 1, 0, (), 0.0041, 1.6)
    assert render.totals(summary) == "1 written -> a.png (0.0041 MP, 0.0026 MP/s, 1.6 s)"


def test_many_failures_are_cut_and_counted() -> None:
    failures = tuple(Failure(f"{index}.png", ImageError("it is cut off")) for index in range(30))
    summary = FolderSummary("restore", Path("out"), 1, 2, failures, 4.0, 2.0)
    out, err = shown(render.failures, summary)
    assert out == ""
    assert "19.png" in err
    assert "20.png" not in err
    assert "10 more" in err
    assert render.totals(summary) == "1 written, 2 already there, 30 failed -> out (4.0 MP, 2.00 MP/s, 2.0 s)"
    with pytest.raises(typer.Exit):
        render.leave_if_failed(summary)


def test_an_interrupted_run_is_no_error() -> None:
    _, err = shown(render.show_error, InterruptedRunError("Training was stopped.", hint="restorecli train x"))
    assert "Stopped (exit code 130)" in err


def test_without_streams_nothing_breaks(monkeypatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr(sys, "stderr", None)
    render.data("lost")
    render.say("lost")
    render.table(("lost",), [("lost",)])
    out, err = io.StringIO(), io.StringIO()
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", err)
    render.data("x")
    render.say("y")
    assert (out.getvalue(), err.getvalue()) == ("x\n", "y\n")


def test_hidden_files_stand_in_the_totals():
    summary = FolderSummary("restore", Path("out"), 0, 2, hidden=3)
    assert render.totals(summary) == "0 written, 2 already there, 3 hidden files left out -> out"


@pytest.mark.parametrize(("count", "tables"), [(3, 1), (4, 1), (5, 5)])
def test_up_to_four_metrics_stand_side_by_side(shell, photos, monkeypatch, count, tables) -> None:
    shell("restorecli degrade ./photos --noise gaussian")
    names = ["psnr", "ssim", "mae", "mse", "rmse"][:count]
    evaluation = evaluate_folders(Path("degraded"), metrics=names)
    monkeypatch.setattr(render, "_PAGE", 10_000)
    drawn = []
    monkeypatch.setattr(render, "table", lambda headers, rows: drawn.append(headers))
    scores.show(evaluation, by_group=True)
    assert len(drawn) == tables
