"""What a recipe may say, and how all its faults are found at once before anything is loaded."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PositiveFloat,
    PositiveInt,
    SerializerFunctionWrapHandler,
    field_validator,
    model_serializer,
    model_validator,
)

from restorecli.core.models.catalog import MODELS
from restorecli.errors import UsageError
from restorecli.images.scale import check_range
from restorecli.plugins import is_place

MAX_CROP = 1 << 14
"""The longest side of a crop in pixels."""


class _Section(BaseModel):
    """A section of a recipe: unknown keys and infinite numbers are faults, nothing is converted."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


def located(name: str, base: Path) -> Path:
    """Return the place of a file or folder that a recipe names, relative ones being relative to `base`."""
    return (base / Path(name).expanduser()).resolve()


class ModelSection(_Section):
    """Which network, with which arguments."""

    name: str
    arguments: dict[str, Any] = {}

    @field_validator("name")
    @classmethod
    def _listed(cls, name: str) -> str:
        return name if is_place(name) else MODELS.resolve(name) or name


class Source(_Section):
    """Where training images come from: clean ones to degrade on the fly, or pairs of folders.

    Folders are relative to the recipe's own folder. `strip_suffix` is what the names of one folder of a pair
    end in besides those of the other, e.g. `_noisy`; by default the ending by which all of them differ.
    `range` says which values are black and white, as `--range` of `restore`: auto, file, type or 0..4095.
    """

    clean: str | None = None
    degraded: str | None = None
    reference: str | None = None
    strip_suffix: str | None = None
    range: str = "auto"

    @field_validator("range")
    @classmethod
    def _possible(cls, values: str) -> str:
        try:
            check_range(values)
        except UsageError as error:
            raise ValueError(f"{error.problem} Expected {error.expected}") from error
        return values

    @model_validator(mode="after")
    def _one_kind(self) -> Source:
        if (self.clean is None) == (self.degraded is None) or (self.degraded is None) != (
            self.reference is None
        ):
            raise ValueError("give either `clean`, or `degraded` and `reference` together")
        if self.strip_suffix is not None and (not self.strip_suffix or self.degraded is None):
            raise ValueError("`strip_suffix` needs some text, and belongs to `degraded` and `reference`")
        return self

    @model_serializer(mode="wrap")
    def _without_defaults(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leave out `strip_suffix` and `range` where they are not given: saved recipes do not hold them."""
        values: dict[str, Any] = write(self)
        defaults = {"strip_suffix": None, "range": "auto"}
        return {key: value for key, value in values.items() if key not in defaults or value != defaults[key]}


class DataSection(_Section):
    """Images, how they are cut, and what damages them on the fly.

    Attributes:
        train: The sources; every image of all of them is drawn once per epoch.
        degrade: Chain of degradations for clean sources, as for `restorecli degrade --chain`.
        crop: Side of the square crops in pixels.
        batch: Crops per step.
        augment: true flips and turns by right angles at random; flips only mirrors, which leaves a texture's
            direction (brushed metal, gravity) to be learned; false does neither.
        gray: Share of color crops that are made gray (luma in every channel, before degrading): gray
            images that go through an RGB network carry the same noise in its three channels.
        eight_bit: Share of crops whose degraded version is clipped to [0, 1] and rounded to 8 bits, as files
            hold it; the others stay as the degradations leave them, as papers test.
        degrade_on: Where clean crops are degraded: host (NumPy, before they are copied), or device, where
            whole batches are degraded in torch, with other random numbers of the same law.
    """

    train: list[Source] = Field(min_length=1)
    degrade: list[str | dict[str, Any]] = []
    crop: int = Field(default=96, ge=1, le=MAX_CROP)
    batch: PositiveInt = 16
    augment: bool | Literal["flips"] = True
    gray: float = Field(default=0.0, ge=0, le=1)
    eight_bit: float = Field(default=0.0, ge=0, le=1)
    degrade_on: Literal["host", "device"] = "host"

    @model_serializer(mode="wrap")
    def _without_default(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leave out `degrade_on` where it is not given: recipes saved before it do not hold it."""
        values: dict[str, Any] = write(self)
        return {key: value for key, value in values.items() if (key, value) != ("degrade_on", "host")}


class ValidationSection(_Section):
    """How progress is measured on images that are not trained on.

    Attributes:
        sources: Folders; without them, `holdout` images are taken out of the training set.
        holdout: How many (chosen by their names' hash, so always the same).
        degrade: Fixed chain for clean sources; each image has its own fixed seed.
        every: Steps between validations.
        metric: By which `best` is chosen: psnr or ssim.
        max_side: Larger images are center-cropped to it, to bound the time.
        samples: How many of the images are written to the run folder.
    """

    sources: list[Source] = []
    holdout: PositiveInt = 12
    degrade: list[str | dict[str, Any]] = []
    every: PositiveInt = 1000
    metric: Literal["psnr", "ssim"] = "psnr"
    max_side: PositiveInt = 512
    samples: int = Field(default=4, ge=0)


class OptimizerSection(_Section):
    """The optimizer: its name and its own settings.

    `muon` makes the momentum of convolutions orthogonal (see `train.muon`); what it leaves to Adam uses
    `betas`.
    """

    name: Literal["adam", "adamw", "sgd", "muon"] = "adam"
    lr: PositiveFloat = 1e-3
    betas: list[Annotated[float, Field(ge=0, lt=1)]] = Field(default=[0.9, 0.999], min_length=2, max_length=2)
    momentum: float = Field(default=0.9, ge=0, lt=1)
    weight_decay: float = Field(default=0.0, ge=0)
    clip_norm: PositiveFloat | None = None


class ScheduleSection(_Section):
    """The learning rate over the budget.

    Attributes:
        name: constant; cosine (from lr to `final`); exponential (geometrically from lr to `final`); or steps
            (times `factor` at each milestone).
        final: Rate at the end of the budget, for cosine and exponential.
        milestones: Fractions of the budget in (0, 1), for steps.
        factor: For steps.
        warmup: Steps over which the rate rises linearly from 0.
    """

    name: Literal["constant", "cosine", "exponential", "steps"] = "constant"
    final: PositiveFloat = 1e-6
    milestones: list[Annotated[float, Field(gt=0, lt=1)]] = []
    factor: PositiveFloat = 0.1
    warmup: int = Field(default=0, ge=0)


class Budget(_Section):
    """How long to train: steps, or hours (which then drive the schedule); the first to end counts."""

    steps: PositiveInt | None = None
    hours: PositiveFloat | None = None

    @model_validator(mode="after")
    def _some(self) -> Budget:
        if self.steps is None and self.hours is None:
            raise ValueError("give `steps`, `hours` or both")
        return self


class Curriculum(_Section):
    """Levels of difficulty, and how much of the training goes to which.

    Attributes:
        kind: on-demand (shares follow validation: the worse restored, the more), or one to compare with:
            rigid (all alike), fixed (one level), staged and cumulative (one after the other, or one more at a
            time), each also backwards as anti-staged and anti-cumulative.
        levels: Chains of degradations from easy to hard, in place of `data.degrade`.
        level: Which one, from 1, for fixed.
        power: Exponent of 1/PSNR, for on-demand; the paper's is 1.
        floor: Least share of a level, for on-demand.
    """

    kind: Literal["on-demand", "rigid", "fixed", "staged", "anti-staged", "cumulative", "anti-cumulative"] = (
        "on-demand"
    )
    levels: list[list[str | dict[str, Any]]] = Field(min_length=2)
    level: PositiveInt = 1
    power: PositiveFloat = 1.0
    floor: float = Field(default=0.05, ge=0, le=0.5)

    @model_validator(mode="after")
    def _there(self) -> Curriculum:
        if self.level > len(self.levels):
            raise ValueError(f"level {self.level} of {len(self.levels)}")
        return self


class CardSection(_Section):
    """What the weights file will say of itself; see `core.card_reading.Card`."""

    tag: str = ""
    summary: str = ""
    data: str = ""
    side: int = Field(0, ge=0, le=2**20)
    licence: str = "Apache-2.0"


class Recipe(_Section):
    """A whole recipe.

    Attributes:
        name: Name of the run, a plain word; its folder is `runs/NAME` unless another is given.
        strategy: How a batch becomes losses: a name, or a mapping of `name` and the strategy's own arguments.
        init: Weights to start from: a file, relative to the recipe's folder, or a name that ships.
        freeze: Names of parts whose weights stay as they are, `*` standing for anything: ["encoder*"].
        model: The network.
        data: Images and degradations.
        curriculum: Levels of difficulty in place of `data.degrade`.
        validation: How progress is measured.
        loss: Losses by name; a weight, or a mapping of `weight` and the loss's own arguments.
        optimizer: The optimizer.
        rivals: The optimizer of a strategy's discriminators; by default the same.
        schedule: The learning rate.
        ema: Decay of the moving average of the weights, which is then what is validated and saved.
        budget: How long.
        save_every: Steps between checkpoints (one is also written at each validation and at the end).
        precision: auto, fp32 or bf16.
        seed: Seed of everything random.
        card: What the weights will say of themselves.
    """

    name: str
    strategy: str | dict[str, Any] = "supervised"
    init: str | None = None
    freeze: list[str] = []
    model: ModelSection
    data: DataSection
    curriculum: Curriculum | None = None
    validation: ValidationSection = ValidationSection()
    loss: dict[str, float | dict[str, Any]] = Field(min_length=1)
    optimizer: OptimizerSection = OptimizerSection()
    rivals: OptimizerSection | None = None
    schedule: ScheduleSection = ScheduleSection()
    ema: float | None = Field(default=None, gt=0, lt=1)
    budget: Budget
    save_every: PositiveInt = 500
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    seed: int = Field(default=0, ge=-(2**63), lt=2**63)
    card: CardSection = CardSection()

    @field_validator("strategy")
    @classmethod
    def _named(cls, strategy: str | dict[str, Any]) -> str | dict[str, Any]:
        if isinstance(strategy, dict) and not isinstance(strategy.get("name"), str):
            raise ValueError("a mapping needs the strategy's `name`")
        return strategy

    @field_validator("name")
    @classmethod
    def _one_folder(cls, name: str) -> str:
        if re.fullmatch(r"\w[\w .+-]*", name) is None:
            raise ValueError("a plain word, since it names the run's folder")
        return name

    def folder_of(self, name: str, base: Path) -> Path:
        """Return a data folder, relative ones being relative to `base`, the recipe's folder."""
        return located(name, base)

    def resolved(self) -> dict[str, Any]:
        """Return the whole recipe with its defaults filled in, as plain values."""
        return self.model_dump(mode="json")

    def published(self, base: Path) -> dict[str, Any]:
        """Return the resolved recipe for a weights file: of folders and files only their own names.

        Weights travel to strangers, who need not know where their maker keeps things.

        Args:
            base: The folder that relative ones start from.
        """
        content = self.resolved()
        if self.init is not None:
            content["init"] = Path(self.init).name
        for source in (*content["data"]["train"], *content["validation"]["sources"]):
            for key in ("clean", "degraded", "reference"):
                if source[key] is not None:
                    source[key] = located(source[key], base).name
        return content

    def strategy_choice(self) -> tuple[str, dict[str, Any]]:
        """Return the strategy's name and its own arguments."""
        if isinstance(self.strategy, str):
            return self.strategy, {}
        return self.strategy["name"], {key: item for key, item in self.strategy.items() if key != "name"}

    def loss_terms(self) -> list[tuple[str, float, Mapping[str, Any]]]:
        """Return (name, weight, arguments) of every loss."""
        terms: list[tuple[str, float, Mapping[str, Any]]] = []
        for name, value in self.loss.items():
            if isinstance(value, dict):
                arguments = {key: item for key, item in value.items() if key != "weight"}
                terms.append((name, float(value.get("weight", 1.0)), arguments))
            else:
                terms.append((name, float(value), {}))
        return terms
