"""Degrading timed: in memory beside other libraries, from PNG to PNG beside the usual loop and the codec."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import gaussian_filter
from skimage.util import random_noise

from restorecli.bench.images import bench_pairs
from restorecli.bench.machine import Limits, limit_cases, limits
from restorecli.bench.timing import Taken, interleaved
from restorecli.degradation.chain import Chain, degrade_array
from restorecli.degradation.folder import degrade_folder
from restorecli.images.reading import read_image
from restorecli.images.writing import write_image

Pixels = NDArray[np.float32]

LOOP = "usual loop, PNG to PNG"
OURS = "restorecli degrade, PNG to PNG"
CODEC = "reading and writing alone"

CHAINS = (
    "gaussian:sigma=25",
    "poisson:peak=100",
    "gaussian-blur:sigma=2",
    "motion-blur",
    "defocus",
    "jpeg:quality=50",
)
"""What is timed if nothing is asked for."""

_SIGMA, _QUALITY = 25 / 255, 50


@dataclass(frozen=True, slots=True)
class Degrading:
    """One degradation in memory.

    Attributes:
        name: It, with its parameters.
        taken: Median time of one image.
        peer: What else does it, or None where nothing that we know does.
        times_as_fast: The peer's time divided by this, on the clock and by CPU time; None without a peer.
    """

    name: str
    taken: Taken
    peer: str | None
    times_as_fast: Taken | None

    def to_dict(self) -> dict[str, object]:
        """Return the measurement as JSON values."""
        ratio = self.times_as_fast
        return {
            "name": self.name,
            **self.taken.to_dict(),
            "peer": self.peer,
            "times_as_fast": None if ratio is None else ratio.wall,
            "times_as_fast_by_cpu_time": None if ratio is None else ratio.cpu,
        }


@dataclass(frozen=True, slots=True)
class DegradationBench:
    """Degrading measured on this machine.

    Attributes:
        size: Height and width of the images.
        images: Their names.
        in_memory: One row for each degradation.
        from_files: Time for each image by `LOOP`, `OURS` and `CODEC`.
        machine: What a core can do.
        moved: Bytes that the first degradation must at least read and write, per CPU second, over a copy's.
    """

    size: tuple[int, int]
    images: tuple[str, ...]
    in_memory: tuple[Degrading, ...]
    from_files: dict[str, Taken]
    machine: Limits
    moved: float

    @property
    def times_the_loop(self) -> Taken:
        """The usual loop's time divided by ours."""
        loop, ours = self.from_files[LOOP], self.from_files[OURS]
        return Taken(loop.wall / ours.wall, loop.cpu / ours.cpu)

    @property
    def share_of_codec(self) -> Taken:
        """The time of reading and writing alone divided by that of the whole job: 1 is the limit."""
        codec, ours = self.from_files[CODEC], self.from_files[OURS]
        return Taken(codec.wall / ours.wall, codec.cpu / ours.cpu)

    def to_dict(self) -> dict[str, Any]:
        """Return the measurements as JSON values."""
        return {
            "size": list(self.size),
            "images": list(self.images),
            "in_memory": [row.to_dict() for row in self.in_memory],
            "from_files": [{"name": name, **taken.to_dict()} for name, taken in self.from_files.items()],
            "times_as_fast_as_the_loop": self.times_the_loop.wall,
            "share_of_codec": self.share_of_codec.wall,
            "share_of_codec_by_cpu_time": self.share_of_codec.cpu,
            "share_of_copy": self.moved,
            "machine": self.machine.to_dict(),
        }


def bench_degradation(
    chains: Sequence[str] = CHAINS, data: Path | None = None, *, rounds: int = 3, crop: int | None = None
) -> DegradationBench:
    """Time degradations in turns with what other libraries have of them, and the folder job.

    The folder job is gaussian noise of sigma 25, on one worker; the usual loop reads by Pillow, adds NumPy's
    noise and writes by Pillow.

    Args:
        chains: Degradations as `restorecli degrade --noise` takes them.
        data: Folder of RGB images; None takes the built-in photographs.
        rounds: Timed calls of each; medians are given.
        crop: Largest side of the parts that are degraded; None takes 768x512.

    Raises:
        UsageError: A degradation or a parameter is unknown.
        DataError: The folder holds no RGB image.
    """
    pairs = bench_pairs(data)
    levels = [np.ascontiguousarray(pair.reference[:, :crop, :crop]) for pair in pairs]
    clean = (levels[0] / 255).astype(np.float32)
    ours = {text: _ours(text, clean) for text in chains}
    peers = {text: _peer(text, clean) for text in chains}
    others = {f"{name} ({text})": case for text, (name, case) in peers.items() if case is not None}
    with tempfile.TemporaryDirectory() as folder:
        files = _file_ways(levels, Path(folder))
        taken = interleaved({**ours, **others, **files, **limit_cases()}, rounds)
    machine = limits(taken)
    rows = []
    for text in chains:
        name, case = peers[text]
        theirs = None if case is None else taken[f"{name} ({text})"]
        ratio = (
            None if theirs is None else Taken(theirs.wall / taken[text].wall, theirs.cpu / taken[text].cpu)
        )
        rows.append(Degrading(text, taken[text], None if case is None else name, ratio))
    return DegradationBench(
        size=(clean.shape[1], clean.shape[2]),
        images=tuple(pair.name for pair in pairs),
        in_memory=tuple(rows),
        from_files={name: taken[name].each(len(levels)) for name in files},
        machine=machine,
        moved=2 * clean.nbytes / taken[chains[0]].cpu / machine.bytes_moved,
    )


def _ours(text: str, clean: Pixels) -> Callable[[], object]:
    chain = _chain(text)
    return lambda: degrade_array(clean, chain, 0, "image")


def _chain(text: str) -> Chain:
    """Return the chain of one step that a text such as "gaussian:sigma=25" names."""
    name, _, words = text.partition(":")
    values = dict(word.split("=", 1) for word in words.split(",") if word)
    return Chain.from_specs([{"name": name, **values}])


def _peer(text: str, clean: Pixels) -> tuple[str, Callable[[], object] | None]:
    """Return another library that does about the same as the first of its name, and how it is called."""
    name, interleaved_pixels = text.partition(":")[0], np.ascontiguousarray(clean.transpose(1, 2, 0))
    known: dict[str, tuple[str, Callable[[], object]]] = {
        "gaussian": ("scikit-image", lambda: _noisy(interleaved_pixels, "gaussian", var=_SIGMA**2)),
        "poisson": ("scikit-image", lambda: _noisy(interleaved_pixels, "poisson")),
        "salt-pepper": ("scikit-image", lambda: _noisy(interleaved_pixels, "s&p")),
        "gaussian-blur": ("SciPy", lambda: [gaussian_filter(plane, 2) for plane in clean]),
        "jpeg": ("Pillow", lambda: _jpeg(interleaved_pixels)),
    }
    return known.get(name, ("", None))


def _noisy(pixels: Pixels, mode: str, **how: float) -> object:
    return random_noise(pixels, mode, **how)  # type: ignore[no-untyped-call]


def _jpeg(pixels: Pixels) -> NDArray[np.uint8]:
    buffer = io.BytesIO()
    Image.fromarray((pixels * 255).round().astype(np.uint8)).save(buffer, "JPEG", quality=_QUALITY)
    return np.asarray(Image.open(buffer))


def _file_ways(levels: Sequence[NDArray[np.uint8]], folder: Path) -> dict[str, Callable[[], object]]:
    """Return the usual loop, ours and the codec alone, from a folder of PNG to another."""
    source, looped, ours, copied = (folder / name for name in ("source", "looped", "ours", "copied"))
    for place in (source, looped, copied):
        place.mkdir()
    for number, image in enumerate(levels):
        Image.fromarray(np.ascontiguousarray(image.transpose(1, 2, 0))).save(source / f"{number}.png")
    chain = _chain(f"gaussian:sigma={255 * _SIGMA:g}")

    def usual() -> None:
        random = np.random.default_rng(0)
        for file in sorted(source.glob("*.png")):
            pixels = np.asarray(Image.open(file)).astype(np.float32) / 255
            noisy = pixels + random.normal(0, _SIGMA, pixels.shape).astype(np.float32)
            Image.fromarray((noisy.clip(0, 1) * 255).round().astype(np.uint8)).save(looped / file.name)

    def codec() -> None:
        for file in sorted(ours.glob("*.png")):  # noise, as ours writes it: clean images are smaller
            write_image(copied / file.name, read_image(file))

    degrade = lambda: degrade_folder(source, ours, chain, workers=1, overwrite=True)  # noqa: E731
    return {LOOP: usual, OURS: degrade, CODEC: codec}
