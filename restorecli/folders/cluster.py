"""Files worked on by the workers of a Ray cluster: sent one by one, and again where a worker dies."""

from __future__ import annotations

import importlib.util
import itertools
import logging
import os
import platform
import re
import secrets
import signal
import socket
import sys
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Generic, TypeVar

from restorecli.counting import counted
from restorecli.errors import DataError, ImageError, ResourceError, RestorecliError, UsageError
from restorecli.folders.addresses import parse_address
from restorecli.folders.jobs import worker_count
from restorecli.folders.places import touch
from restorecli.images.atomic import PREFIX, write_for
from restorecli.images.budget import share_memory
from restorecli.version import __version__

Item = TypeVar("Item")
Result = TypeVar("Result")
Make = Callable[[], Callable[[Item], Result]]
"""Returns what works on one file; called once in every worker, to which it is sent by pickle."""

ATTEMPTS = 3
"""Workers that may die on one file before it counts as failed; as many may die before their first file."""

_AUTO = "auto"
_STORE_BYTES = 100 << 20  # only paths and lines of manifests pass through Ray's store
_ADDRESS = re.compile(r"(ray://)?[^\s/:]+:\d{1,5}")
_REASON = re.compile(r"Worker exit detail: (.+?)(?:\. |\.?$)", re.MULTILINE)
_ANSWERING = 10.0
"""Seconds in which a cluster must take a connection."""

_LEAVING = 10.0
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


class Cluster:
    """A Ray cluster, which is reached when there is something to do; a context, at whose end it is left.

    A connection to Ray that this process has already is used as it is, and kept.

    Args:
        address: "auto" for the cluster that RAY_ADDRESS names, and where it names none for one of this
            machine's cores, that ends with the run; or HOST:PORT, or ray://HOST:PORT.
        workers: Processes; None takes one for each core of the cluster, or for each GPU where these compute.

    Raises:
        UsageError: The address is none, `workers` is below 1, or ray is not installed.
    """

    def __init__(self, address: str, workers: int | None = None) -> None:
        if address != _AUTO and _ADDRESS.fullmatch(address) is None:
            raise UsageError(
                "The address of the cluster is not understood.",
                expected="auto, HOST:PORT or ray://HOST:PORT",
                got=repr(address),
            )
        if workers is not None:
            worker_count(workers)
        if importlib.util.find_spec("ray") is None:
            raise UsageError(
                "A cluster needs ray, which is not installed.", hint="pip install 'restorecli[cluster]'"
            )
        self._address = address
        self._workers = workers
        self._is_ours = False

    @classmethod
    def if_asked(
        cls, address: str | None, workers: int | None = None
    ) -> AbstractContextManager[Cluster | None]:
        """Return a cluster where an address is given, else None, as a context."""
        return nullcontext() if address is None else cls(address, workers)

    def __enter__(self) -> Cluster:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._is_ours:
            import ray

            ray.shutdown()

    def run(
        self,
        make: Make[Item, Result],
        items: Iterable[Item],
        *,
        output: Path | None = None,
        gpus: bool = False,
        rescue: Callable[[Answer[Item, Result]], None] | None = None,
    ) -> Generator[Answer[Item, Result], None, None]:
        """Work on every item in some worker, and give what comes of it in the order of the items.

        A worker has one item at a time. Where it dies, another one takes the item; where `ATTEMPTS` died on
        it, the item has failed, and the rest goes on. What the work itself raises is never tried again.

        Args:
            make: Makes what works on one item, in every worker.
            items: Taken one by one, from the caller's thread.
            output: The folder that is written into, which all workers must see; what workers that died left
                half-written there is removed.
            gpus: Give every worker a GPU.
            rescue: Called at a sudden end with what is done and was not given yet.

        Yields:
            An answer for every item.

        Raises:
            DataError: The cluster cannot be reached, or a worker does not see the folders of this machine.
            UsageError: A worker has another version of restorecli.
            ResourceError: The disk or the memory ran out in a worker, or no worker starts.
            RestorecliError: `make` raised it in a worker.
            Exception: What the work raises beside RestorecliError is a defect, and ends the job.
        """
        jobs = (_Job(number, item) for number, item in enumerate(items))
        first = next(jobs, None)
        if first is None:
            return
        ray = self._connect()
        resources = ray.cluster_resources()
        count = self._workers or max(1, int(resources.get("GPU" if gpus else "CPU", 1)))
        queue = _Queue(itertools.chain([first], jobs), count)
        answers: dict[int, Answer[Item, Result]] = {}
        turn = 0
        with _marked(output) as owner:
            crew: _Crew[Item, Result] = _Crew(ray, _Orders.here(ray, make, owner, output, count), gpus)
            try:
                for _ in range(len(queue.waiting)):
                    crew.hire()
                while queue.waiting or crew.is_busy:
                    answer = crew.step(queue)
                    if answer is not None:
                        answers[answer[0]] = answer[1]
                    while turn in answers:
                        turn += 1
                        yield answers.pop(turn - 1)
            finally:
                crew.leave()
                if rescue is not None:
                    for number in sorted(answers):
                        rescue(answers[number])

    def _connect(self) -> Any:  # noqa: ANN401 - ray, which is imported where it is used
        """Return ray, connected.

        Raises:
            DataError: The cluster cannot be reached.
            UsageError: A package is missing that the address needs.
        """
        place = os.environ.get("RAY_ADDRESS", "local") if self._address == _AUTO else self._address
        if "ray" not in sys.modules:  # it reads these when it is imported
            os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
            os.environ.setdefault("RAY_DEDUP_LOGS_SKIP_REGEX", ".*")  # else it tells of deaths on stdout
        import ray

        if ray.is_initialized():
            return ray
        _check_answers(place)
        options: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.CRITICAL}
        if place == "local":
            os.environ.setdefault("RAY_worker_niceness", "0")  # else workers yield to all other programs
            options["num_cpus"] = max(self._workers or 0, _cores())
            options["object_store_memory"] = _STORE_BYTES
            options["include_dashboard"] = False
        try:
            with _handlers_kept():
                ray.init(place, **options)
        except ImportError as fault:
            raise UsageError(
                "The address needs a package that is not installed.",
                got=f"{place}: {fault}",
                hint="pip install 'ray[client]'",
            ) from fault
        except (OSError, RuntimeError, ValueError) as fault:  # ConnectionError and TimeoutError are OSErrors
            raise _unreached(place, _first_line(fault)) from fault
        self._is_ours = True
        return ray


def _check_answers(place: str) -> None:
    """Check that something listens at an address: Ray itself would try for minutes.

    Raises:
        DataError: Nothing does.
    """
    if _ADDRESS.fullmatch(place) is None:
        return
    host, _, port = place.removeprefix("ray://").rpartition(":")
    try:
        socket.create_connection((host, int(port)), _ANSWERING).close()
    except (OSError, OverflowError) as fault:
        raise _unreached(place, str(fault)) from fault


def _unreached(place: str, why: str) -> DataError:
    return DataError(
        "The cluster cannot be reached.",
        got=f"{place}: {why}",
        unchanged="everything finished",
        hint="`ray status` on a machine of the cluster says whether it runs; the versions of ray and Python "
        "must be the same here and there",
    )


def refuse_addresses(*places: Path | str | None) -> None:
    """Refuse remote places: the workers of a cluster read and write files by themselves.

    Raises:
        UsageError: One is the address of a remote store.
    """
    for place in places:
        if place is not None and parse_address(place) is not None:
            raise UsageError(
                "The workers of a cluster take no addresses of remote stores.",
                expected="folders that all machines of the cluster see under the same name",
                got=str(place),
                unchanged="everything",
                hint="mount the store, or run --shard I/N on every machine in place of --cluster",
            )


def refuse_cluster(address: str | None, why: str) -> None:
    """Refuse a cluster where it has nothing to do.

    Args:
        address: As of the options.
        why: What does not go with it, as a sentence without its end.

    Raises:
        UsageError: There is an address.
    """
    if address is not None:
        raise UsageError(f"{why}.", got=f"--cluster {address}", hint="leave out --cluster")


@dataclass(slots=True)
class _Job(Generic[Item]):
    """An item, with how many workers died on it."""

    number: int
    item: Item
    deaths: int = 0


class _Queue(Generic[Item]):
    """The items that no worker has, those first that are tried again.

    Args:
        jobs: All, in their order; taken lazily.
        count: How many to take at once.
    """

    def __init__(self, jobs: Iterator[_Job[Item]], count: int) -> None:
        self._jobs = jobs
        self.waiting = deque(itertools.islice(jobs, count))

    def take(self) -> _Job[Item] | None:
        """Return the next one, or None at the end."""
        return self.waiting.popleft() if self.waiting else next(self._jobs, None)

    def again(self, job: _Job[Item]) -> None:
        """Let a job be the next one."""
        self.waiting.appendleft(job)

    def is_empty(self) -> bool:
        """Tell whether nothing is left to do."""
        job = self.take()
        if job is not None:
            self.again(job)
        return job is None


@dataclass(frozen=True, slots=True)
class _Orders:
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
    def here(cls, ray: Any, make: object, owner: str, output: Path | None, workers: int) -> _Orders:  # noqa: ANN401
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

    def follow(self) -> Callable[[Any], Any]:
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


class _Worker:
    """One process of the cluster; Ray makes an actor of it."""

    _work: Callable[[Any], Any]

    def start(self, orders: _Orders) -> RestorecliError | None:
        """Get ready, and return what stands in the way."""
        try:
            self._work = orders.follow()
        except RestorecliError as error:
            return error
        return None

    def work(self, item: Any) -> Any:  # noqa: ANN401 - whatever `make` is for
        """Return what comes of one item, or the error that it has."""
        try:
            return self._work(item)
        except RestorecliError as error:
            return error


class _Crew(Generic[Item, Result]):
    """The workers of one run.

    Args:
        ray: The package, connected.
        orders: What workers are told.
        gpus: Give every worker a GPU.
    """

    def __init__(self, ray: Any, orders: _Orders, gpus: bool) -> None:  # noqa: ANN401
        self._ray = ray
        self._orders = ray.put(orders)
        self._kind = ray.remote(num_cpus=1, num_gpus=int(gpus), max_restarts=0, max_task_retries=0)(_Worker)
        self._at_work: dict[Any, tuple[Any, _Job[Item] | None]] = {}
        self._lost_starts = 0

    @property
    def is_busy(self) -> bool:
        """Whether some worker has an item."""
        return any(job is not None for _, job in self._at_work.values())

    def hire(self) -> None:
        """Add a worker, which gets ready."""
        actor = self._kind.remote()
        self._at_work[actor.start.remote(self._orders)] = (actor, None)

    def step(self, queue: _Queue[Item]) -> tuple[int, Answer[Item, Result]] | None:
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
        self, job: _Job[Item] | None, queue: _Queue[Item], death: Exception
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
                answer = (job.number, Answer(job.item, _deadly(job.deaths, death), job.deaths))
        if queue.is_empty():
            return answer
        if self._lost_starts < ATTEMPTS:
            self.hire()
        elif not self._at_work:
            raise ResourceError(
                "The workers of the cluster die before their first file.",
                got=_reason(death),
                unchanged="everything finished",
                hint="is restorecli installed on all its machines, and memory free?",
            ) from death
        return answer

    def leave(self) -> None:
        """Stop all workers."""
        with suppress(self._ray.exceptions.RayError):
            for actor, _ in self._at_work.values():
                self._ray.kill(actor)
            busy = [ready for ready, (_, job) in self._at_work.items() if job is not None]
            if busy:  # until they are dead, they may write
                self._ray.wait(busy, num_returns=len(busy), timeout=_LEAVING)


def _deadly(deaths: int, death: Exception) -> DeadlyFileError:
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
    return found[1] if found else _first_line(death)


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:300]


def _cores() -> int:
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


@contextmanager
def _marked(output: Path | None) -> Iterator[str]:
    """Yield what the temporary files of a run are named by, with one in the output while it goes on.

    At the end all are removed: by then no worker is left.
    """
    owner = f"{os.getpid()}-{secrets.token_hex(4)}"
    if output is None:
        yield owner
        return
    touch(output / f"{PREFIX}{owner}")
    try:
        yield owner
    finally:
        for leftover in output.rglob(f"{PREFIX}{owner}*"):
            leftover.unlink(missing_ok=True)


@contextmanager
def _handlers_kept() -> Iterator[None]:
    """Keep what a signal does here: ray would end the process by its own way."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    handler = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, handler)
