"""Muon against torch's own: matrices by torch.optim.Muon, the rest by torch.optim.AdamW."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from restorecli.training.muon import Muon, is_matrix, orthogonalised

sides = st.integers(16, 96)


@settings(deadline=None, max_examples=30)
@given(sides, sides, st.floats(1e-6, 1e6), st.integers(0, 2**31))
def test_singular_values_come_close_to_one_whatever_they_were(rows, columns, scale, seed):
    generator = torch.Generator().manual_seed(seed)
    matrix = scale * torch.randn(rows, 2 * columns, generator=generator)
    values = torch.linalg.svdvals(orthogonalised(matrix))
    assert values.max() < 1.35
    assert values.median() > 0.5


def test_a_matrix_keeps_its_singular_directions():
    torch.manual_seed(0)
    matrix = torch.randn(32, 200)
    u, _, v = torch.linalg.svd(matrix, full_matrices=False)
    found = orthogonalised(matrix)
    core = u.T @ found @ v.T  # diagonal, if the directions are the same
    off = core - torch.diag(core.diagonal())
    assert off.abs().max() < 0.05
    assert core.diagonal().min() > 0.5


def test_zero_gradients_stay_zero():
    assert torch.equal(orthogonalised(torch.zeros(16, 32)), torch.zeros(16, 32))


@pytest.mark.skipif(not hasattr(torch.optim, "Muon"), reason="torch has Muon from 2.9 on")
@pytest.mark.parametrize("shape", [(16, 48), (48, 16), (64, 64)])
def test_matrices_step_as_torchs_muon_does(shape):
    torch.manual_seed(1)
    start = torch.randn(shape)
    ours, theirs = (nn.Parameter(start.clone()) for _ in range(2))
    mine = Muon([ours], 1e-2)
    judge = torch.optim.Muon([theirs], lr=1e-2, weight_decay=0, adjust_lr_fn="match_rms_adamw")
    for _ in range(5):
        ours.grad = theirs.grad = torch.randn(shape)
        mine.step()
        judge.step()
    # Both iterate in bfloat16, which keeps 8 bits of a step.
    torch.testing.assert_close(ours, theirs, atol=2e-4, rtol=0)


def test_a_convolution_steps_as_its_matrix_does_in_any_memory_format():
    torch.manual_seed(2)
    start, gradient = torch.randn(32, 16, 3, 3), torch.randn(32, 16, 3, 3)
    steps = []
    for given_as in (
        start.clone(),
        start.to(memory_format=torch.channels_last),
        start.flatten(1),
    ):
        parameter = nn.Parameter(given_as.clone(memory_format=torch.preserve_format))
        parameter.grad = gradient.reshape(parameter.shape)
        Muon([parameter], 1e-2).step()
        steps.append(parameter.detach().reshape(32, -1))
    torch.testing.assert_close(steps[0], steps[2])
    torch.testing.assert_close(steps[1], steps[2])


@pytest.mark.parametrize("shape", [(64,), (64, 1, 3, 3), (3, 64, 1, 1)])
def test_what_is_no_wide_matrix_steps_as_torchs_adamw_does(shape):
    torch.manual_seed(3)
    start = torch.randn(shape)
    ours, theirs = (nn.Parameter(start.clone()) for _ in range(2))
    assert not is_matrix(ours)
    mine = Muon([{"params": [ours], "weight_decay": 0.1}], 1e-2)
    judge = torch.optim.AdamW([theirs], lr=1e-2, weight_decay=0.1)
    for _ in range(10):
        ours.grad = theirs.grad = torch.randn(shape)
        mine.step()
        judge.step()
    torch.testing.assert_close(ours, theirs)
