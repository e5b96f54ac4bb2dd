"""`auto`: what is found is treated, and what has no damage is copied."""

import shutil
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

import restorecli
from restorecli.diagnosis.second_look import confirming
from restorecli.errors import UsageError
from restorecli.folders.manifest import Manifest
from restorecli.folders.samples import read_sample
from restorecli.restoration import auto
from restorecli.restoration.context import Context


def _photo(size: int = 320) -> np.ndarray:
    return np.rint(read_sample("coffee").pixels.transpose(1, 2, 0)[:size, :size] * 255).astype(np.uint8)


@pytest.fixture
def folder(tmp_path):
    """A clean photograph and a badly compressed one."""
    (tmp_path / "imgs").mkdir()
    Image.fromarray(_photo()).save(tmp_path / "imgs" / "clean.png")
    Image.fromarray(_photo()).save(tmp_path / "imgs" / "poor.jpg", quality=12)
    return tmp_path


def test_images_get_what_they_need_and_clean_ones_are_copied(folder) -> None:
    done = restorecli.restore(folder / "imgs", folder / "out")
    assert (done.written, done.failures) == (2, ())
    clean = np.asarray(Image.open(folder / "out" / "clean.png"))
    np.testing.assert_array_equal(clean, _photo())
    assert set(done.kinds) == {
        "1 image: JPEG, quality about 12 -> sca-unet.jpeg",
        "1 image: no damage found",
    }
    restorecli.restore(folder / "imgs" / "poor.jpg", folder / "by-name", model="sca-unet.jpeg")
    ours, named = (np.asarray(Image.open(folder / out / "poor.png")) for out in ("out", "by-name"))
    np.testing.assert_array_equal(ours, named)


def test_the_manifest_says_what_was_found_and_done(folder) -> None:
    restorecli.restore(folder / "imgs", folder / "out")
    records = Manifest(folder / "out").read()
    found = records["poor.png"].restorer["found"]
    assert records["poor.png"].restorer["name"] == "auto"
    assert found["diagnosis"] == "JPEG, quality about 12 -> sca-unet.jpeg"
    assert found["confidence"] > 0.5
    assert records["clean.png"].restorer["found"]["diagnosis"] == "no damage found"


def test_a_second_run_skips_what_is_finished(folder) -> None:
    restorecli.restore(folder / "imgs", folder / "out")
    again = restorecli.restore(folder / "imgs", folder / "out")
    assert (again.written, again.skipped, again.kinds) == (0, 2, ())


def test_transparency_and_depth_are_kept(tmp_path) -> None:
    alpha = np.full((320, 320, 1), 128, np.uint8)
    Image.fromarray(np.concatenate([_photo(), alpha], axis=2)).save(tmp_path / "a.png")
    restorecli.restore(tmp_path / "a.png", tmp_path / "out")
    back = np.asarray(Image.open(tmp_path / "out" / "a.png"))
    np.testing.assert_array_equal(back[:, :, 3], alpha[:, :, 0])


def test_images_too_small_to_tell_are_copied(tmp_path) -> None:
    tiny = np.random.default_rng(0).integers(0, 256, (20, 60, 3), dtype=np.uint8)
    Image.fromarray(tiny).save(tmp_path / "tiny.png")
    restorecli.restore(tmp_path / "tiny.png", tmp_path / "out")
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "out" / "tiny.png")), tiny)


def test_arrays_get_what_they_need() -> None:
    noisy = restorecli.degrade_image(_photo(), [{"name": "gaussian", "sigma": 30}])
    better = restorecli.restore_image(noisy)
    before, after = (restorecli.score(one, _photo())["psnr"] for one in (noisy, better))
    assert after > before + 6
    np.testing.assert_array_equal(restorecli.restore_image(_photo()), _photo())


def test_holes_are_filled_where_their_color_stands() -> None:
    holed = restorecli.degrade_image(_photo(), [{"name": "holes", "severity": 2}])
    before, after = (
        restorecli.score(one, _photo())["psnr"] for one in (holed, restorecli.restore_image(holed))
    )
    assert after > before + 8


def test_faint_scratches_are_treated_where_a_second_look_confirms_them(monkeypatch) -> None:
    """Glints of this image look like paint, so that the first look is not sure of faint scratches on it."""
    photo = np.rint(read_sample("coffee").pixels.transpose(1, 2, 0)[40:232, 100:292] * 255).astype(np.uint8)
    scratched = restorecli.degrade_image(photo, [{"name": "scratches", "severity": 1}])
    faint = scratched.transpose(2, 0, 1).astype(np.float32) / np.float32(255)
    restorer = auto.AutoRestorer()
    names = [step.spec.name for step in restorer.steps(faint, Context())]
    assert names == ["input", "sca-unet.scratches", "only marks"]
    monkeypatch.setitem(confirming._LOOKS, "scratches", lambda *_: 0.5)
    assert list(restorer.steps(faint, Context())) == []
    assert [diagnosis.is_clean for diagnosis in restorer.diagnoses] == [False, True]


@pytest.mark.parametrize("told", [{"sigma": 20.0}, {"operator": "gaussian-blur:sigma=2"}])
def test_what_auto_finds_out_by_itself_is_not_told(folder, told) -> None:
    with pytest.raises(UsageError, match="finds out by itself"):
        restorecli.restore(folder / "imgs", folder / "out", **told)


def test_another_rule_table_or_network_makes_other_results(tmp_path, monkeypatch) -> None:
    """What an older diagnosis restored is not taken for what today's would: code and weights count, too."""
    shutil.copytree(auto._DIAGNOSIS, tmp_path / "diagnosis")
    monkeypatch.setattr(auto, "_DIAGNOSIS", tmp_path / "diagnosis")
    digest = auto._digest.__wrapped__
    ours = digest()
    assert auto.AutoRestorer().identity()["weights"] == auto._digest()
    rules = tmp_path / "diagnosis" / "deciding" / "naming.py"
    rules.write_text(rules.read_text("utf-8").replace("0.6", "0.7"), "utf-8")
    changed = [digest()]
    for table in sorted((tmp_path / "diagnosis").rglob("*.json")):
        table.write_text(table.read_text("utf-8") + "\n", "utf-8")
        changed.append(digest())
    assert len(changed) > 5
    monkeypatch.setattr(auto, "shipped", list)
    assert len({ours, *changed, digest()}) == len(changed) + 2


def test_other_models_need_not_wait_for_what_diagnoses() -> None:
    """SciPy and the diagnosis take as long to import as everything else of ours together."""
    program = (
        "import sys, restorecli.api.restoring; "
        "print(*(name for name in sys.modules if name.startswith(('scipy', 'restorecli.diagnosis'))))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "\n"
