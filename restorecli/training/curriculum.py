"""Curricula: how much of the training goes to which level of difficulty, and when.

On-demand learning gives every level a share in proportion to how badly it is restored: Gao and Grauman,
"On-Demand Learning for Deep Image Restoration", ICCV 2017. The schedules that it is compared with are here,
too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from restorecli.degradation.chain import Chain, image_rng
from restorecli.training.recipe import Curriculum

BLOCK = 100
"""Samples over which the shares hold exactly (the paper's batch); within a block the levels are shuffled."""

Shares = tuple[float, ...]


def on_demand_shares(psnrs: Sequence[float], *, power: float = 1.0, floor: float = 0.05) -> Shares:
    """Return the share of every level for the next epoch: in proportion to (1 / PSNR)^power.

    The paper has power 1; since 1/PSNR of 25 to 35 dB differs little, a larger power sharpens the choice.

    Args:
        psnrs: Validation PSNR of every level in dB, positive.
        power: Exponent.
        floor: Least share of any level, at most 1 / levels.

    Returns:
        Shares that sum to 1.
    """
    difficulty = (1 / np.maximum(np.asarray(psnrs, np.float64), 1e-3)) ** power
    shares = difficulty / difficulty.sum()
    floor = min(floor, 1 / len(shares))
    return tuple(float(floor + (1 - floor * len(shares)) * share) for share in shares)


def allocate(shares: Sequence[float], count: int) -> tuple[int, ...]:
    """Divide `count` samples by shares with the largest remainders, so that they sum to it exactly."""
    exact = np.asarray(shares) * count
    whole = np.floor(exact).astype(int)
    order = np.argsort(-(exact - whole), kind="stable")
    whole[order[: count - int(whole.sum())]] += 1
    return tuple(int(number) for number in whole)


def scheduled_shares(kind: str, levels: int, fraction: float) -> Shares:
    """Return the shares of a curriculum that follows the budget alone.

    Args:
        kind: rigid (all alike), staged (one level after the other), cumulative (a level more at a time), and
            the two backwards, from hard to easy: anti-staged and anti-cumulative.
        levels: How many levels, sorted from easy to hard.
        fraction: Used share of the budget, 0 to 1.
    """
    stage = min(int(fraction * levels), levels - 1)
    if kind == "rigid":
        chosen = list(range(levels))
    else:
        chosen = [stage] if kind.endswith("staged") else list(range(stage + 1))
    if kind.startswith("anti-"):
        chosen = [levels - 1 - level for level in chosen]
    return tuple(1 / len(chosen) if level in chosen else 0.0 for level in range(levels))


@dataclass(frozen=True, slots=True)
class Lesson:
    """Shares that hold from a step on."""

    step: int
    shares: Shares


class LevelPlan:
    """Which level of difficulty a training sample gets.

    Args:
        section: The recipe's curriculum.
        seed: The run's seed.
        batch: Samples per step.
        steps: Steps of the whole run, for the kinds that follow the budget.
    """

    def __init__(self, section: Curriculum, *, seed: int, batch: int, steps: int | None) -> None:
        self._section = section
        self._seed, self._batch, self._steps = seed, batch, steps
        self.chains = tuple(Chain.from_specs(level) for level in section.levels)
        count = len(self.chains)
        first = tuple(1 / count for _ in range(count))
        if section.kind == "fixed":
            first = tuple(float(level == section.level - 1) for level in range(count))
        self.lessons: tuple[Lesson, ...] = (Lesson(0, first),)

    def shares(self, step: int) -> Shares:
        """Return the shares in force at a step."""
        if self._section.kind in ("on-demand", "fixed"):
            return next(lesson.shares for lesson in reversed(self.lessons) if lesson.step <= step)
        fraction = step / self._steps if self._steps else 0.0
        return scheduled_shares(self._section.kind, len(self.chains), fraction)

    def chain(self, number: int) -> Chain:
        """Return the degradations of sample `number`; a function of it and of the shares alone."""
        counts = allocate(self.shares(number // self._batch), BLOCK)
        levels = np.repeat(np.arange(len(counts)), counts)
        order = image_rng(self._seed, "curriculum", number // BLOCK).permutation(BLOCK)
        return self.chains[int(levels[order[number % BLOCK]])]

    def learn(self, step: int, psnrs: Sequence[float]) -> None:
        """Take in the validation of every level; on-demand shares follow it from `step` on.

        Args:
            step: The first step whose batch is surely not made yet.
            psnrs: PSNR of every level in dB.
        """
        if self._section.kind == "on-demand":
            shares = on_demand_shares(psnrs, power=self._section.power, floor=self._section.floor)
            self.lessons = (*self.lessons, Lesson(step, shares))
