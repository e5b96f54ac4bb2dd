"""Ordered work in threads: order, bounded look-ahead, failures as results, defects and interrupts at once."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from restorecli.errors import ExitCode, ImageError, ResourceError, UsageError
from restorecli.folders.jobs import (
    Ahead,
    Failure,
    FolderSummary,
    run_ordered,
    worker_count,
)


@settings(max_examples=20, deadline=None)
@given(
    items=st.lists(st.integers(), max_size=30),
    workers=st.integers(1, 5),
    window=st.none() | st.integers(1, 7),
    bad=st.sets(st.integers(0, 29)),
)
def test_results_come_in_order_whatever_the_number_of_workers(items, workers, window, bad):
    def square(pair: tuple[int, int]) -> int:
        place, value = pair
        if place in bad:
            raise ImageError(f"bad {place}")
        return value * value

    pairs = list(enumerate(items))
    outcomes = list(run_ordered(square, iter(pairs), workers, window))
    assert [item for item, _ in outcomes] == pairs
    for (place, value), result in outcomes:
        if place in bad:
            assert isinstance(result, ImageError)
            assert result.problem == f"bad {place}"
        else:
            assert result == value * value


def test_look_ahead_is_bounded_and_items_are_taken_lazily():
    taken = []

    def source():
        for number in range(10_000):
            taken.append(number)
            yield number

    for item, _ in run_ordered(lambda number: number, source(), workers=2, window=5):
        assert len(taken) - item <= 6
        if item == 100:
            break
    assert len(taken) <= 107


def test_workers_work_at_the_same_time():
    barrier = threading.Barrier(3, timeout=10)
    assert len(list(run_ordered(lambda _: barrier.wait(), range(6), workers=3))) == 6


def test_a_defect_ends_the_job():
    def fail(number: int) -> int:
        if number == 3:
            raise ZeroDivisionError
        return number

    done = []
    with pytest.raises(ZeroDivisionError):
        done.extend(run_ordered(fail, range(10), workers=2))


def test_a_full_disk_ends_the_job():
    def fail(number: int) -> int:
        raise ResourceError("the disk did not take the file")

    with pytest.raises(ResourceError):
        list(run_ordered(fail, range(10), workers=2))


def test_an_interrupt_starts_nothing_more():
    started = []

    def work(number: int) -> None:
        started.append(number)
        if number == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(run_ordered(work, range(1000), workers=1, window=4))
    count = len(started)
    time.sleep(0.05)
    assert len(started) == count <= 7


def test_leaving_the_loop_stops_the_pool():
    started = []
    results = run_ordered(started.append, range(1000), workers=1, window=3)
    next(results)
    results.close()
    assert len(started) <= 5


def test_the_number_of_workers():
    assert 1 <= worker_count(None) <= 16
    assert worker_count(3) == 3
    for wrong in (0, -1):
        with pytest.raises(UsageError, match="workers"):
            worker_count(wrong)


def test_a_summary_is_json():
    error = ImageError("broken", got="nothing", file="x.png")
    summary = FolderSummary(
        "restore", Path("out"), 3, 1, (Failure("x.png", error),), megapixels=1.5, seconds=0.5
    )
    values = json.loads(json.dumps(summary.to_dict()))
    assert values["failed"] == 1
    assert values["failures"] == [{"path": "x.png", "error": "broken", "file": "x.png", "got": "nothing"}]
    assert values["megapixels_per_second"] == summary.megapixels_per_second == 3.0
    assert FolderSummary("restore", Path("out"), 0, 0).megapixels_per_second == 0.0
    assert error.exit_code is ExitCode.SOME_FAILED


def test_whoever_takes_results_can_ask_whether_the_next_is_there():
    go = threading.Event()

    def work(number: int) -> int:
        if number == 1:
            assert go.wait(10)
        return 10 * number

    with Ahead(work, range(3), workers=2) as ahead:
        assert ahead.take() == (0, 0)
        assert not ahead.is_ready()
        assert list(ahead.ready()) == []
        go.set()
        assert ahead.take() == (1, 10)
        while not ahead.is_ready():
            time.sleep(0.001)
        assert list(ahead.ready()) == [20]
        assert ahead.take() == (2, 20)
        assert not ahead
        assert not ahead.is_ready()
