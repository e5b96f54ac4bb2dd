"""A small network that looks at texture and tells the chance of each damage; it is one classifier of two.

The other is the logistic model over measurements (`decide`); `votes` joins them.
"""

from __future__ import annotations

import itertools
from functools import cache
from pathlib import Path
from typing import cast

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional as F

from restorecli.diagnosis.view import View

WEIGHTS = Path(__file__).parent / "network.safetensors"

_FINE = 8.0
"""Gain of the finest detail, which is shown to the network beside the image, in [-1, 1]."""


class DamageNetwork(nn.Module):
    """Convolutions down to a sixteenth, the mean and the largest of each feature, and one linear layer.

    It sees the image and, amplified 8 times and cut to [-1, 1], what a 3 px mean takes away of it.

    Args:
        classes: Number of classes.
        widths: Channels at a half, a quarter, an eighth and a sixteenth of the size.
    """

    def __init__(self, classes: int, widths: tuple[int, int, int, int] = (24, 48, 96, 128)) -> None:
        super().__init__()
        layers: list[nn.Module] = [*_convolution(6, widths[0], kernel=5, stride=2)]
        for before, width in itertools.pairwise(widths):
            layers += [*_convolution(before, before), *_convolution(before, width, stride=2)]
        layers += [*_convolution(widths[-1], widths[-1])]
        self.features = nn.Sequential(*layers)
        self.classify = nn.Linear(2 * widths[-1], classes)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, 3, H, W) in [0, 1] to the logarithms of chances up to a constant, (N, classes)."""
        fine = (x - F.avg_pool2d(F.pad(x, (1, 1, 1, 1), mode="reflect"), 3, 1)) * _FINE
        y = self.features(torch.cat([2 * x - 1, fine.clamp(-1, 1)], dim=1))
        scores: Tensor = self.classify(torch.cat([y.mean(dim=(2, 3)), y.amax(dim=(2, 3))], dim=1))
        return scores


def _convolution(inputs: int, outputs: int, *, kernel: int = 3, stride: int = 1) -> tuple[nn.Module, ...]:
    return (
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )


@cache
def shipped_network() -> tuple[DamageNetwork, tuple[str, ...]]:
    """Return the network of this package and the names of its classes; `bench diagnosis` trains it."""
    with safe_open(WEIGHTS, "pt") as file:
        classes = tuple((file.metadata() or {})["classes"].split(","))
    network = DamageNetwork(len(classes))
    network.load_state_dict({name: value.float() for name, value in load_file(WEIGHTS).items()})
    return network.eval(), classes


@torch.inference_mode()
def network_chances(view: View) -> dict[str, float]:
    """Return the chance of each damage, and of none, that the network sees; the sum is 1.

    Args:
        view: Its window is looked at as a whole, (1 or 3, H, W) on the 0-255 scale; gray is shown as RGB.
    """
    network, classes = shipped_network()
    window = np.repeat(view.window, 3, axis=0) if view.is_gray else view.window
    scores = network(torch.from_numpy(np.ascontiguousarray(window / np.float32(255)))[None])
    return dict(zip(classes, cast("list[float]", scores[0].double().softmax(0).tolist()), strict=True))
