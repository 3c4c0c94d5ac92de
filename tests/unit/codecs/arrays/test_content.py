"""Under the contract `content`, chunks whose filters nobody can do again become plain ones; nothing else changes."""

import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from lithify import limits
from lithify.codecs.arrays.codec import Arrays, ArraysParams
from lithify.codecs.arrays.containers import unfiltered
from lithify.codecs.arrays.content import plainer, same_content
from lithify.codecs.fidelity import CONTENT, Contract
from lithify.codecs.frame import FrameWriter, decode_frame
from lithify.codecs.in_memory import MemorySource
from lithify.codecs.reasons import reasons_given
from lithify.errors import FidelityBroken
from tests.unit.codecs.arrays.files import npy, smooth
from tests.unit.codecs.arrays.test_containers import hdf5

h5py = pytest.importorskip("h5py")
CUBE = np.rint(smooth((13, 40, 50), "f4") * 300).astype("f4")


def model(**filters: Any) -> bytes:
    """Dimensions, references, text, and a cube that went through filters."""

    def write(file: Any) -> None:
        file.attrs["title"] = "of a test"
        file["time"] = np.arange(13.0)
        file["time"].make_scale("time")
        cube = file.create_dataset("t", data=CUBE, chunks=(4, 40, 50), maxshape=(None, 40, 50), fillvalue=-1, **filters)
        cube.dims[0].attach_scale(file["time"])
        cube.attrs["units"] = "K"
        cube.attrs["names"] = ["one", "two"]
        file["here"] = h5py.SoftLink("/t")
        file.create_dataset("group/flags", data=np.arange(900, dtype="u1").reshape(30, 30), chunks=(7, 30), **filters)
        file["words"] = ["some", "text"]

    return hdf5(write)


def frame_of(data: bytes, params: ArraysParams | None = None) -> tuple[bytes, bytes]:
    """The frame of a file, and what it decodes to; under `content` unless told otherwise."""
    params = params or Arrays.params_keeping(Arrays.params_for("fast", len(data)), CONTENT)
    writer = FrameWriter(out := io.BytesIO())
    codec = Arrays(params)
    codec.encode(MemorySource(data), writer.sink(codec))
    writer.finish(contract=CONTENT, original_length=len(data), original_digest=bytes(32))
    return out.getvalue(), b"".join(decode_frame(out))


@pytest.mark.parametrize("filters", [{"compression": "szip"}, {"compression": "lzf", "shuffle": True}])
def test_values_behind_other_filters_are_coded_as_numbers_and_all_else_stays(filters: Any) -> None:
    data = model(**filters)
    frame, back = frame_of(data)
    assert len(frame) < 0.7 * len(data)
    assert len(back) > len(data)
    figures = Arrays.measure(data, back, CONTENT)["content"]
    assert (4, 13 * 2000 + 900 + 13 + 2) == (figures["datasets"], figures["values"])
    with h5py.File(io.BytesIO(back)) as file:
        assert np.array_equal(CUBE, file["t"][...])
        assert filters["compression"] == file["t"].compression
        assert "/time" == file["t"].dims[0][0].name
        assert (None, 40, 50) == file["t"].maxshape
    assert frame == frame_of(data)[0]


@pytest.mark.parametrize(
    "data",
    [model(), model(compression="gzip"), npy(CUBE), b"\x89HDF\r\n\x1a\n and no more of it"],
    ids=["plain", "deflated", "npy", "broken"],
)
def test_what_can_be_kept_to_the_byte_is(data: bytes) -> None:
    assert plainer(MemorySource(data)) is None
    assert data == frame_of(data)[1]
    assert {} == Arrays.measure(data, data, CONTENT)


def other(change: Callable[[Any], None]) -> bytes:
    out = io.BytesIO(model(compression="lzf"))
    with h5py.File(out, "r+") as file:
        change(file)
    return out.getvalue()


def _value(file: Any) -> None:
    file["t"][3, 4, 5] += 1


def _attribute(file: Any) -> None:
    file["t"].attrs["units"] = "C"


def _type(file: Any) -> None:
    file["time"].attrs["axis"] = np.int16(3)


def _name(file: Any) -> None:
    file.move("words", "word")


def _link(file: Any) -> None:
    del file["here"]
    file["here"] = h5py.SoftLink("/time")


def _longer(file: Any) -> None:
    file["t"].resize(14, axis=0)


@pytest.mark.parametrize("change", [_value, _attribute, _type, _name, _link, _longer])
def test_another_content_is_noticed(change: Callable[[Any], None]) -> None:
    with pytest.raises(FidelityBroken):
        same_content(MemorySource(model(compression="lzf")), MemorySource(other(change)))


def test_a_file_that_would_be_too_long_with_plain_chunks_is_kept_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unfiltered, "_BYTES_MAX", limits.MIB // 8)
    data = model(compression="gzip")
    with reasons_given() as reasons:
        assert data == frame_of(data, ArraysParams(effort="fast", contract="bounded:abs=0.1"))[1]
    assert "with plain chunks this HDF5 file would have 1 MiB; the limit is 1 MiB" in reasons


def test_files_that_are_none_of_hdf5_are_the_same_to_the_byte_or_not_at_all() -> None:
    with pytest.raises(FidelityBroken):
        Arrays.measure(npy(CUBE), npy(CUBE + 1), CONTENT)


@pytest.mark.parametrize("filters", [{"compression": "gzip", "shuffle": True}, {"compression": "lzf"}, {}])
@pytest.mark.parametrize("contract", ["bounded:abs=5", "floor:psnr=40", "bounded:abs=5;group/flags=exact"])
def test_floats_behind_filters_are_loosened_and_all_else_stays(filters: Any, contract: str) -> None:
    data = model(**filters)
    params = Arrays.params_keeping(Arrays.params_for("fast", len(data)), Contract.parse(contract))
    frame, back = frame_of(data, params)
    assert len(frame) < 0.6 * len(frame_of(data, Arrays.params_for("fast", len(data)))[0])
    figures = Arrays.measure(data, back, Contract.parse(contract))
    assert set(figures) == {"t"}
    with h5py.File(io.BytesIO(data)) as before, h5py.File(io.BytesIO(back)) as after:
        worst = np.abs(before["t"][...] - after["t"][...]).max()
        assert worst == figures["t"]["max_abs_error"] > 0
        assert np.array_equal(before["group/flags"][...], after["group/flags"][...])
        assert np.array_equal(before["time"][...], after["time"][...])
        assert list(before["t"].attrs) == list(after["t"].attrs)
    with pytest.raises(FidelityBroken):
        Arrays.measure(data, back, Contract.parse("bounded:abs=0.001"))
    changed = bytearray(back)
    changed[data.index(b"of a test")] ^= 1
    with pytest.raises(FidelityBroken, match="none of a loosened array"):
        Arrays.measure(data, bytes(changed), Contract.parse(contract))
