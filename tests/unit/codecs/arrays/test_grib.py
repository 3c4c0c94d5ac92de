"""GRIB: however values were packed, they are coded as numbers, and come back as the contract says."""

import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lithify.codecs.arrays.codec import Arrays, ArraysParams
from lithify.codecs.arrays.containers.find import arrays_in, left_in, streams_in
from lithify.codecs.arrays.containers.grib import sections_of
from lithify.codecs.arrays.containers.simply import compare, simply_packed
from lithify.codecs.arrays.content import same_content
from lithify.codecs.arrays.inflated import inflate
from lithify.codecs.arrays.opened import open_arrays
from lithify.codecs.codec import Buffer
from lithify.codecs.fidelity import CONTENT, Contract
from lithify.codecs.in_memory import MemorySource
from lithify.codecs.reasons import reasons_given
from lithify.errors import FidelityBroken
from tests.unit.codecs.arrays.files import Numbers, Packed2, ccsds, grib1, grib2, grouped, jpeg2000, smooth
from tests.unit.codecs.arrays.test_opened import kept

BITS = 12
FRAMES = smooth((5, 40, 60), "u2") & 4095
Pack = Callable[[Numbers, int], Packed2]
STREAMS = {"ccsds": ccsds, "groups": grouped(0), "first differences": grouped(1), "second": grouped(2)}
ALL: dict[str, Pack] = {**STREAMS, "jpeg 2000": jpeg2000}

pytest.importorskip("imagecodecs")


def coded(data: bytes, contract: str = "exact", effort: str = "fast") -> tuple[int, bytes]:
    """Bytes of all payloads, and what comes back."""
    payloads: list[tuple[bytes, int]] = []

    class Sink:
        def share(self, data: bytes) -> None: ...

        def chunk(self, payload: Buffer, decoded: Buffer) -> None:
            payloads.append((bytes(payload), len(decoded)))

    Arrays(ArraysParams(effort=effort, contract=contract)).encode(MemorySource(data), Sink())
    back = b"".join(Arrays().decode(payload, shared=b"", length=length) for payload, length in payloads)
    return sum(len(payload) for payload, _ in payloads), back


def numbers_in(data: bytes) -> Numbers:
    """The whole numbers of a file that is simply packed."""
    (variable,) = arrays_in(data)
    found: Numbers = (variable.extent.gather(data) - np.reshape(273.5 + np.arange(5), (5, 1, 1))) * 512
    return np.rint(found)


@pytest.mark.parametrize("pack", STREAMS.values(), ids=STREAMS)
def test_streams_are_opened_and_every_byte_comes_back(pack: Pack) -> None:
    data = grib2(FRAMES, BITS, pack=pack)
    stored, back = coded(data)
    assert back == data
    plainly, _ = coded(grib2(FRAMES, BITS))
    assert stored < 1.1 * plainly + 600


@pytest.mark.parametrize("pack", ALL.values(), ids=ALL)
def test_the_content_is_the_same_simply_packed(pack: Pack) -> None:
    data = grib2(FRAMES, BITS, pack=pack)
    other = simply_packed(data)
    assert other is not None
    assert np.array_equal(FRAMES, numbers_in(other))
    assert compare(data, other) == {"messages": 5, "values": FRAMES.size}
    assert simply_packed(other) is None


def test_pixels_come_back_simply_packed_where_only_the_content_must() -> None:
    data = grib2(FRAMES, BITS, pack=jpeg2000)
    assert coded(data)[1] == data
    stored, back = coded(data, "content", "default")
    assert stored < 0.97 * coded(data)[0]
    assert np.array_equal(FRAMES, numbers_in(back))
    assert Arrays.measure(data, back, CONTENT) == {"content": {"messages": 5, "values": FRAMES.size}}


MISSING, OTHERWISE = (1 << 24) - 1, (1 << 24) - 2
HOLED = FRAMES.astype("u4")
HOLED[:, 8:30, 11:40] = MISSING
HOLED[:, :, :3] = MISSING
HOLED[2:, 25:34, 20:50] = OTHERWISE
NANS = np.array([0x7FC00000, 0x7FC00001], "u4").view("f4")


@pytest.mark.parametrize("order", range(3))
def test_missing_values_are_no_numbers_and_every_byte_comes_back(order: int) -> None:
    data = grib2(HOLED, BITS, pack=grouped(order, missing=2))
    stored, back = coded(data)
    assert back == data
    assert stored < 0.8 * coded(grib2(FRAMES, BITS, pack=grouped(order)))[0]
    with open_arrays(kept(data)) as file:
        (array,) = file.arrays.values()
        found = array[:]
    numbers = np.rint((found - np.reshape(273.5 + np.arange(5), (5, 1, 1))) * 512)
    there = HOLED < OTHERWISE
    assert np.array_equal(FRAMES[there], numbers[there])
    assert np.array_equal(HOLED == MISSING, found.view("u4") == NANS.view("u4")[0])
    assert np.array_equal(HOLED == OTHERWISE, found.view("u4") == NANS.view("u4")[1])
    assert simply_packed(data) is None


@pytest.mark.parametrize("order", range(3))
def test_the_usual_library_misses_the_same_values(order: int) -> None:
    eccodes: Any = pytest.importorskip("eccodes")
    own = grib2(HOLED[2:3], BITS, pack=grouped(order, missing=2))
    sample = eccodes.codes_grib_new_from_samples("regular_ll_pl_grib2")
    for name, value in {"Ni": 60, "Nj": 40}.items():
        eccodes.codes_set(sample, name, value)
    eccodes.codes_set_values(sample, np.arange(2400.0))
    theirs = eccodes.codes_get_message(sample)
    ours = {one.number: own[one.start : one.start + one.length] for one in sections_of(own, 0)[0]}
    sections = [(one.number, theirs[one.start : one.start + one.length]) for one in sections_of(theirs, 0)[0]]
    body = b"".join(ours[number] if number in (5, 7) else section for number, section in sections) + b"7777"
    data = theirs[:8] + (16 + len(body)).to_bytes(8, "big") + body
    message = eccodes.codes_new_from_message(data)
    values = eccodes.codes_get_values(message).reshape(40, 60)
    with open_arrays(kept(data)) as file:
        (array,) = file.arrays.values()
        found = array[:]
    assert np.array_equal(np.isnan(found), values == eccodes.codes_get(message, "missingValue"))
    assert np.allclose(found[~np.isnan(found)], values[~np.isnan(found)], atol=1e-3)


SECOND_ORDERS = {
    "no differences": "grid_second_order_no_SPD",
    "first": "grid_second_order_SPD1",
    "second": "grid_second_order_SPD2",
    "third": "grid_second_order_SPD3",
    "rows to and fro": "grid_second_order_boustrophedonic",
}


def by_eccodes(sample: str, packing: str, *, frames: int = 3, bitmap: bool = False) -> tuple[bytes, list[Numbers]]:
    """Messages by the usual library, and what it reads of them."""
    eccodes: Any = pytest.importorskip("eccodes")
    field = 280 + smooth((40, 61), "f8") * 20
    there = np.ones(field.shape, np.bool_)
    there[9:20, 30:] = not bitmap
    data, read = b"", []
    for step in range(frames):
        message = eccodes.codes_grib_new_from_samples(sample)
        for name, value in {"Ni": 61, "Nj": 40, "bitmapPresent": int(bitmap)}.items():
            eccodes.codes_set(message, name, value)
        eccodes.codes_set(message, "bitsPerValue", BITS)
        eccodes.codes_set_values(message, np.where(there, field + step, 9999).reshape(-1))
        eccodes.codes_set(message, "packingType", packing)
        data += eccodes.codes_get_message(message)
        read.append(eccodes.codes_get_values(message))
    return data, read


@pytest.mark.parametrize("bitmap", [False, True])
@pytest.mark.parametrize("packing", SECOND_ORDERS.values(), ids=SECOND_ORDERS)
def test_second_order_of_edition_1_is_opened_and_every_byte_comes_back(packing: str, bitmap: bool) -> None:
    data, read = by_eccodes("regular_ll_pl_grib1", packing, bitmap=bitmap)
    places = streams_in(data)
    assert len(inflate(data, places)[1].streams) == 3
    assert coded(data)[1] == data
    assert left_in(data) == []
    with open_arrays(kept(data)) as file:
        (array,) = file.arrays.values()
        for step, theirs in enumerate(read):
            ours, known = array[step].reshape(-1), theirs[theirs != 9999]
            if bitmap and packing.endswith("boustrophedonic"):  # nothing but the bitmap tells which rows run backwards
                ours, known = np.sort(ours), np.sort(known)
            assert np.allclose(ours, known, atol=1e-3)


def test_floats_that_are_not_packed_are_an_array_that_a_bound_loosens() -> None:
    data, read = by_eccodes("regular_ll_pl_grib2", "grid_ieee")
    (variable,) = arrays_in(data)
    assert np.array_equal(np.stack(read).reshape(3, 40, 61), variable.extent.gather(data))
    stored, back = coded(data, "bounded:abs=0.5", "default")
    assert stored < 0.5 * coded(data, effort="default")[0]
    assert 0 < np.abs(variable.extent.gather(back) - np.stack(read).reshape(3, 40, 61)).max() <= 0.5


def test_logarithms_are_kept_as_numbers_and_never_loosened() -> None:
    data, _ = by_eccodes("regular_ll_pl_grib2", "grid_simple_log_preprocessing")
    (variable,) = arrays_in(data)
    assert variable.extent.shape == (3, 40, 61)
    assert coded(data)[1] == data
    assert coded(data, "bounded:abs=0.5")[1] == data


@pytest.mark.parametrize("packing", ["spectral_simple", "spectral_complex"])
@pytest.mark.parametrize("sample", ["sh_ml_grib1", "sh_pl_grib2"])
def test_spherical_harmonics_are_numbers(sample: str, packing: str) -> None:
    eccodes: Any = pytest.importorskip("eccodes")
    message = eccodes.codes_grib_new_from_samples(sample)
    degrees = np.array([degree for order in range(64) for degree in range(order, 64)])
    size = np.repeat((1 + degrees) ** -1.7, 2)
    chance = np.random.default_rng(3)
    data = b""
    for _ in range(4):
        eccodes.codes_set(message, "packingType", packing)
        eccodes.codes_set_values(message, chance.normal(size=len(size)) * size)
        data += eccodes.codes_get_message(message)
    assert eccodes.codes_get(message, "packingType") == packing
    (variable,) = arrays_in(data)
    assert (4, 1) == variable.extent.shape[:2]
    assert 0.75 * len(size) < variable.extent.shape[2] < len(size)
    stored, back = coded(data, effort="default")
    assert back == data
    assert stored < len(zlib.compress(data, 9))
    assert coded(data, "bounded:rel=0.01")[1] == data


def test_whoever_asks_is_told_which_messages_stay_as_they_are_and_why() -> None:
    matrices, _ = by_eccodes("regular_ll_pl_grib2", "grid_simple_matrix", frames=1)
    first, _ = by_eccodes("regular_ll_pl_grib1", "grid_simple_matrix", frames=1)
    data = grib2(FRAMES, BITS, pack=jpeg2000) + first + grib2(FRAMES[:1], BITS) + matrices
    told = [
        "GRIB messages 1, 2, 3 and 2 more: values in JPEG 2000, which cannot be made again to the byte, are not opened",
        "GRIB message 6: values packed as matrices, or not at all, are not opened",
        "GRIB message 8: values packed as matrices, are not opened",
    ]
    assert told == left_in(data)
    with reasons_given() as reasons:
        assert coded(data)[1] == data
    assert told == reasons
    with reasons_given() as reasons:
        coded(grib2(FRAMES, BITS, pack=jpeg2000), "content", "default")
    assert reasons == []


def test_streams_that_do_not_close_again_are_told() -> None:
    data = bytearray(grib2(FRAMES[:2], BITS, pack=ccsds))
    end = data.index(b"7777")
    data[end - 40 : end - 20] = bytes(20)
    with reasons_given() as reasons:
        assert coded(bytes(data))[1] == data
    assert reasons == ["1 of its packed or deflated chunks cannot be closed again to the byte: not opened"]


def test_what_is_the_same_to_the_byte_is_preferred() -> None:
    data = grib2(FRAMES, BITS, pack=ccsds)
    assert coded(data, "content")[1] == data


@pytest.mark.parametrize("decimal", [0, 2, 0x8001])
@pytest.mark.parametrize("pack", [None, *ALL.values()], ids=["simple", *ALL])
def test_values_are_within_their_bound_however_they_were_packed(pack: Pack | None, decimal: int) -> None:
    data = grib2(FRAMES, BITS, pack=pack, decimal=decimal)
    unit = {0: 1.0, 2: 0.01, 0x8001: 10.0}[decimal]
    contract = f"bounded:abs={0.05 * unit:g}"
    stored, back = coded(data, contract)
    assert stored < 0.8 * coded(grib2(FRAMES, BITS))[0]
    worst = np.abs(numbers_in(back) - FRAMES).max() / 512
    assert 0 < worst <= 0.05
    (figures,) = Arrays.measure(data, back, Contract.parse(contract)).values()
    assert figures["max_abs_error"] == pytest.approx(worst * unit, rel=1e-3)
    with pytest.raises(FidelityBroken):
        Arrays.measure(data, back, Contract.parse(f"bounded:abs={0.01 * unit:g}"))
    _, back = coded(data, "floor:psnr=50")
    (figures,) = Arrays.measure(data, back, Contract.parse("floor:psnr=50")).values()
    assert figures["psnr_db"] >= 50


def test_a_single_message_has_a_bound_too() -> None:
    data = grib2(FRAMES[:1], BITS) + b"behind"
    assert coded(data, "bounded:rel=0.01")[0] < 0.7 * coded(data)[0]


@pytest.mark.parametrize("at", [16, 45, -1])
def test_another_content_is_noticed(at: int) -> None:
    data = grib2(FRAMES, BITS, pack=jpeg2000)
    other = bytearray(simply_packed(data) or b"")
    place = len(other) - 9 if at < 0 else at
    other[place] ^= 1
    with pytest.raises(FidelityBroken):
        same_content(MemorySource(data), MemorySource(bytes(other)))


def test_messages_of_other_editions_and_broken_ones_stay_as_they_are() -> None:
    first, broken = grib1(FRAMES[:2], BITS), grib2(FRAMES[:1], BITS, pack=ccsds).replace(b"7777", b"6666")
    data = first + grib2(FRAMES, BITS, pack=jpeg2000) + broken
    other = simply_packed(data)
    assert other is not None
    assert other.startswith(first)
    assert other.endswith(broken)
    for contract in ("exact", "content"):
        _, back = coded(data, contract)
        assert back in (data, other)


@pytest.mark.parametrize("pack", STREAMS.values(), ids=STREAMS)
def test_slices_are_read_from_streams(pack: Pack) -> None:
    with open_arrays(kept(grib2(FRAMES, BITS, pack=pack))) as file:
        (array,) = file.arrays.values()
        assert array.shape == FRAMES.shape
        found = np.rint((array[3, 5:9] - 276.5) * 512)
        assert np.array_equal(FRAMES[3, 5:9], found)


@pytest.mark.parametrize(
    "packing", ["grid_ccsds", "grid_complex", "grid_complex_spatial_differencing", "grid_jpeg", "grid_png"]
)
def test_messages_by_the_usual_library_read_the_same_by_it(packing: str, tmp_path: Path) -> None:
    eccodes: Any = pytest.importorskip("eccodes")
    field = 280 + smooth((64, 97), "f8") * 20
    data = b""
    for step in range(3):
        message = eccodes.codes_grib_new_from_samples("regular_ll_pl_grib2")
        for name, value in {"Ni": 97, "Nj": 64, "bitsPerValue": 12, "level": 500 + step}.items():
            eccodes.codes_set(message, name, value)
        eccodes.codes_set_values(message, (field + step).reshape(-1))
        eccodes.codes_set(message, "packingType", packing)
        data += eccodes.codes_get_message(message)
    assert coded(data)[1] == data
    other = simply_packed(data)
    assert other is not None
    read = []
    for number, content in enumerate((data, other)):
        path = tmp_path / f"{number}.grib"
        path.write_bytes(content)
        with path.open("rb") as file:
            messages = [eccodes.codes_grib_new_from_file(file) for _ in range(3)]
            read.append([(eccodes.codes_get(one, "level"), eccodes.codes_get_values(one)) for one in messages])
    for before, after in zip(*read, strict=True):
        assert before[0] == after[0]
        assert np.array_equal(before[1], after[1])
