"""`bench methods` as a user types it."""


def test_the_table_and_the_json_tell_the_same(shell, photos) -> None:
    line = "restorecli bench methods --data photos --methods inverse,bicubic --side 32"
    answer = shell(line)
    for part in ("motion blur 9 px", "as degraded", "inverse", "bicubic", "reduced x4", "PSNR"):
        assert part in answer.out
    assert "31.07 / 28.57 / 25.62" in answer.err
    rows = shell(f"{line} --json").data
    assert {"task", "method", "trained", "psnr", "seconds", "note"} == set(rows[0])
    assert {row["method"] for row in rows} == {"as degraded", "inverse", "bicubic"}


def test_the_table_is_written_as_markdown(shell, photos) -> None:
    line = (
        "restorecli bench methods --data photos --methods deblock --side 32 --pictures 2 --markdown table.md"
    )
    shell(line)
    lines = (shell.folder / "table.md").read_text(encoding="utf-8").splitlines()
    assert lines[0] == "| task | method | trained | PSNR | s per megapixel |"
    assert lines[1] == "| --- | --- | --- | ---: | ---: |"
    assert any(row.startswith("| JPEG, quality 10 | deblock |  | ") for row in lines)
    assert "A file stands where a folder is needed" in shell(f"{line}/no/such", code=4).err


def test_an_unknown_method_is_refused_with_the_nearest_name(shell) -> None:
    answer = shell("restorecli bench methods --methods bicubik", code=2)
    assert "bicubic" in answer.err
