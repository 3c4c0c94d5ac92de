"""GRIB: however values were packed, they are coded as numbers, and come back as the contract says."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lithify.codecs.arrays.codec import Arrays, ArraysParams
from lithify.codecs.arrays.containers.find import arrays_in
from lithify.codecs.arrays.containers.simply import compare, simply_packed
from lithify.codecs.arrays.content import same_content
from lithify.codecs.arrays.opened import open_arrays
from lithify.codecs.codec import Buffer
from lithify.codecs.fidelity import CONTENT, Contract
from lithify.codecs.in_memory import MemorySource
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
