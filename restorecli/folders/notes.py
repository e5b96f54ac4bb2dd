"""What was done to the images of a folder that a reader should know: each note once, with a count."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from restorecli.counting import counted

_NUMBER = re.compile(r"(?<!\w)-?\d+(?:\.\d+)?(?:e[+-]?\d+)?(?!\w)")
_OTHERS = "; others with other numbers"


@dataclass(frozen=True, slots=True)
class Note:
    """One note and the images that it is about.

    Attributes:
        text: What was done, e.g. "first of 3 frames or pages".
        images: How many images it is about.
        first: The first of them.
    """

    text: str
    images: int
    first: str

    def __str__(self) -> str:
        """Return it as one line: "a.png: TEXT", or "2 images, first a.png: TEXT"."""
        about = self.first if self.images == 1 else f"{counted(self.images, 'image')}, first {self.first}"
        return f"{about}: {self.text}"

    def to_dict(self) -> dict[str, object]:
        """Return the note as JSON values."""
        return {"note": self.text, "pictures": self.images, "first": self.first}


class NoteTally:
    """Counts notes as the images come; those that differ in numbers only are one."""

    def __init__(self) -> None:
        self._notes: dict[str, Note] = {}

    def add(self, path: str, texts: Iterable[str]) -> None:
        """Count the notes of one more image."""
        for text in dict.fromkeys(texts):
            kind = _NUMBER.sub("#", text)
            known = self._notes.get(kind, Note(text, 0, path))
            if known.text not in (text, text + _OTHERS) and not known.text.endswith(_OTHERS):
                known = replace(known, text=known.text + _OTHERS)
            self._notes[kind] = replace(known, images=known.images + 1)

    @property
    def notes(self) -> tuple[Note, ...]:
        """All notes so far, in the order in which they first came."""
        return tuple(self._notes.values())
