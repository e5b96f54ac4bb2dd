"""Operations for exported networks that ONNX has not, or not well: as functions in ONNX's own language.

ONNX Runtime's DFT is off by up to 1e-2 where the length is no power of two, and ten times as slow as the
matrix products here, which are as exact as torch's transform. Softmax attention as it is usually written
holds all weights at once, which for a photograph of 4 megapixels are 17 GB; here 256 queries come at a time.
The functions are inlined before a file is written: it holds nothing but ONNX's standard operators.
"""

from __future__ import annotations

from typing import Any

DOMAIN = "restorecli"
OPSET = 18

_HEADER = f'<domain: "{DOMAIN}", opset_import: ["": {OPSET}, "{DOMAIN}": 1]>'

_WAVES = """
Waves (size, rows, columns) => (cosine, sine)
{
    zero = Constant<value_int = 0>()
    one = Constant<value_int = 1>()
    last = Constant<value_ints = [-1]>()
    tau = Constant<value_float = 6.283185307179586>()
    across = Range(zero, columns, one)
    down = Range(zero, rows, one)
    upright = Unsqueeze(down, last)
    product = Mul(upright, across)
    turn = Mod(product, size)
    turn_float = Cast<to = 1>(turn)
    size_float = Cast<to = 1>(size)
    step = Div(tau, size_float)
    angle = Mul(turn_float, step)
    root = Sqrt(size_float)
    cosine_plain = Cos(angle)
    sine_plain = Sin(angle)
    cosine = Div(cosine_plain, root)
    sine = Div(sine_plain, root)
}
"""
"""cos and sin of 2 pi row column / size, divided by sqrt(size): (rows, columns) each."""

_RFFT2 = """
Rfft2 (x) => (spectrum)
{
    one = Constant<value_int = 1>()
    two = Constant<value_int = 2>()
    at_height = Constant<value_int = -2>()
    at_width = Constant<value_int = -1>()
    shape = Shape(x)
    height = Gather(shape, at_height)
    width = Gather(shape, at_width)
    half = Div(width, two)
    bins = Add(half, one)
    cos_width, sin_width = restorecli.Waves(width, width, bins)
    cos_height, sin_height = restorecli.Waves(height, height, height)
    even = MatMul(x, cos_width)
    odd = MatMul(x, sin_width)
    even_cos = MatMul(cos_height, even)
    odd_sin = MatMul(sin_height, odd)
    even_sin = MatMul(sin_height, even)
    odd_cos = MatMul(cos_height, odd)
    real = Sub(even_cos, odd_sin)
    minus_imaginary = Add(even_sin, odd_cos)
    imaginary = Neg(minus_imaginary)
    spectrum = restorecli.Complex(real, imaginary)
}
"""
"""(N, C, H, W) to its orthonormal half-plane (N, C, H, W // 2 + 1, 2), real and imaginary part at the end."""

_IRFFT2 = """
Irfft2 (spectrum, width) => (x)
{
    zero = Constant<value_int = 0>()
    one = Constant<value_int = 1>()
    two = Constant<value_int = 2>()
    twice = Constant<value_float = 2.0>()
    axis = Constant<value_ints = [-1]>()
    at_height = Constant<value_int = 2>()
    at_bins = Constant<value_int = 3>()
    shape = Shape(spectrum)
    height = Gather(shape, at_height)
    bins = Gather(shape, at_bins)
    real = restorecli.Real(spectrum)
    imaginary = restorecli.Imaginary(spectrum)
    cos_height, sin_height = restorecli.Waves(height, height, height)
    real_cos = MatMul(cos_height, real)
    imaginary_sin = MatMul(sin_height, imaginary)
    real_sin = MatMul(sin_height, real)
    imaginary_cos = MatMul(cos_height, imaginary)
    even = Sub(real_cos, imaginary_sin)
    odd = Add(real_sin, imaginary_cos)
    bin = Range(zero, bins, one)
    doubled = Mul(bin, two)
    circled = Mod(doubled, width)
    alone = Equal(circled, zero)
    alone_float = Cast<to = 1>(alone)
    weight_row = Sub(twice, alone_float)
    weight = Unsqueeze(weight_row, axis)
    cos_width, sin_width = restorecli.Waves(width, bins, width)
    cos_weighted = Mul(cos_width, weight)
    sin_weighted = Mul(sin_width, weight)
    even_part = MatMul(even, cos_weighted)
    odd_part = MatMul(odd, sin_weighted)
    x = Sub(even_part, odd_part)
}
"""
"""The inverse; all bins but DC and, for an even width, the last stand for two of the full plane."""

_COMPLEX = """
Complex (real, imaginary) => (spectrum)
{
    axis = Constant<value_ints = [-1]>()
    first = Unsqueeze(real, axis)
    second = Unsqueeze(imaginary, axis)
    spectrum = Concat<axis = -1>(first, second)
}
"""

_REAL = """
Real (spectrum) => (real)
{
    first = Constant<value_int = 0>()
    real = Gather<axis = -1>(spectrum, first)
}
"""

_IMAGINARY = """
Imaginary (spectrum) => (imaginary)
{
    second = Constant<value_int = 1>()
    imaginary = Gather<axis = -1>(spectrum, second)
}
"""

_MAGNITUDE = """
Magnitude (spectrum) => (magnitude)
{
    axis = Constant<value_ints = [-1]>()
    magnitude = ReduceL2<keepdims = 0>(spectrum, axis)
}
"""

_SCALED = """
Scaled (spectrum, factor) => (scaled)
{
    axis = Constant<value_ints = [-1]>()
    wide = Unsqueeze(factor, axis)
    scaled = Mul(spectrum, wide)
}
"""

_ATTENTION = """
Attention (query, key, value) => (attended)
{
    zeros = Constant<value_ints = [0, 0, 0, 0, 0, 0]>()
    start = Constant<value_ints = [0]>()
    along = Constant<value_ints = [2]>()
    one = Constant<value_ints = [1]>()
    most = Constant<value_ints = [256]>()
    outer = Shape<start = 0, end = 2>(query)
    length = Shape<start = 2, end = 3>(query)
    depth = Shape<start = 3, end = 4>(query)
    depth_out = Shape<start = 3, end = 4>(value)
    before = Sub(length, one)
    full = Div(before, most)
    count = Add(full, one)
    spread = Add(before, count)
    rows = Div(spread, count)
    whole = Mul(count, rows)
    missing = Sub(whole, length)
    pads = Concat<axis = 0>(zeros, missing, start)
    padded = Pad(query, pads)
    cut = Concat<axis = 0>(outer, count, rows, depth)
    parts = Reshape(padded, cut)
    queue = Transpose<perm = [2, 0, 1, 3, 4]>(parts)
    turned = Transpose<perm = [0, 1, 3, 2]>(key)
    results = Scan<num_scan_inputs = 1, body = step (part) => (mixed) {
        scores = MatMul(part, turned)
        weights = Softmax<axis = -1>(scores)
        mixed = MatMul(weights, value)
    }>(queue)
    back = Transpose<perm = [1, 2, 0, 3, 4]>(results)
    joined = Concat<axis = 0>(outer, whole, depth_out)
    long = Reshape(back, joined)
    attended = Slice(long, start, length, along)
}
"""
"""softmax(query key^T) value for (N, heads, L, d), at most 256 queries at a time."""

_FILTER_EACH = """
FilterEach (x, filters) => (filtered)
{
    first = Constant<value_ints = [0]>()
    second = Constant<value_ints = [1]>()
    images = Unsqueeze(x, first)
    queue = Transpose<perm = [2, 1, 0, 3, 4]>(images)
    each = Unsqueeze(filters, second)
    results = Scan<num_scan_inputs = 2, body =
        step (float[1, 1, height, width] image, float[1, 1, rows, columns] filter)
        => (float[1, 1, height_left, width_left] done) {
        done = Conv(image, filter)
    }>(queue, each)
    channels = Squeeze(results, second)
    filtered = Transpose<perm = [1, 0, 2, 3]>(channels)
}
"""
"""(1, C, H, W) and filters (C, 1, h, w), one for each channel, to (1, C, H - h + 1, W - w + 1)."""

_FUNCTIONS = (
    _WAVES,
    _COMPLEX,
    _REAL,
    _IMAGINARY,
    _MAGNITUDE,
    _SCALED,
    _RFFT2,
    _IRFFT2,
    _ATTENTION,
    _FILTER_EACH,
)


def with_functions(model: Any) -> Any:  # noqa: ANN401 - onnx is only imported where it is used
    """Return an `onnx.ModelProto` with every call of a function here replaced by the function's operators."""
    from onnx import inliner, parser

    model.functions.extend(parser.parse_function(_HEADER + text) for text in _FUNCTIONS)
    return inliner.inline_local_functions(model)
