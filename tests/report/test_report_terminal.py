"""Images in a terminal: what is written decodes back to the image."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from restorecli.report.lineup import Row, Tile
from restorecli.report.terminal import across, half_blocks, image_box, image_lines, row_lines, terminal_colors

IMAGES = arrays(np.uint8, st.tuples(st.integers(1, 7), st.integers(1, 6), st.just(3)))
CELL = re.compile(r"(?:\x1b\[([\d;]+)m)?(\u2580)")


def decoded(lines: list[str], width: int) -> list[list[tuple[int, ...] | None]]:
    """Play a terminal: read SGR codes of 24-bit colors, and return the rows of pixels."""
    rows: list[list[tuple[int, ...] | None]] = []
    for line in lines:
        assert line.endswith("\x1b[0m")
        upper, lower, state = [], [], {38: None, 48: None}
        for codes, _ in CELL.findall(line):
            numbers = [int(code) for code in codes.split(";")] if codes else []
            while numbers:
                ground, kind, *rest = numbers
                assert kind == 2
                state[ground], numbers = tuple(rest[:3]), rest[3:]
            upper.append(state[38])
            lower.append(state[48])
        assert len(upper) == width
        rows += [upper, lower]
    return rows


@given(IMAGES)
def test_half_blocks_decode_back_to_the_image(levels):
    rows = decoded(half_blocks(levels, "24bit"), levels.shape[1])
    assert len(rows) == 2 * -(-levels.shape[0] // 2)
    assert np.array_equal(np.array(rows[: levels.shape[0]]), levels)
    assert all(pixel is None for row in rows[levels.shape[0] :] for pixel in row)


def test_an_equal_color_is_not_named_again():
    flat = np.full((2, 50, 3), 7, np.uint8)
    assert half_blocks(flat, "24bit") == ["\x1b[38;2;7;7;7;48;2;7;7;7m" + "\u2580" * 50 + "\x1b[0m"]


def xterm_palette() -> np.ndarray:
    """The colors 16 to 255 as the terminals' own sources list them: a cube, then a ramp of grays."""
    steps = [0, 95, 135, 175, 215, 255]
    cube = [(red, green, blue) for red in steps for green in steps for blue in steps]
    return np.array(cube + [(8 + 10 * gray,) * 3 for gray in range(24)])


@given(arrays(np.uint8, (2, 3, 3)))
def test_256_colors_are_the_nearest(levels):
    palette = xterm_palette()
    line = half_blocks(levels, "256")[0]
    state: dict[str, int] = {}
    for column, codes in enumerate(cell[0] for cell in CELL.findall(line)):
        parts = codes.split(";") if codes else []
        for start in range(0, len(parts), 3):
            state[parts[start]] = int(parts[start + 2]) - 16
        for ground, pixel in (("38", levels[0, column]), ("48", levels[1, column])):
            distances = np.square(palette - pixel.astype(np.int64)).sum(axis=1)
            assert distances[state[ground]] == distances.min()


@given(IMAGES)
def test_characters_carry_no_codes_and_grow_with_brightness(levels):
    lines = half_blocks(levels, "ascii")
    assert len(lines) == -(-levels.shape[0] // 2)
    assert all(len(line) == levels.shape[1] and line.isascii() and line.isprintable() for line in lines)


def test_the_ramp_goes_from_empty_to_full():
    levels = np.repeat(np.linspace(0, 255, 10).astype(np.uint8)[None, :, None], 3, axis=2)
    assert half_blocks(levels, "ascii") == [" .:-=+*#%@"]


@pytest.mark.parametrize(
    ("environment", "encoding", "terminal", "colors"),
    [
        ({"TERM": "xterm-256color", "COLORTERM": "truecolor"}, "utf-8", True, "24bit"),
        ({"TERM": "xterm-256color"}, "utf-8", True, "256"),
        ({"TERM": "xterm-direct"}, "utf-8", True, "24bit"),
        ({"WT_SESSION": "1"}, "utf-8", True, "24bit"),
        ({"TERM": "dumb", "COLORTERM": "truecolor"}, "utf-8", True, "ascii"),
        ({"COLORTERM": "truecolor", "NO_COLOR": "1"}, "utf-8", True, "ascii"),
        ({"COLORTERM": "truecolor", "NO_COLOR": ""}, "utf-8", True, "24bit"),
        ({"COLORTERM": "truecolor"}, "ascii", True, "ascii"),
        ({"COLORTERM": "truecolor"}, None, True, "ascii"),
        ({"COLORTERM": "truecolor"}, "utf-8", False, "ascii"),
    ],
)
def test_what_stdout_can_show(environment, encoding, terminal, colors):
    assert terminal_colors(environment, encoding, terminal=terminal) == colors


@given(st.integers(10, 300), st.integers(1, 60), st.integers(1, 12))
def test_a_row_never_leaves_the_terminal(width, height, count):
    from rich.cells import cell_len

    box = image_box(width, height, across(width, count))
    image = Image.new("RGB", (min(box[0], 40), min(box[1], 6)))
    tiles = tuple(Tile(f"label {index} 写真\x1b[2J", image) for index in range(count))
    lines = row_lines(Row("title " * 60, tiles), width, "ascii")
    assert all(cell_len(line) <= width for line in lines)
    assert "\x1b" not in "".join(lines)


def test_a_missing_image_says_why():
    image = Image.new("RGB", (20, 4), (255, 255, 255))
    lines = row_lines(Row("x.png", (Tile("a", image), Tile("b", None, "missing"))), 60, "ascii")
    assert lines[0].strip() == "x.png"
    assert lines[1].split() == ["a", "b"]
    assert lines[2].split() == ["@" * 20, "(missing)"]
    assert lines[3].split() == ["@" * 20]


@pytest.mark.parametrize(("cells", "columns", "lines"), [(8, 8, 2), (400, 80, 20)])
def test_an_image_takes_the_given_cells_or_fewer_and_keeps_its_shape(tmp_path, cells, columns, lines):
    Image.new("RGB", (80, 40), (200, 10, 30)).save(tmp_path / "red.png")
    drawn = image_lines(tmp_path / "red.png", cells, "24bit")
    assert len(drawn) == lines
    assert {tuple(row) for row in decoded(drawn, columns)} == {((200, 10, 30),) * columns}
