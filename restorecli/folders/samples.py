"""The built-in sample photographs: real images by category that ship inside scikit-image's wheel."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from restorecli.catalogs import did_you_mean
from restorecli.errors import DataError
from restorecli.images.image import FileTraits, ImageData
from restorecli.images.reading import read_image

LOCATOR = "sample:"
"""How a locator of a sample begins: `sample:CATEGORY/NAME`."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One built-in image.

    Attributes:
        name: Its name, e.g. "astronaut": the file name that scikit-image gives it.
        category: What kind of image it is, e.g. "photographs".
        file: Its file inside scikit-image's data folder.
        crop: Side of the central square that is used of a large image, or None for all of it.
    """

    name: str
    category: str
    file: str
    crop: int | None = None

    @property
    def relative(self) -> PurePosixPath:
        """Where the sample stands in a tree of samples: CATEGORY/NAME.png."""
        return PurePosixPath(self.category, f"{self.name}.png")

    @property
    def locator(self) -> str:
        """How a manifest names it: `sample:CATEGORY/NAME`."""
        return f"{LOCATOR}{self.category}/{self.name}"


_SAMPLES = (
    Sample("hubble_deep_field", "astronomy", "hubble_deep_field.jpg", crop=512),
    Sample("moon", "astronomy", "moon.png"),
    Sample("page", "documents", "page.png"),
    Sample("text", "documents", "text.png"),
    Sample("microaneurysms", "medical", "microaneurysms.png"),
    Sample("retina", "medical", "retina.jpg", crop=512),
    Sample("cell", "microscopy", "cell.png"),
    Sample("ihc", "microscopy", "ihc.png"),
    Sample("coins", "objects", "coins.png"),
    Sample("motorcycle_left", "objects", "motorcycle_left.png"),
    Sample("astronaut", "photographs", "astronaut.png"),
    Sample("camera", "photographs", "camera.png"),
    Sample("chelsea", "photographs", "chelsea.png"),
    Sample("coffee", "photographs", "coffee.png"),
    Sample("rocket", "photographs", "rocket.jpg"),
    Sample("brick", "textures", "brick.png"),
    Sample("grass", "textures", "grass.png"),
    Sample("gravel", "textures", "gravel.png"),
)


def sample_files() -> list[Sample]:
    """Return the samples, sorted by category and name."""
    return list(_SAMPLES)


def find_sample(name: str) -> Sample:
    """Return the sample called `name`, which may be "astronaut", "photographs/astronaut" or a locator.

    Raises:
        DataError: There is no such sample.
    """
    wanted = name.removeprefix(LOCATOR)
    for sample in _SAMPLES:
        if wanted in (sample.name, f"{sample.category}/{sample.name}"):
            return sample
    names = [sample.name for sample in _SAMPLES]
    raise DataError(
        "There is no such sample image.",
        expected=", ".join(names),
        got=repr(name),
        hint=did_you_mean(wanted.rpartition("/")[2], names),
    )


def read_sample(name: str) -> ImageData:
    """Read one sample: gray stays gray, pixels are as published; a large one is its central square.

    Args:
        name: A name or locator that `find_sample` knows.

    Returns:
        The image, to be written as 8-bit PNG, without camera metadata.

    Raises:
        DataError: There is no such sample, or scikit-image is installed without its data.
        ImageError: The file cannot be read.
    """
    sample = find_sample(name)
    image = read_image(_data_folder() / sample.file)
    pixels = image.pixels
    if sample.crop is not None:
        height, width = image.size
        top, left = (height - sample.crop) // 2, (width - sample.crop) // 2
        pixels = pixels[:, top : top + sample.crop, left : left + sample.crop].copy()
    return ImageData(pixels, FileTraits(icc=image.traits.icc))


def _data_folder() -> Path:
    found = importlib.util.find_spec("skimage")  # not imported: its data folder is all that is needed
    if found is None or found.origin is None or not (folder := Path(found.origin).parent / "data").is_dir():
        raise DataError(
            "The sample images are not installed.",
            expected="scikit-image with its data folder",
            hint="pip install --force-reinstall scikit-image, or name a folder of your own images",
        )
    return folder
