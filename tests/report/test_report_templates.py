"""Templates: whatever a name holds, it stays text."""

from __future__ import annotations

import json
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jinja2 import UndefinedError
from markupsafe import Markup

from restorecli.report.templating import _environment, data_island

NAMES = st.one_of(
    st.text(),
    st.text(alphabet="<>&\"'/!-script ]", max_size=30),
    st.text(alphabet=st.characters(categories=["Cs", "Cc", "Cf", "Zl", "Zp"])),
    st.sampled_from(
        ["</script><script>alert(1)</script>", "<!--<script>", "]]>", "\u202egnp.exe", "a" * 5000]
    ),
)


class Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.attributes: list[dict[str, str | None]] = []
        self.text = ""

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes.append(dict(attrs))

    def handle_data(self, data):
        self.text += data


def read(text: str) -> Reader:
    reader = Reader()
    reader.feed(text)
    reader.close()
    return reader


def shown(text: str) -> str:
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


@given(NAMES, NAMES)
@settings(deadline=None, max_examples=50)
def test_any_text_comes_back_as_text_and_nothing_else(text, value):
    template = _environment().from_string(
        '{% from "macros.html" import name %}<p title="{{ value }}">{{ name(text) }}</p>'
    )
    reader = read(template.render(text=text, value=value))
    assert reader.tags == ["p", "bdi"]
    assert reader.text == shown(text)
    assert reader.attributes[0] == {"title": shown(value)}


VALUES = st.recursive(NAMES | st.none() | st.floats(-1e9, 1e9), st.lists, max_leaves=5)


@given(VALUES)
@settings(deadline=None)
def test_data_comes_back_as_it_went_in_and_cannot_leave_its_element(value):
    island = data_island({"value": value})
    assert island.isascii()
    reader = read(f'<script type="application/json">{island}</script><p>after</p>')
    assert reader.tags == ["script", "p"]
    assert not set("<>&") & set(island)
    assert json.loads(island) == json.loads(json.dumps({"value": value}))


def test_numbers_that_json_cannot_hold_are_refused():
    with pytest.raises(ValueError, match="not JSON compliant"):
        data_island(float("inf"))


def test_markup_is_kept_and_a_forgotten_value_is_an_error():
    template = _environment().from_string("{{ kept }}{{ text }}")
    assert template.render(kept=Markup("<b>1 &lt; 2</b>"), text="<i>") == "<b>1 &lt; 2</b>&lt;i&gt;"
    with pytest.raises(UndefinedError, match="'text' is undefined"):
        template.render(kept="x")
