"""A run whose images are made by the workers of a cluster; lock, manifest and decisions stay here."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from restorecli.errors import RestorecliError
from restorecli.folders.cluster import Cluster
from restorecli.folders.record import Record
from restorecli.folders.run import AnyItem, Append, AroundRoom, Done, Room
from restorecli.folders.workers import Answer

RESCUED = "a worker of the cluster died on it, and another one made it"
"""The note on an image that was made although a worker died."""


@dataclass(frozen=True, slots=True)
class Made:
    """What a worker made of one item.

    Attributes:
        outcome: The image, or why there is none.
        records: The lines of the manifest.
        found: What else it found, for `ClusterRoom.remember`.
    """

    outcome: Done | RestorecliError
    records: tuple[Record, ...]
    found: tuple[Any, ...] = ()


def one_by_one(room: Room[AnyItem]) -> Callable[[AnyItem], Made]:
    """Return what makes one item of a room, in a worker."""

    def work(item: AnyItem) -> Made:
        records: list[Record] = []
        [(_, outcome)] = room.results([item], records.append)
        return Made(outcome, tuple(records))

    return work


class ClusterRoom(AroundRoom[AnyItem]):
    """Another room whose images are made by the workers of a cluster; see `folders.run.Room`.

    Args:
        room: The room.
        make: Returns what makes one item; called once in every worker, to which it is sent by pickle.
        cluster: The cluster.
        output: The folder to write into.
        gpus: Give every worker a GPU.
        remember: Takes what a worker found in an image.
    """

    def __init__(
        self,
        room: Room[AnyItem],
        make: Callable[[], Callable[[AnyItem], Made]],
        cluster: Cluster,
        output: Path,
        *,
        gpus: bool = False,
        remember: Callable[[Sequence[Any]], None] | None = None,
    ) -> None:
        super().__init__(room)
        self._make = make
        self._cluster = cluster
        self._output = output
        self._gpus = gpus
        self._remember = remember

    def results(
        self, items: Iterable[AnyItem], append: Append
    ) -> Generator[tuple[AnyItem, Done | RestorecliError], None, None]:
        """Have images made, in the order of the items; the manifest follows it."""

        def keep(answer: Answer[AnyItem, Made]) -> Done | RestorecliError:
            made = answer.outcome
            if isinstance(made, RestorecliError):
                return made
            for record in made.records:
                append(record)
            if self._remember is not None:
                self._remember(made.found)
            if answer.deaths and isinstance(made.outcome, Done):
                return replace(made.outcome, notes=(*made.outcome.notes, RESCUED))
            return made.outcome

        answers = self._cluster.run(
            self._make,
            items,
            output=self._output,
            gpus=self._gpus,
            rescue=lambda answer: _ignore(keep(answer)),
        )
        with closing(answers):
            for answer in answers:
                yield answer.item, keep(answer)


def _ignore(outcome: object) -> None:
    """What became of an image is not told at a sudden end; its line stands in the manifest."""
    del outcome
