"""Training on old photographs: weights of the damage, masks that degradations make, a whole run."""

import pytest
import torch
from torch import nn

from restorecli.core.losses.catalog import create_loss
from restorecli.core.losses.weighted import WeightedSum
from restorecli.core.models.old_photo import OldPhoto
from restorecli.errors import RecipeError
from restorecli.training.batches import Batch, BatchMaker
from restorecli.training.check import load_recipe
from restorecli.training.pairs import find_pairs
from restorecli.training.run import train
from restorecli.training.strategies.old_photo import OldPhotoTraining, mask_loss, weighted_l1

MODEL = {"name": "old-photo", "arguments": {"channels": 1, "width": 4, "detector": 4}}


def half_mask():
    mask = torch.zeros(1, 1, 4, 8)
    mask[..., :2] = 1
    return mask


def test_the_error_in_the_damage_counts_more_in_closed_form():
    mask = half_mask()  # a quarter of the pixels
    reference = torch.zeros(1, 3, 4, 8)
    restored = reference + 0.1 + 0.4 * mask
    assert float(weighted_l1(restored, reference, mask, 1.0)) == pytest.approx(0.25 * 0.5 + 0.75 * 0.1)
    assert float(weighted_l1(restored, reference, mask, 6.0)) == pytest.approx(
        (6 * 0.25 * 0.5 + 0.75 * 0.1) / (6 * 0.25 + 0.75)
    )


def test_the_mask_loss_equals_torchs_with_its_weight_of_positives():
    logits, mask = torch.randn(1, 1, 4, 8), half_mask()
    weight = torch.tensor(3.0)  # (1 - 1/4) / (1/4)
    judge = nn.BCEWithLogitsLoss(pos_weight=weight, reduction="sum")(logits, mask)
    torch.testing.assert_close(mask_loss(logits, mask, limit=20), judge / (3 * 8 + 24))
    plain = nn.BCEWithLogitsLoss()(logits, mask)
    torch.testing.assert_close(mask_loss(logits, mask, limit=1), plain)
    assert torch.isfinite(mask_loss(logits, torch.zeros_like(mask), limit=20))


def test_every_part_of_the_network_learns():
    torch.manual_seed(0)
    network = OldPhoto(1, 4, 4, inpaint_only=True)
    strategy = OldPhotoTraining(WeightedSum([("ssim", 0.3, create_loss("ssim"))]))
    x = torch.rand(1, 1, 16, 16)
    losses = strategy.losses(network, Batch(x, x, mask=torch.ones(1, 1, 16, 16)), 0)
    assert set(losses.parts) == {"ssim", "damage", "mask"}
    losses.total.backward()
    assert all(parameter.grad is not None for parameter in network.parameters())
    with pytest.raises(TypeError, match="old-photo"):
        strategy.losses(nn.Identity(), Batch(x, x), 0)


@pytest.mark.parametrize("blur", [[], [{"name": "blur", "sigma": 0.13}]])
def test_a_batch_holds_the_mask_of_the_scratches_that_were_drawn(write_recipe, workshop, blur):
    """With or without a margin for blur (of which this weak one needs 1 px): it is where the crop changed."""
    scratches = {"name": "scratches", "count": 4, "dust": 0, "opacity": 1.0, "edge": 0.1}
    data = {"train": [{"clean": "images"}], "degrade": [*blur, scratches], "crop": 24, "batch": 8}
    recipe = load_recipe(write_recipe(data=data))
    pairs = find_pairs(recipe.data.train, recipe, workshop, print)
    makers = [BatchMaker(pairs, recipe, channels=1, needs=frozenset(n)) for n in (("mask",), ())]
    with_mask, without = (maker.batch(3) for maker in makers)
    assert torch.equal(with_mask.degraded, without.degraded)
    assert without.mask is None
    assert with_mask.mask.shape == (8, 1, 24, 24)
    changed = (with_mask.degraded - with_mask.reference).abs() > 1e-3
    inside = with_mask.mask == 1
    assert 0.05 < float(with_mask.mask.mean()) < 0.9
    assert float(changed[inside].float().mean()) > 0.97
    assert float(changed[~inside].float().mean()) < 0.05


def test_a_run_trains_on_degradations_with_masks(write_recipe, workshop):
    data = {"train": [{"clean": "images"}], "degrade": ["old-photo"], "crop": 16, "batch": 2}
    validation = {"holdout": 2, "degrade": ["old-photo"], "every": 4}
    recipe = write_recipe(model=MODEL, strategy="old-photo", data=data, validation=validation)
    assert train(recipe, output=workshop / "run").steps == 8


def test_impossible_weights_are_refused(write_recipe):
    for argument in ({"inside": 0.5}, {"mask": -1}, {"positive": 0}):
        with pytest.raises(RecipeError, match="inside: from 1"):
            load_recipe(write_recipe(model=MODEL, strategy={"name": "old-photo", **argument}))
