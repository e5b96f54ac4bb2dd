"""Networks against their published properties."""

import pytest
import torch
from torch import nn

from restorecli import create_model
from restorecli.core.foreign import translate
from restorecli.core.models.blocks.attention import NonLocalBlock
from restorecli.core.models.catalog import create_model as build
from restorecli.errors import UsageError


def test_unknown_model_and_argument_offer_the_right_names():
    with pytest.raises(UsageError, match="sca-unet"):
        create_model("sca-umet")
    with pytest.raises(UsageError, match="channels"):
        create_model("dncnn", chanels=1)


def test_sca_unet_with_a_zero_last_layer_is_the_identity():
    network = create_model("sca-unet")
    nn.init.zeros_(network.last.weight)
    nn.init.zeros_(network.last.bias)
    x = torch.rand(2, 3, 40, 56)
    assert torch.equal(network(x), x)


def test_sca_unet_skips_are_attended_and_the_way_down_is_not():
    network = create_model("sca-unet").eval()
    seen = {}
    network.encoder[1].register_forward_pre_hook(lambda _, inputs: seen.setdefault("down", inputs[0]))
    network.encoder[0].register_forward_hook(lambda _, __, output: seen.setdefault("level", output))
    network(torch.rand(1, 3, 32, 32))
    assert torch.equal(seen["down"], nn.functional.max_pool2d(seen["level"], 2))


def test_non_local_block_equals_its_equation():
    """Judge: the (HW) x (HW) matrix written out in float64."""
    x = torch.rand(2, 8, 5, 7, dtype=torch.float64)
    for weighting in ("softmax", "dot"):
        block = NonLocalBlock(8, weighting=weighting).double()
        theta, phi, g = (m(x).flatten(2) for m in (block.theta, block.phi, block.g))
        matrix = theta.transpose(1, 2) @ phi
        matrix = matrix.softmax(dim=2) if weighting == "softmax" else matrix / 35
        y = (matrix @ g.transpose(1, 2)).transpose(1, 2).reshape(2, 4, 5, 7)
        torch.testing.assert_close(block(x), x + block.W(y), atol=1e-12, rtol=0)


def test_untransposed_non_local_block_reads_rows_as_channels():
    x = torch.rand(1, 8, 4, 4)
    block = NonLocalBlock(8, weighting="dot", untransposed=True)
    theta, phi, g = (m(x).flatten(2).transpose(1, 2) for m in (block.theta, block.phi, block.g))
    y = ((theta @ phi.transpose(1, 2)) / 16 @ g).contiguous().view(1, 4, 4, 4)
    torch.testing.assert_close(block(x), x + block.W(y))


def _authors_names() -> dict[str, str]:
    """The 80 names of the authors' checkpoint, mapped to ours, written out independently."""
    names = {}
    convs = [(f"dconv_down{i + 1}", f"encoder.{i}", True) for i in range(4)]
    convs += [("dconv_bottleneck", "bottleneck", False)]
    convs += [(f"dconv_up{3 - i}", f"decoder.{i}", True) for i in range(3)]
    for theirs, ours, shortcut in convs:
        for end in ("weight", "bias"):
            names |= {f"{theirs}.conv_block.{i}.{end}": f"{ours}.body.{i}.{end}" for i in (0, 2)}
            if shortcut:
                names[f"{theirs}.residual_conv.{end}"] = f"{ours}.shortcut.{end}"
    for end in ("weight", "bias"):
        for i in range(4):
            names[f"att{i + 1}.spatial_attention.{end}"] = f"attention.{i}.spatial.{end}"
            names |= {
                f"att{i + 1}.channel_attention.{j}.{end}": f"attention.{i}.channel.{j}.{end}" for j in (1, 3)
            }
        names |= {f"nl_block.{part}.{end}": f"non_local.{part}.{end}" for part in ("theta", "phi", "g", "W")}
        names[f"conv_last.{end}"] = f"last.{end}"
    return names


def test_authors_checkpoint_names_cover_the_network_exactly():
    own = create_model("sca-unet").state_dict()
    names = _authors_names()
    assert len(names) == 80
    assert set(names.values()) == set(own)
    theirs = {name: own[ours] for name, ours in names.items()}
    renamed, arguments = translate("sca-unet", theirs)
    assert arguments == {"weighting": "dot", "legacy_nonlocal": True}
    assert {name: tensor.data_ptr() for name, tensor in renamed.items()} == {
        name: tensor.data_ptr() for name, tensor in own.items()
    }


@pytest.mark.parametrize(
    "arguments", [{"channels": 1, "depth": 5, "width": 8}, {"channels": 3, "depth": 4, "width": 8}]
)
def test_folded_dncnn_equals_the_evaluated_one(arguments):
    network = create_model("dncnn", **arguments)
    for _ in range(3):
        network(torch.rand(4, arguments["channels"], 16, 16))  # moves the running statistics
    x = torch.rand(2, arguments["channels"], 17, 23)
    network.eval()
    assert (network.fold()(x) - network(x)).abs().max() < 1e-5


def test_dncnn_with_a_zero_last_layer_is_the_identity():
    network = create_model("dncnn", channels=1)
    nn.init.zeros_(network.layers[-1].weight)
    x = torch.rand(1, 1, 20, 21)
    assert torch.equal(network(x), x)


@pytest.mark.parametrize(("depth", "field"), [(17, 35), (20, 41)])
def test_dncnn_receptive_field_is_published(depth, field):
    assert create_model("dncnn", channels=1, depth=depth).receptive_field == field


@pytest.mark.parametrize(
    ("name", "arguments", "words"),
    [
        ("dncnn", {"channels": 2}, "1 .gray. or 3"),
        ("dncnn", {"channels": -1}, "1 .gray. or 3"),
        ("dncnn", {"width": 10**9}, "width: 1 to"),
        ("unet", {"width": 0}, "width: 1 to"),
        ("unet", {"width": "wide"}, "wide"),
        ("sca-unet", {"width": 8}, "at least 16, got 8"),
        ("sca-unet", {"weighting": "mean"}, "softmax"),
        ("unet", {"name": "unet"}, "no argument 'name'"),
        ("dncnn", {"detph": 3}, "did you mean 'depth'"),
    ],
)
def test_impossible_networks_are_refused(name, arguments, words):
    with pytest.raises(UsageError, match=words):
        build(name, **arguments)
