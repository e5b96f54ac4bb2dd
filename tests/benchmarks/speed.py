"""Speed as ratios within one run: `python tests/benchmarks/speed.py`. No test: it asserts nothing.

Every case interleaves ours with a rival on the same data; the table shows the medians and their ratio.
PSNR and SSIM have a bench of their own, for users, too: `restorecli bench eval`.
"""

from collections.abc import Callable

import numpy as np
import torch
from rich.console import Console
from rich.table import Table

from restorecli import create_model
from restorecli.bench.timing import interleaved
from restorecli.core.device import autocast, pick_device, training_precision
from restorecli.degradation.catalog import find
from restorecli.degradation.chain import Chain, degrade_array
from restorecli.heap import keep_large_blocks

ROUNDS = 5
SIZE = (512, 768)


def medians(ours: Callable[[], object], rival: Callable[[], object]) -> tuple[float, float]:
    """Return the median seconds of two functions that take turns."""
    taken = interleaved({"ours": ours, "rival": rival}, ROUNDS)
    return taken["ours"].wall, taken["rival"].wall


def make_image(channels: int = 3) -> np.ndarray:
    rng = np.random.default_rng(0)
    small = rng.random((channels, SIZE[0] // 16, SIZE[1] // 16), np.float32)
    return np.ascontiguousarray(np.kron(small, np.ones((1, 16, 16), np.float32)))


def dither() -> tuple[str, str, float, float]:
    gray = make_image(1)
    step = find("dither")()
    rng = np.random.default_rng(0)

    def loop() -> None:
        work = gray[0].astype(np.float64).copy()
        height, width = work.shape
        for y in range(height):
            for x in range(width):
                new = 1.0 if work[y, x] >= 0.5 else 0.0
                error = work[y, x] - new
                for dy, dx, weight in ((0, 1, 7), (1, -1, 3), (1, 0, 5), (1, 1, 1)):
                    if y + dy < height and 0 <= x + dx < width:
                        work[y + dy, x + dx] += error * weight / 16

    ours, rival = medians(lambda: step.apply(gray, rng), loop)
    return "Floyd-Steinberg, 768x512 gray", "a Python loop", ours, rival


def degrade() -> tuple[str, str, float, float]:
    color = make_image()
    chain = Chain.from_specs([{"name": "gaussian", "sigma": 25}])
    rng = np.random.default_rng(0)
    ours, rival = medians(
        lambda: degrade_array(color, chain, 0, "x"), lambda: color + rng.normal(0, 25 / 255, color.shape)
    )
    return "Gaussian noise, 768x512 RGB", "NumPy in float64", ours, rival


def train() -> tuple[str, str, float, float]:
    device = pick_device()
    dtype = training_precision("auto", device)

    def stepper(fast: bool) -> Callable[[], None]:
        layout = torch.channels_last if fast else torch.contiguous_format
        network = create_model("dncnn", channels=1, depth=17).to(device, memory_format=layout)
        optimizer = torch.optim.Adam(network.parameters(), fused=fast)
        batch = torch.rand(32, 1, 40, 40, device=device).to(memory_format=layout)

        def step() -> None:
            with autocast(device, dtype if fast else torch.float32):
                loss = (network(batch) - batch).square().mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()

        return step

    ours, rival = medians(stepper(True), stepper(False))
    return (
        f"a DnCNN training step ({str(dtype).removeprefix('torch.')}, channels last)",
        "the usual eager loop",
        ours,
        rival,
    )


def main() -> None:
    table = Table("what", "ms", "against", "ms", "times as fast")
    cases = (dither, degrade, train)
    for case in cases:
        if case is train:
            keep_large_blocks()  # as `restorecli train` does; last, since it holds for the whole process
        what, against, ours, rival = case()
        table.add_row(what, f"{ours * 1e3:.1f}", against, f"{rival * 1e3:.1f}", f"{rival / ours:.1f}")
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
