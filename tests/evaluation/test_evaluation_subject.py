"""What a metric is given: computed once, shared, and only where it is known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from restorecli.errors import DataError
from restorecli.evaluation.metrics import metric as metric_module
from restorecli.evaluation.metrics.catalog import find_metrics
from restorecli.evaluation.metrics.metric import Metric, Subject, View
from restorecli.evaluation.metrics.protocol import PROTOCOLS, find_protocol
from restorecli.evaluation.metrics.psnr_ssim import to_8_bits
from restorecli.evaluation.pairing.pairs import Pair, Source
from restorecli.evaluation.scoring import score_pair

RGB = PROTOCOLS["rgb"]


def source(path: Path) -> Source:
    return Source(path.name, path.parent, path)


def make_image(seed: int, shape=(3, 16, 20)) -> np.ndarray:
    return np.random.default_rng(seed).random(shape, np.float32)


def asks_for(*needs: str, answer=lambda subject: 1.0) -> Metric:
    return Metric("probe", "Probe", "", True, 2, answer, frozenset(needs), "what a test wants to know")


def test_an_image_is_rounded_once_however_many_metrics_ask(monkeypatch):
    calls = []
    monkeypatch.setattr(metric_module, "to_8_bits", lambda pixels: calls.append(1) or to_8_bits(pixels))
    reference = View(make_image(0))
    for seed in (1, 2):  # the degraded and the restored image share their reference
        subject = Subject(make_image(seed), reference, protocol=RGB)
        for metric in find_metrics(["psnr", "ssim", "mae", "psnr-y", "gmsd"]):
            metric.function(subject)
    assert len(calls) == 3


def test_what_is_compared_is_computed_once_and_never_copied():
    subject = Subject(make_image(1), make_image(0), protocol=find_protocol("basicsr-y:2"))
    first, second = subject.compared(), subject.compared()
    assert all(one is other for one, other in zip(first, second, strict=True))
    assert first[0].shape == (1, 12, 16)


def test_a_subject_knows_what_it_has():
    alone = Subject(make_image(1), None, protocol=RGB)
    assert alone.known == frozenset()
    assert (alone.reference, alone.degraded) == (None, None)
    with pytest.raises(DataError, match="no reference"):
        alone.compared()
    full = Subject(
        make_image(1),
        make_image(0),
        protocol=RGB,
        degraded=make_image(2),
        mask=np.zeros((16, 20), bool),
        redegraded=lambda: make_image(3),
    )
    assert full.known == {"reference", "degraded", "mask", "redegraded"}


def test_a_mask_is_cropped_with_the_image():
    mask = np.zeros((16, 20), bool)
    mask[5, 6] = True
    subject = Subject(make_image(1), make_image(0), protocol=find_protocol("rgb:4"), mask=mask)
    assert subject.compared_mask().shape == subject.compared()[0].shape[1:]
    assert subject.compared_mask()[1, 2]
    with pytest.raises(DataError, match="mask"):
        Subject(make_image(1), make_image(0), protocol=RGB, mask=mask[1:]).compared_mask()


def test_eight_bit_pixels_are_the_same_subject_as_floats_of_them():
    levels = np.random.default_rng(0).integers(0, 256, (3, 16, 16), dtype=np.uint8)
    view = View(levels)
    assert view.unit.dtype == np.float32
    assert (to_8_bits(view.unit) == levels).all()
    for protocol in PROTOCOLS.values():
        floats = View(view.unit).under(protocol)
        assert view.under(protocol) == pytest.approx(floats, abs=1e-4)


@pytest.fixture
def pair(save, tmp_path) -> Pair:
    files = [
        save(tmp_path / side / "a.png", seed)
        for seed, side in enumerate(("reference", "restored", "degraded"))
    ]
    return Pair("a.png", "", None, *(source(file) for file in files))


def test_a_metric_without_its_needs_has_no_score_and_no_note(pair):
    probe = asks_for("mask", answer=lambda subject: pytest.fail("asked without a mask"))
    outcome = score_pair(pair, [probe], RGB)
    assert outcome.score.restored == {"probe": None}
    assert outcome.score.notes == ()


def test_an_undefined_metric_is_noted(pair):
    def refuse(subject):
        raise DataError("no", expected="more", got="less")

    outcome = score_pair(pair, [asks_for("reference", answer=refuse)], RGB)
    assert outcome.score.restored == {"probe": None}
    assert outcome.score.notes == ("Probe undefined: expected more, got less",)


def test_only_the_restored_side_knows_its_degraded_input(pair):
    seen = []

    def look(subject):
        seen.append(subject.known)
        return 0.0

    score_pair(pair, [asks_for(answer=look)], RGB, lambda record, pixels: pixels)
    assert seen == [{"reference", "degraded"}, {"reference"}]  # no manifest: nothing to degrade again


def test_an_image_alone_is_scored_by_what_needs_no_reference(pair):
    alone = Pair("a.png", "", None, None, pair.restored, None)
    outcome = score_pair(alone, [asks_for(answer=lambda subject: 7.0), *find_metrics(["psnr"])], RGB)
    assert outcome.score.restored == {"probe": 7.0, "psnr": None}


def test_a_mask_is_read_only_when_a_metric_needs_it(pair, tmp_path, save):
    missing = Pair(**{**_fields(pair), "mask": source(tmp_path / "gone.png")})
    assert score_pair(missing, find_metrics(["psnr"]), RGB).problems == ()
    outcome = score_pair(missing, [asks_for("mask"), *find_metrics(["psnr"])], RGB)
    assert [problem.side for problem in outcome.problems] == ["mask"]
    assert outcome.score.restored["psnr"] > 0
    assert outcome.score.restored["probe"] is None
    there = save(tmp_path / "mask.png", pixels=np.ones((1, 16, 20), np.float32))
    marked = Pair(**{**_fields(pair), "mask": source(there)})
    probe = asks_for("mask", answer=lambda subject: float(subject.mask.mean()))
    assert score_pair(marked, [probe], RGB).score.restored == {"probe": 1.0}


def _fields(pair: Pair) -> dict[str, object]:
    return {name: getattr(pair, name) for name in Pair.__slots__}
