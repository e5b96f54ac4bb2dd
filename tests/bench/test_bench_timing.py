"""Turns are taken in order, the first round does not count, and torch gets its threads back."""

import itertools
import time

import pytest
import torch

from restorecli.bench import machine
from restorecli.bench.timing import Taken, interleaved, one_torch_thread


def test_cases_take_turns() -> None:
    calls: list[str] = []
    interleaved({"a": lambda: calls.append("a"), "b": lambda: calls.append("b")}, rounds=2)
    assert calls == ["a", "b"] * 3


def test_the_median_of_the_rounds_after_the_first_counts(monkeypatch) -> None:
    clock = itertools.accumulate([0, 100, 0, 3, 0, 1, 0, 2])  # the first call takes 100, then 3, 1, 2
    monkeypatch.setattr(time, "perf_counter", lambda: float(next(clock)))
    monkeypatch.setattr(time, "process_time", lambda: 0.0)
    assert interleaved({"a": lambda: None}, rounds=3) == {"a": Taken(2.0, 0.0)}


def test_the_time_for_each_of_several() -> None:
    assert Taken(6.0, 3.0).each(3) == Taken(2.0, 1.0)


def test_torch_gets_its_threads_back_after_a_fault() -> None:
    before = torch.get_num_threads()
    seen = []

    def fault() -> None:
        with one_torch_thread():
            seen.append(torch.get_num_threads())
            raise ZeroDivisionError

    torch.set_num_threads(3)
    try:
        with pytest.raises(ZeroDivisionError):
            fault()
        assert [*seen, torch.get_num_threads()] == [1, 3]
    finally:
        torch.set_num_threads(before)


def test_the_limits_are_operations_and_bytes_per_second() -> None:
    found = machine.limits({"blas": Taken(9.0, 2.0), "copy": Taken(9.0, 0.5)})
    assert found.flops == 2 * 96**3 * 400 / 2
    assert found.bytes_moved == 2 * 2**26 / 0.5
    assert set(machine.limit_cases()) == {"blas", "copy"}
