"""What exported graphs compute in a way of their own is what torch computes."""

import onnx
import onnxruntime
import pytest
import torch
from onnx import helper
from torch.nn import functional as F

from restorecli.core.models.blocks.mirroring import mirrored, mirrored_or_repeated
from restorecli.core.onnx.functions import DOMAIN, OPSET, with_functions


def run(function, *inputs):
    """Call one function of `onnx_functions` in ONNX Runtime."""
    names = [f"x{place}" for place in range(len(inputs))]
    kinds = {torch.float32: onnx.TensorProto.FLOAT, torch.int64: onnx.TensorProto.INT64}
    graph = helper.make_graph(
        [helper.make_node(function, names, ["y"], domain=DOMAIN)],
        "one",
        [
            helper.make_tensor_value_info(name, kinds[x.dtype], list(x.shape))
            for name, x in zip(names, inputs, strict=True)
        ],
        [helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, None)],
    )
    opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid(DOMAIN, 1)]
    model = with_functions(helper.make_model(graph, opset_imports=opsets, ir_version=8))
    session = onnxruntime.InferenceSession(model.SerializeToString())
    return torch.from_numpy(session.run(None, {n: x.numpy() for n, x in zip(names, inputs, strict=True)})[0])


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (7, 8), (31, 30), (64, 97), (272, 144)])
def test_the_fourier_transform_and_its_inverse_hold_for_any_size(size):
    x = torch.rand(2, 3, *size)
    spectrum = torch.fft.rfft2(x, norm="ortho")
    found = run("Rfft2", x)
    torch.testing.assert_close(torch.view_as_complex(found), spectrum, atol=1e-4, rtol=0)
    back = run("Irfft2", torch.view_as_real(spectrum).contiguous(), torch.tensor(size[1]))
    torch.testing.assert_close(back, x, atol=1e-5, rtol=0)


@pytest.mark.parametrize("length", [1, 2, 255, 256, 257, 600])
def test_attention_piece_by_piece_is_attention(length):
    q, k = torch.randn(2, 3, length, 8), torch.randn(2, 3, 50, 8)
    v = torch.randn(2, 3, 50, 5)
    expected = F.scaled_dot_product_attention(q, k, v, scale=1.0)
    torch.testing.assert_close(run("Attention", q, k, v), expected, atol=1e-5, rtol=1e-5)


def test_every_channel_has_its_own_filter():
    x, filters = torch.rand(1, 6, 9, 11), torch.rand(6, 1, 3, 3)
    torch.testing.assert_close(run("FilterEach", x, filters), F.conv2d(x, filters, groups=6))


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (2, 3), (3, 2), (8, 12)])
@pytest.mark.parametrize("border", [1, 2, 5])
def test_mirroring_in_tensors_is_padding(size, border):
    x = torch.rand(2, 3, *size)
    mode = "reflect" if border < min(size) else "replicate"
    assert torch.equal(mirrored_or_repeated(x, border), F.pad(x, (border,) * 4, mode=mode))
    top, left = (min(border, side - 1) for side in size)
    found, above, beside = mirrored(x, border)
    assert (int(above), int(beside)) == (top, left)
    assert torch.equal(found, F.pad(x, (left, left, top, top), mode="reflect"))
