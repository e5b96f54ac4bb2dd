"""Restoring on one device, beside what limits it: the network alone, and reading and writing alone."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from restorecli.bench.images import SIGMA, BenchPair, bench_pairs
from restorecli.bench.timing import interleaved, torch_threads
from restorecli.core.device import pick_device
from restorecli.core.restorer import PaddingRestorer
from restorecli.folders.jobs import run_ordered, worker_count
from restorecli.folders.walking import NO_CATEGORY, ImageFile
from restorecli.images.image import ImageData
from restorecli.images.reading import ImageHeader, read_image
from restorecli.images.writing import write_image
from restorecli.restoration.backends import load_network
from restorecli.restoration.context import Context
from restorecli.restoration.cutting import TileUse
from restorecli.restoration.files import FileRestorer
from restorecli.restoration.folder import restore_folder
from restorecli.restoration.image import ImageRestorer
from restorecli.restoration.items import Loaded, Restored, Task
from restorecli.restoration.job import RestoreRoom
from restorecli.restoration.known import Known
from restorecli.restoration.records import SourceRecords, Stamp
from restorecli.restoration.tiling import unchecked_tiled

SIZES = ((512, 768), (4000, 6000))
"""Heights and widths: a Kodak photograph, and one of a camera, 24 megapixels."""

_NETWORK, _MEMORY, _CODECS, _FILES = "network alone", "in memory", "reading and writing alone", "PNG to PNG"

_FIRST = """
import sys, time, torch
begun = time.perf_counter()
import restorecli
source, output, model, device, precision = sys.argv[1:]
done = restorecli.restore(source, output, model=model, device=device, precision=precision)
assert done.written == 1, done
print(time.perf_counter() - begun)
"""


@dataclass(frozen=True, slots=True)
class Throughput:
    """Images of one size, measured; all times are seconds on the clock for one image.

    Attributes:
        size: Height and width.
        images: How many a timed call restores.
        batch: How many are one batch.
        use: How each is cut into tiles.
        network: The network alone, on images that are on the device.
        in_memory: From images in memory to images in memory.
        codecs: Reading and writing them as PNG on all cores, without a network.
        from_files: From PNG to PNG, the network loaded.
    """

    size: tuple[int, int]
    images: int
    batch: int
    use: TileUse
    network: float
    in_memory: float
    codecs: float
    from_files: float

    @property
    def network_share(self) -> float:
        """Share of the time of images in memory that the network alone takes."""
        return self.network / self.in_memory

    @property
    def share_of_limit(self) -> float:
        """Time of the slower of network and codecs alone, over that from PNG to PNG."""
        return max(self.network, self.codecs) / self.from_files

    def to_dict(self) -> dict[str, Any]:
        """Return the measurement as JSON values."""
        return {
            "size": list(self.size),
            "images": self.images,
            "batch": self.batch,
            "tile": self.use.tile,
            "network_seconds": self.network,
            "in_memory_seconds": self.in_memory,
            "codecs_seconds": self.codecs,
            "from_files_seconds": self.from_files,
            "network_share_in_memory": self.network_share,
            "share_of_slower_limit": self.share_of_limit,
        }


@dataclass(frozen=True, slots=True)
class ThroughputBench:
    """Restoring on one device.

    Attributes:
        model: What restored.
        device: Where, with its name where it has one.
        precision: What it computed in.
        workers: Threads that read, and as many that write.
        first_image: Seconds from torch imported to one image of the first size restored, as a new process.
        sizes: Images of each size.
    """

    model: str
    device: str
    precision: str
    workers: int
    first_image: float
    sizes: tuple[Throughput, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the measurements as JSON values."""
        return {
            "model": self.model,
            "device": self.device,
            "precision": self.precision,
            "workers": self.workers,
            "first_image_seconds": self.first_image,
            "sizes": [size.to_dict() for size in self.sizes],
        }


def bench_throughput(
    model: str = "sca-unet",
    data: Path | None = None,
    *,
    device: str | None = None,
    precision: str = "auto",
    rounds: int = 3,
    threads: int = 1,
    crop: int | None = None,
    images: int = 32,
) -> ThroughputBench:
    """Time a network on one device in turns with what limits it.

    Args:
        model: Name or file of a trained network.
        data: Folder of RGB images; None takes the built-in photographs.
        device: Where to compute; None picks.
        precision: See `restorecli.load`.
        rounds: Timed calls of each; medians are given.
        threads: That torch computes on, where the device is the CPU.
        crop: Side of square images in place of `SIZES`.
        images: How many images of each size a call restores.

    Raises:
        UsageError: The name or the device is unknown.
        WeightsError: The weights are missing or damaged.
        DataError: The folder holds no RGB image.
    """
    place = pick_device(device)
    pairs = bench_pairs(data)
    sizes = SIZES if crop is None else ((crop, crop),)
    with torch_threads(threads), tempfile.TemporaryDirectory() as folder:
        network = load_network(model, device=str(place), precision=precision)
        measured = []
        for size in sizes:
            source = Path(folder) / f"{size[0]}"
            _write(pairs, size, images, source)
            measured.append(_measured(network, source, size, rounds))
        first = _first_image(model, place, precision, Path(folder) / f"{sizes[0][0]}" / "0.png")
    return ThroughputBench(
        model=model,
        device=torch.cuda.get_device_name(place) if place.type == "cuda" else str(place),
        precision=network.precision,
        workers=worker_count(None),
        first_image=first,
        sizes=tuple(measured),
    )


def _write(pairs: Sequence[BenchPair], size: tuple[int, int], count: int, folder: Path) -> None:
    """Write images of a size, made of the noisy ones by repetition, each rolled by another number of rows."""
    folder.mkdir()
    height, width = size
    for number in range(count):
        levels = pairs[number % len(pairs)].degraded
        repeats = (1, -(-height // levels.shape[1]), -(-width // levels.shape[2]))
        whole = np.roll(np.tile(levels, repeats), number // len(pairs), 1)[:, :height, :width]
        Image.fromarray(np.ascontiguousarray(whole.transpose(1, 2, 0))).save(folder / f"{number}.png")


def _measured(network: PaddingRestorer, source: Path, size: tuple[int, int], rounds: int) -> Throughput:
    """Time images of one size."""
    files = sorted(source.glob("*.png"))
    image_restorer = ImageRestorer(network)
    loaded = {file.name: read_image(file) for file in files}
    first = loaded[files[0].name]
    limit = min(image_restorer.together(image_restorer.prepare(first)), len(files))
    batch = 1 << (limit.bit_length() - 1)
    _, use = image_restorer(first, Context(sigma=SIGMA))
    output, copied = source.with_name(f"{source.name}-restored"), source.with_name(f"{source.name}-copied")
    copied.mkdir()

    def copy(file: Path) -> None:
        write_image(copied / file.name, read_image(file))

    taken = interleaved(
        {
            _NETWORK: _network_alone(network, [loaded[file.name] for file in files], batch, use),
            _MEMORY: lambda: _in_memory(image_restorer, loaded),
            _CODECS: lambda: list(run_ordered(copy, files)),
            _FILES: lambda: restore_folder(source, output, network, overwrite=True),
        },
        rounds,
    )
    in_memory, codecs, from_files = (taken[name].wall / len(files) for name in (_MEMORY, _CODECS, _FILES))
    runs = -(-len(files) // batch)
    return Throughput(
        size, len(files), batch, use, taken[_NETWORK].wall / (runs * batch), in_memory, codecs, from_files
    )


def _network_alone(
    network: PaddingRestorer, images: Sequence[ImageData], batch: int, use: TileUse
) -> Callable[[], None]:
    """Return what restores as many images as there are, from the device's memory to there."""
    told = network.steps(images[0].pixels, Context(sigma=SIGMA))[0]
    some = np.stack([image.pixels for image in images[:batch]])
    there = torch.from_numpy(some).to(network.device)

    def run() -> None:
        restored: Tensor | None = None
        for _ in range(-(-len(images) // batch)):
            restored = unchecked_tiled(told, there, tile=use.tile, overlap=use.overlap if use.tile else None)
        if restored is not None and network.device.type != "cpu":
            restored.flatten()[0].item()  # waits for all before it, too

    return run


@dataclass(frozen=True)
class _Memory(FileRestorer):
    """Images that are in memory already and stay there: all of the job but files.

    Attributes:
        images: By the names of files that there are not.
    """

    images: Mapping[str, ImageData] = field(default_factory=dict)

    def load(self, file: ImageFile, header: ImageHeader | None, size: int = 0) -> Loaded:
        """Return an image without reading it."""
        del header
        prepared = self.image_restorer.prepare(self.images[file.path.name])
        return Loaded(prepared, Stamp(0, 0), size, context=Context(sigma=SIGMA))

    def write(self, restored: Restored, target: Path) -> tuple[str, ...]:
        """Let go of an image."""
        del target
        restored.take()
        return ()


def _in_memory(image_restorer: ImageRestorer, images: Mapping[str, ImageData]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        files = _Memory(image_restorer, Known(), SourceRecords(root), images=images)
        places = [PurePosixPath(name) for name in images]
        tasks = [Task(ImageFile(root / place, place, NO_CATEGORY), place) for place in places]
        for _, outcome in RestoreRoom(root, files).results(tasks, lambda _: None):
            if isinstance(outcome, Exception):
                raise outcome


def _first_image(model: str, device: torch.device, precision: str, file: Path) -> float:
    """Return the seconds from torch imported to an image restored, in a process of its own."""
    target = file.with_name("first")
    command = [sys.executable, "-c", _FIRST, str(file), str(target), model, str(device), precision]
    done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - ours
    return float(done.stdout)
