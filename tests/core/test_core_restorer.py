"""A network as a restorer: padding, channels, precision, finite values."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from restorecli import create_model, load
from restorecli.core import device
from restorecli.core.card_reading import Card
from restorecli.core.device import pick_device, precision, restoring_precision, training_precision
from restorecli.core.footprint import measure_footprint
from restorecli.core.models.catalog import MODELS
from restorecli.core.restorer import NonFiniteError, pad_to_multiple
from restorecli.core.torch_restorer import TorchRestorer
from restorecli.core.weights import pack
from restorecli.errors import UsageError
from restorecli.heap import keep_large_blocks
from restorecli.testing.models import small

CPU = torch.device("cpu")


class Fake(nn.Module):
    """Adds nothing; says how it was called."""

    scale, receptive_field = 1, 1

    def __init__(self, channels=3, multiple=8, bad=None):
        super().__init__()
        self.channels, self.multiple, self.bad = channels, multiple, bad
        self.seen = []

    def forward(self, x):
        self.seen.append((tuple(x.shape), torch.is_autocast_enabled("cpu")))
        if self.bad == "always" or (self.bad == "autocast" and torch.is_autocast_enabled("cpu")):
            return x * float("nan")
        return x


@given(st.integers(1, 40), st.integers(1, 40), st.sampled_from([1, 4, 8]))
@settings(max_examples=50, deadline=None)
def test_padding_is_to_the_multiple_and_keeps_the_image(height, width, multiple):
    x = torch.rand(1, 2, height, width)
    padded = pad_to_multiple(x, multiple)
    assert padded.shape[2] % multiple == padded.shape[3] % multiple == 0
    assert padded.shape[2] - height < multiple
    assert torch.equal(padded[..., :height, :width], x)


@given(st.integers(1, 30), st.integers(1, 30), st.sampled_from([1, 3]), st.sampled_from([1, 3]))
@settings(max_examples=50, deadline=None)
def test_an_identity_network_is_an_identity_restorer(height, width, channels, of_network):
    x = torch.rand(2, channels, height, width)
    restorer = TorchRestorer(Fake(of_network), name="fake", device=CPU)
    torch.testing.assert_close(restorer(x), x, atol=1e-6, rtol=0)


def test_on_a_cpu_a_gray_network_has_one_channel_in_memory_at_a_time():
    fake = Fake(channels=1)
    x = torch.rand(2, 3, 8, 16)
    assert torch.equal(TorchRestorer(fake, name="fake", device=CPU)(x), x)
    assert [shape for shape, _ in fake.seen] == [(2, 1, 8, 16)] * 3


def test_flat_black_and_white_come_back_exact_and_output_is_clamped():
    restorer = TorchRestorer(Fake(), name="fake", device=CPU)
    for value in (0.0, 1.0):
        assert torch.equal(restorer(torch.full((1, 3, 9, 9), value)), torch.full((1, 3, 9, 9), value))
    assert restorer(torch.full((1, 3, 8, 8), 1.5)).max() == 1


def test_nan_under_autocast_is_tried_again_in_float32():
    fake = Fake(bad="autocast")
    x = torch.rand(1, 3, 8, 8)
    assert torch.equal(TorchRestorer(fake, name="fake", device=CPU, dtype=torch.bfloat16)(x), x)
    assert [autocast for _, autocast in fake.seen] == [True, False]


def test_nan_in_float32_is_an_error():
    with pytest.raises(NonFiniteError, match="not finite"):
        TorchRestorer(Fake(bad="always"), name="fake", device=CPU)(torch.rand(1, 3, 8, 8))


@pytest.mark.parametrize("shape", [(3, 8, 8), (1, 2, 8, 8), (1, 3, 0, 8)])
def test_other_shapes_are_refused(shape):
    with pytest.raises(UsageError, match=r"\(N, 1 or 3, H, W\)"):
        TorchRestorer(Fake(), name="fake", device=CPU)(torch.rand(shape))


@pytest.mark.parametrize("white", [255, 65535])
def test_levels_are_refused_instead_of_clipped(white):
    restorer = TorchRestorer(Fake(), name="fake", device=CPU)
    with pytest.raises(UsageError, match="out of range") as caught:
        restorer(torch.full((1, 3, 8, 8), float(white)))
    assert caught.value.got == f"values up to {white:g}"
    assert restorer(torch.full((1, 3, 8, 8), 2.0)).max() == 1


def test_device_and_precision_names():
    assert pick_device("cpu") == CPU
    assert pick_device() == pick_device("auto")
    assert precision("auto") == torch.float32
    assert training_precision("fp32", CPU) == torch.float32
    with pytest.raises(UsageError, match="bf16"):
        precision("half")
    with pytest.raises(UsageError, match="--device"):
        pick_device("tpu")


@pytest.mark.parametrize(
    ("name", "losses", "gains", "chosen"),
    [
        ("auto", {}, True, torch.float32),
        ("auto", {"bf16": 0.019}, True, torch.bfloat16),
        ("auto", {"bf16": 0.02}, True, torch.float32),
        ("auto", {"fp16": 0.001}, True, torch.float32),
        ("auto", {"bf16": 0.0}, False, torch.float32),
        ("fp32", {"bf16": 0.0}, True, torch.float32),
        ("bf16", {}, False, torch.bfloat16),
    ],
)
def test_a_faster_precision_is_taken_where_the_card_says_it_costs_nothing(
    name, losses, gains, chosen, monkeypatch, tmp_path
):
    monkeypatch.setattr("restorecli.core.device._cpu_gains_from_bfloat16", lambda: gains)
    network = create_model("dncnn", depth=3, width=8, channels=1, batch_norm=False)
    arguments = {"depth": 3, "width": 8, "channels": 1, "batch_norm": False}
    file = tmp_path / "w.safetensors"
    file.write_bytes(pack(network.state_dict(), Card("dncnn", arguments, channels=1, precision_loss=losses)))
    assert load(file, device="cpu", precision=name).dtype == chosen


def test_cuda_then_mps_then_cpu(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert pick_device().type == "cuda"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert pick_device().type == "mps"
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert pick_device().type == "cpu"


def test_bfloat16_is_taken_on_cuda_where_the_card_allows_it(monkeypatch):
    cuda = torch.device("cuda")
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda *, including_emulation: True)
    assert restoring_precision("auto", cuda, {"bf16": 0.019}) == torch.bfloat16
    assert restoring_precision("auto", cuda, {"bf16": 0.02}) == torch.float32
    assert restoring_precision("auto", cuda, {}) == torch.float32
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda *, including_emulation: False)
    assert restoring_precision("auto", cuda, {"bf16": 0.001}) == torch.float32


def test_a_cuda_device_is_warmed_up_once_and_no_other(monkeypatch):
    done = []
    monkeypatch.setattr(device, "_WARM", set())
    monkeypatch.setattr(device, "_first_convolution", done.append)
    assert device.warm_up(CPU) is None
    thread = device.warm_up(torch.device("cuda"))
    thread.join()
    assert device.warm_up(torch.device("cuda")) is None
    assert done == [torch.device("cuda")]


def test_a_device_that_cannot_be_warmed_up_is_left_to_whoever_computes():
    device._first_convolution(torch.device("cuda:99"))


def test_algorithms_of_cudnn_are_tried_only_while_it_is_wanted():
    before = torch.backends.cudnn.benchmark
    for kind, wanted, inside in (("cuda", True, True), ("cuda", False, before), ("cpu", True, before)):
        with device.tuned(torch.device(kind), wanted=wanted):
            assert torch.backends.cudnn.benchmark == inside
        assert torch.backends.cudnn.benchmark == before


@pytest.mark.parametrize("name", ["sca-unet", "dncnn", "nafnet", "restormer"])
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_weights_that_are_cast_once_change_no_bit(name, dtype):
    module = small(name, MODELS[name].small)
    restorer = TorchRestorer(module, name=name, device=CPU, dtype=dtype)
    assert any(weight.dtype == dtype for weight in restorer.running.parameters())
    assert all(weight.dtype == torch.float32 for weight in restorer.module.parameters())
    batch = torch.rand(1, 3, 32, 48)
    restored = restorer.unchecked(batch)
    with torch.inference_mode(), torch.autocast("cpu", dtype):
        expected = restorer.module(batch.contiguous(memory_format=torch.channels_last)).float().clamp(0, 1)
    assert torch.equal(restored, expected)
    assert restorer.in_float32().running is restorer.module


@pytest.mark.parametrize("name", ["sca-unet", "unet", "restormer"])
def test_the_footprint_is_known_without_computing_where_that_is_possible(name):
    """Judge: the same network, measured while it computes."""
    restorer = TorchRestorer(small(name, MODELS[name].small), name=name, device=CPU)
    measured = measure_footprint(restorer, 3, restorer.spec.multiple)
    assert restorer._counted(3) is None  # the CPU is measured itself
    restorer.device = torch.device("mps")
    counted = restorer._counted(3)
    assert counted.linear == pytest.approx(measured.linear, rel=0.02)
    assert counted.quadratic == pytest.approx(measured.quadratic, rel=0.02)


def test_a_network_that_looks_at_values_has_its_footprint_measured():
    class Looking(Fake):
        def forward(self, x):
            return x * float(x.mean())

    restorer = TorchRestorer(Looking(), name="looking", device=CPU)
    restorer.device = torch.device("mps")
    assert restorer._counted(3) is None


def test_keeping_large_blocks_answers_whether_it_did():
    assert keep_large_blocks() in (True, False)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_cuda_gives_what_the_cpu_gives():
    from restorecli import create_model

    for name in ("sca-unet", "dncnn", "unet"):
        torch.manual_seed(0)
        network = create_model(name)
        x = torch.rand(1, 3, 40, 48)
        on_cpu = TorchRestorer(network, name=name, device=CPU)(x)
        on_cuda = TorchRestorer(network, name=name, device=torch.device("cuda"))(x)
        torch.testing.assert_close(on_cuda, on_cpu, atol=1e-3, rtol=0)


def test_the_callers_batch_is_never_changed():
    batch = torch.full((1, 3, 8, 8), 1.5)
    TorchRestorer(Fake(), name="fake", device=CPU)(batch)
    assert torch.equal(batch, torch.full((1, 3, 8, 8), 1.5))


def test_a_device_that_computes_nothing_is_refused():
    with pytest.raises(UsageError, match="cuda, cuda:N, mps or cpu"):
        pick_device("meta")


class Slanted(nn.Module):
    """Looks to the upper right only, and enlarges: no turned or mirrored image gives the same."""

    channels, scale, multiple, receptive_field = 3, 2, 4, 5

    def forward(self, x):
        y = 0.5 * x + 0.3 * x.roll((1, -2), (-2, -1)) ** 2
        return y.repeat_interleave(2, -1).repeat_interleave(2, -2)


@pytest.mark.parametrize("channels", [1, 3])
def test_the_ensemble_is_the_mean_over_eight_ways(channels):
    plain, ensemble = (TorchRestorer(Slanted(), name="slanted", device=CPU) for _ in range(2))
    ensemble.ensemble = True
    x = torch.rand(2, channels, 9, 14)
    ways = []
    for turn in range(4):
        turned = x.rot90(turn, (2, 3))
        ways.append(plain(turned).rot90(-turn, (2, 3)))
        ways.append(plain(turned.flip(2)).flip(2).rot90(-turn, (2, 3)))
    torch.testing.assert_close(ensemble(x), torch.stack(ways).mean(0))
    assert not torch.allclose(ensemble(x), plain(x), atol=1e-3)


def test_the_ensemble_does_not_feel_how_the_image_lies():
    ensemble = TorchRestorer(Slanted(), name="slanted", device=CPU)
    ensemble.ensemble = True
    x = torch.rand(1, 3, 8, 12)
    torch.testing.assert_close(ensemble(x.rot90(1, (2, 3))), ensemble(x).rot90(1, (2, 3)))
    torch.testing.assert_close(ensemble(x.flip(3)), ensemble(x).flip(3))
