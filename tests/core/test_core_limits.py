"""What a network's constructor refuses is refused in the same words before torch is imported."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator

import pytest
import torch

from restorecli.core.losses.catalog import LOSSES, create_loss
from restorecli.core.losses.catalog import check_limits as check_loss
from restorecli.core.losses.limits import LIMITS as LOSS_LIMITS
from restorecli.core.models.catalog import (
    MODELS,
    check_limits,
    check_sizes,
    create_model,
    multiple_of,
    scale_of,
)
from restorecli.core.models.limits import LIMITS, MULTIPLES
from restorecli.errors import UsageError

FAULTS = [
    ("cvt", {"widths": [8, 8]}, "3 whole numbers"),
    ("cvt", {"depths": [1, 1]}, "depths must be 3"),
    ("cvt", {"decoder": [0, 1]}, "decoder must be 2"),
    ("cvt", {"heads": [1, 5, 1]}, "heads must divide the 96 channels, got 5"),
    ("cvt", {"key_strides": [3, 2, 2]}, "multiple of the key stride 3, got 8"),
    ("cvt", {"norm": "instance"}, "'layer', 'batch' or 'none'"),
    ("cvt", {"drop_path": 1.0}, "below 1, got 1.0"),
    ("dncnn", {"depth": 1}, "at least 2, got 1"),
    ("drunet", {"sigma": -1.0}, "0 or more, got -1.0"),
    ("drunet", {"sigma": float("nan")}, "0 or more, got nan"),
    ("esrgan", {"scale": 5}, "1, 2, 3 or 4, got 5"),
    ("ffdnet", {"sigma": -0.5}, "0 or more"),
    ("ffdnet", {"depth": 1}, "at least 2"),
    ("gan", {"levels": 11}, "2 to 10, got 11"),
    ("gan", {"dropout": 1.5}, "from 0 to 1, got 1.5"),
    ("hybrid", {"width": 12}, "at least 16, got 12"),
    ("hybrid", {"heads": 7}, "heads must divide the 64 channels, got 7"),
    ("hybrid", {"window": 7}, "multiple of the key stride 2, got 7"),
    ("lcdnet", {"width": 7}, "even, got 7"),
    ("lcdnet", {"encoder": [1, 1]}, "encoder must be 4"),
    ("mlp", {"hidden": []}, "1 to 8 widths"),
    ("mlp", {"out": 18}, "39 less an even number, got 18"),
    ("nafnet", {"encoder": [1, 1]}, "decoder must be 2"),
    ("nafnet", {"middle": 65}, "middle must be"),
    ("noise2noise", {"width": 1}, "at least 2, got 1"),
    ("old-photo", {"threshold": 1.0}, "between 0 and 1, got 1.0"),
    ("patch-cnn", {"stride": 65}, "stride must be 1 to 64, got 65"),
    ("patch-cnn", {"window": "kaiser"}, "'hann', 'triangular' or 'flat'"),
    ("patch-cnn", {"depth": 1}, "at least 2"),
    ("perceptron", {"stride": 10}, "stride must be 1 to 9, got 10"),
    ("pixelcnn", {"width": 32}, "multiple of 3, got 32"),
    ("pixelcnn", {"refinements": 65}, "1 to 64, got 65"),
    ("pixelcnn", {"output": "normal"}, "'logistic' or 'categorical'"),
    ("rdn", {"scale": 8}, "1, 2, 3 or 4, got 8"),
    ("red-net", {"depth": 7}, "even number from 4, got 7"),
    ("resnet", {"scale": 6}, "1, 2, 3 or 4, got 6"),
    ("restormer", {"width": 20, "heads": [1, 2, 4, 7]}, "heads must divide the 160 channels, got 7"),
    ("restormer", {"width": 7}, "even, got 7"),
    ("restormer", {"blocks": [1]}, "blocks must be 4"),
    ("restormer", {"factor": 9.0}, "1 to 8, got 9.0"),
    ("restormer", {"norm": "none"}, "'with-bias' or 'bias-free'"),
    ("sca-unet", {"width": 8}, "at least 16, got 8"),
    ("sca-unet", {"weighting": "cosine"}, "'softmax' or 'dot'"),
    ("swm", {"depths": [1]}, "depths must be 3"),
    ("swm", {"edges": [0.5, 0.2]}, "rise inside (0, 1)"),
    ("swm", {"mode": "cut"}, "'mute' or 'clamp'"),
    ("swm", {"window": 9}, "even side from 8, got 9"),
]

CHECK = """
import json, sys
from restorecli.core.models.catalog import check_limits
from restorecli.errors import UsageError
said = []
for name, arguments in json.load(sys.stdin):
    try:
        check_limits(name, arguments)
        said.append(None)
    except UsageError as error:
        said.append(error.got)
print(json.dumps([said, "torch" in sys.modules]))
"""


def build(name: str, arguments: dict[str, object]) -> str | None:
    """Return what the constructor says against the arguments, or None."""
    try:
        with torch.device("meta"):
            create_model(name, **arguments)
    except UsageError as error:
        return error.got
    return None


def limit(name: str, arguments: dict[str, object]) -> str | None:
    """Return what is said before torch is imported, or None."""
    try:
        check_limits(name, arguments)
    except UsageError as error:
        return error.got
    return None


def test_both_say_the_same_and_torch_is_not_imported():
    faults = [(name, arguments) for name, arguments, _ in FAULTS]
    ran = subprocess.run(
        [sys.executable, "-c", CHECK], input=json.dumps(faults), capture_output=True, text=True, check=True
    )
    said, imported = json.loads(ran.stdout)
    assert not imported
    for (name, arguments, words), text in zip(FAULTS, said, strict=True):
        assert text is not None, (name, arguments)
        assert words in text
        assert build(name, arguments) == text


def test_every_limit_has_a_fault_and_every_network_its_limits():
    assert {name for name, _, _ in FAULTS} == set(LIMITS) <= set(MODELS)


HOSTILE: dict[type, list[object]] = {
    int: [1, 2, 3, 5, 7, 8, 16, 17, 24],
    float: [-1.0, 0.0, 0.5, 1.0, 1.5, 9.0],
    str: ["x"],
    tuple: [[], [1], [1, 1], [1, 1, 1], [2, 1, 4, 1], [1, 0, 1], [1, 1, 1, 65], [4, 4, 4], [0.2, 0.9]],
}
"""By the type of a default: values that are likely to fall out of limits."""


def hostile(name: str) -> Iterator[dict[str, object]]:
    """Yield the small size of a network with one argument of it changed."""
    entry = MODELS[name]
    small = dict(entry.small)
    hints = entry.written_arguments()
    for argument, written in hints.items():
        kinds = [int] if "int" in written else []
        kinds += [float] if "float" in written else []
        kinds = [tuple] if "Sequence" in written else kinds
        kinds += [str] if "Literal" in written or written in ("Norm", "Window") else []
        for kind in kinds if argument != "channels" else ():
            for value in HOSTILE[kind]:
                yield {**small, argument: value}


@pytest.mark.slow
@pytest.mark.parametrize("name", MODELS)
def test_a_constructor_refuses_nothing_that_the_limits_let_through(name):
    tried = refused = 0
    for arguments in hostile(name):
        try:
            check_sizes(name, arguments)
        except UsageError:
            continue
        said = build(name, arguments)
        assert said == limit(name, arguments), arguments
        tried += 1
        refused += said is not None
    assert tried > 5
    assert (refused > 0) == (name in LIMITS)


LOSS_FAULTS = [
    ("charbonnier", {"eps": 0}, "above 0, got 0"),
    ("psnr", {"eps": "big"}, "above 0, got 'big'"),
    ("edge", {"form": "sobel"}, "pyramid, laplacian, got 'sobel'"),
    ("edge", {"eps": -1.0}, "above 0, got -1.0"),
    ("frequency", {"norm": "forward"}, "'backward' or 'ortho', got 'forward'"),
    ("ssim", {"window": 10}, "odd number of pixels, got 10"),
    ("ssim", {"sigma": float("inf")}, "above 0, got inf"),
]


@pytest.mark.parametrize(("name", "arguments", "words"), LOSS_FAULTS)
def test_a_loss_and_its_limits_say_the_same(name, arguments, words):
    with pytest.raises(UsageError) as built:
        create_loss(name, **arguments)
    with pytest.raises(UsageError) as judged:
        check_loss(name, arguments)
    assert judged.value.got == built.value.got
    assert words in judged.value.got


def test_every_loss_with_arguments_has_its_limits():
    assert {name for name, _, _ in LOSS_FAULTS} == set(LOSS_LIMITS)
    assert set(LOSS_LIMITS) == {name for name, entry in LOSSES.items() if entry.written_arguments()}
    for name in LOSSES:
        check_loss(name, {})


OTHER_SIZES: list[tuple[str, dict[str, object]]] = [
    ("nafnet", {"encoder": [1, 1], "decoder": [1, 1]}),
    ("perceptron", {"stride": 3}),
    ("mlp", {"stride": 4}),
    ("patch-cnn", {"stride": 20}),
    ("hybrid", {"window": 10}),
    ("gan", {"levels": 4}),
    *(("esrgan", {"scale": scale}) for scale in (1, 2, 3, 4)),
    ("resnet", {"scale": 3}),
    ("rdn", {"scale": 2}),
    ("red-net", {"halved": True}),
    ("cvt", {"window": None}),
    ("cvt", {"window": 6}),
]


@pytest.mark.parametrize(("name", "arguments"), [*((name, {}) for name in MODELS), *OTHER_SIZES])
def test_the_sizes_of_a_network_are_known_before_it_is_built(name, arguments):
    small = {**MODELS[name].small, **arguments}
    with torch.device("meta"):
        network = create_model(name, **small)
    assert (multiple_of(name, small), scale_of(name, small)) == (network.multiple, network.scale)


def test_every_network_with_sizes_by_its_arguments_is_tried_with_others():
    assert set(MULTIPLES) == set(MODELS)
    assert {name for name, multiple in MULTIPLES.items() if callable(multiple)} <= {
        name for name, _ in OTHER_SIZES
    }
