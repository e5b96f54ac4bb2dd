"""`bench dither`: the report's table of five networks on error diffusion, beside what doing nothing gives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from restorecli.bench.models import NO_VALUE, load_average, outcome_to_dict, psnr_cells
from restorecli.bench.running import Watch, run_trials
from restorecli.bench.trials import Trial, TrialResult, compose
from restorecli.errors import RestorecliError

DITHER = "dither"

REPORTED = {"perceptron": 13.9, "autoencoder": 12.3, "resnet": 11.4, "unet": 10.3, "gan": 10.1}
"""The report's PSNR in dB on its validation images (dithered DIV2K), by network."""


@dataclass(frozen=True, slots=True)
class DitherBench:
    """What `bench dither` found.

    Attributes:
        load: Processes that wanted a core in the minute before; None where the system does not say.
        outcomes: By network: what its trial gave, or the error that ended it.
    """

    load: float | None
    outcomes: dict[str, TrialResult | RestorecliError]

    @property
    def failed(self) -> tuple[str, ...]:
        """The networks whose trial failed."""
        return tuple(name for name, outcome in self.outcomes.items() if isinstance(outcome, RestorecliError))

    def to_dict(self) -> dict[str, object]:
        """Return everything as JSON values."""
        networks = [
            {"name": name, "reported_psnr": REPORTED[name], "trial": outcome_to_dict(outcome)}
            for name, outcome in self.outcomes.items()
        ]
        return {"load": self.load, "networks": networks}


def bench_dither(
    names: Sequence[str] = (),
    *,
    data: Path,
    runs: Path,
    test: Path | None = None,
    hours: float | None = None,
    threads: int = 1,
    watch: Watch | None = None,
) -> DitherBench:
    """Train networks of the report's table on dithered images, each by its recipe, and try them.

    Args:
        names: Of the networks; empty takes all five.
        data: Clean images to train on.
        runs: Folder of the runs; what is done in it is read back.
        test: Clean images for the test; None takes those held out of training.
        hours: Budget of each training in place of the recipe's.
        threads: That torch computes on.
        watch: Progress callbacks.

    Raises:
        RecipeError: There is no recipe for a network.
        InterruptedRunError: A signal asked to stop a training; the same call goes on.
    """
    chosen = tuple(names) or tuple(REPORTED)
    trials = [
        Trial(f"{DITHER}-{name}", compose(f"{DITHER}/{name}", hours=hours), data, test) for name in chosen
    ]
    outcomes = run_trials(trials, runs, threads=threads, watch=watch)
    return DitherBench(load_average(), dict(zip(chosen, outcomes, strict=True)))


def dither_table(bench: DitherBench) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Return the headers and rows of the table."""
    headers = (
        "network",
        "PSNR dithered (dB)",
        "PSNR restored (dB)",
        "gained (dB)",
        "SSIM dithered",
        "SSIM restored",
        "the report's PSNR (dB)",
    )
    rows: list[tuple[str, ...]] = []
    for name, outcome in bench.outcomes.items():
        ssim = (NO_VALUE, NO_VALUE)
        if isinstance(outcome, TrialResult):
            ssim = f"{outcome.degraded['ssim']:.4f}", f"{outcome.restored['ssim']:.4f}"
        rows.append((name, *psnr_cells(outcome), *ssim, f"{REPORTED[name]:.1f}"))
    return headers, rows
