"""Remote folders in and out, in memory://: the same results as with local folders, and nothing is lost."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import restorecli
from restorecli.errors import DataError, UsageError
from restorecli.folders import staged, stores

fsspec = pytest.importorskip("fsspec")
from fsspec.implementations.memory import MemoryFileSystem  # noqa: E402

NAMES = ("indoors/0.png", "indoors/1.png", "outdoors/2.png", "outdoors/deep/3.png")


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No waiting between attempts, and an empty temporary folder and working folder."""
    monkeypatch.setattr(stores.time, "sleep", lambda _: None)
    (tmp_path / "tmp").mkdir()
    (tmp_path / "here").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    monkeypatch.chdir(tmp_path / "here")


@pytest.fixture
def store():
    """The store memory://, with four photographs in photos/."""
    system = fsspec.filesystem("memory")
    system.store.clear()
    system.pseudo_dirs[:] = [""]
    rng = np.random.default_rng(3)
    for name in NAMES:
        coarse = Image.fromarray(rng.integers(0, 256, (8, 9, 3), dtype=np.uint8))
        file = Path("photos", name)
        file.parent.mkdir(parents=True, exist_ok=True)
        coarse.resize((72, 64), Image.Resampling.BICUBIC).save(file)
        system.pipe(f"/data/photos/{name}", file.read_bytes())
    yield system
    system.store.clear()
    system.pseudo_dirs[:] = [""]


def contents(system, folder: str) -> dict[str, bytes]:
    return {name.removeprefix(f"{folder}/"): system.cat(name) for name in system.find(folder)}


def local(folder: str) -> dict[str, bytes]:
    files = (path for path in Path(folder).rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def images_of(files: dict[str, bytes]) -> dict[str, bytes]:
    return {name: content for name, content in files.items() if name.endswith(".png")}


def lines(text: bytes) -> dict[str, dict[str, object]]:
    return {line["path"]: line for line in map(json.loads, text.splitlines())}


def test_from_a_store_to_a_store_gives_the_bytes_of_local_folders(store) -> None:
    noise = [{"name": "gaussian", "sigma": 25}]
    restorecli.degrade("photos", "noisy", noise=noise)
    restorecli.restore("noisy", "clean", model="median")
    degraded = restorecli.degrade("memory://data/photos", "memory://data/noisy", noise=noise)
    restored = restorecli.restore("memory://data/noisy", "memory://data/clean", model="median")
    assert (degraded.written, restored.written) == (4, 4)
    assert str(restored.output) == "memory:///data/clean"
    assert images_of(contents(store, "/data/noisy")) == images_of(local("noisy"))
    assert images_of(contents(store, "/data/clean")) == images_of(local("clean"))
    ours, theirs = (
        lines(Path("clean/manifest.jsonl").read_bytes()),
        lines(store.cat("/data/clean/manifest.jsonl")),
    )
    for name in NAMES:
        for key in ("reference", "source", "degraded", "category", "degradations", "seed", "key"):
            assert ours[name][key] == theirs[name][key], key  # relative, as locally
    assert list(Path("../tmp").iterdir()) == []


def test_the_scores_are_those_of_local_folders(store) -> None:
    noise = [{"name": "gaussian", "sigma": 25}]
    restorecli.degrade("photos", "noisy", noise=noise)
    restorecli.restore("noisy", "clean", model="median")
    restorecli.degrade("memory://data/photos", "memory://data/noisy", noise=noise)
    restorecli.restore("memory://data/noisy", "memory://data/clean", model="median")
    here = restorecli.evaluate("clean")
    there = restorecli.evaluate("memory://data/clean")
    by_name = restorecli.evaluate("memory://data/clean", "memory://data/photos")
    for found in (there, by_name):
        assert [score.final for score in found.images] == [score.final for score in here.images]
    told = json.dumps(there.to_dict())
    assert "memory:///data/clean" in told
    assert "restorecli-remote" not in told


def test_a_page_shows_images_of_a_store(store) -> None:
    restorecli.degrade("memory://data/photos", "memory://data/noisy", noise=["salt-pepper"])
    found = restorecli.evaluate("memory://data/noisy", report="report.html", output="pages")
    assert len(list(Path("pages/pictures").rglob("*.png"))) == len(found.images) == 4
    assert Path("report.html").read_text(encoding="utf-8").count("data:image") >= 8


def test_a_second_run_fetches_and_makes_nothing(store, monkeypatch: pytest.MonkeyPatch) -> None:
    def go() -> list[restorecli.FolderSummary]:
        return [
            restorecli.degrade("memory://data/photos", "memory://data/noisy", noise=["gaussian"]),
            restorecli.restore("memory://data/noisy", "memory://data/clean", model="median"),
            restorecli.restore("memory://data/noisy", "out", model="median"),
        ]

    assert [done.written for done in go()] == [4, 4, 4]
    before = contents(store, "/data")
    fetched: list[str] = []
    fetch = MemoryFileSystem.get_file

    def noted(self, remote, place, **more):
        fetched.append(remote)
        fetch(self, remote, place, **more)

    monkeypatch.setattr(MemoryFileSystem, "get_file", noted)
    assert [(done.written, done.skipped) for done in go()] == [(0, 4)] * 3
    assert contents(store, "/data") == before
    assert {name for name in fetched if not name.endswith("manifest.jsonl")} == set()


def test_a_source_that_changed_is_made_again(store) -> None:
    restorecli.degrade("memory://data/photos", "memory://data/noisy", noise=["gaussian"])
    store.pipe("/data/photos/indoors/0.png", store.cat("/data/photos/outdoors/2.png"))
    again = restorecli.degrade("memory://data/photos", "memory://data/noisy", noise=["gaussian"])
    assert (again.written, again.skipped) == (1, 3)


def test_from_a_store_to_this_machine_and_scored_here(store) -> None:
    restorecli.degrade("memory://data/photos", "noisy", noise=["gaussian"])
    line = lines(Path("noisy/manifest.jsonl").read_bytes())["indoors/0.png"]
    assert line["source"] == line["reference"] == "memory:///data/photos/indoors/0.png"
    restorecli.restore("noisy", "clean", model="median")
    found = restorecli.evaluate("clean")
    assert len(found.images) == 4
    assert not found.unmatched
    assert restorecli.evaluate("clean", "memory://data/photos").overall == found.overall


def test_from_this_machine_to_a_store(store) -> None:
    restorecli.degrade("photos", "memory://data/noisy", noise=["gaussian"])
    line = lines(store.cat("/data/noisy/manifest.jsonl"))["indoors/0.png"]
    assert line["source"] == (Path.cwd() / "photos" / "indoors" / "0.png").as_posix()
    assert restorecli.degrade("photos", "memory://data/noisy", noise=["gaussian"]).skipped == 4
    assert len(restorecli.evaluate("memory://data/noisy").images) == 4


def test_one_image(store) -> None:
    restorecli.restore("memory://data/photos/indoors/0.png", "memory://data/better.png", model="median")
    restorecli.restore("photos/indoors/0.png", "better.png", model="median")
    restorecli.restore("memory://data/photos/indoors/0.png", "again.png", model="median")
    assert store.cat("/data/better.png") == Path("better.png").read_bytes() == Path("again.png").read_bytes()
    with pytest.raises(UsageError, match="already") as caught:
        restorecli.restore("memory://data/photos/indoors/0.png", "memory://data/better.png", model="median")
    assert caught.value.got == "memory:///data/better.png"


def test_masks_go_along_with_their_mark(store) -> None:
    for run in range(2):
        done = restorecli.degrade(
            "memory://data/photos", "memory://data/torn", noise=["scratches"], overwrite=bool(run)
        )
        assert done.written == 4
    restorecli.degrade("photos", "torn", noise=["scratches"])
    assert set(contents(store, "/data/torn")) == set(local("torn"))
    assert images_of(contents(store, "/data/torn")) == images_of(local("torn"))
    assert len(restorecli.evaluate("memory://data/torn").images) == 4


def test_a_replay_reads_a_manifest_in_a_store(store) -> None:
    restorecli.degrade("memory://data/photos", "memory://data/noisy", noise=["gaussian"])
    done = restorecli.degrade(None, "memory://data/again", replay="memory://data/noisy")
    assert done.written == 4
    assert images_of(contents(store, "/data/again")) == images_of(contents(store, "/data/noisy"))


def test_a_lost_connection_costs_one_image_and_nothing_else(store, monkeypatch: pytest.MonkeyPatch) -> None:
    fetch, send = MemoryFileSystem.get_file, MemoryFileSystem.put_file

    def torn(self, remote, place, **more):
        if remote.endswith("indoors/0.png"):
            raise ConnectionResetError("the line is dead")
        fetch(self, remote, place, **more)

    def full(self, place, remote, **more):
        if remote.endswith("outdoors/2.png"):
            raise TimeoutError("nobody answers")
        send(self, place, remote, **more)

    monkeypatch.setattr(MemoryFileSystem, "get_file", torn)
    monkeypatch.setattr(MemoryFileSystem, "put_file", full)
    done = restorecli.degrade("memory://data/photos", "memory://data/noisy", noise=["gaussian"])
    assert done.written == 2
    told = {failure.path: failure.error for failure in done.failures}
    assert told["indoors/0.png"].file == "memory:///data/photos/indoors/0.png"
    assert told["outdoors/2.png"].file == "memory:///data/noisy/outdoors/2.png"
    assert "the line is dead" in (told["indoors/0.png"].got or "")
    assert set(lines(store.cat("/data/noisy/manifest.jsonl"))) == {"indoors/1.png", "outdoors/deep/3.png"}
    monkeypatch.undo()
    done = restorecli.degrade("memory://data/photos", "memory://data/noisy", noise=["gaussian"])
    assert (done.written, done.skipped) == (2, 2)


def test_a_damaged_image_is_named_by_its_address(store) -> None:
    store.pipe("/data/photos/indoors/1.png", b"no image")
    done = restorecli.restore("memory://data/photos", "memory://data/clean", model="median")
    assert done.written == 3
    [failure] = done.failures
    assert failure.error.file == "memory:///data/photos/indoors/1.png"
    assert "restorecli-remote" not in json.dumps(done.to_dict())


def test_a_missing_image_is_left_out_of_the_scores_with_its_reason(store) -> None:
    restorecli.degrade("memory://data/photos", "noisy", noise=["gaussian"])
    store.rm("/data/photos/indoors/1.png")
    found = restorecli.evaluate("noisy")
    assert len(found.images) == 3
    [left] = found.unmatched
    assert (left.side, left.path) == ("reference", "indoors/1.png")
    assert "memory:///data/photos/indoors/1.png" in left.reason


def test_an_interrupt_keeps_what_was_sent(store) -> None:
    class Stop(restorecli.folders.jobs.SilentProgress):
        def advance(self, done, failure=None):
            if done == "outdoors/2.png":
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        restorecli.degrade("memory://data/photos", "memory://data/noisy", noise=["gaussian"], progress=Stop())
    written = lines(store.cat("/data/noisy/manifest.jsonl"))
    assert {"indoors/0.png", "indoors/1.png"} <= set(written)
    assert list(Path("../tmp").iterdir()) == []
    done = restorecli.degrade("memory://data/photos", "memory://data/noisy", noise=["gaussian"])
    assert done.written + done.skipped == 4
    assert done.skipped == len(written)


def test_shards_write_manifests_of_their_own_and_are_joined(store) -> None:
    for part in ("1/2", "2/2"):
        restorecli.degrade("memory://data/photos", "memory://data/noisy", noise=["gaussian"], shard=part)
    assert "manifest.1-of-2.jsonl" in contents(store, "/data/noisy")
    done = restorecli.degrade("memory://data/photos", "memory://data/noisy", noise=["gaussian"])
    assert done.skipped == 4
    assert [name for name in contents(store, "/data/noisy") if name.endswith("l")] == ["manifest.jsonl"]
    assert set(lines(store.cat("/data/noisy/manifest.jsonl"))) == set(NAMES)


def test_files_of_others_are_not_replaced(store) -> None:
    with pytest.raises(UsageError, match="did not write") as caught:
        restorecli.degrade("photos", "memory://data/photos", noise=["gaussian"])
    assert caught.value.got == "memory:///data/photos/indoors/0.png"
    with pytest.raises(UsageError, match="overwrite the source"):
        restorecli.degrade("memory://data/photos", "memory:///data/photos/", noise=["gaussian"])


def test_a_folder_that_is_not_there(store) -> None:
    with pytest.raises(DataError) as caught:
        restorecli.restore("memory://data/nothing", "out", model="median")
    assert caught.value.file == "memory:///data/nothing"


def takes_room(path: Path) -> bool:
    try:
        return path.stat().st_blocks > 0
    except FileNotFoundError:  # meanwhile
        return False


def test_disk_holds_only_what_is_under_way(store, monkeypatch: pytest.MonkeyPatch) -> None:
    content = store.cat("/data/photos/indoors/0.png")
    for number in range(120):
        store.pipe(f"/data/many/{number:03}.png", content)
    most = 0
    send = MemoryFileSystem.put_file

    def measured(self, place, remote, **more):
        nonlocal most
        most = max(most, sum(map(takes_room, Path("../tmp").rglob("*.png"))))
        send(self, place, remote, **more)

    monkeypatch.setattr(MemoryFileSystem, "put_file", measured)
    done = restorecli.restore("memory://data/many", "memory://data/out", model="median", workers=2)
    assert done.written == 120
    under_way = (
        2 * staged.STREAMS + 2 * staged.STREAMS + 2 * 4
    )  # fetched, sent; sources and results; read, made
    assert 2 < most <= 2 * under_way


def test_a_dry_run_and_a_look_at_tiles(store) -> None:
    from restorecli.api import RestoreOptions, check_restore_tiles, plan_restore

    options = RestoreOptions("memory://data/photos", "memory://data/clean", model="median", tile=32)
    planned = plan_restore(options)
    assert (planned.images, str(planned.output)) == (4, "memory:///data/clean")
    assert planned.megapixels == pytest.approx(4 * 72 * 64 / 1e6)
    image, _ = check_restore_tiles(options)
    assert image == "memory:///data/photos/indoors/0.png"
    assert contents(store, "/data/clean") == {}
