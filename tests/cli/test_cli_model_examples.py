"""The image that lies beside weights, as `models NAME` draws it."""

from __future__ import annotations

import sys

from restorecli.cli.support import models
from restorecli.core.shipped import shipped


def test_every_card_has_an_image_that_models_draws(monkeypatch, capsys):
    assert all(models._example_of(weights.name) is not None for weights in shipped())
    assert models._example_of("tv") is None
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    for name, value in {"COLUMNS": "40", "LINES": "30", "COLORTERM": "truecolor", "TERM": "xterm"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("NO_COLOR", raising=False)
    models.show("sca-unet.jpeg", as_json=False)
    assert capsys.readouterr().out.count("\u2580") == 40 * round(176 * 40 / 536 / 2)


def test_nothing_is_drawn_outside_a_terminal(capsys):
    models.show("sca-unet.jpeg", as_json=False)
    assert "\u2580" not in capsys.readouterr().out
