"""Exported graphs as restorers: memory, devices, threads."""

import errno
import os
import re
import tempfile
from pathlib import Path

import onnxruntime
import pytest
import torch

from restorecli.core.card_reading import Card
from restorecli.core.models.catalog import create_model
from restorecli.core.onnx.graph import to_onnx
from restorecli.core.restorer import NonFiniteError
from restorecli.core.torch_restorer import TorchRestorer
from restorecli.errors import ResourceError, UsageError, WeightsError
from restorecli.restoration import onnx_runtime
from restorecli.restoration.backoff import BackingOff
from restorecli.restoration.export import write_export
from restorecli.restoration.onnx_runtime import OnnxRestorer

CPU, CUDA = "CPUExecutionProvider", "CUDAExecutionProvider"
ARGUMENTS = {"channels": 1, "depth": 3, "width": 4}


@pytest.fixture
def network():
    torch.manual_seed(0)
    return TorchRestorer(create_model("dncnn", **ARGUMENTS).fold(), name="tiny", device=torch.device("cpu"))


@pytest.fixture
def exported(network, tmp_path):
    write_export(network, Card("dncnn", ARGUMENTS, channels=1), tmp_path / "tiny.onnx")
    return OnnxRestorer(tmp_path / "tiny.onnx", device="cpu")


def test_a_graph_brings_what_its_network_takes_in_memory(network, exported):
    for kind in (1, 3):
        assert exported.footprint(kind) == network.footprint(kind)


def test_a_full_disk_names_the_file_the_bytes_needed_and_the_bytes_free(network, tmp_path, monkeypatch):
    def fail(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_bytes", fail)
    monkeypatch.setattr(tempfile, "TemporaryDirectory", fail)  # a second disk is not needed
    with pytest.raises(ResourceError) as caught:
        write_export(network, Card("dncnn", ARGUMENTS, channels=1), tmp_path / "tiny.onnx")
    assert caught.value.file == str(tmp_path / "tiny.onnx")
    assert re.search(r"; [\d,]{5,} bytes are needed; [\d,]+ bytes are free", str(caught.value.got))
    assert list(tmp_path.iterdir()) == []


def test_a_lack_of_memory_is_met_with_smaller_tiles(exported):
    class Small:
        """A session that has no memory for more than 48 rows."""

        def __init__(self, session):
            self.session = session

        def run(self, names, feed):
            if next(iter(feed.values())).shape[2] > 48:
                raise onnxruntime.capi.onnxruntime_pybind11_state.RuntimeException(
                    "Failed to allocate memory"
                )
            return self.session.run(names, feed)

    x = torch.rand(1, 1, 90, 90)
    whole = exported(x)
    exported._session = Small(exported._session)
    patient = BackingOff(exported)
    torch.testing.assert_close(patient(x), whole, atol=1e-5, rtol=0)
    assert patient.failures == 1


def test_values_that_are_not_finite_are_an_error(exported):
    with pytest.raises(NonFiniteError, match="not finite"):
        exported(torch.full((1, 1, 8, 8), float("nan")))


@pytest.mark.parametrize("shape", [(3, 8, 8), (1, 2, 8, 8), (1, 3, 0, 8)])
def test_other_shapes_are_refused(exported, shape):
    with pytest.raises(UsageError, match=r"\(N, 1 or 3, H, W\)"):
        exported(torch.rand(shape))


def test_cuda_is_taken_where_it_is_and_without_tf32(monkeypatch):
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: [CUDA, CPU])
    for device, number in ((None, "0"), ("auto", "0"), ("cuda", "0"), ("cuda:1", "1")):
        first, last = onnx_runtime._providers(device)
        assert first == (CUDA, {"device_id": number, "use_tf32": "0"})
        assert last == (CPU, {})
    assert onnx_runtime._providers("cpu") == [(CPU, {})]


def test_cuda_that_is_not_there_is_refused_only_when_asked_for(monkeypatch):
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: [CPU])
    assert onnx_runtime._providers(None) == [(CPU, {})]
    for device in ("cuda", "cuda:1", "mps", "tpu"):
        with pytest.raises(UsageError, match="--device"):
            onnx_runtime._providers(device)


def test_what_another_program_wrote_into_the_label_is_refused(network, tmp_path):
    file = tmp_path / "odd.onnx"
    for footprints in ({1: (1.0, 0.0)}, {1: (-1.0, 0.0), 3: (1.0, 0.0)}):
        file.write_bytes(to_onnx(network, Card("dncnn", ARGUMENTS, channels=1), footprints))
        with pytest.raises(WeightsError, match="cannot be read"):
            OnnxRestorer(file, device="cpu")
