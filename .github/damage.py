"""Makes the image at the top of the README with the weights that ship: `python .github/damage.py`."""

from pathlib import Path

from PIL import Image, ImageDraw, ImageFont
from skimage import data

import restorecli

SIDE, GAP, TITLE, ACROSS = 260, 6, 22, 4
"""Pixels of a crop, between two, of a line of text, and crops in a row."""

CROPS = {
    "astronaut": data.astronaut()[0:SIDE, 95 : 95 + SIDE],
    "cat": data.chelsea()[20 : 20 + SIDE, 95 : 95 + SIDE],
    "coffee": data.coffee()[20 : 20 + SIDE, 260 : 260 + SIDE],
    "rocket": data.rocket()[160 : 160 + SIDE, 190 : 190 + SIDE],
}

DAMAGES = (
    ("noise of a camera", "astronaut", "camera-noise", 3),
    ("JPEG", "coffee", "jpeg", 4),
    ("dithering", "cat", "dither", 3),
    ("low light", "coffee", "low-light", 3),
    ("rain", "cat", "rain", 3),
    ("haze", "rocket", "haze", 3),
    ("impulses", "astronaut", "salt-pepper", 3),
    ("scratches", "astronaut", "scratches", 3),
)
"""Title, crop, degradation and severity."""


def main() -> None:
    """Damage every crop, restore it without a word on what it has, and write both."""
    rows = -(-len(DAMAGES) // ACROSS)
    step, height = SIDE + GAP, TITLE + 2 * (SIDE + GAP)
    sheet = Image.new("RGB", (ACROSS * step - GAP, rows * height - GAP), "white")
    font = ImageFont.load_default(16)
    for number, (title, crop, damage, severity) in enumerate(DAMAGES):
        row, column = divmod(number, ACROSS)
        left, top = column * step, row * height
        damaged = restorecli.degrade_image(CROPS[crop], [{"name": damage, "severity": severity}], seed=3)
        restored = restorecli.restore_image(damaged)
        ImageDraw.Draw(sheet).text((left, top), title, "black", font)
        sheet.paste(Image.fromarray(damaged), (left, top + TITLE))
        sheet.paste(Image.fromarray(restored), (left, top + TITLE + SIDE + GAP))
    sheet.save(Path(__file__).with_suffix(".jpg"), quality=90)


if __name__ == "__main__":
    main()
