"""Files worked on by the workers of a Ray cluster: sent one by one, and again where a worker dies."""

from __future__ import annotations

import importlib.util
import itertools
import logging
import os
import re
import secrets
import signal
import socket
import sys
import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from types import TracebackType
from typing import Any

from restorecli.cores import usable_cores
from restorecli.errors import DataError, UsageError
from restorecli.folders.addresses import parse_address
from restorecli.folders.jobs import worker_count
from restorecli.folders.places import touch
from restorecli.folders.workers import Answer, Item, Job, Make, Queue, Result, Setup, WorkerPool, first_line
from restorecli.images.atomic import PREFIX

_AUTO = "auto"
_STORE_BYTES = 100 << 20  # only paths and lines of manifests pass through Ray's store
_ADDRESS = re.compile(r"(ray://)?[^\s/:]+:\d{1,5}")
_ANSWERING = 10.0
"""Seconds in which a cluster must take a connection."""


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
        jobs = (Job(number, item) for number, item in enumerate(items))
        first = next(jobs, None)
        if first is None:
            return
        ray = self._connect()
        resources = ray.cluster_resources()
        count = self._workers or max(1, int(resources.get("GPU" if gpus else "CPU", 1)))
        queue = Queue(itertools.chain([first], jobs), count)
        answers: dict[int, Answer[Item, Result]] = {}
        turn = 0
        with _marked(output) as owner:
            setup = Setup.here(ray, make, owner, output, count)
            pool: WorkerPool[Item, Result] = WorkerPool(ray, setup, gpus)
            try:
                for _ in range(len(queue.waiting)):
                    pool.add()
                while queue.waiting or pool.is_busy:
                    answer = pool.step(queue)
                    if answer is not None:
                        answers[answer[0]] = answer[1]
                    while turn in answers:
                        turn += 1
                        yield answers.pop(turn - 1)
            finally:
                pool.stop()
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
            options["num_cpus"] = max(self._workers or 0, usable_cores())
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
            raise _unreached(place, first_line(fault)) from fault
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
