"""Parts that are not ours: by their place where that is allowed, by a name where a package registers them."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass

import numpy as np
import pytest
from PIL import Image

from restorecli.core.models.catalog import MODELS, create_model
from restorecli.degradation.base import Degradation
from restorecli.degradation.chain import Chain
from restorecli.errors import UsageError
from restorecli.plugins import is_place
from restorecli.testing import DEGRADATION_LAWS, LOSS_LAWS, METHOD_LAWS, METRIC_LAWS, MODEL_LAWS

SOURCE = '''
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from restorecli.degradation.base import Degradation, parameter
from restorecli.evaluation.metrics.metric import Metric
from restorecli.restoration.methods.base import Method


@dataclass(frozen=True)
class Vignette(Degradation):
    """Darker corners."""

    reference = "cos^4 law"
    severities = tuple({"amount": level / 5} for level in range(1, 6))
    amount: float = parameter(0.5, low=0, high=1, draw="0..1", help="light lost in the corners")

    def apply(self, image, rng):
        rows, columns = (np.linspace(-1, 1, side, dtype=np.float32) for side in image.shape[1:])
        return image * (1 - np.float32(self.amount / 2) * (rows[:, None] ** 2 + columns**2))


@dataclass(frozen=True)
class Named(Vignette):
    name = "vignette"


@dataclass(frozen=True)
class Brighter(Method):
    """Twice the light."""

    summary = "twice the light"
    reference = "none"
    keeps_gray = False
    factor: float = parameter(2.0, low=1, high=4, help="gain")

    def restore(self, pixels, context):
        return pixels * np.float32(self.factor)


class Tiny(nn.Module):
    """One convolution and the identity."""

    scale = 1
    multiple = 1
    receptive_field = 3

    def __init__(self, channels: int = 3, width: int = 4) -> None:
        super().__init__()
        self.channels = channels
        self.body = nn.Sequential(
            nn.Conv2d(channels, width, 3, padding=1), nn.ReLU(), nn.Conv2d(width, channels, 1)
        )

    def forward(self, x):
        return x - self.body(x)


class Huber(nn.Module):
    """Quadratic near 0."""

    def forward(self, restored, reference):
        return nn.functional.huber_loss(restored, reference)


def largest(subject):
    restored, reference = subject.compared()
    return float(np.abs(restored.astype(float) - reference).max())


worst = Metric("worst", "Worst", "", False, 1, largest, definition="largest error of a pixel, 0-255", best=0)
'''

POINTS = """
[restorecli.models]
tiny = ownparts.parts:Tiny
[restorecli.degradations]
vignette = ownparts.parts:Named
[restorecli.losses]
huber = ownparts.parts:Huber
[restorecli.methods]
brighter = ownparts.parts:Brighter
[restorecli.metrics]
worst = ownparts.parts:worst
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A folder of installed packages that holds one with a part of each kind."""
    folder = tmp_path_factory.mktemp("site")
    (folder / "ownparts").mkdir()
    (folder / "ownparts" / "__init__.py").touch()
    (folder / "ownparts" / "parts.py").write_text(SOURCE)
    facts = folder / "ownparts-1.0.dist-info"
    facts.mkdir()
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: ownparts\nVersion: 1.0\n")
    (facts / "entry_points.txt").write_text(POINTS)
    return folder


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    folder = tmp_path_factory.mktemp("work") / "photos"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for number in range(3):
        Image.fromarray(rng.integers(60, 200, (40, 48, 3), np.uint8)).save(folder / f"{number}.png")
    return folder


SERVER = """
import json, os, sys
import numpy, pytest, scipy.ndimage, torch
import restorecli.api, restorecli.degradation.folder, restorecli.evaluation.folder
import restorecli.restoration.folder, restorecli.training.run
from restorecli.cli.app import main
from restorecli.plugins import installed

assert not installed.cache_info().currsize
for line in sys.stdin:
    program, words, folder, environment, files = json.loads(line)
    child = os.fork()
    if child == 0:
        os.chdir(folder)
        os.environ.update(environment)
        for number, file in enumerate(files, 1):
            os.dup2(os.open(file, os.O_CREAT | os.O_WRONLY | os.O_TRUNC), number)
        sys.argv = [program, *words]
        sys.exit(main() if program == "restorecli" else pytest.main(words))
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""
"""Runs every command in a process of its own, a copy of this one, which knows of no plugin so far."""


@pytest.fixture(scope="module")
def server(site):
    """A process with the package installed."""
    path = os.pathsep.join([str(site), *(entry for entry in sys.path if entry)])
    with subprocess.Popen(
        [sys.executable, "-c", SERVER],
        env={**os.environ, "PYTHONPATH": path},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield process
        process.stdin.close()


@pytest.fixture
def start(server, tmp_path):
    """Run a program in a folder with the package installed; return the result with its texts."""

    def call(program, folder, *words, **environment):
        files = [tmp_path / "stdout.txt", tmp_path / "stderr.txt"]
        order = (program, list(map(str, words)), str(folder), environment, list(map(str, files)))
        server.stdin.write(json.dumps(order) + "\n")
        server.stdin.flush()
        code = int(server.stdout.readline())
        return subprocess.CompletedProcess(words, code, *(file.read_text() for file in files))

    return call


@pytest.fixture
def run(start):
    """Run a command in a folder and require its exit code."""

    def call(folder, *words, code=0, **environment):
        done = start("restorecli", folder, *words, **environment)
        assert done.returncode == code, done.stderr
        return done

    return call


def test_an_own_degradation_is_used_and_replayed(run, photos):
    work = photos.parent
    words = (
        "degrade",
        "photos",
        "--noise",
        "ownparts.parts:Vignette",
        "--set",
        "ownparts.parts:Vignette.amount=1",
    )
    run(work, *words, "-o", "dark", "--plugins")
    line = json.loads((work / "dark" / "manifest.jsonl").read_text().splitlines()[0])
    assert line["degradations"] == [{"name": "ownparts.parts:Vignette", "amount": 1.0}]
    before, after = (np.asarray(Image.open(work / folder / "0.png"), float) for folder in ("photos", "dark"))
    assert after[0, 0].max() == 0
    np.testing.assert_allclose(after[20, 24], before[20, 24], atol=2)
    run(work, "degrade", "--replay", "dark", "-o", "again", RESTORECLI_PLUGINS="1")
    assert (work / "again" / "0.png").read_bytes() == (work / "dark" / "0.png").read_bytes()


def test_without_being_allowed_no_code_of_others_runs(run, photos):
    done = run(photos.parent, "degrade", "photos", "--noise", "ownparts.parts:Vignette", code=2)
    assert "names code that is not part of restorecli" in done.stderr
    assert "--plugins" in done.stderr


def test_registered_parts_have_names_and_need_no_word(run, photos):
    work = photos.parent
    run(work, "degrade", "photos", "--noise", "Vignette", "-o", "registered")
    run(work, "restore", "registered", "--model", "brighter", "-o", "bright")
    done = run(work, "eval", "bright", "photos", "--metrics", "psnr,worst", "--json")
    scores = json.loads(done.stdout)["data"]["overall"]["restored"]
    assert scores["worst"] > 1
    listed = run(work, "degrade", "--list").stdout
    assert "vignette" in listed
    gone = run(work, "degrade", "photos", "--noise", "vignette", code=2, RESTORECLI_PLUGINS="0")
    assert "There is no degradation 'vignette'" in gone.stderr


def test_an_own_network_and_loss_are_trained_and_restore(run, photos):
    work = photos.parent
    recipe = {
        "name": "own",
        "model": {"name": "ownparts.parts:Tiny", "arguments": {"width": 3}},
        "data": {
            "train": [{"clean": "photos"}],
            "degrade": ["ownparts.parts:Vignette"],
            "crop": 16,
            "batch": 2,
        },
        "validation": {"holdout": 1, "degrade": ["vignette"]},
        "loss": {"ownparts.parts:Huber": 1, "huber": 0.5},
        "budget": {"steps": 2},
    }
    (work / "own.yaml").write_text(json.dumps(recipe))
    refused = run(work, "train", "own.yaml", code=4)
    assert "names code that is not part of restorecli" in refused.stderr
    run(work, "--plugins", "train", "own.yaml", "-o", "run")
    weights = "run/best.safetensors"
    run(work, "restore", "photos", "--model", weights, "-o", "restored", "--plugins")
    assert len(list((work / "restored").glob("*.png"))) == 3
    refused = run(work, "restore", "photos", "--model", weights, "-o", "other", code=5)
    assert "names code that is not part of restorecli" in refused.stderr


def test_what_is_not_there_or_of_another_kind_is_said(run, photos):
    for noise, words in (
        ("ownparts.parts:Vignete", "has no 'Vignete'"),
        ("ownpart.parts:Vignette", "ownpart.parts cannot be imported"),
        ("ownparts.parts:Tiny", "is no degradation"),
        ("ownparts.parts:Named", "calls itself 'vignette'"),
    ):
        done = run(photos.parent, "degrade", "photos", "--noise", noise, "--plugins", code=2)
        assert words in " ".join(done.stderr.split()), done.stderr
    done = run(photos.parent, "restore", "photos", "--model", "ownparts.parts:Vignette", "--plugins", code=2)
    assert "ownparts.parts:Vignette is neither a network nor a method" in " ".join(done.stderr.split())


def test_a_module_of_the_current_folder_is_found(run, photos, tmp_path):
    (tmp_path / "mine.py").write_text(SOURCE)
    run(tmp_path, "degrade", photos, "--noise", "mine:Vignette", "-o", "out", "--plugins")


def test_a_registered_name_of_ours_is_refused_with_its_package(monkeypatch):
    twice = (("unet", "other:UNet", "others"),)
    monkeypatch.setattr("restorecli.catalogs.installed", lambda group: twice)
    fresh = type(MODELS)("model", MODELS._entries.values(), own=MODELS._own)
    assert fresh.find("unet") is MODELS["unet"]
    with pytest.raises(UsageError, match="'unet' exists twice") as caught:
        list(fresh)
    assert "uninstall others" in caught.value.hint


def test_paths_and_drives_are_no_places():
    assert is_place("package.module:Name")
    for name in ("C:\\weights\\a.pth", "C:/a.pth", "sca-unet.gaussian", "gaussian", "a:b:c"):
        assert not is_place(name)


OWN_TESTS = """
import pytest
from restorecli.testing import DEGRADATION_LAWS, LOSS_LAWS, METHOD_LAWS, METRIC_LAWS, MODEL_LAWS

LAWS = {
    "Vignette": DEGRADATION_LAWS, "Huber": LOSS_LAWS, "Brighter": METHOD_LAWS, "worst": METRIC_LAWS,
}
CASES = [(name, law) for name, laws in LAWS.items() for law in laws]


@pytest.mark.parametrize(("name", "law"), CASES)
def test_part(name, law):
    law("ownparts.parts:" + name)


@pytest.mark.parametrize("law", MODEL_LAWS)
def test_model(law):
    law("ownparts.parts:Tiny", {"width": 3})
"""


@pytest.fixture
def judged(start):
    """Run the tests that an own package would have, and return what pytest prints."""

    def call(folder, parts="ownparts.parts"):
        (folder / "test_own.py").write_text(OWN_TESTS.replace("ownparts.parts", parts))
        words = ["-q", "--tb=short", "-p", "no:cacheprovider", "test_own.py"]
        return start("pytest", folder, *words, RESTORECLI_PLUGINS="1").stdout

    return call


def test_one_line_checks_own_parts_by_the_same_laws(judged, tmp_path):
    every = (DEGRADATION_LAWS, LOSS_LAWS, METHOD_LAWS, METRIC_LAWS, MODEL_LAWS)
    assert f"{sum(map(len, every))} passed" in judged(tmp_path)


SLIPS = (
    ('reference = "cos^4 law"', 'reference = ""', "say in `reference` where the formula is from"),
    ("huber_loss(restored, reference)", "huber_loss(restored, reference, reduction='none')", "take the mean"),
    ("return pixels * np.float32(self.factor)", "pixels *= 2; return pixels", "read-only"),
    ('"Worst", "", False', '"Worst", "", True', "turn `higher_is_better` round"),
    ("receptive_field = 3", "receptive_field = 1", "`receptive_field` is 1, but it sees 3 pixels"),
)
"""What is right above, a slip, and what the law says about it: one of each kind."""


def test_a_slip_in_each_kind_of_part_is_told(judged, tmp_path):
    source = SOURCE
    for right, wrong, _ in SLIPS:
        assert right in source
        source = source.replace(right, wrong)
    (tmp_path / "slips.py").write_text(source)
    printed = judged(tmp_path, "slips")
    assert [words for _, _, words in SLIPS if words not in printed] == [], printed


@dataclass(frozen=True)
class Undeclared(Degradation):
    """A field that is no parameter."""

    amount: float = 0.5

    def apply(self, image, rng):
        return image


@dataclass(frozen=True)
class Plain(Degradation):
    """Neither severities nor a source."""

    def apply(self, image, rng):
        return image


def test_what_a_degradation_lacks_is_said_in_words(monkeypatch) -> None:
    place = "tests.test_plugins:Plain"
    monkeypatch.setenv("RESTORECLI_PLUGINS", "1")
    monkeypatch.setitem(sys.modules, "tests.test_plugins", sys.modules[Plain.__module__])
    monkeypatch.setattr(Plain, "name", place)
    with pytest.raises(UsageError, match="has no severities"):
        Chain.from_specs([{"name": place, "severity": 3}])
    with pytest.raises(AssertionError, match="say in `reference` where the formula is from"):
        DEGRADATION_LAWS[0](place)


def test_a_field_that_is_no_parameter_is_refused() -> None:
    with pytest.raises(UsageError, match="fields that are no parameters") as caught:
        Undeclared()
    assert "amount: float = parameter(" in str(caught.value)


def test_a_network_that_does_not_say_what_it_takes_is_refused(monkeypatch) -> None:
    monkeypatch.setenv("RESTORECLI_PLUGINS", "1")
    with pytest.raises(UsageError, match=r"torch.nn:Identity does not say what images it takes"):
        create_model("torch.nn:Identity")
