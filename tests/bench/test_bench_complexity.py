"""Multiply-adds per pixel: judged by closed forms and by the operations of a Fourier transform."""

import math

import pytest
import torch
from torch import Tensor, nn

from restorecli.bench.complexity import multiply_adds
from restorecli.core.models.catalog import create_model
from restorecli.core.torch_restorer import TorchRestorer

CPU = torch.device("cpu")


def counted(name: str, side: int = 32, **arguments: object) -> float:
    restorer = TorchRestorer(create_model(name, **arguments), name=name, device=CPU)
    return multiply_adds(restorer, torch.rand(1, 3, side, side))


@pytest.mark.parametrize(("depth", "width"), [(5, 8), (7, 16)])
def test_dncnn_takes_what_its_convolutions_take(depth, width) -> None:
    assert counted("dncnn", depth=depth, width=width) == 9 * (3 * width + (depth - 2) * width**2 + width * 3)


def test_padding_is_paid_for() -> None:
    """27 pixels a side are computed as 32."""
    whole, padded = counted("unet", 32, width=8), counted("unet", 27, width=8)
    assert padded == pytest.approx(whole * (32 / 27) ** 2)


def test_attention_of_everything_to_everything_grows_with_the_image() -> None:
    """Of the (s / 8)^2 positions each attends to each, in 64 channels, twice: 128 (s / 64)^2 per pixel."""
    small, large = (counted("sca-unet", side) for side in (64, 128))
    without = [counted("sca-unet", side, non_local=False) for side in (64, 128)]
    grown = (large - without[1]) - (small - without[0])
    assert grown == pytest.approx(128 * (2**2 - 1), abs=1e-6)


class Spectrum(nn.Module):
    channels, scale, multiple, receptive_field = 3, 1, 1, None

    def __init__(self, *, real: bool) -> None:
        super().__init__()
        self.real = real

    def forward(self, x: Tensor) -> Tensor:
        if self.real:
            return torch.fft.irfft2(torch.fft.rfft2(x), s=x.shape[-2:])
        return torch.fft.ifft2(torch.fft.fft2(x)).real


@pytest.mark.parametrize("real", [True, False])
def test_a_fourier_transform_takes_n_log_n(real) -> None:
    """There and back, of three channels: 2.5 n log2 n operations of n real values, twice that of complex."""
    restorer = TorchRestorer(Spectrum(real=real), name="spectrum", device=CPU)
    operations = 3 * 2 * (2.5 if real else 5.0) * math.log2(32 * 64)
    assert multiply_adds(restorer, torch.rand(1, 3, 32, 64)) == pytest.approx(operations / 2)
