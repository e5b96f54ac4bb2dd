"""Many pairs: memory that grows by lines of scores alone, and the same text with any number of workers."""

from __future__ import annotations

import json
import math
import threading
import tracemalloc
from pathlib import Path

import numpy as np

from restorecli.evaluation.folder import evaluate_folders
from restorecli.folders.jobs import SilentProgress

SIZE = (64, 64)
IMAGE = 3 * 64 * 64 * 4
"""Bytes of one decoded image."""


def make_pairs(folder: Path, save, count: int) -> tuple[Path, Path]:
    """Write pairs in three categories; the same few images again and again, by links."""
    kinds = [save(folder / "kinds" / f"{seed}.png", seed, size=SIZE) for seed in range(7)]
    for number in range(count):
        for side, kind in (("restored", kinds[number % 7]), ("clean", kinds[(number + number // 7) % 7])):
            path = folder / side / f"category-{number % 3}" / f"{number:05}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.hardlink_to(kind)
    return folder / "restored", folder / "clean"


class PeakMemory(SilentProgress):
    """The most bytes that were held at once while pairs were scored (statistics come after it)."""

    bytes = 0

    def start(self, total: int, what: str) -> None:
        tracemalloc.start()

    def finish(self) -> None:
        self.bytes = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()


def test_memory_grows_by_a_line_of_scores_per_pair(tmp_path, save) -> None:
    few, many = 30, 230
    peaks = {few: math.inf, many: math.inf}
    # The least of two: what is loaded and compiled once, and what other threads hold by chance, only adds.
    for number, count in enumerate((few, few, many, many)):
        memory = PeakMemory()
        folder = tmp_path / f"{count} {number}"
        evaluation = evaluate_folders(*make_pairs(folder, save, count), workers=2, progress=memory)
        assert evaluation.overall.n == count
        peaks[count] = min(peaks[count], memory.bytes)
    assert (peaks[many] - peaks[few]) / (many - few) < IMAGE / 10


def test_several_hundred_pairs_give_the_same_text_with_one_worker_and_with_five(tmp_path, save) -> None:
    restored, clean = make_pairs(tmp_path, save, 300)
    one, five = (evaluate_folders(restored, clean, workers=workers) for workers in (1, 5))
    assert json.dumps(one.to_dict()) == json.dumps(five.to_dict())
    assert len({score.restored["ssim"] for score in one.images}) > 7


def test_many_threads_that_score_at_once_do_not_meet_in_each_others_memory() -> None:
    from restorecli.evaluation.metrics.psnr_ssim import ssim

    rng = np.random.default_rng(0)
    pairs = [rng.integers(0, 256, (2, 3, 40, 30 + number), dtype=np.uint8) for number in range(8)]
    alone = [ssim(*pair) for pair in pairs]
    together: dict[int, list[float]] = {}

    def measure(number: int) -> None:
        together[number] = [ssim(*pairs[number]) for _ in range(40)]

    threads = [threading.Thread(target=measure, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert together == {number: [value] * 40 for number, value in enumerate(alone)}
