"""`models` and `doctor`, the demo, and the chain exactly as the issue of every newcomer types it."""

import json

import pytest


def test_models_are_listed_with_parameters_and_tags(shell) -> None:
    listed = {entry["name"]: entry for entry in json.loads(shell("restorecli models --json").out)}
    assert listed["sca-unet"]["parameters"] == 867_842
    assert {"gaussian", "noise-blur"} <= set(listed["sca-unet"]["tags"])
    assert "gray-blind" in listed["dncnn"]["tags"]
    assert "867,842" in shell("restorecli models").out


def test_the_doctor_tells_what_is_here(shell) -> None:
    facts = json.loads(shell("restorecli doctor --json").out)
    assert facts["this folder can be written"] is True
    assert "sca-unet.gaussian" in facts["weights"]
    shown = shell("restorecli doctor").out
    for name in ("restorecli", "torch", "device", "precision when restoring"):
        assert name in shown


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_chain_runs_exactly_as_typed_in_an_empty_folder(shell) -> None:
    shell.process("restorecli degrade --noise gaussian")
    shell.process("restorecli restore ./degraded --model sca-unet")
    table = shell.process("restorecli eval --by-category").out
    document = json.loads(shell.process("restorecli eval --json").out)
    for name, group in document["categories"].items():
        assert name in table
        assert group["gain"]["psnr"] > 2
        assert group["gain"]["ssim"] > 0
    assert document["unmatched"] == []


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_demo_writes_its_page_and_shows_a_gain(shell) -> None:
    answer = shell("restorecli demo --json")
    assert json.loads(answer.out)["overall"]["gain"]["psnr"] > 5
    page = (shell.folder / "restorecli-demo" / "index.html").read_text(encoding="utf-8")
    assert "http://" not in page
    assert list((shell.folder / "restorecli-demo").rglob("*.png"))
