"""bench train, degrade and start: what is compared is the same work, and ratios are those of the times."""

import json
import sys

import numpy as np
import pytest
import torch

from restorecli.bench import machine, start
from restorecli.bench.degradation import CODEC, LOOP, OURS, bench_degradation
from restorecli.bench.images import bench_pairs
from restorecli.bench.start import BASE, bench_start
from restorecli.bench.timing import Taken
from restorecli.bench.training import IN_MEMORY, ON_DEVICE, _Ours, _Plain, _prepared, _session, bench_training
from restorecli.bench.training import LOOP as PLAIN
from restorecli.errors import UsageError
from restorecli.evaluation.metrics.psnr_ssim import psnr
from restorecli.training.captured import CHECKED, WARM_UP


@pytest.fixture(scope="module")
def training():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(machine, "_PRODUCT_SIDE", 128)
        patch.setattr(machine, "_PLANE_SIDE", 8)
        return bench_training(steps=1, rounds=1, crop=16, batch=2)


@pytest.fixture(scope="module")
def degradation():
    return bench_degradation(("gaussian:sigma=25", "defocus", "jpeg:quality=50"), rounds=1, crop=48)


def test_training_is_told_for_every_precision_with_and_without_data(training):
    told = json.loads(json.dumps(training.to_dict(), allow_nan=False))
    names = [way["name"] for way in told["ways"]]
    assert names[0] == PLAIN
    assert sum(IN_MEMORY in name for name in names) == sum(ON_DEVICE in name for name in names) == 2
    assert sum("bfloat16" in name for name in names) == 3
    assert len(names) == 7
    assert told["device"] == "cpu"
    assert (told["crop"], told["batch"]) == (16, 2)


def test_ratios_of_training_are_those_of_the_times(training):
    loop = training.ways[0]
    for way in training.ways:
        assert way.times_as_fast.cpu == pytest.approx(loop.taken.cpu / way.taken.cpu)
        assert 0 <= way.waited < 1
    work = [way.share_of_limit * way.taken.cpu for way in training.ways]
    limits = [training.limits["bfloat16" if "bfloat16" in way.name else "float32"] for way in training.ways]
    counted = [share * limit for share, limit in zip(work, limits, strict=True)]
    # DnCNN-S: 556,096 parameters, 1,920 of them in batch norms; by hand, two operations each, three passes.
    assert counted == pytest.approx([3 * 2 * (556_096 - 1_920 - 64) * 16**2 * 2] * len(counted), rel=0.01)


def test_the_limit_is_the_faster_of_a_product_and_a_convolution():
    """By hand: 2 n^3 operations in a product, 2 * 9 * channels^2 in a pixel of a 3x3 convolution."""
    seconds = dict(zip(machine.torch_limit_cases(), (2.0, 1.0, 1.0, 16.0), strict=True))
    assert list(seconds)[:2] == ["matrix product, float32", "convolution, float32"]
    limits = machine.torch_limits({name: Taken(1e9, value) for name, value in seconds.items()})
    assert limits == {"float32": 2 * 9 * 256**2 * 64**2 / 1.0, "bfloat16": 2 * 1024**3 / 1.0}


def test_both_loops_learn_the_same_from_the_same_batches(tmp_path):
    """A loop that trains on something else is no comparison."""
    recipe = _prepared("dncnn-s-25", None, tmp_path, 16, 2)
    plain, ours = (
        _Plain(_session(recipe, "fp32", tmp_path)),
        _Ours(_session(recipe, "fp32", tmp_path), in_memory=False),
    )
    try:
        first, second = (next(run._batches) for run in (plain, ours))
        assert torch.equal(first.degraded, second.degraded)
        assert torch.equal(first.reference, second.reference)
        before = [value.clone() for value in plain._network.parameters()]
        plain.step()
        ours.step()
        assert any(not torch.equal(*pair) for pair in zip(before, plain._network.parameters(), strict=True))
    finally:
        ours.close()


def test_a_recipe_without_a_usual_loop_is_refused(tmp_path):
    with pytest.raises(UsageError, match="no usual loop"):
        _prepared("noise2noise", None, tmp_path, 16, 2)


def test_degrading_is_told_beside_what_others_have(degradation):
    told = json.loads(json.dumps(degradation.to_dict(), allow_nan=False))
    assert [row["peer"] for row in told["in_memory"]] == ["scikit-image", None, "Pillow"]
    assert told["in_memory"][1]["times_as_fast"] is None
    assert [row["name"] for row in told["from_files"]] == [LOOP, OURS, CODEC]
    codec, ours = (degradation.from_files[name].cpu for name in (CODEC, OURS))
    assert told["share_of_codec_by_cpu_time"] == pytest.approx(codec / ours)


@pytest.mark.parametrize("name", ["gaussian", "jpeg"])
def test_the_peers_do_about_the_same(name):
    from restorecli.bench.degradation import _chain, _peer
    from restorecli.degradation.chain import degrade_array

    clean = bench_pairs(None)[0].reference.astype(np.float32) / 255
    text = {"gaussian": "gaussian:sigma=25", "jpeg": "jpeg:quality=50"}[name]
    ours, _ = degrade_array(clean, _chain(text), 0, "image")
    theirs = np.asarray(_peer(text, clean)[1]()).transpose(2, 0, 1)
    theirs = theirs / 255 if theirs.dtype == np.uint8 else theirs
    assert psnr(theirs.astype(np.float32), clean) == pytest.approx(psnr(ours.clip(0, 1), clean), abs=0.3)


def test_programs_are_timed_by_their_own_processes(monkeypatch):
    busy = "sum(range(3_000_000))"
    monkeypatch.setattr(
        start, "_programs", lambda _: {BASE: (sys.executable, "-c", ""), "busy": (sys.executable, "-c", busy)}
    )
    base, other = bench_start(rounds=1)
    assert base.times_the_base.cpu == 1
    assert other.taken.cpu > base.taken.cpu > 0
    assert other.to_dict()["times_the_base_by_cpu_time"] == other.taken.cpu / base.taken.cpu


def test_commands_are_started_as_a_user_starts_them(tmp_path):
    words = start._programs("median")["restorecli --help"]
    assert start._run(words, tmp_path).cpu > 0


def test_programs_are_timed_compiled_even_where_python_keeps_nothing_compiled(monkeypatch, tmp_path):
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    start._run((sys.executable, "-c", "import this"), tmp_path)
    assert list(tmp_path.rglob("this*.pyc"))


def test_a_graph_is_recorded_before_it_is_timed(tmp_path, monkeypatch):
    """On CUDA; here what would be recorded only counts."""
    recipe = _prepared("dncnn-s-25", None, tmp_path, 16, 2)
    ours = _Ours(_session(recipe, "fp32", tmp_path), in_memory=True)
    taken = []
    monkeypatch.setattr(ours, "_stepper", taken.append)
    try:
        ours.warm_up()
    finally:
        ours.close()
    assert len(taken) == WARM_UP + CHECKED
    assert ours.whole == ours.waited == 0
