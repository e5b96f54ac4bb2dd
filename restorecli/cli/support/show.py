"""What `show` does: find the images, and draw them in the terminal or into one PNG."""

from __future__ import annotations

import collections
import os
import re
import shutil
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import cast

import typer

from restorecli.cli import render
from restorecli.errors import DataError, ExitCode, ImageError, UsageError
from restorecli.folders.protect import keep_inputs
from restorecli.folders.walking import walk
from restorecli.report import terminal
from restorecli.report.lineup import Lineup, Row, default_titles, headings, line_up, rows
from restorecli.report.lineup import View as View  # the command makes one
from restorecli.report.sheet import check_name, contact_sheet, write_sheet
from restorecli.report.terminal import Colors, terminal_colors
from restorecli.result import CommandResult

_DEFAULTS = (Path("degraded"), Path("restored"))
_TILE = 320  # pixels of an image in the sheet of a comparison
_THUMBNAIL = 192
_ACROSS = 6  # thumbnails in a row of the sheet of one folder
_CELLS = 26  # cells of a thumbnail in the terminal
_SHOWN_WORDS = 20


def show(
    paths: Sequence[Path] | None,
    view: View,
    *,
    limit: int,
    endings: Sequence[str],
    output: Path | None,
    size: int | None,
    colors: str,
    as_json: bool,
) -> None:
    """Show images side by side, and leave with exit code 3 where some could not be shown.

    Args:
        paths: Files or folders, each with its title where wanted; by default ./degraded and ./restored.
        view: What is shown of each image.
        limit: Images at most.
        endings: What the names of one folder end in besides those of the other.
        output: PNG to write instead.
        size: Side of an image in the PNG.
        colors: What the terminal can show.
        as_json: Print which files stand beside one another in place of the images.
    """
    titles, places = _titled(paths or _default_paths())
    _check(view, places)
    lineup = line_up(places, limit, endings, titles)
    seen = _Seen(lineup.notes)
    if output is not None:
        _write(lineup, view, places, output, size, seen)
    elif as_json:
        collections.deque(seen.of(rows(lineup, view, (16, 16), 1)), maxlen=0)
    else:
        _draw(lineup, view, colors, seen)
    if as_json:
        render.as_json(_result(lineup, seen, output))
    seen.print_notes()
    if len(lineup.entries) < lineup.total:
        render.say(f"{len(lineup.entries)} of {lineup.total} images, evenly spread; --limit shows more.")
    if seen.problems:
        raise typer.Exit(ExitCode.SOME_FAILED)


class _Seen:
    """What is to be told of the rows that went by, without keeping their images."""

    def __init__(self, notes: Sequence[str]) -> None:
        self.problems: list[str] = []
        self.notes = [*notes]

    def of(self, rows: Iterable[Row]) -> Iterator[Row]:
        """Hand the rows on."""
        for row in rows:
            self.problems += row.problems
            self.notes += row.notes
            yield row

    def print_notes(self) -> None:
        """Name what could not be shown, and what is to be known about the others."""
        for kind, lines in (("not shown", self.problems), ("note", self.notes)):
            render.say(*(f"{kind}: {line}" for line in lines[:_SHOWN_WORDS]))
            if len(lines) > _SHOWN_WORDS:
                render.say(f"... and {len(lines) - _SHOWN_WORDS} more; --json lists them all")


def _write(
    lineup: Lineup, view: View, places: Sequence[Path], output: Path, size: int | None, seen: _Seen
) -> None:
    check_name(output)
    keep_inputs([output], [file.path for place in places for file in walk(place)])
    side = size or (_THUMBNAIL if len(lineup.columns) == 1 else _TILE)
    shown = seen.of(rows(lineup, view, (side, side), _ACROSS))
    write_sheet(contact_sheet(headings(lineup, view), shown, tile=side), output)
    render.say(f"wrote {output}")


def _draw(lineup: Lineup, view: View, colors: str, seen: _Seen) -> None:
    """Draw into the terminal, row by row as they are read."""
    size = shutil.get_terminal_size()
    found = stdout_colors() if colors == "auto" else cast("Colors", colors)
    each = 1 + view.spectrum
    tiles = len(headings(lineup, view)) or each * max(1, size.columns // (_CELLS * each))
    box = terminal.image_box(size.columns, size.lines, terminal.across(size.columns, tiles))
    for row in seen.of(rows(lineup, view, box, max(1, tiles // each))):
        render.data("\n".join(terminal.row_lines(row, size.columns, found)))
    if colors == "auto" and found == "ascii":
        render.say("Drawn with characters, since stdout shows no colors; -o sheet.png writes an image.")


def stdout_colors() -> Colors:
    """Tell what stdout can show."""
    stream = sys.stdout
    return terminal_colors(os.environ, stream.encoding, terminal=stream.isatty())


def _result(lineup: Lineup, seen: _Seen, output: Path | None) -> CommandResult:
    """Return which files stand beside one another, and what could not be shown."""
    document = {
        "columns": list(lineup.columns),
        "shown": len(lineup.entries),
        "total": lineup.total,
        "output": None if output is None else str(output),
        "pictures": [
            {
                "name": entry.name,
                "files": [str(file) if isinstance(file, Path) else None for file in entry.files],
            }
            for entry in lineup.entries
        ],
        "problems": seen.problems,
        "notes": seen.notes,
    }
    return CommandResult(
        "show",
        document,
        notes=seen.notes,
        errors=[ImageError(problem) for problem in seen.problems],
        exit_code=ExitCode.SOME_FAILED if seen.problems else ExitCode.DONE,
    )


def _default_paths() -> list[Path]:
    found = [path for path in _DEFAULTS if path.is_dir()]
    if not found:
        raise DataError(
            "There is nothing to show here.",
            expected="a folder ./degraded or ./restored, or paths",
            got=f"neither of them in {Path.cwd()}",
            hint="restorecli show FOLDER ...",
        )
    return found


def _titled(paths: Sequence[Path]) -> tuple[tuple[str, ...], list[Path]]:
    """Take TITLE=PATH apart; a path that is there is taken as it is."""
    words = [("", "", str(path)) if path.exists() else str(path).partition("=") for path in paths]
    places = [Path(place if equals or not title else title) for title, equals, place in words]
    titles = [title if equals else "" for title, equals, _ in words]
    own = zip(titles, default_titles(places), strict=True)
    return tuple(title or plain for title, plain in own), places


def box(text: str) -> tuple[int, int, int, int]:
    """Read the value of `--crop`."""
    found = re.fullmatch(r"(\d{1,9})x(\d{1,9})(?:\+(\d{1,9})\+(\d{1,9}))?", text, re.ASCII)
    sides = [int(number or 0) for number in found.groups()] if found else [0]
    if len(sides) < 4 or not sides[0] or not sides[1]:
        raise UsageError(
            "--crop is not understood.",
            expected="WIDTHxHEIGHT+LEFT+TOP in pixels, e.g. 64x64+100+80",
            got=text,
        )
    return sides[0], sides[1], sides[2], sides[3]


def _check(view: View, paths: list[Path]) -> None:
    """Refuse what cannot be shown together."""
    if view.inset and view.crop is None and view.zoom == 1:
        raise UsageError(
            "--inset needs the part that it enlarges.", expected="--crop or --zoom beside it", got="neither"
        )
    if (view.maps or view.scores) and len(paths) < 2:
        raise UsageError(
            "There is nothing to compare with.",
            expected="two paths or more, the last one the reference",
            got="one",
        )
