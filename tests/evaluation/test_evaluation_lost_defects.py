"""Lost defects: those that lost more than ten points, and of how many."""

from __future__ import annotations

import json

from restorecli.evaluation.statistics.lost_defects import lost_defects
from restorecli.evaluation.tables.saved import read_evaluation, to_json

METRICS = ("psnr", "defect-score")
BEFORE = {"a/0.png": [20.0, 95.0], "a/1.png": [20.0, 90.0], "b/2.png": [20.0, 99.0], "b/3.png": [20.0, None]}
AFTER = {"a/0.png": [30.0, 84.9], "a/1.png": [30.0, 80.0], "b/2.png": [30.0, 40.0], "b/3.png": [30.0, 5.0]}


def test_what_lost_more_than_ten_points_is_listed_with_the_largest_loss_first(made):
    lost = lost_defects(made(AFTER, BEFORE, metrics=METRICS).images)
    assert [(entry.path, entry.category) for entry in lost.entries] == [("b/2.png", "b"), ("a/0.png", "a")]
    assert lost.entries[0].lost == 59
    assert lost.sentence == "2 of 3 defects lost more than 10 points:"
    assert lost_defects(made(BEFORE, AFTER, metrics=METRICS).images).sentence == (
        "0 of 3 defects lost more than 10 points."
    )


def test_without_a_score_before_and_after_nothing_is_said(made):
    assert lost_defects(made(AFTER, metrics=METRICS).images) is None
    assert "lost_defects" not in made(AFTER, metrics=METRICS).to_dict()
    assert lost_defects(made({"a/0.png": [1.0]}, {"a/0.png": [2.0]}, metrics=["psnr"]).images) is None


def test_they_stand_in_the_json_and_a_saved_evaluation_tells_the_same(made, tmp_path):
    evaluation = made(AFTER, BEFORE, metrics=METRICS)
    document = json.loads(to_json(evaluation))["lost_defects"]
    assert (document["margin"], document["judged"]) == (10.0, 3)
    assert document["lost"][0] == {"path": "b/2.png", "degraded": 99.0, "restored": 40.0, "lost": 59.0}
    file = tmp_path / "scores.json"
    file.write_text(to_json(evaluation))
    assert read_evaluation(file).to_dict() == evaluation.to_dict()
