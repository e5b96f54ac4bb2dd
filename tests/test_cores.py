"""How many cores a process may use, told by files as Linux writes them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from restorecli import cores

_HERE = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else [0]


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine of eight cores, two threads to each of four units."""
    monkeypatch.setattr(cores, "_affinity", lambda: list(range(8)))
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    for number in range(8):
        write(
            tmp_path / f"sys/devices/system/cpu/cpu{number}/topology/thread_siblings_list",
            f"{number % 4},{number % 4 + 4}\n",
        )
    return tmp_path


def write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def watched(root: Path, monkeypatch: pytest.MonkeyPatch, *passed: int) -> None:
    """Let these hundredths pass while others are watched, in the columns of /proc/stat."""
    single = "".join(f"cpu{number} 1 1 1 1 1 1 1 1 0 0\n" for number in range(8))
    write(root / "proc/stat", f"cpu  900 10 300 70000 40 5 5 0 0 0\n{single}intr 5\n")
    now = [start + more for start, more in zip((900, 10, 300, 70000, 40, 5, 5, 0), passed, strict=True)]
    later = f"cpu  {' '.join(map(str, now))} 0 0\n{single}intr 9\n"
    monkeypatch.setattr("time.sleep", lambda _: write(root / "proc/stat", later))


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, 8),
        ({"sys/fs/cgroup/cpu.max": "max 100000\n"}, 8),
        ({"sys/fs/cgroup/cpu.max": "200000 100000\n"}, 2),
        ({"sys/fs/cgroup/cpu.max": "150000 100000\n"}, 2),  # the part of a core is worth a thread
        ({"sys/fs/cgroup/cpu.max": "5000 100000\n"}, 1),
        ({"sys/fs/cgroup/cpu.max": "3200000 100000\n"}, 8),
        ({"proc/self/cgroup": "0::/a/b\n", "sys/fs/cgroup/a/cpu.max": "300000 100000\n"}, 3),
        ({"proc/self/cgroup": "4:cpu:/\n0::/a\n", "sys/fs/cgroup/a/cpu.max": "max 100000\n"}, 8),
        (
            {"sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n", "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n"},
            8,
        ),
        (
            {"sys/fs/cgroup/cpu/cpu.cfs_quota_us": "400000", "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000"},
            4,
        ),
    ],
)
def test_a_quota_bounds_the_cores(root: Path, files: dict[str, str], expected: int) -> None:
    for name, text in files.items():
        write(root / name, text)
    assert cores.usable_cores(root) == expected


@pytest.mark.parametrize(
    ("passed", "threads"),
    [
        ((0, 0, 0, 80, 0, 0, 0, 0), None),  # idle: torch takes a thread for each of four units
        ((30, 0, 10, 40, 0, 0, 0, 0), None),  # four of eight are busy, and four are left
        ((50, 0, 0, 30, 0, 0, 0, 0), "3"),
        ((50, 0, 0, 0, 30, 0, 0, 0), "3"),  # waiting for a disk takes no core
        ((0, 50, 0, 30, 0, 0, 0, 0), None),  # who is nice steps aside
        ((50, 0, 0, 20, 0, 0, 0, 10), "2"),  # what a hypervisor has taken is not there
        ((80, 0, 0, 0, 0, 0, 0, 0), "1"),
        ((0, 0, 0, 0, 0, 0, 0, 0), None),  # no clock
    ],
)
def test_cores_that_others_keep_busy_get_no_thread(
    root: Path, monkeypatch: pytest.MonkeyPatch, passed: tuple[int, ...], threads: str | None
) -> None:
    watched(root, monkeypatch, *passed)
    cores.keep_to_free_cores(busy=True, root=root)
    assert os.environ.get("OMP_NUM_THREADS") == threads
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    cores.keep_to_free_cores(busy=False, root=root)
    assert "OMP_NUM_THREADS" not in os.environ


def test_what_the_user_says_holds(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    watched(root, monkeypatch, 80, 0, 0, 0, 0, 0, 0, 0)
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    cores.keep_to_free_cores(busy=True, root=root)
    assert os.environ["OMP_NUM_THREADS"] == "7"


def test_where_nothing_is_told_nothing_is_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    cores.keep_to_free_cores(busy=True, root=tmp_path)
    assert "OMP_NUM_THREADS" not in os.environ
    assert cores.usable_cores(tmp_path) == len(_HERE)


@pytest.mark.skipif(len(_HERE) < 2, reason="one core is all there is")
def test_torch_takes_no_more_threads_than_a_container_grants(tmp_path: Path) -> None:
    """Judge: torch itself, in a process of its own."""
    write(tmp_path / "sys/fs/cgroup/cpu.max", "100000 100000\n")
    for number in _HERE:
        write(tmp_path / f"sys/devices/system/cpu/cpu{number}/topology/thread_siblings_list", f"{number}\n")
    program = f"""
from pathlib import Path
from restorecli.cores import keep_to_free_cores
keep_to_free_cores(busy=False, root=Path({str(tmp_path)!r}))
import torch
print(torch.get_num_threads())
"""
    environment = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"}
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, env=environment
    )
    assert done.stdout == "1\n"


@pytest.mark.parametrize(("command", "busy"), [("restore", True), ("train", False)])
def test_commands_heed_it_before_torch_is_loaded(command: str, busy: bool) -> None:
    """Training is the same on a busy machine as on an idle one, to the last digit."""
    program = f"""
import sys
from restorecli import cores
def heed(**asked):
    print(asked, "torch" in sys.modules, file=sys.stdout)
    raise SystemExit
cores.keep_to_free_cores = heed
from restorecli.cli.app import main
sys.argv = ["restorecli", {command!r}, *{(["."] if command == "restore" else ["dncnn-s-25"])!r}]
main()
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert f"{{'busy': {busy}}} False" in done.stdout, done.stderr
