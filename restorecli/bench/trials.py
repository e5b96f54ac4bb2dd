"""A trial: a recipe that is trained on a folder and tried on test images, and what came of it.

Folders in its recipe are relative to the folder of images that is given, for training as for the test: with
`clean: .` they are degraded on the fly to train and by `validation.degrade` to test; `degraded: dusty` and
`reference: clean` are found below either folder.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from restorecli.training.shelf import find_recipe
from restorecli.yaml12 import read_yaml

METRICS = ("psnr", "ssim")

KEYS = {"images": "pictures", "by_image": "by_picture"}
"""What JSON documents and kept results call attributes of a result that have another name."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What is to be tried.

    Attributes:
        name: Its run folder below the folder of runs.
        recipe: The whole content of a recipe.
        data: The folder that its folders are relative to.
        test: The same for the test; None takes the images held out of training.
    """

    name: str
    recipe: Mapping[str, Any]
    data: Path
    test: Path | None = None

    @property
    def key(self) -> str:
        """What the result depends on, as 16 letters: another key, another trial."""
        return digest(
            self.recipe, str(self.data.resolve()), None if self.test is None else str(self.test.resolve())
        )

    def located(self) -> dict[str, Any]:
        """Return the recipe with absolute folders."""
        content = deepcopy(dict(self.recipe))
        content["data"]["train"] = [
            {kind: str((self.data / folder).resolve()) for kind, folder in source.items()}
            for source in content["data"]["train"]
        ]
        return content


@dataclass(frozen=True, slots=True)
class TrialResult:
    """What a trial gave.

    Attributes:
        name: Of the trial.
        steps: Of the training.
        hours: Of the training.
        images: What it was tried on.
        degraded: Mean PSNR (dB) and SSIM of the degraded images, by the names "psnr" and "ssim".
        restored: The same of the restored ones.
        by_image: PSNR of every restored test image by its path; empty for images held out.
    """

    name: str
    steps: int
    hours: float
    images: str
    degraded: Mapping[str, float]
    restored: Mapping[str, float]
    by_image: Mapping[str, float]

    def gained(self, metric: str = "psnr") -> float:
        """Return restored minus degraded."""
        return self.restored[metric] - self.degraded[metric]

    def to_document(self) -> dict[str, Any]:
        """Return the whole result as it is kept in a file, by the names that it has always had there."""
        values = asdict(self)
        return {KEYS.get(name, name): value for name, value in values.items()}

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> TrialResult:
        """Return the result that `to_document` wrote.

        Raises:
            KeyError: A value is missing.
        """
        return cls(**{field.name: document[KEYS.get(field.name, field.name)] for field in fields(cls)})

    def to_dict(self) -> dict[str, object]:
        """Return the result as JSON values, without single images."""
        values = self.to_document()
        del values["by_picture"]
        return {**values, "gained": {name: self.gained(name) for name in METRICS}}


def compose(
    recipe: str,
    *,
    name: str | None = None,
    arguments: Mapping[str, object] | None = None,
    seed: int | None = None,
    hours: float | None = None,
    steps: int | None = None,
) -> dict[str, Any]:
    """Return the content of a recipe that ships, changed for a trial.

    Args:
        recipe: Its name.
        name: Of the run.
        arguments: Of the network, beside the recipe's.
        seed: In place of the recipe's.
        hours: Budget in place of the recipe's.
        steps: Budget in place of the recipe's.

    Raises:
        RecipeError: There is no such recipe.
    """
    content: dict[str, Any] = read_yaml(find_recipe(recipe))[0]
    content["name"] = name or content["name"]
    if arguments:
        model = content["model"]
        model["arguments"] = {**model.get("arguments", {}), **arguments}
    if seed is not None:
        content["seed"] = seed
    if hours is not None or steps is not None:
        budget = {"hours": hours, "steps": steps}
        content["budget"] = {kind: value for kind, value in budget.items() if value is not None}
    return content


def digest(*values: object) -> str:
    """Return 16 letters that follow from JSON values."""
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:16]
