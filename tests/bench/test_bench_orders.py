"""`bench orders`: both orders of two damages, and what may undo both at once."""

from __future__ import annotations

import pytest

from restorecli.bench.orders import PAIRS, bench_orders
from restorecli.core.shipped import shipped
from restorecli.errors import DataError, UsageError
from restorecli.folders.samples import read_sample
from restorecli.images.image import ImageData
from restorecli.images.writing import write_image
from restorecli.restoration.methods.catalog import METHODS


def test_each_way_is_scored_and_noise_goes_before_haze(tmp_path) -> None:
    write_image(tmp_path / "coffee.png", ImageData(read_sample("coffee").pixels))
    (order,) = bench_orders(tmp_path, crop=128, pairs=("haze+gaussian",))
    noise, haze = "sca-unet.gaussian", "sca-unet.haze"
    ways = ["as degraded", haze, noise, f"{haze} -> {noise}", f"{noise} -> {haze}"]
    assert list(order.scores) == ways
    assert order.best == f"{noise} -> {haze}"
    assert order.scores[order.best] > order.scores[f"{haze} -> {noise}"] + 0.5
    assert order.to_dict()["best"] == order.best


def test_every_way_is_made_of_what_ships_and_of_ways_before_it() -> None:
    there = {*METHODS, *(entry.name for entry in shipped())}
    for pair in PAIRS:
        seen = []
        for way in pair.ways:
            assert set(way) <= there
            assert not way or way[:-1] in seen
            seen.append(way)


def test_what_is_not_there_is_said(tmp_path) -> None:
    with pytest.raises(DataError, match="no image"):
        bench_orders(tmp_path)
    write_image(tmp_path / "coffee.png", ImageData(read_sample("coffee").pixels[:, :64, :64]))
    with pytest.raises(UsageError, match="no such pair"):
        bench_orders(tmp_path, pairs=("haze+snow",))
