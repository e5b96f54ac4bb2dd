"""Cards are read from the header alone, and say what the whole file says."""

import numpy as np
import pytest
from safetensors.numpy import save_file

from restorecli.core.card_reading import read_card
from restorecli.core.shipped import shipped
from restorecli.core.weights import read_weights
from restorecli.errors import WeightsError


@pytest.mark.parametrize("name", ["dncnn.gray-blind", "sca-unet.gaussian"])
def test_a_card_read_alone_is_that_of_the_file(name) -> None:
    [path] = [weights.path for weights in shipped() if weights.name == name]
    assert read_card(path) == read_weights(path)[1]


def test_what_has_no_card_is_refused_as_when_it_is_read_whole(tmp_path) -> None:
    save_file({"a": np.zeros(3, np.float32)}, tmp_path / "plain.safetensors")
    save_file(
        {"a": np.zeros(3, np.float32)}, tmp_path / "other.safetensors", {"restorecli": '{"format": "x"}'}
    )
    (tmp_path / "torn.safetensors").write_bytes(b"\x10\0\0\0\0\0\0\0{")
    for name in ("plain", "other", "torn", "missing"):
        told = []
        for read in (read_card, read_weights):
            with pytest.raises(WeightsError) as refused:
                read(tmp_path / f"{name}.safetensors")
            told.append(str(refused.value))
        assert told[0] == told[1]
