"""`restorecli demo`: the whole chain on the built-in sample photographs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from restorecli.cli import options, render, scores
from restorecli.cli.progress import BarProgress

EXAMPLES = ("restorecli demo", "restorecli demo -o ./somewhere")

_MODEL = "sca-unet.gaussian"
_SIGMA = 25  # on the 0-255 scale


def command(
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder to write into.")] = Path(
        "restorecli-demo"
    ),
    device: options.Device = None,
    workers: options.Workers = None,
    as_json: options.Json = False,
) -> None:
    """Degrade the built-in samples, restore them with shipped weights, and show by how much.

    Prints the table by category and writes pictures and one HTML page. Needs no network and no GPU.
    """
    from restorecli.core.zoo import load
    from restorecli.degradation.chain import Chain
    from restorecli.degradation.folder import degrade_folder
    from restorecli.evaluation.folder import evaluate_folders
    from restorecli.restoration.folder import restore_folder

    bar = BarProgress
    noisy, clean = output / "degraded", output / "restored"
    chain = Chain.from_specs([{"name": "gaussian", "sigma": _SIGMA}])
    made = degrade_folder(None, noisy, chain, workers=workers, overwrite=True, progress=bar())
    render.failures(made)
    render.say(f"degraded: {render.totals(made)}")
    restorer = load(_MODEL, device=device)
    done = restore_folder(noisy, clean, restorer, workers=workers, overwrite=True, progress=bar())
    render.failures(done)
    render.say(f"restored: {render.totals(done)}")
    evaluation = evaluate_folders(clean, workers=workers, progress=bar())
    about = (
        f"scikit-image's sample photographs with Gaussian noise of sigma {_SIGMA}, restored by {_MODEL}.",
    )
    scores.write_report(evaluation, output, title="restorecli demo", about=about)
    if as_json:
        render.data_json(evaluation.to_dict())
    else:
        scores.show(evaluation, by_group=True)
    scores.list_unmatched(evaluation)
    render.leave_if_failed(made, done)
