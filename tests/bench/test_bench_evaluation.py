"""`bench eval`: other libraries' values beside ours, missing ones told, ratios by their definition."""

import json

import numpy as np
import pytest
from PIL import Image

from restorecli.bench import evaluation, images, metric_peers
from restorecli.bench.evaluation import EvaluationBench, Method, bench_evaluation
from restorecli.bench.images import HEIGHT, WIDTH, bench_pairs
from restorecli.bench.machine import Limits
from restorecli.bench.metric_peers import PEERS, MissingPeer, Peer, Ready, loaded_peers
from restorecli.bench.timing import Taken
from restorecli.errors import DataError
from restorecli.evaluation.metrics.psnr_ssim import psnr, ssim

SCIKIT_IMAGE = PEERS[0]


def absent() -> Ready:
    raise ModuleNotFoundError("No module named 'nowhere'", name="nowhere")


def broken() -> Ready:
    raise RuntimeError("operator torchvision::nms does not exist")


@pytest.fixture
def few_peers(monkeypatch) -> None:
    peers = (SCIKIT_IMAGE, Peer("absent", absent), Peer("broken", broken))
    monkeypatch.setattr(metric_peers, "PEERS", peers)
    monkeypatch.setattr(images, "_SAMPLES", ("astronaut", "coffee"))
    monkeypatch.setattr(evaluation, "_FOLDER_PAIRS", 3)


def test_libraries_that_are_not_here_or_do_not_load_are_told(few_peers) -> None:
    ready, missing = loaded_peers()
    assert list(ready) == [SCIKIT_IMAGE]
    assert missing == [
        MissingPeer("absent", "not installed (nowhere)"),
        MissingPeer("broken", "does not load: operator torchvision::nms does not exist"),
    ]


def test_the_images_are_photographs_of_one_size_and_the_same_in_every_run() -> None:
    pairs, again = bench_pairs(None), bench_pairs(None)
    assert [pair.name for pair in pairs] == ["astronaut", "chelsea", "coffee", "rocket"]
    for pair, other in zip(pairs, again, strict=True):
        assert pair.degraded.shape == pair.reference.shape == (3, HEIGHT, WIDTH)
        np.testing.assert_array_equal(pair.degraded, other.degraded)
        assert psnr(pair.degraded, pair.reference) == pytest.approx(20.17, abs=0.9)  # sigma 25, clipped


def test_a_folder_gives_its_rgb_images(tmp_path) -> None:
    Image.new("L", (30, 20)).save(tmp_path / "gray.png")
    with pytest.raises(DataError, match="nothing to measure"):
        bench_pairs(tmp_path)
    Image.new("RGB", (30, 20), (9, 99, 200)).save(tmp_path / "colour.png")
    (pair,) = bench_pairs(tmp_path)
    assert pair.name == "colour.png"
    assert (pair.reference == np.array([9, 99, 200])[:, None, None]).all()


@pytest.mark.parametrize("name", ["scikit-image", "torchmetrics"])
def test_a_library_is_called_for_the_value_that_it_documents(name) -> None:
    (peer,) = (peer for peer in PEERS if peer.name == name)
    ready = peer.load()
    rng = np.random.default_rng(0)
    reference = np.kron(rng.integers(0, 256, (3, 6, 7)), np.ones((1, 16, 16))).astype(np.uint8)
    degraded = np.clip(reference + rng.normal(0, 20, reference.shape), 0, 255).astype(np.uint8)
    values = ready.measure(ready.prepare(degraded), ready.prepare(reference))
    assert values[0] == pytest.approx(psnr(degraded, reference), abs=1e-4)
    # torchmetrics pads the borders, which is another SSIM.
    assert values[1] == pytest.approx(ssim(degraded, reference), abs=1e-9 if name == "scikit-image" else 0.05)


def test_everything_is_measured_and_fits_json(few_peers) -> None:
    bench = bench_evaluation(rounds=1, workers=2)
    told = json.loads(json.dumps(bench.to_dict(), allow_nan=False))
    ours, both, theirs = told["methods"]
    assert ours["name"].startswith("restorecli")
    assert both["name"].endswith("2 threads")
    assert theirs["name"].startswith("scikit-image")
    assert ours["psnr"] == pytest.approx(theirs["psnr"], abs=1e-9)
    assert ours["ssim"] == pytest.approx(theirs["ssim"], abs=1e-12)
    assert told["fastest_same_value"]["name"] == theirs["name"]
    assert [peer["name"] for peer in told["missing"]] == ["absent", "broken"]
    assert told["folder"]["pairs_per_second"] > 0
    assert told["limits"]["float64_flops_per_core"] > 1e8


def test_the_rival_is_the_fastest_with_the_same_value() -> None:
    def method(name: str, seconds: float, *, same: bool) -> Method:
        return Method(name, Taken(seconds, 2 * seconds), (20.0, 0.5), same)

    bench = EvaluationBench(
        images=("a",),
        workers=1,
        load=None,
        methods=(
            method("restorecli 1", 1.0, same=True),
            method("restorecli 1, 2 threads", 0.5, same=True),
            method("other value", 2.0, same=False),
            method("slow", 9.0, same=True),
            method("fast", 4.0, same=True),
        ),
        missing=(),
        decoding=Taken(1, 1),
        folder=Taken(1, 1),
        machine=Limits(1e9, 1e9),
    )
    assert bench.rival.name == "fast"
    assert bench.times_as_fast(bench.rival) == Taken(4.0, 4.0)
    assert bench.share_of_bytes == 2 * 3 * WIDTH * HEIGHT / 2 / 1e9
