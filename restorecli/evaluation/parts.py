"""Parts of one evaluation, for several processes that need not talk: which pairs, at which places."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from restorecli.evaluation.pairing.pairs import Pair, Pairing, Unmatched
from restorecli.evaluation.pairing.planes import file_of, plane_by_plane
from restorecli.evaluation.pairing.remote import mirrored
from restorecli.folders.mirror import Mirror
from restorecli.folders.packed import Packed
from restorecli.folders.shards import WHOLE, Shard


@dataclass(frozen=True, slots=True)
class Part:
    """What of a whole evaluation one part holds; its scores stand in the evaluation that it belongs to.

    Attributes:
        shard: Which part it is, of how many.
        folder: Name of the folder that is evaluated.
        pairs: Pairs of the whole folder.
        notes: What holds for the whole folder.
        images: For each scored image its place among all pairs, ascending.
        unmatched: The same for everything that was not scored: what has no partner comes before all pairs.
    """

    shard: Shard
    folder: str
    pairs: int
    notes: tuple[str, ...]
    images: tuple[int, ...]
    unmatched: tuple[int, ...]

    def to_dict(self) -> dict[str, object]:
        """Return the object that `eval --json` prints under "part"."""
        return {
            "shard": f"{self.shard.number}/{self.shard.count}",
            "folder": self.folder,
            "pairs": self.pairs,
            "notes": list(self.notes),
            "images": list(self.images),
            "unmatched": list(self.unmatched),
        }


class PartPairing:
    """The pairs of one part, a pair for each plane of a stack, and what of the folder's rest it lists.

    A file belongs to the part that `--shard` of `restore` and `degrade` gives it, with all its planes.

    Args:
        whole: All pairs of the folder.
        shard: Which part.
        remote: What mirrors folders that are remote, and images that a manifest calls by their address.

    Attributes:
        pairs: Of this part, in the order of the folder.
        unmatched: What has no partner and belongs to this part.
    """

    def __init__(self, whole: Pairing, shard: Shard, remote: Mirror | None = None) -> None:
        self._whole = whole
        self._shard = shard
        self._places: dict[str, int] = {}
        self._before = [place for place, entry in enumerate(whole.unmatched) if self._holds(entry.path)]
        mine = self._mine() if remote is None else mirrored(self._mine(), remote)
        self.pairs: Packed[Pair] = Packed(plane_by_plane(mine, remote))
        self.unmatched: tuple[Unmatched, ...] = tuple(whole.unmatched[place] for place in self._before)

    def part(self, folder: str, images: Iterator[str], problems: Iterator[str]) -> Part:
        """Return where the scores of this part belong.

        Args:
            folder: Name of the folder that is evaluated.
            images: Paths of the scored pairs, in their order.
            problems: Paths of the pairs in whose scoring something failed, in their order.
        """
        first = len(self._whole.unmatched)
        return Part(
            shard=self._shard,
            folder=folder,
            pairs=len(self._whole.pairs),
            notes=self._whole.notes,
            images=tuple(map(self._place, images)),
            unmatched=(*self._before, *(first + self._place(path) for path in problems)),
        )

    def _mine(self) -> Iterator[Pair]:
        for place, pair in enumerate(self._whole.pairs):
            if self._shard == WHOLE:  # nobody asks for places
                yield pair
            elif self._holds(pair.path):
                self._places[pair.path] = place
                yield pair

    def _holds(self, path: str) -> bool:
        return self._shard.holds(PurePosixPath(path))

    def _place(self, path: str) -> int:
        return self._places[file_of(path)]
