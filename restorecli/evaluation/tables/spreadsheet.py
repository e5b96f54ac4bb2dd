"""An evaluation as CSV with every digit: a line for each image, and a line for each group."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain

from restorecli.evaluation.result import Evaluation, Group, PairScore, json_number
from restorecli.evaluation.statistics.difference import OVERALL
from restorecli.evaluation.statistics.intervals import Interval
from restorecli.evaluation.tables.cells import NO_VALUE


def groups_to_csv(evaluation: Evaluation) -> Iterator[str]:
    """Yield the names of the columns, a CSV line per group and one for all, with every number of the JSON.

    The columns are the fields of the groups, n, and for every side and metric the mean and its std, median,
    min, worst, low, high (the ends of the interval), n, identical and undefined; then the gain, low and high.
    """
    by = evaluation.by or ("category",)
    groups = evaluation.groups if evaluation.by else evaluation.categories
    lines = [
        {**dict(zip(by, group.values or (name,), strict=True)), "n": group.n, **_flat(group)}
        for name, group in groups.items()
    ]
    lines.append({by[0]: OVERALL, "n": evaluation.overall.n, **_flat(evaluation.overall)})
    return _csv(dict.fromkeys(chain.from_iterable(lines)), lines)


def images_to_csv(evaluation: Evaluation) -> Iterator[str]:
    """Yield the names of the columns and one CSV line per scored image.

    They hold every digit and every field of the manifest.
    """
    names = [metric.name for metric in evaluation.metrics]
    # Twice through the images: the columns are known after the last one, and no line is kept.
    columns = dict.fromkeys(name for score in evaluation.images for name in _image_line(score, names))
    return _csv(columns, (_image_line(score, names) for score in evaluation.images))


def _flat(group: Group) -> dict[str, object]:
    line: dict[str, object] = {}
    for side, summaries in (("degraded", group.degraded), ("restored", group.restored)):
        for name, summary in (summaries or {}).items():
            column = f"{side}_{name}"
            line |= {
                column: summary.mean,
                f"{column}_std": summary.std,
                f"{column}_median": summary.median,
                f"{column}_min": summary.minimum,
                f"{column}_worst": summary.worst,
                **_ends(column, summary.interval),
                f"{column}_n": summary.n,
                f"{column}_identical": summary.identical,
                f"{column}_undefined": summary.undefined,
            }
    for name, value in (group.gain or {}).items():
        interval = (group.gain_intervals or {}).get(name)
        line |= {f"gain_{name}": value, **_ends(f"gain_{name}", interval)}
    return line


def _ends(column: str, interval: Interval | None) -> dict[str, object]:
    low, high = interval or (None, None)
    return {f"{column}_low": low, f"{column}_high": high}


def _image_line(score: PairScore, metrics: Sequence[str]) -> dict[str, object]:
    pair = score.pair
    line: dict[str, object] = {"path": pair.path, "category": pair.category, "defect": pair.defect}
    line |= {name: value for name, value in score.fields.items() if name not in line}
    for side, scores in (("degraded", score.degraded), ("restored", score.restored)):
        line |= {f"{side}_{name}": value for name, value in (scores or {}).items()}
    line |= {f"gain_{name}": score.gain(name) for name in metrics if score.degraded and score.restored}
    return {**line, "notes": "; ".join(score.notes)}


def _csv(columns: Iterable[str], lines: Iterable[Mapping[str, object]]) -> Iterator[str]:
    names = list(columns)
    yield _csv_line(names)
    yield from (_csv_line([line.get(name) for name in names]) for line in lines)


def _csv_line(values: Iterable[object]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow([_cell(value) for value in values])
    return text.getvalue()


def _cell(value: object) -> object:
    """Return a value that no spreadsheet runs as a formula and every encoding holds."""
    if isinstance(value, str):
        formula = value.startswith(("=", "+", "-", "@", "\t", "\r")) and not _is_harmless(value)
        return f"{chr(39) * formula}{value}".encode("utf-8", "backslashreplace").decode("utf-8")
    return json_number(value) if isinstance(value, float) else value


def _is_harmless(value: str) -> bool:
    """Whether it is a number, or the dash of a field that an image does not have."""
    try:
        float(value)
    except ValueError:
        return value == NO_VALUE
    return True
