"""Peak memory as ratios: `python tests/benchmarks/memory.py [FEW MANY]`. No test: it asserts nothing.

Every command runs on a few and on many tiny images as a process of its own; the table shows the largest
resident memory of both and their ratio. What one image leaves behind is counted in bytes by
`tests/folders/test_folders_memory.py`.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image
from rich.console import Console
from rich.table import Table

COMMANDS = (
    ("degrade", "{in}", "-o", "{out}", "--noise", "gaussian", "--sigma", "25"),
    ("restore", "{out}", "-o", "{restored}", "--model", "median"),
    ("eval", "{out}", "--metrics", "psnr"),
    ("eval", "{restored}"),
    ("eval", "{restored}", "{in}", "--metrics", "psnr"),
)


def plant(root: Path, count: int) -> None:
    """Write gray images of 12x12 pixels into 20 folders."""
    for number in range(count):
        path = root / f"category-{number % 20}" / f"{number:06}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((12, 12), number % 256, np.uint8)).save(path, compress_level=1)


def peak(arguments: list[str]) -> float:
    """Return the largest resident memory of a command in MB."""
    process = subprocess.Popen(
        [sys.executable, "-m", "restorecli", *arguments],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"restorecli {' '.join(arguments)} failed: {os.waitstatus_to_exitcode(status)}")
    return usage.ru_maxrss / 1024


def main() -> None:
    few, many = map(int, sys.argv[1:3] or (1000, 20000))
    found: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for count in (few, many):
            places = {name: str(Path(folder) / f"{count}-{name}") for name in ("in", "out", "restored")}
            plant(Path(places["in"]), count)
            for command in COMMANDS:
                used = peak([part.format(**places) for part in command])
                found.setdefault(" ".join(command), []).append(used)
    table = Table("command", f"MB of {few:,}", f"MB of {many:,}", "ratio")
    for name, (first, last) in found.items():
        table.add_row(name, f"{first:.1f}", f"{last:.1f}", f"{last / first:.3f}")
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
