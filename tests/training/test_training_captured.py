"""A step in one piece is the step: what a graph freezes is nothing that changes."""

import json
import math

import pytest
import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from restorecli.core.learned import cache_folder
from restorecli.core.weights import read_weights
from restorecli.errors import UsageError
from restorecli.training import captured
from restorecli.training.batches import Batch
from restorecli.training.captured import CHECKED, TIMED, WARM_UP, CapturedStep, CudaGraph, Outcome
from restorecli.training.loop import Loop
from restorecli.training.monitor import SilentMonitor
from restorecli.training.optimization import make_optimizer, step_if
from restorecli.training.recipe import OptimizerSection
from restorecli.training.run import train
from restorecli.training.session import Session
from restorecli.training.strategies.base import Losses

GAUSSIAN = {"name": "gaussian", "sigma": 25}
SMALL = {"channels": 1, "depth": 3, "width": 16}
LCDNET = {"channels": 1, "width": 4, "encoder": [1] * 4, "middle": 1, "decoder": [1] * 4}
UNET = {"channels": 1, "width": 8, "blocks": 1}


class Recording(TorchDispatchMode):
    """A graph on the CPU: notes every operation of the device with the tensors that it reads and writes.

    As with a graph of CUDA's, a replay runs no Python of the step: numbers that Python put into the
    operations are those of the recording for ever, and only what lies in tensors may change.
    """

    made = 0

    def __init__(self):
        super().__init__()
        Recording.made += 1
        self.calls, self.before, self.own = [], {}, set()

    def __torch_dispatch__(self, function, types, arguments=(), named=None):
        for given in tree_leaves((arguments, named)):
            if isinstance(given, torch.Tensor) and id(given) not in self.own | self.before.keys():
                self.before[id(given)] = given, given.detach().clone()
        returned = function(*arguments, **(named or {}))
        self.own |= {id(each) for each in tree_leaves(returned)} - self.before.keys()
        self.calls.append((function, arguments, named or {}, returned))
        return returned

    def warmed(self, work):
        return work()

    @torch.no_grad()
    def record(self, work):
        generator = torch.get_rng_state()
        with torch.enable_grad(), self:
            outcome = work()
        for given, old in reversed(
            self.before.values()
        ):  # unlike CUDA this did the work; the first seen is oldest
            given.copy_(old)
        torch.set_rng_state(generator)
        return outcome

    @torch.no_grad()
    def replay(self):
        for function, arguments, named, returned in self.calls:
            again = function(*arguments, **named)
            for old, new in zip(tree_leaves(returned), tree_leaves(again), strict=True):
                if isinstance(old, torch.Tensor) and old.data_ptr() != new.data_ptr():
                    old.copy_(new)


@pytest.fixture
def recording(monkeypatch):
    """Let steps be recorded on the CPU."""
    Recording.made = 0
    monkeypatch.setattr(captured, "graph_maker", lambda device: Recording)
    return Recording


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("RESTORECLI_CACHE", str(tmp_path / "cache"))


def content(strategy="supervised", model=None, optimizer="adam", lr=1e-3, **more):
    return {
        "model": model or {"name": "dncnn", "arguments": SMALL},
        "strategy": strategy,
        "optimizer": {"name": optimizer, "lr": lr, "clip_norm": 1.0, "weight_decay": 0.05},
        "schedule": {"name": "cosine", "final": 1e-4, "warmup": 6},
        "data": {"train": [{"clean": "images"}], "degrade": [dict(GAUSSIAN)], "crop": 32, "batch": 2},
        "validation": {"holdout": 2, "degrade": [dict(GAUSSIAN)], "every": 1000},
        "budget": {"steps": 12},
        "save_every": 1000,
        "ema": 0.9,
        "precision": "fp32",  # some processors compute bfloat16 by themselves
        **more,
    }


RUNS = [
    content(),
    content(optimizer="sgd"),
    content(optimizer="muon"),
    content(
        optimizer="adamw", model={"name": "drunet", "arguments": {"channels": 1, "width": 8, "blocks": 1}}
    ),
    content("noise2noise"),
    content("masked"),
    content(
        {"name": "variational", "warmup": 2},
        {"name": "cvae-gan", "arguments": {"channels": 1, "width": 8, "latent": 4}},
    ),
    content("old-photo", {"name": "old-photo", "arguments": {"channels": 1, "width": 8, "detector": 8}}),
    content({"name": "adversarial", "start": 3}),
    pytest.param(
        content(
            "coarse-to-fine",
            {"name": "lcdnet", "arguments": LCDNET},
            loss={"l1": 1},
            budget={"steps": WARM_UP + 3},
            data={"train": [{"clean": "images"}], "degrade": [dict(GAUSSIAN)], "crop": 16, "batch": 1},
        ),
        marks=pytest.mark.slow,
    ),
]


def weights_of(run):
    return read_weights(run.weights.with_name("last.safetensors"))[0]


class Notes(SilentMonitor):
    """Keeps what is noted."""

    def __init__(self):
        self.notes = []

    def note(self, text):
        self.notes.append(text)


@pytest.mark.parametrize("recipe", RUNS, ids=lambda run: f"{run['strategy']}-{run['optimizer']['name']}")
def test_replayed_steps_are_the_steps(write_recipe, workshop, recipe, recording):
    """To the rounding of the learning rate to float32, while rate and decay change with every step.

    Muon rounds what it steps along to bfloat16: 12 steps of a rate of 1e-3 may then be 12 x 1e-3 / 256 apart.
    """
    path = write_recipe(**recipe)
    usual = weights_of(train(path, output=workshop / "usual", compile="off"))
    monitor = Notes()
    graphed = weights_of(train(path, output=workshop / "graphed", compile="graph", monitor=monitor))
    assert recording.made == 1
    assert not [note for note in monitor.notes if "cannot" in note]
    apart = 5e-5 if recipe["optimizer"]["name"] == "muon" else 1e-5
    for name, value in usual.items():
        torch.testing.assert_close(graphed[name], value, rtol=1e-4, atol=apart, msg=name)


@pytest.mark.parametrize("frozen", ["keep_rate_on", "keep_weight_on"])
def test_a_number_that_stays_in_python_would_be_noticed(
    write_recipe, workshop, recording, monkeypatch, frozen
):
    path = write_recipe(**content(lr=1e-2))
    usual = weights_of(train(path, output=workshop / "usual", compile="off"))
    place = captured if frozen == "keep_rate_on" else captured.MovingAverage
    monkeypatch.setattr(place, frozen, lambda *_: None)
    graphed = weights_of(train(path, output=workshop / "graphed", compile="graph"))
    assert max(float((graphed[name] - value).abs().max()) for name, value in usual.items()) > 2e-3


def test_replays_run_no_python_of_the_step(write_recipe, workshop, recording, monkeypatch):
    worked, usual = [], Loop._work
    monkeypatch.setattr(Loop, "_work", lambda self, *given: (worked.append(1), usual(self, *given))[1])
    train(write_recipe(**content()), output=workshop / "run", compile="graph")
    assert len(worked) == WARM_UP + 1 + CHECKED


def test_a_bad_batch_is_skipped_and_counted_by_a_replay(write_recipe, workshop, recording, monkeypatch):
    usual = Session.batches

    def spoiled(self):
        for step, batch in enumerate(usual(self)):
            yield batch.mapped(lambda crops: crops * math.nan) if step in (7, 9) else batch

    monkeypatch.setattr(Session, "batches", spoiled)
    norm = {"name": "dncnn", "arguments": {**SMALL, "batch_norm": True}}
    path = write_recipe(**content(model=norm))
    runs = [train(path, output=workshop / way, compile=way) for way in ("off", "graph")]
    assert [run.skipped for run in runs] == [2, 2]
    usual, graphed = map(weights_of, runs)
    for name, value in usual.items():
        torch.testing.assert_close(graphed[name], value, rtol=1e-4, atol=1e-5, msg=name)


def test_the_ways_are_tried_on_true_steps_and_the_fastest_is_kept(
    write_recipe, workshop, recording, monkeypatch
):
    monkeypatch.setattr(captured, "BACKEND", "eager")
    steps = 3 * (WARM_UP + CHECKED + TIMED) + 4
    path = write_recipe(**content(budget={"steps": steps}))
    monitor = Notes()
    first = train(path, output=workshop / "first", monitor=monitor)
    (told,) = [note for note in monitor.notes if "measured" in note]
    (file,) = (cache_folder() / "training-steps").iterdir()
    times = json.loads(file.read_text())
    assert set(times) == {"off", "graph", "compile"}
    assert f"--compile {min(times, key=times.get)}" in told
    usual = weights_of(train(path, output=workshop / "usual", compile="off"))
    for name, value in weights_of(first).items():
        torch.testing.assert_close(usual[name], value, rtol=0.05, atol=5e-3, msg=name)
    monitor = Notes()
    train(path, output=workshop / "second", monitor=monitor, steps=2)
    assert not any("measured" in note for note in monitor.notes)


@pytest.mark.parametrize("measured", ["[]", "{}", '{"off": "fast"}', '{"fly": 1.0}', '{"off": -1.0}'])
def test_strange_times_in_the_cache_are_not_taken(measured):
    assert not captured._are_times(json.loads(measured))


def test_a_graph_that_cannot_be_recorded_costs_a_note_and_nothing_else(write_recipe, workshop, monkeypatch):
    class Broken(Recording):
        def record(self, work):
            with self:
                raise RuntimeError("operation not permitted when stream is capturing\nmore")

    monkeypatch.setattr(captured, "graph_maker", lambda device: Broken)
    path = write_recipe(**content())
    usual = weights_of(train(path, output=workshop / "usual", compile="off"))
    monitor = Notes()
    run = train(path, output=workshop / "run", compile="graph", monitor=monitor)
    assert [note for note in monitor.notes if "graph" in note] == [
        "--compile graph cannot be done here, and steps are taken as usual: "
        "operation not permitted when stream is capturing"
    ]
    assert run.steps == 12
    for name, value in weights_of(run).items():
        torch.testing.assert_close(value, usual[name], rtol=1e-4, atol=1e-5, msg=name)


class Unfinished(Recording):
    """Leaves out the end of the step."""

    def record(self, work):
        outcome = super().record(work)
        del self.calls[-len(self.calls) // 4 :]
        return outcome


class Uncounted(Recording):
    """Records counters of the optimizer as numbers."""

    def record(self, work):
        outcome = super().record(work)
        self.calls = [call for call in self.calls if "_foreach_add_" not in str(call[0])]
        return outcome


@pytest.mark.parametrize("fault", [Unfinished, Uncounted])
def test_a_replay_that_is_not_the_step_is_given_up(write_recipe, workshop, monkeypatch, fault):
    monkeypatch.setattr(captured, "graph_maker", lambda device: fault)
    path = write_recipe(**content())
    usual = weights_of(train(path, output=workshop / "usual", compile="off"))
    monitor = Notes()
    run = train(path, output=workshop / "run", compile="graph", monitor=monitor)
    (told,) = [note for note in monitor.notes if "graph" in note]
    assert "a replay ends elsewhere than the step" in told
    assert run.steps == 12
    for name, value in weights_of(run).items():
        torch.testing.assert_close(value, usual[name], rtol=1e-5, atol=1e-6, msg=name)


def test_a_way_that_fails_while_it_is_tried_leaves_the_others(write_recipe, workshop, recording, monkeypatch):
    monkeypatch.setattr(captured, "BACKEND", "no-such-backend")
    steps = 3 * (WARM_UP + CHECKED + TIMED) + 4
    monitor = Notes()
    train(write_recipe(**content(budget={"steps": steps})), output=workshop / "run", monitor=monitor)
    (file,) = (cache_folder() / "training-steps").iterdir()
    assert set(json.loads(file.read_text())) == {"off", "graph"}
    assert any(note.startswith("--compile compile cannot be done here") for note in monitor.notes)


def test_errors_of_the_usual_step_are_raised(write_recipe, workshop, monkeypatch):
    monkeypatch.setattr(Loop, "_work", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        train(write_recipe(**content()), output=workshop / "run", compile="off")


def test_a_compiled_network_takes_the_same_steps_bit_for_bit(write_recipe, workshop, monkeypatch):
    monkeypatch.setattr(captured, "BACKEND", "eager")
    path = write_recipe(**content())
    usual = weights_of(train(path, output=workshop / "usual"))
    compiled = weights_of(train(path, output=workshop / "compiled", compile="compile"))
    assert all(torch.equal(value, compiled[name]) for name, value in usual.items())


def test_on_the_cpu_auto_is_off_and_graph_is_told_to_need_cuda(write_recipe, workshop):
    path = write_recipe(**content())
    runs = {}
    for way in ("off", "auto", "graph"):
        monitor = Notes()
        runs[way] = weights_of(train(path, output=workshop / way, compile=way, monitor=monitor))
        assert any("needs CUDA" in note for note in monitor.notes) == (way == "graph")
    assert all(torch.equal(value, runs[way][name]) for name, value in runs["off"].items() for way in runs)


def test_an_unknown_way_is_refused(write_recipe, workshop):
    with pytest.raises(UsageError, match="auto, off, graph, compile"):
        train(write_recipe(**content()), output=workshop / "run", compile="fast")


def test_a_run_by_graph_is_resumed(write_recipe, workshop, recording):
    path = write_recipe(**content())
    straight = weights_of(train(path, output=workshop / "straight", compile="graph"))
    train(path, output=workshop / "run", compile="graph", steps=6)
    resumed = weights_of(train(path, output=workshop / "run", compile="graph", resume=True))
    assert resumed.keys() == straight.keys()


def test_the_graph_of_cuda_is_recorded_beside_threads_that_pin_memory(monkeypatch):
    """Without a GPU: what is asked of CUDA, in order."""
    log = []

    class Stream:
        def __init__(self, name):
            self.name = name

        def wait_stream(self, other):
            log.append((self.name, "waits for", other.name))

    class Context:
        def __init__(self, *given, **named):
            log.append(
                ("context", *[getattr(g, "name", "graph") for g in given], named.get("capture_error_mode"))
            )

        def __enter__(self):
            return self

        def __exit__(self, *_):
            return None

    class Graph:
        def replay(self):
            log.append("replay")

    side, usual = Stream("side"), Stream("usual")
    monkeypatch.setattr(torch.cuda, "Stream", lambda device: side)
    monkeypatch.setattr(torch.cuda, "current_stream", lambda device: usual)
    monkeypatch.setattr(torch.cuda, "stream", Context)
    monkeypatch.setattr(torch.cuda, "CUDAGraph", Graph)
    monkeypatch.setattr(torch.cuda, "graph", Context)
    graph = CudaGraph(torch.device("cuda"))
    assert graph.warmed(lambda: log.append("work")) is None
    graph.record(lambda: log.append("work"))
    graph.replay()
    assert log == [
        ("side", "waits for", "usual"),
        ("context", "side", None),
        "work",
        ("usual", "waits for", "side"),
        ("context", "graph", "thread_local"),
        "work",
        "replay",
    ]


def test_a_captured_step_copies_its_batch_before_every_replay(recording):
    def work(batch):
        total = batch.degraded.sum() + 2 * batch.reference.sum()
        return Outcome(Losses(total, {}, batch.degraded * 1), torch.isfinite(total))

    step = CapturedStep(work, Recording(), lambda usual, replay: replay())
    outcomes = [step(Batch(torch.full((2,), float(i)), torch.ones(2))) for i in range(8)]
    assert [float(outcome.losses.total) for outcome in outcomes] == [2.0 * i + 4 for i in range(8)]


@pytest.mark.parametrize("name", ["adam", "adamw", "sgd", "muon"])
def test_a_first_step_that_is_not_finite_leaves_the_optimizer_as_new(name):
    torch.manual_seed(0)
    start, gradient = torch.randn(32, 32), torch.randn(32, 32)
    results = []
    for gradients in ((gradient,), (gradient * math.nan, gradient)):
        parameter = nn.Parameter(start.clone())
        optimizer = make_optimizer([parameter], OptimizerSection(name=name, lr=0.1))
        for each in gradients:
            parameter.grad = each
            step_if(torch.isfinite(each).all(), optimizer)
        results.append(parameter.detach())
    assert torch.equal(*results)


def test_what_muon_counts_is_restored_to_where_the_weights_are():
    parameter = nn.Parameter(torch.zeros(4, device="meta"))
    optimizer = make_optimizer([parameter], OptimizerSection(name="muon"))
    state = {0: {"step": torch.tensor(3.0), "exp_avg": torch.zeros(4), "exp_avg_sq": torch.zeros(4)}}
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})
    assert {value.device.type for value in optimizer.state[parameter].values()} == {"meta"}
