"""Images in a terminal, by half blocks."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image
from rich.console import Console

from restorecli.cli.support import models
from restorecli.cli.support.half_blocks import half_blocks, show_image
from restorecli.core.shipped import shipped


def _console(**changes) -> Console:
    settings = {"force_terminal": True, "color_system": "truecolor", "width": 8, "legacy_windows": False}
    stream = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    return Console(file=stream, _environ={}, **settings | changes)


def _written(console: Console) -> str:
    console.file.flush()
    return console.file.buffer.getvalue().decode()


def test_each_character_holds_two_pixels() -> None:
    pixels = np.array([[[1, 2, 3], [4, 5, 6]], [[7, 8, 9], [10, 11, 12]]], np.uint8)
    text = half_blocks(pixels)
    assert text.plain == "\u2580\u2580"
    styles = [(span.style.color.triplet, span.style.bgcolor.triplet) for span in text.spans]
    assert styles == [((1, 2, 3), (7, 8, 9)), ((4, 5, 6), (10, 11, 12))]


def test_an_image_is_as_wide_as_the_terminal_and_keeps_its_shape(tmp_path) -> None:
    Image.new("RGB", (80, 40), (200, 10, 30)).save(tmp_path / "red.png")
    console = _console()
    assert show_image(tmp_path / "red.png", console)
    written = _written(console)
    assert written.count("\u2580") == 8 * 2
    assert "38;2;200;10;30" in written
    assert "48;2;200;10;30" in written


@pytest.mark.parametrize(
    "changes", [{"force_terminal": False}, {"color_system": None}, {"color_system": "standard"}]
)
def test_nothing_is_printed_where_the_colors_are_missing(tmp_path, changes) -> None:
    Image.new("RGB", (8, 8)).save(tmp_path / "black.png")
    console = _console(**changes)
    assert not show_image(tmp_path / "black.png", console)
    assert _written(console) == ""


def test_every_card_has_an_image_that_models_shows(monkeypatch, capsys) -> None:
    console = _console(width=40)
    monkeypatch.setattr("restorecli.cli.render.console", lambda **_: console)
    for weights in shipped():
        assert models._example_of(weights.name) is not None
    models.show("sca-unet.jpeg", as_json=False)
    assert _written(console).count("\u2580") == 40 * round(176 * 40 / 536 / 2)
    assert models._example_of("tv") is None
