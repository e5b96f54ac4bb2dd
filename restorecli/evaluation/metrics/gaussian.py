"""The window and the constants of SSIM as Wang et al. (IEEE TIP 2004) fix them, for images of 0 to 255."""

from __future__ import annotations

import math

WINDOW = 11
"""Side of the Gaussian window in pixels."""

SIGMA = 1.5
"""Its standard deviation in pixels."""

C1 = (0.01 * 255) ** 2
"""What keeps the luminance term finite in dark areas: (K1 L)^2."""

C2 = (0.03 * 255) ** 2
"""What keeps the contrast-structure term finite in flat areas: (K2 L)^2."""

_BELL = tuple(math.exp(-(offset**2) / (2 * SIGMA**2)) for offset in range(-(WINDOW // 2), WINDOW // 2 + 1))

TAPS = tuple(weight / math.fsum(_BELL) for weight in _BELL)
"""The eleven weights of the window along one axis; they sum to 1."""
