"""The files that `evaluate` writes: tables for programs and papers, and pages to look at."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

from restorecli.evaluation.result import Evaluation
from restorecli.evaluation.scoring_rows import is_too_large
from restorecli.evaluation.statistics.comparison import Comparison
from restorecli.evaluation.tables.latex import to_latex
from restorecli.evaluation.tables.markdown import to_markdown
from restorecli.evaluation.tables.spreadsheet import groups_to_csv, images_to_csv
from restorecli.folders.mirror import Mirror
from restorecli.folders.places import make_folder
from restorecli.folders.protect import keep_folder_apart, keep_inputs, refuse_image_names
from restorecli.folders.walking import walk
from restorecli.images.atomic import atomic_write

STRIPS = "pictures"
"""The folder of the side-by-side images, below that of the page."""

_MAX_STRIPS = 24


@dataclass(frozen=True)
class Files:
    """What is to be written; None where it is not wanted.

    Attributes:
        csv: One line per image; one line per group goes beside it.
        markdown: The tables.
        latex: The table of means.
        page: The report as one HTML page.
        folder: The report as a folder, with side-by-side images.
    """

    csv: Path | None = None
    markdown: Path | None = None
    latex: Path | None = None
    page: Path | None = None
    folder: Path | None = None

    @property
    def groups(self) -> Path | None:
        """Where one line per group goes."""
        return None if self.csv is None else self.csv.with_name(f"{self.csv.stem}.groups{self.csv.suffix}")

    @property
    def index(self) -> Path | None:
        """The page of the folder."""
        return None if self.folder is None else self.folder / "index.html"

    @property
    def texts(self) -> list[Path]:
        """All files that hold text."""
        every = (self.csv, self.groups, self.markdown, self.latex, self.page, self.index)
        return [path for path in every if path is not None]


def check_targets(
    files: Files, evaluation: Evaluation, *, others: Iterable[Path], folders: Iterable[Path]
) -> None:
    """Check that nothing that is asked for would overwrite what was read.

    Args:
        files: What is to be written.
        evaluation: Its images and masks were read.
        others: Further files that were read.
        folders: Where images were looked for: what was not scored there is kept as well.

    Raises:
        UsageError: A file would be overwritten, or two outputs are one file.
    """
    if not files.texts:
        return
    others, folders = list(others), list(folders)

    def inputs() -> Iterator[Path]:
        yield from others
        for pair in evaluation.pairs:
            yield from pair.files
        for place in folders:
            yield from (file.path for file in walk(place))

    refuse_image_names(files.texts)
    keep_inputs(files.texts, inputs())
    if files.folder is not None:
        keep_folder_apart(files.folder / STRIPS, inputs())


def write_files(
    files: Files,
    evaluation: Evaluation,
    comparison: Comparison | None = None,
    *,
    title: str | None = None,
    method: str = "",
    about: Sequence[str] = (),
    remote: Mirror | None = None,
) -> tuple[Path, ...]:
    """Write what is asked for.

    Args:
        files: What is asked for.
        evaluation: What was found.
        comparison: With other methods.
        title: Of the pages; by default data, method and date.
        method: What the evaluated folder is called.
        about: Lines below the title.
        remote: What mirrors folders that are remote, whose images the pages show.

    Returns:
        The files that were written.
    """
    if files.csv is not None and files.groups is not None:
        _write(files.csv, images_to_csv(evaluation))
        _write(files.groups, groups_to_csv(evaluation))
    if files.markdown is not None:
        _write(files.markdown, to_markdown(evaluation, comparison))
    if files.latex is not None:
        _write(files.latex, to_latex(evaluation, comparison))
    pages = [page for page in (files.page, files.index) if page is not None]
    if not pages:
        return tuple(files.texts)
    from restorecli.report.page import report_title, write_page

    heading = title or report_title(evaluation, method, dt.date.today())
    with nullcontext() if remote is None else remote.hold(*_files_shown(evaluation, comparison)):
        strips = [] if files.folder is None else _strips(evaluation, files.folder)
        for page in pages:
            write_page(evaluation, page, title=heading, about=about, comparison=comparison)
    return (*files.texts, *strips)


def _files_shown(evaluation: Evaluation, comparison: Comparison | None) -> list[Path]:
    """Return the files of the images that the pages show."""
    from restorecli.report.choice import choose
    from restorecli.report.gallery import LIMIT

    chosen = {choice.score.pair.path for choice in choose(evaluation, max(LIMIT, _MAX_STRIPS))}
    others = () if comparison is None else comparison.evaluations.values()
    pairs = (pair for one in (evaluation, *others) for pair in one.pairs if pair.path in chosen)
    return list(dict.fromkeys(file for pair in pairs for file in pair.files))


def _strips(evaluation: Evaluation, folder: Path) -> list[Path]:
    """Write the side-by-side images that the report's rule chooses, but for those that memory cannot hold."""
    from restorecli.report.choice import choose
    from restorecli.report.strips import write_strips

    chosen = [
        choice.score for choice in choose(evaluation, _MAX_STRIPS) if not is_too_large(choice.score.pair)
    ]
    return list(write_strips(chosen, folder / STRIPS, within=folder))


def _write(path: Path, text: str | Iterable[str]) -> None:
    """Write a text, or the parts of one as they come."""
    make_folder(path.parent, path.parent)
    with atomic_write(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as stream:
        stream.writelines([text] if isinstance(text, str) else text)
