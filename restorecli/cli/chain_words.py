"""From the words of `restorecli degrade` to the steps of a chain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from restorecli.errors import UsageError

if TYPE_CHECKING:
    from restorecli.degradation.chain import Chain


@dataclass(frozen=True, slots=True)
class ChainWords:
    """What the command line says about the chain.

    Attributes:
        noise: Names in the order of application.
        file: A YAML chain instead of names.
        settings: `NAME.PARAM=VALUE` each; it holds for every step of that name.
        sigma: Value or range for the first step that has a parameter of this name.
        severity: 1 to 5, for every step.
        random: Draw what is not set from the default ranges, for every step.
    """

    noise: Sequence[str] = ()
    file: Path | None = None
    settings: Sequence[str] = ()
    sigma: str | None = None
    severity: int | None = None
    random: bool = False

    def chain(self) -> Chain:
        """Return the chain.

        Raises:
            UsageError: No step, an unknown name or parameter, or words that exclude each other.
            RecipeError: The YAML chain is wrong.
        """
        from restorecli.degradation.chain import Chain

        if self.file is None:
            return Chain.from_specs(self.steps())
        self._refuse_words("--chain")
        return Chain.from_yaml(self.file)

    def refuse_beside_replay(self, others: Mapping[str, object]) -> None:
        """Refuse words that a replay, which takes everything from the manifest, would not follow.

        Args:
            others: Further words and what was given for them; None where nothing was.

        Raises:
            UsageError: There is such a word.
        """
        if self.file is not None:
            raise UsageError("--replay and --chain exclude each other.", expected="one of them")
        self._refuse_words("--replay", [name for name, value in others.items() if value is not None])

    def _refuse_words(self, option: str, others: Sequence[str] = ()) -> None:
        given = {
            "--noise": self.noise,
            "--set": self.settings,
            "--sigma": self.sigma,
            "--severity": self.severity,
            "--random": self.random,
        }
        beside = [*(name for name, value in given.items() if value), *others]
        if beside:
            raise UsageError(
                f"{option} says everything by itself.",
                expected=f"{option} alone",
                came=f"{option} beside {', '.join(beside)}",
                hint=f"leave out {', '.join(beside)}",
            )

    def steps(self) -> list[dict[str, Any]]:
        """Return one mapping per step, as `Chain.from_specs` takes them."""
        from restorecli.degradation.catalog import DEGRADATIONS, find

        if not self.noise:
            raise UsageError(
                "Nothing says how to degrade.",
                expected="--noise NAME, --chain FILE or --replay FOLDER; names: " + ", ".join(DEGRADATIONS),
                hint="restorecli degrade --noise gaussian",
            )
        steps: list[dict[str, Any]] = [{"name": find(name).name} for name in self.noise]
        for setting in self.settings:
            _apply(setting, steps)
        if self.sigma is not None:
            first = _first_with("sigma", steps)
            if "sigma" in first:
                raise UsageError("sigma is set twice.", came=f"--sigma and --set {first['name']}.sigma")
            first["sigma"] = self.sigma
        for step in steps:
            if self.severity is not None:
                step["severity"] = self.severity
            if self.random:
                step["random"] = True
        return steps


def _apply(setting: str, steps: list[dict[str, Any]]) -> None:
    from restorecli.degradation.base import check_names
    from restorecli.degradation.catalog import find

    place, equals, value = setting.partition("=")
    name, dot, parameter = place.strip().partition(".")
    if not (equals and dot and name and parameter):
        raise UsageError(
            "--set is not understood.",
            expected="NAME.PARAM=VALUE, LOW..HIGH or A,B,C",
            came=setting,
            hint="--set gaussian.sigma=25",
        )
    meant = find(name).name
    concerned = [step for step in steps if step["name"] == meant]
    if not concerned:
        chain = ", ".join(step["name"] for step in steps)
        raise UsageError(
            f"--set names a step that the chain does not have: {name}.",
            expected=chain,
            came=setting,
            hint=f"add --noise {name}",
        )
    check_names(find(name), [parameter.strip()])
    for step in concerned:
        step[parameter.strip()] = value.strip()


def _first_with(parameter: str, steps: list[dict[str, Any]]) -> dict[str, Any]:
    from restorecli.degradation.base import facts_of
    from restorecli.degradation.catalog import find

    for step in steps:
        if parameter in facts_of(find(step["name"])):
            return step
    raise UsageError(
        f"No step of this chain has a {parameter}.",
        came=", ".join(step["name"] for step in steps),
        hint="restorecli degrade --list",
    )
