"""Signals that ask a run to stop: the first lets the step end and saves, the second exits at once."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGUSR1") if hasattr(signal, name)]


class StopRequest:
    """Holds the signal that asked to stop, or None."""

    def __init__(self) -> None:
        self.received: signal.Signals | None = None

    def take(self, number: int, _frame: FrameType | None) -> None:
        """Note the signal, and give all signals their usual meaning back for the second time."""
        self.received = signal.Signals(number)
        for each in _SIGNALS:
            signal.signal(each, signal.SIG_DFL)


@contextmanager
def stop_requests() -> Iterator[StopRequest]:
    """Watch for stop signals while the block runs; outside the main thread nothing is watched."""
    request = StopRequest()
    if threading.current_thread() is not threading.main_thread():
        yield request
        return
    before = {each: signal.signal(each, request.take) for each in _SIGNALS}
    try:
        yield request
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
