"""Every container's reader finds the values where the container has them, and leaves alone what it cannot vouch for."""

import io
import json
import random
import struct
import tracemalloc
import zlib
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lithify import limits
from lithify.codecs.arrays import lzw_strips
from lithify.codecs.arrays.containers.find import arrays_in, described, left_in, streams_in, variables_in
from lithify.codecs.arrays.containers.grib import messages_of
from lithify.codecs.arrays.containers.variable import Variable
from lithify.codecs.arrays.inflated import Place, _opened, inflate
from lithify.codecs.arrays.payload import INFLATED, encode_file, open_payload
from lithify.codecs.arrays.pieces import structure_of
from lithify.codecs.arrays.rows import Rows
from lithify.codecs.arrays.streams import pack_streams, parse_streams
from lithify.codecs.arrays.wire import Reader
from lithify.errors import BadBytes, Corrupt
from tests.examples import examples
from tests.unit.codecs.arrays.files import (
    Nc3Variable,
    Numbers,
    fits,
    grib1,
    grib2,
    grouped,
    lzw,
    netcdf3,
    nifti,
    npy,
    second_order,
    smooth,
    tiff,
    zipped,
)

CUBE = smooth((5, 20, 30), "f4")
PAGES = [smooth((21, 30), "u2", seed) for seed in range(3)]
PACKED = smooth((8, 20, 24), "u2") // 3
TABLE = np.rec.fromarrays(
    [smooth((60,), "f4"), np.full(60, b"label"), smooth((60, 3), "f8")],
    dtype=[("a", ">f4"), ("s", "S5"), ("v", ">f8", (3,))],
)


def climate(**settings: Any) -> bytes:
    """A NetCDF 3 file as models write them."""
    variables = [
        Nc3Variable("time", ["time"], np.arange(6.0), {"units": "days since 2000-01-01"}),
        Nc3Variable("lat", ["lat"], np.linspace(-80, 80, 20).astype("f4"), {"units": "degrees_north"}),
        Nc3Variable("height", ["lat", "lon"], smooth((20, 31), "f4", 3), {"units": "m"}),
        Nc3Variable("lon2d", ["lat", "lon"], smooth((20, 31), "f8", 4), {"units": "degrees_east"}),
        Nc3Variable("code", ["time", "char"], np.full((6, 7), b"x")),
        Nc3Variable("t2m", ["time", "lat", "lon"], smooth((6, 20, 31), "f4"), {"_FillValue": np.float32(1e20)}),
        Nc3Variable("sst", ["time", "lat", "lon"], smooth((6, 20, 31), "i2", 1), {"scale_factor": 0.01}),
        Nc3Variable("flag", ["time", "lat", "lon"], smooth((6, 20, 31), "i1", 2)),
    ]
    return netcdf3(variables, **settings)


def found(data: bytes) -> dict[str, Variable]:
    return {variable.name: variable for variable in arrays_in(data)}


def values(data: bytes) -> list[Numbers]:
    return [variable.extent.gather(data) for variable in arrays_in(data)]


def assert_are(data: bytes, *expected: Numbers) -> None:
    """Those are the arrays of the file, bit for bit."""
    read = values(data)
    assert [array.shape for array in expected] == [array.shape for array in read]
    for one, other in zip(expected, read, strict=True):
        assert np.ascontiguousarray(one).astype(other.dtype).tobytes() == other.tobytes()


# --- one container after the other --------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["u1", "<i2", ">i2", "<u4", ">i8", "<f2", ">f4", "<f8", "?"])
def test_a_numpy_file_has_one_array(dtype: str) -> None:
    array = (smooth((4, 9, 11), "f4") * 50).astype(dtype)
    assert_are(npy(array), array)


def test_a_numpy_file_in_fortran_order_has_its_axes_turned_round() -> None:
    assert_are(npy(CUBE, fortran=True), CUBE.T)


@pytest.mark.parametrize("version", [(1, 0), (2, 0), (3, 0)])
def test_every_version_of_numpy_files_is_read(version: tuple[int, int]) -> None:
    assert_are(npy(CUBE, version=version), CUBE)


def test_complex_numbers_are_pairs_and_fields_are_arrays_of_their_own() -> None:
    pairs = smooth((6, 40), "f4") + 1j * smooth((6, 40), "f4", 1)
    assert_are(npy(pairs.astype("c8")), pairs.astype("c8").view("f4").reshape(6, 40, 2))
    assert_are(npy(np.asarray(TABLE)), TABLE["a"], TABLE["v"])


@pytest.mark.parametrize(
    "array",
    [np.empty((0, 5)), np.array(3.5), np.full(90, "text"), np.full(90, "2026-11-26", "M8[D]"), np.zeros((7, 0), "u1")],
    ids=["empty", "no axes", "text", "dates", "empty bytes"],
)
def test_what_is_no_array_of_numbers_worth_the_trouble_is_left_alone(array: Numbers) -> None:
    assert [] == arrays_in(npy(array))


def test_uncompressed_members_of_a_zip_file_are_arrays() -> None:
    members = {"a.npy": npy(CUBE), "readme.txt": b"words", "b.npy": npy(CUBE.astype("f8"))}
    assert_are(zipped(members), CUBE, CUBE.astype("f8"))
    assert [] == arrays_in(zipped(members, compressed=True))
    data = zipped(members, compressed=True)
    encoded = encode_file(data, "fast", None)
    assert (INFLATED, 2) == (encoded.payload[0], encoded.arrays)
    assert data == open_payload(encoded.payload, len(data)).decoded()
    assert not any(variable.data for variable in arrays_in(zipped(members))), "their checksums are in the directory"


@pytest.mark.parametrize("version", [1, 2, 5])
def test_variables_of_netcdf_3_are_found_records_and_all(version: int) -> None:
    names = found(climate(version=version))
    assert ["lat", "height", "lon2d", "t2m", "sst", "flag"] == list(names)
    data = climate(version=version)
    assert smooth((6, 20, 31), "f4").tobytes() == names["t2m"].extent.gather(data).tobytes()
    assert smooth((6, 20, 31), "i1", 2).tobytes() == names["flag"].extent.gather(data).tobytes()
    assert [float(np.float32(1e20))] == list(names["t2m"].fills)


def test_only_measured_floats_of_two_dimensions_are_data_that_may_be_loosened() -> None:
    assert {"height", "t2m"} == {name for name, variable in found(climate()).items() if variable.data}


def test_a_single_record_variable_has_no_padding_and_streaming_files_count_records_by_their_length() -> None:
    odd = smooth((9, 5, 7), "i1")
    for streaming in (False, True):
        assert_are(netcdf3([Nc3Variable("odd", ["time", "y", "x"], odd)], streaming=streaming), odd)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("version", [1, 2])
def test_nifti_files_have_one_array(version: int, order: str) -> None:
    assert_are(nifti(CUBE, version=version, order=order), CUBE)


def test_images_and_the_columns_of_tables_of_fits_are_found() -> None:
    data = fits([CUBE, PAGES[0].astype("i2")], table=np.asarray(TABLE))
    assert_are(data, CUBE, PAGES[0].astype("i2"), TABLE["a"].reshape(60, 1), TABLE["v"])
    assert [True, False, False, False] == [variable.data for variable in arrays_in(data)]
    assert not any(variable.data for variable in arrays_in(fits([CUBE], checksum=True)))


@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize("order", ["<", ">"])
def test_pages_of_tiff_alike_are_frames_of_one_array(order: str, *, big: bool) -> None:
    assert_are(tiff(PAGES, order=order, big=big), np.stack(PAGES))


def test_strips_and_tiles_of_tiff_are_put_together() -> None:
    assert_are(tiff(PAGES, rows=7), np.stack(PAGES))
    cut = values(tiff(PAGES, rows=6))
    assert np.array_equal(np.stack(PAGES), np.concatenate(cut, axis=1))
    (tiled,) = values(tiff(PAGES, tile=16))
    assert (3, 32, 32) == tiled.shape
    assert np.array_equal(np.stack(PAGES), tiled[:, :21, :30])


def test_samples_of_tiff_that_are_interleaved_are_a_last_axis() -> None:
    pixels = smooth((20, 30, 3), "f4")
    assert_are(tiff([pixels]), pixels)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("cut", [{}, {"rows": 7}, {"tile": 16}])
@pytest.mark.parametrize("samples", [(), (3,)])
@pytest.mark.parametrize(("predictor", "dtype"), [(1, "f4"), (2, "u2"), (2, "i4"), (3, "f4"), (3, "f8")])
@pytest.mark.parametrize("packed", [None, lzw])
def test_deflated_strips_and_tiles_of_tiff_and_those_of_lzw_are_opened_to_numbers(
    order: str, cut: dict[str, Any], samples: tuple[int, ...], predictor: int, dtype: str, packed: Any
) -> None:
    pages = [np.rint(900 * smooth((21, 30, *samples), "f4", seed)).astype(dtype) for seed in range(3)]
    data = tiff(pages, order=order, predictor=predictor, packed=packed, **cut)
    encoded = encode_file(data, "fast", None)
    opened = open_payload(encoded.payload, len(data))

    assert (INFLATED, 1) == (encoded.payload[0], encoded.arrays)
    assert data == encoded.decoded == opened.decoded()
    assert np.array_equal(np.stack(pages), opened.values(0)[:, :21, :30])
    assert not any(variable.data for variable in structure_of(data).variables)


def test_a_last_strip_of_tiff_may_be_shorter_and_streams_of_pages_may_stay_closed() -> None:
    good = tiff(PAGES, rows=6, predictor=1)
    broken = bytearray(good)
    broken[streams_in(good)[2].offset + 5] ^= 0xFF
    for data, arrays in ((good, 2), (bytes(broken), 3)):
        encoded = encode_file(data, "fast", None)
        assert (data, arrays) == (open_payload(encoded.payload, len(data)).decoded(), encoded.arrays)


def test_what_tiff_has_compressed_otherwise_is_told() -> None:
    plain = tiff(PAGES, predictor=2)

    def entry(tag: int, value: int) -> bytes:
        return struct.pack("<HHIH", tag, 3, 1, value)

    assert plain.count(entry(259, 8)) == plain.count(entry(317, 2)) == len(PAGES)
    assert [] == left_in(plain)
    for number, name in ((7, "JPEG"), (50000, "Zstandard"), (99, "method 99")):
        told = left_in(plain.replace(entry(259, 8), entry(259, number)))
        assert [f"TIFF: pages in {name} are not opened (3 of them)"] == told
    odd = plain.replace(entry(317, 2), entry(317, 9), 1)
    assert ["TIFF: pages in a predictor that is not known are not opened (1 of them)"] == left_in(odd)


@pytest.mark.parametrize("bits", [1, 5, 8, 12, 13, 16, 24, 25, 32])
@pytest.mark.parametrize("make", [grib1, grib2])
def test_messages_of_grib_are_frames_of_whole_numbers(make: Callable[[Numbers, int], bytes], bits: int) -> None:
    frames = smooth((6, 11, 13), "u4") & ((1 << bits) - 1)
    data = make(frames, bits)
    (variable,) = arrays_in(data)
    read = variable.extent.gather(data)
    if 4 <= bits <= 24:
        assert read.dtype == np.float32
        references = [273.5 + step if make is grib2 else (0x123456 + step) / 4096 for step in range(6)]
        assert np.allclose(np.reshape(references, (6, 1, 1)) + frames / 512, read, rtol=0, atol=1e-4)
    else:  # a float of 32 bits, or memory of a few times the original, would not hold them
        assert np.array_equal(frames, read)
    out = bytearray(data)
    for start in variable.extent.offsets:
        out[start : start + variable.extent.tile_bytes] = bytes(variable.extent.tile_bytes)
    variable.extent.scatter(read, out)
    assert data == out


def test_messages_of_grib_of_other_parameters_are_other_arrays() -> None:
    data = b"".join(grib1(PACKED[at : at + 1], 12, parameter=130 + at % 2) for at in range(8))
    read = values(data)
    assert [(4, 20, 24)] * 2 == [array.shape for array in read]
    for array, frames in zip(read, (PACKED[::2], PACKED[1::2]), strict=True):
        assert np.allclose(0x123456 / 4096 + frames / 512, array, rtol=0, atol=1e-4)


class CountedBytes(bytes):
    """Bytes that count how many of them were read."""

    read = 0

    def __getitem__(self, part: Any) -> Any:
        found = super().__getitem__(part)
        self.read += len(found) if isinstance(found, bytes) else 1
        return found


def heads_of_grib(flags: int, shared: bytes, *, reach: bool, count: int = 3000) -> bytes:
    """Broken messages of edition 1 one behind the other, that all claim the same sections 2 or 3, and no values.

    reach  whether they say that they end behind these sections
    """
    heads = []
    values = (11).to_bytes(3, "big") + bytes([0, 0, 0, 0, 0, 0, 0, 8])
    for left in range(36 * count, 0, -36):
        length = left + len(shared) + len(values) if reach else 36
        product = (left - 8).to_bytes(3, "big") + bytes([0, 0, 0, 0, flags, 11, 1, 0, 0])
        heads.append((b"GRIB" + length.to_bytes(3, "big") + b"\1" + product).ljust(36, b"\0"))
    return b"".join(heads) + shared + values


@pytest.mark.parametrize("reach", [False, True])
@pytest.mark.parametrize("flags", [0x40, 0x80])
def test_sections_that_many_broken_messages_of_grib_claim_are_not_read_for_each(flags: int, *, reach: bool) -> None:
    rows = 40_000
    reduced = bytes([0, 33, 0]) + struct.pack(">HH", 0xFFFF, rows) + bytes(22) + bytes([1, 0]) * rows
    body = reduced if flags == 0x80 else bytes(3) + b"\xff" * 80_000
    data = CountedBytes(heads_of_grib(flags, (3 + len(body)).to_bytes(3, "big") + body, reach=reach))
    assert messages_of(data) == []
    assert data.read < 20 * len(data)


def test_the_next_message_of_grib_is_found_wherever_it_begins() -> None:
    message = grib1(PACKED[:1] & 4095, 12)
    for before in (*range(60, 70), 180, 500, 70_000, 300_000):
        data = bytes(before) + message
        assert messages_of(data) == [range(before, len(data))]


# --- HDF5 ---------------------------------------------------------------------------------------------


def hdf5(write: Callable[[Any], None]) -> bytes:
    """What `write` puts into a file of HDF5."""
    h5py = pytest.importorskip("h5py")
    out = io.BytesIO()
    with h5py.File(out, "w") as file:
        write(file)
    return out.getvalue()


def test_contiguous_datasets_of_hdf5_are_found() -> None:
    def write(file: Any) -> None:
        file["group/cube"] = CUBE
        file["big"] = CUBE.astype(">f8")
        file["words"] = "no numbers"
        file["table"] = np.asarray(TABLE)

    names = found(hdf5(write))
    assert {"/group/cube", "/big", "/table.a", "/table.v"} == set(names)


@pytest.mark.parametrize("chunks", [(1, 20, 30), (2, 7, 11), (5, 20, 30)])
@pytest.mark.parametrize("checked", [False, True])
def test_chunks_of_hdf5_are_put_together(chunks: tuple[int, ...], *, checked: bool) -> None:
    data = hdf5(lambda file: file.create_dataset("cube", data=CUBE, chunks=chunks, fletcher32=checked))
    (cube,) = values(data)
    assert np.array_equal(CUBE, cube[:5, :20, :30])
    assert [not checked] == [variable.data for variable in arrays_in(data)], "a checksum holds for exact values only"


@pytest.mark.parametrize(
    "filters",
    [
        {"compression": "gzip", "compression_opts": 1},
        {"compression": "gzip", "shuffle": True},
        {"compression": "gzip", "compression_opts": 9, "shuffle": True, "fletcher32": True},
    ],
)
def test_deflated_chunks_of_hdf5_are_opened_and_closed_again(filters: dict[str, Any]) -> None:
    def write(file: Any) -> None:
        file["before"] = smooth((7, 20, 30), "f4", 5)
        file.create_dataset("packed", data=CUBE, chunks=(2, 20, 30), **filters)
        file["behind"] = smooth((4, 20, 30), "f8", 6)

    data = hdf5(write)
    encoded = encode_file(data, "fast", None)
    opened = open_payload(encoded.payload, len(data))

    assert (INFLATED, 3) == (encoded.payload[0], encoded.arrays)
    assert data == encoded.decoded == opened.decoded()
    assert opened.inflated is not None
    assert 3 == len(opened.inflated.streams)
    assert CUBE.tobytes() in [opened.values(index)[:5].tobytes() for index in range(3)]


def test_only_streams_that_were_tried_in_vain_are_counted_as_shut() -> None:
    good = zlib.compress(bytes(900))
    data = good + good[:-1] + b"?"
    first, broken = (Place(at, len(good), 900, 1) for at in (0, len(good)))
    overlapping, behind = replace(first, offset=1), replace(first, offset=len(data))
    too_long = replace(first, plain_bytes=limits.CHUNK_BYTES_MAX + len(good))
    for others in ([], [overlapping], [behind], [overlapping, behind]):
        inflated = inflate(data, [first, broken, *others])[1]
        assert (len(inflated.streams), inflated.shut) == (1, 1)
    assert inflate(data, [too_long])[1].shut == 0


def test_bytes_that_do_not_open_are_not_tried_for_each_stream_that_is_said_to_be_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    broken, good = zlib.compress(CUBE.tobytes())[:-1] + b"?", zlib.compress(bytes(900))
    data = broken + good
    places = [Place(0, len(broken), CUBE.nbytes, 1)] * 500 + [Place(len(broken), len(good), 900, 1)]
    tried: list[int] = []

    def counted(stored: bytes, *others: Any) -> Any:
        tried.append(len(stored))
        return _opened(stored, *others)

    monkeypatch.setattr("lithify.codecs.arrays.inflated._opened", counted)
    found = inflate(data, places)[1]

    assert ([len(broken)], 500) == ([one.offset for one in found.streams], found.shut)
    assert sum(tried) <= 3 * len(data)


def test_streams_that_lie_are_refused() -> None:
    data = hdf5(lambda file: file.create_dataset("a", data=CUBE, chunks=(1, 20, 30), compression="gzip", shuffle=True))
    plain, inflated = inflate(data, streams_in(data))
    table, recipes = pack_streams(inflated)
    assert inflated == parse_streams(table, recipes, len(data))
    assert data == inflated.closed(plain)
    chance = random.Random(5)
    for _ in range(200):
        wrong = damaged(table, chance)
        try:
            parse_streams(wrong, recipes, len(data)).closed(plain)
        except BadBytes:
            continue
    with pytest.raises(BadBytes):
        parse_streams(table, recipes, 100)
    with pytest.raises(BadBytes):
        parse_streams(table, recipes[:-1], len(data))
    twice = bytes([INFLATED]) + encode_file(data, "fast", None).payload
    with pytest.raises(BadBytes):
        open_payload(twice, len(data))


@given(
    st.binary(max_size=40)
    | st.builds(lambda seed, size: np.random.default_rng(seed).bytes(size), st.integers(0, 9), st.integers(0, 9000)),
    st.integers(300, 4095),
)
@settings(max_examples=examples(100), deadline=None)
def test_lzw_of_tiff_is_opened_and_closed_to_the_byte(data: bytes, most: int) -> None:
    plain = data or b"?"
    stored = lzw(plain, most=most) + bytes(most % 3)
    opened = lzw_strips.opened(stored, len(plain))
    assert opened is not None
    assert plain == opened[0]
    assert stored == lzw_strips.closed(*opened, len(stored))
    assert lzw_strips.opened(stored, len(plain) + 1) is None


@given(st.binary(max_size=60), st.binary(max_size=30), st.integers(0, 90))
@settings(max_examples=examples(100), deadline=None)
def test_no_strip_of_lzw_is_trusted(data: bytes, recipe: bytes, length: int) -> None:
    found = lzw_strips.opened(data, length or 1)
    said = lzw_strips.plain_of(data, length or 1)
    assert said is None or len(said) == (length or 1)
    assert found is None or (data, found[0]) == (lzw_strips.closed(*found, len(data)), said)
    with suppress(BadBytes):
        assert length == len(lzw_strips.closed(data, recipe, length))


@pytest.mark.parametrize("recipe", [b"\0" + bytes(2 * 3 * limits.MIB), b"\xff\xff\x3f" + bytes(limits.MIB)])
def test_a_recipe_that_tells_more_than_its_strip_has_codes_is_refused_before_it_is_read(recipe: bytes) -> None:
    tracemalloc.start()
    with pytest.raises(Corrupt):
        lzw_strips.closed(bytes(10), recipe, 100)
    assert tracemalloc.get_traced_memory()[1] < limits.MIB
    tracemalloc.stop()


def test_a_recipe_may_tell_of_every_code_of_its_strip() -> None:
    bits = "".join(f"{code:09b}" for code in [*[256] * 14, 7, 257])
    stored = int(bits, 2).to_bytes(len(bits) // 8, "big")

    assert stored == lzw_strips.closed(b"\7", bytes([14, *[0] * 14, *[0, 1] * 2]), len(stored))
    with pytest.raises(Corrupt):
        lzw_strips.closed(b"\7", bytes([14, *[0] * 14, *[0, 1] * 3]), len(stored))
    with pytest.raises(Corrupt):
        lzw_strips.closed(b"\7", bytes([14, *[0] * 13, 3]), len(stored))


@given(
    st.sampled_from([2, 3]),
    st.sampled_from([1, 2, 4, 8]),
    st.integers(0, 1),
    st.integers(1, 5),
    st.integers(1, 9),
    st.data(),
)
@settings(max_examples=examples(60), deadline=None)
def test_rows_of_differences_come_back(
    predictor: int, octets: int, big: int, step: int, pixels: int, data: st.DataObject
) -> None:
    rows = Rows(predictor, octets, big, step * pixels, step)
    length = rows.count * octets * data.draw(st.integers(0, 3))
    plain = data.draw(st.binary(min_size=length, max_size=length))

    assert plain == rows.undone(rows.done(plain))
    assert plain == rows.done(rows.undone(plain))
    assert rows == Rows.read(Reader(rows.pack()))
    with pytest.raises(Corrupt):
        replace(rows, octets=3).done(plain)


@pytest.mark.parametrize("packed", [None, lzw])
def test_rows_that_lie_are_refused(packed: Any) -> None:
    data = tiff(PAGES, rows=6, predictor=2, packed=packed)
    plain, inflated = inflate(data, streams_in(data))
    table, recipes = pack_streams(inflated)
    assert inflated == parse_streams(table, recipes, len(data))
    chance, refused = random.Random(7), 0
    for _ in range(300):
        wrong = (damaged(table, chance), recipes) if chance.random() < 0.5 else (table, damaged(recipes, chance))
        try:
            parse_streams(*wrong, len(data)).closed(plain)
        except BadBytes:
            refused += 1
    assert refused > 100


def test_chunks_of_hdf5_that_are_otherwise_compressed_or_never_written_are_left_alone() -> None:
    def write(file: Any) -> None:
        file.create_dataset("packed", data=np.round(CUBE), chunks=(1, 20, 30), compression="lzf")
        file.create_dataset("sparse", (50, 20, 30), "f4", chunks=(1, 20, 30))[3:9] = 1.5
        file.create_dataset("empty", (0, 20, 30), "f4", chunks=(1, 20, 30), maxshape=(None, 20, 30))

    assert {"/sparse": (6, 1, 20, 30)} == {name: one.extent.shape for name, one in found(hdf5(write)).items()}


def test_names_of_hdf5_that_are_no_utf8_are_told_as_far_as_they_can_be() -> None:
    def write(file: Any) -> None:
        file.create_dataset(b"stra\xdfe", data=np.round(CUBE), chunks=(1, 20, 30), compression="lzf")
        file.create_dataset(b"gr\xfcn", data=CUBE)

    data = hdf5(write)
    assert left_in(data) == ["HDF5: stra\ufffde went through lzf, not opened"]
    assert {"/gr\ufffdn": CUBE.shape} == {name: one.extent.shape for name, one in found(data).items()}
    said = described(data)
    assert said is not None
    assert set(said.variables) == {"stra\ufffde", "gr\ufffdn"}
    assert open_payload(encode_file(data, "fast", None).payload, len(data)).decoded() == data


# --- Zarr ---------------------------------------------------------------------------------------------


def test_chunks_of_zarr_stores_that_are_not_compressed_are_put_together() -> None:
    second = (
        b'{"zarr_format":2,"shape":[5,20,30],"chunks":[2,20,30],"dtype":"<f4","compressor":null,"filters":null,'
        b'"order":"C"}'
    )
    third = (
        b'{"zarr_format":3,"node_type":"array","shape":[5,20,30],"data_type":"float32","chunk_grid":{"name":"regular",'
        b'"configuration":{"chunk_shape":[2,20,30]}},"chunk_key_encoding":{"name":"default"},'
        b'"codecs":[{"name":"bytes","configuration":{"endian":"little"}}]}'
    )
    padded = np.concatenate([CUBE, np.zeros((1, 20, 30), "f4")])
    chunks = [padded[at : at + 2].tobytes() for at in (0, 2, 4)]
    stores = [
        {"a/.zarray": second, **{f"a/{number}.0.0": chunk for number, chunk in enumerate(chunks)}},
        {"a/zarr.json": third, **{f"a/c/{number}/0/0": chunk for number, chunk in enumerate(chunks)}},
    ]
    for store in stores:
        assert_are(zipped(store), padded)
        store.popitem()
        assert_are(zipped(store), padded[:4].reshape(2, 2, 20, 30))


SECOND = {"zarr_format": 2, "shape": [5, 20, 30], "chunks": [2, 20, 30], "dtype": "<f4", "compressor": None}
THIRD = {
    "zarr_format": 3, "node_type": "array", "shape": [5, 20, 30], "data_type": "float32",
    "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [2, 20, 30]}},
    "chunk_key_encoding": {"name": "default"}, "codecs": [{"name": "bytes", "configuration": {"endian": "little"}}],
}  # fmt: skip


@pytest.mark.parametrize(
    "odd",
    [
        SECOND | {"filters": 1},
        SECOND | {"filters": [3]},
        SECOND | {"compressor": "zlib"},
        SECOND | {"shape": [1] * 4000, "chunks": [1 << 39] * 4000},
        THIRD | {"codecs": 7},
        THIRD | {"codecs": [{"name": "bytes", "configuration": [1]}]},
        THIRD | {"chunk_grid": [2]},
        THIRD | {"chunk_key_encoding": {"name": "default", "configuration": "/"}},
    ],
)
def test_an_odd_description_of_zarr_costs_no_other_array(odd: dict[str, Any]) -> None:
    name = ".zarray" if odd["zarr_format"] == 2 else "zarr.json"
    data = zipped({f"a/{name}": json.dumps(odd).encode(), "a/0.0.0": bytes(4800), "b.npy": npy(CUBE)})
    assert_are(data, CUBE)
    assert left_in(data) == []
    assert streams_in(data) == []


@pytest.mark.parametrize(
    ("version", "settings"),
    [
        (2, {"compressors": "zlib"}),
        (2, {"compressors": "gzip", "filters": "shuffle"}),
        (3, {"compressors": "gzip"}),
    ],
)
def test_deflated_chunks_of_zarr_are_opened_to_numbers(version: Any, settings: dict[str, Any]) -> None:
    data = zarred(version, settings)
    encoded = encode_file(data, "fast", None)
    opened = open_payload(encoded.payload, len(data))

    assert (INFLATED, 1) == (encoded.payload[0], encoded.arrays)
    assert data == encoded.decoded == opened.decoded()
    assert np.array_equal(np.rint(300 * CUBE), opened.values(0)[:5])
    assert [] == left_in(data)


@pytest.mark.parametrize(
    ("version", "settings", "why"),
    [
        (2, {"compressors": "blosc"}, "a went through blosc"),
        (2, {"compressors": "zlib", "filters": "delta"}, "a went through delta and zlib"),
        (3, {"compressors": "auto"}, "a went through zstd"),
        (3, {"compressors": None, "shards": (4, 20, 30)}, "a went through sharding_indexed"),
    ],
)
def test_what_zarr_has_compressed_otherwise_is_told(version: Any, settings: dict[str, Any], why: str) -> None:
    data = zarred(version, settings)
    assert [f"Zarr: {why}, not opened"] == left_in(data)
    assert data == encode_file(data, "fast", None).decoded


def zarred(version: Any, settings: dict[str, Any]) -> bytes:
    """The cube as Zarr itself keeps it, in a zip file."""
    zarr, numcodecs = pytest.importorskip("zarr"), pytest.importorskip("numcodecs")
    made = {
        "zlib": numcodecs.Zlib(1),
        "gzip": numcodecs.GZip(1) if version == 2 else zarr.codecs.GzipCodec(level=6),
        "blosc": numcodecs.Blosc(),
        "shuffle": numcodecs.Shuffle(4),
        "delta": numcodecs.Delta("<f4"),
    }
    members: dict[str, Any] = {}
    chosen = {key: made.get(value, value) if isinstance(value, str) else value for key, value in settings.items()}
    store = zarr.storage.MemoryStore(members)
    zarr.create_array(store, data=np.rint(300 * CUBE), name="a", zarr_format=version, chunks=(2, 20, 30), **chosen)
    return zipped({name: bytes(value.to_bytes()) for name, value in members.items()})


# --- whatever the bytes -------------------------------------------------------------------------------

FILES: dict[str, bytes] = {
    "npy": npy(CUBE),
    "structured npy": npy(np.asarray(TABLE)),
    "npz": zipped({"a.npy": npy(CUBE)}),
    "netcdf 3": climate(),
    "netcdf 3 with 64 bits": climate(version=5),
    "nifti": nifti(CUBE),
    "fits": fits([CUBE], table=np.asarray(TABLE)),
    "tiff": tiff(PAGES, tile=16),
    "grib 1": grib1(PACKED, 12),
    "grib 2": grib2(PACKED, 13),
}
"""Files whose values lie in them as they are."""
HOLED = np.where(PACKED > 3000, (1 << 24) - 1, PACKED)
STREAMED: dict[str, bytes] = {
    "grib 1 of second order": grib1(PACKED, 12, pack=second_order(2)),
    "grib 2 in groups with holes": grib2(HOLED, 13, pack=grouped(1, missing=1)),
}
"""Files whose values are in streams of numbers."""


def damaged(data: bytes, chance: random.Random) -> bytes:
    """Changed in a few places, most of them in its first bytes, and perhaps cut."""
    wrong = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(min(len(wrong), chance.choice((16, 400, len(wrong)))))
        wrong[at] = chance.choice((0, 1, 0x7F, 0x80, 0xFF, chance.randrange(256)))
    return bytes(wrong[: chance.randrange(len(wrong))]) if chance.random() < 0.3 else bytes(wrong)


@pytest.mark.parametrize("name", [*FILES, *STREAMED])
def test_damaged_containers_come_back_exactly_or_as_plain_bytes(name: str) -> None:
    chance = random.Random(name)
    for _ in range(60):
        data = damaged((FILES | STREAMED)[name], chance) or b"x"
        encoded = encode_file(data, "fast", None)
        assert data == encoded.decoded == open_payload(encoded.payload, len(data)).decoded()


def test_arrays_that_share_bytes_are_not_both_kept() -> None:
    def lying(data: bytes, at: int, number: int) -> bytes:
        return data[:at] + number.to_bytes(4, "big") + data[at + 4 :]

    one, two = smooth((20, 30), "f4"), smooth((20, 30), "f4", 1)
    data = netcdf3([Nc3Variable("one", ["y", "x"], one), Nc3Variable("two", ["y", "x"], two)])
    begins = [found(data)[name].extent.offsets[0] for name in ("one", "two")]
    twice = lying(data, data.index(begins[1].to_bytes(4, "big")), begins[0])
    assert ["one"] == [variable.name for variable in arrays_in(twice)]


def shapes(variables: Sequence[Variable]) -> list[tuple[int, ...]]:
    return [variable.extent.shape for variable in variables]


def test_the_begin_of_a_file_tells_where_its_arrays_lie() -> None:
    for name in ("npy", "netcdf 3", "nifti"):
        data = FILES[name]
        assert shapes(arrays_in(data)) == shapes(arrays_in(data[:2000], len(data))), name
    assert [] == arrays_in(FILES["npz"][:2000], len(FILES["npz"]))


def test_values_that_lie_in_the_header_are_none_for_a_bound_would_loosen_what_the_file_is_read_by() -> None:
    file = netcdf3([Nc3Variable("t", ["y", "x"], CUBE[0])])
    begin = struct.pack(">i", len(file) - CUBE[0].nbytes)
    assert 1 == file.count(begin)
    assert [] == variables_in(file.replace(begin, struct.pack(">i", 40)))
    for version, place, code in ((1, 108, "<f"), (2, 168, "<q")):
        header = bytearray(nifti(CUBE, version=version))
        assert 1 == len(variables_in(bytes(header)))
        struct.pack_into(code, header, place, 100)
        assert [] == variables_in(bytes(header))
