"""What the folder jobs share: ordered work in a thread pool, the failures, the summary, the progress."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, Protocol, Self, TypeVar

from restorecli.cores import usable_cores
from restorecli.errors import ResourceError, RestorecliError, UsageError
from restorecli.folders.notes import Note

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Failure:
    """One item that could not be done, and why."""

    path: str
    error: RestorecliError

    def to_dict(self) -> dict[str, object]:
        """Return the failure as JSON values."""
        return {"path": self.path, "error": self.error.problem, **self.error.details()}


@dataclass(frozen=True)
class FolderSummary:
    """What a folder job did.

    Attributes:
        command: "degrade" or "restore".
        output: The folder that was written; an address as text where it is remote.
        written: Images written by this run.
        skipped: Images that were finished before.
        failures: Images that failed, each with its error.
        megapixels: Size of the images written, in millions of pixels.
        seconds: Time the job took.
        notes: What was done to images that a reader should know, each with the number of images.
        hidden: Hidden files of the source that were left out (`.DS_Store`, `desktop.ini` ...).
    """

    command: str
    output: Path | str
    written: int
    skipped: int
    failures: tuple[Failure, ...] = field(default=())
    megapixels: float = 0.0
    seconds: float = 0.0
    notes: tuple[Note, ...] = field(default=())
    hidden: int = 0

    def __repr__(self) -> str:
        """Return one short line: what was written where, and what failed."""
        failed = f", {len(self.failures)} failed" if self.failures else ""
        skipped = f", {self.skipped} already there" if self.skipped else ""
        return f"<{type(self).__name__}: {self.written} written{skipped}{failed} -> {self.output}>"

    @property
    def megapixels_per_second(self) -> float:
        """Speed over the whole job, reading and writing included; 0 if nothing was written."""
        return self.megapixels / self.seconds if self.seconds > 0 else 0.0

    def to_dict(self) -> dict[str, object]:
        """Return the summary as JSON values."""
        return {
            "command": self.command,
            "output": str(self.output),
            "written": self.written,
            "skipped": self.skipped,
            "failed": len(self.failures),
            "hidden": self.hidden,
            "failures": [failure.to_dict() for failure in self.failures],
            "notes": [note.to_dict() for note in self.notes],
            "megapixels": round(self.megapixels, 6),
            "seconds": round(self.seconds, 3),
            "megapixels_per_second": round(self.megapixels_per_second, 3),
        }


class Progress(Protocol):
    """Progress callbacks of a job."""

    def start(self, total: int, what: str) -> None:
        """`total` items of `what` will be done."""

    def advance(self, done: str, failure: RestorecliError | None = None) -> None:
        """The item `done` is finished, or failed."""

    def within(self, done: int, total: int) -> None:
        """Of the item in hand `done` steps of at most `total` are done; for items that take minutes."""

    def finish(self) -> None:
        """No more items come."""


class SilentProgress:
    """A progress that says nothing."""

    def start(self, total: int, what: str) -> None:
        """Ignore."""

    def advance(self, done: str, failure: RestorecliError | None = None) -> None:
        """Ignore."""

    def within(self, done: int, total: int) -> None:
        """Ignore."""

    def finish(self) -> None:
        """Ignore."""


def worker_count(workers: int | None) -> int:
    """Return how many threads to use: `workers`, or one for each core this process may use, at most 16.

    Raises:
        UsageError: `workers` is below 1.
    """
    if workers is None:
        return min(usable_cores(), 16)
    if workers < 1:
        raise UsageError("The number of workers must be positive.", expected="1 or more", got=str(workers))
    return workers


class Ahead(Generic[Item, Result]):
    """Calls of a function on items in a thread pool, ahead of whoever takes the results in their order.

    At most `window` items are under way or waiting to be taken, so that memory stays constant however many
    there are. Threads suffice because NumPy, Pillow, zlib and torch work outside the interpreter lock. As a
    context it ends the threads: at once where an exception leaves it.

    Args:
        function: What to do with one item.
        items: Taken lazily, from the caller's thread.
        workers: Number of threads; by default one for each core.
        window: Look-ahead in items; by default twice the number of workers.
    """

    def __init__(
        self,
        function: Callable[[Item], Result],
        items: Iterable[Item],
        workers: int | None = None,
        window: int | None = None,
    ) -> None:
        count = worker_count(workers)
        self._function = function
        self._items = iter(items)
        self._depth = max(window if window is not None else 2 * count, 1)
        self._pool = ThreadPoolExecutor(count, thread_name_prefix="restorecli")
        self._pending: deque[tuple[Item, Future[Result]]] = deque()

    def __enter__(self) -> Self:
        """Begin with the first items."""
        try:
            self._submit(self._depth)
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """End the threads; what an exception left undone is not begun any more, nor waited for."""
        if kind is None:
            self._pool.shutdown()
        else:
            self._stop()

    def __bool__(self) -> bool:
        """Tell whether there is anything left to take."""
        return bool(self._pending)

    def is_ready(self) -> bool:
        """Tell whether the next result is there, so that it can be taken without waiting."""
        return bool(self._pending) and self._pending[0][1].done()

    def ready(self) -> Iterator[Result | RestorecliError]:
        """Yield the results that are there, in order up to the first that is not; see `take` for faults."""
        for _, future in self._pending:
            if not future.done():
                return
            outcome = _outcome(future)
            yield outcome

    def take(self) -> tuple[Item, Result | RestorecliError]:
        """Wait for the next result, and return its item and it, or the RestorecliError that was raised.

        Raises:
            ResourceError: The disk or the memory ran out: every later item would meet the same.
            Exception: Anything that is no RestorecliError is a defect.
        """
        item, future = self._pending.popleft()
        outcome = _outcome(future)
        self._submit(1)
        return item, outcome

    def _submit(self, count: int) -> None:
        for item in itertools.islice(self._items, count):
            self._pending.append((item, self._pool.submit(self._function, item)))

    def _stop(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)


def run_ordered(
    function: Callable[[Item], Result],
    items: Iterable[Item],
    workers: int | None = None,
    window: int | None = None,
) -> Generator[tuple[Item, Result | RestorecliError], None, None]:
    """Call `function` on every item in a thread pool and give the results in the order of the items.

    Args:
        function: What to do with one item; see `Ahead` for this and the others.
        items: Taken lazily, from the caller's thread.
        workers: Number of threads; by default one for each core.
        window: Look-ahead in items; by default twice the number of workers.

    Yields:
        (item, result), or (item, error) when the function raised a RestorecliError for this item.

    Raises:
        ResourceError: The disk or the memory ran out: every later item would meet the same, so the job ends.
        Exception: Anything that is no RestorecliError is a defect and ends the job. An interrupt ends it at
            once: nothing more is started, and items under way are not waited for.
    """
    with Ahead(function, items, workers, window) as ahead:
        while ahead:
            yield ahead.take()


def _outcome(future: Future[Result]) -> Result | RestorecliError:
    try:
        return future.result()
    except ResourceError:
        raise
    except RestorecliError as error:
        return error
