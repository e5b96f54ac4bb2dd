"""Addresses on the command line: they arrive whole, and failures say which file and why."""

from __future__ import annotations

import pytest

fsspec = pytest.importorskip("fsspec")


@pytest.fixture
def store(photos):
    """The store memory:// with the photographs of the shell in data/photos."""
    system = fsspec.filesystem("memory")
    system.store.clear()
    system.pseudo_dirs[:] = [""]
    for path in photos.rglob("*.png"):
        system.pipe(f"/data/photos/{path.relative_to(photos)}", path.read_bytes())
    yield system
    system.store.clear()
    system.pseudo_dirs[:] = [""]


def test_the_three_verbs_take_addresses(shell, store) -> None:
    shell("restorecli degrade memory://data/photos -o memory://data/noisy --noise gaussian --sigma 25")
    answer = shell("restorecli restore memory://data/noisy -o memory://data/clean/ --model median")
    assert "4 written -> memory:///data/clean" in answer.err
    again = shell("restorecli restore memory://data/noisy memory://data/clean --model median --json").data
    assert (again["written"], again["skipped"]) == (0, 4)
    scored = shell("restorecli eval memory://data/clean memory://data/photos --json").data
    assert scored["folders"]["restored"] == "memory:///data/clean"


def test_a_failure_gives_exit_code_3_with_the_address(shell, store) -> None:
    store.pipe("/data/photos/indoors/broken.png", b"no image")
    answer = shell("restorecli restore memory://data/photos -o out --model median --json", code=3)
    assert answer.data["written"] == 4
    assert answer.error["file"] == "memory:///data/photos/indoors/broken.png"
    assert "restorecli-remote" not in answer.out + answer.err


def test_an_unknown_store_is_a_usage_error_with_its_package(shell) -> None:
    answer = shell("restorecli restore nosuchstore://bucket/photos --model median --json", code=2)
    assert "nosuchstore" in answer.error["problem"]
    assert "s3fs" in answer.error["expected"]
