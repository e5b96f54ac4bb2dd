"""Text tables, CSV and Markdown, with hostile names."""

from __future__ import annotations

import csv
import io

import pytest

from restorecli.evaluate.folder import evaluate_folders
from restorecli.evaluate.statistics import summarise
from restorecli.evaluate.tables import (
    format_number,
    format_summary,
    images_to_csv,
    table,
    to_csv,
    to_markdown,
)


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
    assert "±" not in table(evaluation, spread=False).rows[-1][3]


def test_a_single_side_has_no_gain(tmp_path, save):
    save(tmp_path / "ref" / "a.png", seed=1)
    save(tmp_path / "out" / "a.png", seed=2)
    headers = table(evaluate_folders(tmp_path / "out", tmp_path / "ref")).headers
    assert headers == ("category", "n", "PSNR restored (dB)", "SSIM restored")


def test_markdown_keeps_hostile_names_in_their_cells(evaluation):
    text = to_markdown(evaluation)
    head, rule, *rows = [line for line in text.splitlines() if line.startswith("|")]
    assert rule.count("|") == head.count("|")
    assert all(row.replace("\\|", "").count("|") == head.count("|") for row in rows)
    assert "\\<b\\>" in text
    assert "- restored wood/\\|lost\\|.png" in text
    assert "Protocol: RGB" in text


def test_csv_holds_every_digit_and_no_formula(evaluation):
    rows = list(csv.DictReader(io.StringIO(to_csv(evaluation))))
    assert rows[1]["category"].startswith("'=cmd")
    assert float(rows[-1]["restored_psnr"]) == evaluation.overall.restored["psnr"].mean
    assert float(rows[-1]["gain_ssim"]) == evaluation.overall.gain["ssim"]
    images = list(csv.DictReader(io.StringIO(images_to_csv(evaluation))))
    assert len(images) == 3
    assert float(images[0]["degraded_ssim"]) == evaluation.images[0].degraded["ssim"]


def test_numbers_read_well():
    assert format_number(None, 2) == "-"
    assert format_number(float("inf"), 2) == "inf"
    assert format_number(1.234, 2, signed=True) == "+1.23"
    assert format_summary(summarise([1.0, 2.0, float("inf")]), 1) == "1.5 ± 0.7 (+1 inf)"
    assert format_summary(summarise([float("inf")]), 1) == "inf"


def test_names_that_no_encoding_holds_can_be_written(tmp_path, save):
    for seed, folder in enumerate(("ref", "out")):
        save(tmp_path / folder / "bad \udcff" / "a.png", seed=seed)
    evaluation = evaluate_folders(tmp_path / "out", tmp_path / "ref")
    for text in (to_markdown(evaluation), to_csv(evaluation), images_to_csv(evaluation)):
        assert "udcff" in text
        text.encode("utf-8")
