"""`restorecli demo`: the whole chain on the built-in sample photographs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from restorecli import api
from restorecli.cli import options, render, support
from restorecli.cli.progress import BarProgress

EXAMPLES = ("restorecli demo", "restorecli demo -o ./somewhere --open")

_MODEL = "sca-unet.gaussian"
_SIGMA = 25  # on the 0-255 scale


def command(
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder to write into.")] = Path(
        "restorecli-demo"
    ),
    opens: options.Open = False,
    device: options.Device = None,
    workers: options.Workers = None,
    as_json: options.Json = False,
) -> None:
    """Degrade the built-in samples, restore them with shipped weights, and show by how much.

    Prints the table by category and writes images and one HTML page. Needs no network and no GPU.
    """
    noisy, clean = output / "degraded", output / "restored"
    noise = [{"name": "gaussian", "sigma": _SIGMA}]
    made = api.run_degrade(
        api.DegradeOptions(None, noisy, noise=noise, workers=workers, overwrite=True, progress=BarProgress())
    )
    render.failures(made)
    render.say(f"degraded: {render.totals(made)}")
    done = api.run_restore(
        api.RestoreOptions(
            noisy,
            clean,
            model=_MODEL,
            device=device,
            workers=workers,
            overwrite=True,
            progress=BarProgress(),
        )
    )
    render.failures(done)
    render.say(f"restored: {render.totals(done)}")
    about = f"scikit-image's sample photographs with Gaussian noise of sigma {_SIGMA}, restored by {_MODEL}."
    found = api.run_evaluate(
        api.EvalOptions(
            clean,
            by=["category"],
            workers=workers,
            output=output,
            about=[about],
            progress=BarProgress(),
        )
    )
    failures = (*made.failures, *done.failures)
    support.scores.render_result("demo", found, as_json=as_json, by_group=True, more=failures, opens=opens)
    render.say("Next: restorecli restore my-photo.jpg -o better.png")
