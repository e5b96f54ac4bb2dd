"""The learning rate's course and the moving average."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from restorecli.training.optimization import Clock, MovingAverage, learning_rate, make_optimizer
from restorecli.training.recipe import Budget, OptimizerSection, ScheduleSection

fractions = st.floats(0, 1)


@given(fractions, fractions, st.sampled_from(["constant", "cosine", "exponential", "steps"]))
def test_no_schedule_ever_rises(a, b, name):
    section = ScheduleSection(name=name, final=1e-6, milestones=[0.3, 0.6])
    early, late = sorted((a, b))
    assert learning_rate(1e-3, section, 0, late) <= learning_rate(1e-3, section, 0, early) * (1 + 1e-9)


@pytest.mark.parametrize(
    ("name", "end"), [("constant", 1e-3), ("cosine", 1e-6), ("exponential", 1e-6), ("steps", 1e-5)]
)
def test_schedules_begin_and_end_where_they_say(name, end):
    section = ScheduleSection(name=name, final=1e-6, milestones=[0.3, 0.6])
    assert learning_rate(1e-3, section, 0, 0) == pytest.approx(1e-3)
    assert learning_rate(1e-3, section, 0, 1) == pytest.approx(end)


def test_cosine_equals_torch():
    network = nn.Linear(1, 1)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
    judge = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=20, eta_min=1e-3)
    section = ScheduleSection(name="cosine", final=1e-3)
    for step in range(20):
        assert learning_rate(0.1, section, step, step / 20) == pytest.approx(judge.get_last_lr()[0])
        optimizer.step()
        judge.step()


def test_warm_up_is_linear():
    section = ScheduleSection(warmup=4)
    assert [learning_rate(1.0, section, step, 0) for step in range(6)] == [0.25, 0.5, 0.75, 1, 1, 1]


def test_the_nearer_of_two_limits_counts():
    budget = Budget(steps=100, hours=1.0)
    assert Clock(10, 1800).fraction(budget) == 0.5
    assert Clock(90, 1800).fraction(budget) == 0.9
    assert Clock(200, 0).fraction(budget) == 1.0


def test_moving_average_equals_torchs():
    network = nn.Linear(3, 2)
    ours = MovingAverage(network, 0.5)
    judge = torch.optim.swa_utils.AveragedModel(
        network, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.5)
    )
    judge.update_parameters(network)
    for step in range(20, 30):
        with torch.no_grad():
            network.weight.add_(torch.randn(2, 3))
        ours.turn(step)
        ours.update()
        judge.update_parameters(network)
    torch.testing.assert_close(ours.values["weight"], judge.module.weight.detach())


def test_the_average_soon_forgets_the_start():
    """Judge: by hand. From 0 to weights of 1 the average is 1 - decay, with decay (1 + t) / (10 + t)."""
    network = nn.Linear(1, 1, bias=False)
    expected = 0.0
    for step, decay in ((1, 2 / 11), (2, 3 / 12), (90, 91 / 100), (8_991, 0.999), (1_000_000, 0.999)):
        if step == 1:
            nn.init.zeros_(network.weight)
            ours = MovingAverage(network, 0.999)
            nn.init.ones_(network.weight)
        ours.turn(step)
        ours.update()
        expected = decay * expected + (1 - decay)
        assert ours.values["weight"].item() == pytest.approx(expected, abs=1e-6), step


@pytest.mark.parametrize("name", ["adam", "adamw", "sgd", "muon"])
def test_frozen_parameters_are_left_out(name):
    network = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    network[0].requires_grad_(False)
    optimizer = make_optimizer(network.parameters(), OptimizerSection(name=name))
    assert sum(len(group["params"]) for group in optimizer.param_groups) == 2


@pytest.mark.parametrize("name", ["adam", "adamw", "sgd", "muon"])
def test_weight_decay_spares_biases_and_gains(name):
    network = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2))
    optimizer = make_optimizer(network.parameters(), OptimizerSection(name=name, lr=0.1, weight_decay=0.5))
    before = {key: value.detach().clone() for key, value in network.named_parameters()}
    for parameter in network.parameters():
        parameter.grad = torch.zeros_like(parameter)
    optimizer.step()
    changed = {key for key, value in network.named_parameters() if not torch.equal(value, before[key])}
    assert changed == {"0.weight"}
