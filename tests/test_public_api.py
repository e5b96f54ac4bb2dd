"""The names that others rely on, and the same four verbs in a few lines of Python."""

import importlib
import inspect
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import restorecli
from restorecli.errors import UsageError

# Taking a name away, or renaming an argument, must be a decision: edit this list in the same change.
PUBLIC = {
    "create_model": ["name", "arguments"],
    "load": ["name_or_file", "weights", "device", "precision"],
    "degrade_image": ["image", "noise", "seed", "unclipped"],
    "diagnose": ["image"],
    "restore_image": [
        "image",
        "model",
        "parameters",
        "sigma",
        "operator",
        "mask",
        "weights",
        "strength",
        "tile",
        "overlap",
        "device",
        "precision",
        "ensemble",
        "range",
    ],
    "score": ["restored", "reference", "metrics", "protocol", "degraded", "mask"],
    "degrade": [
        "source",
        "output",
        "noise",
        "chain",
        "replay",
        "seed",
        "workers",
        "unclipped",
        "to_srgb",
        "frames",
        "range",
        "allow_truncated",
        "image_format",
        "quality",
        "mask",
        "overwrite",
        "shard",
        "cluster",
        "progress",
    ],
    "train": [
        "recipe",
        "output",
        "resume",
        "allow_change",
        "data",
        "seed",
        "device",
        "precision",
        "hours",
        "steps",
        "overrides",
        "workers",
        "compile",
        "progress",
    ],
    "restore": [
        "source",
        "output",
        "model",
        "parameters",
        "sigma",
        "operator",
        "mask",
        "tune",
        "weights",
        "strength",
        "keep_defects",
        "tile",
        "overlap",
        "device",
        "precision",
        "backend",
        "ensemble",
        "workers",
        "to_srgb",
        "frames",
        "range",
        "allow_truncated",
        "image_format",
        "quality",
        "overwrite",
        "shard",
        "cluster",
        "progress",
    ],
    "evaluate": [
        "restored",
        "reference",
        "degraded",
        "by",
        "metrics",
        "protocol",
        "range",
        "masks",
        "strip_suffix",
        "shard",
        "cluster",
        "join",
        "workers",
        "against",
        "min_psnr",
        "baseline",
        "tolerance",
        "csv",
        "markdown",
        "latex",
        "report",
        "output",
        "title",
        "about",
        "progress",
    ],
}

PACKAGES = ("errors", "evaluation")
"""What `import restorecli` offers beside functions."""


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    rng = np.random.default_rng(3)
    for name in ("a/one.png", "b/two.png"):
        path = tmp_path / "photos" / name
        path.parent.mkdir(parents=True)
        small = rng.integers(0, 256, (6, 7, 3), dtype=np.uint8)
        Image.fromarray(small).resize((56, 48), Image.Resampling.BICUBIC).save(path)
    return tmp_path / "photos"


def test_the_public_names_are_these() -> None:
    names = {*PUBLIC, *PACKAGES, "__version__"}
    assert set(restorecli.__all__) == names, f"add to PUBLIC above: {sorted(set(restorecli.__all__) ^ names)}"


def test_errors_and_metrics_need_no_import_of_their_own() -> None:
    assert issubclass(restorecli.errors.ImageError, restorecli.errors.RestorecliError)
    same = np.zeros((8, 8), np.uint8)
    assert restorecli.evaluation.psnr(same, same) == np.inf


@pytest.mark.parametrize("name", PUBLIC)
def test_the_arguments_of_the_public_names_are_these(name) -> None:
    function = getattr(restorecli, name)
    assert list(inspect.signature(function).parameters) == PUBLIC[name], f"mend PUBLIC[{name!r}] above"
    assert function.__doc__


@pytest.mark.parametrize("name", PUBLIC)
def test_every_argument_is_described(name) -> None:
    described = getattr(restorecli, name).__doc__.partition("Args:")[2].partition("Returns:")[0]
    for argument in PUBLIC[name]:
        assert re.search(rf"^ +{argument}: ", described, re.MULTILINE), (
            f"describe {argument} under Args: in the docstring of restorecli.{name}"
        )


@pytest.mark.parametrize("verb", ["degrade", "train", "restore", "evaluate"])
def test_a_misspelled_argument_is_refused_with_the_nearest(verb) -> None:
    first = PUBLIC[verb][0]
    with pytest.raises(TypeError, match=rf"{verb}\(\) got .* 'workrs'|'allow_chang'; did you mean"):
        getattr(restorecli, verb)(**{first: "x", "allow_chang" if verb == "train" else "workrs": 1})
    with pytest.raises(TypeError, match=rf"{verb}\(\) too many positional"):
        getattr(restorecli, verb)("x", "y", "z")


def test_a_verb_stays_a_verb_whatever_is_imported() -> None:
    for room in ("degradation.chain", "training.run", "restoration.folder", "evaluation.folder"):
        importlib.import_module(f"restorecli.{room}")
    assert all(
        inspect.isfunction(getattr(restorecli, verb)) for verb in ("degrade", "train", "restore", "evaluate")
    )


def test_the_package_is_typed() -> None:
    assert (Path(restorecli.__file__).parent / "py.typed").is_file()


def test_a_network_is_a_torch_module() -> None:
    torch = importlib.import_module("torch")
    network = restorecli.create_model("dncnn", channels=1, depth=3)
    assert network(torch.zeros(1, 1, 16, 16)).shape == (1, 1, 16, 16)


@pytest.mark.parametrize("wrong", [{"name": "scaunet"}, {"name": "dncnn", "chanels": 1}])
def test_a_misspelled_name_is_refused(wrong) -> None:
    with pytest.raises(UsageError):
        restorecli.create_model(**wrong)


def test_the_verbs_make_a_chain(photos, tmp_path) -> None:
    made = restorecli.degrade(
        photos, tmp_path / "degraded", noise=[{"name": "gaussian", "sigma": 25}], seed=1
    )
    assert (made.written, made.failures) == (2, ())
    done = restorecli.restore(tmp_path / "degraded", tmp_path / "restored", model="sca-unet")
    assert done.written == 2
    found = restorecli.evaluate(tmp_path / "restored")
    assert list(found.categories) == ["a", "b"]
    assert found.overall.gain["psnr"] > 0
    assert found.unmatched == ()


def test_a_restorer_maps_any_batch() -> None:
    torch = importlib.import_module("torch")
    restorer = restorecli.load("sca-unet")
    for shape in ((1, 3, 17, 23), (2, 1, 16, 16)):
        restored = restorer(torch.rand(*shape))
        assert restored.shape == shape
        assert 0 <= float(restored.min()) <= float(restored.max()) <= 1


def test_python_dash_m_is_the_command_line() -> None:
    command = [sys.executable, "-m", "restorecli", "--version"]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert shown == f"restorecli {restorecli.__version__}\n"
