"""The quantizer of WebP files, read from their headers; what is coarse enough is treated."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, features

from restorecli.diagnosis.files import diagnose_file, file_info
from restorecli.diagnosis.measuring.webp import webp_quantizer
from restorecli.folders.samples import read_sample

pytestmark = pytest.mark.skipif(not features.check("webp"), reason="this Pillow writes no WebP")


def _photo() -> Image.Image:
    pixels = read_sample("coffee").pixels[:, 100:260, 100:260]
    return Image.fromarray(np.rint(pixels.transpose(1, 2, 0) * 255).astype(np.uint8))


def test_the_index_falls_with_the_quality(tmp_path: Path) -> None:
    found = []
    for quality in (0, 20, 50, 75, 95, 100):
        _photo().save(tmp_path / "a.webp", quality=quality, method=0)
        found.append(webp_quantizer(tmp_path / "a.webp"))
    assert all(low > high for low, high in itertools.pairwise(found))
    assert found[0] > 110, "libwebp takes 127 (1 - c), c about 0 for quality 0"
    assert found[-1] == 0


def test_a_profile_and_transparency_before_the_frame_are_passed_over(tmp_path: Path) -> None:
    _photo().save(tmp_path / "plain.webp", quality=30)
    _photo().save(tmp_path / "profile.webp", quality=30, icc_profile=b"odd" * 333, exif=b"Exif")
    clear = _photo().convert("RGBA")
    clear.putalpha(100)
    clear.save(tmp_path / "clear.webp", quality=30)
    plain = webp_quantizer(tmp_path / "plain.webp")
    assert plain is not None
    assert webp_quantizer(tmp_path / "profile.webp") == plain
    assert webp_quantizer(tmp_path / "clear.webp") == pytest.approx(plain, abs=3)


def test_other_files_have_none(tmp_path: Path) -> None:
    _photo().save(tmp_path / "exact.webp", lossless=True)
    _photo().save(tmp_path / "a.png")
    _photo().save(tmp_path / "lossy.webp", quality=30)
    cut = (tmp_path / "lossy.webp").read_bytes()[:24]
    (tmp_path / "cut.webp").write_bytes(cut)
    for name in ("exact.webp", "a.png", "cut.webp", "none.webp"):
        assert webp_quantizer(tmp_path / name) is None


def test_coarse_webp_is_treated_and_fine_webp_left(tmp_path: Path) -> None:
    _photo().save(tmp_path / "coarse.webp", quality=30)
    _photo().save(tmp_path / "fine.webp", quality=85)
    coarse, fine = (diagnose_file(tmp_path / name) for name in ("coarse.webp", "fine.webp"))
    assert file_info(tmp_path / "coarse.webp").webp_quantizer == webp_quantizer(tmp_path / "coarse.webp")
    assert str(coarse).startswith("WebP, quantizer about ")
    assert [step.model for step in coarse.steps] == ["sca-unet.jpeg"]
    assert coarse.limits == ("Detail that WebP rounded away is gone.",)
    assert fine.is_clean
