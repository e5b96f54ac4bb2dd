"""Checkpoints with the names of NAFNet's and Restormer's authors load, whatever their size."""

import pytest
import torch
from torch import nn

from restorecli import create_model, load
from restorecli.core.foreign import translate

NAFNET = {
    "encoder": [1, 2],
    "decoder": [2, 1],
    "middle": 3,
    "width": 4,
    "channels": 1,
}
RESTORMER = {
    "blocks": [1, 2, 1, 2],
    "refinement": 2,
    "heads": [1, 2, 2, 4],
    "width": 8,
    "norm": "bias-free",
    "channels": 3,
    "factor": 2.66,
}


def nafnet_names():
    """Published names and ours, listed from the public architecture block by block."""
    pairs = [("intro", "first"), ("ending", "last")]
    pairs += [(f"downs.{i}", f"down.{i}") for i in range(2)]
    parts = [("conv1", "expand"), ("conv2", "depthwise"), ("conv3", "project"), ("sca.1", "attention.weigh")]
    parts += [
        ("norm1", "norm_mixing"),
        ("norm2", "norm_feeding"),
        ("conv4", "feed_in"),
        ("conv5", "feed_out"),
    ]
    stacks = [(f"encoders.{i}", f"encoder.{i}", n) for i, n in enumerate(NAFNET["encoder"])]
    stacks += [(f"decoders.{i}", f"decoder.{i}", n) for i, n in enumerate(NAFNET["decoder"])]
    stacks += [("middle_blks", "middle", NAFNET["middle"])]
    names = {}
    for theirs, ours, count in stacks:
        for block in range(count):
            pairs += [(f"{theirs}.{block}.{a}", f"{ours}.{block}.{b}") for a, b in parts]
            names |= {f"{theirs}.{block}.{end}": f"{ours}.{block}.{end}" for end in ("beta", "gamma")}
    names |= {f"{a}.{end}": f"{b}.{end}" for a, b in pairs for end in ("weight", "bias")}
    return names | {f"ups.{i}.0.weight": f"up.{i}.0.weight" for i in range(2)}


def restormer_names():
    parts = [("attn.qkv", "attention.project"), ("attn.qkv_dwconv", "attention.depthwise")]
    parts += [("attn.project_out", "attention.out"), ("ffn.project_in", "feed.expand")]
    parts += [("ffn.dwconv", "feed.depthwise"), ("ffn.project_out", "feed.out")]
    parts += [("norm1.body", "norm_attention"), ("norm2.body", "norm_feeding")]
    counts = RESTORMER["blocks"]
    stacks = [("encoder_level1", "encoder.0", counts[0]), ("encoder_level2", "encoder.1", counts[1])]
    stacks += [("encoder_level3", "encoder.2", counts[2]), ("latent", "latent", counts[3])]
    stacks += [("decoder_level3", "decoder.0", counts[2]), ("decoder_level2", "decoder.1", counts[1])]
    stacks += [("decoder_level1", "decoder.2", counts[0]), ("refinement", "refinement", 2)]
    pairs = [("patch_embed.proj", "first"), ("output", "last")]
    pairs += [("down1_2.body.0", "down.0.0"), ("down2_3.body.0", "down.1.0"), ("down3_4.body.0", "down.2.0")]
    pairs += [("up4_3.body.0", "up.0.0"), ("up3_2.body.0", "up.1.0"), ("up2_1.body.0", "up.2.0")]
    pairs += [("reduce_chan_level3", "reduce.0"), ("reduce_chan_level2", "reduce.1")]
    names = {}
    for theirs, ours, count in stacks:
        for block in range(count):
            pairs += [(f"{theirs}.{block}.{a}", f"{ours}.{block}.{b}") for a, b in parts]
            names[f"{theirs}.{block}.attn.temperature"] = f"{ours}.{block}.attention.temperature"
    return names | {f"{a}.weight": f"{b}.weight" for a, b in pairs}


@pytest.mark.parametrize(
    ("model", "arguments", "names"),
    [("nafnet", NAFNET, nafnet_names()), ("restormer", RESTORMER, restormer_names())],
)
def test_published_names_cover_the_network_and_tell_its_size(model, arguments, names, tmp_path):
    network = create_model(model, **arguments).eval()
    for parameter in network.parameters():
        nn.init.normal_(parameter, std=0.05)
    own = network.state_dict()
    assert sorted(names.values()) == sorted(own)
    theirs = {name: own[ours] for name, ours in names.items()}
    renamed, found = translate(model, theirs)
    assert found == arguments
    assert all(torch.equal(renamed[name], tensor) for name, tensor in own.items())
    torch.save({"params": theirs}, tmp_path / "published.pth")
    restorer = load(model, weights=tmp_path / "published.pth", device="cpu")
    x = torch.rand(1, arguments["channels"], 16, 24)
    with torch.no_grad():
        torch.testing.assert_close(restorer(x), network(x).clamp(0, 1), atol=1e-4, rtol=0)


def test_the_published_factor_is_found_from_the_inner_width():
    with torch.device("meta"):
        own = create_model("restormer").state_dict()
    wide, inner = own["latent.0.feed.out.weight"].shape[:2]
    assert (wide, inner) == (384, 1021)
    theirs = {
        "patch_embed.proj.weight": own["first.weight"],
        "latent.0.attn.temperature": own["latent.0.attention.temperature"],
        "latent.0.ffn.project_out.weight": own["latent.0.feed.out.weight"],
    }
    _, found = translate("restormer", theirs)
    assert found["factor"] == 2.66
