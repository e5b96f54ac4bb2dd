"""Checkpoints: `last` and `best` weights that describe themselves, and the state that resumes a run exactly.

The state is a safetensors file too (no pickle): network, moving average, optimizer and torch's generators as
tensors, the counters and the resolved recipe as JSON. Batches need no state: they are functions of the step.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as to_bytes
from torch import Tensor, nn

from restorecli.core.weights import digest_of
from restorecli.errors import RecipeError
from restorecli.images.atomic import atomic_write
from restorecli.training.curriculum import Lesson
from restorecli.training.optimization import Clock, MovingAverage
from restorecli.training.places import DAMAGED, PREVIOUS, STATE

_KEY = "restorecli-state-1"
_REQUIRED = {"step", "seconds", "best", "skipped", "recipe", "digest"}


@dataclass(frozen=True, slots=True)
class Discriminator:
    """A network that is trained beside the main one, with its own optimizer."""

    network: nn.Module
    optimizer: torch.optim.Optimizer


@dataclass(slots=True)
class RunState:
    """All that changes while a run goes on.

    Attributes:
        network: The network.
        optimizer: Its optimizer.
        average: The moving average of its weights, or None.
        clock: Steps and seconds so far.
        best: The best validation scores so far and their step, or empty.
        skipped: Steps left out because their loss or gradient was not finite.
        discriminators: The strategy's further networks, by name.
        lessons: What the curriculum has learned: steps and the shares that hold from there on.
    """

    network: nn.Module
    optimizer: torch.optim.Optimizer
    average: MovingAverage | None
    clock: Clock = field(default_factory=Clock)
    best: dict[str, float] = field(default_factory=dict)
    skipped: int = 0
    discriminators: Mapping[str, Discriminator] = field(default_factory=dict)
    lessons: tuple[Lesson, ...] = ()

    def weights(self) -> dict[str, Tensor]:
        """Return what is validated and saved: the moving average if there is one."""
        return dict(self.average.values) if self.average is not None else self.network.state_dict()

    def tensors(self) -> dict[str, list[Tensor]]:
        """Return all tensors that a step changes, by what they are."""
        found: dict[str, list[Tensor]] = {"weights": [], "buffers": []}
        trained = [(self.network, self.optimizer)]
        trained += [(each.network, each.optimizer) for each in self.discriminators.values()]
        for network, optimizer in trained:
            found["weights"] += network.parameters()
            found["buffers"] += network.buffers()
            for values in optimizer.state.values():
                for name, value in values.items():
                    if isinstance(value, Tensor):
                        found.setdefault(f"the optimizer's {name}", []).append(value)
        if self.average is not None:
            found["moving average"] = list(self.average.values.values())
        return found


def save_state(folder: Path, state: RunState, recipe: Mapping[str, Any], images: str) -> None:
    """Write the state beside the weights; the one before is kept as `previous`.

    Args:
        folder: The run folder.
        state: What is saved.
        recipe: The resolved recipe.
        images: Digest of the images that the run trains on and is validated on.

    Raises:
        ResourceError: The disk is full or refuses; what was there before is still there and valid.
    """
    tensors = {f"model.{name}": tensor for name, tensor in state.network.state_dict().items()}
    if state.average is not None:
        tensors |= {f"average.{name}": tensor for name, tensor in state.average.values.items()}
    tensors |= _moments("optimizer.", state.optimizer)
    for name, discriminator in state.discriminators.items():
        weights = discriminator.network.state_dict().items()
        tensors |= {f"rival.{name}.model.{key}": tensor for key, tensor in weights}
        tensors |= _moments(f"rival.{name}.optimizer.", discriminator.optimizer)
    tensors["generator.cpu"] = torch.get_rng_state()
    if torch.cuda.is_available():
        tensors["generator.cuda"] = torch.cuda.get_rng_state()
    plain = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}
    metadata = {
        "step": state.clock.step,
        "seconds": state.clock.seconds,
        "best": state.best,
        "skipped": state.skipped,
        "lessons": [[lesson.step, list(lesson.shares)] for lesson in state.lessons],
        "recipe": dict(recipe),
        "pictures": images,
        "torch": torch.__version__,
        "digest": digest_of(plain),
    }
    content = to_bytes(plain, metadata={_KEY: json.dumps(metadata)})
    with atomic_write(folder / STATE, needed=len(content)) as temporary:
        temporary.write_bytes(content)
        if (folder / STATE).exists():
            (folder / STATE).replace(folder / PREVIOUS)


def _moments(prefix: str, optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """Return what an optimizer remembers of every parameter, by name."""
    return {
        f"{prefix}{index}.{key}": torch.as_tensor(value)
        for index, values in optimizer.state_dict()["state"].items()
        for key, value in values.items()
        if value is not None
    }


@dataclass(frozen=True, slots=True)
class SavedState:
    """A state read back: its tensors, its metadata, and the file it came from."""

    tensors: Mapping[str, Tensor]
    metadata: Mapping[str, Any]
    file: Path


def read_state(folder: Path) -> SavedState | None:
    """Return the newest whole state of a run folder: the last one, else the one before; None without any."""
    for name in (STATE, PREVIOUS):
        saved = _read_whole(folder / name)
        if saved is not None:
            return saved
    if (folder / STATE).exists() or (folder / PREVIOUS).exists():
        raise RecipeError(
            "All checkpoints of this run are damaged.",
            file=folder,
            unchanged="the run folder",
            hint="start again with another -o/--output",
        )
    return None


def _read_whole(path: Path) -> SavedState | None:
    try:
        with safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            metadata = json.loads((file.metadata() or {})[_KEY])
    except (SafetensorError, OSError, RuntimeError, KeyError, ValueError):  # torch: a file that just vanished
        return None  # a damaged checkpoint: the caller falls back to the one before, or says so
    whole = (
        isinstance(metadata, dict)
        and metadata.keys() >= _REQUIRED
        and metadata["digest"] == digest_of(tensors)
    )
    return SavedState(tensors, metadata, path) if whole else None


def set_aside_damaged(folder: Path, saved: SavedState) -> str | None:
    """Rename a damaged newest state, so that the next one does not push it over the good one before.

    Returns:
        What is wrong with the newest state; None where nothing is.
    """
    if saved.file.name != PREVIOUS:
        return None
    if not (folder / STATE).exists():
        return f"the newest checkpoint, {STATE}, is missing"
    (folder / STATE).replace(folder / DAMAGED)
    return f"the newest checkpoint is damaged and now called {DAMAGED}"


def restore_state(saved: SavedState, state: RunState) -> None:
    """Put a saved state back into a freshly built run: weights, optimizer, average, counters, generators."""
    state.network.load_state_dict(_below(saved.tensors, "model."))
    if state.average is not None:
        for name, tensor in _below(saved.tensors, "average.").items():
            state.average.values[name].copy_(tensor)
    _restore_optimizer(state.optimizer, _below(saved.tensors, "optimizer."))
    for name, discriminator in state.discriminators.items():
        discriminator.network.load_state_dict(_below(saved.tensors, f"rival.{name}.model."))
        _restore_optimizer(discriminator.optimizer, _below(saved.tensors, f"rival.{name}.optimizer."))
    torch.set_rng_state(saved.tensors["generator.cpu"])
    if torch.cuda.is_available() and "generator.cuda" in saved.tensors:
        torch.cuda.set_rng_state(saved.tensors["generator.cuda"])
    state.clock = Clock(saved.metadata["step"], saved.metadata["seconds"])
    state.best = dict(saved.metadata["best"])
    state.skipped = saved.metadata["skipped"]
    state.lessons = tuple(Lesson(step, tuple(shares)) for step, shares in saved.metadata.get("lessons", ()))


def _restore_optimizer(optimizer: torch.optim.Optimizer, tensors: Mapping[str, Tensor]) -> None:
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    values: dict[int, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        index, key = name.split(".", 1)
        parameter = parameters[int(index)]
        if tensor.shape == parameter.shape:
            # A fused optimizer walks through memory: its moments must lie as their parameter does.
            tensor = torch.empty_like(parameter).copy_(tensor)
        values.setdefault(int(index), {})[key] = tensor
    optimizer.load_state_dict({"state": values, "param_groups": optimizer.state_dict()["param_groups"]})


def _below(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
