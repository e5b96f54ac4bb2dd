"""A recorded step is believed only where it ends as the step itself does, from the same state and batch.

What a graph freezes by mistake (a batch, a counter, a random number) raises no error: training goes on, and
goes wrong. So the first replays are compared with what the step does when it is taken as usual.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor

from restorecli.training.captured import Outcome

TOLERANCE = 0.1
"""Of the length of a change: kernels that add in any order stay far below, a wrong batch is far above."""

Tensors = Mapping[str, Sequence[Tensor]]


class ReplayDiffersError(RuntimeError):
    """A replay did something else than the step that was recorded."""


class ReplayCheck:
    """Compares a replay with the step itself.

    Args:
        changing: Returns all tensors that a step changes, by what they are; each kind is judged as a whole.
        device: Whose generator of random numbers both draw from.
    """

    def __init__(self, changing: Callable[[], Tensors], device: torch.device) -> None:
        self._changing, self._device = changing, device

    def __call__(self, usual: Callable[[], Outcome], replay: Callable[[], Outcome]) -> Outcome:
        """Take one step, by the replay.

        Raises:
            ReplayDiffersError: It ended elsewhere; all is as it was before.
        """
        tensors = self._changing()
        with _given_back_on_error(tensors, self._device) as (before, start):
            expected = usual()
            loss, ends = expected.losses.total.clone(), _copied(tensors)
            _restore(tensors, before, self._device, start)
            outcome = replay()
            self._compare("loss", [outcome.losses.total], [loss], [torch.zeros_like(loss)])
            for kind, values in tensors.items():
                self._compare(kind, values, ends[kind], before[kind])
        return outcome

    def _compare(
        self, kind: str, values: Sequence[Tensor], expected: Sequence[Tensor], before: Sequence[Tensor]
    ) -> None:
        """Tell whether the change of a kind of tensors is the expected one.

        Raises:
            ReplayDiffersError: It is not.
        """
        error, change = _distance(values, expected), _distance(expected, before)
        if error > TOLERANCE * change:
            raise ReplayDiffersError(
                f"a replay ends elsewhere than the step: {kind} is off by {error:.3g} where the step changes "
                f"it by {change:.3g}"
            )


@contextmanager
def _given_back_on_error(tensors: Tensors, device: torch.device) -> Iterator[tuple[Tensors, Tensor]]:
    """Give copies of tensors and the state of the generator; put both back where an error is raised."""
    before, start = _copied(tensors), _generator_state(device)
    try:
        yield before, start
    except BaseException:
        _restore(tensors, before, device, start)
        raise


def _copied(tensors: Tensors) -> dict[str, list[Tensor]]:
    return {kind: [each.detach().clone() for each in values] for kind, values in tensors.items()}


@torch.no_grad()
def _restore(tensors: Tensors, before: Tensors, device: torch.device, start: Tensor) -> None:
    for kind, values in tensors.items():
        for value, old in zip(values, before[kind], strict=True):
            value.copy_(old)
    if device.type == "cuda":
        torch.cuda.set_rng_state(start, device)
    else:
        torch.set_rng_state(start)


def _generator_state(device: torch.device) -> Tensor:
    return torch.cuda.get_rng_state(device) if device.type == "cuda" else torch.get_rng_state()


@torch.no_grad()
def _distance(left: Sequence[Tensor], right: Sequence[Tensor]) -> float:
    """Return the Euclidean distance of two lists of tensors; numbers that are not finite equal each other."""
    squares = [
        (torch.nan_to_num(one.double()) - torch.nan_to_num(other.double())).square().sum()
        for one, other in zip(left, right, strict=True)
    ]
    return float(torch.stack(squares).sum().sqrt()) if squares else 0.0
