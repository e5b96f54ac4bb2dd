"""Timing of things that take turns, so that what else the machine does meets all of them alike."""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Taken:
    """Median time of one call.

    Attributes:
        wall: Seconds on the clock; other programs on the same cores lengthen them.
        cpu: Seconds of all threads of this process together, which other programs hardly change.
    """

    wall: float
    cpu: float

    def each(self, count: int) -> Taken:
        """Return the time for each of `count` things that one call did."""
        return Taken(self.wall / count, self.cpu / count)

    def to_dict(self) -> dict[str, object]:
        """Return the times as JSON values."""
        return {"seconds": self.wall, "cpu_seconds": self.cpu}


def interleaved(cases: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, Taken]:
    """Time functions in turns: every round calls each once.

    Args:
        cases: By name.
        rounds: How many calls count; one round before them does not.

    Returns:
        The medians, by name.
    """
    return in_turns({name: _timed(function) for name, function in cases.items()}, rounds)


def in_turns(cases: Mapping[str, Callable[[], Taken]], rounds: int) -> dict[str, Taken]:
    """Call functions that time themselves in turns: every round calls each once.

    Args:
        cases: By name.
        rounds: How many calls count; one round before them does not.

    Returns:
        The medians, by name.
    """
    taken: dict[str, list[Taken]] = {name: [] for name in cases}
    for _ in range(rounds + 1):
        for name, function in cases.items():
            taken[name].append(function())
    return {name: _median(each[1:]) for name, each in taken.items()}


def _median(taken: Sequence[Taken]) -> Taken:
    return Taken(
        statistics.median(each.wall for each in taken), statistics.median(each.cpu for each in taken)
    )


def _timed(function: Callable[[], object]) -> Callable[[], Taken]:
    def call() -> Taken:
        wall, cpu = time.perf_counter(), time.process_time()
        function()
        return Taken(time.perf_counter() - wall, time.process_time() - cpu)

    return call


@contextmanager
def one_torch_thread() -> Iterator[None]:
    """Keep torch, if it is loaded, on one thread: threads that wait for each other burn processor time."""
    torch = sys.modules.get("torch")
    if torch is None:
        yield
        return
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def torch_threads(count: int) -> Iterator[None]:
    """Let torch compute on `count` threads while the block runs."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
