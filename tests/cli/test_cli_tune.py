"""`restore --tune` as typed."""

import pytest

import restorecli
from restorecli.errors import DataError


@pytest.fixture
def noisy(shell, photos):
    shell("restorecli degrade photos -o noisy --noise gaussian --sigma 25")


def test_parameters_are_picked_on_pairs_and_the_words_give_the_same_again(shell, noisy) -> None:
    answer = shell("restorecli restore noisy -o tuned --model tv --tune noisy photos --set tv.iterations=5")
    for part in ("parameter", "strength", "color", "4 of 4 pairs", "->", "The same again: --set tv."):
        assert part in answer.err
    words = answer.err.partition("The same again: ")[2].splitlines()[0]
    assert "--set tv.iterations=5" in words
    shell(f"restorecli restore noisy -o again --model tv {words}")
    for name in ("indoors/0.png", "outdoors/3.png"):
        assert (shell.folder / "tuned" / name).read_bytes() == (shell.folder / "again" / name).read_bytes()
    shell("restorecli restore noisy -o plain --model tv --set tv.iterations=5")
    gains = [
        shell(f"restorecli eval {name} --json").data["overall"]["gain"]["psnr"] for name in ("tuned", "plain")
    ]
    assert gains[0] > gains[1]
    assert "already there" in shell(f"restorecli restore noisy -o tuned --model tv {words}").err


def test_the_json_says_what_was_picked(shell, noisy) -> None:
    line = "restorecli restore noisy -o out --model wavelet --tune noisy photos --set wavelet.levels=2 --json"
    answer = shell(line).data
    assert answer["written"] == 4
    tuned = answer["tuned"]
    assert tuned["psnr_after"] >= tuned["psnr_before"]
    assert tuned["parameters"]["levels"] == 2
    assert set(tuned["tried"]) == {"filter"}
    assert {value for value, _ in tuned["tried"]["filter"]} == {"haar", "db2", "sym4"}
    plain = shell("restorecli restore noisy -o plain --model wavelet --json").data
    assert "tuned" not in plain


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        ("--model sca-unet --tune noisy photos", 2, "without weights"),
        ("--model bicubic --tune noisy photos", 2, "nothing to tune"),
        ("--model median --tune noisy photos --set median.size=5", 2, "nothing to tune"),
        ("--model tv --tune noisy", 2, "--tune"),
        ("--model tv --tune noisy empty", 4, "no pair"),
        ("--model tv --tune noisy nowhere", 4, "nowhere"),
        ("--model tv --tune noisy cut", 4, "differ in size"),
        ("--model wiener-deconv --tune photos photos", 4, "--operator"),
    ],
)
def test_what_cannot_be_tuned_is_refused_before_anything_is_written(shell, noisy, words, code, told) -> None:
    (shell.folder / "empty").mkdir()
    shell("restorecli degrade photos -o cut --noise downscale")
    answer = shell(f"restorecli restore noisy -o out {words}", code=code)
    assert told in answer.err
    assert not (shell.folder / "out").exists()


def test_a_missing_source_is_named_before_anything_is_searched(shell, noisy, monkeypatch) -> None:
    from restorecli.tune import tuning

    def never(*_args: object, **_words: object) -> None:
        raise AssertionError("searched")

    monkeypatch.setattr(tuning, "tune", never)
    answer = shell("restorecli restore nowhere -o out --model tv --tune noisy photos", code=4)
    assert "nowhere" in answer.err
    with pytest.raises(DataError, match="no such"):
        restorecli.restore(
            shell.folder / "nowhere", shell.folder / "out", model="tv", tune=("noisy", "photos")
        )


def test_which_parameters_are_tuned_is_listed(shell) -> None:
    tuned = {
        setting["name"]: setting["tuned"] for setting in shell("restorecli models tv --json").data["settings"]
    }
    assert tuned == {"strength": "log 0.1..3", "color": "log 0.5..6", "iterations": None}
    lines = shell("restorecli models tv").out.splitlines()
    [strength] = [line for line in lines if "tv.strength" in line]
    assert strength.rstrip().endswith("; --tune tries 0.1 to 3, small values more often")
    assert not any("--tune" in line for line in lines if "tv.iterations" in line)
