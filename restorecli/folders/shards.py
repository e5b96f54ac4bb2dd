"""Parts of one job for several processes or machines that write into one folder and need not talk."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from restorecli.errors import UsageError

_WORD = re.compile(r"([1-9]\d{0,5})/([1-9]\d{0,5})")
_LABEL = re.compile(r"\.([1-9]\d*)-of-([1-9]\d*)\.")


@dataclass(frozen=True, slots=True)
class Shard:
    """One of `count` parts of the images of a folder.

    Which part an image belongs to follows from its path in the output folder alone, so every machine comes
    to the same split, also when images are added meanwhile. Every part has its own lock and manifest.

    Attributes:
        number: From 1 to `count`.
        count: How many parts there are; 1 is the whole folder.
    """

    number: int
    count: int

    @classmethod
    def parse(cls, word: str | None) -> Shard:
        """Return the shard that a word such as "3/8" names; None is the whole.

        Raises:
            UsageError: It is none.
        """
        if word is None:
            return WHOLE
        found = _WORD.fullmatch(word)
        if found is None or int(found[1]) > int(found[2]):
            raise UsageError(
                "The shard is not understood.",
                expected="I/N with I from 1 to N, such as 3/8",
                got=repr(word),
            )
        return cls(int(found[1]), int(found[2]))

    def holds(self, target: PurePosixPath) -> bool:
        """Tell whether an image belongs to this part, by its path in the output folder."""
        name = target.as_posix().encode("utf-8", "surrogateescape")
        digest = hashlib.blake2b(name, digest_size=8).digest()
        return int.from_bytes(digest, "big") % self.count == self.number - 1

    def name_in(self, name: str) -> str:
        """Return this part's name of a file: manifest.3-of-8.jsonl of manifest.jsonl; the whole's stays."""
        stem, dot, suffix = name.rpartition(".")
        return name if self == WHOLE else f"{stem}.{self.number}-of-{self.count}{dot}{suffix}"


WHOLE = Shard(1, 1)
"""All images."""


def refuse_shard(shard: Shard) -> None:
    """Refuse a part of a single image.

    Raises:
        UsageError: The shard is not the whole.
    """
    if shard != WHOLE:
        raise UsageError(
            "A single image has no shards.",
            expected="a folder of images, and a folder to write into",
            got=f"--shard {shard.number}/{shard.count}",
            hint="leave out --shard",
        )


def shard_files(folder: Path, name: str) -> Iterator[tuple[Shard, Path]]:
    """Yield the files of this name of all parts in a folder, not of the whole, in the order of the parts."""
    stem, _, suffix = name.rpartition(".")
    found = []
    for file in folder.glob(f"{stem}.*-of-*.{suffix}"):
        label = _LABEL.search(file.name)
        if label is not None:
            shard = Shard(int(label[1]), int(label[2]))
            found += [(shard, file)] if file.name == shard.name_in(name) else []
    yield from sorted(found, key=lambda entry: (entry[0].count, entry[0].number))
