"""What a run leaves to look at: a JSON-lines log, TensorBoard events and sample images."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from tensorboardX import SummaryWriter

from restorecli.folders.places import make_folder, open_output
from restorecli.images.atomic import write_file
from restorecli.images.image import ImageData
from restorecli.images.writing import write_image
from restorecli.training.places import LOG
from restorecli.training.validation import ValidationScores, enlarged


class Logbook:
    """Writes the log of a run folder; lines after the step that a run resumes from are dropped.

    Args:
        folder: The run folder.
        step: The step that the run starts or resumes from.
    """

    def __init__(self, folder: Path, step: int) -> None:
        self._folder = folder
        if (folder / LOG).exists():
            self._drop_after(step)
        make_folder(folder / "events", folder)
        descriptor = open_output(folder / LOG, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        self._file = os.fdopen(descriptor, "a", encoding="utf-8")
        self._events = SummaryWriter(logdir=str(folder / "events"), purge_step=step + 1 if step else None)

    def _drop_after(self, step: int) -> None:
        kept = []
        for line in (self._folder / LOG).read_text(encoding="utf-8").splitlines():
            try:
                entry = json.loads(line)
            except ValueError:
                continue  # a line torn by a crash
            if entry["step"] <= step:
                kept.append(line)
        write_file(self._folder / LOG, "".join(f"{line}\n" for line in kept))

    def write(self, kind: str, step: int, values: Mapping[str, float]) -> None:
        """Add a line and its events; `kind` is "train" or "validation".

        Infinite values, such as the PSNR of equal images, are null in the line: JSON knows none.
        """
        line = {name: value if math.isfinite(value) else None for name, value in values.items()}
        self._file.write(json.dumps({"kind": kind, "step": step, **line}) + "\n")
        self._file.flush()
        for name, value in values.items():
            if not math.isfinite(value):
                continue
            self._events.add_scalar(f"{kind}/{name}", value, step)
        self._events.flush()

    def samples(self, scores: ValidationScores) -> None:
        """Write degraded | restored | reference strips of the sample images, over those of before."""
        folder = self._folder / "samples"
        make_folder(folder, self._folder)
        for number, (example, restored) in enumerate(scores.samples):
            before = enlarged(example.degraded, example.reference).clip(0, 1)
            strip = np.concatenate([before, restored, example.reference], axis=2)
            write_image(folder / f"{number:02d}.png", ImageData(strip.astype(np.float32)))

    def close(self) -> None:
        """Close the files."""
        self._file.close()
        self._events.close()
