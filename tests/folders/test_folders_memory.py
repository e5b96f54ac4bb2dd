"""Memory hardly grows with the number of images: what stays of each is counted in bytes."""

from __future__ import annotations

import gc
import math
import pathlib
import tracemalloc
from pathlib import Path, PurePosixPath

import numpy as np
import pytest
from PIL import Image

from restorecli.degradation.chain import Chain
from restorecli.degradation.folder import degrade_folder
from restorecli.evaluation.folder import evaluate_folders
from restorecli.folders.jobs import SilentProgress
from restorecli.folders.made import Made
from restorecli.folders.manifest import Manifest, Record
from restorecli.folders.matching import Matches, NameIndex
from restorecli.folders.outputs import OutputPlan
from restorecli.folders.walking import walk
from restorecli.restoration.adapter import MethodRestorer
from restorecli.restoration.folder import restore_folder
from restorecli.restoration.methods.catalog import create_method

FEW, MANY = 16, 136
MOST = 250
"""Bytes that one more image may take: 20,000 of them then take 5 MB, 5 % of the smallest process."""

CHAIN = Chain.from_specs([{"name": "gaussian", "sigma": "5..25"}])


def taken(largest: float = math.inf) -> int:
    """Return the bytes of the blocks up to a size, without the table of all names that pathlib shares."""
    traces = tracemalloc.take_snapshot().filter_traces([tracemalloc.Filter(False, pathlib.__file__)]).traces
    return sum(trace.size for trace in traces if trace.size < largest)


class AtTheEnd(SilentProgress):
    """Counts what is kept when the last image is done; large blocks are tables that grow by leaps."""

    def __init__(self, last: int) -> None:
        self._left = last
        self.kept = 0

    def advance(self, done: str, failure: object = None) -> None:
        self._left -= 1
        if self._left == 0 and tracemalloc.is_tracing():
            gc.collect()
            self.kept = taken(2**16)


def plant(root: Path, count: int) -> Path:
    for number in range(count):
        path = root / f"c{number % 4}" / f"{number:05}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((8, 8), number % 256, np.uint8)).save(path, compress_level=1)
    return root


def degrade(root: Path, output: Path, progress: SilentProgress) -> object:
    return degrade_folder(root, output, CHAIN, workers=1, progress=progress, overwrite=True)


def restore(root: Path, output: Path, progress: SilentProgress) -> object:
    restorer = MethodRestorer(create_method("median"))
    return restore_folder(root, output, restorer, workers=1, progress=progress, overwrite=True)


@pytest.mark.slow
@pytest.mark.parametrize(("work", "again"), [(degrade, False), (degrade, True), (restore, True)])
def test_an_image_leaves_next_to_nothing_in_memory(tmp_path, work, again):
    kept = []
    for turn, count in enumerate((FEW, FEW, MANY, MANY)):  # what is cached once is made the first time
        root = plant(tmp_path / str(turn), count)
        output = root.with_name(f"{turn}-out")
        if again:
            work(root, output, SilentProgress())
        progress = AtTheEnd(count)
        gc.collect()
        tracemalloc.start(1)
        try:
            work(root, output, progress)
        finally:
            tracemalloc.stop()
        kept.append(progress.kept)
    most = min(kept[2:])  # what Pillow and Python store of freed objects may still grow in the first of both
    assert (most - kept[1]) / (MANY - FEW) < MOST


@pytest.mark.slow
def test_a_score_leaves_next_to_nothing_in_memory(tmp_path):
    kept = []
    for count in (128, 128, 512):  # whole blocks of packed pairs
        root = plant(tmp_path / str(count), count)
        output = root.with_name(f"{count}-out")
        degrade_folder(root, output, CHAIN)
        progress = AtTheEnd(count)
        gc.collect()
        tracemalloc.start(1)
        try:
            evaluate_folders(output, metrics=["psnr"], workers=1, progress=progress)
        finally:
            tracemalloc.stop()
        kept.append(progress.kept)
    assert (kept[2] - kept[1]) / (512 - 128) < MOST


def test_a_listing_keeps_names_only(tmp_path):
    for number in range(4000):
        (tmp_path / f"{number:05}.png").touch()
    gc.collect()
    tracemalloc.start(1)
    try:
        files = walk(tmp_path)
        kept = taken()
    finally:
        tracemalloc.stop()
    assert kept / len(files) < 30


def test_an_index_of_names_keeps_marks_only(tmp_path):
    for number in range(4000):
        (tmp_path / f"{number:05}.png").touch()
    files = walk(tmp_path)
    names = Made(len(files), lambda place: files[place].relative.with_suffix(".tif"))
    gc.collect()
    tracemalloc.start(1)
    try:
        index = NameIndex(tmp_path, files=files)
        matches = Matches(index, names)
        kept = taken()
    finally:
        tracemalloc.stop()
    assert kept / len(files) < 20
    assert matches.find(PurePosixPath("03999.tif")) == files[3999]
    assert not list(matches.unused())


def test_a_plan_of_outputs_keeps_what_gives_way_only():
    paths = Made(4000, lambda number: PurePosixPath(f"a/{number:05}.jpg"))
    gc.collect()
    tracemalloc.start(1)
    try:
        plan = OutputPlan(paths)
        kept = taken()
    finally:
        tracemalloc.stop()
    assert plan[paths[3999]] == PurePosixPath("a/03999.png")
    assert kept < 20_000


def test_records_are_read_when_they_are_asked_for(tmp_path):
    manifest = Manifest(tmp_path)
    steps = ({"name": "gaussian", "sigma": 25.0},)
    lines = [
        Record(f"a/{number}.png", "degrade", "a", f"../{number}.png", f"../{number}.png", "1", seed=number)
        for number in range(2000)
    ]
    text = "".join(f"{line.to_json()}\n" for line in lines)
    manifest.append(Record("a/7.png", "degrade", "a", None, "old", "1", degradations=steps))
    with manifest.file.open("a") as stream:
        stream.write(text)
    gc.collect()
    tracemalloc.start(1)
    try:
        records = manifest.read()
        kept = taken()
    finally:
        tracemalloc.stop()
    assert kept / len(records) < 60
    assert len(records) == 2000
    assert [record.seed for record in records.values()] == list(range(2000))
    assert records["a/7.png"] == lines[7]
    assert "a/2000.png" not in records
