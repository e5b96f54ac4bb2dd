"""All measurements of one image."""

from __future__ import annotations

from restorecli.diagnosis.measuring.blocks import measure_blocks
from restorecli.diagnosis.measuring.blur import measure_blur
from restorecli.diagnosis.measuring.holes import measure_holes
from restorecli.diagnosis.measuring.impulses import measure_impulses
from restorecli.diagnosis.measuring.levels import measure_levels
from restorecli.diagnosis.measuring.lines import measure_lines
from restorecli.diagnosis.measuring.noise import measure_noise
from restorecli.diagnosis.measuring.streaks import measure_streaks
from restorecli.diagnosis.measuring.tones import measure_black, measure_tones
from restorecli.diagnosis.measuring.view import Pixels, View, view_of
from restorecli.diagnosis.measuring.waves import measure_waves

_MEASURES = (
    measure_noise,
    measure_impulses,
    measure_levels,
    measure_blur,
    measure_blocks,
    measure_waves,
    measure_streaks,
    measure_lines,
    measure_tones,
    measure_black,
)


def measure(image: Pixels, view: View | None = None) -> dict[str, float]:
    """Return every measurement by name; what gray images do not have is left out for them.

    Args:
        image: (C, H, W) float32, C = 1 or 3, in [0, 1], both sides at least 16.
        view: What `view_of` returns of it, where that is known.
    """
    view = view or view_of(image)
    found: dict[str, float] = {}
    for measured in _MEASURES:
        found.update(measured(view))
    found.update(measure_holes(image))
    return found
