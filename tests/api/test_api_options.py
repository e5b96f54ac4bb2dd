"""The options of a verb are those of its command: what one side has, the other has."""

from dataclasses import fields

import pytest

from restorecli import api
from restorecli.cli.app import loaded

OTHERWISE = {
    "settings": "parameters",  # --set NAME.PARAM=VALUE
    "by_category": "by",
    "value_range": "range",
}
ONLY_COMMAND = {
    "degrade": {
        "settings",
        "sigma",
        "severity",
        "random",
        "as_json",
        "show_list",
        "target",
        "quiet",
    },  # words of the chain
    "restore": {"as_json", "target", "dry_run", "check_tiles", "quiet"},
    "train": {"dry_run", "as_json"},
    "eval": {"list_metrics", "explain", "opens", "as_json"},
}
ONLY_PYTHON = {
    "degrade": {"progress"},
    "restore": {"progress"},
    "train": {"progress"},
    "eval": {"progress", "title", "about"},
}
VERBS = {
    "degrade": api.DegradeOptions,
    "restore": api.RestoreOptions,
    "train": api.TrainOptions,
    "eval": api.EvalOptions,
}


@pytest.mark.parametrize("verb", VERBS)
def test_an_option_of_one_side_is_an_option_of_the_other(verb) -> None:
    command = loaded(verb)
    typed = {parameter.name for parameter in command.params} - {"help"} - ONLY_COMMAND[verb]
    named = {OTHERWISE.get(name, name) for name in typed}
    expected = {field.name for field in fields(VERBS[verb])} - ONLY_PYTHON[verb]
    assert named == expected, (
        f"{sorted(named ^ expected)} has only one side: add it to {VERBS[verb].__name__} in restorecli/api "
        f"and to the command {verb} in restorecli/cli, or to ONLY_COMMAND or ONLY_PYTHON above"
    )
