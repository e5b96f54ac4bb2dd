"""What all charts have in common: type, colors, the frame around a drawing, and how they are written."""

from __future__ import annotations

import textwrap
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from restorecli.images.atomic import atomic_write
from restorecli.images.drawn import MARK, MARK_TEXT
from restorecli.report.panels import printable

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.text import Text

PAPER: Final = "#fbfaf8"
INK: Final = "#20242a"
MUTED: Final = "#646a73"
RULE: Final = "#e4e1da"
BEFORE: Final = "#d9a066"
"""Degraded: light and warm; differs from `AFTER` in lightness, so in print and by any eye."""
AFTER: Final = "#11766c"
"""Restored: dark and cool."""
WORSE: Final = "#a4501f"
PALETTE: Final = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#20242a", "#b8a800")
"""Eight colors that every kind of color vision tells apart: Okabe and Ito, "Color Universal Design", 2008
(with a darker yellow, which shows on a light ground)."""
MARKERS: Final = "os^DvPXh"


@dataclass(frozen=True, slots=True)
class Look:
    """Where a chart is to stand, and so how large it is and whether it explains itself.

    Attributes:
        width: Inches.
        edge: Inches of paper around everything.
        size: Points of the text; rows of bars are as high as the text asks for.
        letters: Longest name of a group; of longer ones the middle is left out.
        explained: Whether title, subtitle and footnote are drawn, or left to the document around.
        paper: Color of the ground, or "none".
    """

    width: float
    edge: float
    size: float
    letters: int
    explained: bool
    paper: str

    def points(self, share: float) -> float:
        """Return a size of text as a share of the usual one, in points."""
        return self.size * share

    def inches(self, length: float) -> float:
        """Return a length that text of `SCREEN`'s size needs, for this size of text."""
        return length * self.size / SCREEN.size


SCREEN: Final = Look(width=8.6, edge=0.42, size=9.5, letters=34, explained=True, paper=PAPER)
"""A figure that stands alone, as in a talk."""

COLUMN: Final = Look(width=3.5, edge=0.03, size=7.5, letters=20, explained=False, paper="none")
"""One column of a paper (IEEE: 3.5 inches), whose caption says the rest."""

PAGE: Final = Look(width=4.9, edge=0.03, size=8.5, letters=20, explained=False, paper="none")
"""Inside the HTML page, which sets the words around it; readable on a phone."""

LOOKS: Final = MappingProxyType({"screen": SCREEN, "paper": COLUMN})
"""What `plot --style` offers."""

_FALLBACK_FONTS = (
    "Noto Sans CJK SC",
    "Noto Sans CJK JP",
    "Noto Sans Arabic",
    "Noto Sans Hebrew",
    "Noto Sans Devanagari",
    "Hiragino Sans",
    "Microsoft YaHei",
)
_STYLE: Final[dict[Any, Any]] = {  # matplotlib 3.11 types every key as a literal, 3.9 none
    "axes.facecolor": "none",
    "axes.edgecolor": RULE,
    "axes.labelcolor": MUTED,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "grid.color": RULE,
    "grid.linewidth": 0.8,
    "text.color": INK,
    "text.parse_math": False,  # a category may be called $\frac{
    "xtick.color": RULE,
    "xtick.labelcolor": MUTED,
    "ytick.color": RULE,
    "ytick.labelcolor": INK,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "svg.hashsalt": "restorecli",  # the same names inside the file on every run
    "svg.fonttype": "none",  # text stays text: found by a search, read aloud, set in the reader's fonts
    "pdf.fonttype": 42,
}
_METADATA: dict[str, dict[str, str | None]] = {
    "png": {"Software": None, MARK: MARK_TEXT},
    "svg": {"Date": None, "Creator": None},
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
}
FORMATS: Final = tuple(_METADATA)
"""What a chart can be written as."""
_DPI = 160


@contextmanager
def chart_style(look: Look = SCREEN) -> Iterator[None]:
    """Draw in one style, whatever the user's own matplotlibrc says; it is put back afterwards."""
    import matplotlib as mpl
    from matplotlib.font_manager import fontManager

    installed = {font.name for font in fontManager.ttflist}
    families = ["DejaVu Sans", *(name for name in _FALLBACK_FONTS if name in installed), "sans-serif"]
    with warnings.catch_warnings(), mpl.rc_context():
        warnings.filterwarnings("ignore", message="Glyph .* missing from")  # drawn as a box
        mpl.rcdefaults()
        mpl.rcParams.update({**_STYLE, "font.family": families, "font.size": look.size})
        mpl.rcParams.update({"axes.labelsize": look.size, "figure.facecolor": look.paper})
        mpl.rcParams.update({"savefig.facecolor": look.paper})
        yield


def write_figure(figure: Figure, stem: Path, formats: Sequence[str]) -> list[Path]:
    """Write a figure once for each format; the same figure gives the same bytes.

    Args:
        figure: Drawn within `chart_style`, and written there too.
        stem: The path without its suffix.
        formats: Of `FORMATS`.

    Raises:
        ResourceError: The disk is full.
    """
    paths = []
    for name in formats:
        paths.append(stem.with_name(f"{stem.name}.{name}"))
        with atomic_write(paths[-1]) as temporary:
            figure.savefig(temporary, format=name, dpi=_DPI, metadata=_METADATA[name])
    return paths


@dataclass(frozen=True, slots=True)
class Chart:
    """A figure, and the words that explain it: drawn around it, or left to the document it stands in.

    Attributes:
        figure: The figure.
        title: What is shown.
        subtitle: How to read it.
        look: Where it stands.
        height: Height of the figure in inches.
        top: Inches from the upper edge to the drawing.
        bottom: Inches from the lower edge to the drawing.
    """

    figure: Figure
    title: str
    subtitle: str
    look: Look
    height: float
    top: float
    bottom: float

    def axes_at(self, left: float, top: float, width: float, height: float) -> Axes:
        """Return axes at a place in inches from the upper left corner."""
        whole = self.look.width
        place = (left / whole, 1 - (top + height) / self.height, width / whole, height / self.height)
        return self.figure.add_axes(place)

    def key(self, entries: Sequence[tuple[str, str]]) -> None:
        """Draw the key of colors at the upper right: (label, color) from left to right."""
        look, size = self.look, self.look.points(1)
        right, y = look.width - look.edge, 1 - (look.edge + look.inches(0.1)) / self.height
        for label, color in reversed(entries):
            text = self.figure.text(
                right / look.width, y, label, ha="right", va="center", color=MUTED, size=size
            )
            right -= text_width(text) + look.inches(0.08)
            place = right / look.width, y
            self.figure.text(*place, "\u25a0", ha="right", va="center", color=color, size=look.points(1.26))
            right -= look.inches(0.34)


def blank_chart(
    title: str, subtitle: str, footnote: str, height: float, look: Look = SCREEN, *, key_room: float = 0.24
) -> Chart:
    """Return a figure to draw into, with its words set where the look asks for them.

    Args:
        title: Bold, at the upper left.
        subtitle: How to read it.
        footnote: How it was measured; broken into lines.
        height: Inches of the drawing between them, its axis labels included.
        look: Where the chart is to stand.
        key_room: Inches above the drawing for a key of colors where there are no words.
    """
    from matplotlib.figure import Figure

    below = textwrap.wrap(footnote, 138) if look.explained else []
    above = textwrap.wrap(subtitle, 106) if look.explained else []
    top = look.edge + (0.34 + 0.19 * len(above) + 0.18 if above else look.inches(key_room))
    bottom = look.edge + (0.16 * len(below) + 0.12 if below else 0)
    total = top + height + bottom
    figure = Figure(figsize=(look.width, total))
    x, edge = look.edge / look.width, look.edge
    if look.explained:
        figure.text(x, 1 - edge / total, title, size=13.5, weight="bold", va="top")
        figure.text(x, 1 - (edge + 0.34) / total, "\n".join(above), color=MUTED, va="top", linespacing=1.4)
        figure.text(x, edge / total, "\n".join(below), size=7.5, color=MUTED, va="bottom", linespacing=1.4)
    return Chart(figure, title, subtitle, look, total, top, bottom)


def label_room(labels: Sequence[str], size: float = SCREEN.size, weight: str = "normal") -> float:
    """Return the inches that the widest of some labels takes, in text of some points."""
    from matplotlib.figure import Figure

    probe = Figure()
    texts = [probe.text(0, 0, label, size=size, weight=weight) for label in labels]
    return max(map(text_width, texts), default=0.0)


def text_width(text: Text) -> float:
    """Return the width in inches of a text that stands in a figure."""
    figure = text.get_figure(root=True)
    return 0.0 if figure is None else float(text.get_window_extent().width / figure.dpi)


def shortened(name: str, letters: int = 34) -> str:
    """Return a name that is safe to draw and not too long: its middle gives way."""
    shown = printable(name)
    if len(shown) <= letters:
        return shown
    return f"{shown[: letters // 2]}\u2026{shown[len(shown) - letters // 2 + 1 :]}"
