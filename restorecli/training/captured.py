"""A whole step in one piece: a CUDA graph, or that of a compiled network; which is faster is measured.

Launching the some hundred kernels of a step costs the host more time than a fast GPU needs for them. A graph
is recorded once, and launched whole from then on. What changes from step to step lies in tensors: the batch,
the learning rates and the weight of the moving average.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol

import torch
from torch import Tensor, nn

from restorecli.core.learned import keep, known
from restorecli.training.batches import Batch
from restorecli.training.optimization import MovingAverage, keep_rate_on
from restorecli.training.strategies.base import Losses

OFF, GRAPH, COMPILE = "off", "graph", "compile"
WAYS = (OFF, GRAPH, COMPILE)
WARM_UP = 3
"""Steps that are taken as usual before one is recorded: by then all lazy parts of torch are made."""

CHECKED = 2
"""First replays that are compared with the step itself."""

TIMED = 10
"""Steps of each way whose times are compared."""

BACKEND = "inductor"
"""What compiles the network."""

_KIND = "training-steps"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a step leaves on the device.

    Attributes:
        losses: Of the batch, detached.
        finite: Whether loss and gradients were.
    """

    losses: Losses
    finite: Tensor


Work = Callable[[Batch], Outcome]
Check = Callable[[Callable[[], Outcome], Callable[[], Outcome]], Outcome]
"""Takes one step, given the usual way and a replay; see `replay_check`."""


class Graph(Protocol):
    """Something that records what is given to the device, and gives it again."""

    def warmed(self, work: Callable[[], Outcome]) -> Outcome:
        """Do the work as usual, where it will be recorded."""

    def record(self, work: Callable[[], Outcome]) -> Outcome:
        """Record the work without doing it; what it returns is written by every replay."""

    def replay(self) -> None:
        """Do what was recorded."""


class CudaGraph:
    """A graph of CUDA's, recorded on a stream of its own.

    Args:
        device: The GPU.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
        self._graph = torch.cuda.CUDAGraph()

    def warmed(self, work: Callable[[], Outcome]) -> Outcome:
        """Do the work on the stream, in order with the usual one."""
        usual = torch.cuda.current_stream(self._device)
        self._stream.wait_stream(usual)
        with torch.cuda.stream(self._stream):
            outcome = work()
        usual.wait_stream(self._stream)
        return outcome

    def record(self, work: Callable[[], Outcome]) -> Outcome:
        """Record the work; threads that pin batches meanwhile do not disturb it."""
        with torch.cuda.graph(self._graph, stream=self._stream, capture_error_mode="thread_local"):
            return work()

    def replay(self) -> None:
        """Launch the graph on the usual stream."""
        self._graph.replay()


class CapturedStep:
    """A step that is taken as usual a few times, then recorded, and replayed from then on.

    Each batch is trained on once: recording does nothing by itself.

    Args:
        work: The step.
        graph: What records it.
        check: Compares the first replays with the step.
    """

    def __init__(self, work: Work, graph: Graph, check: Check) -> None:
        self._work, self._graph, self._check = work, graph, check
        self._taken = 0
        self._inputs: Batch | None = None
        self._outcome: Outcome | None = None

    def __call__(self, batch: Batch) -> Outcome:
        """Take a step."""
        self._taken += 1
        usual = partial(self._graph.warmed, partial(self._work, batch))
        if self._taken <= WARM_UP:
            return usual()
        replay = partial(self._replay, batch)
        return self._check(usual, replay) if self._taken <= WARM_UP + CHECKED else replay()

    def _replay(self, batch: Batch) -> Outcome:
        if self._inputs is None or self._outcome is None:
            inputs = self._inputs = batch.mapped(torch.clone)
            self._outcome = self._graph.record(lambda: self._work(inputs))
        for place, tensor in zip(self._inputs.tensors(), batch.tensors(), strict=True):
            place.copy_(tensor)
        self._graph.replay()
        # The next replay writes over these two, which are read only every few steps.
        losses = replace(self._outcome.losses, total=self._outcome.losses.total.clone())
        return Outcome(losses, self._outcome.finite.clone())


@dataclass(frozen=True, slots=True)
class ChangingNumbers:
    """Where the numbers lie that change from step to step.

    Attributes:
        optimizers: With their learning rates.
        average: With its weight, or None.
        device: Of the training.
    """

    optimizers: Sequence[torch.optim.Optimizer]
    average: MovingAverage | None
    device: torch.device

    def keep_on_device(self, on_device: bool) -> None:
        """Keep the numbers in tensors, which a graph reads, or in Python, which is faster without one."""
        device = self.device if on_device else None
        for optimizer in self.optimizers:
            keep_rate_on(optimizer, device)
        if self.average is not None:
            self.average.keep_weight_on(device)


class Stepping:
    """Takes steps in the way that is asked for; with "auto" in the one that is the fastest on this machine.

    The ways are tried on the first steps of a training, which are steps as all others, and what was measured
    is kept for the next. A way that fails is given up with a note, and the step is taken as usual.

    Args:
        choice: auto, off, graph or compile.
        network: What is compiled.
        numbers: What changes from step to step.
        key: All that the times depend on, beside the versions of torch and restorecli.
        note: Is told what is done, and why.
        make_graph: Makes what records a step; None where nothing can.
        check: Compares first replays with the step; where one differs, steps are taken as usual.
        wait: Waits until the device has done all that it was given.
    """

    def __init__(
        self,
        choice: str,
        network: nn.Module,
        numbers: ChangingNumbers,
        *,
        key: str,
        note: Callable[[str], None],
        make_graph: Callable[[], Graph] | None,
        check: Check,
        wait: Callable[[], object],
    ) -> None:
        self._network, self._numbers, self._key, self._note = network, numbers, key, note
        self._make_graph, self._check, self._wait = make_graph, check, wait
        self._times: dict[str, list[float]] = {}
        self._trying: list[str] | None = None
        self._way = OFF
        self._step: Work | None = None
        if choice == "auto":
            self._choose()
        elif choice == GRAPH and make_graph is None:
            note("--compile graph needs CUDA; steps are taken one kernel at a time")
        else:
            self._way = choice

    def take(self, work: Work, batch: Batch) -> Outcome:
        """Take a step: `work`, in the present way."""
        trying = self._trying is not None
        if trying:
            self._wait()
        begun = time.perf_counter()
        try:
            outcome = self._prepared(work)(batch)
        except Exception as error:
            if self._way == OFF:
                raise
            self._give_up(error)
            return self._prepared(work)(batch)
        if trying:
            self._wait()
            self._count(time.perf_counter() - begun)
        return outcome

    def _prepared(self, work: Work) -> Work:
        """Return the step in the present way, made at its first call."""
        if self._step is None:
            make_graph = None if self._way == OFF else self._make_graph
            self._numbers.keep_on_device(make_graph is not None)
            if self._way == COMPILE:
                self._network.compile(backend=BACKEND, dynamic=False)
            self._step = work if make_graph is None else CapturedStep(work, make_graph(), self._check)
        return self._step

    def _switch(self, way: str) -> None:
        if self._way == COMPILE:
            self._network._compiled_call_impl = None
        self._way, self._step = way, None

    def _give_up(self, error: Exception) -> None:
        """Go on as usual; what failed left all as it was before the step."""
        first = (str(error).strip() or type(error).__name__).splitlines()[0]
        self._note(f"--compile {self._way} cannot be done here, and steps are taken as usual: {first}")
        self._times.pop(self._way, None)
        self._switch(OFF)
        self._try_next()

    def _choose(self) -> None:
        """Take what is known to be the fastest; where nothing is known, begin to try."""
        if self._make_graph is None:
            return
        measured = known(_KIND, self._key, _are_times)
        if measured is None:
            self._trying = list(WAYS[1:])
        else:
            self._way = min(measured, key=measured.__getitem__)

    def _count(self, seconds: float) -> None:
        """Note the time of a step; go on to the next way when there are enough."""
        times = self._times.setdefault(self._way, [])
        times.append(seconds)
        if len(times) == WARM_UP + CHECKED + TIMED:
            self._try_next()

    def _try_next(self) -> None:
        """Go on to the next way to try; behind the last, choose the fastest."""
        if self._trying is None:
            return
        if self._trying:
            self._switch(self._trying.pop(0))
            return
        medians = {way: statistics.median(each[-TIMED:]) for way, each in self._times.items()}
        best = min(medians, key=medians.__getitem__)
        keep(_KIND, self._key, medians)
        told = ", ".join(f"{way} {seconds * 1e3:.1f} ms" for way, seconds in medians.items())
        self._note(f"steps are taken by --compile {best}: {told} a step, measured")
        self._trying = None
        self._switch(best)


def graph_maker(device: torch.device) -> Callable[[], Graph] | None:
    """Return what makes graphs of a device's steps; None where there are none."""
    return partial(CudaGraph, device) if device.type == "cuda" else None


def wait_for(device: torch.device) -> None:
    """Wait until the device has done all that it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _are_times(measured: object) -> bool:
    """Tell whether a value of the cache can be times by way."""
    return (
        isinstance(measured, dict)
        and bool(measured)
        and measured.keys() <= set(WAYS)
        and all(isinstance(seconds, float) and seconds > 0 for seconds in measured.values())
    )
