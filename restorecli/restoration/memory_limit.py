"""How many images may be under way at once: as many as a share of the memory holds."""

from __future__ import annotations

import threading

from restorecli.errors import InterruptedRunError


class MemoryLimit:
    """Lets images in, in their order, while the bytes of those inside stay within the capacity.

    An image larger than the capacity is let in alone. The order is what rules out a deadlock: whoever waits
    for memory waits only for images before it, and those are worked off without it.

    Args:
        capacity: Bytes.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._held = 0
        self._next = 0
        self._closed = False
        self._changed = threading.Condition()

    def enter(self, turn: int, size: int) -> None:
        """Wait until it is this turn's turn (0, 1, 2 ..., each exactly once) and `size` bytes are free.

        Raises:
            InterruptedRunError: The job ended meanwhile.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._closed or (turn == self._next and self._fits(size)))
            if self._closed:
                raise InterruptedRunError("The job has ended.")
            self._held += size
            self._next += 1
            self._changed.notify_all()

    def leave(self, size: int) -> None:
        """Give `size` bytes back."""
        with self._changed:
            self._held -= size
            self._changed.notify_all()

    def close(self) -> None:
        """Let nobody in any more and wake all who wait, so that no thread outlives the job."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _fits(self, size: int) -> bool:
        return self._held == 0 or self._held + size <= self._capacity
