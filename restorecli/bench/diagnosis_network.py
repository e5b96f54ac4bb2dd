"""Trains the network of `restorecli.diagnosis` on damaged crops of training photographs."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, IterableDataset

from restorecli.bench.diagnosis_clean import VARIANTS, drawn, plain, relief, slide, starry
from restorecli.bench.diagnosis_examples import HELD_OUT, NONE, OTHERS, Kind, damaged, every_pair
from restorecli.degradation.catalog import DEGRADATIONS
from restorecli.diagnosis.deciding.network import EPSILON, FINE
from restorecli.diagnosis.faint.camera_noise import SPREAD_NOISE
from restorecli.diagnosis.measuring.screens import SCREEN
from restorecli.errors import DataError
from restorecli.folders.jobs import Progress, SilentProgress
from restorecli.images.image import Pixels
from restorecli.images.reading import read_image

Item = TypeVar("Item")

CLASSES = (NONE, *sorted(set(DEGRADATIONS) - {"downscale", SCREEN, *SPREAD_NOISE}))

_SIDES = ((192, 32), (192, 32), (256, 18), (320, 12))
"""Side and number of the crops of a batch; means and largest features must not depend on the side."""

_CLEAN = 0.3
"""Share of crops without damage."""

_VARIED = 0.4
"""Share of clean images that are given another look before they are damaged."""

_SAVED = 0.25
"""Share of crops that are saved as JPEG of high quality after all: that alone is no damage."""

_SPARSE = frozenset(("scratches", "holes", "old-photo"))
"""Damages of which a part of an image may have nothing."""

_RATE, _MIN_RATE, _DECAY = 3e-3, 1e-6, 1e-2
_WARMUP = 100
"""Steps in which the rate rises."""

_SAVED_AS = {"name": "jpeg", "quality": "86..97"}

_MARKS = 100
"""Parts of the training of which progress is told."""


class DamageNetwork(nn.Module):
    """What `restorecli.diagnosis.deciding.network` computes, to be trained.

    It sees the image and, amplified and cut to [-1, 1], what a 3 px mean takes away of it.

    Args:
        classes: Number of classes.
        widths: Channels at a half, a quarter, an eighth and a sixteenth of the size.
    """

    def __init__(self, classes: int, widths: tuple[int, int, int, int] = (24, 48, 96, 128)) -> None:
        super().__init__()
        layers: list[nn.Module] = [*_convolution(6, widths[0], kernel=5, stride=2)]
        for before, width in itertools.pairwise(widths):
            layers += [*_convolution(before, before), *_convolution(before, width, stride=2)]
        layers += [*_convolution(widths[-1], widths[-1])]
        self.features = nn.Sequential(*layers)
        self.classify = nn.Linear(2 * widths[-1], classes)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, 3, H, W) in [0, 1] to the logarithms of chances up to a constant, (N, classes)."""
        fine = (x - F.avg_pool2d(F.pad(x, (1, 1, 1, 1), mode="reflect"), 3, 1)) * FINE
        y = self.features(torch.cat([2 * x - 1, fine.clamp(-1, 1)], dim=1))
        scores: Tensor = self.classify(torch.cat([y.mean(dim=(2, 3)), y.amax(dim=(2, 3))], dim=1))
        return scores


def _convolution(inputs: int, outputs: int, *, kernel: int = 3, stride: int = 1) -> tuple[nn.Module, ...]:
    return (
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False),
        nn.BatchNorm2d(outputs, EPSILON),
        nn.ReLU(inplace=True),
    )


class Crops(IterableDataset[tuple[torch.Tensor, torch.Tensor]]):
    """Endless batches of crops and of what their damage is called.

    Args:
        data: Folder with `bsds400`, `sand-dust/train`, `magnetic-tile/train` and `train400-gray`.
        seed: Start of the random numbers.
    """

    def __init__(self, data: Path, seed: int = 0) -> None:
        self._clean = [
            *_read(data, "bsds400/*.jpg", 3),
            *_read(data, "sand-dust/train/clean/*.jpg", 1),
            *_read(data, "magnetic-tile/train/images/*/*.jpg", 1, every=6),
            *_read(data, "train400-gray/*.png", 1, every=4),
        ]
        self._dusty = _read(data, "sand-dust/train/dusty/*.jpg", 1)
        self._kinds = _kinds()
        self._seed = seed

    def __iter__(self) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """Yield (batch, 3, side, side) in [0, 1] and the share of each class, (batch, classes)."""
        rng = np.random.default_rng(self._seed)
        while True:
            side, count = _one_of(_SIDES, rng)
            pairs = [self._crop(side, rng) for _ in range(count)]
            yield torch.from_numpy(np.stack([one for one, _ in pairs])), torch.stack([to for _, to in pairs])

    def _crop(self, side: int, rng: np.random.Generator) -> tuple[Pixels, torch.Tensor]:
        labels: tuple[str, ...]
        if rng.random() < 0.03:
            crop, labels = _part(self._pick(self._dusty, rng), side, rng), ("sand-dust",)
        elif rng.random() < _CLEAN:
            crop, labels = _part(self._looks(rng), side, rng), (NONE,)
            if rng.random() < 0.2:
                crop = damaged(crop, [{"name": "gaussian", "sigma": "0..1.5"}], _key(rng))
        else:
            crop, labels = self._damaged(side, rng)
        if labels != ("jpeg",) and rng.random() < _SAVED:
            crop = damaged(crop, [_SAVED_AS], _key(rng))
        if rng.random() < 0.15 and "jpeg" not in labels:
            crop = crop[:, :, ::-1]
        target = torch.zeros(len(CLASSES))
        for label in labels:
            target[CLASSES.index(label)] = 1 / len(labels)
        return np.broadcast_to(crop, (3, side, side)).astype(np.float32), target

    def _damaged(self, side: int, rng: np.random.Generator) -> tuple[Pixels, tuple[str, ...]]:
        name = CLASSES[1 + rng.integers(len(CLASSES) - 1)]
        kinds = self._kinds[name]
        kind = _one_of(kinds, rng)
        wide = side if _SPARSE.intersection(kind.labels) or rng.random() < 0.6 else side + 96
        worse = damaged(_part(self._looks(rng), wide, rng), kind.steps, _key(rng))
        return _part(worse, side, rng), kind.labels

    def _looks(self, rng: np.random.Generator) -> Pixels:
        """Return a clean image, perhaps of another look."""
        if rng.random() < 0.06:
            return _one_of((drawn, starry, slide, relief, plain), rng)(rng)
        pixels = self._pick(self._clean, rng)
        if rng.random() < 0.15:
            pixels = pixels.mean(axis=0, keepdims=True)
        if rng.random() < _VARIED:
            pixels = _one_of(VARIANTS, rng)(pixels, rng)
        return pixels

    @staticmethod
    def _pick(files: Sequence[NDArray[np.uint8]], rng: np.random.Generator) -> Pixels:
        pixels = _one_of(files, rng).astype(np.float32) / np.float32(255)
        return pixels[:, :, ::-1] if rng.random() < 0.5 else pixels


def _read(data: Path, pattern: str, times: int, every: int = 1) -> list[NDArray[np.uint8]]:
    """Return images as bytes, without those that are held out, each so many times."""
    files = [
        file for index, file in enumerate(sorted(data.glob(pattern))) if index % HELD_OUT != HELD_OUT - 1
    ]
    if not files:
        raise DataError("There are no training images.", file=data, expected=pattern)
    return times * [np.rint(read_image(file).pixels * 255).astype(np.uint8) for file in files[::every]]


def _kinds() -> Mapping[str, Sequence[Kind]]:
    """Return for each damage the kinds of examples that have it, those of one severity among them."""
    kinds: dict[str, list[Kind]] = {name: [] for name in CLASSES[1:]}
    for name, listed in kinds.items():
        listed += [Kind((name,), ({"name": name, "severity": severity},)) for severity in (1, 1, 2, 3, 4, 5)]
    for kind in (*OTHERS, *every_pair()):
        for label in kind.labels:
            kinds[label].append(kind)
    return kinds


def _part(pixels: Pixels, side: int, rng: np.random.Generator) -> Pixels:
    """Cut a square out, at a multiple of 8 px; what is smaller is mirrored to the size first."""
    short = [max(side - length, 0) for length in pixels.shape[1:]]
    if any(short):
        pixels = np.pad(pixels, ((0, 0), (0, short[0]), (0, short[1])), mode="symmetric")
    top, left = (8 * rng.integers((length - side) // 8 + 1) for length in pixels.shape[1:])
    return pixels[:, top : top + side, left : left + side]


def _one_of(items: Sequence[Item], rng: np.random.Generator) -> Item:
    return items[int(rng.integers(len(items)))]


def _key(rng: np.random.Generator) -> str:
    return str(rng.integers(1 << 60))


def train_network(
    data: Path, output: Path, hours: float, start: Path | None = None, progress: Progress | None = None
) -> None:
    """Train for some time and write the weights.

    Args:
        data: Folder of training images; see `Crops`.
        output: The safetensors file to write, in bfloat16.
        hours: Wall-clock time; the rate falls along half a cosine.
        start: Weights to go on from, at half the rate and with other crops.
        progress: Told a hundred times.
    """
    seed, rate = (0, _RATE) if start is None else (1, _RATE / 2)
    torch.manual_seed(seed)
    network = DamageNetwork(len(CLASSES)).train()
    if start is not None:
        network.load_state_dict(load_file(start))
    optimizer = torch.optim.AdamW(network.parameters(), lr=rate, weight_decay=_DECAY)
    progress = progress or SilentProgress()
    progress.start(_MARKS, "hundredths of a training")
    begun, told = time.monotonic(), 0.0
    batches = DataLoader(Crops(data, seed), batch_size=None, num_workers=1, prefetch_factor=8)
    for steps, (images, targets) in enumerate(batches):
        done = (time.monotonic() - begun) / (3600 * hours)
        if done >= 1:
            break
        for group in optimizer.param_groups:
            group["lr"] = rate * min(1, steps / _WARMUP) * (0.5 + 0.5 * np.cos(np.pi * done)) + _MIN_RATE
        with torch.autocast("cpu", torch.bfloat16):
            scores = network(images.contiguous(memory_format=torch.channels_last))
        loss = F.cross_entropy(scores.float(), targets)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        while told < done * _MARKS:
            progress.advance(f"step {steps}: loss {float(loss.detach()):.2f}")
            told += 1
    progress.finish()
    save(network, output)


def save(network: DamageNetwork, output: Path) -> None:
    """Write the weights in bfloat16, with the names of the classes."""
    state = {name: value.detach().contiguous() for name, value in network.state_dict().items()}
    state = {name: value.bfloat16() if value.is_floating_point() else value for name, value in state.items()}
    save_file(state, output, {"classes": ",".join(CLASSES)})
