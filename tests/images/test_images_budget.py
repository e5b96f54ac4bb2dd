"""The memory budget: from this machine, from its container, and what it refuses."""

from __future__ import annotations

from pathlib import Path

import pytest

from restorecli.errors import ImageError
from restorecli.images import budget
from restorecli.images.budget import available_memory, check_budget, decoding_budget


def test_the_budget_is_positive_and_half_of_what_is_available():
    assert available_memory() >= 1 << 28
    assert decoding_budget() > 0


def test_the_containers_limit_counts(monkeypatch):
    texts = {
        "memory.max": "3000000000\n",
        "memory.current": "1000000000\n",
        "meminfo": "MemAvailable: 8000000 kB\n",
    }
    monkeypatch.setattr(Path, "read_text", lambda self, **_: texts[self.name])
    assert available_memory() == 2_000_000_000
    texts["memory.max"] = "max\n"
    assert available_memory() == 8_000_000 * 1024


def test_without_the_systems_words_there_is_a_default(monkeypatch):
    def fail(*_: object, **__: object) -> str:
        raise FileNotFoundError

    monkeypatch.setattr(Path, "read_text", fail)
    assert available_memory() >= 1 << 28
    monkeypatch.delattr(budget.os, "sysconf")
    assert available_memory() == 4 << 30


@pytest.mark.parametrize("size", [(0, 5), (5, 0)])
def test_an_image_without_pixels_is_refused(size):
    with pytest.raises(ImageError, match="no pixels"):
        check_budget(*size, 3, 8)


def test_the_need_grows_with_depth_and_channels():
    check_budget(100, 100, 3, 8, budget=100 * 100 * 3 * 6)
    with pytest.raises(ImageError, match="too large"):
        check_budget(100, 100, 3, 16, budget=100 * 100 * 3 * 6)
    with pytest.raises(ImageError, match="too large"):
        check_budget(100, 100, 4, 8, budget=100 * 100 * 3 * 6)
