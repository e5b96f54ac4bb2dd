"""Training batches: pictures kept in memory, cropped, augmented and degraded, each a function of its number.

Sample k of a run is the same whatever happened before it: which picture, which crop, which damage follow
from the run's seed and k alone. That is what makes a resumed run equal to an unbroken one.
"""

from __future__ import annotations

import hashlib
import queue
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from restorecli.degrade.chain import Chain, degrade_array, image_rng
from restorecli.errors import DataError, ImageError
from restorecli.images.budget import available_memory
from restorecli.images.folders import OUTPUT_MARK, ImageFile, walk
from restorecli.images.picture import Pixels
from restorecli.images.reading import read_picture
from restorecli.train.recipe import Recipe, Source

LUMA = np.array([0.299, 0.587, 0.114], np.float32)  # BT.601, as gray conversion is usually meant


@dataclass(frozen=True, slots=True)
class Batch:
    """Crops of one step: (N, C, H, W) float32, the reference in [0, 1]."""

    degraded: Tensor
    reference: Tensor


@dataclass(frozen=True, slots=True)
class Pair:
    """Where one training picture comes from; `degraded` is None where damage is made on the fly."""

    key: str
    reference: Path
    degraded: Path | None


def find_pairs(sources: Sequence[Source], recipe: Recipe, base: Path) -> list[Pair]:
    """List the pictures of all sources, in a stable order; keys differ between sources.

    Raises:
        DataError: A source holds no picture, or a degraded picture has no mate or several.
    """
    pairs: list[Pair] = []
    for number, source in enumerate(sources):
        if source.clean is not None:
            folder = recipe.folder_of(source.clean, base)
            found = [Pair(f"{number}/{f.relative}", f.path, None) for f in training_files(folder)]
        else:
            assert source.degraded is not None  # noqa: S101 - the recipe's rule
            assert source.reference is not None  # noqa: S101 - the recipe's rule
            folder = recipe.folder_of(source.degraded, base)
            found = _mates(number, folder, recipe.folder_of(source.reference, base))
        if not found:
            raise DataError(
                "There is no picture in this folder.",
                expected="PNG, JPEG, TIFF, WebP, BMP, PPM",
                file=folder,
                unchanged="nothing was started",
                hint="name another folder in the recipe, or with --data FOLDER",
            )
        pairs += found
    return pairs


def training_files(folder: Path) -> list[ImageFile]:
    """List a folder's pictures, leaving out what this program wrote below it (runs, restored, reports)."""
    marks = ("manifest.jsonl", "recipe.resolved.yaml", OUTPUT_MARK)
    written = {mark.parent for name in marks for mark in folder.rglob(name)}
    written.discard(folder)
    return [file for file in walk(folder) if not any(parent in written for parent in file.path.parents)]


def _mates(number: int, degraded: Path, reference: Path) -> list[Pair]:
    """Pair by relative name, else by relative stem."""
    by_name = {file.relative: file.path for file in walk(reference)}
    by_stem: dict[PurePath, list[Path]] = {}
    for name, path in by_name.items():
        by_stem.setdefault(name.with_suffix(""), []).append(path)
    pairs, alone = [], []
    for file in walk(degraded):
        same = [by_name[file.relative]] if file.relative in by_name else []
        mates = same or by_stem.get(file.relative.with_suffix(""), [])
        if len(mates) == 1:
            pairs.append(Pair(f"{number}/{file.relative}", mates[0], file.path))
        else:
            alone.append(f"{file.relative} ({len(mates)} of its name)")
    if alone:
        raise DataError(
            f"{len(alone)} degraded pictures have no single reference.",
            expected="one reference of the same relative name or stem",
            came=", ".join(alone[:5]),
            file=reference,
            unchanged="nothing was started",
        )
    return pairs


def hold_out(pairs: list[Pair], count: int) -> tuple[list[Pair], list[Pair]]:
    """Split into (training, validation); the choice follows from the keys' hashes, so it never moves."""
    if len(pairs) < 2:
        return pairs, pairs
    count = min(count, len(pairs) // 2)
    ranked = sorted(pairs, key=lambda pair: hashlib.sha256(pair.key.encode()).hexdigest())
    held = {pair.key for pair in ranked[:count]}
    return [p for p in pairs if p.key not in held], [p for p in pairs if p.key in held]


class PictureCache:
    """Decoded pictures kept in memory in the file's own depth, up to a limit; beyond it they are read again.

    Args:
        limit: Bytes to keep; by default 4 GiB, or half of the memory that is free where that is less.
    """

    def __init__(self, limit: int | None = None) -> None:
        self._limit = min(4 * 2**30, available_memory() // 2) if limit is None else limit
        self._kept: dict[Path, NDArray[np.generic]] = {}
        self._bytes = 0

    def get(self, path: Path) -> NDArray[np.generic]:
        """Return a picture as (C, H, W) in uint8, uint16 or float32."""
        if path in self._kept:
            return self._kept[path]
        picture = read_picture(path)
        pixels: NDArray[np.generic] = picture.pixels
        if picture.traits.depth in (8, 16):
            kind = np.uint8 if picture.traits.depth == 8 else np.uint16
            pixels = np.rint(picture.pixels * (2**picture.traits.depth - 1)).astype(kind)
        if self._bytes + pixels.nbytes <= self._limit:
            self._kept[path] = pixels
            self._bytes += pixels.nbytes
        return pixels


def to_unit(pixels: NDArray[np.generic]) -> Pixels:
    """Return integer pixels divided by their type's largest value, as float32; floats pass."""
    largest = {"uint8": 255, "uint16": 65535}.get(pixels.dtype.name, 1)
    unit: Pixels = np.ascontiguousarray(pixels, dtype=np.float32) / np.float32(largest)
    return unit


class BatchMaker:
    """Makes the batch of any step.

    Args:
        pairs: The training pictures.
        recipe: Crop, batch, augmentation and seed.
        channels: Of the network: gray pictures are repeated for 3, colours become luma for 1.
        scale: Of the network: the degraded crop is smaller by it.
    """

    def __init__(self, pairs: list[Pair], recipe: Recipe, *, channels: int, scale: int = 1) -> None:
        self._pairs = pairs
        self._data = recipe.data
        self._seed = recipe.seed
        self._chain = Chain.from_specs(recipe.data.degrade) if recipe.data.degrade else None
        self._channels = channels
        self._scale = scale
        self._cache = PictureCache()
        self._order: tuple[int, NDArray[np.intp]] = (-1, np.empty(0, np.intp))
        self.quarantine: dict[str, str] = {}

    def batch(self, step: int) -> Batch:
        """Return the batch of a step (from 0).

        Raises:
            DataError: More than one picture in a thousand (and more than one) cannot be read.
        """
        size = self._data.batch
        samples = [self.sample(step * size + i) for i in range(size)]
        degraded, reference = (np.stack(side) for side in zip(*samples, strict=True))
        return Batch(torch.from_numpy(degraded), torch.from_numpy(reference))

    def sample(self, number: int) -> tuple[Pixels, Pixels]:
        """Return (degraded, reference) crops of a sample; an unreadable picture gives way to the next."""
        for attempt in range(len(self._pairs)):
            pair = self._pair(number + attempt)
            try:
                return self._crops(pair, image_rng(self._seed, pair.key, "train", number), number)
            except ImageError as error:
                self._set_aside(pair, error)
        raise DataError("No training picture can be used.", came=next(iter(self.quarantine.values()), None))

    def _set_aside(self, pair: Pair, error: ImageError) -> None:
        came = f" ({error.came} instead of {error.expected})" if error.came and error.expected else ""
        self.quarantine[error.file or str(pair.reference)] = error.problem + came
        if len(self.quarantine) > max(1, len(self._pairs) // 1000):
            listed = "; ".join(f"{name}: {why}" for name, why in list(self.quarantine.items())[:5])
            raise DataError(
                "Too many training pictures cannot be used.",
                expected="fewer than 0.1 %",
                came=listed,
                unchanged="the last checkpoint",
                hint="repair them or take them out of the folder, then --resume",
            )

    def _pair(self, number: int) -> Pair:
        epoch, place = divmod(number, len(self._pairs))
        if self._order[0] != epoch:
            order = image_rng(self._seed, "epoch", epoch).permutation(len(self._pairs))
            self._order = (epoch, order)
        return self._pairs[int(self._order[1][place])]

    def _crops(self, pair: Pair, rng: np.random.Generator, number: int) -> tuple[Pixels, Pixels]:
        reference = self._cache.get(pair.reference)
        if pair.degraded is not None:
            degraded = self._cache.get(pair.degraded)
            if _scaled(degraded, self._scale) != reference.shape[1:]:
                raise ImageError(
                    "The two pictures of a pair have sizes that do not fit.",
                    expected=f"{_scaled(degraded, self._scale)} (scale {self._scale})",
                    came=str(reference.shape[1:]),
                    file=pair.reference,
                )
            low, high = self._cut_pair(degraded, reference, rng)
        else:
            low, high = self._cut_and_degrade(reference, rng, pair.key, number)
        return np.ascontiguousarray(low), np.ascontiguousarray(high)

    def _cut_pair(
        self, degraded: NDArray[np.generic], reference: NDArray[np.generic], rng: np.random.Generator
    ) -> tuple[Pixels, Pixels]:
        small = self._data.crop // self._scale
        top, left = _corner(degraded.shape[1:], small, rng)
        low = to_unit(_cut(degraded, top, left, small))
        high = to_unit(_cut(reference, top * self._scale, left * self._scale, small * self._scale))
        turn = self._turn(rng)
        return tuple(_channels(_turned(side, turn), self._channels) for side in (low, high))  # type: ignore[return-value]

    def _cut_and_degrade(
        self, reference: NDArray[np.generic], rng: np.random.Generator, key: str, number: int
    ) -> tuple[Pixels, Pixels]:
        assert self._chain is not None  # noqa: S101 - the recipe's check: clean pictures come with a chain
        margin = self._chain.margin
        side = self._data.crop + 2 * margin
        top, left = _corner(reference.shape[1:], side, rng)
        high = _turned(to_unit(_cut(reference, top, left, side)), self._turn(rng))
        if self._channels == 1 or (high.shape[0] == 3 and rng.random() < self._data.gray):
            high = _channels(high, 1)
        low, _ = degrade_array(high, self._chain, self._seed, f"{key}#{number}")
        low = _rim_off(low, margin // self._scale)
        high = _rim_off(high, margin)
        return _channels(low, self._channels), _channels(high, self._channels)

    def _turn(self, rng: np.random.Generator) -> int:
        if self._data.augment == "flips":
            return int(rng.choice(_MIRRORED))
        return int(rng.integers(8)) if self._data.augment else 0


def _scaled(pixels: NDArray[np.generic], scale: int) -> tuple[int, int]:
    return pixels.shape[1] * scale, pixels.shape[2] * scale


def _corner(size: tuple[int, ...], side: int, rng: np.random.Generator) -> tuple[int, int]:
    height, width = size
    return int(rng.integers(max(height - side, 0) + 1)), int(rng.integers(max(width - side, 0) + 1))


def _cut(pixels: NDArray[np.generic], top: int, left: int, side: int) -> NDArray[np.generic]:
    """Cut a square out; a picture that is too small is mirrored at its lower and right border."""
    piece = pixels[:, top : top + side, left : left + side]
    down, right = side - piece.shape[1], side - piece.shape[2]
    return np.pad(piece, ((0, 0), (0, down), (0, right)), mode="symmetric") if down or right else piece


_MIRRORED = (0, 2, 4, 6)  # of the eight symmetries those that keep rows rows


def _turned(pixels: Pixels, turn: int) -> Pixels:
    """Apply one of the eight symmetries of the square to (C, H, W)."""
    if turn >= 4:
        pixels = pixels[:, :, ::-1]
    return np.ascontiguousarray(np.rot90(pixels, turn % 4, axes=(1, 2)))


def _rim_off(pixels: Pixels, rim: int) -> Pixels:
    return pixels[:, rim:-rim, rim:-rim] if rim else pixels


def to_gray(pixels: Pixels) -> Pixels:
    """Return the BT.601 luma of (3, H, W) as (1, H, W); both float32 in [0, 1]."""
    return np.tensordot(LUMA, pixels, axes=1)[None].astype(np.float32)


def _channels(pixels: Pixels, channels: int) -> Pixels:
    if pixels.shape[0] == channels:
        return pixels
    if channels == 3:
        return np.repeat(pixels, 3, axis=0)
    return to_gray(pixels)


def read_ahead(maker: BatchMaker, start: int, ahead: int = 4) -> Iterator[Batch]:
    """Yield the batches of steps start, start + 1, ... made in a thread of their own.

    Batches are functions of their step, so making them ahead changes nothing but the waiting.
    """
    ready: queue.Queue[Batch | BaseException] = queue.Queue(ahead)
    stop = threading.Event()

    def put(item: Batch | BaseException) -> None:
        while not stop.is_set():
            try:
                ready.put(item, timeout=0.1)
            except queue.Full:
                continue
            return

    def work() -> None:
        step = start
        try:
            while not stop.is_set():
                put(maker.batch(step))
                step += 1
        except BaseException as error:  # noqa: BLE001 - handed over to the consumer, which raises it
            put(error)

    thread = threading.Thread(target=work, name="restorecli-batches", daemon=True)
    thread.start()
    try:
        while True:
            item = ready.get()
            if isinstance(item, BaseException):
                raise item
            yield item
    finally:
        stop.set()
        thread.join()
