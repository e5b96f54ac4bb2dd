"""A print inside a border: it alone is restored, by what sees nothing of the border."""

import numpy as np
import torch

import restorecli
from restorecli.diagnosis.measuring.borders import find_print
from restorecli.folders.samples import read_sample
from restorecli.restoration.bordered import BorderedRestorer
from restorecli.restoration.choice import choose_restorer
from restorecli.restoration.context import Context


def _framed(pixels: np.ndarray) -> np.ndarray:
    """On white, 40 px on each side, HWC uint8."""
    levels = np.rint(pixels.transpose(1, 2, 0) * 255).astype(np.uint8)
    return np.pad(levels, ((40, 40), (40, 40), (0, 0)), constant_values=255)


def test_the_border_stays_and_spoils_nothing() -> None:
    scan = _framed(read_sample("chelsea").pixels[:, :200, :240]).transpose(2, 0, 1).astype(np.float32) / 255
    inside = find_print(scan)
    seen = []

    def steps(pixels, context):
        seen.append(pixels)
        return (choose_restorer("median"),)

    restored = BorderedRestorer(inside, steps, Context())(torch.from_numpy(scan)[None])[0].numpy()
    weights = inside.weights(scan.shape[1:])
    np.testing.assert_array_equal(restored[:, weights == 0], scan[:, weights == 0])
    assert seen[0].max() < 0.99, "no white of the border is left in what is restored"
    alone = choose_restorer("median")(torch.from_numpy(scan)[None])[0].numpy()
    np.testing.assert_allclose(restored[:, 60:220, 60:260], alone[:, 60:220, 60:260], atol=1e-6)


def test_a_framed_image_gets_what_it_gets_without_its_frame() -> None:
    noisy = restorecli.degrade_image(
        np.rint(read_sample("coffee").pixels[:, :200, :240].transpose(1, 2, 0) * 255).astype(np.uint8),
        [{"name": "gaussian", "sigma": 30}],
    )
    framed = np.pad(noisy, ((40, 40), (40, 40), (0, 0)), constant_values=255)
    restored, alone = restorecli.restore_image(framed), restorecli.restore_image(noisy)
    np.testing.assert_array_equal(restored[:36], framed[:36])
    difference = restored[48:232, 48:272].astype(float) - alone[8:192, 8:232]
    assert np.sqrt(np.mean(difference**2)) < 4
