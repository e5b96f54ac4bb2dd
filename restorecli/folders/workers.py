"""The workers of a Ray cluster: set up once, given one item after the other, replaced where they die."""

from __future__ import annotations

import itertools
import os
import platform
import re
import sys
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from restorecli.counting import counted
from restorecli.errors import DataError, ImageError, ResourceError, RestorecliError, UsageError
from restorecli.images.atomic import PREFIX, write_for
from restorecli.images.budget import share_memory
from restorecli.version import __version__

Item = TypeVar("Item")
Result = TypeVar("Result")
Make = Callable[[], Callable[[Item], Result]]
"""Returns what works on one file; called once in every worker, to which it is sent by pickle."""

ATTEMPTS = 3
"""Workers that may die on one file before it counts as failed; as many may die before their first file."""

_REASON = re.compile(r"Worker exit detail: (.+?)(?:\. |\.?$)", re.MULTILINE)

_STOPPING = 10.0
"""Seconds to wait for workers that were told to stop."""


class DeadlyFileError(ImageError):
    """Every worker that worked on a file died."""


@dataclass(frozen=True, slots=True)
class Answer(Generic[Item, Result]):
    """What came of one item.

    Attributes:
        item: The item.
        outcome: What the work returned, or why there is nothing.
        deaths: Workers that died on it.
    """

    item: Item
    outcome: Result | RestorecliError
    deaths: int = 0


@dataclass(slots=True)
class Job(Generic[Item]):
    """An item, with how many workers died on it."""

    number: int
    item: Item
    deaths: int = 0


class Queue(Generic[Item]):
    """The items that no worker has, those first that are tried again.

    Args:
        jobs: All, in their order; taken lazily.
        count: How many to take at once.
    """

    def __init__(self, jobs: Iterator[Job[Item]], count: int) -> None:
        self._jobs = jobs
        self.waiting = deque(itertools.islice(jobs, count))

    def take(self) -> Job[Item] | None:
        """Return the next one, or None at the end."""
        return self.waiting.popleft() if self.waiting else next(self._jobs, None)

    def again(self, job: Job[Item]) -> None:
        """Let a job be the next one."""
        self.waiting.appendleft(job)

    def is_empty(self) -> bool:
        """Tell whether nothing is left to do."""
        job = self.take()
        if job is not None:
            self.again(job)
        return job is None


@dataclass(frozen=True, slots=True)
class Setup:
    """What every worker is told before its first item, so that it finds everything as this process does.

    Attributes:
        make: Pickled, so that it is read once the rest is in place.
        version: Of restorecli.
        folder: The working folder.
        modules: Where modules are looked for.
        environment: Variables of restorecli.
        owner: What stands in the names of temporary files; see `images.atomic.write_for`.
        mark: A file that must be seen, or None.
        workers: How many there are, in all.
    """

    make: bytes
    version: str
    folder: str
    modules: tuple[str, ...]
    environment: dict[str, str]
    owner: str
    mark: Path | None
    workers: int

    @classmethod
    def here(cls, ray: Any, make: object, owner: str, output: Path | None, workers: int) -> Setup:  # noqa: ANN401
        """Return what holds for this process."""
        return cls(
            make=ray.cloudpickle.dumps(make),
            version=__version__,
            folder=str(Path.cwd()),
            modules=tuple(sys.path),
            environment={name: value for name, value in os.environ.items() if name.startswith("RESTORECLI_")},
            owner=owner,
            mark=None if output is None else output / f"{PREFIX}{owner}",
            workers=workers,
        )

    def apply(self) -> Callable[[Any], Any]:
        """Do as this says, in a worker, and return what works on one item.

        Raises:
            UsageError: The version is another.
            DataError: The folders of the command are not seen here.
            RestorecliError: `make` raised it.
        """
        import ray

        machine = platform.node()
        if self.version != __version__:
            raise UsageError(
                "The workers of the cluster have another version of restorecli.",
                expected=self.version,
                got=f"{__version__} on {machine}",
            )
        os.environ.update(self.environment)
        sys.path += [entry for entry in self.modules if entry not in sys.path]
        with suppress(OSError):
            os.chdir(self.folder)
        if Path.cwd() != Path(self.folder) or not (self.mark is None or self.mark.exists()):
            raise DataError(
                "A worker of the cluster does not see the folders of this command.",
                expected="working folder and output on a file system that all machines share, under one name",
                got=f"not so on {machine}",
                file=self.folder if self.mark is None else self.mark.parent,
                unchanged="everything finished",
                hint="run --shard I/N on every machine in place of --cluster",
            )
        share_memory(min(self.workers, os.cpu_count() or 1))
        write_for(self.owner)
        work: Callable[[Any], Any] = ray.cloudpickle.loads(self.make)()
        return work


class Worker:
    """One process of the cluster; Ray makes an actor of it."""

    _work: Callable[[Any], Any]

    def start(self, setup: Setup) -> RestorecliError | None:
        """Get ready, and return what stands in the way."""
        try:
            self._work = setup.apply()
        except RestorecliError as error:
            return error
        return None

    def work(self, item: Any) -> Any:  # noqa: ANN401 - whatever `make` is for
        """Return what comes of one item, or the error that it has."""
        try:
            return self._work(item)
        except RestorecliError as error:
            return error


class WorkerPool(Generic[Item, Result]):
    """The workers of one run.

    Args:
        ray: The package, connected.
        setup: What every worker is told.
        gpus: Give every worker a GPU.
    """

    def __init__(self, ray: Any, setup: Setup, gpus: bool) -> None:  # noqa: ANN401
        self._ray = ray
        self._setup = ray.put(setup)
        self._kind = ray.remote(num_cpus=1, num_gpus=int(gpus), max_restarts=0, max_task_retries=0)(Worker)
        self._at_work: dict[Any, tuple[Any, Job[Item] | None]] = {}
        self._lost_starts = 0

    @property
    def is_busy(self) -> bool:
        """Whether some worker has an item."""
        return any(job is not None for _, job in self._at_work.values())

    def add(self) -> None:
        """Add a worker, which gets ready."""
        actor = self._kind.remote()
        self._at_work[actor.start.remote(self._setup)] = (actor, None)

    def step(self, queue: Queue[Item]) -> tuple[int, Answer[Item, Result]] | None:
        """Wait until something comes from some worker, and give it the next item.

        Returns:
            The number of an item and what came of it, or None where that is still open.

        Raises:
            RestorecliError: The job cannot go on.
            Exception: A defect.
        """
        ray = self._ray
        [ready], _ = ray.wait(list(self._at_work), num_returns=1)
        actor, job = self._at_work.pop(ready)
        try:
            came = ray.get(ready)
        except ray.exceptions.RayTaskError as error:
            raise (error.cause if isinstance(error.cause, BaseException) else error) from None
        except ray.exceptions.RayError as death:
            ray.kill(actor)
            return self._after_death(job, queue, death)
        if isinstance(came, ResourceError) or (job is None and isinstance(came, RestorecliError)):
            raise came
        if job is None:
            self._lost_starts = 0
        following = queue.take()
        if following is None:
            ray.kill(actor)
        else:
            self._at_work[actor.work.remote(following.item)] = (actor, following)
        return None if job is None else (job.number, Answer(job.item, came, job.deaths))

    def _after_death(
        self, job: Job[Item] | None, queue: Queue[Item], death: Exception
    ) -> tuple[int, Answer[Item, Result]] | None:
        """Replace a worker that died, and decide about the item that it had."""
        answer: tuple[int, Answer[Item, Result]] | None = None
        if job is None:
            self._lost_starts += 1
        else:
            job.deaths += 1
            if job.deaths < ATTEMPTS:
                queue.again(job)
            else:
                answer = (job.number, Answer(job.item, _all_died(job.deaths, death), job.deaths))
        if queue.is_empty():
            return answer
        if self._lost_starts < ATTEMPTS:
            self.add()
        elif not self._at_work:
            raise ResourceError(
                "The workers of the cluster die before their first file.",
                got=_reason(death),
                unchanged="everything finished",
                hint="is restorecli installed on all its machines, and memory free?",
            ) from death
        return answer

    def stop(self) -> None:
        """Stop all workers."""
        with suppress(self._ray.exceptions.RayError):
            for actor, _ in self._at_work.values():
                self._ray.kill(actor)
            busy = [ready for ready, (_, job) in self._at_work.items() if job is not None]
            if busy:  # until they are dead, they may write
                self._ray.wait(busy, num_returns=len(busy), timeout=_STOPPING)


def _all_died(deaths: int, death: Exception) -> DeadlyFileError:
    return DeadlyFileError(
        "Every worker that took this file died.",
        expected="a worker that lives through it",
        got=f"{counted(deaths, 'worker')} dead one after another, the last: {_reason(death)}",
        hint="without --cluster this file alone shows why; it may need more memory than a worker has",
    )


def _reason(death: Exception) -> str:
    """Return in one line what Ray says of a death."""
    text = str(death)
    found = _REASON.search(text)
    return found[1] if found else first_line(death)


def first_line(error: Exception) -> str:
    """Return the first line of what an error says, at most 300 characters."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
