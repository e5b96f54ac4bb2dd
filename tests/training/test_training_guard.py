"""The usual step never waits for the device, and a bad one leaves no bit of its own."""

import math

import pytest
import torch
from torch import nn

from restorecli.training.guard import BufferGuard, StepRecord
from restorecli.training.loop import LOG_EVERY, Loop
from restorecli.training.monitor import SilentMonitor
from restorecli.training.optimization import make_optimizer, step_if
from restorecli.training.recipe import OptimizerSection
from restorecli.training.run import train

CHAIN = [{"name": "gaussian", "sigma": 25}]
SMALL = {"channels": 1, "depth": 3, "width": 16}
LCDNET = {"channels": 1, "width": 4, "encoder": [1] * 4, "middle": 1, "decoder": [1] * 4}


@pytest.mark.parametrize("ask", [torch.Tensor.item, float, bool, int, lambda t: t.isfinite().all().item()])
def test_the_counter_sees_every_way_of_asking(ask, waits):
    with waits() as counter:
        ask(torch.ones(()))
    assert counter.found


def changes(strategy, model, optimizer="adam", **more):
    return {
        "model": model,
        "strategy": strategy,
        "optimizer": {"name": optimizer, "clip_norm": 1.0},
        "data": {"train": [{"clean": "images"}], "degrade": CHAIN, "crop": 32, "batch": 2},
        "budget": {"steps": 3},
        **more,
    }


RUNS = [
    changes("supervised", {"name": "dncnn", "arguments": SMALL}),
    changes("supervised", {"name": "dncnn", "arguments": SMALL}, "sgd"),
    changes("supervised", {"name": "dncnn", "arguments": SMALL}, "muon"),
    changes("supervised", {"name": "drunet", "arguments": {"channels": 1, "width": 8, "blocks": 1}}, "adamw"),
    changes("supervised", {"name": "swm", "arguments": {"channels": 1, "width": 16, "depths": [1, 1, 1]}}),
    changes("noise2noise", {"name": "dncnn", "arguments": SMALL}),
    changes("masked", {"name": "dncnn", "arguments": SMALL}),
    changes("variational", {"name": "cvae-gan", "arguments": {"channels": 1, "width": 8, "latent": 4}}),
    changes("old-photo", {"name": "old-photo", "arguments": {"channels": 1, "width": 8, "detector": 8}}),
    changes({"name": "adversarial"}, {"name": "dncnn", "arguments": SMALL}),
    changes(
        "coarse-to-fine",
        {"name": "lcdnet", "arguments": LCDNET},
        loss={"l1": 1},
    ),
]


@pytest.mark.parametrize("recipe", RUNS, ids=lambda run: f"{run['strategy']}-{run['optimizer']['name']}")
def test_the_usual_step_never_waits_for_the_device(write_recipe, workshop, recipe, monkeypatch, waits):
    found, usual = [], Loop._step

    def watched(self, *arguments):
        with waits() as counter:
            result = usual(self, *arguments)
        found.append(counter.found)
        return result

    monkeypatch.setattr(Loop, "_step", watched)
    train(write_recipe(**recipe), output=workshop / "run")
    assert found == [[]] * 3


@pytest.mark.parametrize("optimizer", ["adam", "muon"])
@pytest.mark.parametrize("degrade_on", ["host", "device"])
def test_over_intervals_the_loop_waits_at_their_ends_alone(
    write_recipe, workshop, monkeypatch, waits, optimizer, degrade_on
):
    """Batches included: all that the loop does between two steps counts."""
    counter, usual = waits(), Loop.run

    def watched(self, *arguments):
        with counter:
            usual(self, *arguments)

    monkeypatch.setattr(Loop, "run", watched)
    monitor, counts = SilentMonitor(), [0]
    monitor.step = lambda step, fraction: counts.append(len(counter.found))
    recipe = changes("supervised", {"name": "dncnn", "arguments": SMALL}, optimizer)
    recipe["data"] |= {
        "degrade_on": degrade_on,
        "degrade": [{"name": "poisson", "peak": "log 5..60"}, "jpeg"],
    }
    recipe["budget"] = {"steps": 2 * LOG_EVERY + 5}
    recipe |= {"save_every": 1000, "validation": {"holdout": 2, "degrade": ["gaussian"], "every": 1000}}
    train(write_recipe(**recipe), output=workshop / "run", monitor=monitor)
    waited = [step for step in range(1, len(counts)) if counts[step] > counts[step - 1]]
    assert waited == [LOG_EVERY, 2 * LOG_EVERY]


def test_numbers_are_read_at_the_interval_alone(write_recipe, workshop, monkeypatch):
    read, usual = [], StepRecord.read

    def counted(self):
        read.append(len(self._waiting))
        usual(self)

    monkeypatch.setattr(StepRecord, "read", counted)
    seen = []
    monitor = SilentMonitor()
    monitor.measured = lambda loss, psnr: seen.append((loss, psnr))
    recipe = write_recipe(
        budget={"steps": 2 * LOG_EVERY},
        save_every=1000,
        validation={"holdout": 2, "degrade": CHAIN, "every": 1000},
    )
    train(recipe, output=workshop / "run", monitor=monitor)
    assert read == [LOG_EVERY, LOG_EVERY, 0]
    assert len(seen) == 2
    assert all(math.isfinite(number) for pair in seen for number in pair)


@pytest.mark.parametrize("name", ["adam", "adamw", "sgd", "muon"])
def test_a_step_that_is_not_finite_changes_no_bit(name):
    torch.manual_seed(0)
    layers = [nn.Conv2d(4, 32, 3), nn.BatchNorm2d(32), nn.Conv2d(32, 16, 3)]
    network = nn.Sequential(*layers).to(memory_format=torch.channels_last)
    optimizer = make_optimizer(network.parameters(), OptimizerSection(name=name, lr=0.1, weight_decay=0.1))

    def step(bad):
        optimizer.zero_grad(set_to_none=True)
        loss = network(torch.randn(2, 4, 9, 9)).square().mean() * (math.nan if bad else 1)
        loss.backward()
        step_if(torch.isfinite(loss.detach()), optimizer)

    def everything():
        moments = optimizer.state_dict()["state"].items()
        values = {f"{index}.{key}": value for index, state in moments for key, value in state.items()}
        return {
            k: torch.as_tensor(v).clone() for k, v in {**values, **dict(network.named_parameters())}.items()
        }

    step(bad=False)
    before = everything()
    step(bad=True)
    after = everything()
    assert before.keys() == after.keys()
    assert all(torch.equal(before[key], after[key]) for key in before)
    step(bad=False)
    assert not all(torch.equal(after[key], value) for key, value in everything().items())


def test_statistics_of_a_bad_batch_are_taken_back_and_constants_cost_nothing():
    norm, constant = nn.BatchNorm2d(2), nn.Module()
    constant.register_buffer("kernel", torch.ones(3))
    guard = BufferGuard((norm, constant))
    norm(torch.randn(4, 2, 5, 5))
    guard.settle(torch.tensor(True))
    good = [buffer.clone() for buffer in norm.buffers()]
    norm(torch.full((4, 2, 5, 5), math.nan))
    version = constant.kernel._version
    guard.settle(torch.tensor(False))
    assert all(torch.equal(buffer, kept) for buffer, kept in zip(norm.buffers(), good, strict=True))
    assert constant.kernel._version == version


def test_failures_in_a_row_are_counted_over_readings():
    record = StepRecord(patience=3, skipped=5)
    for step, good in enumerate([True, False, False], start=1):
        record.add(step, torch.tensor(0.5 if good else math.nan), torch.tensor(good))
    record.read()
    assert (record.failures, record.skipped, record.worst, record.loss) == (2, 7, None, None)
    record.add(4, torch.tensor(math.nan), torch.tensor(False))
    record.add(5, torch.tensor(0.25), torch.tensor(True))
    record.read()
    assert (record.failures, record.skipped, record.worst, record.loss) == (0, 8, 4, 0.25)
