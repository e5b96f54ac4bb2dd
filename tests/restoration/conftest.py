"""Restorers small enough to reason about."""

from collections.abc import Callable, Iterator

import pytest
import torch
from torch import Tensor, nn

from restorecli.core.restorer import RestorerSpec
from restorecli.core.torch_restorer import TorchRestorer
from restorecli.restoration.restorer import Restorer


class Convolutions(nn.Module):
    """`depth` convolutions that look at the corners of 3x3: the border of the receptive field weighs most.

    With a bias in between, since zero padding would otherwise hide where a tile ends.
    """

    scale = 1
    multiple = 1

    def __init__(self, depth: int, channels: int) -> None:
        super().__init__()
        self.channels = channels
        self.receptive_field = 2 * depth + 1
        self.layers = nn.ModuleList(
            nn.Conv2d(channels, channels, 3, padding=1, groups=channels) for _ in range(depth)
        )
        kernel = torch.tensor([[0.4, 0, -0.3], [0, 0.1, 0], [-0.2, 0, 0.5]])
        for layer in self.layers:
            nn.init.constant_(layer.bias, 0.1)
            layer.weight.data.copy_(kernel.expand_as(layer.weight))

    def forward(self, x: Tensor) -> Tensor:
        y = x
        for layer in self.layers:
            y = layer(y)
        return 0.5 + 0.5 * torch.tanh(y)


class Function(Restorer):
    """Any function as a restorer, with any specification."""

    def __init__(self, function: Callable[[Tensor], Tensor], **spec: object) -> None:
        self.function = function
        self._spec = RestorerSpec(**{"name": "fake", "channels": 3, "receptive_field": 1, **spec})
        self.shapes: list[tuple[int, ...]] = []

    spec = property(lambda self: self._spec)
    streams = True

    def __call__(self, batch: Tensor) -> Tensor:
        self.shapes.append(tuple(batch.shape))
        return self.function(batch)


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> Iterator[None]:
    """Tiles of a few pixels gain nothing from threads, and on a busy machine they wait for each other."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def convolutions() -> Callable[..., TorchRestorer]:
    """Make a restorer of `depth` convolutions: receptive field 2 depth + 1."""

    def make(depth: int = 3, channels: int = 3) -> TorchRestorer:
        return TorchRestorer(Convolutions(depth, channels), name="convolutions", device=torch.device("cpu"))

    return make


@pytest.fixture(scope="session")
def restorer_of() -> type[Function]:
    """Make a restorer of a function: restorer_of(function, scale=..., multiple=..., receptive_field=...)."""
    return Function
