"""Errors of Python calls speak of arguments, those of the command line of options."""

import inspect
import re

import pytest

import restorecli
from restorecli.api.wording import python_words
from restorecli.errors import RestorecliError


@pytest.mark.parametrize(
    ("typed", "called"),
    [
        ("--to-srgb converts it", "to_srgb converts it"),
        (
            "--format png or --format tiff takes every size",
            "image_format png or image_format tiff takes every size",
        ),
        ("choose another -o/--output", "choose another output"),
        ("--set tv.strength=2", 'parameters={"strength": 2}'),
        ("restorecli eval RESTORED REFERENCE", "in a shell: restorecli eval RESTORED REFERENCE"),
        ("did you mean 'x'? restorecli degrade --list", "did you mean 'x'? restorecli degrade --list"),
        (
            "what `restorecli eval --json` prints, or --set",
            "what `restorecli eval --json` prints, or parameters",
        ),
        ("add --overwrite to replace it", "add overwrite=True to replace it"),
        ("a -- dash, and x--y", "a -- dash, and x--y"),
    ],
)
def test_options_become_arguments(typed, called) -> None:
    assert python_words(typed) == called


WRONG_CALLS = {
    "no noise": lambda folder: restorecli.degrade(folder, folder / "out"),
    "both": lambda folder: restorecli.degrade(folder, folder / "out", noise=["blur"], chain="x.yaml"),
    "replay": lambda folder: restorecli.degrade(folder, folder / "out", replay=folder),
    "in place": lambda folder: restorecli.degrade(folder, folder, noise=["blur"]),
    "sigma": lambda folder: restorecli.restore(folder, model="tv", sigma=-1),
    "operator": lambda folder: restorecli.restore(folder, model="tv", operator="nonsense"),
    "mask": lambda folder: restorecli.restore(folder, model="inpaint-harmonic", mask="#nonsense"),
    "tile": lambda folder: restorecli.restore(folder, model="tv", tile="large"),
    "ensemble": lambda folder: restorecli.restore(folder, model="tv", ensemble=True),
    "tune": lambda folder: restorecli.restore(folder, model="sca-unet", tune=(folder, folder)),
    "tolerance": lambda folder: restorecli.evaluate(folder, tolerance=1),
    "against": lambda folder: restorecli.evaluate(folder, against={folder.name: folder}),
    "resume": lambda folder: restorecli.train("quick", output=folder / "run", resume=True),
}


@pytest.mark.parametrize("case", WRONG_CALLS)
def test_no_error_of_a_call_names_an_option_of_the_command_line(case, tmp_path) -> None:
    with pytest.raises(RestorecliError) as caught:
        WRONG_CALLS[case](tmp_path)
    shown = re.sub(r"\brestorecli [a-z][^`,;?\n]*", "", str(caught.value))  # stays: it is for a shell
    assert "--" not in shown
    assert str(caught.value).startswith(caught.value.problem)


@pytest.mark.parametrize("function", [restorecli.restore_image, restorecli.degrade_image, restorecli.score])
def test_a_misspelled_argument_for_one_image_is_answered_with_the_nearest(function) -> None:
    right = list(inspect.signature(function).parameters)[-1]
    with pytest.raises(TypeError, match=f"{function.__name__}.* did you mean '{right}'"):
        function(None, None, **{right + "x": None})
