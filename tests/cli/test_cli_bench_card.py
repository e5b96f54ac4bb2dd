"""`bench card` as a user types it."""

import torch

from restorecli.core.card_reading import Card
from restorecli.core.models.catalog import create_model
from restorecli.core.weights import pack, read_weights

LABEL = "photos, gaussian sigma 15, 8 bits, seed 0, 4 images (every 1st), 24x24 from the middle"


def test_the_command_writes_and_tells(shell, photos) -> None:
    arguments = {"channels": 3, "depth": 3, "width": 8, "batch_norm": False}
    torch.manual_seed(0)
    network = create_model("dncnn", **arguments)
    scores = {"validation": {"psnr": 27.5}}
    weights = shell.folder / "best.safetensors"
    weights.write_bytes(pack(network.state_dict(), Card("dncnn", arguments, tag="tiny", scores=scores)))
    line = f'restorecli bench card best.safetensors -o out --data . --measure "{LABEL}"'
    answer = shell(line)
    assert answer.out.startswith(f"{LABEL}: ")
    assert "dncnn.tiny.safetensors" in answer.err
    assert "--overwrite" in shell(line, code=2).err
    line = f"{line} --overwrite"
    told = shell(f"{line} --training core=shared --json").data
    assert told["weights"] == "dncnn.tiny"
    assert set(told["scores"]) == {"validation", LABEL}
    assert read_weights(shell.folder / "out" / "dncnn.tiny.safetensors")[1].training["core"] == "shared"
    assert "NAME=TEXT" in shell(f"{line} --training shared", code=2).err
