"""`bench ablation`: a network with and without its parts, trained with several seeds each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from restorecli.bench.models import NO_VALUE, outcome_to_dict
from restorecli.bench.parts import POLICY, PartDifference, Variant, difference
from restorecli.bench.running import Watch, run_trials
from restorecli.bench.trials import METRICS, Trial, compose
from restorecli.core.models.catalog import count_parameters, create_model
from restorecli.errors import UsageError
from restorecli.evaluation.tables.cells import format_interval, format_number

WHOLE = "whole"

ABLATIONS: Mapping[str, Mapping[str, Mapping[str, object]]] = {
    "sca-unet": {
        WHOLE: {},
        "without attention": {"attention": False},
        "without non-local block": {"non_local": False},
        "without both": {"attention": False, "non_local": False},
    },
    "swm": {WHOLE: {}, "without frequency selection": {"frequency_selection": False}},
    "lcdnet": {
        WHOLE: {},
        "without MSFM": {"msfm": False},
        "without SCAM": {"scam": False},
        "without both": {"msfm": False, "scam": False},
    },
}
"""By network, the variants by name and the arguments that make them."""


@dataclass(frozen=True, slots=True)
class AblationBench:
    """What an ablation found.

    Attributes:
        network: Its name.
        variants: The whole network first.
    """

    network: str
    variants: tuple[Variant, ...]

    @property
    def differences(self) -> tuple[PartDifference, ...]:
        """Of the whole network to every other variant."""
        whole, *others = self.variants
        return tuple(difference(whole, other) for other in others)

    @property
    def failed(self) -> bool:
        """Whether a training failed."""
        return any(len(variant.done) < len(variant.results) for variant in self.variants)

    def to_dict(self) -> dict[str, object]:
        """Return everything as JSON values."""
        return {
            "network": self.network,
            "policy": POLICY,
            "variants": [_variant_to_dict(variant) for variant in self.variants],
            "differences": [
                {
                    "variant": found.variant,
                    "by_seed": {str(seed): value for seed, value in found.by_seed.items()},
                    "mean": found.mean,
                    "over_seeds": found.over_seeds,
                    "over_pictures": found.over_images,
                    "verdict": found.verdict,
                }
                for found in self.differences
            ],
        }


def bench_ablation(
    network: str,
    *,
    data: Path,
    test: Path,
    runs: Path,
    seeds: int = 3,
    steps: int | None = None,
    threads: int = 1,
    watch: Watch | None = None,
) -> AblationBench:
    """Train every variant of a network with several seeds by the recipe `ablation/NETWORK`, and try it.

    Args:
        network: A name of `ABLATIONS`.
        data: The folder that the recipe's folders are relative to.
        test: The same for the test.
        runs: Folder of the runs; what is done in it is read back.
        seeds: How many trainings of each variant; from 0.
        steps: Budget of each in place of the recipe's.
        threads: That torch computes on.
        watch: Progress callbacks.

    Raises:
        UsageError: The network has no ablation.
        InterruptedRunError: A signal asked to stop a training; the same call goes on.
    """
    if network not in ABLATIONS:
        raise UsageError("There is no such ablation.", expected=", ".join(ABLATIONS), got=network)
    variants = ABLATIONS[network]
    trials: dict[tuple[str, int], Trial] = {}
    for seed in range(seeds):  # seed by seed, so that what is there after a while can be compared
        for variant, arguments in variants.items():
            name = f"ablation-{network}-{variant.replace(' ', '-')}-{seed}"
            recipe = compose(f"ablation/{network}", name=name, arguments=arguments, seed=seed, steps=steps)
            trials[variant, seed] = Trial(name, recipe, data, test)
    outcomes = dict(zip(trials, run_trials(trials.values(), runs, threads=threads, watch=watch), strict=True))
    counts = {
        variant: count_parameters(create_model(network, **trials[variant, 0].recipe["model"]["arguments"]))
        for variant in variants
    }
    return AblationBench(
        network,
        tuple(
            Variant(variant, counts[variant], {seed: outcomes[variant, seed] for seed in range(seeds)})
            for variant in variants
        ),
    )


def ablation_table(bench: AblationBench) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Return the headers and rows of the table: variants with their spread, and differences to the whole."""
    headers = (
        bench.network,
        "parameters",
        "seeds",
        "PSNR (dB)",
        "spread",
        "SSIM",
        "whole - it (dB)",
        "95% over seeds",
        "95% over images",
        "verdict",
    )
    differences = {found.variant: found for found in bench.differences}
    return headers, [_row(variant, differences.get(variant.name)) for variant in bench.variants]


def _row(variant: Variant, found: PartDifference | None) -> tuple[str, ...]:
    psnr, ssim = variant.summary("psnr"), variant.summary("ssim")
    cells = (
        variant.name,
        f"{variant.parameters:,}",
        str(len(variant.done)),
        format_number(psnr.mean, 2),
        format_number(psnr.std, 2),
        format_number(ssim.mean, 4),
    )
    if found is None:
        return (*cells, *[NO_VALUE] * 4)
    return (
        *cells,
        format_number(found.mean, 2, signed=True),
        format_interval(found.over_seeds, 2, signed=True),
        format_interval(found.over_images, 2, signed=True),
        found.verdict,
    )


def _variant_to_dict(variant: Variant) -> dict[str, object]:
    summaries = {metric: variant.summary(metric) for metric in METRICS}
    return {
        "name": variant.name,
        "parameters": variant.parameters,
        "mean": {metric: summary.mean for metric, summary in summaries.items()},
        "spread": {metric: summary.std for metric, summary in summaries.items()},
        "seeds": {str(seed): outcome_to_dict(result) for seed, result in variant.results.items()},
    }
