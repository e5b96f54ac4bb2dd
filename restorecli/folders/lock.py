"""One run per output folder: a lock that dies with its owner."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from restorecli.errors import BusyError, DataError
from restorecli.folders.places import NO_LINKS, make_folder, open_output
from restorecli.folders.shards import WHOLE, Shard, shard_files
from restorecli.images.atomic import PREFIX
from restorecli.images.faults import write_fault

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

FILE_NAME = ".restorecli.lock"


@contextlib.contextmanager
def output_lock(folder: Path | str, shard: Shard = WHOLE) -> Iterator[None]:
    """Hold the lock of an output folder, which is made if it is missing, while the block runs.

    Shards of one number of shards hold a lock each, side by side; the whole folder and another number of
    shards exclude them.

    The system releases the lock when its owner dies, however it dies; where the file system knows no such
    locks, the owner's process number and the machine's start decide. What a dead owner left half-written is
    removed.

    Args:
        folder: The output folder.
        shard: The part of its images that is written.

    Raises:
        BusyError: Another live run holds it (exit code 8).
        DataError: The folder cannot be made or written to.
        ResourceError: The disk is full or failing.
    """
    folder = Path(folder)
    file = folder / shard.name_in(FILE_NAME)
    if folder.exists() and not folder.is_dir():
        raise DataError(
            "The output is a file, where a folder is needed.",
            file=folder,
            unchanged="the file",
            hint="give another folder with -o/--output",
        )
    try:
        make_folder(folder, folder)
        descriptor = _acquire(file)
    except OSError as fault:
        raise write_fault(fault, file) from fault
    try:
        _refuse_others(folder, shard)
        yield
    finally:
        with contextlib.suppress(OSError):
            file.unlink()
        os.close(descriptor)


def _refuse_others(folder: Path, shard: Shard) -> None:
    """Check that no run holds a lock that excludes this shard.

    Every run first takes its own lock and then looks at the others, so of two neither may start, but never
    both.

    Raises:
        BusyError: One does.
    """
    others = [file for other, file in shard_files(folder, FILE_NAME) if other.count != shard.count]
    for file in others if shard == WHOLE else [folder / FILE_NAME, *others]:
        try:
            descriptor = os.open(file, os.O_RDWR | NO_LINKS)
        except OSError:
            continue
        try:
            owner = _read_owner(descriptor)
            if not _claim(descriptor, owner):
                raise _busy(file, owner)
        finally:
            os.close(descriptor)


def _acquire(file: Path) -> int:
    while True:
        descriptor = open_output(file, os.O_RDWR | os.O_CREAT)
        try:
            owner = _read_owner(descriptor)
            if not _claim(descriptor, owner):
                raise _busy(file, owner)
            if _is_current(descriptor, file):
                _remove_leftovers(file.parent, owner)
                _write_owner(descriptor)
                return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _claim(descriptor: int, owner: dict[str, Any]) -> bool:
    if fcntl is not None:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:  # a file system without locks
            return not _is_alive(owner)
        return True
    return not _is_alive(owner)


def _is_current(descriptor: int, file: Path) -> bool:
    """Tell whether the file that was claimed still stands under its name; its last owner removes it."""
    try:
        return os.path.samestat(os.fstat(descriptor), file.lstat())
    except FileNotFoundError:
        return False


def _read_owner(descriptor: int) -> dict[str, Any]:
    os.lseek(descriptor, 0, os.SEEK_SET)
    try:
        owner = json.loads(os.read(descriptor, 4096))
    except ValueError:
        return {}
    return owner if isinstance(owner, dict) else {}


def _write_owner(descriptor: int) -> None:
    owner = {
        "pid": os.getpid(),
        "host": socket.gethostname(),
        "boot": _boot(),
        "since": time.strftime("%F %T"),
    }
    os.ftruncate(descriptor, 0)
    os.lseek(descriptor, 0, os.SEEK_SET)
    os.write(descriptor, json.dumps(owner).encode("ascii"))


def _is_alive(owner: dict[str, Any]) -> bool:
    pid = owner.get("pid")
    if not isinstance(pid, int) or pid < 1 or owner.get("boot") != _boot():
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _boot() -> str:
    """Return what changes when the machine starts anew, or "" where that is not known."""
    with contextlib.suppress(OSError):
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    return ""


def _remove_leftovers(folder: Path, owner: dict[str, Any]) -> None:
    pid = owner.get("pid")
    if not isinstance(pid, int) or owner.get("host") != socket.gethostname() or pid == os.getpid():
        return
    for leftover in folder.rglob(f"{PREFIX}{pid}-*"):
        leftover.unlink(missing_ok=True)


def _busy(file: Path, owner: dict[str, Any]) -> BusyError:
    who = f"process {owner.get('pid', '?')} on {owner.get('host', '?')} since {owner.get('since', '?')}"
    return BusyError(
        "The output folder is in use by another run.",
        got=who,
        file=file.parent,
        unchanged="everything in it",
        hint="wait for that run, or choose another -o/--output",
    )
