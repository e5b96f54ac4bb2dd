"""Learned metrics: the adapter with a stand-in for the package, and what is said when it is missing."""

from __future__ import annotations

import subprocess
import sys
from types import ModuleType

import numpy as np
import pytest

from restorecli.errors import DataError, UsageError, WeightsError
from restorecli.evaluation.metrics import perceptual
from restorecli.evaluation.metrics.catalog import METRICS
from restorecli.evaluation.metrics.metric import Subject
from restorecli.evaluation.metrics.protocol import PROTOCOLS

PACKAGES = ("pyiqa", "torchvision", "torchmetrics.image.lpip", "torchmetrics.image.dists")


@pytest.fixture(autouse=True)
def _forgets_its_judges():
    perceptual._loaded.cache_clear()
    yield
    perceptual._loaded.cache_clear()


@pytest.fixture
def install(monkeypatch):
    """Put a stand-in for every package into place; `judge` is what each of them builds."""

    def put(judge):
        class Torchmetrics:
            def __init__(self, **options):
                self.options = options

            def eval(self):
                return judge(**self.options)

        contents = {
            "pyiqa": {"create_metric": lambda name, device: judge(name=name, device=device)},
            "torchvision": {},
            "torchmetrics.image.lpip": {"LearnedPerceptualImagePatchSimilarity": Torchmetrics},
            "torchmetrics.image.dists": {"DeepImageStructureAndTextureSimilarity": Torchmetrics},
        }
        for name in PACKAGES:
            module = ModuleType(name)
            vars(module).update(contents[name])
            monkeypatch.setitem(sys.modules, name, module)

    return put


def subject(shape=(3, 16, 20), reference=True) -> Subject:
    levels = np.random.default_rng(0).integers(0, 256, (2, *shape), dtype=np.uint8)
    return Subject(levels[0], levels[1] if reference else None, protocol=PROTOCOLS["rgb"])


@pytest.mark.parametrize("name", ["lpips", "dists"])
def test_a_full_reference_metric_gets_restored_then_reference_as_rgb(install, name):
    seen = []
    install(lambda **options: lambda *images: seen.append((options, images)) or 0.25)
    asked = subject((1, 16, 20))
    assert METRICS[name].function(asked) == 0.25
    ((options, (restored, reference)),) = seen
    assert options == ({"net_type": "alex", "normalize": True} if name == "lpips" else {})
    for tensor, levels in ((restored, asked.image), (reference, asked.reference)):
        assert tuple(tensor.shape) == (1, 3, 16, 20)
        assert (tensor[0].numpy() * 255).round().astype(np.uint8) == pytest.approx(
            np.broadcast_to(levels, (3, 16, 20))
        )


@pytest.mark.parametrize("name", ["niqe", "musiq"])
def test_a_metric_without_reference_gets_the_image_alone(install, name):
    seen = []
    install(lambda **options: lambda *images: seen.append((options, images)) or 5)
    assert METRICS[name].function(subject(reference=False)) == 5.0
    assert seen[0][0] == {"name": name, "device": "cpu"}
    assert len(seen[0][1]) == 1


def test_a_judge_is_built_once_and_its_words_go_to_stderr(install, capsys):
    built = []

    def build(**options):
        print("Loading pretrained model")
        built.append(options)
        return lambda *images: 1.0

    install(build)
    for _ in range(3):
        METRICS["niqe"].function(subject())
    assert len(built) == 1
    words = capsys.readouterr()
    assert words.out == ""
    assert "Loading" in words.err


@pytest.mark.parametrize(
    ("name", "package", "hint"),
    [
        ("lpips", "torchvision", "pip install torchmetrics torchvision"),
        ("dists", "torchvision", "pip install torchmetrics torchvision"),
        ("niqe", "pyiqa", "Noncommercial"),
        ("musiq", "pyiqa", "Noncommercial"),
    ],
)
def test_a_missing_package_says_what_to_install(monkeypatch, name, package, hint):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(UsageError, match="not installed") as caught:
        METRICS[name].function(subject())
    assert caught.value.expected == package
    assert hint in caught.value.hint


@pytest.mark.parametrize("name", ["lpips", "dists", "niqe", "musiq"])
def test_missing_weights_say_how_to_get_them(install, name):
    def offline(**options):
        raise OSError("Name or service not known")

    install(offline)
    with pytest.raises(WeightsError, match="weights") as caught:
        METRICS[name].function(subject())
    assert f"--metrics {name}" in caught.value.hint
    assert "Name or service" in caught.value.got


def test_an_image_that_a_network_refuses_is_undefined(install):
    def refuse(*images):
        raise RuntimeError("Kernel size can't be greater than actual input size")

    install(lambda **options: refuse)
    with pytest.raises(DataError, match="refused") as caught:
        METRICS["lpips"].function(subject())
    assert "20x16" in caught.value.got


def test_the_catalog_loads_neither_torch_nor_any_of_them():
    heavy = {"torch", "pyiqa", "torchmetrics", "skimage"}
    check = f"import sys, restorecli.evaluation.metrics.catalog; print({heavy} & {{*sys.modules}} or 'none')"
    answer = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert answer.stdout == "none\n"
