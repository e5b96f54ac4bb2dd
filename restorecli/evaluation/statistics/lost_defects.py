"""Defects that a method washed out: which images, and by how much."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from restorecli.evaluation.metrics.defects import MARGIN

if TYPE_CHECKING:
    from restorecli.evaluation.result import PairScore

_NAME: Final = "defect-score"


@dataclass(frozen=True, slots=True)
class LostDefect:
    """One image whose defect can be seen less than before.

    Attributes:
        path: Of the image.
        category: Of the image.
        degraded: Defect score of the degraded image, 0 to 100.
        restored: Defect score of the restored image, 0 to 100.
    """

    path: str
    category: str
    degraded: float
    restored: float

    @property
    def lost(self) -> float:
        """Points that were lost."""
        return self.degraded - self.restored

    def to_dict(self) -> dict[str, object]:
        """Return the entry as JSON values."""
        return {"path": self.path, "degraded": self.degraded, "restored": self.restored, "lost": self.lost}


@dataclass(frozen=True, slots=True)
class LostDefects:
    """The defects that lost more than `MARGIN` points of the defect score, and of how many.

    Attributes:
        judged: Images with a defect score before and after.
        entries: Those that lost more than the margin, the largest loss first.
    """

    judged: int
    entries: tuple[LostDefect, ...]

    @property
    def sentence(self) -> str:
        """What is shown above the list."""
        end = ":" if self.entries else "."
        return f"{len(self.entries)} of {self.judged} defects lost more than {MARGIN:g} points{end}"

    def to_dict(self) -> dict[str, object]:
        """Return the object that `eval --json` prints under "lost_defects"."""
        entries = [entry.to_dict() for entry in self.entries]
        return {"margin": MARGIN, "judged": self.judged, "lost": entries}


def lost_defects(scores: Sequence[PairScore]) -> LostDefects | None:
    """Return which images lost their defect, each compared with its own degraded image.

    Args:
        scores: Of single images, measured with "defect-score".

    Returns:
        None where no image has a defect score both before and after.
    """
    judged = [
        LostDefect(score.pair.path, score.pair.category, before, after)
        for score in scores
        if (before := (score.degraded or {}).get(_NAME)) is not None
        and (after := (score.restored or {}).get(_NAME)) is not None
    ]
    if not judged:
        return None
    lost = sorted((entry for entry in judged if entry.lost > MARGIN), key=lambda entry: -entry.lost)
    return LostDefects(len(judged), tuple(lost))
