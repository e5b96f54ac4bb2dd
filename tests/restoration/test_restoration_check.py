"""What tiles cost, measured."""

import math

import pytest
import torch

from restorecli.restoration.check import check_tiles

IMAGE = torch.rand(3, 150, 210, generator=torch.Generator().manual_seed(0))


def test_exact_tiles_cost_nothing_that_can_be_seen(convolutions):
    check = check_tiles(convolutions(), IMAGE, tile=64)
    assert check.exact
    assert check.largest <= 1e-5
    assert check.psnr > 100
    assert check.seam_ratio == pytest.approx(1, abs=1e-4)


def test_too_little_overlap_shows_and_more_of_it_helps(convolutions):
    psnrs = []
    for overlap in (0, 2, 4, 6, 8):
        side = 3 * 64 - 2 * overlap  # three tiles without a spare pixel
        check = check_tiles(convolutions(4), torch.rand(3, side, side), tile=64, overlap=overlap)
        psnrs.append(check.psnr)
        assert check.exact == (overlap == 8)
    assert psnrs == sorted(psnrs)
    assert psnrs[0] < 40
    assert psnrs[-1] > 100


def test_fading_leaves_no_seam_where_hard_cuts_do(restorer_of):
    smooth = torch.linspace(0, 1, 400).expand(3, 100, 400)
    restorer = restorer_of(lambda batch: batch - 0.3 * batch.mean(), receptive_field=None)
    fading, hard = (check_tiles(restorer, smooth, tile=128, overlap=overlap) for overlap in (64, 0))
    assert not fading.exact
    assert fading.seam_ratio < 1.05
    assert hard.seam_ratio > 5


def test_an_identity_is_equal(restorer_of):
    check = check_tiles(restorer_of(lambda batch: batch), IMAGE, tile=64)
    assert math.isinf(check.psnr)
    assert check.seam_ratio == 1


def test_only_the_middle_of_a_large_image_is_compared(restorer_of):
    restorer = restorer_of(lambda batch: batch)
    check_tiles(restorer, torch.rand(3, 300, 300), tile=64, crop=100)
    assert restorer.shapes[0] == (1, 3, 100, 100)


def test_the_least_overlap_that_is_enough_is_found(restorer_of):
    """By hand: a pixel alone needs no neighbor, and a mean of 3x3 needs those at the borders of tiles."""
    alone = restorer_of(lambda batch: batch / 2)
    mean = restorer_of(lambda batch: torch.nn.functional.avg_pool2d(batch, 3, 1, 1))
    enough = [check_tiles(restorer, IMAGE, tile=64, search=True).enough for restorer in (alone, mean)]
    assert enough == [0, 8]
