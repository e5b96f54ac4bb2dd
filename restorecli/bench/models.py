"""`bench models`: what every network costs, and what it gains on one real task after a short training."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from restorecli.bench.complexity import COUNTED
from restorecli.bench.costs import SIZES, Cost, measure_costs
from restorecli.bench.running import Watch, run_trials
from restorecli.bench.trials import Trial, TrialResult, compose
from restorecli.core.models.catalog import MODELS
from restorecli.errors import RestorecliError, UsageError

QUICK = "quick"
NO_VALUE = "-"


@dataclass(frozen=True, slots=True)
class ModelLine:
    """What is known of one network.

    Attributes:
        name: Of the network.
        costs: By size, "small" and "full".
        trial: The small one after its quick training; the error where that failed; None where none was asked.
    """

    name: str
    costs: Mapping[str, Cost]
    trial: TrialResult | RestorecliError | None = None

    def to_dict(self) -> dict[str, object]:
        """Return the line as JSON values."""
        costs = {size: cost.to_dict() for size, cost in self.costs.items()}
        return {"name": self.name, "costs": costs, "trial": outcome_to_dict(self.trial)}


@dataclass(frozen=True, slots=True)
class ModelsBench:
    """What `bench models` found.

    Attributes:
        side: Of the square RGB image that was timed.
        rounds: Calls that count; the medians are shown.
        threads: That torch computed on.
        load: Processes that wanted a core in the minute before; None where the system does not say.
        lines: One for each network.
    """

    side: int
    rounds: int
    threads: int
    load: float | None
    lines: tuple[ModelLine, ...]

    @property
    def failed(self) -> tuple[ModelLine, ...]:
        """The networks whose training failed."""
        return tuple(line for line in self.lines if isinstance(line.trial, RestorecliError))

    def to_dict(self) -> dict[str, object]:
        """Return everything as JSON values."""
        return {
            "side": self.side,
            "rounds": self.rounds,
            "threads": self.threads,
            "load": self.load,
            "precision": "fp32",
            "counted": COUNTED,
            "networks": [line.to_dict() for line in self.lines],
        }


def bench_models(
    names: Sequence[str] = (),
    *,
    data: Path | None = None,
    test: Path | None = None,
    runs: Path | None = None,
    hours: float | None = None,
    side: int = 256,
    rounds: int = 3,
    threads: int = 1,
    watch: Watch | None = None,
) -> ModelsBench:
    """Measure networks, and with images train each by its quick recipe and try it.

    Args:
        names: Of the networks; empty takes all.
        data: Clean images to train on; None trains nothing.
        test: Clean images for the test; None takes those held out of training.
        runs: Folder of the runs; needed with `data`. What is done in it is read back.
        hours: Budget of each training in place of the recipe's.
        side: Of the square image that is timed.
        rounds: Timed calls.
        threads: That torch computes on.
        watch: Progress callbacks.

    Raises:
        UsageError: A network is unknown, or `runs` is missing.
        InterruptedRunError: A signal asked to stop a training; the same call goes on.
    """
    watch = watch or Watch()
    entries = [MODELS.find(name) for name in names] or list(MODELS.values())
    results: dict[str, TrialResult | RestorecliError] = {}
    if data is not None:
        if runs is None:
            raise UsageError("Trainings need a folder for their runs.", hint="-o/--output RUNS")
        trials = [
            Trial(f"{QUICK}-{entry.name}", compose(f"{QUICK}/{entry.name}", hours=hours), data, test)
            for entry in entries
        ]
        outcomes = run_trials(trials, runs, threads=threads, watch=watch)
        results = {entry.name: outcome for entry, outcome in zip(entries, outcomes, strict=True)}
    lines = []
    for entry in entries:
        watch.log(f"{entry.name}: speed")
        costs = measure_costs(entry, side=side, rounds=rounds, threads=threads)
        lines.append(ModelLine(entry.name, costs, results.get(entry.name)))
    return ModelsBench(side, rounds, threads, load_average(), tuple(lines))


def models_table(bench: ModelsBench) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Return the headers and rows of the table: small beside full, then what the small one gained."""
    headers = ["network"]
    for size in SIZES:
        headers += [f"parameters {size}", f"multiply-adds per pixel {size}", f"MP/s {size}"]
    tried = any(line.trial is not None for line in bench.lines)
    if tried:
        headers += ["PSNR degraded (dB)", "PSNR restored (dB)", "gained (dB)"]
    rows = []
    for line in bench.lines:
        row = [line.name]
        for size in SIZES:
            row += _cost_cells(line.costs[size])
        rows.append(tuple([*row, *psnr_cells(line.trial)] if tried else row))
    return tuple(headers), rows


def markdown(headers: Sequence[str], rows: Iterable[Sequence[str]], *, names: int = 1) -> str:
    """Return a table in Markdown; the first columns, as many as `names`, hold words, the others numbers."""
    ruler = [*["---"] * names, *["---:"] * (len(headers) - names)]
    lines = [headers, ruler, *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def outcome_to_dict(outcome: TrialResult | RestorecliError | None) -> dict[str, object] | None:
    """Return a trial's result, or the error that ended it, as JSON values."""
    if isinstance(outcome, RestorecliError):
        return {"failed": outcome.problem, **outcome.details()}
    return None if outcome is None else outcome.to_dict()


def psnr_cells(outcome: TrialResult | RestorecliError | None) -> tuple[str, str, str]:
    """Return PSNR degraded, restored and gained as cells."""
    if not isinstance(outcome, TrialResult):
        return NO_VALUE, "failed" if outcome else NO_VALUE, NO_VALUE
    before, after = outcome.degraded["psnr"], outcome.restored["psnr"]
    return f"{before:.2f}", f"{after:.2f}", f"{outcome.gained():+.2f}"


def load_average() -> float | None:
    """Return how many processes wanted a core in the minute before; None where the system does not say."""
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else None


def _cost_cells(cost: Cost) -> tuple[str, str, str]:
    return f"{cost.parameters:,}", short(cost.multiply_adds), f"{cost.speed:.2g}"


def short(number: float) -> str:
    """Return a large number for a table, in thousands (k) or millions (M) with three digits."""
    scale, unit = (1e6, "M") if number >= 999_500 else (1e3, "k")
    value = number / scale
    return f"{value:.{max(0, 3 - len(str(int(value))))}f}{unit}"
