"""Files of several images: pages, hyperstacks and animations, read and written plane by plane."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import prod
from types import TracebackType
from typing import Protocol

from restorecli.errors import ImageError
from restorecli.images.image import ImageData


@dataclass(frozen=True, slots=True)
class Layout:
    """How the planes of a file belong together, and what goes with them.

    Attributes:
        format: Pillow's name of the format that they came in.
        shape: Of the stack without the axes of an image, e.g. (T, Z, C) of TZCYX; its product is the number
            of planes. (N,) for planes that are chosen from it or have no order.
        axes: One letter for each of these, as tifffile names them.
        kind: "ome", "imagej", "shaped" (tifffile's own) or "pages" of a TIFF; "animation" otherwise.
        described: What a TIFF says of the stack: the OME-XML, or tifffile's metadata for the other kinds.
        resolution: Pixels per unit across and down, and the unit's number in TIFF.
        durations: Milliseconds for which each plane is shown; empty where it is no animation.
        loop: How often an animation runs, 0 for ever; None where nothing is said.
        height: Rows of a plane as they came, to tell by how much they were enlarged.
        notes: What a reader should know.
    """

    format: str
    shape: tuple[int, ...]
    axes: str = ""
    kind: str = "animation"
    described: str | Mapping[str, object] | None = None
    resolution: tuple[float, float, int] | None = None
    durations: tuple[float, ...] = ()
    loop: int | None = None
    height: int = 0
    notes: tuple[str, ...] = ()

    @property
    def measured(self) -> bool:
        """Whether a program for measured images wrote it; see `measured`."""
        return self.kind in ("imagej", "ome")


class Planes(Protocol):
    """An open file of several images; one is in memory at a time."""

    @property
    def layout(self) -> Layout:
        """How they belong together."""

    def read(self, number: int) -> ImageData:
        """Decode a plane, counted from 0.

        Raises:
            ImageError: It is damaged or of a kind that is not processed.
        """

    def close(self) -> None:
        """Close the file."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """Some planes of an open file; a context manager that closes it.

    Attributes:
        planes: The file.
        numbers: Which planes, counted from 0.
        layout: Of the chosen ones.
    """

    planes: Planes
    numbers: Sequence[int]
    layout: Layout = field(init=False)

    def __post_init__(self) -> None:
        whole = self.planes.layout
        object.__setattr__(self, "layout", _part(whole, self.numbers))

    def __enter__(self) -> Chosen:
        """Return the planes themselves."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the file."""
        self.planes.close()

    def __len__(self) -> int:
        return len(self.numbers)

    def __iter__(self) -> Iterator[ImageData]:
        return (self.planes.read(number) for number in self.numbers)


def choose(open_file: Callable[[], Planes], frames: str) -> Chosen:
    """Open a file and choose planes of it.

    Args:
        open_file: Opens it.
        frames: "all", "first", a number, or "A..B" with both ends, counted from 0.

    Raises:
        ImageError: There is no such plane.
    """
    planes = open_file()
    count = prod(planes.layout.shape)
    first, last = _ends(frames, count)
    if not 0 <= first <= last < count:
        planes.close()
        raise ImageError(
            "The file has no such frames or pages.",
            expected=f"0 to {count - 1}, counted from 0",
            got=f"--frames {frames}",
        )
    return Chosen(planes, range(first, last + 1))


def _ends(frames: str, count: int) -> tuple[int, int]:
    if frames in ("all", "first"):
        return (0, count - 1) if frames == "all" else (0, 0)
    low, _, high = frames.partition("..")
    return int(low), int(high or low)


def _part(whole: Layout, numbers: Sequence[int]) -> Layout:
    """Return the layout of some planes: that of all, or a plain sequence, which has lost its axes."""
    count = prod(whole.shape)
    if len(numbers) in (count, 1):
        return whole
    note = f"planes {numbers[0]} to {numbers[-1]} of {count}; their axes and description are not written"
    kind = "animation" if whole.kind == "animation" else "pages"
    return replace(
        whole,
        shape=(len(numbers),),
        axes="I",
        kind=kind,
        described=None,
        durations=tuple(whole.durations[number] for number in numbers) if whole.durations else (),
        notes=(*whole.notes, note),
    )
