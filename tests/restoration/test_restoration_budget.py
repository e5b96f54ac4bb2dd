"""How large a tile may be."""

import importlib

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from restorecli.core.footprint import Footprint
from restorecli.core.models.catalog import create_model
from restorecli.core.torch_restorer import TorchRestorer
from restorecli.restoration.budget import (
    GLOBAL_CPU_AREA,
    MAX_TILE_AREA,
    auto_tile,
    memory_budget,
)


def network(name, **arguments):
    return TorchRestorer(create_model(name, **arguments), name=name, device=torch.device("cpu"))


def test_the_footprint_of_one_convolution_is_its_input_and_output(convolutions):
    """1 layer of 3 channels: input, padding-free output, tanh, affine result: between 2 and 8 copies."""
    footprint = convolutions(1).footprint(3)
    assert footprint.quadratic == 0
    assert footprint.linear == 1.5 * 256.0  # the floor: 12 bytes per pixel and copy are less


def test_the_footprint_grows_with_the_width_of_a_network():
    narrow, wide = (network("dncnn", width=width).footprint(3).linear for width in (64, 128))
    assert wide == pytest.approx(2 * narrow, rel=0.1)
    # Two activations of 64 channels in float32, and the image.
    assert narrow / 1.5 == pytest.approx(2 * 64 * 4, rel=0.1)


def test_color_through_a_gray_network_takes_hardly_more_on_a_cpu():
    """It goes there channel by channel."""
    gray = network("dncnn", channels=1)
    assert 1 < gray.footprint(3).linear / gray.footprint(1).linear < 1.1


def test_memory_that_grows_with_the_square_is_noticed(restorer_of):
    def attend(batch):
        flat = batch.flatten(1)[:, ::8]
        return batch + 0 * (flat.transpose(0, 1) @ flat).sum()

    footprint = restorer_of(attend).footprint(1)
    assert footprint.quadratic == pytest.approx(1.5 * 4 / 64, rel=0.1)


@given(st.floats(100, 5000), st.floats(0, 2), st.integers(1 << 20, 1 << 36))
def test_the_largest_area_uses_the_budget_up_and_no_more(linear, quadratic, budget):
    footprint = Footprint(linear, quadratic)
    area = footprint.area(budget)
    assert footprint.bytes(area) <= budget * 1.000001
    assert footprint.bytes(area + 2) >= budget * 0.999999


def test_an_image_that_fits_is_restored_whole(convolutions):
    assert auto_tile(convolutions(), Footprint(1000), 1 << 30, 1000, 1000) is None


def test_an_image_that_does_not_fit_gets_the_largest_tile_that_does(convolutions):
    assert auto_tile(convolutions(), Footprint(1000), 10**9, 2000, 2000) == 1000


def test_tiles_are_multiples_and_never_smaller_than_makes_sense():
    unet = network("unet", width=4)
    assert auto_tile(unet, Footprint(1000), 10**9, 4000, 4000) == 1000 // 8 * 8
    assert auto_tile(unet, Footprint(1000), 10, 4000, 4000) == 136 + 34 + 8


def test_no_tile_is_larger_than_device_libraries_can_index(convolutions):
    assert auto_tile(convolutions(), Footprint(1), 1 << 40, 30_000, 30_000) == 4096
    assert MAX_TILE_AREA == 4096**2


def test_attention_over_a_huge_image_is_cut_on_a_cpu():
    sca = network("sca-unet", width=16)
    assert auto_tile(sca, Footprint(1), 1 << 40, 2048, 2048) is None
    assert auto_tile(sca, Footprint(1), 1 << 40, 2048, 2049) == 1024
    assert GLOBAL_CPU_AREA == 2048**2


def test_the_budget_is_a_share_of_free_memory(convolutions, monkeypatch):
    room = importlib.import_module("restorecli.restoration.budget")
    monkeypatch.setattr(room, "available_memory", lambda: 1 << 30)
    assert memory_budget(convolutions()) == 1 << 29
    monkeypatch.setattr(room, "available_memory", lambda: 1 << 40)
    assert memory_budget(convolutions()) == 2 << 30
    assert memory_budget(network("sca-unet")) == 1 << 39


@pytest.mark.gpu
def test_on_cuda_the_whole_ladder_ends_with_the_right_pixels():
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    from restorecli.restoration.backoff import BackingOff
    from restorecli.restoration.tiling import restore_tiled

    restorer = TorchRestorer(create_model("dncnn"), name="dncnn", device=torch.device("cuda"))
    image = torch.rand(3, 700, 900)
    expected = restore_tiled(restorer, image, tile=None)
    total = torch.cuda.get_device_properties(0).total_memory
    torch.cuda.empty_cache()
    torch.cuda.set_per_process_memory_fraction(min(1.0, (torch.cuda.memory_reserved() + (200 << 20)) / total))
    try:
        patient = BackingOff(restorer)
        restored = restore_tiled(patient, image, tile=None)
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
    assert patient.failures >= 1
    torch.testing.assert_close(restored, expected, atol=1e-4, rtol=0)
