"""The report's baselines and its own networks against what is known of them."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from restorecli.core.models.blocks.convolutional_attention import CvtBlock
from restorecli.core.models.blocks.gates import Cbam
from restorecli.core.models.catalog import MODELS, create_model
from restorecli.core.torch_restorer import TorchRestorer
from restorecli.errors import UsageError
from restorecli.restoration.tiling import restore_tiled

CPU = torch.device("cpu")


@pytest.mark.parametrize("arguments", [{}, {"patch": 7, "out": 3, "stride": 1}, {"out": 17, "stride": 16}])
def test_perceptron_starts_as_the_identity(arguments):
    network = create_model("perceptron", **arguments)
    x = torch.rand(1, 3, 32, 48)
    torch.testing.assert_close(network(x), x, atol=1e-6, rtol=0)


def test_perceptron_is_affine():
    network = create_model("perceptron", channels=1)
    nn.init.normal_(network.affine.weight, std=0.05)
    nn.init.normal_(network.affine.bias)
    x, y = torch.rand(2, 1, 1, 20, 24)
    mixed = network(0.3 * x + 0.7 * y)
    torch.testing.assert_close(mixed, 0.3 * network(x) + 0.7 * network(y), atol=1e-5, rtol=0)


def test_perceptron_with_dense_patches_is_one_linear_filter():
    """Judge: the filter read off a single bright pixel, applied by a convolution."""
    network = create_model("perceptron", channels=1, patch=5, out=3, stride=1)
    nn.init.normal_(network.affine.weight, std=0.1)
    dot = torch.zeros(1, 1, 25, 25)
    dot[..., 12, 12] = 1
    kernel = network(dot)[..., 8:17, 8:17].flip(2, 3)
    x = torch.rand(1, 1, 30, 30)
    inside = network(x)[..., 4:-4, 4:-4]
    torch.testing.assert_close(inside, F.conv2d(x, kernel), atol=1e-5, rtol=0)


def test_mlp_with_a_zero_last_layer_is_the_identity_and_sees_the_papers_range():
    network = create_model("mlp", **MODELS["mlp"].small)
    nn.init.zeros_(network.layers[-1].weight)
    x = torch.rand(1, 3, 16, 20)
    torch.testing.assert_close(network(x), x, atol=1e-6, rtol=0)
    seen = []
    network.layers.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    network(torch.tensor([0.5, 0.7])[:, None, None, None].expand(2, 3, 8, 8))
    torch.testing.assert_close(seen[0][:, 0, 0], torch.tensor([0.0, 1.0]))


@pytest.mark.parametrize("hidden", [[], [0], [5000], [2.5], [8] * 9])
def test_impossible_mlps_are_refused(hidden):
    with pytest.raises(UsageError, match="1 to 8 widths"):
        create_model("mlp", hidden=hidden)


@pytest.mark.parametrize("window", ["hann", "triangular", "flat"])
@pytest.mark.parametrize("stride", [7, 16, 20])
def test_patch_cnn_with_an_identity_cnn_is_the_identity(window, stride):
    network = create_model("patch-cnn", patch=20, stride=stride, window=window, depth=2, width=1)
    network.cnn = nn.Identity()
    x = torch.rand(2, 3, 3 * stride, 2 * stride)
    torch.testing.assert_close(network(x), x, atol=1e-6, rtol=0)


def test_patch_cnn_restores_every_patch_by_itself():
    """Judge: with patches side by side, the CNN applied to each square of the image."""
    network = create_model("patch-cnn", channels=1, patch=16, stride=16, depth=3, width=4).eval()
    x = torch.rand(1, 1, 16, 32)
    by_hand = torch.cat([network.cnn(x[..., :16]), network.cnn(x[..., 16:])], dim=3)
    torch.testing.assert_close(network(x), by_hand)


def test_autoencoder_has_no_way_around_its_middle():
    network = create_model("autoencoder", **MODELS["autoencoder"].small).eval()
    middle = network.layers[7]
    middle.register_forward_hook(lambda *inputs: torch.zeros_like(inputs[2]))
    assert torch.equal(network(torch.rand(1, 3, 32, 32)), network(torch.rand(1, 3, 32, 32)))
    assert middle(torch.rand(1, 64, 2, 2)).shape[1] == 64


@pytest.mark.parametrize("scale", [1, 2, 3, 4])
def test_resnet_with_a_zero_last_layer_enlarges_bilinearly(scale):
    network = create_model("resnet", scale=scale, blocks=1, width=4)
    nn.init.zeros_(network.last.weight)
    nn.init.zeros_(network.last.bias)
    x = torch.rand(1, 3, 9, 11)
    expected = x if scale == 1 else F.interpolate(x, scale_factor=scale, mode="bilinear")
    assert torch.equal(network(x), expected)


def test_hybrid_does_not_feel_light_or_contrast():
    network = create_model("hybrid", **MODELS["hybrid"].small).eval()
    x = torch.rand(1, 3, 16, 24)
    torch.testing.assert_close(network(0.4 * x + 0.3), 0.4 * network(x) + 0.3, atol=1e-5, rtol=0)


@torch.no_grad()
@pytest.mark.parametrize("part", ["attention", "cbam", "mlp"])
def test_every_part_of_the_hybrid_takes_part(part):
    torch.manual_seed(0)
    network = create_model("hybrid", **MODELS["hybrid"].small).eval()
    x = torch.rand(1, 3, 16, 24)
    before = network(x)
    block = next(m for m in network.modules() if isinstance(m, CvtBlock))
    gate = next(m for m in network.modules() if isinstance(m, Cbam))
    switched_off = {"attention": block.attention.out, "cbam": gate.spatial.conv, "mlp": block.feed.branch[-1]}
    nn.init.zeros_(switched_off[part].weight)
    assert not torch.allclose(network(x), before, atol=1e-6)


def test_pix2pix_drops_out_in_three_levels_and_only_in_training():
    with torch.device("meta"):
        network = create_model("gan")
    drops = [any(isinstance(m, nn.Dropout) for m in up) for up in network.up]
    assert drops == [False, True, True, True, False, False, False]
    assert not any(isinstance(m, nn.BatchNorm2d) for m in (*network.down[0], *network.down[-1]))


def test_pix2pix_paints_a_whole_image_or_a_residual():
    x = torch.rand(1, 3, 32, 32)
    for residual in (False, True):
        network = create_model("gan", width=4, levels=5, residual=residual).eval()
        nn.init.zeros_(network.last[1].weight)
        assert torch.equal(network(x), x if residual else torch.full_like(x, 0.5))


FIELDS = [
    *(
        (name, {})
        for name in ("perceptron", "mlp", "autoencoder", "patch-cnn", "gan", "noise2noise", "ircnn")
    ),
    *(("resnet", {"scale": scale, "blocks": 1, "width": 4}) for scale in (1, 2, 3, 4)),
    *(("rdn", {"scale": scale, "blocks": 1, "layers": 2, "growth": 4, "width": 4}) for scale in (1, 2, 3, 4)),
    *(("esrgan", {"scale": scale, "blocks": 1, "width": 4, "growth": 4}) for scale in (1, 2, 3, 4)),
    ("drunet", {"sigma": 25.0, "blocks": 1, "width": 4}),
    ("red-net", {"depth": 12, "width": 4}),
]


@pytest.mark.parametrize(("name", "arguments"), FIELDS, ids=[f"{n}-{a.get('scale', 1)}" for n, a in FIELDS])
def test_tiles_change_nothing_where_the_field_is_bounded(name, arguments):
    torch.manual_seed(0)
    network = create_model(name, channels=1, **(arguments or MODELS[name].small))
    restorer = TorchRestorer(network, name=name, device=CPU)
    spec = restorer.spec
    overlap = 2 * (spec.receptive_field // 2)
    tile = overlap + 2 * spec.multiple + 8
    image = torch.rand(1, tile + 2 * spec.multiple + 5, tile + 9)
    whole = restore_tiled(restorer, image, tile=None)
    tiled = restore_tiled(restorer, image, tile=tile + -tile % spec.multiple, overlap=overlap)
    assert tiled.shape == (1, spec.scale * image.shape[1], spec.scale * image.shape[2])
    torch.testing.assert_close(tiled, whole, atol=1e-5, rtol=0)
