"""The limit on the memory of images under way."""

import threading

import pytest

from restorecli.errors import InterruptedRunError
from restorecli.restoration.memory_limit import MemoryLimit


def start(limit, turn, size, entered):
    def wait():
        limit.enter(turn, size)
        entered.append(turn)

    thread = threading.Thread(target=wait, daemon=True)
    thread.start()
    return thread


def test_images_enter_in_order_while_they_fit():
    limit, entered = MemoryLimit(100), []
    threads = [start(limit, turn, 40, entered) for turn in (1, 2, 0)]
    threads[2].join(5)
    threads[0].join(5)
    assert sorted(entered) == [0, 1]
    assert threads[1].is_alive()
    limit.leave(40)
    threads[1].join(5)
    assert not threads[1].is_alive()


def test_images_that_fill_the_capacity_exactly_enter_together():
    limit, entered = MemoryLimit(100), []
    limit.enter(0, 60)
    start(limit, 1, 40, entered).join(5)
    assert entered == [1]
    one_more = start(limit, 2, 1, entered)
    one_more.join(0.05)
    assert one_more.is_alive()
    limit.leave(60)
    one_more.join(5)
    assert entered == [1, 2]


def test_an_image_larger_than_the_capacity_enters_alone():
    limit, entered = MemoryLimit(100), []
    limit.enter(0, 10)
    thread = start(limit, 1, 1000, entered)
    thread.join(0.05)
    assert entered == []
    limit.leave(10)
    thread.join(5)
    assert entered == [1]


def test_nobody_waits_at_a_closed_limit():
    limit = MemoryLimit(100)
    limit.enter(0, 100)
    limit.close()
    with pytest.raises(InterruptedRunError):
        limit.enter(1, 100)
