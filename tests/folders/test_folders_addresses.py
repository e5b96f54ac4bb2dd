"""Addresses: what is one, what is shown of it, and which local path stands for it."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restorecli.errors import UsageError
from restorecli.folders.addresses import MIRROR, Address, address_of, parse_address, shown, standing_for
from restorecli.folders.locators import locate, make_locator

ROOT = Path("/tmp", f"{MIRROR}x")


@pytest.mark.parametrize(
    ("word", "told"),
    [
        ("s3://bucket/a/b.png", "s3://bucket/a/b.png"),
        ("S3A://bucket/a/", "s3://bucket/a"),
        ("gcs://bucket/a", "gs://bucket/a"),
        ("s3://bucket", "s3://bucket/"),
        (Path("s3://bucket/a"), "s3://bucket/a"),
        ("memory://a/b", "memory:///a/b"),
        ("file:///tmp/a", "file:///tmp/a"),
        ("sftp://me:secret@host:22/a", "sftp://me@host:22/a"),
        (
            "abfs://container@account.dfs.core.windows.net/a",
            "abfs://container@account.dfs.core.windows.net/a",
        ),
    ],
)
def test_an_address_is_told_in_one_form_without_its_password(word: str | Path, told: str) -> None:
    assert str(parse_address(word)) == told


@pytest.mark.parametrize(
    "word", ["photos", "./s3/x", "C:/photos", "sample:photographs/camera", "a::s3://b/c"]
)
def test_a_local_path_is_no_address(word: str) -> None:
    assert parse_address(word) is None


@pytest.mark.parametrize(
    "word", ["s3://", "s3://b/../x", "s3://b/a//c", "s3://b/./c", "https://h/x.png?token=hush"]
)
def test_an_address_that_no_file_has_is_refused(word: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_address(word)
    assert "hush" not in str(caught.value)


def test_the_password_stays_for_whoever_opens_the_address() -> None:
    address = parse_address("sftp://me:secret@host/a")
    assert address is not None
    assert address.url == "sftp://me:secret@host/a"
    assert "secret" not in str(address.below(ROOT))


NAMES = st.text(min_size=1, max_size=12).filter(
    lambda name: name not in (".", "..") and not set(name) & set("/\0")
)


@given(st.lists(NAMES, min_size=1, max_size=4), st.sampled_from(["s3", "gs", "file", "memory"]))
def test_the_path_that_stands_for_an_address_tells_which(names: list[str], scheme: str) -> None:
    address = Address(scheme, "" if scheme in ("file", "memory") else "bucket", "/".join(names))
    assert address_of(address.below(ROOT)) == address
    assert shown(address.below(ROOT)) == str(address)


def test_other_paths_stand_for_nothing(tmp_path: Path) -> None:
    assert address_of(tmp_path / "x.png") is None
    assert address_of(ROOT) is None
    assert shown(tmp_path) == tmp_path


@pytest.mark.parametrize(
    ("image", "folder", "locator"),
    [
        ("s3://bucket/photos/a.png", "s3://bucket/noisy", "../photos/a.png"),
        ("s3://bucket/photos/a.png", "s3://other/noisy", "s3://bucket/photos/a.png"),
        ("gs://bucket/photos/a.png", "s3://bucket/noisy", "gs://bucket/photos/a.png"),
        ("s3://bucket/photos/a.png", None, "s3://bucket/photos/a.png"),
        (None, "s3://bucket/noisy", None),
    ],
)
def test_locators_name_addresses_and_lead_back(
    image: str | None, folder: str | None, locator: str | None, tmp_path: Path
) -> None:
    path = tmp_path / "a.png" if image is None else parse_address(image).below(ROOT)
    home = tmp_path if folder is None else parse_address(folder).below(ROOT)
    made = make_locator(path, home)
    assert made == (path.as_posix() if locator is None else locator)
    assert shown(locate(made, home)) == shown(path)


def test_an_address_without_a_mirror_has_a_path_that_is_nowhere(tmp_path: Path) -> None:
    place = standing_for(Address("s3", "bucket", "a.png"), tmp_path)
    assert shown(place) == "s3://bucket/a.png"
    assert not place.exists()
