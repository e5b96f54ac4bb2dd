"""Notes are counted once for each image and keep their order."""

from restorecli.folders.notes import Note, NoteTally


def test_notes_are_counted_by_text() -> None:
    tally = NoteTally()
    for path, texts in (("a.png", ["cut"]), ("b.png", []), ("c.png", ["two", "cut", "cut"])):
        tally.add(path, texts)
    assert [note.to_dict() for note in tally.notes] == [
        {"note": "cut", "pictures": 2, "first": "a.png"},
        {"note": "two", "pictures": 1, "first": "c.png"},
    ]


def test_notes_that_differ_in_numbers_are_one_note():
    tally = NoteTally()
    for number in range(1000):
        tally.add(f"{number}.tif", [f"values {-number} to {number / 7:g} taken as black to white"])
    tally.add("a.tif", ["8-bit samples widened"])
    first, second = tally.notes
    assert first.images == 1000
    assert first.text == "values 0 to 0 taken as black to white; others with other numbers"
    assert second.text == "8-bit samples widened"


def test_a_note_is_one_line_that_says_of_how_many_images() -> None:
    assert str(Note("black", 1, "a.png")) == "a.png: black"
    assert str(Note("black", 1200, "a.png")) == "1,200 images, first a.png: black"
