"""Catalogs: names found in any case, duplicates refused, near names offered, parts loaded when used."""

import subprocess
import sys
from dataclasses import replace

import pytest

from restorecli.catalogs import Catalog, Entry, check_arguments, closest, did_you_mean
from restorecli.core.losses.catalog import LOSSES
from restorecli.core.models.catalog import MODELS
from restorecli.degradation.catalog import DEGRADATIONS
from restorecli.errors import UsageError
from restorecli.evaluation.metrics.catalog import METRICS
from restorecli.restoration.methods.catalog import METHODS
from restorecli.training.strategies.catalog import STRATEGIES

ROOMS = {
    "model": MODELS,
    "loss": LOSSES,
    "strategy": STRATEGIES,
    "degradation": DEGRADATIONS,
    "method": METHODS,
    "metric": METRICS,
}
every_room = pytest.mark.parametrize("catalog", ROOMS.values(), ids=ROOMS)


@every_room
def test_a_second_entry_of_a_name_is_refused(catalog):
    entries = list(catalog.values())
    second = replace(entries[0], name=entries[-1].name)
    with pytest.raises(UsageError, match=f"The {catalog.kind} '{entries[-1].name}' exists twice"):
        Catalog(catalog.kind, [*entries, second])


def test_a_second_unet_is_refused():
    other = replace(MODELS["autoencoder"], name="unet")
    with pytest.raises(UsageError, match="'unet' exists twice"):
        Catalog("model", [*MODELS.values(), other])


def test_a_name_that_is_an_alias_of_another_is_refused():
    with pytest.raises(UsageError, match="'blur' exists twice"):
        Catalog("degradation", [Entry("blur", "somewhere:Blur")], aliases={"blur": "gaussian-blur"})


@every_room
def test_every_name_is_found_in_any_case_and_nothing_else(catalog):
    for name in catalog:
        for written in (name, name.upper(), name.title().replace("-", "_")):
            assert catalog.find(written) is catalog[name]
        assert catalog.resolve(f"{name}x") is None
    with pytest.raises(UsageError) as caught:
        catalog.find("qqqqqq")
    assert caught.value.expected == ", ".join(catalog)


def test_an_alias_and_a_paper_s_spelling_are_found():
    assert MODELS.find("SCA-UNet").name == "sca-unet"
    assert MODELS.find("SCA_UNet").name == "sca-unet"
    assert DEGRADATIONS.find("Blur").name == "gaussian-blur"


@every_room
def test_a_slip_is_answered_with_the_name_that_was_meant(catalog):
    name = max(catalog, key=len)
    with pytest.raises(UsageError) as caught:
        catalog.find(name[:-2] + name[-1])
    assert caught.value.hint == f"did you mean {name!r}?"


def test_near_names_are_judged_without_case():
    assert closest("SSIN", ["psnr", "ssim"]) == "ssim"
    assert closest("zzz", ["psnr", "ssim"]) is None
    assert did_you_mean("zzz", ["psnr"]) is None


def test_arguments_that_are_not_taken_are_refused_with_the_right_ones():
    check_arguments("dncnn", ["depth"], ["depth", "width"])
    with pytest.raises(UsageError, match="dncnn has no argument 'detph'") as caught:
        check_arguments("dncnn", ["width", "detph"], ["depth", "width"])
    assert (caught.value.expected, caught.value.hint) == ("depth, width", "did you mean 'depth'?")
    with pytest.raises(UsageError) as caught:
        check_arguments("The loss l1", ["weight"], [])
    assert caught.value.expected == "no arguments"


@pytest.mark.parametrize("catalog", [room for room in ROOMS.values() if room is not METRICS])
def test_the_place_of_every_entry_holds_a_class_of_that_name(catalog):
    for name, entry in catalog.items():
        part = entry.load()
        assert part.__module__ == entry.place.partition(":")[0]
        assert getattr(part, "name", name) == name


@pytest.mark.parametrize("catalog", [MODELS, LOSSES, STRATEGIES], ids=lambda catalog: catalog.kind)
def test_arguments_are_known_without_importing_the_class(catalog):
    written = [entry for entry in catalog.values() if entry.written_arguments() is not None]
    assert len(written) >= 2
    for entry in written:
        taken = entry.own_arguments() if catalog is STRATEGIES else entry.arguments()
        assert tuple(entry.written_arguments()) == taken


def test_listing_names_imports_no_torch_and_none_of_the_parts():
    code = (
        "import sys\n"
        "from restorecli.core.losses.catalog import LOSSES\n"
        "from restorecli.core.models.catalog import MODELS\n"
        "from restorecli.degradation.catalog import DEGRADATIONS\n"
        "from restorecli.restoration.methods.catalog import METHODS\n"
        "from restorecli.training.strategies.catalog import STRATEGIES\n"
        "for room in (LOSSES, MODELS, DEGRADATIONS, METHODS, STRATEGIES):\n"
        "    places = {entry.place.partition(':')[0] for entry in room.values()}\n"
        "    assert places and not places & set(sys.modules), places & set(sys.modules)\n"
        "assert not {'torch', 'scipy', 'numba', 'skimage'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
