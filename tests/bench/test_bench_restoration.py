"""Restoring beside the usual research loop."""

import json

import numpy as np
import pytest
import torch

from restorecli.bench import machine, restoration
from restorecli.bench.images import bench_pairs
from restorecli.bench.restoration import LOOP, bench_restoration
from restorecli.core.zoo import find_network
from restorecli.restoration import race

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def bench():
    """Two small images: without hardware for bfloat16 it takes seconds each."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(restoration, "bench_pairs", lambda data: bench_pairs(data)[:2])
        patch.setattr(race, "_SIDE", 16)
        patch.setattr(machine, "_PLANE_SIDE", 8)
        return bench_restoration("dncnn", rounds=1, crop=16)


def test_every_way_is_measured_and_fits_json(bench):
    told = json.loads(json.dumps(bench.to_dict(), allow_nan=False))
    names = [way["name"] for way in told["in_memory"]]
    assert names[:3] == [LOOP, "restorecli, float32", "restorecli, bfloat16"]
    assert told["in_memory"][0]["times_as_fast"] == 1
    assert told["size"] == [16, 16]
    assert len(told["from_files"]) == 4
    assert all(way["cpu_seconds"] > 0 for way in told["in_memory"] + told["from_files"])
    assert set(told["share_of_limit"]) == set(told["limit_flops_per_cpu_second"]) == {"float32", "bfloat16"}


def test_the_share_of_the_limit_is_that_of_the_work_done(bench):
    """By hand: the kernels of DnCNN, two operations each, on three planes of 16x16."""
    kernels = sum(value.numel() for value in find_network("dncnn")[0].parameters() if value.ndim == 4)
    for way in bench.in_memory[1:3]:
        name = way.name.removeprefix("restorecli, ")
        done = bench.share_of_limit[name] * bench.limits[name] * way.taken.cpu
        assert done == pytest.approx(2 * kernels * 3 * 16**2, rel=1e-6)


def test_the_same_is_computed(bench):
    """What is faster because it computes something else is no result."""
    loop, *others = bench.in_memory
    assert (loop.difference, loop.loss) == (0, 0)
    for way in others:
        half = "bfloat16" in way.name
        assert way.difference < (3 if half else 0.05)
        assert abs(way.loss) < (0.1 if half else 1e-3)
    assert all(way.difference > 0 for way in others if "bfloat16" in way.name)


def test_the_ratio_is_that_of_the_times(bench):
    for way in bench.in_memory:
        assert way.times_as_fast.cpu == pytest.approx(bench.in_memory[0].taken.cpu / way.taken.cpu)


def test_the_loop_is_the_bare_network(bench):
    """Judge: the network itself, channel by channel."""
    from restorecli.bench.restoration import _loop

    network = find_network("dncnn")[0].eval()
    pixels = np.ascontiguousarray(bench_pairs(None)[0].degraded[:, :32, :40].astype(np.float32) / 255)
    with torch.no_grad():
        expected = torch.cat([network(torch.from_numpy(plane)[None, None])[0] for plane in pixels]).clamp(
            0, 1
        )
    np.testing.assert_allclose(_loop(network)(pixels), expected.numpy(), atol=1e-6)
