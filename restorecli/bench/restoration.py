"""Restoring timed beside the usual research loop: in memory, and from PNG to PNG."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from restorecli.bench.complexity import multiply_adds
from restorecli.bench.images import BenchPair, bench_pairs
from restorecli.bench.machine import torch_limit_cases, torch_limits
from restorecli.bench.timing import Taken, interleaved, torch_threads
from restorecli.core.zoo import find_network, load
from restorecli.errors import UsageError, WeightsError
from restorecli.restoration.backends import OTHERS, load_network
from restorecli.restoration.folder import restore_folder
from restorecli.restoration.image import ImageRestorer

if TYPE_CHECKING:
    from torch import nn

Pixels = NDArray[np.float32]
Case = Callable[[Pixels], Pixels]

LOOP = "research loop: eager, float32, contiguous, whole image"
"""What is compared with: how papers' test scripts restore an image."""

_OURS = {"float32": "restorecli, float32", "bfloat16": "restorecli, bfloat16"}


@dataclass(frozen=True, slots=True)
class Restoring:
    """One way to restore an image, measured.

    Attributes:
        name: What it is.
        taken: Median time of one image.
        times_as_fast: The loop's time divided by this, on the clock and by CPU time.
        difference: Largest difference to the loop's results in 8-bit levels.
        loss: PSNR to the clean images that it loses against the loop's results, mean over them, in dB.
    """

    name: str
    taken: Taken
    times_as_fast: Taken
    difference: float
    loss: float

    def to_dict(self) -> dict[str, object]:
        """Return the measurement as JSON values."""
        return {
            "name": self.name,
            **self.taken.to_dict(),
            "times_as_fast": self.times_as_fast.wall,
            "times_as_fast_by_cpu_time": self.times_as_fast.cpu,
            "difference_in_levels": self.difference,
            "loss_in_db": self.loss,
        }


@dataclass(frozen=True, slots=True)
class RestorationBench:
    """Restoring measured on this machine.

    Attributes:
        model: What restored.
        threads: That torch computed on.
        size: Height and width of the images.
        images: Their names.
        in_memory: Ways to restore one image in memory; the loop first.
        from_files: The loop and ours from PNG to PNG, for each image of the folder.
        share_of_limit: Operations per CPU second of ours over what the machine can do, by type.
        limits: Operations per CPU second that it can do, by type; see `machine.torch_limits`.
    """

    model: str
    threads: int
    size: tuple[int, int]
    images: tuple[str, ...]
    in_memory: tuple[Restoring, ...]
    from_files: tuple[Restoring, ...]
    share_of_limit: dict[str, float]
    limits: dict[str, float]

    def to_dict(self) -> dict[str, Any]:
        """Return the measurements as JSON values."""
        return {
            "model": self.model,
            "threads": self.threads,
            "size": list(self.size),
            "pictures": list(self.images),
            "in_memory": [way.to_dict() for way in self.in_memory],
            "from_files": [way.to_dict() for way in self.from_files],
            "share_of_limit": self.share_of_limit,
            "limit_flops_per_cpu_second": self.limits,
        }


def bench_restoration(
    model: str = "sca-unet",
    data: Path | None = None,
    *,
    rounds: int = 3,
    threads: int = 1,
    crop: int | None = None,
) -> RestorationBench:
    """Time a network in turns with the usual research loop and with other back ends, where installed.

    Args:
        model: Name or file of a trained network.
        data: Folder of RGB images; None takes the built-in photographs.
        rounds: Timed calls of each way; medians are given.
        threads: That torch and the other back ends compute on.
        crop: Largest side of the images' parts that are restored; None takes 768x512.

    Raises:
        UsageError: The name is unknown, or a method, which has no loop to compare with.
        WeightsError: The weights are missing or damaged.
        DataError: The folder holds no RGB image.
    """
    import torch

    pairs = [_cropped(pair, crop) for pair in bench_pairs(data)]
    inputs, clean = ([_unit(side) for side in sides] for sides in zip(*map(_sides, pairs), strict=True))
    noisy = inputs[0]
    with torch_threads(threads), tempfile.TemporaryDirectory() as folder:
        ways = _ways(model)
        files = _file_ways(model, pairs, Path(folder))
        calls: dict[str, Callable[[], object]] = {
            **{name: _bound(way, noisy) for name, way in ways.items()},
            **files,
            **torch_limit_cases(),
        }
        taken = interleaved(calls, rounds)
        results = {name: [way(pixels) for pixels in inputs] for name, way in ways.items()}
        work = 2 * multiply_adds(load(model, device="cpu"), torch.from_numpy(noisy)[None]) * noisy[0].size
    in_memory = _compared({name: taken[name] for name in ways}, results, clean)
    limits = torch_limits(taken)
    return RestorationBench(
        model=model,
        threads=threads,
        size=(noisy.shape[1], noisy.shape[2]),
        images=tuple(pair.name for pair in pairs),
        in_memory=in_memory,
        from_files=_compared({name: taken[name].each(len(pairs)) for name in files}, {}, clean),
        share_of_limit={name: work / taken[ours].cpu / limits[name] for name, ours in _OURS.items()},
        limits=limits,
    )


def _ways(model: str) -> dict[str, Case]:
    """Return ways to restore (C, H, W) in memory, the loop first."""
    network, _, _ = find_network(model)
    ways: dict[str, Case] = {LOOP: _loop(network)}
    for ours, precision in zip(_OURS.values(), ("fp32", "bf16"), strict=True):
        ways[ours] = _whole_image(ImageRestorer(load(model, device="cpu", precision=precision)))
    for name, backend in OTHERS.items():
        for title, precision in (("float32", "fp32"), ("bfloat16", "bf16")) if backend.races else ():
            with contextlib.suppress(UsageError, WeightsError):  # not installed, or not for this network
                runner = load_network(model, device="cpu", precision=precision, backend=name)
                ways[f"restorecli, {backend.title}, {title}"] = _whole_image(ImageRestorer(runner))
    return ways


def _file_ways(model: str, pairs: Sequence[BenchPair], folder: Path) -> dict[str, Callable[[], object]]:
    """Return the loop and ours from a folder of PNG to another."""
    source, looped = folder / "source", folder / "looped"
    for place in (source, looped):
        place.mkdir()
    for number, pair in enumerate(pairs):
        Image.fromarray(pair.degraded.transpose(1, 2, 0)).save(source / f"{number}.png")
    network, _, _ = find_network(model)
    loop = _loop(network)

    def research() -> None:
        for file in sorted(source.glob("*.png")):
            pixels = _unit(np.asarray(Image.open(file)).transpose(2, 0, 1))
            levels = (loop(pixels) * 255).round().astype(np.uint8)
            Image.fromarray(levels.transpose(1, 2, 0)).save(looped / file.name)

    def ours(backend: str, precision: str) -> Callable[[], object]:
        """Return the whole job with its start: weights are loaded and the back end is chosen in each call."""

        def job() -> None:
            network = load_network(model, device="cpu", precision=precision, backend=backend)
            restore_folder(source, folder / f"{backend}-{precision}", network, overwrite=True)

        return job

    return {
        f"{LOOP}, PNG to PNG": research,
        "restorecli restore, PNG to PNG": ours("torch", "auto"),
        "restorecli restore --backend auto, PNG to PNG": ours("auto", "auto"),
        "restorecli restore --backend auto --precision bf16, PNG to PNG": ours("auto", "bf16"),
    }


def _loop(network: nn.Module) -> Case:
    """Return how papers' test scripts restore; a gray network gets the channels as three images."""
    import torch

    network = network.eval()
    multiple, gray = int(getattr(network, "multiple", 1)), getattr(network, "channels", 3) == 1

    @torch.no_grad()
    def restore(pixels: Pixels) -> Pixels:
        batch = torch.from_numpy(pixels)[:, None] if gray else torch.from_numpy(pixels)[None]
        height, width = batch.shape[-2:]
        padding = (0, -width % multiple, 0, -height % multiple)
        padded = torch.nn.functional.pad(batch, padding, mode="reflect") if any(padding) else batch
        restored = network(padded)[..., :height, :width].clamp(0, 1)
        return np.asarray((restored[:, 0] if gray else restored[0]).numpy())

    return restore


def _whole_image(image_restorer: ImageRestorer) -> Case:
    return lambda pixels: image_restorer.restore(pixels)[0]


def _bound(way: Case, pixels: Pixels) -> Callable[[], object]:
    return lambda: way(pixels)


def _compared(
    taken: Mapping[str, Taken], results: Mapping[str, Sequence[Pixels]], clean: Sequence[Pixels]
) -> tuple[Restoring, ...]:
    first = next(iter(taken))
    base = taken[first]

    def restoring(name: str) -> Restoring:
        ratio = Taken(base.wall / taken[name].wall, base.cpu / taken[name].cpu)
        pairs = list(zip(results.get(name, ()), results.get(first, ()), clean, strict=False))
        difference = max((float(np.abs(mine - theirs).max()) for mine, theirs, _ in pairs), default=0.0)
        losses = [_psnr(theirs, target) - _psnr(mine, target) for mine, theirs, target in pairs]
        loss = sum(losses) / len(losses) if losses else 0.0
        return Restoring(name, taken[name], ratio, 255 * difference, loss)

    return tuple(restoring(name) for name in taken)


def _sides(pair: BenchPair) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    return pair.degraded, pair.reference


def _psnr(one: Pixels, other: Pixels) -> float:
    return float(-10 * np.log10(np.square(one.astype(np.float64) - other).mean()))


def _unit(levels: NDArray[np.uint8]) -> Pixels:
    return np.ascontiguousarray(levels.astype(np.float32) / 255)


def _cropped(pair: BenchPair, side: int | None) -> BenchPair:
    if side is None:
        return pair
    parts = (np.ascontiguousarray(whole[:, :side, :side]) for whole in (pair.degraded, pair.reference))
    return BenchPair(pair.name, *parts)
