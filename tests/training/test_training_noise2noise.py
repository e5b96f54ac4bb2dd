"""Noise2Noise on a small set of real images: noisy targets teach nearly what clean ones teach."""

import numpy as np
import pytest
from PIL import Image

from restorecli.folders.samples import read_sample, sample_files
from restorecli.training.run import train


@pytest.mark.slow
def test_noisy_targets_end_within_a_third_of_a_decibel_of_clean_ones(tmp_path, write_recipe):
    folder = tmp_path / "photographs"
    folder.mkdir()
    for sample in sample_files():
        pixels = read_sample(sample.name).pixels.mean(0)[:192, :192]
        Image.fromarray((255 * pixels).round().astype(np.uint8)).save(folder / f"{sample.name}.png")
    reached = {}
    for strategy in ("supervised", "noise2noise"):
        recipe = write_recipe(
            strategy=strategy,
            model={"name": "dncnn", "arguments": {"channels": 1, "depth": 6, "width": 16}},
            data={
                "train": [{"clean": str(folder)}],
                "degrade": [{"name": "gaussian", "sigma": 25}],
                "crop": 32,
                "batch": 4,
            },
            validation={"holdout": 4, "degrade": [{"name": "gaussian", "sigma": 25}], "every": 250},
            loss={"mse": 1},
            optimizer={"lr": 2e-3, "clip_norm": 1.0},
            schedule={"name": "cosine", "final": 1e-5, "warmup": 20},
            ema=0.99,
            budget={"steps": 250},
        )
        reached[strategy] = train(recipe, output=tmp_path / strategy).best
    clean, noisy = reached["supervised"]["psnr"], reached["noise2noise"]["psnr"]
    assert clean > reached["supervised"]["degraded_psnr"] + 6
    assert abs(noisy - clean) <= 0.3
