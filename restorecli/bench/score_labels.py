"""How a score on a card was measured, read from its label, so that it can be measured again."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from restorecli.counting import counted
from restorecli.errors import DataError
from restorecli.evaluation.metrics.protocol import PROTOCOLS
from restorecli.folders.walking import ImageFile, walk

_STEP = r"[a-z][\w-]*(?: \w+ [^\s,]+)*"
_LABEL = re.compile(
    r"(?P<folder>[\w/-]+)(?:, category (?P<category>\w+))?, "
    r"(?:(?P<undamaged>undamaged)|(?P<degraded>\w+) and (?P<reference>\w+)"
    rf"|(?P<damage>{_STEP}(?: \+ {_STEP})*), (?P<range>8 bits|unclipped), seed (?P<seed>\d+)), "
    r"(?P<count>\d+) images(?: \(every (?P<every>\d+)(?:st|nd|rd|th)\))?"
    r"(?:, (?P<side>\d+)x(?P=side) from the middle)?"
    r"(?:, (?P<scoring>[a-z][a-z-]*(?::\d+)?))?"
)


@dataclass(frozen=True, slots=True)
class Protocol:
    """What was done for one score.

    Attributes:
        folder: The images, below the data folder; of pairs the folder that holds both folders.
        images: How many were measured.
        damage: Chain of degradations; empty for undamaged images and for pairs.
        unclipped: Whether values outside [0, 1] were kept; else degraded images are rounded to 8 bits.
        seed: Of the degradations.
        pair: The folders of degraded and of reference images, for pairs.
        category: Only images in this folder below `folder`.
        every: Each so manieth of the sorted images was taken.
        side: Side of the square that was cut from the middle of each; None for whole images.
        scoring: What PSNR and SSIM compare: a name of `eval --protocol`.
    """

    folder: str
    images: int
    damage: tuple[dict[str, str], ...] = ()
    unclipped: bool = False
    seed: int = 0
    pair: tuple[str, str] | None = None
    category: str | None = None
    every: int = 1
    side: int | None = None
    scoring: str = "rgb"

    def files(self, data: Path) -> Sequence[ImageFile]:
        """Return the reference images below a data folder, in order.

        Raises:
            DataError: The folder is missing, or holds another number of images.
        """
        folder = data / self.folder
        found: Sequence[ImageFile] = walk(folder if self.pair is None else folder / self.pair[1])
        if self.category is not None:
            found = [file for file in found if file.relative.parts[0] == self.category]
        chosen = found[:: self.every]
        if len(chosen) != self.images:
            raise DataError(
                "These are not the images that a card's score is of.",
                expected=counted(self.images, "image"),
                got=str(len(chosen)),
                file=folder,
                hint="--only names the weights to measure",
            )
        return chosen


def read_label(label: str) -> Protocol | None:
    """Return what a card's label says of its score, as in these examples; None for any other label.

    - "cbsd68, gaussian-blur sigma 1.6 + jpeg quality 10, 8 bits, seed 0, 23 images (every 3rd)"
    - "cbsd68, gaussian sigma 25, unclipped, seed 0, 4 images (every 17th), 160x160 from the middle"
    - "magnetic-tile/test/images, category crack, gaussian sigma 20, 8 bits, seed 1, 8 images"
    - "cbsd68, undamaged, 68 images"
    - "sand-dust/test, dusty and clean, 17 images"
    - "cbsd68, downscale factor 2, 8 bits, seed 0, 68 images, basicsr-y"
    """
    found = _LABEL.fullmatch(label)
    if found is None or (found["scoring"] or "rgb").partition(":")[0] not in PROTOCOLS:
        return None
    pair = (found["degraded"], found["reference"]) if found["degraded"] else None
    return Protocol(
        folder=found["folder"],
        images=int(found["count"]),
        damage=_chain(found["damage"].split(" + ")) if found["damage"] else (),
        unclipped=found["range"] == "unclipped",
        seed=int(found["seed"] or 0),
        pair=pair,
        category=found["category"],
        every=int(found["every"] or 1),
        side=int(found["side"]) if found["side"] else None,
        scoring=found["scoring"] or "rgb",
    )


def _chain(steps: Sequence[str]) -> tuple[dict[str, str], ...]:
    """Read "gaussian-blur sigma 1.6" as a step of a chain."""
    chain = []
    for step in steps:
        name, *settings = step.split()
        chain.append({"name": name, **dict(zip(settings[::2], settings[1::2], strict=True))})
    return tuple(chain)
