"""Other libraries' PSNR and SSIM, called as their documentation says for the protocol of this program.

None of them is required: what is not installed, or does not load, is told and left out. Each gets the
images in the layout and type that it wants, made ready before the clock starts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib import metadata
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
Values = tuple[float, float]
"""PSNR in dB and SSIM."""


class Ready(NamedTuple):
    """A loaded library: `prepare` makes a (3, H, W) uint8 image its own, `measure` takes two of them."""

    prepare: Callable[[Bytes], Any]
    measure: Callable[[Any, Any], Values]


@dataclass(frozen=True, slots=True)
class Peer:
    """One library.

    Attributes:
        name: As it is known, and the name of its distribution.
        load: Imports it.
    """

    name: str
    load: Callable[[], Ready]

    @property
    def version(self) -> str:
        """Of the installed distribution."""
        return metadata.version(self.name)


class MissingPeer(NamedTuple):
    """A library that is not measured, and why."""

    name: str
    reason: str


def loaded_peers() -> tuple[dict[Peer, Ready], list[MissingPeer]]:
    """Load every library that is here.

    Returns:
        The loaded ones, and those that are missing, each with the reason.
    """
    ready: dict[Peer, Ready] = {}
    missing: list[MissingPeer] = []
    for peer in PEERS:
        try:
            ready[peer] = peer.load()
        except ModuleNotFoundError as error:
            missing.append(MissingPeer(peer.name, f"not installed ({error.name})"))
        except (
            ImportError,
            RuntimeError,
            OSError,
            AttributeError,
        ) as error:  # torchvision beside another torch
            missing.append(MissingPeer(peer.name, f"does not load: {error}"))
    return ready, missing


def _interleaved_bytes(image: Bytes) -> Bytes:
    """(H, W, 3)."""
    return np.ascontiguousarray(image.transpose(1, 2, 0))


def _tensor(image: Bytes, scale: float) -> Any:  # noqa: ANN401 - torch is not imported here
    """(1, 3, H, W) float32."""
    import torch

    return torch.from_numpy(image[None].astype(np.float32) / np.float32(scale))


def _scikit_image() -> Ready:
    from skimage import metrics

    judge: Any = metrics  # untyped

    def measure(degraded: Bytes, reference: Bytes) -> Values:
        psnr = judge.peak_signal_noise_ratio(reference, degraded, data_range=255)
        ssim = judge.structural_similarity(
            degraded,
            reference,
            data_range=255,
            channel_axis=-1,
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
        )
        return float(psnr), float(ssim)

    return Ready(_interleaved_bytes, measure)


def _piq() -> Ready:
    import piq

    def measure(degraded: Any, reference: Any) -> Values:  # noqa: ANN401 - tensors
        ssim = piq.ssim(degraded, reference, 11, 1.5, data_range=255, downsample=False)
        return float(piq.psnr(degraded, reference, data_range=255)), float(ssim)

    return Ready(partial(_tensor, scale=1), measure)


def _torchmetrics() -> Ready:
    from torchmetrics.functional.image import (
        peak_signal_noise_ratio,
        structural_similarity_index_measure,
    )

    def measure(degraded: Any, reference: Any) -> Values:  # noqa: ANN401 - tensors
        psnr = peak_signal_noise_ratio(degraded, reference, data_range=255.0)
        ssim: Any = structural_similarity_index_measure(degraded, reference, sigma=1.5, data_range=255.0)
        return float(psnr), float(ssim)

    return Ready(partial(_tensor, scale=1), measure)


def _pyiqa() -> Ready:
    import pyiqa

    psnr, ssim = (pyiqa.create_metric(name, device="cpu") for name in ("psnr", "ssimc"))
    return Ready(partial(_tensor, scale=255), lambda one, two: (float(psnr(one, two)), float(ssim(one, two))))


def _basicsr() -> Ready:
    from basicsr.metrics.psnr_ssim import calculate_psnr, calculate_ssim

    return Ready(
        _interleaved_bytes,
        lambda one, two: (float(calculate_psnr(one, two, 0)), float(calculate_ssim(one, two, 0))),
    )


PEERS = (
    Peer("scikit-image", _scikit_image),
    Peer("piq", _piq),
    Peer("basicsr", _basicsr),
    Peer("torchmetrics", _torchmetrics),
    Peer("pyiqa", _pyiqa),
)
"""Every library that is asked, one line each."""
