"""Weights to start from."""

from __future__ import annotations

import torch
from torch import nn


@torch.no_grad()
def start_by_he(layers: nn.Sequential, last: float) -> None:
    """Start convolutions with ReLU between by He's rule, their biases at 0 and the last one scaled down.

    He, Zhang, Ren, Sun, "Delving Deep into Rectifiers", ICCV 2015: a normal distribution of variance 2 / n
    with n the inputs of an output keeps the size of what passes through any number of layers.

    Args:
        layers: Convolutions and what stands between.
        last: Factor for the weights of the last convolution: a network that predicts a residual learns
            sooner when it starts close to none.
    """
    convolutions = [layer for layer in layers if isinstance(layer, nn.Conv2d)]
    for convolution in convolutions:
        nn.init.kaiming_normal_(convolution.weight, nonlinearity="relu")
        if convolution.bias is not None:
            nn.init.zeros_(convolution.bias)
    convolutions[-1].weight.mul_(last)
