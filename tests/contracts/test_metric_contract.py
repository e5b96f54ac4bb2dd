"""Laws that hold for every metric of the catalog that works offline; adding one adds its tests."""

import pytest

from restorecli.evaluation.metrics.catalog import METRICS
from restorecli.testing import METRIC_LAWS
from restorecli.testing.metrics import noisy, scores_under

OFFLINE = [name for name, metric in METRICS.items() if metric.offline]
DIRECTED = [
    name
    for name in OFFLINE
    if "reference" in METRICS[name].needs and METRICS[name].higher_is_better is not None
]


@pytest.mark.parametrize("name", OFFLINE)
@pytest.mark.parametrize("law", METRIC_LAWS, ids=lambda law: law.__name__)
def test_law(law, name):
    law(name)


@pytest.mark.parametrize("name", [name for name in DIRECTED if name != "defect-score"])
def test_noise_scores_worse_but_for_the_one_metric_that_is_meant_to_leave_it(name):
    scores = scores_under(name, noisy)
    assert scores == sorted(scores, reverse=bool(METRICS[name].higher_is_better))
    assert len(set(scores)) == 3
