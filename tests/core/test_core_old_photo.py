"""The network for old photographs: what it leaves alone, and what its parts see."""

import pytest
import torch

from restorecli.core.models.blocks.gated_convolution import GatedConv
from restorecli.core.models.catalog import count_parameters
from restorecli.core.models.old_photo import OldPhoto
from restorecli.core.models.unet import UNet


def small(**arguments):
    torch.manual_seed(0)
    return OldPhoto(width=4, detector=4, **arguments).eval()


def test_with_inpaint_only_pixels_outside_the_mask_are_the_very_same():
    network = small(inpaint_only=True)
    x = torch.rand(1, 3, 32, 40)
    with torch.no_grad():
        boundary = torch.logit(torch.tensor(network.threshold))
        network.detector.last.bias += boundary - network.mask_logits(x).median()  # half counts as damaged
        damaged = network.mask_logits(x).sigmoid() >= network.threshold
        changed = (network(x) - x).abs().amax(1, keepdim=True)
    assert 0.1 < float(damaged.float().mean()) < 0.9
    assert float(changed[~damaged].max()) == 0
    assert float(changed[damaged].min()) > 0


def test_with_kept_chroma_gray_photos_in_rgb_stay_gray_and_colors_keep_their_differences():
    network = small(keep_chroma=True)
    gray = torch.rand(1, 1, 16, 24).expand(1, 3, 16, 24)
    x = torch.rand(1, 3, 16, 24)
    with torch.no_grad():
        restored, colored = network(gray), network(x)
    assert torch.equal(restored[:, 0], restored[:, 2])
    assert not torch.equal(restored, gray)
    torch.testing.assert_close(colored[:, 0] - colored[:, 2], x[:, 0] - x[:, 2])


def test_the_detector_sees_luma_alone():
    network = small()
    x = torch.rand(1, 3, 16, 16)
    other = x + torch.tensor([0.587, -0.299, 0.0]).view(1, 3, 1, 1) * 0.3  # of the same luma
    with torch.no_grad():
        torch.testing.assert_close(network.mask_logits(x), network.mask_logits(other))


def test_the_painter_is_told_where_the_damage_is():
    network = small()
    x = torch.rand(1, 3, 16, 16)
    with torch.no_grad():
        nothing, everything = (network.paint(x, torch.full((1, 1, 16, 16), p)) for p in (0.0, 1.0))
    assert not torch.equal(nothing, everything)


def test_the_detector_is_the_plain_unet_with_batch_norm_in_size():
    """Judge: the U-Net of the catalog; batch norm has a gain and an offset where a convolution has a bias."""
    norms = 2 * (8 + 16 + 32 + 64) + 2 * (32 + 16 + 8)
    assert count_parameters(OldPhoto(width=4, detector=8).detector) == count_parameters(UNet(1, 8)) + norms


def test_a_gate_in_closed_form():
    layer = GatedConv(1, 1)
    with torch.no_grad():
        layer.conv.weight.zero_()
        layer.conv.weight[0, 0, 1, 1] = 1.0
        layer.conv.bias.copy_(torch.tensor([0.0, 2.0]))
        x = torch.tensor([[[[3.0, -5.0]]]])
        expected = torch.tensor([[[[3.0, -1.0]]]]) * torch.sigmoid(torch.tensor(2.0))
        torch.testing.assert_close(layer(x), expected)


def test_a_threshold_is_a_probability():
    with pytest.raises(ValueError, match="between 0 and 1"):
        OldPhoto(threshold=1.5)
