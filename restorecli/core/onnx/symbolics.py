"""How torch's operators become ONNX's where the exporter does not know it, or makes something worse of it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch.onnx import symbolic_helper as helper

from restorecli.core.onnx.functions import DOMAIN, OPSET

Graph = Any
Value = Any

_SPECTRA = {f"{DOMAIN}::{name}" for name in ("Rfft2", "Complex", "Scaled")}


def _is_spectrum(x: Value) -> bool:
    """Tell whether a value stands for complex numbers, which it holds in a last axis of two."""
    return x.node().kind() in _SPECTRA


def _call(g: Graph, function: str, *inputs: Value, like: Value, axes: int = 4) -> Value:
    """Call a function of `onnx_functions`; the result has the type of `like`, and sides yet unknown."""
    result = g.op(f"{DOMAIN}::{function}", *inputs)
    result.setType(like.type().with_sizes([None] * axes))
    return result


def _fft_rfft2(g: Graph, x: Value, s: Value, dim: Value, norm: Value) -> Value:
    _require(helper._is_none(s), "rfft2 with a size of its own")
    _check_transform(dim, norm)
    return _call(g, "Rfft2", x, like=x, axes=5)


def _fft_irfft2(g: Graph, x: Value, s: Value, dim: Value, norm: Value) -> Value:
    _require(_is_spectrum(x), "irfft2 of real numbers")
    _check_transform(dim, norm)
    return _call(g, "Irfft2", x, helper._unpack_list(s)[-1], like=x)


def _check_transform(dim: Value, norm: Value) -> None:
    _require(helper._parse_arg(norm, "s") == "ortho", "a Fourier transform that is not orthonormal")
    _require(list(helper._parse_arg(dim, "is")) == [-2, -1], "a Fourier transform over other axes")


def _complex(g: Graph, real: Value, imaginary: Value) -> Value:
    return _call(g, "Complex", real, imaginary, like=real, axes=5)


def _real(g: Graph, x: Value) -> Value:
    return _call(g, "Real", x, like=x) if _is_spectrum(x) else x


def _imag(g: Graph, x: Value) -> Value:
    return _call(g, "Imaginary", x, like=x)


def _abs(g: Graph, x: Value) -> Value:
    return _call(g, "Magnitude", x, like=x) if _is_spectrum(x) else g.op("Abs", x)


def _mul(g: Graph, x: Value, y: Value) -> Value:
    return _call(g, "Scaled", x, y, like=x, axes=5) if _is_spectrum(x) else g.op("Mul", x, y)


def _fftfreq(g: Graph, size: Value, step: Value, *_like: Value) -> Value:
    """(k, counted from -size / 2) / size, in float64; only with a step of 1."""
    half = g.op("Div", size, _whole(g, 2))
    around = g.op("Mod", g.op("Add", _range(g, size), half), size)
    return _divided(g, g.op("Sub", around, half), size, step)


def _rfftfreq(g: Graph, size: Value, step: Value, *_like: Value) -> Value:
    bins = g.op("Add", g.op("Div", size, _whole(g, 2)), _whole(g, 1))
    return _divided(g, _range(g, bins), size, step)


def _divided(g: Graph, place: Value, size: Value, step: Value) -> Value:
    _require(helper._parse_arg(step, "f") == 1, "frequencies with a step other than 1")
    place, size = (g.op("Cast", x, to_i=torch.onnx.TensorProtoDataType.DOUBLE) for x in (place, size))
    return g.op("Div", place, size)


def _range(g: Graph, size: Value) -> Value:
    return g.op("Range", _whole(g, 0), size, _whole(g, 1))


def _whole(g: Graph, value: int) -> Value:
    return g.op("Constant", value_t=torch.tensor(value))


def _hypot(g: Graph, x: Value, y: Value) -> Value:
    return g.op("Sqrt", g.op("Add", g.op("Mul", x, x), g.op("Mul", y, y)))


def _expm1(g: Graph, x: Value) -> Value:
    """e^x - 1 as 2 sinh(x / 2) e^(x / 2), which loses nothing where x is close to 0."""
    half = g.op("Mul", x, g.op("Constant", value_t=torch.tensor(0.5)))
    product = g.op("Mul", g.op("Sinh", half), g.op("Exp", half))
    return g.op("Mul", product, g.op("Constant", value_t=torch.tensor(2.0)))


def _col2im(
    g: Graph, x: Value, size: Value, kernel: Value, dilation: Value, padding: Value, stride: Value
) -> Value:
    """Col2Im with sides that may depend on the image, which torch's own conversion fails on."""
    _require(set(helper._parse_arg(dilation, "is")) == {1}, "fold with dilation")
    _require(set(helper._parse_arg(padding, "is")) == {0}, "fold with padding")
    sides = [
        g.op("Reshape", side, g.op("Constant", value_t=torch.tensor([1])))
        for side in helper._unpack_list(size)
    ]
    return g.op(
        "Col2Im", x, g.op("Concat", *sides, axis_i=0), kernel, strides_i=helper._parse_arg(stride, "is")
    )


def _convolution(g: Graph, x: Value, weight: Value, bias: Value, *rest: Value) -> Value:
    """A convolution whose filters the image makes goes channel by channel; for others see the exporter."""
    sizes = helper._get_tensor_sizes(weight)
    if sizes is not None and None not in sizes:
        return torch.onnx.symbolic_opset9._convolution(g, x, weight, bias, *rest)
    stride, padding, dilation = (set(helper._parse_arg(each, "is")) for each in rest[:3])
    plain = (stride, padding, dilation) == ({1}, {0}, {1}) and helper._is_none(bias)
    _require(plain, "a convolution with computed filters and stride, padding, dilation or bias")
    return _call(g, "FilterEach", x, weight, like=x)


def _attention(
    g: Graph,
    query: Value,
    key: Value,
    value: Value,
    mask: Value,
    dropout: Value,
    is_causal: Value,
    scale: Value,
    grouped: Value,  # noqa: ARG001 - torch's own signature
) -> Value:
    plain = helper._is_none(mask) and not helper._parse_arg(is_causal, "b")
    _require(plain and helper._parse_arg(dropout, "f") == 0, "attention with a mask or dropout")
    if helper._is_none(scale):
        depth = g.op(
            "Cast", g.op("Shape", query, start_i=3, end_i=4), to_i=torch.onnx.TensorProtoDataType.FLOAT
        )
        query = g.op("Div", query, g.op("Sqrt", depth))
    elif helper._parse_arg(scale, "f") != 1:
        query = g.op("Mul", query, g.op("Cast", scale, to_i=torch.onnx.TensorProtoDataType.FLOAT))
    return _call(g, "Attention", query, key, value, like=value)


def _require(holds: bool, what: str) -> None:
    if not holds:
        raise NotImplementedError(f"{what} cannot be exported")


_SYMBOLICS: dict[str, Callable[..., Any]] = {
    "aten::fft_rfft2": _fft_rfft2,
    "aten::fft_irfft2": _fft_irfft2,
    "aten::complex": _complex,
    "aten::real": _real,
    "aten::imag": _imag,
    "aten::abs": _abs,
    "aten::_convolution": _convolution,
    "aten::mul": _mul,
    "aten::fft_fftfreq": _fftfreq,
    "aten::fft_rfftfreq": _rfftfreq,
    "aten::hypot": _hypot,
    "aten::expm1": _expm1,
    "aten::col2im": _col2im,
    "aten::scaled_dot_product_attention": _attention,
}


@contextlib.contextmanager
def symbolics() -> Iterator[None]:
    """Let the exporter know the conversions of this file while the block runs."""
    names = list(_SYMBOLICS)
    for name in names:
        torch.onnx.register_custom_op_symbolic(name, _SYMBOLICS[name], OPSET)  # type: ignore[attr-defined]
    try:
        yield
    finally:
        for name in names:
            torch.onnx.unregister_custom_op_symbolic(name, OPSET)  # type: ignore[attr-defined]
