"""What to do about each damage: the weights or the method that measured best, and what cannot be undone."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from restorecli.diagnosis.deciding.together import TOGETHER, kind_of, together
from restorecli.diagnosis.faint.camera_noise import FILM
from restorecli.diagnosis.measuring.impulses import HOT_PIXELS
from restorecli.diagnosis.result import Finding, Step
from restorecli.diagnosis.strengths import GROWTH, NOISE

SIGMA, OPERATOR, MASK = "sigma", "operator", "mask"


@dataclass(frozen=True, slots=True)
class Remedy:
    """What helps against a damage within a range of its strength.

    Attributes:
        damage: Its name.
        model: Weights or a method; "" where nothing in restorecli makes such images better.
        least: The strength from which it helps.
        most: The strength below which it helps.
        parameters: Of a method.
        told: What the diagnosis tells it: "sigma", "operator", "mask".
        gray: What to take for gray images, where that is another.
        denoised: "before" or "after" `model`, where weights against noise help it there; they are left out
            where noise is found, too, for that is removed first.
        first: A method, or weights, that goes before `model` and leaves less to it.
        last: Weights that go after `model` and take what it leaves.
        by: The name of the strength that the range is of; the finding's first where it is empty.
    """

    damage: str
    model: str
    least: float = -math.inf
    most: float = math.inf
    parameters: Mapping[str, float | int | str] = field(default_factory=dict)
    told: tuple[str, ...] = ()
    gray: str = ""
    denoised: str = ""
    first: str = ""
    last: str = ""
    by: str = ""


_DECONVOLUTION: Mapping[str, str] = {"prior": "measured", "rim": "unknown"}
"""Photographs are not mirrored at their border when they are blurred."""

_HOT: Mapping[str, float | int | str] = {"channels": "none", "outliers": 10.0}
"""Few pixels of any value, and none because it is white."""

_DENOISER = Remedy("gaussian", "sca-unet.gaussian", gray="dncnn.gray-blind", told=(SIGMA,))

_PRINT = Remedy("old-photo", "sca-unet.old-photo", first="sca-unet.scratches", last="sca-unet.grain")
"""Marks are filled first, for tones that come back make them whiter, and grain of film is taken from what is
left. Where there is neither, both change next to nothing."""

PHOTONS = "anscombe"
"""The method against noise of photons in measured data; see `measured`."""

_ROUNDED = 2.0
"""Noise over a blur, 0-255 scale, up to which rounding or JPEG can be what made it: that is told whole."""


def _deblurring(damage: str) -> tuple[Remedy, Remedy]:
    """Strong noise is removed before it is amplified; weak noise, be it of rounding, after it."""
    remedy = Remedy(damage, "wiener-deconv", by=NOISE, parameters=_DECONVOLUTION, told=(OPERATOR, SIGMA))
    return replace(remedy, most=4, denoised="after"), replace(remedy, least=4, denoised="before")


# Chosen on training photographs; `restorecli bench auto` measures how near they come to the best.
REMEDIES: tuple[Remedy, ...] = (
    # Noise that grows with brightness: weights that were trained on white noise leave it in bright places.
    Remedy("gaussian", "sca-unet.noise", by=GROWTH, least=0.5),
    _DENOISER,
    Remedy("poisson", "sca-unet.noise", most=8),
    Remedy("poisson", "sca-unet.noise", least=8, gray="dncnn.gray-blind"),
    Remedy("speckle", "sca-unet.noise"),
    # Under JPEG grain looks like noise of a camera. The weights for grain lose 0.1 to 0.4 dB on that, those
    # for cameras 2 to 4 dB on grain.
    Remedy("camera-noise", "sca-unet.camera", by=FILM, most=0.0),
    Remedy("camera-noise", "sca-unet.grain"),
    Remedy("film-grain", "sca-unet.grain"),
    Remedy("salt-pepper", "switching-median", by=HOT_PIXELS, least=1, parameters=_HOT),
    Remedy("salt-pepper", "switching-median", parameters={"fill": "thin-plate"}),
    Remedy("quantize", "tv", most=4),
    Remedy("quantize", "sca-unet.noise-jpeg", least=4, most=12),
    Remedy("quantize", "sca-unet.gaussian", least=12),
    *_deblurring("gaussian-blur"),
    *_deblurring("defocus"),
    *_deblurring("motion-blur"),
    Remedy("dither", "resnet.dither", most=6.5),
    Remedy("dither", "sca-unet.gaussian", least=6.5),
    # The mean over dots is a blur, which the weights undo better before edges are kept.
    Remedy("halftone-screen", "descreen", parameters={"alike": 0.0}, last="sca-unet.deblur"),
    # Straight waves go without a trace by their peaks in the spectrum, bent ones by weights.
    Remedy("moire", "sca-unet.moire", first="demoire"),
    Remedy("jpeg", "sca-unet.jpeg"),
    Remedy("low-light", "sca-unet.low-light"),
    Remedy("haze", "sca-unet.haze"),
    Remedy("rain", "sca-unet.rain"),
    Remedy("sand-dust", "swm.sand-dust"),
    replace(_PRINT, damage="fade"),
    Remedy("scratches", "sca-unet.scratches"),
    _PRINT,
    Remedy("holes", "inpaint-harmonic", told=(MASK,)),
)

LIMITS: Mapping[str, str] = {
    "gaussian": "Texture fainter than the noise is gone.",
    "poisson": "Texture fainter than the noise is gone.",
    "speckle": "Texture fainter than the noise is gone.",
    "camera-noise": "Texture fainter than the noise is gone, and so are colors finer than its blots.",
    "film-grain": "Texture fainter than the grain is gone.",
    "salt-pepper": "Lost pixels are filled from their neighbors.",
    "quantize": "Levels between the few that are left are guessed.",
    "dither": "Detail finer than the dots is gone.",
    "halftone-screen": "Detail finer than the dots is gone.",
    "gaussian-blur": "Detail finer than the blur is gone.",
    "defocus": "Detail at the rings that a disc wipes out is gone.",
    "motion-blur": "Detail along the movement that the blur wiped out is gone.",
    "sand-dust": "What the dust hides completely cannot be seen again.",
    "haze": "What the haze hides completely cannot be seen again.",
    "low-light": "What drowned in black, and colors fainter than the noise, are gone.",
    "rain": "What opaque streaks hide is filled from around them.",
    "moire": "Fine texture that runs like the waves goes with them.",
    "jpeg": "Detail that JPEG rounded away is gone.",
    "scratches": "What scratches hide is filled from around them.",
    "fade": "Colors that have faded completely are gone.",
    "old-photo": "What scratches hide is filled, colors that have faded completely are gone.",
    "holes": "What stood in the holes is made up from around them.",
}
"""What cannot be brought back."""


def plan(
    findings: Sequence[Finding], hole_color: str | None = None, *, is_gray: bool = False
) -> tuple[Step, ...]:
    """Return what to do about findings, in order; a step that would do the same twice is done once.

    Args:
        findings: What was found; of two that come together the table of `together` knows the order.
            Hot pixels, which stand first, are taken away before anything else.
        hole_color: "#RRGGBB" that stands in lost pixels.
        is_gray: Whether the image has one channel.
    """
    if len(findings) > 1 and HOT_PIXELS in [strength.name for strength in findings[0].strengths]:
        return (*plan(findings[:1], is_gray=is_gray), *plan(findings[1:], hole_color, is_gray=is_gray))
    pair = together(*(finding.damage for finding in findings)) if len(findings) == 2 else None
    if pair is not None:
        findings = sorted(findings, key=lambda finding: kind_of(finding.damage) != pair.first)
        if pair.joint and _strength(findings[0]) >= pair.least and _strength(findings[1]) < pair.below:
            return (Step(pair.joint),)
    noisy = any(kind_of(finding.damage) == "gaussian" for finding in findings)
    steps: list[Step] = []
    for finding in findings:
        if pair is not None and pair.then_by and kind_of(finding.damage) == pair.then:
            steps.append(Step(pair.then_by))
            continue
        remedy = remedy_for(finding)
        if remedy is not None and remedy.model and remedy.model not in [step.model for step in steps]:
            step = _step(remedy, finding, hole_color, is_gray=is_gray)
            steps += [Step(remedy.first)] if remedy.first not in ("", *(done.model for done in steps)) else []
            steps += [step] if noisy else _with_denoiser(step, remedy, is_gray=is_gray)
            steps += [Step(remedy.last)] if remedy.last else []
    return tuple(steps)


def _with_denoiser(step: Step, remedy: Remedy, *, is_gray: bool) -> list[Step]:
    denoiser = Step(_DENOISER.gray if is_gray else _DENOISER.model)
    return {"before": [denoiser, step], "after": [step, denoiser], "": [step]}[remedy.denoised]


def _strength(finding: Finding) -> float:
    return finding.strengths[0].value if finding.strengths else 0.0


def remedy_for(finding: Finding) -> Remedy | None:
    """Return the first that helps against a finding of its strength, or None."""
    return next((remedy for remedy in REMEDIES if _fits(remedy, finding)), None)


def treatments() -> frozenset[str]:
    """Return the names of all weights and methods that a diagnosis may lead to."""
    alone = (name for remedy in REMEDIES for name in (remedy.first, remedy.model, remedy.gray, remedy.last))
    pairs = (name for pair in TOGETHER for name in (pair.joint, pair.then_by))
    return frozenset((*alone, *pairs, PHOTONS)) - {""}


def model_against(damage: str) -> str:
    """Return what `--model` alone treats a damage, whatever its strength; "" where it must be told more."""
    alone = (one for one in REMEDIES if one.damage == damage and not {OPERATOR, MASK}.intersection(one.told))
    return next((remedy.model for remedy in alone if remedy.model), "")


def _fits(remedy: Remedy, finding: Finding) -> bool:
    if remedy.damage != finding.damage:
        return False
    strengths = [one.value for one in finding.strengths if remedy.by in ("", one.name)]
    bounded = remedy.least > -math.inf or remedy.most < math.inf
    if not strengths:
        return not bounded or not remedy.by
    return remedy.least <= strengths[0] < remedy.most


def _step(remedy: Remedy, finding: Finding, hole_color: str | None, *, is_gray: bool) -> Step:
    strengths = {strength.name: strength.value for strength in finding.strengths}
    return Step(
        (is_gray and remedy.gray) or remedy.model,
        remedy.parameters,
        sigma=_noise(strengths) if SIGMA in remedy.told else None,
        operator=_operator(finding.damage, strengths) if OPERATOR in remedy.told else None,
        mask=hole_color if MASK in remedy.told else None,
    )


def _noise(strengths: Mapping[str, float]) -> float:
    """Return the noise to tell: of that over a blur the half, since weights against noise do the rest."""
    if NOISE not in strengths:
        return round(strengths[SIGMA], 1)
    noise = strengths[NOISE]
    return round(noise if noise < _ROUNDED else noise / 2, 2)


def _operator(damage: str, strengths: Mapping[str, float]) -> str:
    values = ",".join(f"{name}={round(value, 2):g}" for name, value in strengths.items() if name != NOISE)
    return f"{damage}:{values}"
