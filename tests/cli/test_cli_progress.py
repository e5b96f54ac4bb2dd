"""One bar on a terminal, silence elsewhere."""

import io
from contextlib import redirect_stderr

import pytest

from restorecli.cli.progress import BarProgress, TrainingBar
from restorecli.errors import ImageError


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Scores:
    levels = ()

    def numbers(self):
        return {"psnr": 28.5, "ssim": 0.8}


@pytest.fixture(params=[Terminal, io.StringIO], ids=["terminal", "file"])
def stderr(request):
    return request.param()


def test_a_folder_job_is_a_bar_on_a_terminal_only(stderr) -> None:
    with redirect_stderr(stderr):
        bar = BarProgress()
        bar.advance("before the start")
        bar.start(2, "restore")
        bar.advance("a.png")
        bar.advance("b\x1b[31m.png", ImageError("it is cut off"))
        bar.finish()
    shown = stderr.getvalue()
    if stderr.isatty():
        assert "2/2" in shown
        assert "b\\x1b[31m.png: it is cut off" in shown
    else:
        assert shown == ""


def test_an_image_that_takes_minutes_shows_its_steps(stderr) -> None:
    with redirect_stderr(stderr):
        bar = BarProgress()
        bar.within(1, 9)
        bar.start(1, "restore")
        bar.within(120, 3000)
        bar.advance("a.png")
        bar.finish()
    assert ("step 120 of 3000" in stderr.getvalue()) == stderr.isatty()


def test_training_shows_loss_decibels_and_time_left(stderr) -> None:
    with redirect_stderr(stderr):
        bar = TrainingBar()
        bar.step(1, 0.1)
        bar.measured(0.5, 20.0)
        bar.begin(10, 0.25)
        bar.measured(0.25, 24.0)
        bar.step(11, 0.5)
        bar.validated(11, Scores(), best=True)
        bar.step(12, 2.0)
        bar.end()
    shown = stderr.getvalue()
    assert "after step 10" in shown
    assert "step 11: psnr 28.50 dB, ssim 0.8000 (best so far)" in shown
    assert ("loss 0.2500, 24.00 dB" in shown) == stderr.isatty()
    assert ("100.0%" in shown) == stderr.isatty()


def test_a_bar_that_never_began_ends_quietly(stderr) -> None:
    with redirect_stderr(stderr):
        BarProgress().finish()
        TrainingBar().end()
    assert stderr.getvalue() == ""
