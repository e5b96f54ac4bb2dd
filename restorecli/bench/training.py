"""Training steps timed beside the plain loop, and beside the same network on random tensors in memory."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from restorecli.bench.complexity import multiply_adds
from restorecli.bench.images import bench_pairs
from restorecli.bench.machine import torch_limit_cases, torch_limits
from restorecli.bench.timing import Taken, interleaved, torch_threads
from restorecli.core.models.catalog import create_model
from restorecli.core.zoo import as_restorer
from restorecli.degradation.chain import Chain
from restorecli.degradation.on_device.names import host_only
from restorecli.errors import UsageError
from restorecli.training.batches import Batch
from restorecli.training.captured import CHECKED, WARM_UP, wait_for
from restorecli.training.device_batches import device_batches
from restorecli.training.recipe import Recipe
from restorecli.training.run import check_recipe
from restorecli.training.session import Session

if TYPE_CHECKING:
    from torch import Tensor, nn

LOOP = "plain loop: eager, float32, contiguous, batches made in between"
"""What is compared with: how most training scripts are written."""

ON_DEVICE = "degraded on the device"
"""How batches that the host only cuts are told from those that it degrades, too."""

IN_MEMORY = "on random tensors"
"""How what trains on one batch in memory is told from what makes its batches."""

_PASSES = 3
"""Of a network in a step: forward, and backward to its inputs and to its weights."""

_PIECES = 2
_WAYS_OF_CUDA = ("graph", "compile")
_PRECISIONS = {"float32": "fp32", "bfloat16": "bf16"}


@dataclass(frozen=True, slots=True)
class TrainingSpeed:
    """One way to train, measured.

    Attributes:
        name: What it is.
        taken: Median time of one step.
        times_as_fast: The plain loop's time divided by this, on the clock and by CPU time.
        waited: Share of the time on the clock that was spent waiting for batches.
        share_of_limit: Operations per CPU second over what the machine can do in that type; None for steps
            that the CPU does not compute.
    """

    name: str
    taken: Taken
    times_as_fast: Taken
    waited: float
    share_of_limit: float | None

    def to_dict(self) -> dict[str, object]:
        """Return the measurement as JSON values."""
        return {
            "name": self.name,
            **self.taken.to_dict(),
            "steps_per_second": 1 / self.taken.wall,
            "times_as_fast": self.times_as_fast.wall,
            "times_as_fast_by_cpu_time": self.times_as_fast.cpu,
            "share_waited_for_batches": self.waited,
            "share_of_limit": self.share_of_limit,
        }


@dataclass(frozen=True, slots=True)
class TrainingBench:
    """Training measured on this machine.

    Attributes:
        device: That computed.
        recipe: Name of the recipe.
        crop: Side of the crops.
        batch: Crops of a step.
        threads: That torch computed on.
        ways: The plain loop first.
        limits: Operations per CPU second that the machine can do, by type; see `machine.torch_limits`.
    """

    device: str
    recipe: str
    crop: int
    batch: int
    threads: int
    ways: tuple[TrainingSpeed, ...]
    limits: dict[str, float]

    def to_dict(self) -> dict[str, Any]:
        """Return the measurements as JSON values."""
        return {
            "device": self.device,
            "recipe": self.recipe,
            "crop": self.crop,
            "batch": self.batch,
            "threads": self.threads,
            "ways": [way.to_dict() for way in self.ways],
            "limit_flops_per_cpu_second": self.limits,
        }


def bench_training(
    recipe: str = "dncnn-s-25",
    data: Path | None = None,
    *,
    steps: int = 2,
    rounds: int = 3,
    threads: int = 1,
    crop: int | None = None,
    batch: int | None = None,
    device: str = "cpu",
) -> TrainingBench:
    """Time training steps in turns with a plain loop over the same batches.

    Where the device can do the recipe's degradations, steps with batches that it degrades are timed, too; on
    CUDA also steps as one graph, and as that of a compiled network.

    Args:
        recipe: Name or file of a recipe with the strategy "supervised".
        data: Folder of clean RGB images; None takes pieces of the built-in photographs.
        steps: Of each timed call.
        rounds: Timed calls of each way; medians are given.
        threads: That torch computes on.
        crop: Side of the crops in place of the recipe's.
        batch: Crops of a step in place of the recipe's.
        device: "cpu", or another that is here.

    Raises:
        RecipeError: The recipe is wrong.
        UsageError: The device is not here, or the recipe has another strategy, which has no usual loop.
        DataError: The folder holds no RGB image.
    """
    with torch_threads(threads), tempfile.TemporaryDirectory() as folder:
        checked = _prepared(recipe, data, Path(folder), crop, batch)
        runs = _runs(checked, Path(folder), device)
        calls = {name: _times(run, steps) for name, run in runs.items()}
        try:
            taken = interleaved({**calls, **torch_limit_cases()}, rounds)
        finally:
            for run in runs.values():
                run.close()
        work = _PASSES * _operations(checked)
    limits = torch_limits(taken)
    each = {name: taken[name].each(steps) for name in runs}
    here = runs[LOOP].device.type
    return TrainingBench(
        device=here,
        recipe=checked.name,
        crop=checked.data.crop,
        batch=checked.data.batch,
        threads=threads,
        ways=tuple(
            TrainingSpeed(
                name,
                each[name],
                Taken(each[LOOP].wall / each[name].wall, each[LOOP].cpu / each[name].cpu),
                run.waited / run.whole,
                work / each[name].cpu / limits["bfloat16" if "bfloat16" in name else "float32"]
                if here == "cpu"
                else None,
            )
            for name, run in runs.items()
        ),
        limits=limits,
    )


def _runs(recipe: Recipe, folder: Path, device: str) -> dict[str, _Plain | _Ours]:
    """Return all that is timed, the plain loop first."""
    runs: dict[str, _Plain | _Ours] = {LOOP: _Plain(_session(recipe, "fp32", folder, device))}
    on_device = host_only(Chain.from_specs(recipe.data.degrade)) is None
    fastest = _degraded_on_device(recipe) if on_device else recipe
    for title, precision in _PRECISIONS.items():
        name = f"restorecli, {title}"
        session = partial(_session, precision=precision, folder=folder, device=device)
        runs[name] = _Ours(session(recipe))
        runs[f"{name}, {IN_MEMORY}"] = _Ours(session(recipe), in_memory=True)
        if on_device:
            runs[f"{name}, {ON_DEVICE}"] = _Ours(session(fastest))
        for way in _WAYS_OF_CUDA if runs[name].device.type == "cuda" else ():
            graphed = _Ours(session(fastest, compile=way))
            graphed.warm_up()
            runs[f"{name}, --compile {way}"] = graphed
    return runs


class _Timed:
    """Counts the time on the clock of all steps, and what of it was spent waiting for batches.

    Args:
        session: The run.
    """

    def __init__(self, session: Session) -> None:
        self.device = session.device
        self.waited = self.whole = 0.0

    def next_of(self, batches: Iterator[Batch]) -> Batch:
        begun = time.perf_counter()
        batch = next(batches)
        self.waited += time.perf_counter() - begun
        return batch


class _Plain(_Timed):
    """The usual loop: make a batch, zero the gradients, forward, backward, Adam, read the loss."""

    def __init__(self, session: Session) -> None:
        import torch

        super().__init__(session)
        self._batches = (_on_host(session, step) for step in range(1 << 30))
        model = session.recipe.model
        self._network: nn.Module = create_model(model.name, **model.arguments).to(self.device).train()
        self._strategy = session.strategy
        self._optimizer = torch.optim.Adam(self._network.parameters(), lr=1e-4)

    def step(self) -> None:
        begun = time.perf_counter()
        batch = self.next_of(self._batches).mapped(lambda crops: crops.to(self.device))
        self._optimizer.zero_grad()
        loss: Tensor = self._strategy.losses(self._network, batch, 0).total
        loss.backward()  # type: ignore[no-untyped-call]
        self._optimizer.step()
        loss.item()
        self.whole += time.perf_counter() - begun

    def close(self) -> None:
        """Release nothing: batches are made in between."""


class _Ours(_Timed):
    """The loop of `restorecli train`, without validation and saving.

    Args:
        session: The run.
        in_memory: Train on one batch of random numbers instead of batches that are made.
    """

    def __init__(self, session: Session, *, in_memory: bool = False) -> None:
        super().__init__(session)
        self._stepper = session.stepper()
        self._batches = (
            device_batches(
                _same(_random_batch(session).mapped(lambda crops: crops.to(session.device))), session.device
            )
            if in_memory
            else session.batches()
        )

    def step(self) -> None:
        begun = time.perf_counter()
        self._stepper(self.next_of(self._batches))
        self.whole += time.perf_counter() - begun

    def warm_up(self) -> None:
        """Take the steps before a graph is replayed unchecked, which is what is timed."""
        for _ in range(WARM_UP + CHECKED):
            self.step()
        self.waited = self.whole = 0.0

    def close(self) -> None:
        """Stop the making of batches."""
        self._batches.close()  # type: ignore[attr-defined]


def _times(run: _Plain | _Ours, steps: int) -> Callable[[], object]:
    def call() -> None:
        for _ in range(steps):
            run.step()
        wait_for(run.device)

    return call


def _degraded_on_device(recipe: Recipe) -> Recipe:
    return recipe.model_copy(update={"data": recipe.data.model_copy(update={"degrade_on": "device"})})


def _same(batch: Batch) -> Iterator[Batch]:
    while True:
        yield batch


def _on_host(session: Session, step: int) -> Batch:
    """Return the batch of a step, degraded on the host."""
    made = session.maker.batch(step)
    assert isinstance(made, Batch)  # noqa: S101 - the recipe of the bench says so
    return made


def _random_batch(session: Session) -> Batch:
    import torch

    made, random = _on_host(session, 0), torch.Generator().manual_seed(0)
    return Batch(*(torch.rand(side.shape, generator=random) for side in (made.degraded, made.reference)))


def _session(
    recipe: Recipe,
    precision: str,
    folder: Path,
    device: str = "cpu",
    compile: str = "off",  # noqa: A002 - as that of the session
) -> Session:
    from restorecli.training.monitor import SilentMonitor

    return Session(
        recipe.model_copy(update={"precision": precision}),
        folder,
        folder / "run",
        resume=False,
        allow_change=(),
        device=device,
        monitor=SilentMonitor(),
        compile=compile,
    )


def _prepared(recipe: str, data: Path | None, folder: Path, crop: int | None, batch: int | None) -> Recipe:
    """Return the recipe on images that all ways share, with an endless budget."""
    if data is None:
        data = folder / "images"
        data.mkdir()
        for pair in bench_pairs(None):
            whole = pair.reference.transpose(1, 2, 0)
            pieces = [
                part for half in np.array_split(whole, _PIECES) for part in np.array_split(half, _PIECES, 1)
            ]
            for number, piece in enumerate(pieces):
                Image.fromarray(np.ascontiguousarray(piece)).save(data / f"{pair.name}-{number}.png")
    content = check_recipe(recipe, data=[data], steps=1 << 30).resolved()
    content["validation"] |= {"sources": [], "holdout": 1, "samples": 0}
    content["data"] |= {"degrade_on": "host"}  # what is compared with knows no other
    content["data"] |= {} if crop is None else {"crop": crop}
    content["data"] |= {} if batch is None else {"batch": batch}
    checked = check_recipe(content)
    name, _ = checked.strategy_choice()
    if name != "supervised":
        raise UsageError(
            "There is no usual loop to compare this recipe with.",
            expected="a recipe with the strategy supervised",
            got=f"{checked.name}: {name}",
        )
    return checked


def _operations(recipe: Recipe) -> float:
    """Return the operations of one forward pass over a batch."""
    import torch

    network = create_model(recipe.model.name, **recipe.model.arguments)
    restorer = as_restorer(network, recipe.model.name, device="cpu")
    crops = torch.zeros(1, restorer.spec.channels, recipe.data.crop, recipe.data.crop)
    return 2 * multiply_adds(restorer, crops) * recipe.data.crop**2 * recipe.data.batch
