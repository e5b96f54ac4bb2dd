"""Several processes share one folder without talking: each image is made by one of them, none twice."""

from __future__ import annotations

import threading
from pathlib import Path, PurePosixPath

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from restorecli import api
from restorecli.degradation.chain import Chain
from restorecli.degradation.folder import degrade_folder
from restorecli.errors import BusyError, RestorecliError, UsageError
from restorecli.folders.jobs import SilentProgress
from restorecli.folders.lock import output_lock
from restorecli.folders.manifest import Manifest
from restorecli.folders.protect import keep_inputs
from restorecli.folders.shards import WHOLE, Shard, shard_files

CHAIN = Chain.from_specs([{"name": "gaussian", "sigma": "5..25"}])
COUNT = 3
SHARDS = [Shard(number, COUNT) for number in range(1, COUNT + 1)]


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    for number in range(12):
        path = tmp_path / "photos" / f"c{number % 2}" / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((8, 8), number, np.uint8)).save(path)
    return tmp_path / "photos"


def content(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*.png")
        if path.is_file()
    }


def lines(folder: Path) -> set[str]:
    return {record.to_json() for record in Manifest(folder).read().values()}


class StopAt(SilentProgress):
    """Dies at the given image of a run, as by a signal."""

    def __init__(self, number: int) -> None:
        self._left = number

    def advance(self, done: str, failure: RestorecliError | None = None) -> None:
        self._left -= 1
        if self._left == 0:
            raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("word", "shard"), [(None, WHOLE), ("1/1", WHOLE), ("3/8", Shard(3, 8)), ("16/16", Shard(16, 16))]
)
def test_words_for_shards(word, shard):
    assert Shard.parse(word) == shard


@pytest.mark.parametrize(
    "word", ["", "0/3", "4/3", "3", "1/0", "-1/3", "1/3/5", "a/b", "1.0/3", "01/3", " 1/3"]
)
def test_other_words_are_refused(word):
    with pytest.raises(UsageError, match="shard is not understood"):
        Shard.parse(word)


@given(name=st.text(min_size=1), count=st.integers(1, 50))
def test_every_image_belongs_to_exactly_one_shard(name, count):
    path = PurePosixPath(f"{name}.png".replace("\0", ""))
    assert sum(Shard(number, count).holds(path) for number in range(1, count + 1)) == 1


def test_the_split_is_even_and_never_moves():
    names = [PurePosixPath(f"a/{number}.png") for number in range(4000)]
    parts = [sum(Shard(number, 8).holds(name) for name in names) for number in range(1, 9)]
    assert sum(parts) == 4000
    assert max(parts) < 1.12 * 500
    homes = [next(n for n in range(1, 9) if Shard(n, 8).holds(name)) for name in names[:8]]
    assert homes == [5, 7, 2, 2, 7, 7, 8, 8]


def test_shards_give_the_files_and_lines_of_one_run(photos, tmp_path):
    degrade_folder(photos, tmp_path / "whole", CHAIN)
    written = [
        degrade_folder(photos, tmp_path / "parts", CHAIN, shard=shard).written for shard in reversed(SHARDS)
    ]
    assert sum(written) == 12
    assert all(0 < count < 12 for count in written)
    assert content(tmp_path / "parts") == content(tmp_path / "whole")
    assert lines(tmp_path / "parts") == lines(tmp_path / "whole")
    for shard in SHARDS:
        assert degrade_folder(photos, tmp_path / "parts", CHAIN, shard=shard).written == 0


def test_shards_at_one_time_do_the_same(photos, tmp_path):
    degrade_folder(photos, tmp_path / "whole", CHAIN)
    threads = [
        threading.Thread(
            target=degrade_folder, args=(photos, tmp_path / "parts", CHAIN), kwargs={"shard": shard}
        )
        for shard in SHARDS
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert content(tmp_path / "parts") == content(tmp_path / "whole")
    assert lines(tmp_path / "parts") == lines(tmp_path / "whole")


def test_a_killed_shard_goes_on_where_it_stopped(photos, tmp_path):
    degrade_folder(photos, tmp_path / "whole", CHAIN)
    output = tmp_path / "parts"
    done = []
    for shard in SHARDS:
        for _ in range(2):
            with pytest.raises(KeyboardInterrupt):
                degrade_folder(photos, output, CHAIN, shard=shard, workers=1, progress=StopAt(1))
        done.append(degrade_folder(photos, output, CHAIN, shard=shard, workers=1))
    with (output / "manifest.1-of-3.jsonl").open("ab") as stream:
        stream.write(b'{"path": "torn')
    assert sum(summary.skipped for summary in done) == 2 * COUNT
    assert content(output) == content(tmp_path / "whole")
    assert lines(output) == lines(tmp_path / "whole")


def test_restore_is_split_too(photos, tmp_path):
    api.restore(photos, tmp_path / "whole", model="median")
    for number in range(1, COUNT + 1):
        api.restore(photos, tmp_path / "parts", model="median", shard=f"{number}/{COUNT}")
    assert len(content(tmp_path / "whole")) == 12
    assert content(tmp_path / "parts") == content(tmp_path / "whole")
    assert lines(tmp_path / "parts") == lines(tmp_path / "whole")


def test_the_plan_of_a_shard_tells_of_its_images_only(photos, tmp_path):
    options = [
        api.RestoreOptions(photos, tmp_path / "out", model="median", shard=f"{number}/{COUNT}")
        for number in range(1, COUNT + 1)
    ]
    plans = [api.plan_restore(option).to_dict() for option in options]
    assert sum(plan["pictures"] for plan in plans) == 12
    assert all(0 < plan["pictures"] < 12 for plan in plans)


def test_the_whole_folder_joins_what_its_shards_wrote(photos, tmp_path):
    for shard in SHARDS:
        degrade_folder(photos, tmp_path / "parts", CHAIN, shard=shard)
    (tmp_path / "parts" / "c0" / "0.png").unlink()
    before = lines(tmp_path / "parts")
    summary = degrade_folder(photos, tmp_path / "parts", CHAIN)
    assert (summary.written, summary.skipped) == (1, 11)
    assert sorted(path.name for path in (tmp_path / "parts").glob("*.jsonl")) == ["manifest.jsonl"]
    assert lines(tmp_path / "parts") == before
    degrade_folder(photos, tmp_path / "parts", CHAIN, shard=Shard(1, 2))


def test_a_replay_reads_what_all_shards_wrote(photos, tmp_path):
    for shard in SHARDS:
        degrade_folder(photos, tmp_path / "parts", CHAIN, shard=shard)
    api.degrade(replay=tmp_path / "parts", output=tmp_path / "again", shard="1/2")
    api.degrade(replay=tmp_path / "parts", output=tmp_path / "again", shard="2/2")
    assert content(tmp_path / "again") == content(tmp_path / "parts")


def test_another_number_of_shards_is_refused_until_they_are_joined(photos, tmp_path):
    degrade_folder(photos, tmp_path / "parts", CHAIN, shard=SHARDS[0])
    before = content(tmp_path / "parts")
    with pytest.raises(UsageError, match="another number of shards"):
        degrade_folder(photos, tmp_path / "parts", CHAIN, shard=Shard(1, 2))
    assert content(tmp_path / "parts") == before


@pytest.mark.parametrize(
    ("held", "asked", "busy"),
    [
        (Shard(1, 3), Shard(2, 3), False),
        (Shard(1, 3), Shard(1, 3), True),
        (Shard(1, 3), Shard(1, 2), True),
        (Shard(1, 3), WHOLE, True),
        (WHOLE, Shard(1, 3), True),
        (WHOLE, WHOLE, True),
    ],
)
def test_shards_run_side_by_side_and_nothing_else(tmp_path, held, asked, busy):
    with output_lock(tmp_path, held):
        if busy:
            with pytest.raises(BusyError), output_lock(tmp_path, asked):
                pass
        else:
            with output_lock(tmp_path, asked):
                pass
    with output_lock(tmp_path, asked):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_lock_that_a_dead_shard_left_excludes_nobody(tmp_path):
    (tmp_path / Shard(2, 3).name_in(".restorecli.lock")).write_text('{"pid": 1, "boot": "another"}')
    with output_lock(tmp_path):
        assert (tmp_path / ".restorecli.lock").exists()
    assert not (tmp_path / ".restorecli.lock").exists()


def test_only_names_of_shards_are_their_files(tmp_path):
    for name in (
        "manifest.jsonl",
        "manifest.2-of-3.jsonl",
        "manifest.10-of-12.jsonl",
        "manifest.0-of-3.jsonl",
    ):
        (tmp_path / name).touch()
    (tmp_path / "manifest.old.1-of-3.jsonl").touch()
    assert [shard for shard, _ in shard_files(tmp_path, "manifest.jsonl")] == [Shard(2, 3), Shard(10, 12)]
    for name in ("manifest.jsonl", "manifest.2-of-3.jsonl"):
        with pytest.raises(UsageError):
            keep_inputs([tmp_path / name], [])


@pytest.mark.parametrize("verb", ["restore", "degrade"])
def test_a_single_image_has_no_shards(photos, tmp_path, verb):
    options = {"model": "median"} if verb == "restore" else {"noise": ["gaussian"]}
    with pytest.raises(UsageError, match="no shards"):
        getattr(api, verb)(photos / "c0" / "0.png", tmp_path / "one.png", shard="1/2", **options)
    assert not (tmp_path / "one.png").exists()
