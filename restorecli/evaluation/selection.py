"""Which metrics are measured: those asked for by name, or all that can be."""

from __future__ import annotations

from collections.abc import Sequence

from restorecli.evaluation.metrics.catalog import METRICS, find_metrics
from restorecli.evaluation.metrics.metric import Metric, Need
from restorecli.evaluation.pairing.pairs import Pair
from restorecli.evaluation.scoring import Redegrade

ALL = "all"
"""The word for every metric that these images allow and that needs no download."""


def choose_metrics(
    names: Sequence[str], pairs: Sequence[Pair] = (), redegrade: Redegrade | None = None
) -> tuple[Metric, ...]:
    """Return the metrics asked for, each once.

    Args:
        names: Names of the catalog; "all" stands for those whose needs some pair meets.
        pairs: What is known of the images.
        redegrade: Whether an image can be degraded again.

    Raises:
        UsageError: There is no such metric.
    """
    if ALL not in names:
        return find_metrics(names)
    named = find_metrics([name for name in names if name != ALL])
    known = _known(pairs, redegrade)
    possible = (metric for metric in METRICS.values() if metric.needs <= known and metric.offline)
    return tuple(dict.fromkeys((*possible, *named)))


def _known(pairs: Sequence[Pair], redegrade: Redegrade | None) -> frozenset[Need]:
    """Return what at least one pair offers."""
    there: dict[Need, bool] = {
        "reference": any(pair.reference is not None for pair in pairs),
        "mask": any(pair.mask is not None for pair in pairs),
        "degraded": any(pair.degraded is not None and pair.restored is not None for pair in pairs),
        "redegraded": redegrade is not None
        and any(pair.record is not None and pair.record.degradations for pair in pairs),
    }
    return frozenset(need for need, met in there.items() if met)
