"""Spectra on the half-plane with gradients that cost what the transforms cost.

torch derives the gradient of `rfft2` by a complex transform of the whole plane, one half of which it has
filled with zeros; here the inverse real transform gives it.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

_MIN_POWER = 1e-6


def half_plane(x: Tensor) -> Tensor:
    """Return the orthonormal Fourier transform `rfft2` of (N, C, H, W): complex, (N, C, H, W // 2 + 1)."""
    if torch.onnx.is_in_onnx_export():
        recorded: Tensor = torch.fft.rfft2(x, norm="ortho")
        return recorded
    spectrum: Tensor = _HalfPlane.apply(x)  # type: ignore[no-untyped-call]
    return spectrum


class _HalfPlane(torch.autograd.Function):
    """`rfft2`, whose gradient is an inverse transform: of a spectrum with every bin counted once."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:  # noqa: ANN401
        ctx.sides = x.shape[-2:]
        spectrum: Tensor = torch.fft.rfft2(x, norm="ortho")
        return spectrum

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:  # noqa: ANN401
        width = ctx.sides[-1]
        # The inverse counts each column twice, for its mirror image; not the first, nor an even width's last.
        counts = torch.full((width // 2 + 1,), 0.5, dtype=gradient.real.dtype, device=gradient.device)
        counts[0] = 1
        if width % 2 == 0:
            counts[-1] = 1
        of_x: Tensor = torch.fft.irfft2(gradient * counts, s=ctx.sides, norm="ortho")
        return of_x


def unit_parts(spectrum: Tensor) -> tuple[Tensor, Tensor]:
    """Divide each bin by its strength, the root mean square over the channels' real and imaginary parts.

    Args:
        spectrum: Complex, (N, C, H, B).

    Returns:
        Real parts, then imaginary parts, (N, 2 C, H, B) in the memory format channels-last; and the strength,
        sqrt(mean square + 1e-6), (N, 1, H, B).
    """
    if torch.onnx.is_in_onnx_export():
        parts = torch.cat([spectrum.real, spectrum.imag], dim=1)
        strength = (parts.square().mean(dim=1, keepdim=True) + _MIN_POWER).sqrt()
        return parts / strength, strength
    divided: tuple[Tensor, Tensor] = _UnitParts.apply(spectrum)  # type: ignore[no-untyped-call]
    return divided


class _UnitParts(torch.autograd.Function):
    """With strength s and y = x / s of D parts, the gradient is g / s + y (g_s - <g, y> / s) / D."""

    @staticmethod
    def forward(ctx: Any, spectrum: Tensor) -> tuple[Tensor, Tensor]:  # noqa: ANN401
        pairs = torch.view_as_real(spectrum)
        parts = pairs.permute(0, 2, 3, 4, 1).flatten(3)
        power = torch.linalg.vector_norm(parts, dim=-1, keepdim=True).square() / parts.shape[-1]
        strength = (power + _MIN_POWER).sqrt().permute(0, 3, 1, 2)
        parts = parts.permute(0, 3, 1, 2) / strength
        ctx.save_for_backward(parts, strength)
        return parts, strength

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, of_parts: Tensor, of_strength: Tensor) -> Tensor:  # noqa: ANN401
        parts, strength = ctx.saved_tensors
        along = (of_parts * parts).sum(dim=1, keepdim=True)
        share = (of_strength - along / strength) / parts.shape[1]
        return _complex((of_parts / strength).addcmul_(parts, share))


def joined(parts: Tensor, strength: Tensor) -> Tensor:
    """Multiply by the strength and return as one complex spectrum what `unit_parts` has parted.

    Args:
        parts: (N, 2 C, H, B).
        strength: (N, 1, H, B).

    Returns:
        Complex, (N, C, H, B).
    """
    if torch.onnx.is_in_onnx_export():
        real, imaginary = (parts * strength).chunk(2, dim=1)
        return torch.complex(real.contiguous(), imaginary.contiguous())
    return _complex(parts * strength)


def _complex(parts: Tensor) -> Tensor:
    """Return (N, 2 C, H, B), real parts before imaginary ones, as complex (N, C, H, B)."""
    pairs = torch.unflatten(parts, 1, (2, -1)).permute(0, 2, 3, 4, 1)
    return torch.view_as_complex(pairs.contiguous())
