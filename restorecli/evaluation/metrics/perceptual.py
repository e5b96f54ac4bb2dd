"""Learned metrics of other packages, loaded only when asked for: LPIPS, DISTS, NIQE and MUSIQ.

LPIPS and DISTS come from torchmetrics with torchvision (the extra "perceptual"; Apache 2.0 and BSD; weights
of the feature networks are fetched on first use). NIQE and MUSIQ come from pyiqa, whose licence (PolyForm
Noncommercial 1.0.0) forbids commercial use; no extra of restorecli installs it. None of them crops: they see
the whole image, rounded to 8 bits, under every protocol.
"""

from __future__ import annotations

import contextlib
import importlib
import sys
import threading
from collections.abc import Callable, Mapping
from functools import cache, partial
from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from restorecli.errors import DataError, UsageError, WeightsError

if TYPE_CHECKING:
    from torch import Tensor

    from restorecli.evaluation.metrics.metric import Subject

Judge = Callable[..., "Tensor"]

EXTRA = "pip install torchmetrics torchvision (the extra `perceptual` of restorecli)"
"""What installs the packages of LPIPS and DISTS."""

PYIQA = "pip install pyiqa (its licence, PolyForm Noncommercial, forbids commercial use)"
"""What installs the package of NIQE and MUSIQ."""

_JUDGE_LOCK = threading.Lock()  # torchmetrics keeps a running state, and torch has threads of its own


def lpips(subject: Subject) -> float:
    """LPIPS with AlexNet features, version 0.1: Zhang et al., CVPR 2018; from 0, lower is better.

    Raises:
        UsageError: torchmetrics or torchvision is not installed.
        WeightsError: The weights are not at hand and cannot be fetched.
        DataError: There is no reference, or the image is too small for the network.
    """
    return _full_reference("lpips", subject)


def dists(subject: Subject) -> float:
    """DISTS: Ding et al., TPAMI 2020; from 0, lower is better.

    Raises:
        UsageError: torchmetrics or torchvision is not installed.
        WeightsError: The weights are not at hand and cannot be fetched.
        DataError: There is no reference, or the image is too small for the network.
    """
    return _full_reference("dists", subject)


def niqe(subject: Subject) -> float:
    """NIQE of the image alone: Mittal et al., SPL 2013; lower is better.

    Raises:
        UsageError: pyiqa is not installed.
        WeightsError: The model is not at hand and cannot be fetched.
        DataError: The image is too small.
    """
    return _judge("niqe", _tensor(subject.views["image"].eight_bits))


def musiq(subject: Subject) -> float:
    """MUSIQ (KonIQ-10k) of the image alone: Ke et al., ICCV 2021; up to 100, higher is better.

    Raises:
        UsageError: pyiqa is not installed.
        WeightsError: The weights are not at hand and cannot be fetched.
        DataError: The image is too small for the network.
    """
    return _judge("musiq", _tensor(subject.views["image"].eight_bits))


def _full_reference(name: str, subject: Subject) -> float:
    restored, reference = subject.eight_bits()
    return _judge(name, _tensor(restored), _tensor(reference))


def _judge(name: str, *images: Tensor) -> float:
    import torch

    try:
        with _JUDGE_LOCK, torch.no_grad():
            return float(_loaded(name)(*images))
    except (RuntimeError, ValueError, AssertionError) as fault:
        height, width = images[0].shape[-2:]
        raise DataError(
            "A learned metric refused the image.",
            expected=f"an image that {name} can take",
            got=f"{width}x{height}: {fault}",
        ) from fault


def _tensor(levels: NDArray[np.uint8]) -> Tensor:
    """(1, 3, H, W) float32 in [0, 1]; gray becomes equal R, G and B."""
    import torch

    unit = levels.astype(np.float32) / np.float32(255)
    return torch.from_numpy(np.array(np.broadcast_to(unit, (3, *unit.shape[1:]))))[None]


@cache
def _loaded(name: str) -> Judge:
    """Build a judge once for the process; what its package prints goes to stderr, data alone to stdout."""
    try:
        with contextlib.redirect_stdout(sys.stderr):
            return _BUILDERS[name]()
    except (OSError, RuntimeError, ValueError) as fault:
        raise WeightsError(
            f"The weights of {name} are neither cached nor could be downloaded.",
            got=str(fault) or type(fault).__name__,
            hint=f"run `restorecli eval --metrics {name}` once with a network; its package keeps them",
        ) from fault


def _build_lpips() -> Judge:
    _package("torchvision", EXTRA)
    module = _package("torchmetrics.image.lpip", EXTRA)
    judge: Judge = module.LearnedPerceptualImagePatchSimilarity(net_type="alex", normalize=True).eval()
    return judge


def _build_dists() -> Judge:
    _package("torchvision", EXTRA)
    module = _package("torchmetrics.image.dists", EXTRA)
    judge: Judge = module.DeepImageStructureAndTextureSimilarity().eval()
    return judge


def _build_with_pyiqa(name: str) -> Judge:
    judge: Judge = _package("pyiqa", PYIQA).create_metric(name, device="cpu")
    return judge


_BUILDERS: Mapping[str, Callable[[], Judge]] = {
    "lpips": _build_lpips,
    "dists": _build_dists,
    "niqe": partial(_build_with_pyiqa, "niqe"),
    "musiq": partial(_build_with_pyiqa, "musiq"),
}


def _package(name: str, install: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except (ImportError, OSError, RuntimeError) as fault:
        raise UsageError(
            "This metric needs a package that is not installed or does not load.",
            expected=name.partition(".")[0],
            got=str(fault),
            hint=install,
        ) from fault
