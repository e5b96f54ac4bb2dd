"""No half-written file under a final name, whatever happens; faults come with words and exit codes."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from restorecli.errors import DataError, ExitCode, ImageError, ResourceError
from restorecli.images.atomic import PREFIX, atomic_write, write_file
from restorecli.images.reading import read_image


def content(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def write(final: Path, then: Callable[[], None] | None) -> None:
    with atomic_write(final) as temporary:
        temporary.write_text("new")
        if then is not None:
            then()


def test_the_file_appears_whole_and_replaces_the_old_one(tmp_path):
    final = tmp_path / "x.json"
    for text in ("first", "second"):
        with atomic_write(final) as temporary:
            assert temporary.parent == tmp_path
            assert temporary.suffix == ".json"
            assert temporary.name.startswith(PREFIX)
            temporary.write_text(text)
        assert final.read_text() == text
    assert content(tmp_path) == ["x.json"]


def test_a_failing_block_leaves_the_old_file_and_no_litter(tmp_path):
    final = tmp_path / "x"
    final.write_text("old")

    def stop() -> None:
        raise KeyError

    with pytest.raises(KeyError):
        write(final, stop)
    assert final.read_text() == "old"
    assert content(tmp_path) == ["x"]


def test_permissions_follow_the_umask(tmp_path):
    before = os.umask(0o027)
    try:
        with atomic_write(tmp_path / "x") as temporary:
            temporary.write_text("")
    finally:
        os.umask(before)
    assert (tmp_path / "x").stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EFBIG])
@pytest.mark.parametrize("place", ["block", "fsync", "replace"])
def test_a_disk_fault_is_a_resource_error_and_changes_nothing(tmp_path, monkeypatch, code, place):
    final = tmp_path / "x"
    final.write_text("old")

    def fail(*_: object) -> None:
        raise OSError(code, os.strerror(code))

    if place == "fsync":
        monkeypatch.setattr(os, "fsync", fail)
    if place == "replace":
        monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(ResourceError, match="disk") as caught:
        write(final, fail if place == "block" else None)
    assert caught.value.exit_code is ExitCode.RESOURCES
    assert caught.value.got is not None
    assert "3 bytes" in caught.value.got
    assert "are free" in caught.value.got
    assert final.read_text() == "old"
    assert content(tmp_path) == ["x"]


@pytest.mark.parametrize("name", ["missing/x", "x" * 300])
def test_an_impossible_place_is_a_data_error(tmp_path, name):
    with pytest.raises(DataError, match="cannot be written") as caught, atomic_write(tmp_path / name):
        pass
    assert caught.value.file == str(tmp_path / name)
    assert content(tmp_path) == []


def test_errors_of_the_block_that_are_not_the_disks_pass_through(tmp_path):
    with pytest.raises(FileNotFoundError), atomic_write(tmp_path / "x"):
        (tmp_path / "missing").read_text()


FULL_DISK = """
import resource, signal, sys
import numpy as np
from restorecli.errors import ResourceError
from restorecli.images.image import FileTraits, ImageData
from restorecli.images.writing import write_image
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))
pixels = np.random.default_rng(0).random((3, 200, 200), np.float32)
cases = [(".png", 8), (".png", 16), (".tiff", 8), (".tiff", 32), (".bmp", 8), (".ppm", 8), (".jpg", 8)]
for suffix, depth in cases:
    try:
        write_image(sys.argv[1] + "/x" + suffix, ImageData(pixels, FileTraits(depth=depth)))
    except ResourceError as error:
        assert "50,000 bytes" in error.got, error
    else:
        raise SystemExit(f"{suffix} {depth} was written")
"""


@pytest.mark.slow
def test_a_full_disk_is_met_by_every_format_and_leaves_nothing(tmp_path):
    subprocess.run([sys.executable, "-c", FULL_DISK, str(tmp_path)], check=True, timeout=60)
    assert content(tmp_path) == []


WRITER = """
import sys
import numpy as np
from restorecli.images.image import FileTraits, ImageData
from restorecli.images.writing import write_image
pixels = np.random.default_rng(0).random((3, 120, 160), np.float32)
print("ready", flush=True)
while True:
    for suffix, depth in ((".png", 16), (".tiff", 32), (".jpg", 8)):
        write_image(sys.argv[1] + "/x" + suffix, ImageData(pixels, FileTraits(depth=depth)))
"""


@pytest.mark.slow
def test_kill_at_any_moment_leaves_whole_files_only(tmp_path):
    for round_number in range(8):
        with subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(0.05 + 0.013 * round_number)
            process.send_signal(signal.SIGKILL)
        finished = [path for path in tmp_path.iterdir() if not path.name.startswith(PREFIX)]
        for path in finished:
            try:
                assert read_image(path).size == (120, 160)
            except ImageError as error:  # pragma: no cover
                pytest.fail(str(error))


def test_a_full_disk_says_how_many_bytes_are_needed(tmp_path, monkeypatch):
    def fail(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_bytes", fail)
    with pytest.raises(ResourceError, match="disk") as caught:
        write_file(tmp_path / "x", "ü" * 1000)
    assert caught.value.file == str(tmp_path / "x")
    got = str(caught.value.got)
    assert "after 0 bytes; 2,000 bytes are needed; " in got
    assert got.endswith("bytes are free")
    assert content(tmp_path) == []


def test_text_is_written_as_it_is(tmp_path):
    write_file(tmp_path / "x", "ü\n")
    assert (tmp_path / "x").read_bytes() == b"\xc3\xbc\n"


@pytest.mark.skipif(os.name != "posix", reason="only there folders can be opened")
def test_the_folder_reaches_the_disk_after_the_file_was_moved(tmp_path, monkeypatch):
    done: list[str] = []
    sync, replace = os.fsync, Path.replace

    def watched_sync(descriptor: int) -> None:
        kind = "folder" if os.path.samestat(os.fstat(descriptor), tmp_path.stat()) else "file"
        done.append(f"sync {kind}")
        sync(descriptor)

    def watched_replace(path: Path, target: Path) -> Path:
        done.append("move")
        return replace(path, target)

    monkeypatch.setattr(os, "fsync", watched_sync)
    monkeypatch.setattr(Path, "replace", watched_replace)
    write_file(tmp_path / "x", b"")
    assert done == ["sync file", "move", "sync folder"]


def test_a_file_system_without_syncs_is_written_to(tmp_path, monkeypatch):
    def refuse(_: int) -> None:
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))

    monkeypatch.setattr(os, "fsync", refuse)
    write_file(tmp_path / "x", b"new")
    assert content(tmp_path) == ["x"]
