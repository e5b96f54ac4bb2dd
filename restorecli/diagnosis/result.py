"""What a diagnosis says: the damage found, how strong, how sure, and what can be done about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from restorecli.diagnosis.measuring.borders import Print


@dataclass(frozen=True, slots=True)
class Strength:
    """How strong a damage is.

    Attributes:
        name: What is measured, e.g. "quality" or "sigma".
        value: The measured value.
        unit: Its unit, e.g. "0-255 scale", "px", "share"; empty where a number has none.
    """

    name: str
    value: float
    unit: str = ""

    def __str__(self) -> str:
        value = f"{100 * self.value:.0f} %" if self.unit == "share" else f"{self.value:.3g}"
        unit = "" if self.unit in ("", "share", "0-255 scale") else f" {self.unit}"
        return f"{self.name} about {value}{unit}"


@dataclass(frozen=True, slots=True)
class Finding:
    """One damage that was found.

    Attributes:
        damage: Its name: that of the degradation which makes the same (`restorecli degrade --list`).
        title: The same in a person's words, e.g. "JPEG".
        confidence: Between 0 and 1: how often such measurements came from this damage in training images.
        strengths: How strong it is, the most telling first.
        evidence: The measurements that spoke for it most, by name, most telling first.
    """

    damage: str
    title: str
    confidence: float
    strengths: tuple[Strength, ...] = ()
    evidence: Mapping[str, float] = field(default_factory=dict)

    def __str__(self) -> str:
        strength = f", {self.strengths[0]}" if self.strengths else ""
        return f"{self.title}{strength}"

    def to_dict(self) -> dict[str, Any]:
        """Return what `--json` prints of it."""
        return {
            "damage": self.damage,
            "title": self.title,
            "confidence": round(self.confidence, 3),
            "strengths": [
                {"name": one.name, "value": round(one.value, 4), "unit": one.unit} for one in self.strengths
            ],
            "evidence": {name: round(value, 4) for name, value in self.evidence.items()},
        }


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do about a damage.

    Attributes:
        model: Weights or a method, as `restorecli restore --model` takes them.
        parameters: Of a method.
        sigma: Level of the noise to tell it, 0-255 scale, where it takes that.
        operator: What blurred the image, as `--operator` takes it.
        mask: "#RRGGBB" of the color that stands in lost pixels, as `--mask` takes it.
    """

    model: str
    parameters: Mapping[str, float | int | str] = field(default_factory=dict)
    sigma: float | None = None
    operator: str | None = None
    mask: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return what `--json` prints of it, and what a manifest keeps."""
        known: dict[str, Any] = {"model": self.model}
        if self.parameters:
            known["parameters"] = dict(self.parameters)
        for name in ("sigma", "operator", "mask"):
            value = getattr(self, name)
            if value is not None:
                known[name] = value
        return known


@dataclass(frozen=True, slots=True)
class Suspicion:
    """A damage that an image may have, where none is sure.

    Attributes:
        damage: Its name, as `restorecli degrade` knows it.
        title: The same in a person's words.
        chance: How likely it is.
        model: What `--model` alone treats it; "" where that must be told more, or nothing helps.
    """

    damage: str
    title: str
    chance: float
    model: str

    def __str__(self) -> str:
        tried = f"; --model {self.model} would treat it" if self.model else ""
        return f"perhaps {self.title} ({self.chance:.2f}{tried})"

    def to_dict(self) -> dict[str, Any]:
        """Return what `restorecli diagnose --json` prints of it."""
        return {"damage": self.damage, "chance": round(self.chance, 3), "model": self.model}


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What was found in one image, and what to do about it.

    Attributes:
        findings: The damage that was found, most certain first; empty where none was.
        steps: What to do, in order; empty where nothing should be done.
        limits: What cannot be brought back, in sentences.
        confidence: How sure it is of the findings, or of there being no damage.
        suspicion: What it may be, where nothing is sure.
        doubts: Damages that a second look may confirm, where nothing was found, the likeliest first; see
            `confirming`.
        measured: Whether the image was taken for measured data; see `measured`.
        left: Damages that such data only seem to have, by name.
        untold: Why nothing can be told of the image; empty where it was diagnosed.
        inside: The print inside a border of one color, which alone was looked at; None where it is all of
            the image.
    """

    findings: tuple[Finding, ...]
    steps: tuple[Step, ...]
    limits: tuple[str, ...]
    confidence: float
    suspicion: Suspicion | None = None
    doubts: tuple[Finding, ...] = ()
    measured: bool = False
    left: tuple[str, ...] = ()
    untold: str = ""
    inside: Print | None = None

    @property
    def is_clean(self) -> bool:
        """True where no damage was found."""
        return not self.findings

    def __str__(self) -> str:
        if self.is_clean:
            return self.untold or "no damage found"
        found = "; ".join(str(finding) for finding in self.findings)
        where = "" if self.inside is None else " inside a border"
        return f"{found}{where} -> {' -> '.join(step.model for step in self.steps) or 'nothing helps'}"

    def to_dict(self) -> dict[str, Any]:
        """Return what `restorecli diagnose --json` prints of it."""
        return {
            "damaged": not self.is_clean,
            "confidence": round(self.confidence, 3),
            "findings": [finding.to_dict() for finding in self.findings],
            "steps": [step.to_dict() for step in self.steps],
            "limits": list(self.limits),
            "suspicion": None if self.suspicion is None else self.suspicion.to_dict(),
            "measured": self.measured,
            "left": list(self.left),
            "untold": self.untold,
            "inside": None if self.inside is None else [list(corner) for corner in self.inside.corners],
        }
