"""Notes are counted once for each picture and keep their order."""

from restorecli.folders.notes import NoteTally


def test_notes_are_counted_by_text() -> None:
    tally = NoteTally()
    for path, texts in (("a.png", ["cut"]), ("b.png", []), ("c.png", ["two", "cut", "cut"])):
        tally.add(path, texts)
    assert [note.to_dict() for note in tally.notes] == [
        {"note": "cut", "pictures": 2, "first": "a.png"},
        {"note": "two", "pictures": 1, "first": "c.png"},
    ]
