"""How to read image files that are unusual: what a user chooses and what a manifest remembers of it."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields, replace

from restorecli.errors import UsageError
from restorecli.images.scale import check_range

_FRAMES = re.compile(r"refuse|first|all|\d{1,9}(?:\.\.\d{1,9})?")


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """How to read what is unusual; by default it is refused, and colors stay as they are.

    Attributes:
        allow_truncated: Read what is left of a damaged file (with a note) instead of refusing it.
        to_srgb: Convert the colors to sRGB through the ICC profile; also the only way in for CMYK and Lab.
        frames: What to do with files that hold several images: "refuse" them, take the "first" one, "all",
            one by its number ("3") or several ("3..8"), counted from 0.
        range: Which values are black and white: "auto" finds out, "file" takes the file's own tags, "type"
            the whole range of the sample type, and "0..4095" two values.

    Raises:
        UsageError: `frames` or `range` is none of these.
    """

    allow_truncated: bool = False
    to_srgb: bool = False
    frames: str = "refuse"
    range: str = "auto"

    def __post_init__(self) -> None:
        if not _FRAMES.fullmatch(self.frames):
            raise UsageError(
                "Unknown choice for frames.",
                expected="refuse, first, all, a number counted from 0, or two as in 3..8",
                got=repr(self.frames),
            )
        check_range(self.range)

    @property
    def stack(self) -> bool:
        """Whether several images of a file may be asked for."""
        return self.frames == "all" or ".." in self.frames

    def to_dict(self) -> dict[str, bool | str]:
        """Return the choices that differ from the defaults, as JSON values."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in values.items() if value != getattr(STRICT, name)}

    def reads_like(self, earlier: ReadOptions) -> bool:
        """Tell whether a file that could be read with `earlier` options gives the same pixels with these.

        Leniency toward damage and further frames changes nothing for a file that was read without it.
        """
        return (
            (self.to_srgb, self.range) == (earlier.to_srgb, earlier.range)
            and self.allow_truncated >= earlier.allow_truncated
            and earlier.frames in ("refuse", self.frames)
        )

    def in_colors_of(self, other: ReadOptions) -> ReadOptions:
        """Return these options, converting to sRGB if `other` does: only then can the two be compared."""
        return replace(self, to_srgb=self.to_srgb or other.to_srgb)


STRICT = ReadOptions()
"""Nothing unusual is read, and nothing is converted."""
