"""What damage one image has: of a file, or of an image in memory."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from restorecli.api.arrays import take
from restorecli.api.wording import in_python_words
from restorecli.diagnosis.files import diagnose_file, diagnose_image
from restorecli.diagnosis.result import Diagnosis
from restorecli.errors import UsageError
from restorecli.folders.mirror import Mirror

if TYPE_CHECKING:
    from restorecli.api.arrays import SomeImage


@in_python_words
def diagnose(image: str | Path | SomeImage) -> Diagnosis:
    """Say what damage an image has, how strong, how sure that is, and what helps; nothing is changed.

    Args:
        image: A file, or the address of one, a PIL image, a NumPy array (H, W) or (H, W, C), or a torch
            tensor (C, H, W); uint8, uint16, or floats in [0, 1]. Only a file still says with which quality it
            was compressed.

    Returns:
        The diagnosis: `findings` (none where there is no damage), `steps` that `restore` would take, `limits`
        (what cannot be brought back) and `confidence`.

    Raises:
        UsageError: The image is of a wrong kind, shape or range.
        ImageError: The file cannot be read.

    Example:
        >>> import numpy as np, restorecli
        >>> print(restorecli.diagnose(np.full((64, 64), 0.5, np.float32)))
        no damage found
    """
    if isinstance(image, str | Path):
        with Mirror() as remote:
            path = Path(remote.place(image))
            with remote.hold(path):
                return diagnose_file(path)
    images = take(image, "auto").images
    if len(images) != 1:
        raise UsageError("A batch has several diagnoses.", expected="one image", got=f"{len(images)}")
    return diagnose_image(images[0])
