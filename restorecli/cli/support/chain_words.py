"""From the words of `restorecli degrade` to the steps of a chain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from restorecli.degradation.base import check_names, parameters_of
from restorecli.degradation.catalog import find
from restorecli.degradation.parameters import read_setting
from restorecli.errors import UsageError


@dataclass(frozen=True, slots=True)
class ChainWords:
    """What the command line says about the chain.

    Attributes:
        noise: Names in the order of application.
        file: A YAML chain instead of names.
        settings: `NAME.PARAM=VALUE` each; it holds for every step of that name.
        sigma: Value or range for the one step that has a parameter of this name.
        severity: 1 to 5, for every step.
        random: Draw what is not set from the default ranges, for every step.
    """

    noise: Sequence[str] = ()
    file: Path | None = None
    settings: Sequence[str] = ()
    sigma: str | None = None
    severity: int | None = None
    random: bool = False

    def check(self, *, replay: bool, seed: int | None) -> None:
        """Refuse words that a file of a chain, or a replay, would not follow.

        Args:
            replay: Whether a manifest is replayed.
            seed: What `--seed` says; None where it is left out.

        Raises:
            UsageError: There is such a word.
        """
        given = {
            "--noise": self.noise,
            "--set": self.settings,
            "--sigma": self.sigma,
            "--severity": self.severity,
            "--random": self.random,
        }
        beside = [name for name, value in given.items() if value]
        if replay:
            beside += [
                name for name, there in (("--chain", self.file), ("--seed", seed)) if there is not None
            ]
        if beside and (replay or self.file is not None):
            option = "--replay" if replay else "--chain"
            raise UsageError(
                f"{option} cannot be combined with {', '.join(beside)}.",
                expected=f"{option} alone, since its file says all of this",
                got=f"{option} beside {', '.join(beside)}",
                hint=f"leave out {', '.join(beside)}",
            )

    def steps(self) -> list[dict[str, Any]]:
        """Return one mapping per step, as `Chain.from_specs` takes them; none where no step is named.

        Raises:
            UsageError: An unknown name or parameter, or a value for a step that is not there or not clear.
        """
        steps: list[dict[str, Any]] = [{"name": _named(name)} for name in self.noise]
        if not steps:
            return []
        for setting in self.settings:
            _apply(setting, steps)
        if self.sigma is not None:
            _set_sigma(self.sigma, steps)
        for step in steps:
            if self.severity is not None:
                step["severity"] = self.severity
            if self.random:
                step["random"] = True
        return steps


def _named(word: str) -> str:
    """Return the degradation's name.

    Raises:
        UsageError: There is none of this name, or its parameters stand behind it, as `--operator` takes them.
    """
    name, colon, settings = word.partition(":")
    if colon and "=" in settings:
        known = find(name).name
        raise UsageError(
            "--noise takes the name alone.",
            expected="--set for each parameter",
            got=word,
            hint=" ".join([f"--noise {known}", *(f"--set {known}.{one}" for one in settings.split(","))]),
        )
    return find(word).name


def _apply(setting: str, steps: list[dict[str, Any]]) -> None:
    expected, hint = "NAME.PARAM=VALUE, LOW..HIGH or A,B,C", "--set gaussian.sigma=25"
    name, parameter, value = read_setting(setting, expected=expected, hint=hint)
    meant = find(name).name
    concerned = [step for step in steps if step["name"] == meant]
    if not concerned:
        chain = ", ".join(step["name"] for step in steps)
        raise UsageError(
            f"--set names a step that the chain does not have: {name}.",
            expected=chain,
            got=setting,
            hint=f"add --noise {name}",
        )
    check_names(find(name), [parameter])
    for step in concerned:
        step[parameter] = value


def _set_sigma(value: str, steps: list[dict[str, Any]]) -> None:
    """Give `--sigma` to the one step that has a sigma which `--set` does not give.

    Raises:
        UsageError: There is no such step, or more than one, which it could mean all the same.
    """
    able = [step for step in steps if "sigma" in parameters_of(find(step["name"]))]
    left = [step for step in able if "sigma" not in step]
    if not able:
        raise UsageError(
            "No step of this chain has a sigma.",
            got=", ".join(step["name"] for step in steps),
            hint="restorecli degrade --list",
        )
    if not left:
        raise UsageError("sigma is set twice.", got=f"--sigma and --set {able[0]['name']}.sigma")
    names = list(dict.fromkeys(step["name"] for step in left))
    if len(names) > 1:
        raise UsageError(
            f"--sigma could be meant for {' or '.join(names)}.",
            expected="--set for each of them",
            got=f"--sigma {value}",
            hint=" ".join(f"--set {name}.sigma={value}" for name in names) + ", each with its own value",
        )
    for step in left:
        step["sigma"] = value
