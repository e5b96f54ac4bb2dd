"""Weights files: they describe themselves, and damaged or unsafe ones are refused."""

import json
import math
import pickle
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from restorecli import create_model, load
from restorecli.core.card_reading import Card
from restorecli.core.cards import recipe_digest, to_markdown
from restorecli.core.device import MAX_PSNR_LOSS
from restorecli.core.shipped import find_shipped, shipped
from restorecli.core.weights import load_into, pack, read_foreign, read_weights
from restorecli.errors import UsageError, WeightsError

ARGUMENTS = {"channels": 1, "depth": 3, "width": 4}


@pytest.fixture
def network():
    torch.manual_seed(0)
    return create_model("dncnn", **ARGUMENTS).eval()


@pytest.fixture
def file(network, tmp_path) -> Path:
    path = tmp_path / "small.safetensors"
    path.write_bytes(
        pack(network.state_dict(), Card(model="dncnn", arguments=ARGUMENTS, channels=1, tag="tiny"))
    )
    return path


def test_a_file_needs_nothing_else(file, network):
    x = torch.rand(1, 1, 9, 11)
    restorer = load(file, device="cpu")
    assert restorer.spec.channels == 1
    torch.testing.assert_close(restorer(x), network(x).detach().clamp(0, 1))


def test_the_card_comes_back(file):
    _, card = read_weights(file)
    assert (card.model, card.tag, card.value_range) == ("dncnn", "tiny", (0.0, 1.0))


@pytest.mark.parametrize("where", [0.3, 0.7, 0.95])
def test_one_flipped_bit_is_noticed(file, where):
    raw = bytearray(file.read_bytes())
    header = int.from_bytes(raw[:8], "little") + 8
    raw[header + int((len(raw) - header) * where)] ^= 1
    file.write_bytes(raw)
    with pytest.raises(WeightsError, match=r"damaged|finite"):
        read_weights(file)


@pytest.mark.parametrize("keep", [0, 5, 100, -1])
def test_truncated_files_are_refused(file, keep):
    file.write_bytes(file.read_bytes()[:keep])
    with pytest.raises(WeightsError):
        read_weights(file)


def test_a_header_of_terabytes_is_refused(tmp_path):
    path = tmp_path / "huge.safetensors"
    path.write_bytes((2**40).to_bytes(8, "little") + b"{}")
    with pytest.raises(WeightsError):
        read_weights(path)


def test_values_that_are_not_finite_are_refused(network, tmp_path):
    tensors = network.state_dict()
    tensors["layers.0.weight"][0, 0, 0, 0] = float("nan")
    path = tmp_path / "nan.safetensors"
    path.write_bytes(pack(tensors, Card(model="dncnn", arguments=ARGUMENTS)))
    with pytest.raises(WeightsError, match="finite"):
        read_weights(path)


def test_a_file_without_a_card_says_what_to_do(network, tmp_path):
    path = tmp_path / "plain.safetensors"
    save_file(network.state_dict(), path)
    with pytest.raises(WeightsError, match="--weights"):
        load(path)


class _Payload:
    def __init__(self, canary: Path) -> None:
        self.canary = canary

    def __reduce__(self):
        return (Path.touch, (self.canary,))


@pytest.mark.parametrize("name", ["evil.pth", "evil.safetensors"])
def test_code_inside_a_checkpoint_is_never_run(tmp_path, name):
    canary = tmp_path / "canary"
    path = tmp_path / name
    if name.endswith(".pth"):
        torch.save({"weight": _Payload(canary)}, path)
    else:
        path.write_bytes(pickle.dumps(_Payload(canary)))
    with pytest.raises(WeightsError):
        read_foreign(path)
    assert not canary.exists()


def test_weights_that_do_not_fit_name_the_first_three_differences(network, tmp_path):
    tensors = dict(network.state_dict())
    tensors["extra"] = torch.zeros(1)
    del tensors["layers.0.bias"]
    tensors["layers.0.weight"] = torch.zeros(2, 2)
    with pytest.raises(WeightsError) as caught:
        load_into(network, tensors, file=tmp_path)
    text = str(caught.value)
    assert "3 differences" in text
    assert all(word in text for word in ("missing layers.0.bias", "unexpected extra", "got (2, 2)"))


@pytest.mark.parametrize("wrapper", [None, "state_dict", "params_ema", "params"])
def test_common_wrappers_of_pth_files_are_opened(network, tmp_path, wrapper):
    state = {f"module.{name}": tensor for name, tensor in network.state_dict().items()}
    path = tmp_path / "theirs.pth"
    torch.save(state if wrapper is None else {wrapper: state}, path)
    assert set(read_foreign(path)) == set(network.state_dict())


def test_the_authors_checkpoint_of_sca_unet_loads_by_weights(tmp_path):
    """Their 80 names and their untransposed, unnormalized non-local block."""
    torch.manual_seed(1)
    twin = create_model("sca-unet", weighting="dot", legacy_nonlocal=True).eval()
    back = {"encoder.": "dconv_down", "decoder.": "dconv_up", "attention.": "att"}
    theirs = {}
    for name, tensor in twin.state_dict().items():
        for ours, start in back.items():
            if name.startswith(ours):
                number = int(name[len(ours)])
                level = 3 - number if start == "dconv_up" else number + 1
                name = f"{start}{level}{name[len(ours) + 1 :]}"
        for ours, new in (
            ("bottleneck.", "dconv_bottleneck."),
            ("non_local.", "nl_block."),
            ("last.", "conv_last."),
            (".body.", ".conv_block."),
            (".shortcut.", ".residual_conv."),
            (".spatial.", ".spatial_attention."),
            (".channel.", ".channel_attention."),
        ):
            name = name.replace(ours, new)
        theirs[name] = tensor
    assert len(theirs) == 80
    assert sum(t.numel() for t in theirs.values()) == 867_842
    path = tmp_path / "theirs.pth"
    torch.save(theirs, path)
    x = torch.rand(1, 3, 16, 24)
    restorer = load("sca-unet", weights=path, device="cpu")
    torch.testing.assert_close(restorer(x), twin(x).detach().clamp(0, 1))


def test_kair_checkpoint_of_dncnn_loads_by_weights(tmp_path):
    torch.manual_seed(2)
    twin = create_model("dncnn", channels=1, depth=4, width=8).fold()
    theirs = {name.replace("layers.", "model."): tensor for name, tensor in twin.state_dict().items()}
    path = tmp_path / "dncnn.pth"
    torch.save(theirs, path)
    x = torch.rand(1, 1, 12, 13)
    torch.testing.assert_close(load("dncnn", weights=path, device="cpu")(x), twin(x).detach().clamp(0, 1))


def test_a_pth_of_no_known_network_asks_for_a_name(tmp_path):
    path = tmp_path / "some.pth"
    torch.save({"strange.weight": torch.zeros(2, 3)}, path)
    with pytest.raises(WeightsError, match="--model NAME --weights"):
        load(path)


def test_a_pth_without_tensors_is_refused(tmp_path):
    path = tmp_path / "some.pth"
    torch.save({}, path)
    with pytest.raises(WeightsError, match="no table of tensors"):
        load(path)


def test_unknown_names_offer_the_nearest():
    with pytest.raises(UsageError, match="sca-unet"):
        load("sca-unett")
    with pytest.raises(WeightsError, match="train"):
        load("unet")


def test_cards_of_shipped_weights_are_complete():
    for weights in shipped():
        _, card = read_weights(weights.path)
        assert weights.name == f"{card.model}.{card.tag}"
        assert all((card.summary, card.data, card.recipe, card.scores, card.training, card.licence))
        json.dumps(card.recipe)


def test_a_card_can_be_read_by_people(file):
    card = replace(read_weights(file)[1], scores={"a set": {"psnr": 30.5}})
    page = to_markdown(card)
    assert page.startswith("# dncnn.tiny\n")
    assert "- a set: psnr 30.5" in page
    assert card.digest in page
    assert recipe_digest(card) in page
    assert "![" not in page
    assert to_markdown(card, "worst.jpg").count("](worst.jpg)") == 1


def test_the_digest_of_a_recipe_follows_its_content(file):
    _, card = read_weights(file)
    other = replace(card, recipe={**card.recipe, "seed": 7})
    assert recipe_digest(other) != recipe_digest(card)
    assert recipe_digest(other) == recipe_digest(replace(card, recipe=dict(reversed(other.recipe.items()))))


def test_batch_norm_is_folded_for_restoring(file, network):
    restorer = load(file, device="cpu")
    assert not any(isinstance(layer, torch.nn.BatchNorm2d) for layer in restorer.module.modules())


@pytest.mark.parametrize(
    "changes",
    [
        {"model": "sca-umet"},
        {"model": 5},
        {"arguments": {"width": 10**9}},
        {"arguments": {"name": "x"}},
        {"arguments": 3},
        {"channels": 7},
        {"value_range": (0.0,)},
        {"recipe": []},
    ],
)
def test_a_card_that_lies_is_refused(network, tmp_path, changes):
    path = tmp_path / "liar.safetensors"
    card = replace(Card(model="dncnn", arguments=ARGUMENTS, channels=1), **changes)
    path.write_bytes(pack(network.state_dict(), card))
    with pytest.raises(WeightsError):
        load(path, device="cpu")


def test_a_foreign_checkpoint_of_nonsense_shapes_is_refused(tmp_path):
    path = tmp_path / "odd.pth"
    for shape in ((), (3,), (4, 2, 3, 3)):
        torch.save({"model.0.weight": torch.zeros(shape)}, path)
        with pytest.raises(WeightsError):
            load("dncnn", weights=path, device="cpu")


@pytest.mark.parametrize(
    ("model", "names"),
    [
        ("nafnet", ("intro.weight", "middle_blks.0.conv1.weight")),
        ("restormer", ("patch_embed.proj.weight", "latent.0.attn.temperature")),
    ],
)
def test_published_names_with_nonsense_shapes_are_refused(tmp_path, model, names):
    path = tmp_path / "odd.pth"
    torch.save({names[0]: torch.zeros(3), names[1]: torch.zeros(1)}, path)
    with pytest.raises(WeightsError):
        load(model, weights=path, device="cpu")


@pytest.mark.parametrize("change", [torch.Tensor.to_sparse, torch.Tensor.long, torch.Tensor.cfloat])
def test_tensors_that_no_network_takes_are_refused(tmp_path, change):
    path = tmp_path / "odd.pth"
    torch.save({name: change(tensor) for name, tensor in create_model("dncnn").state_dict().items()}, path)
    with pytest.raises(WeightsError):
        load("dncnn", weights=path, device="cpu")


@pytest.mark.parametrize(
    ("name", "inside", "border"),
    [("dncnn.gray-blind", 0.2, 0.25), ("sca-unet.gaussian", 0.5, 9), ("sca-unet.noise-blur", 1, 15)],
)
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_flat_fields_come_back_in_every_precision_that_auto_takes(name, inside, border, precision):
    taken = read_weights(find_shipped(name).path)[1].precision_loss.get(precision, math.inf) < MAX_PSNR_LOSS
    if precision != "fp32" and not taken:
        pytest.skip("restores in fp32 unless told")
    restorer = load(name, device="cpu", precision=precision)
    channels = 1 if name.startswith("dncnn") else 3
    for level in (0.0, 0.5, 1.0):
        field = torch.full((1, channels, 96, 96), level)
        off = (restorer(field).clamp(0, 1) - field).abs() * 255
        assert off.max() < border
        assert off[..., 16:-16, 16:-16].max() < inside


def test_loading_leaves_the_callers_random_numbers_alone():
    torch.manual_seed(3)
    load("dncnn", device="cpu")
    seen = torch.rand(4)
    torch.manual_seed(3)
    assert torch.equal(seen, torch.rand(4))


@pytest.mark.parametrize("modern", [True, False])
def test_a_damaged_pth_is_refused_wherever_it_is_hit(network, tmp_path, modern):
    path = tmp_path / "theirs.pth"
    torch.save(network.state_dict(), path, _use_new_zipfile_serialization=modern)
    raw = path.read_bytes()
    places, refused = range(64, min(len(raw), 600), 23), []
    for where in places:
        path.write_bytes(raw[:where] + bytes([raw[where] ^ 0x55]) + raw[where + 1 :])
        try:
            tensors = read_foreign(path)  # a number or a letter of a name may change unnoticed
        except WeightsError as error:
            refused.append(error.file)
        else:
            assert len(tensors) == len(network.state_dict())
            assert all(isinstance(tensor, torch.Tensor) for tensor in tensors.values())
    assert len(refused) > len(places) / 4
    assert set(refused) == {str(path)}
