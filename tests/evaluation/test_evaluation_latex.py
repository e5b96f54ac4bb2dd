"""LaTeX: the shape of the table, bold where a method is best, and names that are no commands."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restorecli.evaluation.statistics.comparison import compare
from restorecli.evaluation.tables.latex import escape_latex, to_latex

SCORES = {"a_1/0.png": [30.004, 0.9], "a_1/1.png": [32.0, 0.8], "b&b/0.png": [28.0, 0.7]}


def lines_of(text: str) -> list[list[str]]:
    """Return the cells of every row."""
    rows = [line.removesuffix(r" \\") for line in text.splitlines() if line.endswith(r" \\")]
    return [re.split(r" & ", row) for row in rows]


def test_degraded_and_restored_side_by_side(made):
    text = to_latex(made(SCORES, {path: [20.0, None] for path in SCORES}))
    assert text.splitlines()[2] == r"\begin{tabular}{lrrrr}"
    head, sides, *rows = lines_of(text)
    assert head == ["", r"\multicolumn{2}{c}{PSNR (dB) $\uparrow$}", r"\multicolumn{2}{c}{SSIM $\uparrow$}"]
    assert sides == ["category", "degraded", "restored", "degraded", "restored"]
    assert rows[0] == [r"a\_1", "20.00", "31.00", "--", "0.8500"]
    assert rows[1] == [r"b\&b", "20.00", "28.00", "--", "0.7000"]
    assert [row[0] for row in rows] == [r"a\_1", r"b\&b", "overall"]
    assert [text.count(rule) for rule in ("toprule", "midrule", "bottomrule", "cmidrule")] == [
        1,
        3,
        1,
        1,
    ] or (text.count(r"\midrule") == 2)


def test_the_best_method_is_bold_and_so_is_its_equal(made):
    ours = made(SCORES)
    better = made({path: [psnr + 1, ssim] for path, (psnr, ssim) in SCORES.items()})
    rows = lines_of(to_latex(ours, compare(ours, {"50%": better})))[1:]
    assert rows[0] == ["category", "restored", r"50\%", "restored", r"50\%"]
    assert rows[1] == [r"a\_1", "31.00", r"\textbf{32.00}", r"\textbf{0.8500}", r"\textbf{0.8500}"]


def test_less_is_best_where_it_is(made):
    low, high = (made({"a/0.png": [value]}, metrics=["mse"]) for value in (1.0, 2.0))
    assert lines_of(to_latex(high, compare(high, {"low": low})))[2] == ["a", "2.00", r"\textbf{1.00}"]


def test_infinite_and_negative_numbers(made):
    rows = lines_of(to_latex(made({"a/0.png": [float("inf"), -0.5]})))
    assert rows[2] == ["a", r"$\infty$", "$-$0.5000"]


@given(st.text(max_size=30))
def test_no_text_is_a_command_a_comment_or_a_column(text):
    shown = escape_latex(text)
    known = r"\\(textbackslash|textasciitilde|textasciicircum|textless|textgreater|textbar|textquotedbl)\{\}"
    rest = re.sub(r"\\[&%$#_{}]", "", re.sub(known, "", shown))
    assert not set(rest) & set('\\&%$#_{}~^<>|"\n\r')
    assert all(character.isprintable() for character in shown)


@pytest.mark.parametrize("by", [["category"], ["q", "category"]])
def test_every_row_has_the_columns_that_are_declared(made, by):
    fields = {path: {"x.q": str(index)} for index, path in enumerate(SCORES)}
    text = to_latex(made(SCORES, by=by, fields=fields))
    columns = len(re.search(r"tabular\}\{(\w+)\}", text)[1])
    for cells in lines_of(text)[1:]:
        assert len(cells) == columns
