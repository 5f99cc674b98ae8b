"""Stacks of frames: read what programs write, refuse what is no stack by one sentence."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import h5py
import numpy as np
import pytest
import tifffile
from PIL import Image

from nmcsim.errors import InputError, RunFailure
from nmcsim.imaging.stack import Stack, write_stack

PIXEL = 34.7e-9
K, H, W = 5, 20, 30


@pytest.fixture
def frames() -> np.ndarray:
    return np.random.default_rng(1).integers(0, 60000, (K, H, W)).astype(np.uint16)


def same(stack: Stack, frames: np.ndarray) -> None:
    """Every way to read gives the frames."""
    assert stack.shape == frames.shape and len(stack) == len(frames)
    assert stack.frame(0).dtype == np.float32
    for i in (0, 2, -1):
        np.testing.assert_array_equal(stack.frame(i), frames[i].astype(np.float32))
    got = list(stack.chunks(2))
    assert [first for first, _ in got] == list(range(0, len(frames), 2))
    np.testing.assert_array_equal(np.concatenate([part for _, part in got]), frames)


def test_what_is_written_is_read_back(tmp_path: Path, frames: np.ndarray) -> None:
    path = tmp_path / "a.ome.tif"
    time = np.array([0.0, 1.5, 3.0, 4.5, 6.0])
    write_stack(
        path, iter(frames), pixel=PIXEL, time=time, description="a µm", metadata={"seed": "7"}
    )
    stack = Stack.open(path)
    same(stack, frames)
    assert stack.pixel == pytest.approx(PIXEL, rel=1e-12)
    np.testing.assert_allclose(stack.time, time, rtol=1e-12)
    assert (stack.description, stack.metadata["seed"]) == ("a µm", "7")
    assert list(tmp_path.iterdir()) == [path]  # nothing beside it


def test_ome_xml_has_what_the_schema_requires(tmp_path: Path, frames: np.ndarray) -> None:
    path = write_stack(tmp_path / "a.ome.tif", frames, pixel=PIXEL, time=[0, 2, 4, 6, 8])
    with tifffile.TiffFile(path) as file:
        assert file.is_ome and not file.is_bigtiff and len(file.pages) == K
        assert (file.series[0].axes, file.series[0].shape) == ("TYX", (K, H, W))
        root = ElementTree.fromstring(file.ome_metadata)
        tags = file.pages[0].tags
        # what ImageJ goes by without Bio-Formats: pixels per centimetre
        per_cm = tags["XResolution"].value
        assert per_cm[0] / per_cm[1] == pytest.approx(1e-2 / PIXEL, rel=1e-6)
        assert tags["ResolutionUnit"].value == 3
    ns = "{http://www.openmicroscopy.org/Schemas/OME/2016-06}"
    assert root.tag == f"{ns}OME"
    image = root.find(f"{ns}Image")
    assert image is not None and image.attrib["ID"] == "Image:0"
    pixels = image.find(f"{ns}Pixels")
    assert pixels is not None
    # attributes that the schema requires of Pixels
    required = {
        "ID": "Pixels:0", "DimensionOrder": "XYCZT", "Type": "uint16",
        "SizeX": "30", "SizeY": "20", "SizeZ": "1", "SizeC": "1", "SizeT": "5",
    }  # fmt: skip
    said = {
        "PhysicalSizeX": "0.0347", "PhysicalSizeXUnit": "µm", "PhysicalSizeY": "0.0347",
        "TimeIncrement": "2.0", "TimeIncrementUnit": "s",
    }  # fmt: skip
    for key, value in (required | said).items():
        assert pixels.attrib[key] == value
    kinds = [child.tag.removeprefix(ns) for child in pixels]
    assert kinds == ["Channel", "TiffData"] + ["Plane"] * K  # the order of the schema
    planes = pixels.findall(f"{ns}Plane")
    assert [float(p.attrib["DeltaT"]) for p in planes] == [0, 2, 4, 6, 8]
    assert [p.attrib["TheT"] for p in planes] == ["0", "1", "2", "3", "4"]


def test_uneven_times_have_no_increment(tmp_path: Path, frames: np.ndarray) -> None:
    path = write_stack(tmp_path / "a.tif", frames, pixel=PIXEL, time=[0, 1, 4, 6, 8])
    with tifffile.TiffFile(path) as file:
        assert "TimeIncrement" not in file.ome_metadata
    np.testing.assert_array_equal(Stack.open(path).time, [0, 1, 4, 6, 8])


def test_writing_rounds_and_clips(tmp_path: Path) -> None:
    values = np.array([[[-3.0, 0.4, 0.6, 70000.0]], [[1.0, 2.0, 3.0, 4.0]]])
    path = write_stack(tmp_path / "a.tif", values, pixel=PIXEL, time=[0, 1])
    np.testing.assert_array_equal(Stack.open(path).frame(0), [[0, 0, 1, 65535]])
    path = write_stack(tmp_path / "f.tif", values, pixel=PIXEL, time=[0, 1], dtype="float32")
    np.testing.assert_array_equal(Stack.open(path).frame(0), values[0].astype(np.float32))


def test_writing_refuses(tmp_path: Path, frames: np.ndarray) -> None:
    with pytest.raises(InputError, match="name it FILE.ome.tif"):
        write_stack(tmp_path / "a.png", frames, pixel=PIXEL, time=range(K))
    with pytest.raises(RunFailure, match="could not be written"):
        write_stack(tmp_path / "no" / "a.tif", frames, pixel=PIXEL, time=range(K))
    for count in (K - 1, K + 1):
        with pytest.raises(ValueError, match="another number of frames"):
            write_stack(tmp_path / "a.tif", frames, pixel=PIXEL, time=range(count))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("unit", "size"), [("\\u00B5m", 1e-6), ("micron", 1e-6), ("nm", 1e-9)])
def test_imagej_hyperstack(tmp_path: Path, frames: np.ndarray, unit: str, size: float) -> None:
    path = tmp_path / "a.tif"
    per = size / PIXEL
    tifffile.imwrite(
        path, frames, imagej=True, byteorder=">", resolution=(per, per),
        metadata={"axes": "TYX", "unit": unit, "finterval": 2.5, "tunit": "sec"},
    )  # fmt: skip
    stack = Stack.open(path)
    same(stack, frames)
    assert stack.pixel == pytest.approx(PIXEL, rel=1e-4)  # tags are ratios of whole numbers
    np.testing.assert_allclose(stack.time, 2.5 * np.arange(K))


def test_plain_and_compressed_tiff(tmp_path: Path, frames: np.ndarray) -> None:
    for name, how in (("raw", {}), ("zip", {"compression": "zlib"}), ("tile", {"tile": (16, 16)})):
        path = tmp_path / f"{name}.tif"
        tifffile.imwrite(path, frames, metadata=None, **how)
        same(Stack.open(path, pixel=PIXEL, interval=1.0), frames)


def test_resolution_for_printers_is_no_pixel_size(tmp_path: Path, frames: np.ndarray) -> None:
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, frames, resolution=(72, 72), resolutionunit="INCH")
    with pytest.raises(InputError, match='has no pixel size; say --pixel "34.7 nm"'):
        Stack.open(path, interval=1.0)
    tifffile.imwrite(path, frames, resolution=(2e5, 2e5), resolutionunit="CENTIMETER")
    assert Stack.open(path, interval=1.0).pixel == pytest.approx(50e-9)


def test_pages_written_one_by_one(tmp_path: Path, frames: np.ndarray) -> None:
    # some programs append a page at a time, each a series of its own to tifffile
    path = tmp_path / "a.tif"
    with tifffile.TiffWriter(path) as file:
        for frame in frames:
            file.write(frame, contiguous=False)
    same(Stack.open(path, pixel=PIXEL, interval=1.0), frames)


def test_folder_of_numbered_frames(tmp_path: Path) -> None:
    values = np.random.default_rng(2).random((11, H, W)).astype(np.float32)
    for i, frame in enumerate(values):
        tifffile.imwrite(tmp_path / f"img_{i}.tif", frame)  # 10 comes after 9
    same(Stack.open(tmp_path, pixel=PIXEL, interval=1.0), values)
    tifffile.imwrite(tmp_path / "img_5.tif", values[0, :-1])
    with pytest.raises(InputError, match="img_5.tif: has 19 x 30 pixels, the first frame"):
        Stack.open(tmp_path, pixel=PIXEL, interval=1.0).frame(5)


def test_hdf5(tmp_path: Path, frames: np.ndarray) -> None:
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        data = file.create_dataset("run/frames", data=frames, chunks=(1, H, W), compression="gzip")
        data.attrs["pixel"] = "34.7 nm"
        file["run/time"] = np.arange(K) / 60.0
        file["run/time"].attrs["unit"] = "min"
    stack = Stack.open(path)
    same(stack, frames)
    assert stack.pixel == pytest.approx(PIXEL)
    np.testing.assert_allclose(stack.time, np.arange(K))
    del stack  # closes the file
    with h5py.File(path, "a") as file:
        file["other"] = frames[:, None].astype(np.float64)
        file["other"].attrs["element_size_um"] = [1.0, 0.05, 0.05]
    with pytest.raises(InputError, match="has several stacks; say which dataset; it has other "):
        Stack.open(path)
    with pytest.raises(InputError, match=r'has no dataset "x"; it has other \(5 x 1 x 20 x 30\), '):
        Stack.open(path, dataset="x")
    stack = Stack.open(path, dataset="/other", interval=2.0)
    same(stack, frames)
    assert stack.pixel == pytest.approx(50e-9)


def test_npy(tmp_path: Path, frames: np.ndarray) -> None:
    for order in ("C", "F"):
        np.save(tmp_path / "a.npy", np.asarray(frames, order=order))
        same(Stack.open(tmp_path / "a.npy", pixel=PIXEL, times=range(K)), frames)


def test_given_numbers_come_before_those_of_the_file(tmp_path: Path, frames: np.ndarray) -> None:
    path = write_stack(tmp_path / "a.tif", frames, pixel=PIXEL, time=range(K))
    stack = Stack.open(path, pixel=50e-9, interval=10.0)
    assert stack.pixel == 50e-9
    np.testing.assert_array_equal(stack.time, 10.0 * np.arange(K))


@pytest.mark.parametrize(
    ("array", "sentence"),
    [
        (np.zeros((3, 4, 4), bool), "holds truth values; a stack holds intensities"),
        (np.zeros((3, 4, 4), complex), "holds complex numbers"),
        (np.zeros((4, 4)), r"is a single frame \(4 x 4 pixels\)"),
        (np.zeros((1, 4, 4)), r"is a single frame \(1 x 4 x 4\)"),
        (np.zeros((2, 3, 4, 4)), r"has 4 axes \(2 x 3 x 4 x 4\); a stack has three"),
        (np.zeros((9, 8, 3)), "is a colour picture"),
        (np.zeros((0, 4, 4)), "is empty"),
        (np.zeros(7), "has 1 axes"),
    ],
)
def test_arrays_that_are_no_stacks(tmp_path: Path, array: np.ndarray, sentence: str) -> None:
    with pytest.raises(InputError, match=f"^stack: {sentence}"):
        Stack.of(array, PIXEL, np.arange(len(array)))
    np.save(tmp_path / "a.npy", array)
    with pytest.raises(InputError, match=f"a.npy: {sentence}"):
        Stack.open(tmp_path / "a.npy", pixel=PIXEL, interval=1.0)


def test_times_and_pixels_that_cannot_be(frames: np.ndarray) -> None:
    with pytest.raises(InputError, match="times that do not rise: frame 1 at 2 s, frame 2 at 2 s"):
        Stack.of(frames, PIXEL, [0, 2, 2, 3, 4])
    with pytest.raises(InputError, match="has 5 frames but 4 times; give one for each"):
        Stack.of(frames, PIXEL, [0, 2, 3, 4])
    with pytest.raises(InputError, match="a pixel size is above 0"):
        Stack.of(frames, 0.0, range(K))
    with pytest.raises(IndexError, match="frame 5 of 5"):
        Stack.of(frames, PIXEL, range(K)).frame(5)


def test_files_that_are_no_stacks(tmp_path: Path, frames: np.ndarray) -> None:
    def refused(name: str, sentence: str, **how: object) -> None:
        given = {"pixel": PIXEL, "interval": 1.0} | how
        with pytest.raises(InputError, match=sentence) as caught:
            Stack.open(tmp_path / name, **given)  # type: ignore[arg-type]
        assert "\n" not in str(caught.value) and name in str(caught.value)

    refused("none.tif", "does not exist")
    (tmp_path / "empty.tif").write_bytes(b"")
    refused("empty.tif", "is empty; copy it again")
    (tmp_path / "text.tif").write_text("no picture")
    refused("text.tif", "is no readable TIFF file")
    (tmp_path / "text.h5").write_text("no picture")
    refused("text.h5", "cannot be read as HDF5")
    (tmp_path / "text.npy").write_text("no picture")
    refused("text.npy", "cannot be read as .npy")
    (tmp_path / "a.mp4").write_text("no picture")
    refused("a.mp4", 'has the ending ".mp4"')
    (tmp_path / "folder").mkdir()
    refused("folder", "is a folder without TIFF files")
    (tmp_path / "folder" / "summary.json").write_text("{}")
    refused("folder", "is a result and no stack; film it first")
    with h5py.File(tmp_path / "flat.h5", "w") as file:
        file["line"] = np.zeros(4)
    refused("flat.h5", r"has no dataset with three axes; say which dataset; it has line \(4\)")
    tifffile.imwrite(tmp_path / "rgb.tif", np.zeros((4, 8, 8, 3), np.uint8), photometric="rgb")
    refused("rgb.tif", r"is a colour picture \(RGB\)")
    tifffile.imwrite(tmp_path / "bits.tif", np.zeros((4, 8, 8), bool))
    refused("bits.tif", "holds truth values")
    tifffile.imwrite(tmp_path / "one.tif", frames[0])
    refused("one.tif", "is a single frame")
    tifffile.imwrite(tmp_path / "z.tif", np.zeros((2, 3, 8, 8), np.uint8), imagej=True)
    refused("z.tif", "has 4 axes .*; save one channel and one depth")
    with tifffile.TiffWriter(tmp_path / "sizes.tif") as file:
        for n in (8, 9):
            file.write(np.zeros((n, 8), np.uint8))
    refused("sizes.tif", "has frames of different sizes")
    tifffile.imwrite(tmp_path / "plain.tif", frames)
    refused("plain.tif", "has no pixel size", pixel=None)
    refused("plain.tif", 'says no times of its frames; say --interval "2 s"', interval=None)
    refused("plain.tif", "an interval is above 0", interval=0.0)
    refused("plain.tif", "is no HDF5 file; leave the dataset", dataset="x")
    per_cm = (2e5, 3e5)
    tifffile.imwrite(tmp_path / "w.tif", frames, resolution=per_cm, resolutionunit="CENTIMETER")
    refused("w.tif", "has pixels of 50 nm x 33.33 nm; only square ones", pixel=None)


@pytest.mark.parametrize("kind", ["ome", "imagej", "zlib"])
@pytest.mark.parametrize("share", [0.02, 0.3, 0.5, 0.99])
def test_files_cut_short(tmp_path: Path, frames: np.ndarray, kind: str, share: float) -> None:
    path = tmp_path / "a.tif"
    if kind == "ome":
        write_stack(path, frames, pixel=PIXEL, time=range(K))
    else:
        how = {"imagej": True} if kind == "imagej" else {"compression": "zlib"}
        tifffile.imwrite(path, frames, **how)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(InputError, match="a.tif: (is cut short|is no readable TIFF|cannot be)"):
        for _ in Stack.open(path, pixel=PIXEL, interval=1.0).chunks():
            pass


def test_pages_of_several_kinds_are_refused(tmp_path: Path, frames: np.ndarray) -> None:
    with tifffile.TiffWriter(tmp_path / "kinds.tif") as file:
        for frame in (frames[0], frames[1].astype("float32")):
            file.write(frame, photometric="minisblack")
    with pytest.raises(InputError, match=r"several kinds \(float32 and uint16\); save them alike"):
        Stack.open(tmp_path / "kinds.tif", pixel=PIXEL, interval=1.0)
    folder = tmp_path / "folder"
    folder.mkdir()
    for i, kind in enumerate(("uint16", "uint16", "float32")):
        tifffile.imwrite(folder / f"{i}.tif", frames[i].astype(kind), photometric="minisblack")
    with pytest.raises(InputError, match=r"2.tif: holds float32, the first frame .* uint16; save"):
        Stack.open(folder, pixel=PIXEL, interval=1.0).frame(2)


def test_inverted_and_packed_pictures_are_refused(tmp_path: Path, frames: np.ndarray) -> None:
    given = {"pixel": PIXEL, "interval": 1.0}
    tifffile.imwrite(tmp_path / "white.tif", frames, photometric="miniswhite")
    with pytest.raises(InputError, match="white.tif: counts white as 0"):
        Stack.open(tmp_path / "white.tif", **given)
    pictures = [Image.fromarray((frame // 256).astype("uint8")) for frame in frames]
    (tmp_path / "lzw").mkdir()
    for name, more in (("lzw.tif", pictures[1:]), ("lzw/0.tif", []), ("lzw/1.tif", [])):
        pictures[0].save(tmp_path / name, save_all=True, append_images=more, compression="tiff_lzw")
    for name in ("lzw.tif", "lzw"):
        with pytest.raises(InputError, match="is compressed by LZW, .* without compression"):
            Stack.open(tmp_path / name, **given)
