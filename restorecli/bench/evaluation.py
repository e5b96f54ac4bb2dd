"""`bench eval`: PSNR + SSIM, ours against every installed library, with decoding and the whole folder job."""

from __future__ import annotations

import itertools
import os
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from restorecli.bench.images import HEIGHT, WIDTH, BenchPair, bench_pairs
from restorecli.bench.machine import Limits, limit_cases, limits
from restorecli.bench.metric_peers import Bytes, MissingPeer, Ready, Values, loaded_peers
from restorecli.bench.timing import Taken, interleaved, one_torch_thread
from restorecli.counting import counted
from restorecli.evaluation.folder import evaluate_folders
from restorecli.evaluation.metrics.psnr_ssim import psnr, ssim
from restorecli.folders.jobs import run_ordered, worker_count
from restorecli.images.image import ImageData
from restorecli.images.reading import read_image
from restorecli.images.writing import write_image
from restorecli.version import __version__

OURS = "restorecli"

# For each pixel and channel: s, d and their squares 4; four planes weighed downwards and across by a
# symmetric window of 11 taps, 16 each time; the formula 16.
_OPERATIONS = 4 + 4 * 2 * 16 + 16
_FOLDER_PAIRS = 24
_DECODED_EVERY = 3
_TOLERANCE = (0.005, 0.00005)  # dB and SSIM: not told apart in a table


@dataclass(frozen=True, slots=True)
class Method:
    """One way to PSNR + SSIM.

    Attributes:
        name: The library and its version, and the number of threads where we ask for several pairs at once.
        taken: Time for each pair.
        values: Mean PSNR and SSIM over the images.
        same_value: Whether they are ours, as far as a table shows them.
    """

    name: str
    taken: Taken
    values: Values
    same_value: bool

    def to_dict(self) -> dict[str, object]:
        """Return the method as JSON values."""
        return {
            "name": self.name,
            **self.taken.to_dict(),
            "pairs_per_second": 1 / self.taken.wall,
            "psnr": self.values[0],
            "ssim": self.values[1],
            "same_value": self.same_value,
        }


@dataclass(frozen=True, slots=True)
class EvaluationBench:
    """What `bench eval` measured.

    Attributes:
        images: Names of the images.
        workers: Threads of the folder job.
        load: Processes that wanted a core in the minute before, from the system; None where it does not say.
        methods: Ours first, on one thread; then ours on all workers; then the peers.
        missing: Peers that are not here.
        decoding: Time to read one image from PNG.
        folder: Time for each pair of the whole folder job, decoding included.
        machine: What a core can do.
    """

    images: tuple[str, ...]
    workers: int
    load: float | None
    methods: tuple[Method, ...]
    missing: tuple[MissingPeer, ...]
    decoding: Taken
    folder: Taken
    machine: Limits

    @property
    def ours(self) -> Method:
        """Ours, on one thread."""
        return self.methods[0]

    @property
    def rival(self) -> Method:
        """The fastest other library that gives the same value; scikit-image always does."""
        alike = [method for method in self.methods if method.same_value and not method.name.startswith(OURS)]
        return min(alike, key=lambda method: method.taken.wall)

    @property
    def share_of_flops(self) -> float:
        """Our arithmetic per CPU second, as a share of what a BLAS product reaches."""
        return 3 * WIDTH * HEIGHT * _OPERATIONS / self.ours.taken.cpu / self.machine.flops

    @property
    def share_of_bytes(self) -> float:
        """The bytes of the two images per CPU second, as a share of what a copy reaches."""
        return 2 * 3 * WIDTH * HEIGHT / self.ours.taken.cpu / self.machine.bytes_moved

    @property
    def folder_when_idle(self) -> float:
        """Pairs per second of the folder job by its CPU time, if no other program wanted the cores."""
        return min(self.workers, worker_count(None)) / self.folder.cpu

    def times_as_fast(self, method: Method) -> Taken:
        """Return how many times as fast as a method ours is on one thread, by the clock and by CPU time."""
        ours = self.ours.taken
        return Taken(method.taken.wall / ours.wall, method.taken.cpu / ours.cpu)

    def to_dict(self) -> dict[str, object]:
        """Return everything as JSON values."""
        methods = []
        for method in self.methods:
            ratio = self.times_as_fast(method)
            methods.append({**method.to_dict(), "ours_times_as_fast": ratio.wall, "by_cpu": ratio.cpu})
        best = self.times_as_fast(self.rival)
        return {
            "size": f"{WIDTH}x{HEIGHT}",
            "pictures": list(self.images),
            "workers": self.workers,
            "load": self.load,
            "methods": methods,
            "missing": [peer._asdict() for peer in self.missing],
            "fastest_same_value": {"name": self.rival.name, "times": best.wall, "by_cpu": best.cpu},
            "decoding": {**self.decoding.to_dict(), "pictures_per_core_second": 1 / self.decoding.cpu},
            "folder": {
                **self.folder.to_dict(),
                "pairs_per_second": 1 / self.folder.wall,
                "pairs_per_second_when_idle": self.folder_when_idle,
            },
            "limits": {
                **self.machine.to_dict(),
                "share_of_flops": self.share_of_flops,
                "share_of_bytes": self.share_of_bytes,
            },
        }


def bench_evaluation(
    data: Path | None = None, *, rounds: int = 5, workers: int | None = None
) -> EvaluationBench:
    """Measure everything in turns; in each, a method measures all images, on one thread.

    Args:
        data: A folder with RGB images; None takes the built-in photographs.
        rounds: Calls of each kind that count; the medians are reported.
        workers: Threads of the folder job and of our second line; by default one for each core.

    Raises:
        DataError: The folder holds no RGB image.
        ImageError: An image of it cannot be read.
    """
    pairs = bench_pairs(data)
    count = worker_count(workers)
    peers, missing = loaded_peers()
    several = f"{OURS} {__version__}, {counted(count, 'thread')}"
    runs = {
        f"{OURS} {__version__}": _run(Ready(lambda image: image, _ours), pairs),
        **{f"{peer.name} {peer.version}": _run(ready, pairs) for peer, ready in peers.items()},
    }
    with one_torch_thread(), tempfile.TemporaryDirectory(prefix="restorecli-bench-") as folder:
        values = {name: _mean(run()) for name, run in runs.items()}
        files = _write_pairs(pairs, Path(folder))
        taken = interleaved(
            {
                **runs,
                several: lambda: list(run_ordered(_score, _repeated(pairs), count)),
                "decode": lambda: [read_image(file) for file in files[::_DECODED_EVERY]],
                "folder": lambda: evaluate_folders(
                    Path(folder, "degraded"), Path(folder, "reference"), workers=count
                ),
                **limit_cases(),
            },
            rounds,
        )
    sizes = {several: _FOLDER_PAIRS, "folder": _FOLDER_PAIRS, "decode": len(files[::_DECODED_EVERY])}
    sizes |= dict.fromkeys(runs, len(pairs))
    taken = {name: whole.each(sizes.get(name, 1)) for name, whole in taken.items()}
    first, *others = (_method(name, taken[name], values[name], next(iter(values.values()))) for name in runs)
    return EvaluationBench(
        images=tuple(pair.name for pair in pairs),
        workers=count,
        load=os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
        methods=(first, _method(several, taken[several], first.values, first.values), *others),
        missing=tuple(missing),
        decoding=taken["decode"],
        folder=taken["folder"],
        machine=limits(taken),
    )


def _ours(degraded: Bytes, reference: Bytes) -> Values:
    return psnr(degraded, reference), ssim(degraded, reference)


def _score(pair: BenchPair) -> Values:
    return _ours(pair.degraded, pair.reference)


def _run(ready: Ready, pairs: Sequence[BenchPair]) -> Callable[[], list[Values]]:
    """Return a function that measures all pairs, one after the other."""
    made = [(ready.prepare(pair.degraded), ready.prepare(pair.reference)) for pair in pairs]
    return lambda: [ready.measure(*both) for both in made]


def _method(name: str, taken: Taken, values: Values, ours: Values) -> Method:
    same = all(abs(one - two) < alike for one, two, alike in zip(values, ours, _TOLERANCE, strict=True))
    return Method(name, taken, values, same)


def _mean(values: Sequence[Values]) -> Values:
    return sum(psnr for psnr, _ in values) / len(values), sum(ssim for _, ssim in values) / len(values)


def _repeated(pairs: Sequence[BenchPair]) -> list[BenchPair]:
    return list(itertools.islice(itertools.cycle(pairs), _FOLDER_PAIRS))


def _write_pairs(pairs: Sequence[BenchPair], folder: Path) -> list[Path]:
    """Write pairs as PNG, as this program writes them; return all files."""
    files = []
    for side in ("degraded", "reference"):
        (folder / side).mkdir()
        for number, pair in enumerate(_repeated(pairs)):
            pixels = pair.degraded if side == "degraded" else pair.reference
            files.append(folder / side / f"{number:02}.png")
            write_image(files[-1], ImageData((pixels / 255).astype("float32")))
    return files
