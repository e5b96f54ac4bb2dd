"""Denoisers as priors of plug-and-play restoration: networks, told the noise level or not, and methods."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np

from restorecli.core.shipped import find_shipped
from restorecli.core.zoo import load
from restorecli.images.image import Pixels
from restorecli.restoration.context import Context
from restorecli.restoration.image import ImageRestorer
from restorecli.restoration.methods.catalog import create_method

Prior = Callable[[Pixels, float], Pixels]
"""Removes noise of a level, 0-255 scale, from (C, H, W) float32."""


def method_prior(name: str) -> Prior:
    """Return a method without weights as a prior; it is told the level as the image's noise."""
    method = create_method(name)
    return lambda pixels, sigma: method.restore(pixels, Context(sigma=sigma))


def network_prior(name: str, *, seed: int, device: str | None = None) -> Prior:
    """Return a network as a prior.

    A network that takes a noise level is told it. A blind one estimates the noise by itself and would hardly
    change the smooth images that data steps give; so white noise of the level is added first, which it then
    removes together with what else departs from a natural image: a regularization by stochastic denoising
    (Renaud et al., ICML 2024). Deblurring without it ended 6.7 dB lower. The noise is drawn from `seed`, so
    that runs agree.

    Args:
        name: "model", "model.tag" or a weights file.
        seed: Of the added noise.
        device: Where to compute; None picks.

    Raises:
        UsageError: The name is unknown.
        WeightsError: The weights are missing or damaged.
    """
    restorer = load(name, device=device)
    if restorer.spec.needs:
        return lambda pixels, sigma: ImageRestorer(restorer.told(sigma)).restore(pixels)[0]
    blind, rng = ImageRestorer(restorer), np.random.default_rng(seed)

    def inject(pixels: Pixels, sigma: float) -> Pixels:
        noise = rng.standard_normal(pixels.shape, dtype=np.float32)
        return blind.restore(pixels + noise * np.float32(sigma / 255))[0]

    return inject


def digest_of(name: str) -> str:
    """Return the beginning of the SHA-256 of a network's weights file."""
    path = Path(name) if Path(name).is_file() else find_shipped(name).path
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]
