"""One run per output folder: busy while its owner lives, free the moment it is dead."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from restorecli.errors import BusyError, DataError, ExitCode
from restorecli.folders import lock
from restorecli.folders.lock import FILE_NAME, output_lock
from restorecli.images.atomic import PREFIX

HOLDER = """
import sys, time
from restorecli.images.atomic import atomic_write
from restorecli.folders.lock import output_lock
with output_lock(sys.argv[1]), atomic_write(sys.argv[1] + "/sub/x.png"):
    print("held", flush=True)
    time.sleep(60)
"""


def take(folder: Path) -> None:
    with output_lock(folder):
        pass


def write_owner(folder: Path, **changes: object) -> None:
    owner = {
        "pid": os.getpid(),
        "host": lock.socket.gethostname(),
        "boot": lock._boot(),
        "since": "now",
        **changes,
    }
    (folder / FILE_NAME).write_text(json.dumps(owner))


def dead_pid() -> int:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    return process.pid


def test_the_lock_makes_the_folder_and_leaves_no_trace(tmp_path):
    folder = tmp_path / "a" / "b"
    with output_lock(folder):
        assert json.loads((folder / FILE_NAME).read_text())["pid"] == os.getpid()
    assert list(folder.iterdir()) == []
    take(folder)


def test_a_second_run_is_refused_and_the_first_goes_on(tmp_path):
    with output_lock(tmp_path):
        for _ in range(2):
            with pytest.raises(BusyError, match="in use by another run") as caught:
                take(tmp_path)
        assert caught.value.exit_code is ExitCode.BUSY
        assert caught.value.got is not None
        assert str(os.getpid()) in caught.value.got
        assert (tmp_path / FILE_NAME).exists()
    take(tmp_path)


def test_an_error_inside_frees_the_folder(tmp_path):
    with pytest.raises(KeyError), output_lock(tmp_path):
        raise KeyError
    take(tmp_path)


@pytest.mark.slow
def test_another_process_holds_it_until_it_is_killed(tmp_path):
    (tmp_path / "sub").mkdir()
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(BusyError, match="another run"):
            take(tmp_path)
        holder.kill()
    left = list((tmp_path / "sub").iterdir())
    assert [path.name.startswith(PREFIX) for path in left] == [True]
    (tmp_path / "sub" / f"{PREFIX}1-other.png").write_text("of a run that is not dead")
    take(tmp_path)
    assert [path.name for path in (tmp_path / "sub").iterdir()] == [f"{PREFIX}1-other.png"]


@pytest.mark.parametrize("content", ["", "garbage", "[]", '{"pid": "x"}', '{"pid": 1}'])
def test_a_lock_file_without_a_living_owner_is_taken_over(tmp_path, content):
    (tmp_path / FILE_NAME).write_text(content)
    take(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_where_the_file_system_knows_no_locks_the_owner_decides(tmp_path, monkeypatch):
    monkeypatch.setattr(lock, "fcntl", None)
    write_owner(tmp_path)
    with pytest.raises(BusyError):
        take(tmp_path)
    write_owner(tmp_path, boot="another start of the machine")
    take(tmp_path)
    write_owner(tmp_path, pid=dead_pid())
    take(tmp_path)
    with output_lock(tmp_path), pytest.raises(BusyError):
        take(tmp_path)


def test_a_place_that_is_no_folder_is_a_data_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError):
        take(tmp_path / "file")
