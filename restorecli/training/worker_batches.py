"""Batches made by processes of their own, which share their memory with the training.

A batch is a function of its number, so any number of processes gives the same training. Threads are enough
while the network takes longer than its batches; processes pay where degradations hold Python's lock.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

from torch.utils.data import DataLoader, Dataset, get_worker_info

from restorecli.errors import RestorecliError
from restorecli.training.batches import Batch, BatchMaker
from restorecli.training.clean_batches import CleanBatch, CleanMaker

_AHEAD = 2
"""Batches that each process makes ahead."""

Made = tuple[Batch | CleanBatch | RestorecliError, dict[str, str]]


class _Batches(Dataset[Made]):
    """The batches by number, each with what the process has set aside; an error travels as a value."""

    def __init__(self, maker: BatchMaker | CleanMaker) -> None:
        self._maker = maker

    def __getitem__(self, step: int) -> Made:
        worker = get_worker_info()
        if worker is not None:
            self._maker.share_memory(worker.num_workers)
        try:
            return self._maker.batch(step), self._maker.quarantine
        except RestorecliError as error:
            return error, self._maker.quarantine


def worker_batches(
    maker: BatchMaker | CleanMaker, start: int, *, workers: int, pinned: bool = False
) -> Iterator[Batch | CleanBatch]:
    """Yield the batches of steps start, start + 1, ... in order, made by several processes.

    Args:
        maker: Makes them; every process has a copy, and what those set aside is set aside here, too.
        start: The first step.
        workers: How many processes.
        pinned: Put them into memory that a GPU copies from while it computes.

    Raises:
        DataError: Images cannot be used; see `BatchMaker.batch`.
    """
    loader = DataLoader(
        _Batches(maker),
        batch_size=None,  # an item is a whole batch
        sampler=count(start),  # endless, which a loader does not mind
        num_workers=workers,
        prefetch_factor=_AHEAD,
        pin_memory=pinned,
    )
    for made, quarantine in loader:
        maker.adopt(quarantine)
        if isinstance(made, RestorecliError):
            raise made
        yield made
