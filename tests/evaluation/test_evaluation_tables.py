"""Text tables, CSV and Markdown, with hostile names."""

from __future__ import annotations

import csv

import pytest

from restorecli.evaluation.folder import evaluate_folders
from restorecli.evaluation.statistics.comparison import compare
from restorecli.evaluation.statistics.summary import summarize
from restorecli.evaluation.tables.cells import (
    DETAILS,
    comparison_table,
    format_interval,
    format_number,
    format_summary,
    table,
)
from restorecli.evaluation.tables.markdown import to_markdown
from restorecli.evaluation.tables.spreadsheet import groups_to_csv, images_to_csv


@pytest.fixture
def evaluation(tmp_path, save):
    for index, category in enumerate(("wood", "=cmd|'calc'!A0", "<b>")):
        for seed, folder in enumerate(("ref", "out", "low")):
            save(tmp_path / folder / category / "0.png", seed=10 * index + seed)
    save(tmp_path / "out" / "wood" / "|lost|.png")
    return evaluate_folders(tmp_path / "out", tmp_path / "ref", degraded=tmp_path / "low")


def test_rows_are_the_groups_and_overall(evaluation):
    cells = table(evaluation)
    assert cells.headers == (
        "category",
        "n",
        "PSNR degraded (dB)",
        "PSNR restored (dB)",
        "PSNR gain (dB)",
        "SSIM degraded",
        "SSIM restored",
        "SSIM gain",
    )
    assert [row[0] for row in cells.rows] == ["<b>", "=cmd|'calc'!A0", "wood", "overall"]
    assert {len(row) for row in cells.rows} == {8}
    assert "±" in cells.rows[-1][3]
    assert "±" not in table(evaluation, details=()).rows[-1][3]


def test_a_single_side_has_no_gain(tmp_path, save):
    save(tmp_path / "ref" / "a.png", seed=1)
    save(tmp_path / "out" / "a.png", seed=2)
    headers = table(evaluate_folders(tmp_path / "out", tmp_path / "ref")).headers
    assert headers == ("category", "n", "PSNR restored (dB)", "SSIM restored")


def test_details_stand_beside_the_scored_side(evaluation):
    cells = table(evaluation, details=DETAILS, metrics=evaluation.metrics[:1])
    assert cells.headers == (
        "category",
        "n",
        "PSNR degraded (dB)",
        "PSNR restored (dB)",
        "PSNR restored 95%",
        "PSNR restored median",
        "PSNR restored worst",
        "PSNR gain (dB)",
        "PSNR gain 95%",
    )
    whole = evaluation.overall
    low, high = whole.restored["psnr"].interval
    assert cells.rows[-1][4] == f"[{low:.2f}, {high:.2f}]"
    assert cells.rows[-1][6] == f"{whole.restored['psnr'].minimum:.2f}"
    assert cells.rows[-1][8] == "[{:+.2f}, {:+.2f}]".format(*whole.gain_intervals["psnr"])


def test_crossed_groups_have_a_column_for_each_field(made):
    fields = {"a/0.png": {"x.q": "9"}, "a/1.png": {"x.q": "10"}}
    cells = table(made({"a/0.png": [30.0], "a/1.png": [20.0]}, metrics=["psnr"], by=["q", "category"],
                       fields=fields), details=())  # fmt: skip
    assert cells.headers == ("q", "category", "n", "PSNR restored (dB)")
    assert cells.names == 2
    assert cells.rows == (("9", "a", "1", "30.00"), ("10", "a", "1", "20.00"), ("overall", "", "2", "25.00"))


def test_a_column_without_a_number_is_left_out(made):
    """The input has no consistency with itself: There is nothing to show on its side, and no gain."""
    evaluation = made({"a/0.png": [30.0]}, {"a/0.png": [None]}, metrics=["consistency"])
    assert table(evaluation, details=()).headers == ("category", "n", "Consistency restored (dB)")


def test_a_comparison_names_both_means_and_the_verdict(made):
    ours, theirs = (
        made({f"a/{i}.png": [base + i] for i in range(8)}, metrics=["psnr"]) for base in (30.0, 28.0)
    )
    found = compare(ours, {"other": theirs})
    cells = comparison_table(found, ours.metrics[0])
    assert cells.headers == (
        "category", "against", "n", "PSNR (dB)", "the other's", "difference", "95%", "p (Holm)", "verdict",
    )  # fmt: skip
    assert cells.rows[0] == (
        "a", "other", "8", "33.50", "31.50", "+2.00", "[+2.00, +2.00]", "0.0156", "better",
    )  # fmt: skip
    assert cells.rows[-1][0] == "overall"
    narrow = comparison_table(found, ours.metrics[0], details=())
    assert narrow.headers == ("category", "against", "PSNR (dB)", "the other's", "difference", "verdict")
    assert "| a | other | 8 | 33.50 |" in to_markdown(ours, found)


def test_markdown_keeps_hostile_names_in_their_cells(evaluation):
    text = to_markdown(evaluation)
    head, rule, *rows = [line for line in text.splitlines() if line.startswith("|")]
    assert rule.count("|") == head.count("|")
    assert all(row.replace("\\|", "").count("|") == head.count("|") for row in rows)
    assert "\\<b\\>" in text
    assert "- restored wood/\\|lost\\|.png" in text
    assert "Protocol: RGB" in text


def test_csv_holds_every_digit_and_no_formula(evaluation):
    rows = list(csv.DictReader(groups_to_csv(evaluation)))
    assert rows[1]["category"].startswith("'=cmd")
    assert float(rows[-1]["restored_psnr"]) == evaluation.overall.restored["psnr"].mean
    assert float(rows[-1]["gain_ssim"]) == evaluation.overall.gain["ssim"]
    assert float(rows[-1]["gain_ssim_low"]) == evaluation.overall.gain_intervals["ssim"][0]
    assert float(rows[-1]["restored_psnr_high"]) == evaluation.overall.restored["psnr"].interval[1]
    images = list(csv.DictReader(images_to_csv(evaluation)))
    assert len(images) == 3
    assert float(images[0]["degraded_ssim"]) == evaluation.images[0].degraded["ssim"]


def test_numbers_read_well():
    assert format_number(None, 2) == "-"
    assert format_number(float("inf"), 2) == "inf"
    assert format_number(1.234, 2, signed=True) == "+1.23"
    assert format_interval((1.234, -2), 1, signed=True) == "[+1.2, -2.0]"
    assert format_interval(None, 1) == "-"
    assert format_summary(summarize([1.0, 2.0, float("inf")]), 1) == "1.5 ± 0.7 (+1 inf)"
    assert format_summary(summarize([float("inf")]), 1) == "inf"


def test_names_that_no_encoding_holds_can_be_written(tmp_path, save):
    for seed, folder in enumerate(("ref", "out")):
        save(tmp_path / folder / "bad \udcff" / "a.png", seed=seed)
    evaluation = evaluate_folders(tmp_path / "out", tmp_path / "ref")
    for text in (
        to_markdown(evaluation),
        *map("".join, (groups_to_csv(evaluation), images_to_csv(evaluation))),
    ):
        assert "udcff" in text
        text.encode("utf-8")
