"""A run over remote folders: each image is fetched just before it is made, and sent when it is."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing, suppress
from pathlib import Path

from restorecli.errors import ImageError, RestorecliError
from restorecli.folders.addresses import address_of
from restorecli.folders.jobs import run_ordered
from restorecli.folders.manifest import FILE_NAME, Manifest
from restorecli.folders.mirror import Mirror
from restorecli.folders.record import Record
from restorecli.folders.run import AnyItem, Append, AroundRoom, Done, Room
from restorecli.folders.shards import Shard, shard_files
from restorecli.folders.walking import OUTPUT_MARK, side_files

STREAMS = 8
"""Files that are fetched at once, and as many that are sent."""

_PERIOD = 30.0
"""Seconds after which the manifest is sent again."""


def staged(room: Room[AnyItem], output: Path, shard: Shard, remote: Mirror | None) -> Room[AnyItem]:
    """Return what makes the images of a run whose folders may be remote.

    Args:
        room: What makes them from local files to local files.
        output: The folder to write into, which may be one of the mirror.
        shard: The part of the images to make.
        remote: What mirrors the remote folders; None where there is none.
    """
    if remote is None or not remote.is_used:
        return room
    return StagedRoom(room, output, shard, remote)


class StagedRoom(AroundRoom[AnyItem]):
    """Another room for files that are elsewhere; see `folders.run.Room`.

    The manifest is a local file, sent at the start, twice a minute and at the end, always whole: what it does
    not tell of yet after a sudden end is made again.
    """

    def __init__(self, room: Room[AnyItem], output: Path, shard: Shard, remote: Mirror) -> None:
        super().__init__(room)
        self._output = output
        self._remote = remote
        self._manifest = Manifest(output, shard)
        self._joined = [file for _, file in shard_files(output, FILE_NAME)]
        self._sends = address_of(output) is not None
        self._sent = 0.0
        self._records: dict[str, Record] = {}
        self._marks: set[Path] = set()
        self._lost: deque[tuple[AnyItem, RestorecliError]] = deque()

    def results(
        self, items: Iterable[AnyItem], append: Append
    ) -> Generator[tuple[AnyItem, Done | RestorecliError], None, None]:
        """Fetch ahead in threads, make images, send behind in threads; a line follows its image."""
        self._send_manifest()
        for part in self._joined if self._sends else ():
            if not part.exists():  # the run over the whole folder took it in
                self._remote.remove(part)
        try:
            with closing(self._room.results(self._fetched(items), self._keep)) as made:
                for (item, _), outcome in run_ordered(self._send, made, STREAMS, STREAMS):
                    yield from self._not_fetched()
                    record = self._records.pop(item.target.as_posix(), None)
                    if isinstance(outcome, RestorecliError):
                        self._remote.name_addresses(outcome)
                    elif record is not None:
                        append(record)
                    yield item, outcome
                    self._send_now_and_then()
            yield from self._not_fetched()
        finally:
            self._send_manifest()

    def _fetched(self, items: Iterable[AnyItem]) -> Iterator[AnyItem]:
        """Yield the items whose sources are here."""
        for item, outcome in run_ordered(self._take, items, STREAMS, STREAMS):
            if isinstance(outcome, RestorecliError):
                self._lost.append((item, outcome))
            else:
                yield item

    def _take(self, item: AnyItem) -> None:
        if isinstance(item.source, Path):
            self._remote.take(item.source)

    def _keep(self, record: Record) -> None:
        """Keep a line of the manifest until its image is sent."""
        self._records[record.path] = record

    def _not_fetched(self) -> Iterator[tuple[AnyItem, RestorecliError]]:
        while self._lost:
            yield self._lost.popleft()

    def _send(self, made: tuple[AnyItem, Done | RestorecliError]) -> Done:
        """Send what was made of an item, and let go of its source."""
        item, outcome = made
        try:
            if isinstance(outcome, RestorecliError):
                raise outcome
            for file in side_files(self._output, item.target):
                self._send_side_file(file)
            self._remote.send(self._output / item.target)
            return outcome
        finally:
            if isinstance(item.source, Path):
                self._remote.drop(item.source)

    def _send_side_file(self, file: Path) -> None:
        if not self._sends or file.name != OUTPUT_MARK:
            self._remote.send(file)
        elif file not in self._marks:
            self._remote.send_copy(file)
            self._marks.add(file)

    def _send_now_and_then(self) -> None:
        if time.monotonic() - self._sent > _PERIOD:
            with suppress(ImageError):  # it is sent again, at the latest at the end, where it counts
                self._send_manifest()

    def _send_manifest(self) -> None:
        if self._sends:
            self._sent = time.monotonic()
            self._remote.send_copy(self._manifest.file)
