"""`restore --tune`: the parameters of a method that restore given pairs best."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from restorecli.degradation.parameters import Value, parameters_of
from restorecli.degradation.sampler import Choice, Range, read_spec
from restorecli.errors import ImageError, UsageError
from restorecli.evaluation.result import json_number
from restorecli.folders.jobs import Progress, SilentProgress
from restorecli.images.options import STRICT, ReadOptions
from restorecli.restoration.known import Known
from restorecli.restoration.methods.base import Method
from restorecli.restoration.methods.catalog import METHODS, create_method
from restorecli.tune.pairs import data_error, read_examples
from restorecli.tune.search import SWEEPS, Descent, Values


@dataclass(frozen=True, slots=True)
class Tried:
    """What was tried of one parameter.

    Attributes:
        name: The parameter.
        default: What it would have been.
        best: What was picked.
        scores: Every value that was tried with the mean PSNR (dB) that it had, in rising order.
    """

    name: str
    default: Value
    best: Value
    scores: tuple[tuple[Value, float], ...]


@dataclass(frozen=True, slots=True)
class Tuning:
    """What was found.

    Attributes:
        method: The method's name.
        values: Its parameters that are not the defaults, those that were fixed included.
        tried: What was tried.
        before: Mean PSNR over the pairs in dB with the defaults and what was fixed.
        after: With `values`; never less.
        pairs: How many pairs were restored.
        of: How many there are.
        unmatched: Images without a reference.
    """

    method: str
    values: Mapping[str, Value]
    tried: tuple[Tried, ...]
    before: float
    after: float
    pairs: int
    of: int
    unmatched: int

    @property
    def words(self) -> str:
        """What to add to a command line that is to give the same again; empty for the defaults."""
        return " ".join(f"--set {self.method}.{name}={_word(value)}" for name, value in self.values.items())

    def to_dict(self) -> dict[str, object]:
        """Return the result as JSON values; infinity is the string "inf"."""
        return {
            "method": self.method,
            "parameters": dict(self.values),
            "words": self.words,
            "psnr_before": json_number(self.before),
            "psnr_after": json_number(self.after),
            "pairs": self.pairs,
            "pairs_in_all": self.of,
            "unmatched": self.unmatched,
            "tried": {
                tried.name: [[value, json_number(score)] for value, score in tried.scores]
                for tried in self.tried
            },
        }


def tune(
    model: str,
    degraded: Path,
    reference: Path,
    *,
    known: Known | None = None,
    fixed: Mapping[str, object] | None = None,
    reading: ReadOptions = STRICT,
    progress: Progress | None = None,
) -> Tuning:
    """Pick the parameters of a method with which it restores given pairs best, by mean PSNR.

    The search is that of `Descent`, over the parameters that declare a range (`draw`) and are not fixed;
    which pairs are restored, and how much of each, is that of `read_examples`. The same pairs and arguments
    give the same parameters.

    Args:
        model: Name of the method.
        degraded: Folder of degraded images; a manifest in it tells noise, operator and mask.
        reference: Folder of their originals, paired as `eval` pairs: by relative path and stem.
        known: What the caller says about the degraded images.
        fixed: Parameters that are not searched, as `create_method` takes them.
        reading: How to read what is unusual.
        progress: Progress callbacks.

    Returns:
        The parameters, and what was tried.

    Raises:
        UsageError: The model is no method, a fixed value is wrong, or there is nothing to search.
        DataError: There is no pair, or one cannot be read, differs in size or cannot be restored.
    """
    specs = _specs(model, fixed or {})
    base = create_method(model, fixed)
    examples = read_examples(base, degraded, reference, known or Known(), reading)
    failures: list[ImageError] = []

    def score(values: Values) -> float:
        try:
            return float(np.mean([example.score(replace(base, **values)) for example in examples.taken]))
        except ImageError as error:  # e.g. a kernel larger than the image: other values may do
            failures.append(error)
            return -math.inf

    descent = Descent({name: getattr(base, name) for name in specs}, score, lambda v: _can_be(base, v))
    if failures:
        raise data_error(failures[0], degraded)
    before, progress = descent.best, progress or SilentProgress()
    progress.start(SWEEPS * len(specs), "tuning")
    try:
        descent.run(specs, progress.advance)
    finally:
        progress.finish()
    return Tuning(
        method=model,
        values=_changed(replace(base, **descent.values)),
        tried=tuple(_tried(base, name, descent) for name in specs),
        before=before,
        after=descent.best,
        pairs=len(examples.taken),
        of=examples.pairs,
        unmatched=examples.unmatched,
    )


def _specs(model: str, fixed: Mapping[str, object]) -> dict[str, Choice | Range]:
    if model not in METHODS:
        raise UsageError(
            "--tune picks the parameters of a method without weights.",
            expected=f"--model with one of {', '.join(METHODS)}",
            got=f"--model {model}",
        )
    specs = {
        name: read_spec(info, info.draw, model)
        for name, info in parameters_of(METHODS[model].load()).items()
        if info.draw is not None
    }
    left = {name: spec for name, spec in specs.items() if name not in fixed}
    if not left:
        raise UsageError(
            f"There is nothing to tune in {model}.",
            expected="a parameter that is not fixed by --set" if specs else "a method with such a parameter",
            got=f"fixed: {', '.join(fixed)}" if fixed else "no parameter worth searching",
        )
    return left


def _can_be(base: Method, values: Values) -> bool:
    try:
        replace(base, **values)
    except UsageError:  # an even window
        return False
    return True


def _changed(method: Method) -> dict[str, Value]:
    info = parameters_of(type(method))
    return {name: value for name, value in method.parameters().items() if value != info[name].default}


def _tried(base: Method, name: str, descent: Descent) -> Tried:
    scores = descent.tried.get(name, {}).items()
    ordered = sorted(scores, key=lambda pair: (isinstance(pair[0], str), pair[0]))
    return Tried(name, getattr(base, name), descent.values[name], tuple(ordered))


def _word(value: Value) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
