"""White noise that was saved as JPEG.

JPEG rounds away the finest details, by which white noise is found, and most files hold colors at half the
resolution, so that channels share what is finer. What is left fills quiet parts at every scale: it is
measured as noise of cameras is, and a model fitted on training photographs tells it from that and from
texture.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from restorecli.diagnosis.faint.camera_noise import SharedNoise, measure_camera_noise
from restorecli.diagnosis.faint.hidden_layer import HiddenLayer, Told, read_hidden_layer
from restorecli.diagnosis.measuring.blocks import NO_QUALITY, measure_blocks
from restorecli.diagnosis.measuring.levels import is_drawn
from restorecli.diagnosis.measuring.noise import shows_white_noise
from restorecli.diagnosis.measuring.view import View

SAVED_NOISE = "gaussian+jpeg"

_FOLDER = Path(__file__).parent
SAVED_COLOR_MODEL, SAVED_GRAY_MODEL = _FOLDER / "saved_color.json", _FOLDER / "saved_gray.json"

_SURE, _SURE_GRAY = 0.94, 0.945
"""Chances from which it counts as found: of 720 clean crops, 192 px, of photographs that no model was fitted
to, JPEG of quality 20 to 95 and other looks among them, none reaches the first in color nor the second in
gray."""

_SURE_COARSE = 0.8
"""The same where JPEG is coarse, which is undone in any case: of 320 such crops of quality 20 to 80 three
reach it in color, and four in gray."""

_COARSE = 85.0
"""Quality of JPEG below which it is coarse, and weights against white noise alone lose even on noise that
still looks white."""

_MIN_SIDE = 160
"""Pixels of the shorter side below which it is not told."""

SAVED_DAMAGES = ("gaussian", "jpeg")
"""What such an image has."""

_TAKEN_FOR = frozenset(("gaussian", "poisson", "speckle", "camera-noise", "film-grain", "jpeg"))
"""What such noise is taken for by those that do not know it."""


def measure_saved_noise(view: View) -> dict[str, float]:
    """Measure what `measure_camera_noise` and `measure_blocks` do."""
    return measure_camera_noise(view) | measure_blocks(view)


@cache
def saved_noise_model(*, is_gray: bool) -> HiddenLayer:
    """Return the shipped model for gray or for color images; `restorecli bench diagnosis` fits it."""
    return read_hidden_layer(SAVED_GRAY_MODEL if is_gray else SAVED_COLOR_MODEL)


def find_saved_noise(view: View, found: Mapping[str, float], shared: SharedNoise) -> Told:
    """Tell whether an image has noise that was white before it was saved as JPEG.

    Without a trace of JPEG it does not count as found, and neither does noise that is still white: those that
    know it undo it better.

    Args:
        view: The image.
        found: Its measurements by name.
        shared: What `find_shared_noise` makes of it.
    """
    model = saved_noise_model(is_gray=view.is_gray)
    measured = {**shared.measurements, **found}
    chance = model.chance(measured)
    is_white = shows_white_noise(found) and not is_coarse(found)
    is_large = min(view.window.shape[1:]) >= _MIN_SIDE
    is_told = is_large and found["jpeg quality"] < NO_QUALITY and not is_white and not is_drawn(found)
    sure = _SURE_GRAY if view.is_gray else _SURE
    needed = _SURE_COARSE if is_coarse(found) and not shared.is_sure else sure
    return Told(SAVED_NOISE, chance, is_told and chance >= needed, model.evidence(measured))


def is_coarse(found: Mapping[str, float]) -> bool:
    """Tell whether JPEG is so coarse that it is undone in any case, given measurements by name."""
    return found["jpeg quality"] < _COARSE


def beside_saved_noise(names: Sequence[str]) -> tuple[str, ...]:
    """Return what counts as found where such noise is sure: damage that changes more stays what it is.

    Args:
        names: The damages that were found otherwise.
    """
    return SAVED_DAMAGES if _TAKEN_FOR.issuperset(names) else tuple(names)
