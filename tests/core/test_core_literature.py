"""RDN, ESRGAN, RED-Net, Noise2Noise, DRUNet and IRCNN against their published properties."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from restorecli.core.models.catalog import MODELS, count_parameters, create_model
from restorecli.core.models.esrgan import Rrdb
from restorecli.core.models.rdn import ResidualDenseBlock
from restorecli.core.ops.noise_level import estimate_noise
from restorecli.errors import UsageError


def zero(module):
    for parameter in module.parameters():
        nn.init.zeros_(parameter)


def test_residual_dense_block_counts_and_is_the_identity_without_fusion():
    assert count_parameters(ResidualDenseBlock(64, 8, 64)) == 1_364_544
    block, x = ResidualDenseBlock(8, 3, 4), torch.randn(1, 8, 6, 7)
    zero(block.fusion)
    assert torch.equal(block(x), x)


def test_rdn_with_a_zero_last_layer_is_the_identity():
    network, x = create_model("rdn", **MODELS["rdn"].small), torch.rand(2, 3, 7, 9)
    zero(network.last)
    assert torch.equal(network(x), x)


def test_rdn_gives_the_same_gradients_when_it_computes_again():
    small = MODELS["rdn"].small
    plain = create_model("rdn", **small)
    again = create_model("rdn", **small, checkpointing=True)
    again.load_state_dict(plain.state_dict())
    x = torch.rand(1, 3, 8, 8)
    for network in (plain, again):
        network.train()(x).square().mean().backward()
    for one, other in zip(plain.parameters(), again.parameters(), strict=True):
        torch.testing.assert_close(one.grad, other.grad)


def test_rrdb_scales_its_branches_by_a_fifth():
    """Judge: with silent dense layers the three blocks are identities, and 1.2 x comes out."""
    block, x = Rrdb(8, 4), torch.randn(1, 8, 6, 6)
    zero(block)
    torch.testing.assert_close(block(x), 1.2 * x)
    for dense in block.blocks:
        nn.init.ones_(dense.layers[-1].bias)
    torch.testing.assert_close(block(x), x + 0.2 * (x + 3 * 0.2))


@pytest.mark.parametrize(("scale", "folded"), [(4, 3), (3, 3), (2, 12), (1, 48)])
def test_esrgan_enlarges_by_what_it_was_built_for(scale, folded):
    network = create_model("esrgan", scale=scale, blocks=1, width=4, growth=4)
    assert network.first.weight.shape[1] == folded
    assert network(torch.rand(1, 3, 8, 12)).shape == (1, 3, 8 * scale, 12 * scale)
    with pytest.raises(UsageError, match="scale must be 1, 2, 3 or 4"):
        create_model("esrgan", scale=5)


@pytest.mark.parametrize("depth", [10, 20, 30])
def test_red_net_with_a_zero_last_layer_is_the_identity(depth):
    network, x = create_model("red-net", depth=depth, width=4), torch.rand(1, 3, 9, 8)
    zero(network.up[-1])
    assert torch.equal(network(x), x)


@pytest.mark.parametrize(("depth", "links"), [(10, 0), (20, 4), (30, 7)])
def test_red_net_links_every_second_layer_to_its_mirror_image(depth, links):
    """Judge: autograd. A layer's own output reaches the mirrored one also where all between is cut off."""
    network = create_model("red-net", depth=depth, width=2)
    assert len(network.kept) == links
    half = depth // 2
    for number in sorted(network.kept):
        cut = create_model("red-net", depth=depth, width=2)
        with torch.no_grad():
            for parameter in cut.parameters():
                parameter.abs_()  # no ReLU dies by chance
        for layer in (*cut.down[number:], *cut.up[: half - number]):
            zero(layer)  # all that lies between the layer and its mirror image
        x = torch.rand(1, 3, 8, 8)
        cut(x).sum().backward()
        assert cut.down[number - 1].weight.grad.any()


@pytest.mark.slow
def test_red_net_learns_worse_without_its_skips():
    losses = {}
    for skips in (True, False):
        torch.manual_seed(0)
        network = create_model("red-net", channels=1, depth=30, width=8, skips=skips)
        optimizer = torch.optim.Adam(network.parameters(), 3e-3)
        generator = torch.Generator().manual_seed(1)
        late = []
        for step in range(60):
            clean = F.interpolate(torch.rand(4, 1, 4, 4, generator=generator), 16, mode="bilinear")
            noise = 50 / 255 * torch.randn(clean.shape, generator=generator)
            loss = F.mse_loss(network(clean + noise), clean)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            if step >= 40:
                late.append(loss.item())
        losses[skips] = sum(late) / len(late)
    assert losses[True] < 0.6 * losses[False]


def test_noise2noise_shifts_the_range_and_hands_the_input_to_the_last_level():
    network = create_model("noise2noise").eval()
    seen = {}
    network.first.register_forward_pre_hook(lambda _, inputs: seen.setdefault("first", inputs[0]))
    network.head.register_forward_pre_hook(lambda _, inputs: seen.setdefault("head", inputs[0]))
    x = torch.rand(1, 3, 32, 64)
    zero(network.head[-1])
    assert torch.equal(network(x), torch.full_like(x, 0.5))
    assert torch.equal(seen["first"], x - 0.5)
    assert torch.equal(seen["head"][:, -3:], x - 0.5)
    assert seen["head"].shape[1] == 99


def test_drunet_takes_the_level_it_is_given_and_else_estimates_it():
    network = create_model("drunet", **MODELS["drunet"].small).eval()
    fixed = create_model("drunet", **MODELS["drunet"].small, sigma=40).eval()
    fixed.load_state_dict(network.state_dict())
    x = torch.rand(2, 3, 16, 24)
    assert torch.equal(network(x), network(x, estimate_noise(x)))
    torch.testing.assert_close(fixed(x), network(x, torch.tensor([40.0, 40.0])))
    assert not torch.allclose(fixed(x), fixed(x, torch.tensor([5.0, 5.0])))
    assert network.receptive_field is None
    assert fixed.receptive_field == 109
    with pytest.raises(UsageError, match="sigma must be 0 or more"):
        create_model("drunet", sigma=-1.5)


def test_drunet_is_homogeneous():
    """Without biases: twice the image and twice the noise give twice the result."""
    network = create_model("drunet", **MODELS["drunet"].small).eval()
    x, sigma = torch.rand(1, 3, 16, 16), torch.tensor([20.0])
    torch.testing.assert_close(network(2 * x, 2 * sigma), 2 * network(x, sigma), atol=1e-5, rtol=1e-5)


def test_ircnn_with_a_zero_last_layer_is_the_identity_and_dilates_as_published():
    network, x = create_model("ircnn"), torch.rand(1, 3, 9, 10)
    zero(network.layers[-1])
    assert torch.equal(network(x), x)
    assert [m.dilation[0] for m in network.layers if isinstance(m, nn.Conv2d)] == [1, 2, 3, 4, 3, 2, 1]
    assert network.receptive_field == 33
