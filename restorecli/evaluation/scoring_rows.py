"""The scores of a pair that memory cannot hold: its images are read by rows, each once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from restorecli.errors import ImageError, ResourceError, RestorecliError
from restorecli.evaluation.metrics.metric import Metric
from restorecli.evaluation.metrics.protocol import Protocol
from restorecli.evaluation.metrics.psnr_ssim import to_8_bits
from restorecli.evaluation.metrics.row_scores import RowScores
from restorecli.evaluation.pairing.pairs import Pair, Side, Source, Unmatched, unread
from restorecli.evaluation.pairing.sizes import mismatch
from restorecli.evaluation.result import Outcome, PairScore
from restorecli.evaluation.statistics.grouping import fields_of
from restorecli.images.image import FileTraits, Pixels
from restorecli.images.reading import probe
from restorecli.images.rows import RowReader, blocks, goes_by_rows, may_go_by_rows, open_rows

ROWS_NOTE = "too large for memory and scored by rows, by PSNR, SSIM, MAE, MSE and RMSE only"
"""Stands in the notes of a pair of which other metrics were asked for, too."""

_SCORED: tuple[Side, Side] = ("restored", "degraded")


@dataclass(frozen=True, slots=True, eq=False)
class _Open:
    """One image of a pair, open to be read."""

    path: str
    side: Side
    source: Source
    reader: RowReader

    @property
    def shape(self) -> tuple[int, int, int]:
        """(C, H, W)."""
        return (self.reader.channels, *self.reader.size)

    def read(self, start: int, stop: int) -> Pixels | NDArray[np.uint8]:
        """Return rows as whole images are compared: those of 8-bit files as bytes."""
        with _told_of(self.path, self.side, self.source):
            rows, traits = self.reader.read(start, stop), self.reader.traits
            return to_8_bits(rows) if traits.depth == 8 and traits.plain else rows


class _FaultyError(Exception):
    """An image of a pair cannot be scored."""

    def __init__(self, problem: Unmatched) -> None:
        super().__init__(problem.reason)
        self.problem = problem


def is_too_large(pair: Pair) -> bool:
    """Tell whether a pair has a reference, and an image that is read by rows, as memory cannot hold it."""
    sources = (pair.reference, pair.degraded, pair.restored)
    return pair.reference is not None and any(map(_goes_by_rows, filter(None, sources)))


def _goes_by_rows(source: Source) -> bool:
    file = source.file
    if file is None or source.options.frames.isdigit() or not may_go_by_rows(file):
        return False
    try:
        return goes_by_rows(probe(file))
    except ImageError:
        return False


def score_pair_by_rows(pair: Pair, metrics: Sequence[Metric], protocol: Protocol) -> Outcome:
    """Score a pair with a reference as `scoring.score_pair` does, in the memory of some rows.

    Metrics that cannot be measured by rows are None, which a note says. All images must be such as can be
    read by rows; gray that is stored as RGB is not taken for gray.

    Args:
        pair: Where the images are.
        metrics: What is measured.
        protocol: What is compared, and how.

    Raises:
        ResourceError: The memory or the disk gave up.
    """
    problems: list[Unmatched] = []
    notes: list[str] = []
    try:
        with ExitStack() as opened:
            reference = _open(pair, "reference", opened)
            if reference is None:
                return Outcome(None)
            sums = {
                image: RowScores(metrics, protocol, reference.reader.size)
                for image in _comparable(pair, reference, opened, problems, notes)
            }
            _go_through(reference, sums, problems)
    except _FaultyError as fault:
        return Outcome(None, (fault.problem,))
    found = {image.side: of.scores() for image, of in sums.items()}
    if not found:
        return Outcome(None, tuple(problems))
    notes += [note for _, more in found.values() for note in more]
    notes += [ROWS_NOTE for of in sums.values() if of.left_out]
    before, after = (found[side][0] if side in found else None for side in ("degraded", "restored"))
    score = PairScore(pair, before, after, tuple(dict.fromkeys(notes)), fields_of(pair))
    return Outcome(score, tuple(problems))


def _comparable(
    pair: Pair, reference: _Open, opened: ExitStack, problems: list[Unmatched], notes: list[str]
) -> Iterator[_Open]:
    """Yield the images that fit the reference; what does not, is listed or noted."""
    for side in _SCORED:
        with _listed(side, problems):
            image = _open(pair, side, opened, reference.reader.traits.values)
            unlike = None if image is None else mismatch(pair, side, image.shape, reference.shape)
            if isinstance(unlike, Unmatched):
                raise _FaultyError(unlike)
            if isinstance(unlike, str):
                notes.append(unlike)
            elif image is not None:
                yield image


def _go_through(reference: _Open, sums: dict[_Open, RowScores], problems: list[Unmatched]) -> None:
    """Compare all rows; a degraded image that is damaged is taken out."""
    for start, stop in blocks(*reference.reader.size):
        clean = reference.read(start, stop)
        for image in list(sums):
            read = False
            with _listed(image.side, problems):
                sums[image].add(start, image.read(start, stop), clean)
                read = True
            if not read:
                del sums[image]


@contextmanager
def _listed(side: Side, problems: list[Unmatched]) -> Iterator[None]:
    """List what is wrong with a degraded image; the pair is scored without it."""
    try:
        yield
    except _FaultyError as fault:
        if side != "degraded":
            raise
        problems.append(fault.problem)


@contextmanager
def _told_of(path: str, side: Side, source: Source) -> Iterator[None]:
    """Turn errors of reading an image into what is listed of it."""
    try:
        yield
    except ResourceError:
        raise
    except RestorecliError as error:
        raise _FaultyError(unread(path, side, source, error)) from error


def _open(pair: Pair, side: Side, opened: ExitStack, like: FileTraits | None = None) -> _Open | None:
    """Open an image of a pair; None where it has none."""
    source: Source | None = getattr(pair, side)
    if source is None:
        return None
    with _told_of(pair.path, side, source):
        if source.file is None:
            raise ImageError("A built-in sample is not read by rows.")
        reader = opened.enter_context(open_rows(source.file, source.options, like))
        return _Open(pair.path, side, source, reader)
