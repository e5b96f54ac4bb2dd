"""Chains of degradations, the generator of each image, and the one function that all users share."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from restorecli.catalogs import check_arguments
from restorecli.degradation.base import Degradation, parameters_of
from restorecli.degradation.catalog import find
from restorecli.degradation.chain_file import read_chain_file
from restorecli.degradation.sampler import DegradationSampler
from restorecli.errors import RecipeError, UsageError
from restorecli.images.image import Pixels

StepSpec = str | Mapping[str, Any]
"""A degradation's name, or a mapping with `name`, parameters, and `probability`, `severity`, `random`."""

_OWN_KEYS = ("name", "probability", "severity", "random")


@dataclass(frozen=True)
class Chain:
    """Degradations in the order in which they are applied, each with its sampler."""

    samplers: tuple[DegradationSampler, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "samplers", tuple(self.samplers))
        if not self.samplers:
            raise UsageError("The chain is empty.", expected="at least one degradation", hint="gaussian")

    @classmethod
    def from_specs(cls, specs: Sequence[StepSpec]) -> Chain:
        """Build a chain from names and mappings, as a YAML list gives them.

        Args:
            specs: For each step a name, or a mapping such as
                `{"name": "gaussian", "sigma": "0..55", "probability": 0.5}`; `severity` (0 to 5) sets the
                parameters that are not given, `random: true` draws those from their default ranges.

        Raises:
            UsageError: An unknown name or key, or a value out of bounds, with the number of its step.

        Example:
            >>> chain = Chain.from_specs(["gaussian-blur", {"name": "gaussian", "sigma": 25}])
            >>> len(chain.samplers), chain.scale
            (2, 1)
        """
        if isinstance(specs, (str, Mapping)) or not isinstance(specs, Sequence):
            raise UsageError("A chain is a list of steps.", expected="a list", got=type(specs).__name__)
        return cls(tuple(_sampler(spec, number) for number, spec in enumerate(specs, start=1)))

    @classmethod
    def from_yaml(cls, path: Path | str) -> Chain:
        """Read a chain from a YAML file: a list of steps, alone or under the key `chain`.

        Raises:
            RecipeError: The file cannot be read, is no such list, or holds an unknown name or a bad value.
        """
        try:
            return cls.from_specs(read_chain_file(Path(path)))
        except UsageError as error:
            raise RecipeError(
                error.problem, expected=error.expected, got=error.got, file=path, hint=error.hint
            ) from error

    @property
    def margin(self) -> int:
        """Pixels by which a training crop should be larger on each side so that blur at its border is true.

        A multiple of the scale, so that it can be cut off again from the smaller image.
        """
        margin, scale = 0, 1
        for sampler in self.samplers:
            ends = sampler.extremes()
            margin += scale * max((step.margin for step in ends), default=0)
            scale *= max((step.scale for step in ends), default=1)
        return -(-margin // scale) * scale

    @property
    def scale(self) -> int:
        """By how much the sides shrink, 1 unless a step makes the image smaller.

        Raises:
            UsageError: The factor is drawn at random, so that there is no single one.
        """
        scale = 1
        for sampler in self.samplers:
            factors = {step.scale for step in sampler.extremes()}
            if len(factors) > 1 or (sampler.probability < 1 and factors != {1}):
                raise UsageError(
                    f"{sampler.degradation.name} changes the size by a factor that is drawn at random.",
                    expected="one fixed factor",
                )
            scale *= max(factors, default=1)
        return scale

    def draw(self, rng: np.random.Generator) -> tuple[Degradation, ...]:
        """Return the steps with their values drawn; steps that are left out this time are not in it."""
        return tuple(step for step in self.draw_each(rng) if step is not None)

    def draw_each(self, rng: np.random.Generator) -> tuple[Degradation | None, ...]:
        """Return what `draw` does, with None in the places of steps that are left out."""
        return tuple(sampler.draw(rng) for sampler in self.samplers)


def _sampler(spec: StepSpec, number: int) -> DegradationSampler:
    try:
        if isinstance(spec, str):
            return DegradationSampler(spec)
        if not isinstance(spec, Mapping) or not isinstance(spec.get("name"), str):
            raise UsageError("It has no name.", expected="a name or a mapping with `name`", got=repr(spec))
        degradation = find(spec["name"])
        known = (*_OWN_KEYS, *parameters_of(degradation))
        check_arguments(degradation.name, map(str, spec), known, "parameter", prefix=f"{degradation.name}.")
        return DegradationSampler(
            degradation.name,
            {key: value for key, value in spec.items() if key not in _OWN_KEYS},
            probability=spec.get("probability", 1.0),
            severity=spec.get("severity"),
            random=spec.get("random", False),
        )
    except UsageError as error:
        raise UsageError(
            f"Step {number} of the chain: {error.problem}",
            expected=error.expected,
            got=error.got,
            hint=error.hint,
        ) from error


def image_rng(seed: int, key: str, *purpose: int | str) -> np.random.Generator:
    """Return the generator of one image and purpose, the same on every machine and for any number of workers.

    Args:
        seed: The run's seed.
        key: What names the image within the run: its relative POSIX path.
        purpose: Further parts, e.g. "step" and the step's number.

    Returns:
        PCG64 seeded with the first 128 bits of SHA-256 over the parts, each preceded by its length.
    """
    digest = hashlib.sha256()
    for part in (seed, key, *purpose):
        text = str(part).encode("utf-8", "surrogateescape")  # a file name may hold bytes that are no UTF-8
        digest.update(len(text).to_bytes(8, "little") + text)
    return np.random.Generator(np.random.PCG64(int.from_bytes(digest.digest()[:16], "little")))


def apply_all(
    image: Pixels, degradations: Sequence[Degradation], rng_for_step: Callable[[int], np.random.Generator]
) -> Pixels:
    """Apply degradations in order, each with its own generator.

    Args:
        image: (C, H, W) float32, C = 1 or 3.
        degradations: The steps.
        rng_for_step: From the number of a step, counted from 0, to its generator.

    Returns:
        A new (C, H', W') float32 array, not clipped.

    Raises:
        UsageError: `image` has another shape or type.
    """
    if image.ndim != 3 or image.shape[0] not in (1, 3) or image.dtype != np.float32:
        raise UsageError(
            "A degradation needs one image.",
            expected="(1 or 3, H, W) float32",
            got=f"{image.shape} {image.dtype}",
        )
    result = image
    for number, step in enumerate(degradations):
        result = step.apply(result, rng_for_step(number))
    return image.copy() if result is image else result


def replay_steps(image: Pixels, degradations: Sequence[Degradation], seed: int, key: str) -> Pixels:
    """Apply steps that were drawn before, with the generators that (seed, key) gave them then."""
    return apply_all(image, degradations, lambda number: image_rng(seed, key, "step", number))


def degrade_array(image: Pixels, chain: Chain, seed: int, key: str) -> tuple[Pixels, tuple[Degradation, ...]]:
    """Draw a chain's values for one image and apply them; folder jobs and training share this function.

    Args:
        image: (C, H, W) float32, C = 1 or 3.
        chain: What to do.
        seed: The run's seed.
        key: What names the image within the run: its relative path, or (in training) the draw's own name.

    Returns:
        The degraded image, not clipped, and the steps with the values that were drawn.

    Example:
        >>> gray = np.full((1, 64, 64), 0.5, np.float32)
        >>> chain = Chain.from_specs([{"name": "gaussian", "sigma": 25}])
        >>> noisy, (step,) = degrade_array(gray, chain, 0, "a.png")
        >>> noisy.shape, step.sigma, round(255 * float(noisy.std()))
        ((1, 64, 64), 25.0, 25)
    """
    steps = chain.draw(image_rng(seed, key, "draw"))
    return replay_steps(image, steps, seed, key), steps
