"""Structure that a denoiser takes for noise comes back, and noise does not."""

import json

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from restorecli.core.restorer import RestorerSpec
from restorecli.errors import UsageError
from restorecli.evaluation.metrics.defects import defect_score
from restorecli.folders.walking import walk
from restorecli.restoration.image import ImageRestorer
from restorecli.restoration.keep_defects import LENGTH, WIDTH, keep_defects, outlined

SIGMA = 20.0


@pytest.fixture(scope="module")
def scratched():
    """A gray field with a faint oblique line, the same with noise, and the mask of the line."""
    rng = np.random.default_rng(3)
    rows, columns = np.mgrid[0:160, 0:200]
    mask = (np.abs(rows - 80 - 0.5 * (columns - 100)) < 1.5) & (np.abs(columns - 100) < 40)
    clean = (0.5 - 0.12 * ndimage.gaussian_filter(mask.astype(np.float32), 1))[None].astype(np.float32)
    noisy = clean + rng.normal(0, SIGMA / 255, clean.shape).astype(np.float32)
    return clean, noisy, mask


def flattened(noisy):
    """What a denoiser makes of it that takes the line for noise."""
    return np.full_like(noisy, 0.5)


def test_a_line_that_was_removed_comes_back_in_part(scratched) -> None:
    clean, noisy, mask = scratched
    kept = keep_defects(noisy, flattened(noisy))
    before = defect_score(255 * flattened(noisy), 255 * clean, mask)
    assert before == 0
    assert defect_score(255 * kept.pixels, 255 * clean, mask) > 40


def test_the_places_lie_on_the_line(scratched) -> None:
    _, noisy, mask = scratched
    kept = keep_defects(noisy, flattened(noisy))
    assert kept.count >= 1
    near = ndimage.distance_transform_edt(~mask)
    surest = kept.places[0]
    assert near[surest.y, surest.x] <= 3
    assert surest.score == max(place.score for place in kept.places)
    assert f"x {surest.x} y {surest.y}" in str(surest)


def test_noise_alone_is_left_out() -> None:
    rng = np.random.default_rng(4)
    flat = np.full((1, 256, 256), 0.5, np.float32)
    noisy = flat + rng.normal(0, SIGMA / 255, flat.shape).astype(np.float32)
    kept = keep_defects(noisy, flat)
    assert np.mean((255 * (kept.pixels - flat)) ** 2) < 0.02 * SIGMA**2 / 4
    assert kept.where.mean() < 0.02


def test_the_score_of_noise_is_a_standard_normal_variable() -> None:
    """One template's response to white noise, in its own units, has variance 1: by scipy's correlation."""
    from restorecli.restoration.keep_defects import _line, _line_score

    noise = np.random.default_rng(5).normal(0, 0.1, (300, 300))
    template = _line(0.3, int(3 * LENGTH))
    response = ndimage.correlate(noise, template, mode="mirror") / (0.1 * np.linalg.norm(template))
    assert response.std() == pytest.approx(1, abs=0.1)
    middle = slice(60, -60)
    widths = np.sqrt(2 * np.pi) * np.array([LENGTH, WIDTH])
    assert template.sum() == pytest.approx(widths.prod(), rel=0.01)
    assert 1 < np.median(_line_score(noise, 0.1)[middle, middle]) < 2.5


def test_an_image_without_noise_is_left_as_it_is(scratched) -> None:
    clean, _, _ = scratched
    kept = keep_defects(clean, flattened(clean), sigma=0)
    assert np.array_equal(kept.pixels, flattened(clean))
    assert kept.count == 0


def test_what_cannot_be_noise_is_bounded(scratched) -> None:
    """The sharpening of a deblurring network is not undone where the noise is weak."""
    clean, _, _ = scratched
    step = clean.copy()
    step[:, :, 100:] += 0.3
    kept = keep_defects(ndimage.gaussian_filter(step, (0, 2, 2)), step, sigma=1.0)
    assert np.abs(kept.pixels - step).max() < 6 * (1 / 255) / (2 * np.pi**0.5 * 2) * 0.81


def test_the_outline_is_red_and_leaves_the_place_itself_free(scratched) -> None:
    _, noisy, mask = scratched
    shown = outlined(noisy, mask)
    red = (shown == np.array([1, 0, 0], np.float32)[:, None, None]).all(axis=0)
    assert red.any()
    assert not (red & mask).any()


class Flattening:
    """A restorer that removes everything."""

    def __init__(self, scale: int = 1) -> None:
        self.spec = RestorerSpec("flat", 1, scale=scale)


def test_an_enlarging_restorer_is_refused() -> None:
    with pytest.raises(UsageError, match="enlarged"):
        ImageRestorer(Flattening(2), keep_defects=True)


def test_the_command_lists_the_places(tmp_path, scratched) -> None:
    from restorecli.api import RestoreOptions, run_restore

    _, noisy, _ = scratched
    (tmp_path / "in").mkdir()
    Image.fromarray((255 * noisy[0]).clip(0, 255).astype(np.uint8)).save(tmp_path / "in" / "a.png")
    strong = {"width": 8.0}
    options = RestoreOptions(
        tmp_path / "in", tmp_path / "out", model="gaussian", parameters=strong, keep_defects=True
    )
    done = run_restore(options)
    assert done.written == 1
    assert any("structure" in note.text or "looks like noise" in note.text for note in done.notes)
    [line] = (tmp_path / "out" / "manifest.jsonl").read_text().splitlines()
    restorer = json.loads(line)["restorer"]
    assert restorer["keep_defects"] is True
    assert restorer["found"]["kept_places"] >= 0
    assert (tmp_path / "out" / "defects" / "a.png").is_file()
    assert run_restore(options).skipped == 1
    assert [file.relative.as_posix() for file in walk(tmp_path / "out")] == ["a.png"]
