"""A small network that looks at texture and tells the chance of each damage; it is one classifier of two.

The other is the logistic model over measurements (`decide`); `votes` joins them. It is computed with NumPy,
so that a diagnosis does not wait for torch; `restorecli.bench.diagnosis_network` trains it, in torch.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, special

from restorecli.diagnosis.measuring.view import Pixels, View

WEIGHTS = Path(__file__).parent / "network.safetensors"

FINE = 8.0
"""Gain of the finest detail, which is shown to the network beside the image, in [-1, 1]."""

EPSILON = 1e-5
"""What batch norm adds to variances."""

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Convolution:
    """A convolution with zeros around the image, its batch norm, and a ReLU.

    Attributes:
        weights: (outputs, inputs, side, side), those of batch norm multiplied in.
        offsets: (outputs,).
        stride: Pixels from one output to the next.
    """

    weights: Floats
    offsets: Floats
    stride: int

    def __call__(self, x: Floats) -> Floats:
        """Map (inputs, H, W) to (outputs, H / stride, W / stride), rounded up."""
        outputs, _, side, _ = self.weights.shape
        half = side // 2
        padded = np.pad(x, ((0, 0), (half, half), (half, half)))
        windows = np.lib.stride_tricks.sliding_window_view(padded, (side, side), axis=(1, 2))
        windows = windows[:, :: self.stride, :: self.stride]
        columns = windows.transpose(0, 3, 4, 1, 2).reshape(self.weights[0].size, -1)
        y: Floats = self.weights.reshape(outputs, -1) @ columns + self.offsets[:, None]
        np.maximum(y, 0, out=y)
        return y.reshape(outputs, *windows.shape[1:3])


@dataclass(frozen=True, slots=True)
class ShippedNetwork:
    """Convolutions down to a sixteenth, the mean and the largest of each feature, and one linear layer.

    Attributes:
        convolutions: In order.
        weights: Of the linear layer, (classes, features).
        offsets: Of it, (classes,).
        classes: Damages, and `NONE`.
    """

    convolutions: Sequence[Convolution]
    weights: Floats
    offsets: Floats
    classes: tuple[str, ...]

    def __call__(self, image: Pixels) -> NDArray[np.float64]:
        """Return the chance of each class, (classes,), for (3, H, W) in [0, 1]; the sum is 1."""
        y = network_input(image)
        for convolution in self.convolutions:
            y = convolution(y)
        features = np.concatenate([y.mean(axis=(1, 2)), y.max(axis=(1, 2))])
        return np.asarray(special.softmax((self.weights @ features + self.offsets).astype(np.float64)))


def network_input(image: Pixels) -> Floats:
    """Return what the network is shown, (6, H, W) in [-1, 1]: the image, and its finest detail amplified.

    The detail is what a 3 px mean takes away.

    Args:
        image: (3, H, W) float32 in [0, 1].
    """
    mean = ndimage.uniform_filter(image, (1, 3, 3), mode="mirror")
    fine = np.clip((image - mean) * np.float32(FINE), -1, 1)
    return np.concatenate([2 * image - 1, fine])


@cache
def shipped_network() -> ShippedNetwork:
    """Return the network of this package; `restorecli bench diagnosis` trains it."""
    state, classes = _read(WEIGHTS)
    places = sorted({int(name.split(".")[1]) for name in state if name.startswith("features.")})
    # A ReLU, which holds nothing, stands after each pair of convolution and batch norm.
    convolutions = [_convolution(state, place) for place in places[::2]]
    return ShippedNetwork(convolutions, state["classify.weight"], state["classify.bias"], classes)


def _convolution(state: Mapping[str, Floats], place: int) -> Convolution:
    weights = state[f"features.{place}.weight"]
    norm = {
        name: state[f"features.{place + 1}.{name}"]
        for name in ("weight", "bias", "running_mean", "running_var")
    }
    gain = norm["weight"] / np.sqrt(norm["running_var"] + np.float32(EPSILON))
    offsets = norm["bias"] - norm["running_mean"] * gain
    inputs = weights.shape[1]
    return Convolution(weights * gain[:, None, None, None], offsets, 1 if len(weights) == inputs else 2)


def _read(file: Path) -> tuple[dict[str, Floats], tuple[str, ...]]:
    """Return the tensors of bfloat16 by name, and the classes; NumPy has no such type."""
    content = file.read_bytes()
    start = 8 + int.from_bytes(content[:8], "little")
    header = json.loads(content[8:start])
    classes = tuple(header.pop("__metadata__")["classes"].split(","))
    state = {}
    for name, tensor in header.items():
        if tensor["dtype"] == "BF16":
            first, last = (start + offset for offset in tensor["data_offsets"])
            upper = np.frombuffer(content[first:last], "<u2").astype(np.uint32)
            state[name] = (upper << 16).view(np.float32).reshape(tensor["shape"])
    return state, classes


def network_chances(view: View) -> dict[str, float]:
    """Return the chance of each damage, and of none, that the network sees; the sum is 1.

    Args:
        view: Its window is looked at as a whole, (1 or 3, H, W) on the 0-255 scale; gray is shown as RGB.
    """
    network = shipped_network()
    window = np.repeat(view.window, 3, axis=0) if view.is_gray else view.window
    return dict(zip(network.classes, network(window / np.float32(255)).tolist(), strict=True))
