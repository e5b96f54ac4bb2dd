"""Batches that the device degrades: the same crops, functions of their number, and an exact resume."""

import os
import signal
from itertools import islice

import numpy as np
import pytest
import torch
from PIL import Image

from restorecli.core.weights import read_weights
from restorecli.errors import InterruptedRunError, RecipeError
from restorecli.training.batches import Batch, BatchMaker
from restorecli.training.check import load_recipe
from restorecli.training.clean_batches import CleanMaker, Degrader
from restorecli.training.device_batches import device_batches
from restorecli.training.memory import least_bytes
from restorecli.training.monitor import SilentMonitor
from restorecli.training.pairs import find_pairs
from restorecli.training.run import train
from restorecli.training.worker_batches import worker_batches

pytestmark = pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")

CPU = torch.device("cpu")
CHAIN = [
    {"name": "gaussian-blur", "sigma": "0..2"},
    {"name": "poisson", "peak": "log 5..60", "probability": 0.5},
    {"name": "gaussian", "sigma": "5..40"},
    {"name": "jpeg", "quality": "30..90"},
]


def data(**changes):
    sections = {"train": [{"clean": "images"}], "degrade": CHAIN, "crop": 16, "batch": 4}
    return {**sections, "degrade_on": "device", **changes}


@pytest.fixture
def parts(write_recipe, workshop):
    """Return (recipe, pairs) of a recipe with changed data."""

    def made(**changes):
        recipe = load_recipe(write_recipe(data=data(**changes)))
        return recipe, find_pairs(recipe.data.train, recipe, workshop, print)

    return made


def batch_of(recipe, pairs, step, channels, needs=frozenset()):
    clean = CleanMaker(pairs, recipe, channels=channels, needs=needs).batch(step)
    return Degrader(recipe, channels)(clean)


@pytest.mark.parametrize("channels", [1, 3])
def test_crops_are_those_of_the_host_and_cost_a_byte_each(parts, channels):
    recipe, pairs = parts(gray=0.5)
    host = BatchMaker(pairs, recipe, channels=channels)
    for step in range(4):
        ours, theirs = batch_of(recipe, pairs, step, channels), host.batch(step)
        torch.testing.assert_close(ours.reference, theirs.reference, atol=1e-6, rtol=0)
        assert ours.degraded.shape == theirs.degraded.shape
    assert CleanMaker(pairs, recipe, channels=channels).batch(0).crops.dtype == torch.uint8


@pytest.mark.parametrize("channels", [1, 3])
def test_what_is_not_random_is_that_of_the_host_whole(parts, channels):
    recipe, pairs = parts(degrade=[CHAIN[0]], gray=0.3, eight_bit=0.5)
    host = BatchMaker(pairs, recipe, channels=channels, needs=frozenset({"second"}))
    for step in range(4):
        ours = batch_of(recipe, pairs, step, channels, frozenset({"second"}))
        theirs = host.batch(step)
        # Rounded to 8 bits a hair's breadth can be a level.
        assert float((ours.degraded - theirs.degraded).abs().gt(1e-5).float().mean()) < 1e-3
        assert float((ours.second - theirs.second).abs().gt(1e-5).float().mean()) < 1e-3


def test_files_of_16_bits_keep_them(parts, workshop):
    Image.fromarray(np.full((40, 40), 12345, np.uint16)).save(workshop / "images" / "deep.png")
    recipe, pairs = parts(batch=5)
    clean = CleanMaker(pairs, recipe, channels=1).batch(0)
    assert clean.crops.dtype == torch.float32
    assert bool((clean.crops == np.float32(12345) / np.float32(65535)).any())


def test_a_batch_does_not_depend_on_those_before_and_a_sample_not_on_its_batch(parts):
    recipe, pairs = parts()
    assert torch.equal(batch_of(recipe, pairs, 3, 1).degraded, batch_of(recipe, pairs, 3, 1).degraded)
    small, _ = parts(batch=2)
    whole = batch_of(recipe, pairs, 1, 3).degraded
    halves = torch.cat([batch_of(small, pairs, step, 3).degraded for step in (2, 3)])
    assert float((whole - halves).abs().gt(1e-5).float().mean()) < 1e-3


def test_second_corruptions_are_independent_and_seeds_differ(parts, write_recipe):
    recipe, pairs = parts(degrade=[{"name": "gaussian", "sigma": 25}], crop=24, batch=32)
    batch = batch_of(recipe, pairs, 0, 1, frozenset({"second"}))
    first, second = batch.degraded - batch.reference, batch.second - batch.reference
    assert abs(float((first * second).mean())) * 255**2 < 25**2 * 0.05
    other = batch_of(recipe.model_copy(update={"seed": 1}), pairs, 0, 1)
    assert not torch.equal(other.degraded - other.reference, first)


def test_processes_give_the_batches_of_a_thread(parts):
    recipe, pairs = parts()
    made = worker_batches(CleanMaker(pairs, recipe, channels=1), 0, workers=2)
    here = device_batches(made, CPU, Degrader(recipe, 1))
    for step, batch in enumerate(islice(here, 5)):
        assert torch.equal(batch.degraded, batch_of(recipe, pairs, step, 1).degraded)
    here.close()


def test_a_run_on_the_device_is_resumed_exactly(write_recipe, workshop):
    recipe = write_recipe(data=data())
    straight = train(recipe, output=workshop / "straight")
    monitor = SilentMonitor()
    monitor.step = lambda step, fraction: os.kill(os.getpid(), signal.SIGINT) if step == 5 else None
    with pytest.raises(InterruptedRunError):
        train(recipe, output=workshop / "run", monitor=monitor)
    resumed = train(recipe, output=workshop / "run", resume=True)
    first, second = (read_weights(run.weights)[0] for run in (straight, resumed))
    assert all(torch.equal(value, second[name]) for name, value in first.items())


def test_masks_of_files_come_along(write_recipe, workshop):
    loaded = load_recipe(write_recipe(strategy="masked", data=data()))
    pairs = find_pairs(loaded.data.train, loaded, workshop, print)
    batch = batch_of(loaded, pairs, 0, 1, frozenset({"mask"}))
    assert batch.mask.shape == (4, 1, 16, 16)
    assert float(batch.mask.max()) == 0


EVERYTHING = [
    *CHAIN,
    {"name": "motion-blur", "random": True},
    {"name": "defocus", "random": True, "linear": "any"},
    {"name": "speckle", "severity": "0..5"},
    {"name": "salt-pepper", "random_valued": True, "probability": 0.5},
    {"name": "jpeg", "quality": "30..90", "subsampling": "any"},
]


def test_nothing_that_degrades_waits_for_the_device(parts, waits):
    recipe, pairs = parts(degrade=EVERYTHING, gray=0.5, eight_bit=0.5)
    clean, degrader = CleanMaker(pairs, recipe, channels=3).batch(0), Degrader(recipe, 3)
    with waits() as counter:
        degrader(clean)
    assert counter.found == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"data": data(degrade=["rain"])}, "rain is done on the host alone; on the device are gaussian"),
        ({"data": data(degrade=[{"name": "speckle", "law": "gamma"}])}, "law: gamma"),
        ({"data": data(degrade_on="gpu")}, "'host' or 'device'"),
        (
            {"data": data(degrade=[]), "curriculum": {"levels": [["gaussian"], ["poisson"]]}},
            "the levels of a curriculum",
        ),
        (
            {"data": data(train=[{"degraded": "images", "reference": "images"}])},
            "device degrades clean images, and nothing of pairs of folders",
        ),
    ],
)
def test_what_cannot_be_done_on_the_device_is_refused(write_recipe, changes, words):
    with pytest.raises(RecipeError) as caught:
        load_recipe(write_recipe(**changes))
    assert words in str(caught.value)


def test_recipes_that_do_not_ask_for_it_are_saved_as_before(write_recipe):
    recipe = load_recipe(write_recipe())
    assert "degrade_on" not in recipe.resolved()["data"]
    assert load_recipe(write_recipe(data=data())).resolved()["data"]["degrade_on"] == "device"


def test_waiting_batches_are_counted_as_bytes(write_recipe):
    host, ours = (
        least_bytes(load_recipe(write_recipe(data=data(degrade_on=on)))) for on in ("host", "device")
    )
    assert ours[1] < host[1]


class Recorder:
    """A stream that notes what happens."""

    def __init__(self, log):
        self.log = log

    def entered(self):
        self.log.append("enter")
        return self

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.log.append("leave")

    def joined(self, batch):
        self.log.append("join")


def test_copies_and_degradations_are_put_on_their_lane_after_the_step_before(parts):
    recipe, pairs = parts()
    log, maker, degrader = [], CleanMaker(pairs, recipe, channels=1), Degrader(recipe, 1)

    def host():
        for step in range(2):
            log.append("made")
            yield maker.batch(step)

    def degrade(clean):
        log.append("degrade")
        return degrader(clean)

    for batch in device_batches(host(), CPU, degrade, Recorder(log)):
        assert isinstance(batch, Batch)
        log.append("step")
    assert log == ["made", "enter", "degrade", "leave", "join", "step"] * 2


class Stream:
    """What `SideStream` asks of a stream of CUDA's, noting what it is told."""

    def __init__(self, log, name):
        self.log, self.name = log, name

    def wait_stream(self, other):
        self.log.append((self.name, "waits for", other.name))


def test_the_usual_stream_waits_for_the_side_stream_and_never_the_other_way(monkeypatch):
    from restorecli.training.device_batches import SideStream

    log = []
    side, usual = Stream(log, "side"), Stream(log, "usual")
    monkeypatch.setattr(torch.cuda, "Stream", lambda device: side)
    monkeypatch.setattr(torch.cuda, "current_stream", lambda device: usual)
    monkeypatch.setattr(
        torch.Tensor, "record_stream", lambda self, stream: log.append(("kept for", stream.name))
    )
    stream = SideStream(torch.device("cuda"))
    stream.joined(Batch(torch.zeros(1), torch.zeros(1), mask=torch.zeros(1)))
    assert log == [("usual", "waits for", "side"), *[("kept for", "usual")] * 3]
