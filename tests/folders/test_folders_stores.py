"""Remote stores: what fails is tried again, what arrives is whole, and no secret is told."""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath

import pytest

from restorecli.errors import DataError, ImageError, UsageError
from restorecli.folders.addresses import Address, parse_address
from restorecli.folders.stores import ATTEMPTS, Entry, Stores, without_secrets

fsspec = pytest.importorskip("fsspec")
from fsspec.implementations.memory import MemoryFileSystem  # noqa: E402


class Weather(MemoryFileSystem):
    """A store in memory whose operations fail as often as `faults` says, then work."""

    protocol = "weather"
    cachable = False
    faults: list[Exception] = []  # noqa: RUF012
    calls = 0

    @classmethod
    def _strip_protocol(cls, path):
        return MemoryFileSystem._strip_protocol(path.removeprefix("weather://"))

    def _storm(self) -> None:
        Weather.calls += 1
        if Weather.faults:
            raise Weather.faults.pop()

    def get_file(self, rpath, lpath, **kwargs):
        self._storm()
        super().get_file(rpath, lpath, **kwargs)

    def put_file(self, lpath, rpath, **kwargs):
        self._storm()
        super().put_file(lpath, rpath, **kwargs)

    def ls(self, path, detail=True, **kwargs):
        self._storm()
        return super().ls(path, detail=detail, **kwargs)


@pytest.fixture
def weather():
    """The store `weather://host/...`, empty."""
    fsspec.register_implementation("weather", Weather, clobber=True)
    Weather.faults, Weather.calls = [], 0
    store = MemoryFileSystem()
    yield store
    store.store.clear()
    store.pseudo_dirs[:] = [""]


def at(word: str) -> Address:
    address = parse_address(word)
    assert address is not None
    return address


def test_a_lost_connection_is_tried_again(weather, tmp_path: Path) -> None:
    weather.pipe("/b/a.bin", b"whole")
    Weather.faults = [ConnectionResetError("lost")] * (ATTEMPTS - 1)
    Stores(wait=0).fetch(at("weather://b/a.bin"), tmp_path / "a.bin", None)
    assert (tmp_path / "a.bin").read_bytes() == b"whole"
    assert Weather.calls == ATTEMPTS


def test_what_stays_lost_fails_with_its_address_and_leaves_nothing(weather, tmp_path: Path) -> None:
    weather.pipe("/b/a.bin", b"whole")
    Weather.faults = [ConnectionResetError("lost")] * ATTEMPTS
    with pytest.raises(ImageError) as caught:
        Stores(wait=0).fetch(at("weather://b/a.bin"), tmp_path / "a.bin", None)
    assert caught.value.file == "weather://b/a.bin"
    assert caught.value.got == f"ConnectionResetError: lost ({ATTEMPTS} attempts)"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("fault", [PermissionError("no"), FileNotFoundError("gone")])
def test_what_no_attempt_can_mend_is_tried_once(weather, tmp_path: Path, fault: Exception) -> None:
    weather.pipe("/b/a.bin", b"whole")
    Weather.faults = [fault] * 2
    with pytest.raises(ImageError):
        Stores(wait=0).fetch(at("weather://b/a.bin"), tmp_path / "a.bin", None)
    assert Weather.calls == 1


def test_half_a_file_is_not_taken_for_the_whole(
    weather, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    weather.pipe("/b/a.bin", b"whole")
    monkeypatch.setattr(Weather, "get_file", lambda self, remote, local, **_: Path(local).write_bytes(b"wh"))
    with pytest.raises(ImageError, match="did not do") as caught:
        Stores(wait=0).fetch(at("weather://b/a.bin"), tmp_path / "a.bin", Entry(PurePosixPath(), 5, 0))
    assert "2 of 5 bytes arrived" in (caught.value.got or "")
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_changed_since_it_was_listed_is_taken_as_it_is(weather, tmp_path: Path) -> None:
    weather.pipe("/b/a.bin", b"whole")
    Stores(wait=0).fetch(at("weather://b/a.bin"), tmp_path / "a.bin", Entry(PurePosixPath(), 99, 0))
    assert (tmp_path / "a.bin").read_bytes() == b"whole"


def test_the_time_of_change_comes_along(weather, tmp_path: Path) -> None:
    weather.pipe("/b/a.bin", b"whole")
    [entry] = Stores(wait=0).files(at("weather://b"), [])
    Stores(wait=0).fetch(at("weather://b/a.bin"), tmp_path / "a.bin", entry)
    made = weather.info("/b/a.bin")["created"].timestamp()
    assert (tmp_path / "a.bin").stat().st_mtime_ns == entry.changed
    assert abs(entry.changed / 1e9 - made) < 1e-3


def test_a_listing_names_files_below_and_tries_again(weather) -> None:
    for name in ("b/x.png", "b/c/y.png", "b/c/d/z.png", "beside/n.png"):
        weather.pipe(f"/{name}", b"1")
    Weather.faults = [TimeoutError("slow")]
    found = Stores(wait=0).files(at("weather://b"), [])
    assert sorted(str(entry.relative) for entry in found) == ["c/d/z.png", "c/y.png", "x.png"]


def test_a_listing_that_fails_is_no_empty_folder(weather) -> None:
    weather.pipe("/b/x.png", b"1")
    Weather.faults = [TimeoutError("slow")] * ATTEMPTS
    with pytest.raises(DataError):
        list(Stores(wait=0).files(at("weather://b"), []))


def test_a_store_that_shows_half_written_files_gets_them_under_another_name(weather, tmp_path: Path) -> None:
    (tmp_path / "new.bin").write_bytes(b"new")
    weather.pipe("/b/a.bin", b"old")
    Weather.faults = [ConnectionResetError("lost")] * ATTEMPTS
    with pytest.raises(ImageError):
        Stores(wait=0).send(tmp_path / "new.bin", at("weather://b/a.bin"))
    assert weather.cat("/b/a.bin") == b"old"
    Weather.faults = [ConnectionResetError("lost")]
    Stores(wait=0).send(tmp_path / "new.bin", at("weather://b/a.bin"))
    assert {name: weather.cat(name) for name in weather.find("/b")} == {"/b/a.bin": b"new"}


def test_local_files_by_their_address_replace_in_one_step(tmp_path: Path) -> None:
    (tmp_path / "new.bin").write_bytes(b"new")
    Stores(wait=0).send(tmp_path / "new.bin", at(f"file://{tmp_path}/out/deep/a.bin"))
    assert [path.name for path in (tmp_path / "out" / "deep").iterdir()] == ["a.bin"]


def test_a_missing_package_is_named() -> None:
    with pytest.raises(UsageError) as caught:
        Stores(wait=0).find(at("nosuchstore://b/a"))
    assert "nosuchstore" in str(caught.value)


def test_what_is_told_holds_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hushhush")
    address = Address("sftp", "me:pass-word@host", "a")
    told = without_secrets(
        "no pass-word for hushhush at\nhttps://u:p@host/a?X-Amz-Signature=abc&x=1 (really?)", address
    )
    assert told == "no *** for *** at https://***@host/a?*** (really?)"
    assert "hushhush" in os.environ["AWS_SECRET_ACCESS_KEY"]
