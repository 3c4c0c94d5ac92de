"""Slices of kept files are what the original has there, and only what they touch is read."""

import io
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lithify.codecs.arrays.codec import Arrays, ArraysParams
from lithify.codecs.arrays.containers.description import plain
from lithify.codecs.arrays.opened import LazyArray, as_file, open_arrays
from lithify.codecs.codec import Codec
from lithify.codecs.frame import FrameWriter, read_frame
from lithify.codecs.in_memory import MemorySource
from lithify.codecs.raw.zstd import Zstd
from lithify.errors import BadBytes
from tests.unit.codecs.arrays.files import (
    Nc3Variable,
    Numbers,
    fits,
    grib1,
    lzw,
    netcdf3,
    nifti,
    npy,
    smooth,
    tiff,
    zipped,
)
from tests.unit.codecs.arrays.test_containers import hdf5
from tests.unit.codecs.arrays.test_pieces import FRAME_BYTES, shorten

CUBE = smooth((24, 20, 30), "f4")


def kept(data: bytes, codec: Codec | None = None, *, length: int = 4 * FRAME_BYTES) -> io.BytesIO:
    """A frame of the file, cut into short pieces."""
    with pytest.MonkeyPatch.context() as patch:
        shorten(patch, length)
        writer = FrameWriter(out := io.BytesIO())
        used = Arrays(ArraysParams(effort="fast")) if codec is None else codec
        used.encode(MemorySource(data), writer.sink(used))
        writer.finish()
    return out


def climate() -> bytes:
    """A file with records, coordinates, fills and characters."""
    packed = {"scale_factor": 0.01, "_FillValue": np.int16(-1)}
    return netcdf3(
        [
            Nc3Variable("time", ["time"], np.arange(24.0), {"units": "days since 2000-01-01"}),
            Nc3Variable("lat", ["lat"], np.linspace(-60, 60, 20), {"units": "degrees_north"}),
            Nc3Variable("t", ["time", "lat", "lon"], CUBE, {"units": "K", "levels": np.array([1, 2, 3], "i4")}),
            Nc3Variable("packed", ["time", "lat", "lon"], smooth((24, 20, 30), "i2"), packed),
            Nc3Variable("level", ["level"], np.array([850, 500], "i4")),
            Nc3Variable("code", ["lat", "char"], np.frombuffer(b"abc" * 20, "S1").reshape(20, 3)),
        ]
    )


def model() -> bytes:
    """An HDF5 file of every layout."""

    def write(file: Any) -> None:
        file.attrs["title"] = "of a test"
        file["time"] = np.arange(24.0)
        file["time"].make_scale("time")
        file.create_dataset("t", data=CUBE, chunks=(2, 20, 30), compression="gzip", shuffle=True)
        file["t"].dims[0].attach_scale(file["time"])
        file["t"].attrs["units"] = "K"
        file.create_dataset("group/tiles", data=CUBE, chunks=(5, 7, 11))
        file["flat"] = CUBE.astype(">f8")
        file.create_dataset("lzf", data=CUBE, chunks=(4, 20, 30), compression="lzf")
        file.create_dataset("sparse", (50, 20, 30), "f4", chunks=(1, 20, 30), fillvalue=7.0)[3:9] = 1.5
        file["pairs"] = CUBE[0].astype("c8")
        file["words"] = np.array([b"one", b"two", b"three"])
        file["word"] = "text"

    return hdf5(write)


def expected_of(data: bytes) -> dict[str, Numbers]:
    h5py = pytest.importorskip("h5py")
    found: dict[str, Numbers] = {}
    with h5py.File(io.BytesIO(data)) as file:
        file.visititems(lambda name, item: found.update({name: item[()]} if isinstance(item, h5py.Dataset) else {}))
    return found


FILES: dict[str, tuple[Callable[[], bytes], Numbers]] = {
    "npy": (lambda: npy(CUBE), CUBE),
    "fortran": (lambda: npy(CUBE, fortran=True), CUBE),
    "nifti": (lambda: nifti(CUBE), CUBE.T),
    "fits": (lambda: fits([CUBE]), CUBE),
    "tiff": (lambda: tiff(list(CUBE)), CUBE),
    "deflated": (lambda: zipped({"values.npy": npy(CUBE[:4])}, compressed=True), CUBE[:4]),
    "wide": (lambda: npy(CUBE.reshape(2, 240, 30)), CUBE.reshape(2, 240, 30)),
}


@pytest.fixture(scope="module", params=FILES)
def opened(request: pytest.FixtureRequest) -> tuple[LazyArray, Numbers]:
    make, expected = FILES[request.param]
    return open_arrays(kept(make())).arrays["values"], expected


def spelled_out(data: bytes, end: tuple[int, ...] = (257,)) -> bytes:
    """LZW of bytes of which each is a phrase, and the table cleared before codes grow: any reader reads it."""
    codes = [code for at in range(0, len(data), 200) for code in (256, *data[at : at + 200])]
    bits = "".join(f"{code:09b}" for code in (*codes, *end))
    return int(bits.ljust(-(-len(bits) // 8) * 8, "0"), 2).to_bytes(-(-len(bits) // 8), "big")


ODD_STRIPS: dict[str, Callable[[bytes], bytes]] = {
    "short phrases": spelled_out,
    "no end": lambda data: spelled_out(data, ()),
    "a byte behind its end": lambda data: lzw(data) + b"?",
}


@pytest.mark.parametrize("predictor", [1, 2])
@pytest.mark.parametrize("odd", ODD_STRIPS)
def test_strips_that_do_not_close_again_are_read_all_the_same(predictor: int, odd: str) -> None:
    pages = smooth((3, 40, 64), "u2") // 4096
    strips = iter([lzw, ODD_STRIPS[odd], lzw])

    def packed(told: bytes) -> bytes:
        return next(strips)(told)

    file = open_arrays(kept(tiff(list(pages), predictor=predictor, packed=packed)))

    assert pages.tobytes() == file.arrays["values"][:].tobytes()


@given(st.lists(st.one_of(st.integers(-2, 1), st.slices(24), st.slices(6)), max_size=3))
@settings(max_examples=40, deadline=None)
def test_a_slice_is_that_of_the_original(opened: tuple[LazyArray, Numbers], parts: list[int | slice]) -> None:
    array, expected = opened
    assert expected.shape == array.shape
    wanted = expected[tuple(parts)]
    found = array[tuple(parts)]
    assert wanted.shape == found.shape
    assert np.array_equal(wanted, found)


@pytest.mark.parametrize("codec", [None, Zstd()], ids=["arrays", "zstd"])
def test_variables_of_netcdf_3_have_their_dimensions_and_attributes(codec: Codec | None) -> None:
    with open_arrays(kept(climate(), codec)) as file:
        assert ("netcdf3", {"title": "made for a test"}) == (file.container, file.attributes)
        assert ["time", "lat", "t", "packed", "level", "code"] == sorted(
            file.arrays, key=["time", "lat", "t", "packed", "level", "code"].index
        )
        t = file.arrays["t"]
        assert (("time", "lat", "lon"), {"units": "K", "levels": (1, 2, 3)}) == (t.dimensions, plain(t.attributes))
        assert np.array_equal(CUBE[7, ::2], t[7, ::2])
        assert np.array_equal(smooth((24, 20, 30), "i2")[3:15:4], file.arrays["packed"][3:15:4])
        assert np.array_equal(np.arange(24.0), file.arrays["time"][:])
        assert [850, 500] == file.arrays["level"][:].tolist()
        assert [b"b", b"c"] == file.arrays["code"][3, 1:].tolist()


def test_every_dataset_of_hdf5_can_be_sliced() -> None:
    data = model()
    expected = expected_of(data)
    with open_arrays(kept(data)) as file:
        assert expected.keys() == file.arrays.keys()
        assert {"title": "of a test"} == file.attributes
        assert (("time", "t_1", "t_2"), {"units": "K"}) == (file.arrays["t"].dimensions, file.arrays["t"].attributes)
        for name, values in expected.items():
            array = file.arrays[name]
            if array.shape:
                assert np.array_equal(values[1:3], array[1:3]), name
                assert np.array_equal(values[-1:0:-2], array[-1:0:-2]), name
                assert np.array_equal(values[2], array[2]), name
            else:
                assert values == array[()], name


def test_headers_have_everything_but_values_and_the_original_has_all() -> None:
    h5py = pytest.importorskip("h5py")
    data = model()
    with open_arrays(kept(data)) as file:
        with h5py.File(file.headers(), "r") as headers:
            assert ((24, 20, 30), "K") == (headers["t"].shape, headers["t"].attrs["units"])
            assert [b"one", b"two", b"three"] == headers["words"][:].tolist()
        assert data == file.original().read()
        assert len(data) == len(file.bytes_without(file.arrays))


def test_messages_of_grib_are_frames() -> None:
    frames = smooth((24, 20, 30), "u2") // 3
    with open_arrays(kept(grib1(frames, 12))) as file:
        (array,) = file.arrays.values()
        assert (24, 20, 30) == array.shape
        assert np.array_equal(array[:][5:20:3, 4], array[5:20:3, 4])


class Watched(io.BytesIO):
    """A file that counts what is read of it."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self.taken = 0

    def read(self, size: int | None = -1, /) -> bytes:
        found = super().read(size)
        self.taken += len(found)
        return found


def test_only_the_blocks_of_a_slice_are_read() -> None:
    noise = np.random.default_rng(1).normal(size=(96, 64, 64)).astype("f4")
    frame = kept(npy(noise), length=8 * 64 * 64 * 4).getvalue()
    watched = Watched(frame)
    array = open_arrays(watched).arrays["values"]
    opening = watched.taken
    assert np.array_equal(noise[50], array[50])
    assert watched.taken - opening < len(frame) // 5
    assert sum(array.chunks[0]) == 96
    assert len(array.chunks[0]) > 6


def test_a_source_can_be_opened_as_a_file_can() -> None:
    frame = kept(npy(CUBE)).getvalue()
    with open_arrays(as_file(MemorySource(frame))) as file:
        assert np.array_equal(CUBE[11], file.arrays["values"][11])


def test_changed_bytes_of_a_block_or_a_head_are_noticed_by_who_reads_them() -> None:
    data = npy(CUBE)
    frame = kept(data).getvalue()
    end = read_frame(io.BytesIO(frame)).chunks.payloads_end
    for at in range(6, end, 97):
        wrong = bytearray(frame)
        wrong[at] ^= 0x40
        try:
            found = open_arrays(io.BytesIO(bytes(wrong))).arrays["values"][:]
        except BadBytes:
            continue
        raise AssertionError(f"byte {at} was changed, and {np.count_nonzero(found != CUBE)} values with it")


def test_a_file_that_is_none_of_arrays_has_none() -> None:
    with open_arrays(kept(json.dumps({"no": "array"}).encode())) as file:
        assert (None, {}) == (file.container, file.arrays)


def test_stretches_of_an_array_are_as_long_as_it_is() -> None:
    with open_arrays(kept(model())) as file:
        for array in file.arrays.values():
            assert array.shape == tuple(map(sum, array.chunks)), array.name


def test_too_many_indices_are_refused() -> None:
    with open_arrays(kept(npy(CUBE))) as file, pytest.raises(IndexError, match="3 axes"):
        file.arrays["values"][1, 2, 3, 4]


def test_several_threads_may_read_one_file() -> None:
    with open_arrays(kept(climate())) as file, ThreadPoolExecutor(4) as pool:
        t, packed = file.arrays["t"], file.arrays["packed"]
        numbers = smooth((24, 20, 30), "i2")
        wanted = [step % 24 for step in range(60)]
        found = list(pool.map(lambda step: (t[step], packed[step]), wanted))
    for step, (one, other) in zip(wanted, found, strict=True):
        assert np.array_equal(CUBE[step], one)
        assert np.array_equal(numbers[step], other)


def test_arrays_without_names_are_numbered() -> None:
    data = grib1(smooth((3, 20, 30), "u2"), 16) + grib1(smooth((3, 10, 30), "u2", 1), 16, parameter=130)
    with open_arrays(kept(data)) as file:
        assert {"values": (3, 20, 30), "values_2": (3, 10, 30)} == {one.name: one.shape for one in file.arrays.values()}
