"""`models` and `doctor`."""


def test_models_are_listed_with_parameters_and_tags(shell) -> None:
    listed = {entry["name"]: entry for entry in shell("restorecli models --json").data}
    assert listed["sca-unet"]["parameters"] == 867_842
    assert {"gaussian", "noise-blur"} <= set(listed["sca-unet"]["tags"])
    assert "gray-blind" in listed["dncnn"]["tags"]
    assert "867,842" in shell("restorecli models --all").out


def test_the_doctor_tells_what_is_here(shell) -> None:
    found = shell("restorecli doctor --json").data
    assert found["this folder can be written"] is True
    assert "sca-unet.gaussian" in found["weights"]
    shown = shell("restorecli doctor").out
    for name in ("restorecli", "torch", "device", "precision when restoring"):
        assert name in shown


def test_the_doctor_breaks_long_lists_between_their_names(shell) -> None:
    shown = shell("restorecli doctor").out
    names = shell("restorecli doctor --json").data["weights"]
    listed = [line for line in shown.splitlines() if any(name in line for name in names)]
    assert len(listed) > 1
    assert max(map(len, listed)) <= 80
    assert all(name in shown for name in names)


def test_a_recipe_that_the_shell_has_just_made_empty_is_the_shipped_one(shell) -> None:
    (shell.folder / "quick").touch()
    assert "model:" in shell("restorecli recipes quick").out


def test_methods_are_models_without_parameters_and_tags(shell) -> None:
    models = {entry["name"]: entry for entry in shell("restorecli models --json").data}
    assert (models["tv"]["parameters"], models["tv"]["tags"]) == (0, [])
    assert all(isinstance(entry["parameters"], int) and "tags" in entry for entry in models.values())
