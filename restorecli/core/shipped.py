"""The weights that ship with the package, by name; without torch, since recipes and completion ask."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from restorecli.catalogs import did_you_mean
from restorecli.core.models.catalog import MODELS
from restorecli.errors import UsageError, WeightsError

SHIPPED_FOLDER = Path(__file__).resolve().parent.parent / "weights"


@dataclass(frozen=True, slots=True)
class ShippedWeights:
    """Weights inside the package: the file `MODEL.TAG.safetensors`."""

    model: str
    tag: str
    path: Path

    @property
    def name(self) -> str:
        """The name for `--model`."""
        return f"{self.model}.{self.tag}"


def shipped() -> list[ShippedWeights]:
    """Return the weights that ship with the package, by name."""
    found = []
    for path in sorted(SHIPPED_FOLDER.glob("*.safetensors")):
        model, _, tag = path.stem.partition(".")
        found.append(ShippedWeights(model, tag, path))
    return found


def find_shipped(name: str) -> ShippedWeights:
    """Return the shipped weights called `name`: "model.tag", or "model" for its default tag.

    Raises:
        UsageError: There is no such model.
        WeightsError: The model is known, but no such weights ship.
    """
    known = {weights.name: weights for weights in shipped()}
    word, dot, tag = name.partition(".")
    model = MODELS.resolve(word)
    if model is None:
        raise UsageError(
            f"There is no model {name!r}.",
            expected=", ".join([*MODELS, *known]) + ", or a .safetensors file",
            got=name,
            hint=did_you_mean(name, [*MODELS, *known]) or "restorecli models",
        )
    wanted = f"{model}.{tag.casefold() if dot else MODELS[model].default_tag}"
    if wanted not in known:
        tags = [weights.name for weights in known.values() if weights.model == model]
        short = [tags[0], *(tag.removeprefix(model) for tag in tags[1:])] if tags else []
        raise WeightsError(
            f"No weights called {name!r} ship with restorecli.",
            expected=", ".join(short) or f"a file: {model} ships without weights",
            got=name,
            hint=(did_you_mean(name, tags) if dot else None)
            or "restorecli train RECIPE makes them; then --model FILE.safetensors",
        )
    return known[wanted]
