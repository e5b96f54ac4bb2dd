"""One device beside what limits it; on a CPU the same table."""

import json

import pytest

from restorecli.bench.throughput import bench_throughput
from restorecli.errors import UsageError


@pytest.mark.slow
def test_a_device_is_measured_beside_what_limits_it():
    bench = bench_throughput("dncnn", device="cpu", precision="fp32", rounds=1, crop=32, images=3)
    told = json.loads(json.dumps(bench.to_dict(), allow_nan=False))
    assert (told["device"], told["precision"], told["model"]) == ("cpu", "float32", "dncnn")
    assert told["first_image_seconds"] > 0
    [size] = told["sizes"]
    assert (size["size"], size["images"], size["batch"], size["tile"]) == ([32, 32], 3, 1, None)
    times = {name: size[f"{name}_seconds"] for name in ("network", "in_memory", "codecs", "from_files")}
    assert min(times.values()) > 0
    assert size["network_share_in_memory"] == pytest.approx(times["network"] / times["in_memory"])
    slower = max(times["network"], times["codecs"])
    assert size["share_of_slower_limit"] == pytest.approx(slower / times["from_files"])


def test_a_device_that_is_not_there_is_refused_before_anything_is_made():
    with pytest.raises(UsageError, match="device"):
        bench_throughput("dncnn", device="cuda:77")
