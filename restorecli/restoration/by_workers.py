"""Restoring by the workers of a cluster: what each is sent, and what it makes of one file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from restorecli.errors import UsageError
from restorecli.folders.clustered import Made, one_by_one
from restorecli.folders.jobs import SilentProgress
from restorecli.restoration.auto import AutoRestorer
from restorecli.restoration.files import FileRestorer
from restorecli.restoration.image import ImageRestorer
from restorecli.restoration.items import Task
from restorecli.restoration.job import RestoreRoom
from restorecli.restoration.records import SourceRecords
from restorecli.restoration.restorer import Restorer


class WorkerPlan:
    """All that a worker restores files by, without the network itself, which it loads when it is called.

    Args:
        make_restorer: Makes the restorer.
        files: What restores files here.
        output: The folder to write into.
    """

    def __init__(self, make_restorer: Callable[[], Restorer], files: FileRestorer, output: Path) -> None:
        how = files.image_restorer
        self._make_restorer = make_restorer
        self._identity = files.identity
        self._cutting: dict[str, Any] = {
            "tile": how.cutting.tile,
            "overlap": how.cutting.overlap,
            "strength": how.strength,
            "keep_defects": how.keep_defects,
        }
        self._known = files.known
        self._root = files.sources.root
        self._reading = files.reading
        self._quality = files.quality
        self._output = output

    def __call__(self) -> Callable[[Task], Made]:
        """Load the restorer, and return what restores one file.

        Raises:
            UsageError: It would compute otherwise than where the command was given.
            WeightsError: The weights are missing in the worker.
        """
        restorer = self._make_restorer()
        _check_alike(self._identity, restorer.identity())
        files = FileRestorer(
            ImageRestorer(restorer, **self._cutting),
            self._known,
            SourceRecords(self._root),
            self._reading,
            self._quality,
            SilentProgress(),
        )
        make = one_by_one(RestoreRoom(self._output, files, 1))

        def work(task: Task) -> Made:
            made = make(task)
            found = restorer.hand_over() if isinstance(restorer, AutoRestorer) else ()
            return replace(made, found=tuple(found))

        return work


def _check_alike(here: Mapping[str, Any], there: Mapping[str, Any]) -> None:
    """Refuse a worker whose results would not be those that the manifest tells of.

    Raises:
        UsageError: It has other weights, or computes in another precision.
    """
    unlike = [name for name in {**here, **there} if here.get(name) != there.get(name)]
    if unlike:
        raise UsageError(
            "A worker of the cluster would restore otherwise than this machine.",
            expected=", ".join(f"{name} {here.get(name)}" for name in unlike),
            got=", ".join(f"{name} {there.get(name)}" for name in unlike),
            unchanged="everything finished",
            hint="give --device and --precision, and the same weights file to all machines",
        )
