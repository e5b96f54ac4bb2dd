"""Methods without training behave like every other restorer: one contract for all, folders, resume, words."""

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import PurePosixPath
from threading import Barrier
from time import sleep

import numpy as np
import pytest
from PIL import Image

import restorecli
from restorecli.degradation.parameters import parameter, parameters_of
from restorecli.errors import UsageError
from restorecli.folders.jobs import SilentProgress
from restorecli.folders.manifest import Manifest
from restorecli.folders.places import touch
from restorecli.folders.walking import walk
from restorecli.images.image import FileTraits, ImageData
from restorecli.images.reading import read_image
from restorecli.images.writing import write_image
from restorecli.restoration.adapter import MethodRestorer
from restorecli.restoration.choice import choose_restorer
from restorecli.restoration.context import Context, Findings, sigma_of
from restorecli.restoration.findings import write_findings
from restorecli.restoration.folder import restore_folder
from restorecli.restoration.known import Known
from restorecli.restoration.lost_pixels import masks_named
from restorecli.restoration.methods.base import Method
from restorecli.restoration.methods.catalog import METHODS, create_method, settings_for
from restorecli.testing.methods import waves

# Folders


@pytest.fixture
def photos(tmp_path):
    """Three images: 8-bit RGB, 16-bit gray, RGB with alpha."""
    folder = tmp_path / "photos"
    (folder / "a").mkdir(parents=True)
    write_image(folder / "a" / "rgb.png", ImageData(waves(3, 48, 40)))
    write_image(folder / "a" / "deep.png", ImageData(waves(1, 40, 49), FileTraits(depth=16)))
    alpha = np.full((32, 32), 255, np.uint8)
    alpha[:5] = 0
    write_image(folder / "seen.png", ImageData(waves(3, 32, 32), FileTraits(alpha=alpha)))
    return folder


@pytest.fixture
def blurred(photos, tmp_path):
    steps = [{"name": "gaussian-blur", "sigma": 1.0}, {"name": "gaussian", "sigma": 1.0}]
    restorecli.degrade(photos, tmp_path / "blurred", noise=steps)
    return tmp_path / "blurred"


def records(folder):
    return Manifest(folder).read()


def test_the_manifest_tells_kernel_and_noise_and_the_result_is_recorded(blurred, tmp_path) -> None:
    output = tmp_path / "out"
    summary = restorecli.restore(blurred, output, model="wiener-deconv", parameters={"turns": 4})
    assert (summary.written, summary.failures) == (3, ())
    record = records(output)["a/rgb.png"]
    assert record.restorer["name"] == "wiener-deconv"
    assert record.restorer["parameters"]["turns"] == 4
    assert "found" not in record.restorer  # the noise was known, so that nothing was estimated
    assert [step["name"] for step in record.degradations] == ["gaussian-blur", "gaussian"]
    evaluation = restorecli.evaluate(output)
    assert evaluation.overall.gain["psnr"] > 1


def test_depth_and_alpha_are_kept(blurred, tmp_path) -> None:
    restorecli.restore(blurred, tmp_path / "out", model="wiener-deconv")
    assert read_image(tmp_path / "out/a/deep.png").traits.depth == 16
    seen = read_image(tmp_path / "out/seen.png")
    assert (seen.traits.alpha == 0).sum() == 5 * 32
    given = read_image(blurred / "seen.png")
    np.testing.assert_array_equal(seen.pixels[:, :5], given.pixels[:, :5])
    assert np.abs(seen.pixels[:, 5:] - given.pixels[:, 5:]).max() > 0.01


def test_a_method_with_what_it_was_told_counts_as_one_restorer(blurred, tmp_path) -> None:
    def written(**words):
        known = {"model": "wiener-deconv", **words}
        return restorecli.restore(blurred, tmp_path / "out", **known).written

    assert written() == 3
    assert written() == 0
    assert written(parameters={"gain": 30}) == 3
    assert written(sigma=3.0) == 3
    assert written(sigma=3.0) == 0
    assert written(sigma=3.0, operator="gaussian-blur:sigma=0.9") == 3
    assert written(sigma=3.0, operator=["gaussian-blur:sigma=0.9"]) == 0
    with pytest.raises(UsageError, match="another model"):
        written(model="inverse")
    assert written(model="inverse", overwrite=True) == 3


def test_what_an_image_lacks_costs_this_image_only(photos, blurred, tmp_path) -> None:
    (blurred / "stranger.png").write_bytes((photos / "a/rgb.png").read_bytes())
    summary = restorecli.restore(blurred, tmp_path / "out", model="wiener-deconv")
    assert summary.written == 3
    assert [failure.path for failure in summary.failures] == ["stranger.png"]
    assert "--operator" in summary.failures[0].error.hint


def test_images_grow_by_what_the_manifest_says(photos, tmp_path) -> None:
    restorecli.degrade(photos, tmp_path / "small", noise=[{"name": "downscale", "factor": 2}])
    summary = restorecli.restore(tmp_path / "small", tmp_path / "out", model="bicubic")
    assert summary.written == 3
    sizes = {path: read_image(tmp_path / "out" / path).size for path in records(tmp_path / "out")}
    assert sizes == {"a/rgb.png": (48, 40), "a/deep.png": (40, 48), "seen.png": (32, 32)}
    assert restorecli.evaluate(tmp_path / "out").overall.restored["psnr"].mean > 25
    restorecli.restore(photos, tmp_path / "large", model="lanczos", parameters={"factor": 3})
    assert read_image(tmp_path / "large/seen.png").traits.alpha.shape == (96, 96)


class _Finder(Method):
    name, summary, reference = "finder", "finds", "this test"

    def restore(self, pixels, context):
        context.note({"answer": 42})
        context.found.images["kernels"] = np.eye(3, dtype=np.float32)[None]
        return pixels


def test_what_a_method_finds_is_written_beside_and_is_no_restored_image(photos, tmp_path) -> None:
    output = tmp_path / "out"
    restore_folder(photos, output, MethodRestorer(_Finder()))
    kernel = read_image(output / "kernels/a/rgb.png")
    assert kernel.traits.depth == 16
    np.testing.assert_array_equal(kernel.pixels[0], np.eye(3))
    assert records(output)["a/rgb.png"].restorer["found"] == {"answer": 42}
    assert {file.relative.as_posix() for file in walk(output)} == set(records(output))
    assert restore_folder(photos, output, MethodRestorer(_Finder())).written == 0


def test_findings_of_images_at_the_same_time_lie_in_one_folder(monkeypatch, tmp_path) -> None:
    found = Findings(images={"kernels": np.eye(3, dtype=np.float32)[None]})
    together = Barrier(4)

    def late(file) -> None:
        sleep(0.05)
        touch(file)

    def write(number: int) -> None:
        together.wait()
        sleep(0.01 * number)
        write_findings(found, tmp_path, PurePosixPath(f"{number}.png"))

    monkeypatch.setattr("restorecli.restoration.findings.touch", late)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(4)))
    assert [folder.name for folder in tmp_path.iterdir()] == ["kernels"]
    assert len(list((tmp_path / "kernels").glob("*.png"))) == 4


def test_a_method_that_sees_everything_is_never_cut(photos, tmp_path) -> None:
    restorer = MethodRestorer(create_method("wiener-deconv"))
    with pytest.raises(UsageError, match="whole image"):
        restore_folder(photos, tmp_path / "out", restorer, tile=16)


# Masks


@pytest.mark.parametrize("way", ["file", "folder", "suffix", "colour"])
def test_lost_pixels_are_named_by_file_folder_or_color(tmp_path, way) -> None:
    source, masks = tmp_path / "in" / "a", tmp_path / "masks" / "a"
    source.mkdir(parents=True)
    masks.mkdir(parents=True)
    lost = np.zeros((6, 8), bool)
    lost[2:4, 3:5] = True
    pixels = np.where(lost, np.array([1.0, 0, 1])[:, None, None], 0.5).astype(np.float32)
    write_image(source / "x.png", ImageData(pixels))
    mask = masks / ("x_mask.png" if way == "suffix" else "x.png")
    Image.fromarray(lost.astype(np.uint8)).save(mask)
    word = {"file": mask, "colour": "#FF00ff"}.get(way, masks.parent)
    found = masks_named(str(word))
    (file,) = walk(tmp_path / "in")
    np.testing.assert_array_equal(found.find(file, read_image(file.path).pixels), lost)
    identity = found.identity(file)
    assert json.loads(json.dumps(identity)) == identity
    context = Known(masks=found).context(file, pixels, None, frozenset({"mask"}))
    np.testing.assert_array_equal(context.mask, lost)
    assert Known(masks=found).context(file, pixels, None, frozenset()).mask is None


def test_a_mask_of_another_size_or_none_is_an_error_of_the_image(tmp_path) -> None:
    write_image(tmp_path / "x.png", ImageData(waves(1, 6, 8)))
    (tmp_path / "masks").mkdir()
    Image.fromarray(np.zeros((5, 5), np.uint8)).save(tmp_path / "masks" / "x.png")
    summary = restorecli.restore(
        tmp_path / "x.png", tmp_path / "out", model="inpaint-harmonic", mask=tmp_path / "masks"
    )
    assert [failure.error.problem for failure in summary.failures] == [
        "The mask has another size than the image."
    ]
    (tmp_path / "masks" / "x.png").rename(tmp_path / "masks" / "y.png")
    with pytest.raises(UsageError):
        masks_named(str(tmp_path / "nowhere"))
    summary = restorecli.restore(
        tmp_path / "x.png", tmp_path / "out", model="inpaint-harmonic", mask=tmp_path / "masks"
    )
    assert "no mask" in summary.failures[0].error.problem


def test_the_mask_of_a_degradation_comes_from_the_manifest(photos, tmp_path) -> None:
    restorecli.degrade(photos / "a", tmp_path / "torn", noise=[{"name": "scratches"}], seed=3)
    summary = restorecli.restore(tmp_path / "torn", tmp_path / "out", model="inpaint-harmonic")
    assert (summary.written, summary.failures) == (2, ())
    assert restorecli.evaluate(tmp_path / "out").overall.gain["psnr"] > 3


# Words


def test_names_and_parameters_are_checked() -> None:
    assert METHODS.find("bicubic").name == "bicubic"
    assert create_method("bicubic", {"factor": "3"}).factor == 3
    for wrong in ({"name": "bicubik"}, {"name": "bicubic", "parameters": {"fator": 2}}):
        with pytest.raises(UsageError) as caught:
            create_method(**wrong)
        assert "bicubic" in caught.value.hint
    with pytest.raises(UsageError):
        create_method("bicubic", {"factor": 99})
    assert settings_for("bicubic", ["bicubic.factor=4"]) == {"factor": "4"}
    for wrong in ("factor=4", "lanczos.factor=4", "bicubic.factor"):
        with pytest.raises(UsageError):
            settings_for("bicubic", [wrong])


def test_words_for_methods_and_words_for_networks_do_not_mix() -> None:
    with pytest.raises(UsageError, match="no weights"):
        choose_restorer("bicubic", weights="x.pth")
    for known in (Known(sigma=3.0), Known.from_words(operator=["downscale"])):
        with pytest.raises(UsageError, match="for methods"):
            choose_restorer("sca-unet", known=known)
    with pytest.raises(UsageError) as caught:
        choose_restorer("bicubik")
    assert "'bicubic'" in caught.value.hint


def test_the_noise_is_estimated_where_nothing_says_it() -> None:
    rng = np.random.default_rng(0)
    noisy = waves(3, 96, 96) + rng.standard_normal((3, 96, 96)).astype(np.float32) * 12 / 255
    unknown = Context()
    assert sigma_of(noisy, unknown) == pytest.approx(12, rel=0.1)
    assert unknown.found.values["estimated_sigma"] == pytest.approx(12, rel=0.1)
    assert sigma_of(noisy, Context(sigma=3.0)) == 3.0


@pytest.mark.parametrize("name", ["nlm", "wavelet", "wiener"])
def test_a_scan_with_white_margins_is_denoised(name: str) -> None:
    """Its upper 60 % are pure white; the noise of the lower part must be found and removed."""
    rng = np.random.default_rng(0)
    clean = np.ones((1, 200, 160), np.float32)
    clean[:, 120:] = 0.3 + 0.4 * waves(1, 80, 160)
    noisy = clean.copy()
    noisy[:, 120:] += rng.standard_normal((1, 80, 160)).astype(np.float32) * 25 / 255
    noisy = noisy.clip(0, 1)
    context = Context()
    restored = create_method(name).restore(noisy, context)
    assert context.found.values["estimated_sigma"] == pytest.approx(25, abs=1.5)
    before, after = (float(np.square(x[:, 120:] - clean[:, 120:]).mean()) for x in (noisy, restored))
    assert after < before / 2


def test_a_parameter_is_declared_like_that_of_a_degradation() -> None:
    assert parameters_of(METHODS["bicubic"].load())["factor"].unit == "times"
    assert parameter(1, help="a number").default == 1


def test_the_catalog_is_read_without_anything_slow() -> None:
    """Tab imports it at every key press."""
    program = (
        "import sys; from restorecli.restoration.methods import catalog; "
        "print(*sorted({'torch', 'skimage', 'numba', 'scipy', 'pandas', 'matplotlib'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "\n"


class _Slow(Method):
    name, summary, reference = "slow", "takes its time", "this test"

    def restore(self, pixels, context):
        for step in range(3):
            context.on_progress(step, 3)
        return pixels


def test_a_slow_method_tells_the_progress_of_the_job_how_far_it_is(photos, tmp_path) -> None:
    class Watch(SilentProgress):
        steps = ()

        def within(self, done, total):
            self.steps = (*self.steps, (done, total))

    watch = Watch()
    restore_folder(photos / "seen.png", tmp_path / "out", MethodRestorer(_Slow()), progress=watch)
    assert watch.steps == ((0, 3), (1, 3), (2, 3))
