"""Discriminators against their published properties."""

import pytest
import torch

from restorecli.core.discriminators import PatchDiscriminator, VggDiscriminator
from restorecli.core.models.catalog import count_parameters


@pytest.mark.parametrize(("layers", "field"), [(3, 70), (2, 34), (1, 16)])
def test_patch_gan_judges_patches_of_the_published_size(layers, field):
    """Judge: autograd. The pixels that move one logit are exactly a square of this side."""
    network = PatchDiscriminator(1, 4, layers, conditional=False).eval()
    x = torch.rand(1, 1, 128, 128, requires_grad=True)
    logits = network(x)
    logits[0, 0, logits.shape[2] // 2, logits.shape[3] // 2].backward()
    rows, columns = x.grad[0, 0].nonzero(as_tuple=True)
    assert int(rows.max() - rows.min()) + 1 == int(columns.max() - columns.min()) + 1 == field
    assert network.receptive_field == field


def test_patch_gan_has_its_published_size():
    assert count_parameters(PatchDiscriminator()) == 2_768_705
    assert PatchDiscriminator(width=2)(torch.rand(2, 3, 256, 256), torch.rand(2, 3, 128, 128)).shape == (
        2,
        1,
        30,
        30,
    )


def test_the_condition_is_looked_at():
    network = PatchDiscriminator(1, 4).eval()
    image = torch.rand(1, 1, 64, 64)
    one, other = (network(image, torch.full_like(image, value)) for value in (0.0, 1.0))
    assert not torch.equal(one, other)
    with pytest.raises(ValueError, match="conditional is True"):
        network(image)
    with pytest.raises(ValueError, match="conditional is False"):
        PatchDiscriminator(1, 4, conditional=False)(image, image)


def test_vgg_discriminator_counts_and_sizes():
    """Judge: the layers' shapes added up by hand."""
    widths = [64, 64, 128, 128, 256, 256, 512, 512, 512, 512]
    convolutions = (
        3 * 9 * 64
        + 64
        + sum(
            before * after * (16 if number % 2 == 0 else 9) + 2 * after
            for number, (before, after) in enumerate(zip([64, *widths[1:]], widths[1:], strict=False))
        )
    )
    with torch.device("meta"):
        assert count_parameters(VggDiscriminator()) == convolutions + 8192 * 100 + 100 + 101
    assert VggDiscriminator(1, 4, 32)(torch.rand(2, 1, 32, 32)).shape == (2, 1)
    with pytest.raises(ValueError, match="32 x 32"):
        VggDiscriminator(1, 4, 32)(torch.rand(2, 1, 64, 64))
    with pytest.raises(ValueError, match="multiple of 32"):
        VggDiscriminator(side=100)
