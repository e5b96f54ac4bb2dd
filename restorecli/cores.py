"""How many processor cores this process may use, how many others leave idle, and what torch makes of that."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

_ROOT = Path("/")
_WATCHED = 0.1
"""Seconds for which other programs are watched; the kernel counts in hundredths."""

_IDLE = (1, 3, 4)
"""Columns of /proc/stat that are free for the asking: programs that are nice, idle, waiting for disks."""

_TIMES = 8


def usable_cores(root: Path = _ROOT) -> int:
    """Return how many cores this process may use: by its affinity, and by the quota of its container.

    Args:
        root: Of the file system, where Linux tells it.
    """
    return max(1, math.ceil(min(len(_affinity()), _quota(root))))


def keep_to_free_cores(*, busy: bool, root: Path = _ROOT) -> None:
    """Let torch compute on no more threads than cores are free; it must not be loaded yet.

    Its threads wait for each other at every layer: where one of them gets no core, by the quota of a
    container or for other programs, all wait. `OMP_NUM_THREADS` is set for that; where it is set, nothing is
    changed.

    Args:
        busy: Heed other programs, too, which makes the number of threads differ from run to run.
        root: Of the file system, where Linux tells all this.
    """
    cores = _physical(root)
    if cores is None or "OMP_NUM_THREADS" in os.environ:
        return
    free = min(usable_cores(root), _left_idle(root) if busy and cores > 1 else cores)
    if free < cores:
        os.environ["OMP_NUM_THREADS"] = str(free)


def _affinity() -> Sequence[int]:
    known = getattr(os, "sched_getaffinity", None)
    return sorted(known(0)) if known else range(os.cpu_count() or 1)


def _physical(root: Path) -> int | None:
    """Return how many cores with units of their own this process may use: as many threads torch takes."""
    cores = set()
    for number in _affinity():
        siblings = _words(root / f"sys/devices/system/cpu/cpu{number}/topology/thread_siblings_list")
        if not siblings:
            return None
        cores.add(siblings[0])
    return len(cores)


def _quota(root: Path) -> float:
    """Return the processor time for each second that this process's control groups grant; infinity if all."""
    groups = root / "sys/fs/cgroup"
    own = next((word[3:] for word in _words(root / "proc/self/cgroup") if word.startswith("0::")), "/")
    place = Path(own.lstrip("/"))
    limits = [_words(groups / each / "cpu.max") for each in (place, *place.parents)]
    limits.append(
        [word for name in ("quota", "period") for word in _words(groups / f"cpu/cpu.cfs_{name}_us")]
    )
    granted = [math.inf]
    for limit in limits:
        with suppress(ValueError, ZeroDivisionError):  # "max", or no such file
            time_of, period = map(int, limit)
            granted += [time_of / period] if time_of > 0 else []
    return min(granted)


def _left_idle(root: Path) -> int:
    """Return how many cores of the machine other programs leave now, to the nearest whole one; at least 1."""
    before, count = _times(root)
    time.sleep(_WATCHED)
    passed = [now - then for now, then in zip(_times(root)[0], before, strict=False)]
    if len(passed) < _TIMES or sum(passed) <= 0:
        return len(_affinity())
    return max(1, round(count * sum(passed[column] for column in _IDLE) / sum(passed)))


def _times(root: Path) -> tuple[list[int], int]:
    """Return what all cores together have done so far, in hundredths of a second by kind, and their count."""
    words = _words(root / "proc/stat")
    return [int(word) for word in words[1 : 1 + _TIMES]], sum(word.startswith("cpu") for word in words[1:])


def _words(file: Path) -> list[str]:
    """Return the words of a file of the kernel, none where there is no such file."""
    try:
        return file.read_text("utf-8", errors="replace").split()
    except OSError:
        return []
