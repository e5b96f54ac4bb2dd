"""`restore` with methods that need no training, as typed."""

import numpy as np
from PIL import Image


def test_a_blur_is_undone_by_words_and_by_the_image_of_its_kernel(shell, photos) -> None:
    shell("restorecli degrade photos -o blurred --noise motion-blur --set motion-blur.length=5")
    words = "--operator motion-blur:length=5 --sigma 0.5"
    shell(f"restorecli restore blurred -o words --model wiener-deconv {words}")
    kernel = np.zeros((5, 5), np.uint8)
    kernel[2] = 200
    Image.fromarray(kernel).save(shell.folder / "kernel.png")
    shell("restorecli restore blurred -o image --model wiener-deconv --operator kernel.png --sigma 0.5")
    for name in ("indoors/0.png", "outdoors/3.png"):
        one, other = (np.asarray(Image.open(shell.folder / way / name)) for way in ("words", "image"))
        np.testing.assert_array_equal(one, other)
    scores = shell("restorecli eval words --json").data
    assert scores["overall"]["gain"]["psnr"] > 3


def test_parameters_are_set_and_listed(shell, photos) -> None:
    shell("restorecli restore photos -o large --model bicubic --set bicubic.factor=2")
    with Image.open(shell.folder / "large/indoors/0.png") as large:
        assert large.size == (144, 128)
    entries = {entry["name"]: entry for entry in shell("restorecli models --json").data}
    assert entries["wiener-deconv"]["needs"] == ["operator", "sigma?"]
    assert {setting["name"] for setting in entries["bicubic"]["settings"]} == {"factor"}
    assert "wiener-deconv.balance" in shell("restorecli models --all").out


def test_wrong_words_are_refused_before_anything_is_written(shell, photos) -> None:
    for words in (
        "--model wiener-decon",
        "--model bicubic --set bicubic.fctor=2",
        "--model bicubic --set lanczos.factor=2",
        "--model wiener-deconv --operator gausian-blur",
        "--model wiener-deconv --operator gaussian",
        "--model sca-unet --sigma 25",
        "--model wiener-deconv --tile 64",
        "--model inpaint-harmonic --mask nowhere",
    ):
        answer = shell(f"restorecli restore photos -o out {words}", code=2)
        assert "try" in answer.err or "expected" in answer.err, words
        assert not (shell.folder / "out").exists()


def test_methods_are_offered_after_tab() -> None:
    from restorecli.cli import completion

    assert {"wiener-deconv", "bicubic", "pnp"} <= set(completion.models(""))
    assert completion.models("wiener-d") == ["wiener-deconv"]
