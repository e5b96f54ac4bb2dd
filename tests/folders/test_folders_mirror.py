"""The mirror of remote folders: only what is in use is here, everything else stands in for its file."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from restorecli.errors import ImageError
from restorecli.folders.addresses import MIRROR, address_of, shown
from restorecli.folders.mirror import Mirror
from restorecli.folders.stores import Stores
from restorecli.folders.walking import walk

fsspec = pytest.importorskip("fsspec")


@pytest.fixture
def store():
    """The store memory://, empty."""
    system = fsspec.filesystem("memory")
    system.store.clear()
    system.pseudo_dirs[:] = [""]
    yield system
    system.store.clear()
    system.pseudo_dirs[:] = [""]


@pytest.fixture
def mirror():
    with Mirror(Stores(wait=0)) as made:
        yield made


def test_local_places_pass_through(mirror: Mirror, tmp_path: Path) -> None:
    (tmp_path / "x.png").write_bytes(b"x")
    assert mirror.place(tmp_path) is tmp_path
    assert mirror.place("photos/") == "photos/"
    with mirror.hold(tmp_path / "x.png"):
        pass
    mirror.send(tmp_path / "x.png")
    assert (tmp_path / "x.png").read_bytes() == b"x"
    assert not mirror.is_used


def test_a_listed_folder_is_walked_without_fetching(mirror: Mirror, store) -> None:
    for name in ("b/in/x.png", "b/in/c/y.png", "b/in/notes.txt", "b/in/.restorecli.lock"):
        store.pipe(f"/{name}", b"12345")
    here = Path(mirror.place("memory://b/in"))
    assert [str(file.relative) for file in walk(here)] == ["c/y.png", "x.png"]
    assert (here / "x.png").stat().st_size == 5
    assert (here / "x.png").stat().st_blocks == 0
    assert (here / "x.png").stat().st_mode & 0o777 == 0
    assert not (here / ".restorecli.lock").exists()


def test_a_file_is_here_while_somebody_holds_it(mirror: Mirror, store) -> None:
    store.pipe("/b/x.png", b"12345")
    file = Path(mirror.place("memory://b")) / "x.png"
    changed = file.stat().st_mtime_ns
    with mirror.hold(file):
        with mirror.hold(file):
            assert file.read_bytes() == b"12345"
        assert file.read_bytes() == b"12345"
    assert file.stat().st_blocks == 0
    assert (file.stat().st_size, file.stat().st_mtime_ns) == (5, changed)


def test_many_threads_share_one_fetch(mirror: Mirror, store, monkeypatch: pytest.MonkeyPatch) -> None:
    store.pipe("/b/x.png", b"12345")
    file = Path(mirror.place("memory://b")) / "x.png"
    fetched: list[object] = []
    fetch = Stores.fetch
    monkeypatch.setattr(Stores, "fetch", lambda *asked: (fetched.append(asked), fetch(*asked)))
    inside = threading.Barrier(8)
    read: list[bytes] = []

    def use() -> None:
        with mirror.hold(file):
            inside.wait(30)
            read.append(file.read_bytes())

    threads = [threading.Thread(target=use) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert read == [b"12345"] * 8
    assert len(fetched) == 1


def test_what_cannot_be_fetched_is_not_held(mirror: Mirror, store) -> None:
    store.pipe("/b/x.png", b"12345")
    file = Path(mirror.place("memory://b")) / "x.png"
    store.rm("/b/x.png")
    for _ in range(2):
        with pytest.raises(ImageError, match="no such file"), mirror.hold(file):
            pass


def test_what_was_written_is_sent_once_and_takes_no_room_then(mirror: Mirror, store) -> None:
    here = Path(mirror.place("memory://b/out"))
    here.mkdir(parents=True)
    (here / "x.png").write_bytes(b"new")
    mirror.send(here / "x.png")
    assert store.cat("/b/out/x.png") == b"new"
    assert (here / "x.png").stat().st_blocks == 0
    store.rm("/b/out/x.png")
    mirror.send(here / "x.png")
    assert not store.exists("/b/out/x.png")


def test_names_that_no_file_can_have_here_are_told(mirror: Mirror, store) -> None:
    store.pipe("/b/in/x.png", b"1")
    store.pipe(f"/b/in/{'n' * 300}.png", b"1")
    store.pipe("/b/in/../../../../evil.png", b"1")
    here = Path(mirror.place("memory://b/in"))
    assert [file.relative.name for file in walk(here)] == ["x.png"]
    assert not list(here.parents[3].glob("evil.png"))
    from restorecli.folders.jobs import FolderSummary

    told = mirror.told(FolderSummary("restore", here, 0, 0))
    assert told.output == "memory:///b/in"
    assert any("nnn" in failure.path for failure in told.failures)


def test_errors_name_addresses(store) -> None:
    store.pipe("/b/x.png", b"12345")
    with Mirror(Stores(wait=0)) as mirror:
        file = Path(mirror.place("memory://b")) / "x.png"
        error = ImageError(f"{file} is bad", got=f"'{file}', {file.parent}", file=file)
        mirror.name_addresses(error)
    told = str(error)
    assert MIRROR not in told
    assert "memory:///b/x.png is bad" in told
    assert "got: 'memory:///b/x.png', memory:///b" in told


def test_the_temporary_folder_is_gone_at_the_end(store) -> None:
    store.pipe("/b/x.png", b"12345")
    with Mirror() as mirror:
        here = Path(mirror.place("memory://b"))
    assert address_of(here) is not None
    assert str(shown(here)) == "memory:///b"
    assert not here.parents[2].exists()
