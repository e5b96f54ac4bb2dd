"""Batches made in a thread of their own while the network works."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from typing import Protocol, Self, TypeVar

READ_AHEAD = 4
"""Batches that wait ready."""

PIPELINE_DEPTH = READ_AHEAD + 2
"""From a step on, so many steps later nothing is made yet: one may be in the making and one in hand."""


class Pinnable(Protocol):
    """A batch on the host."""

    def pin_memory(self) -> Self:
        """Return a copy in memory that a GPU copies from while it computes."""


B = TypeVar("B", bound=Pinnable)
B_co = TypeVar("B_co", bound=Pinnable, covariant=True)


class Maker(Protocol[B_co]):
    """Makes the batch of any step."""

    def batch(self, step: int) -> B_co:
        """Return the batch of a step (from 0)."""


def read_ahead(maker: Maker[B], start: int, ahead: int = READ_AHEAD, *, pinned: bool = False) -> Iterator[B]:
    """Yield the batches of steps start, start + 1, ... made in a thread of their own.

    Batches are functions of their step, so making them ahead changes nothing but the waiting.

    Args:
        maker: Makes them.
        start: The first step.
        ahead: How many wait ready.
        pinned: Put them into memory that a GPU copies from while it computes.
    """
    ready: queue.Queue[B | BaseException] = queue.Queue(ahead)
    stop = threading.Event()

    def put(item: B | BaseException) -> None:
        while not stop.is_set():
            try:
                ready.put(item, timeout=0.1)
            except queue.Full:
                continue
            return

    def work() -> None:
        step = start
        try:
            while not stop.is_set():
                batch = maker.batch(step)
                put(batch.pin_memory() if pinned else batch)
                step += 1
        except BaseException as error:  # noqa: BLE001 - handed over to the consumer, which raises it
            put(error)

    thread = threading.Thread(target=work, name="restorecli-batches", daemon=True)
    thread.start()
    try:
        while True:
            item = ready.get()
            if isinstance(item, BaseException):
                raise item
            yield item
    finally:
        stop.set()
        thread.join()
