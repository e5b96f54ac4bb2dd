"""`restorecli diagnose`: what damage images have, and what `restore` would do about it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from restorecli.cli import options, render
from restorecli.cli.progress import BarProgress
from restorecli.errors import ExitCode
from restorecli.result import CommandResult

if TYPE_CHECKING:
    from restorecli.diagnosis.files import FileDiagnosis
    from restorecli.diagnosis.result import Diagnosis

EXAMPLES = (
    "restorecli diagnose photo.jpg",
    "restorecli diagnose ./scans",
    "restorecli diagnose ./scans --json",
)

_HEADERS = ("image", "found", "sure", "what restore would do")


def command(
    source: Annotated[
        str, typer.Argument(help="Image, or a folder of them; or an address.", metavar="IMAGE|FOLDER")
    ],
    to_srgb: options.ToSrgb = False,
    frames: options.Frames = "refuse",
    value_range: options.Range = "auto",
    allow_truncated: options.AllowTruncated = False,
    workers: options.Workers = None,
    json_wanted: options.Json = False,
) -> None:
    """Say what damage images have, how strong, how sure that is, and what helps; nothing is changed."""
    from restorecli.diagnosis.files import diagnose_files, kinds
    from restorecli.images.options import ReadOptions

    reading = ReadOptions(allow_truncated, to_srgb, frames, value_range)
    found = diagnose_files(source, workers=workers, reading=reading, progress=BarProgress())
    known = [one.diagnosis for one in found if one.diagnosis is not None]
    if json_wanted:
        render.as_json(_result(source, found))
    elif len(found) == 1 and known:
        _show(known[0])
    else:
        render.table(_HEADERS, [_row(one) for one in found])
        render.say(*kinds(known))
    if len(known) < len(found):
        raise typer.Exit(ExitCode.SOME_FAILED)


def _result(source: str, found: Sequence[FileDiagnosis]) -> CommandResult:
    from restorecli.folders.addresses import parse_address

    errors = [one.error for one in found if one.error is not None]
    return CommandResult(
        "diagnose",
        {"source": str(parse_address(source) or Path(source)), "pictures": [one.to_dict() for one in found]},
        errors=errors,
        exit_code=ExitCode.SOME_FAILED if errors else ExitCode.DONE,
    )


def _row(one: FileDiagnosis) -> tuple[str, str, str, str]:
    if one.diagnosis is None:
        return one.path, f"{one.error}", "", ""
    steps = " -> ".join(step.model for step in one.diagnosis.steps)
    found = "; ".join(str(finding) for finding in one.diagnosis.findings)
    nothing = "copy it" if one.diagnosis.is_clean else "nothing that helps"
    return one.path, found or str(one.diagnosis), f"{one.diagnosis.confidence:.2f}", steps or nothing


def _looked_at(diagnosis: Diagnosis) -> Iterator[str]:
    """Yield what is to be known of the image before what was found in it."""
    from restorecli.images.measured import NOTE

    if diagnosis.measured:
        yield NOTE
    if diagnosis.inside is not None:
        corners = ", ".join(f"({x:.0f}, {y:.0f})" for x, y in diagnosis.inside.corners)
        yield f"only what is inside a border of one color was looked at; its corners: {corners}"


def _show(diagnosis: Diagnosis) -> None:
    """Write one diagnosis at length."""
    for line in _looked_at(diagnosis):
        render.data(line)
    if diagnosis.untold:
        render.data(diagnosis.untold)
        return
    if diagnosis.is_clean:
        render.data(f"no damage found (sure: {diagnosis.confidence:.2f})")
        if diagnosis.suspicion is not None:
            render.data(str(diagnosis.suspicion))
        for doubt in diagnosis.doubts:
            render.data(f"restore would look again for {doubt.title} ({doubt.confidence:.3f})")
        return
    for finding in diagnosis.findings:
        render.data(f"{finding.title} (sure: {finding.confidence:.2f})")
        for strength in finding.strengths:
            render.data(f"  {strength}")
        seen = ", ".join(f"{name} {value:.3g}" for name, value in finding.evidence.items())
        render.data(f"  seen by: {seen}")
    for step in diagnosis.steps:
        told = {name: value for name, value in step.to_dict().items() if name != "model"}
        words = ", ".join(f"{name} {value}" for name, value in told.items())
        render.data(f"restore would use {step.model}{f' ({words})' if words else ''}")
    for limit in diagnosis.limits:
        render.data(limit)
