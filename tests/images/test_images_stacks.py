"""Files of several images: every plane comes in, and the stack goes out as one, by independent readers."""

from __future__ import annotations

import io
import re

import numpy as np
import pytest
import tifffile
from PIL import Image

from restorecli.errors import ImageError, UsageError
from restorecli.images.options import ReadOptions
from restorecli.images.reading import read_image
from restorecli.images.stacks import open_stack, write_stack
from restorecli.images.tiff_tags import descriptive_exif
from restorecli.images.writing import write_image

ALL = ReadOptions(frames="all")
RNG = np.random.default_rng(0)


def samples_of(shape, dtype=np.uint16):
    high = 1 if np.dtype(dtype).kind == "f" else min(4000, np.iinfo(dtype).max)
    return (RNG.random(shape) * high).astype(dtype)


def passed_on(source, target, options=ALL, **settings):
    """Read a stack plane by plane and write it."""
    stack = open_stack(source, options)
    assert stack is not None
    with stack:
        return write_stack(target, iter(stack), stack.layout, **settings)


def series(path):
    with tifffile.TiffFile(path) as file:
        return file.series[0].axes, file.series[0].shape, file.series[0].kind


@pytest.mark.parametrize("axes", ["TZCYX", "ZYX", "TYX", "CYX", "TCYX"])
@pytest.mark.parametrize("kind", ["ome", "imagej", "shaped"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_hyperstacks_keep_values_and_axes_as_tifffile_reads_them(tmp_path, axes, kind, dtype):
    shape = (*(2 + number for number in range(len(axes) - 2)), 10, 12)
    samples = samples_of(shape, dtype)
    name = "x.ome.tif" if kind == "ome" else "x.tif"
    (tmp_path / "out").mkdir()
    how = {"ome": kind == "ome", "imagej": kind == "imagej", "photometric": "minisblack"}
    tifffile.imwrite(tmp_path / name, samples, metadata={"axes": axes}, **how)
    assert passed_on(tmp_path / name, tmp_path / "out" / name) == ()
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "out" / name), samples)
    assert series(tmp_path / "out" / name) == series(tmp_path / name)


def test_the_words_of_imagej_come_back(tmp_path):
    samples = samples_of((2, 3, 2, 10, 12))
    words = {
        "axes": "TZCYX", "Info": "a note", "Labels": [f"plane {n}" for n in range(12)], "unit": "um",
        "spacing": 3.0, "finterval": 0.25, "min": 0.0, "max": 4000.0,
        "Ranges": (0.0, 4000.0, 0.0, 3000.0), "LUTs": [RNG.integers(0, 255, (3, 256)).astype(np.uint8)] * 2,
    }  # fmt: skip
    tifffile.imwrite(tmp_path / "x.tif", samples, imagej=True, metadata=words, resolution=(2.5, 2.5))
    assert passed_on(tmp_path / "x.tif", tmp_path / "y.tif") == ()
    with tifffile.TiffFile(tmp_path / "x.tif") as before, tifffile.TiffFile(tmp_path / "y.tif") as after:
        then, now = before.imagej_metadata, after.imagej_metadata
        assert then.keys() <= now.keys()
        for key, value in then.items():
            if key != "ImageJ":
                np.testing.assert_equal(now[key], value)
        assert after.pages.first.tags[282].value == before.pages.first.tags[282].value
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "y.tif"), samples)


def test_the_xml_of_ome_comes_back(tmp_path):
    samples = samples_of((2, 3, 2, 10, 12))
    words = {"axes": "TZCYX", "PhysicalSizeX": 0.25, "PhysicalSizeXUnit": "µm", "SignificantBits": 12}
    words["Channel"] = {"Name": ["DAPI", "GFP"]}
    tifffile.imwrite(tmp_path / "x.ome.tif", samples, ome=True, metadata=words)
    (tmp_path / "out").mkdir()
    target = tmp_path / "out" / "x.ome.tif"
    passed_on(tmp_path / "x.ome.tif", target)
    with tifffile.TiffFile(target) as after, tifffile.TiffFile(tmp_path / "x.ome.tif") as before:
        for word in ('Name="DAPI"', 'Name="GFP"', 'PhysicalSizeX="0.25"', 'SignificantBits="12"'):
            assert word in after.ome_metadata
            assert word in before.ome_metadata
        assert "UUID" not in after.ome_metadata
        assert after.series[0].axes == "TZCYX"
    np.testing.assert_array_equal(tifffile.imread(target), samples)


def test_an_imagej_stack_with_one_directory_for_all(tmp_path):
    """ImageJ writes stacks of more than 4 GiB so: only the first of the planes has a directory."""
    samples = samples_of((5, 10, 12))
    with tifffile.TiffWriter(tmp_path / "x.tif", imagej=True) as writer:
        writer.write(samples, metadata={"axes": "ZYX"})
    data = bytearray((tmp_path / "x.tif").read_bytes())
    with tifffile.TiffFile(tmp_path / "x.tif") as file:
        page = file.pages.first
        place = page.offset + 2 + 12 * len(page.tags)
        data[place : place + 4] = bytes(4)  # no directory follows
    (tmp_path / "x.tif").write_bytes(data)
    with tifffile.TiffFile(tmp_path / "x.tif") as file:
        assert len(file.pages) == 1
        np.testing.assert_array_equal(file.asarray(), samples)
    passed_on(tmp_path / "x.tif", tmp_path / "y.tif")
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "y.tif"), samples)


@pytest.mark.parametrize("kind", ["imagej", "ome"])
@pytest.mark.parametrize("frames", ["first", "2", "1..3"])
def test_chosen_planes_keep_the_resolution(tmp_path, kind, frames):
    """ImageJ states pixels per micrometer without a unit of TIFF's own, which is no number of dpi."""
    samples, options = samples_of((5, 10, 12)), ReadOptions(frames=frames)
    name = "x.ome.tif" if kind == "ome" else "x.tif"
    how = {"imagej": kind == "imagej", "ome": kind == "ome", "resolution": (3.5, 2.5), "resolutionunit": 1}
    tifffile.imwrite(tmp_path / name, samples, metadata={"axes": "ZYX"}, **how)
    if frames == "1..3":
        passed_on(tmp_path / name, tmp_path / "y.tif", options)
    else:
        write_image(tmp_path / "y.tif", read_image(tmp_path / name, options))
    with tifffile.TiffFile(tmp_path / "y.tif") as file:
        for page in file.pages:
            tags = page.aspage().tags
            assert [tags.valueof(number) for number in (282, 283)] == [(7, 2), (5, 2)]
            assert int(tags.valueof(296)) == 1
        assert file.pages.first.description == ""


def test_pages_of_different_sizes_stay_pages(tmp_path):
    pages = [samples_of((10 + number, 12, 3), np.uint8) for number in range(3)]
    with tifffile.TiffWriter(tmp_path / "x.tif") as writer:
        for page in pages:
            writer.write(page, photometric="rgb", metadata=None, description="a scan")
    passed_on(tmp_path / "x.tif", tmp_path / "y.tif")
    with tifffile.TiffFile(tmp_path / "y.tif") as file:
        assert len(file.pages) == 3
        for page, expected in zip(file.pages, pages, strict=True):
            np.testing.assert_array_equal(page.asarray(), expected)
        assert file.pages.first.description == "a scan"


@pytest.mark.parametrize("planar", ["contig", "separate"])
def test_channels_of_one_page_are_planes(tmp_path, planar):
    shape = (10, 12, 5) if planar == "contig" else (5, 10, 12)
    samples = samples_of(shape)
    tifffile.imwrite(tmp_path / "x.tif", samples, photometric="minisblack", planarconfig=planar)
    stack = open_stack(tmp_path / "x.tif", ALL)
    assert stack is not None
    with stack:
        assert len(stack) == 5
        assert all(image.channels == 1 for image in stack)
        write_stack(tmp_path / "y.tif", iter(stack), stack.layout)
    expected = samples.transpose(2, 0, 1) if planar == "contig" else samples
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "y.tif"), expected)
    assert series(tmp_path / "y.tif")[0] == "CYX"


def test_all_planes_share_one_scale(tmp_path):
    samples = np.stack([samples_of((10, 12)) // 20, samples_of((10, 12))])
    tifffile.imwrite(tmp_path / "x.tif", samples, photometric="minisblack", metadata={"axes": "TYX"})
    with open_stack(tmp_path / "x.tif", ALL) as stack:
        assert {image.traits.value_scale.white for image in stack} == {4095}
    assert read_image(tmp_path / "x.tif", ReadOptions(frames="0")).traits.value_scale.white == 4095


def test_a_pyramid_is_one_image_and_a_note(tmp_path):
    with tifffile.TiffWriter(tmp_path / "x.tif") as writer:
        for _ in range(2):
            writer.write(samples_of((64, 64), np.uint8), subifds=1, tile=(16, 16), metadata=None)
            writer.write(samples_of((32, 32), np.uint8), subfiletype=1, tile=(16, 16), metadata=None)
    losses = passed_on(tmp_path / "x.tif", tmp_path / "y.tif")
    assert losses == ("smaller copies (pyramid, thumbnails) are not written",)
    with tifffile.TiffFile(tmp_path / "y.tif") as file:
        assert [page.shape for page in file.pages] == [(64, 64), (64, 64)]


def animation(suffix: str, frames: int = 4, alpha: bool = False, **settings) -> bytes:
    scenes = [RNG.integers(0, 256, (8, 9, 4 if alpha else 3), dtype=np.uint8) for _ in range(frames)]
    if alpha:
        for image in scenes:
            image[..., 3] = np.where(image[..., 3] > 128, 255, 0)
    images = [Image.fromarray(image) for image in scenes]
    stream = io.BytesIO()
    how = {"duration": [100, 200, 300, 50][:frames], "loop": 3, **settings}
    images[0].save(stream, suffix, save_all=True, append_images=images[1:], **how)
    return stream.getvalue()


def shown(path):
    with Image.open(path) as image:
        frames = []
        for number in range(image.n_frames):
            image.seek(number)
            image.load()
            frames.append((image.info["duration"], np.asarray(image.convert("RGBA"))))
        return frames, image.info.get("loop")


@pytest.mark.parametrize(("suffix", "settings"), [("PNG", {}), ("GIF", {}), ("WEBP", {"lossless": True})])
@pytest.mark.parametrize("alpha", [False, True])
def test_animations_keep_frames_delays_and_rounds_as_pillow_shows_them(tmp_path, suffix, settings, alpha):
    (tmp_path / "x").write_bytes(animation(suffix, alpha=alpha, **settings))
    passed_on(tmp_path / "x", tmp_path / "y.png")
    (before, loop), (after, again) = shown(tmp_path / "x"), shown(tmp_path / "y.png")
    assert again == loop
    assert [delay for delay, _ in after] == [delay for delay, _ in before]
    for (_, expected), (_, found) in zip(before, after, strict=True):
        visible = expected[..., 3] > 0
        np.testing.assert_array_equal(found[..., 3], expected[..., 3])
        np.testing.assert_array_equal(found[visible], expected[visible])


def test_an_animated_webp_is_written_with_its_delays(tmp_path):
    (tmp_path / "x").write_bytes(animation("PNG"))
    passed_on(tmp_path / "x", tmp_path / "y.webp", quality=100)
    frames, loop = shown(tmp_path / "y.webp")
    assert [delay for delay, _ in frames] == [100, 200, 300, 50]
    assert loop == 3


def test_an_animation_of_16_bits(tmp_path):
    samples = samples_of((3, 10, 12), np.uint16) * 16
    tifffile.imwrite(tmp_path / "x.tif", samples, photometric="minisblack", metadata=None)
    passed_on(tmp_path / "x.tif", tmp_path / "y.png")
    passed_on(tmp_path / "y.png", tmp_path / "z.tif")
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "z.tif"), samples)


@pytest.mark.parametrize(
    ("frames", "expected"), [("0", [0]), ("2", [2]), ("1..3", [1, 2, 3]), ("0..4", range(5))]
)
def test_planes_are_chosen_by_number(tmp_path, frames, expected):
    samples = samples_of((5, 10, 12), np.uint8)
    tifffile.imwrite(tmp_path / "x.tif", samples, photometric="minisblack", metadata={"axes": "ZYX"})
    options = ReadOptions(frames=frames)
    if len(expected) == 1:
        image = read_image(tmp_path / "x.tif", options)
        np.testing.assert_array_equal(np.rint(image.pixels[0] * 255), samples[expected[0]])
        assert f"plane {frames} of 0 to 4" in image.traits.notes
        return
    losses = passed_on(tmp_path / "x.tif", tmp_path / "y.tif", options)
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "y.tif"), samples[list(expected)])
    assert bool(losses) == (len(expected) < 5)


@pytest.mark.parametrize("frames", ["5", "3..7", "4..2"])
def test_planes_that_are_not_there_are_named(tmp_path, frames):
    tifffile.imwrite(tmp_path / "x.tif", samples_of((5, 10, 12), np.uint8), photometric="minisblack")
    options = ReadOptions(frames=frames)
    read = open_stack if options.stack else read_image
    with pytest.raises(ImageError, match="no such frames") as caught:
        read(tmp_path / "x.tif", options)
    assert "0 to 4" in str(caught.value.expected)


@pytest.mark.parametrize("frames", ["", "some", "-1", "1..", "..2", "1..2..3", "1.5"])
def test_unknown_choices_of_frames_are_named(frames):
    with pytest.raises(UsageError, match="frames"):
        ReadOptions(frames=frames)


def test_a_single_image_is_no_stack_and_formats_of_one_refuse_several(tmp_path):
    Image.new("RGB", (9, 8)).save(tmp_path / "x.png")
    assert open_stack(tmp_path / "x.png", ALL) is None
    assert read_image(tmp_path / "x.png", ALL).size == (8, 9)
    (tmp_path / "y.png").write_bytes(animation("PNG"))
    with pytest.raises(ImageError, match="one image only"):
        passed_on(tmp_path / "y.png", tmp_path / "z.bmp")
    with pytest.raises(ImageError, match="several images"):
        read_image(tmp_path / "y.png")


def test_damaged_stacks_cost_one_file(tmp_path):
    data = animation("PNG")
    (tmp_path / "x.png").write_bytes(data[:200])
    with pytest.raises(ImageError):
        open_stack(tmp_path / "x.png", ALL)
    tifffile.imwrite(tmp_path / "x.tif", samples_of((5, 10, 12)), photometric="minisblack")
    whole = (tmp_path / "x.tif").read_bytes()
    for length in (10, 100, 300, len(whole) - 50):
        (tmp_path / "x.tif").write_bytes(whole[:length])
        with pytest.raises(ImageError):
            passed_on(tmp_path / "x.tif", tmp_path / "y.tif")
        assert not (tmp_path / "y.tif").exists()


@pytest.mark.parametrize("frames", ["0..1", "all"])
def test_pages_that_go_in_a_circle_cost_one_file(tmp_path, frames):
    file = tmp_path / "circle.tif"
    tifffile.imwrite(file, samples_of((3, 8, 9)), photometric="minisblack", metadata=None)
    with tifffile.TiffFile(file) as pages:
        first, *_, last = pages.pages
        start, end = first.offset, last.offset + 2 + 12 * len(last.tags)
    content = bytearray(file.read_bytes())
    content[end : end + 4] = start.to_bytes(4, "little")  # where the directory after the last one stands
    file.write_bytes(content)
    with pytest.raises(ImageError, match="in a circle"):
        open_stack(file, ReadOptions(frames=frames))
    with pytest.raises(ImageError, match="in a circle"):
        read_image(file, ReadOptions(frames="1"))


def test_a_page_that_is_its_own_next_one_costs_one_file(tmp_path):
    file = tmp_path / "circle.tif"
    tifffile.imwrite(file, samples_of((2, 8, 9)), photometric="minisblack", metadata=None)
    with tifffile.TiffFile(file) as pages:
        start, end = pages.pages[1].offset, pages.pages[1].offset + 2 + 12 * len(pages.pages[1].tags)
    content = bytearray(file.read_bytes())
    content[end : end + 4] = start.to_bytes(4, "little")
    file.write_bytes(content)
    with pytest.raises(ImageError, match="in a circle"):
        open_stack(file, ALL)


@pytest.mark.parametrize("options", [ALL, ReadOptions(frames="1")])
def test_a_frame_that_promises_gigapixels_costs_one_file(tmp_path, options):
    """Pillow's own error for it is none of those that decoders otherwise raise."""
    data = bytearray(animation("GIF"))
    control = [found.end() for found in re.finditer(rb"\x21\xf9\x04.{4}\x00\x2c", data, re.DOTALL)]
    data[control[1] + 4 : control[1] + 8] = b"\xff\xff\xff\xff"  # the size of the second frame
    (tmp_path / "x.gif").write_bytes(data)
    with pytest.raises(ImageError):
        open_stack(tmp_path / "x.gif", options) or read_image(tmp_path / "x.gif", options)


def test_a_still_gif_is_read(tmp_path):
    image = Image.fromarray(RNG.integers(0, 256, (8, 9), dtype=np.uint8))
    image.save(tmp_path / "x.gif")
    loaded = read_image(tmp_path / "x.gif")
    with Image.open(tmp_path / "x.gif") as opened:
        np.testing.assert_array_equal(
            np.rint(loaded.pixels * 255), np.asarray(opened.convert("RGB")).transpose(2, 0, 1)
        )


@pytest.mark.parametrize("kind", ["imagej", "ome", "shaped"])
@pytest.mark.parametrize("frames", ["first", "1"])
def test_one_plane_does_not_say_that_it_is_a_stack(tmp_path, kind, frames):
    planes = RNG.integers(0, 4096, (2, 5, 8, 9), dtype=np.uint16)
    tifffile.imwrite(
        tmp_path / f"x.{'ome.' if kind == 'ome' else ''}tif",
        planes,
        imagej=kind == "imagej",
        metadata={"axes": "TZYX"},
    )
    (source,) = tmp_path.iterdir()
    write_image(tmp_path / "y.tif", read_image(source, ReadOptions(frames=frames)))
    with tifffile.TiffFile(tmp_path / "y.tif") as file:
        assert file.asarray().shape == (8, 9)
        assert np.array_equal(file.asarray(), planes[0, int(frames == "1")])


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("ImageJ=1.54f\nunit=um\n", True),
        ("ImageJ=1.54f\nimages=1\nunit=um\n", True),
        ("ImageJ=1.54f\nimages=2\n", False),
        ('{"shape": [9, 8]}', False),
        ('<OME><Pixels SizeC="3" SizeT="1" SizeZ="1"><Channel SamplesPerPixel="3"/></Pixels></OME>', True),
        ('<OME><Pixels SizeC="3" SizeT="1" SizeZ="1"><Channel SamplesPerPixel="1"/></Pixels></OME>', False),
        ('<OME><Pixels SizeC="1" SizeT="4" SizeZ="1"/></OME>', False),
        ("a stack of images=7", True),
    ],
)
def test_a_description_of_one_image_is_kept(text, kept):
    stream = io.BytesIO()
    tifffile.imwrite(stream, np.zeros((8, 9), np.uint8), description=text, metadata=None)
    assert (text.encode() in (descriptive_exif(stream.getvalue()) or b"")) == kept


@pytest.mark.parametrize("frames", ["all", "0"])
@pytest.mark.parametrize("mode", ["CMYK", "LAB", "P"])
def test_one_page_of_other_colors_is_read_as_any_image(tmp_path, frames, mode):
    colors = Image.fromarray(RNG.integers(0, 255, (20, 24, 3), dtype=np.uint8))
    colors.convert("RGB").convert(mode).save(tmp_path / "x.tif")
    options = ReadOptions(frames=frames, to_srgb=True)
    assert frames == "0" or open_stack(tmp_path / "x.tif", options) is None
    image = read_image(tmp_path / "x.tif", options)
    plain = read_image(tmp_path / "x.tif", ReadOptions(to_srgb=True))
    np.testing.assert_array_equal(image.pixels, plain.pixels)


def test_pages_of_other_colors_are_refused_with_what_takes_one(tmp_path):
    page = Image.fromarray(RNG.integers(0, 255, (20, 24, 3), dtype=np.uint8)).convert("CMYK")
    page.save(tmp_path / "x.tif", save_all=True, append_images=[page])
    with pytest.raises(ImageError, match="not processed") as caught:
        open_stack(tmp_path / "x.tif", ReadOptions(frames="all", to_srgb=True))
    assert "--frames first" in caught.value.hint
    assert read_image(tmp_path / "x.tif", ReadOptions(frames="first", to_srgb=True)).pixels.shape == (
        3,
        20,
        24,
    )


@pytest.mark.parametrize("frames", ["all", "0"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_what_is_left_of_one_png_is_read_whichever_frames_are_asked_for(tmp_path, frames, dtype):
    Image.fromarray(samples_of((64, 64), dtype)).save(tmp_path / "x.png")
    content = (tmp_path / "x.png").read_bytes()
    (tmp_path / "x.png").write_bytes(content[: len(content) // 2])
    options = ReadOptions(frames=frames, allow_truncated=True)
    assert open_stack(tmp_path / "x.png", options) is None
    assert read_image(tmp_path / "x.png", options).pixels.shape == (1, 64, 64)
    with pytest.raises(ImageError, match="cut short"):
        read_image(tmp_path / "x.png", ReadOptions(frames=frames))


def test_a_frame_that_one_image_has_not_is_refused(tmp_path):
    Image.fromarray(samples_of((8, 8), np.uint8)).save(tmp_path / "x.png")
    with pytest.raises(ImageError, match="no such frames"):
        read_image(tmp_path / "x.png", ReadOptions(frames="3"))
