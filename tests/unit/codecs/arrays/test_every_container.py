"""Any numbers in any container come back to the byte, and within any contract."""

import io
from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from lithify.codecs.arrays.codec import Arrays, ArraysParams
from lithify.codecs.codec import Buffer
from lithify.codecs.fidelity import Contract
from lithify.codecs.in_memory import MemorySource
from tests.examples import examples
from tests.unit.codecs.arrays.files import Nc3Variable, Numbers, fits, netcdf3, nifti, npy, smooth, tiff, zipped
from tests.unit.codecs.arrays.test_containers import hdf5

STRANGE = (np.nan, np.inf, -np.inf, -0.0, 5e-324, 1e-40, 65504.0, 3.4e38, -1.0)
INTEGERS = ("u1", "i2", ">i2", "u2", "i4", ">i4")
FLOATS = ("f4", ">f4", "f8", ">f8")
LONG = ("u4", "i8", ">u8")


@st.composite
def arrays(draw: st.DrawFn, types: tuple[str, ...], least: int, most: int, side: int = 0) -> Numbers:
    """Numbers of one of the types, of `least` to `most` axes, each of `side` to 7; some of them strange."""
    dtype = np.dtype(draw(st.sampled_from(types)))
    shape = draw(hnp.array_shapes(min_dims=least, max_dims=most, min_side=side, max_side=7)) if most else ()
    values = smooth(shape, dtype.str[1:], draw(st.integers(0, 9))).astype(dtype)
    for _ in range(draw(st.integers(0, 4)) if values.size else 0):
        at = draw(st.integers(0, values.size - 1))
        with np.errstate(all="ignore"):
            strange = draw(st.sampled_from(STRANGE)) if dtype.kind == "f" else draw(st.integers(0, 99))
            values.reshape(-1)[at : at + 1] = np.asarray(strange).astype(dtype)
    return values


def back_of(data: bytes, contract: str, effort: str = "fast") -> bytes:
    """What comes back, measured against what was put in."""
    chunks: list[tuple[bytes, int]] = []

    class Sink:
        def share(self, data: bytes) -> None: ...

        def chunk(self, payload: Buffer, decoded: Buffer) -> None:
            chunks.append((bytes(payload), len(decoded)))

    Arrays(ArraysParams(effort=effort, contract=contract)).encode(MemorySource(data), Sink())
    back = b"".join(Arrays().decode(payload, shared=b"", length=length) for payload, length in chunks)
    for payload, length in chunks:
        Arrays().contents(payload, shared=b"", length=length)
    if contract == "exact":
        assert back == data
    else:
        Arrays.measure(data, back, Contract.parse(contract))
    return back


def check(data: bytes) -> None:
    for contract in ("exact", "content", "bounded:rel=0.01", "bounded:pwrel=0.01", "floor:psnr=40"):
        back_of(data, contract)
    back_of(data, "exact", "default")


def netcdf4(values: Numbers, **filters: Any) -> bytes:
    def write(file: Any) -> None:
        for number, side in enumerate(values.shape):
            file.createDimension(f"d{number}", side if number else None)
        names = [f"d{number}" for number in range(values.ndim)]
        endian = "big" if values.dtype.byteorder == ">" else "native"
        variable = file.createVariable("t", values.dtype, names, endian=endian, fill_value=False, **filters)
        variable.set_auto_maskandscale(False)
        variable[...] = values

    return _netcdf4(write)


def _netcdf4(write: Callable[[Any], None]) -> bytes:
    import netCDF4

    file: Any = netCDF4.Dataset("x", "w", memory=1024)
    write(file)
    return bytes(file.close())


def zarred(values: Numbers, version: Literal[2, 3]) -> bytes:
    import zarr

    members: dict[str, Any] = {}
    store = zarr.storage.MemoryStore(members)
    zarr.create_array(
        store,
        data=values,
        name="t",
        zarr_format=version,
        compressors=None,
        chunks=tuple(max(1, s // 2) for s in values.shape),
    )
    return zipped({name: bytes(value.to_bytes()) for name, value in members.items()})


@given(arrays((*INTEGERS, *FLOATS, *LONG, "f2", "?", "c8"), 0, 0) | arrays((*INTEGERS, *FLOATS, *LONG, "f2"), 1, 5))
@settings(max_examples=examples(60), deadline=None)
def test_numpy(values: Numbers) -> None:
    check(npy(values))
    check(npy(np.asfortranarray(values), fortran=True))


@given(arrays((*INTEGERS, *FLOATS), 0, 0) | arrays((*INTEGERS, *FLOATS), 1, 5), st.booleans())
@settings(max_examples=30, deadline=None)
def test_npz(values: Numbers, compressed: bool) -> None:
    check(zipped({"a.npy": npy(values), "b.npy": npy(values[::-1] if values.ndim else values)}, compressed=compressed))


@given(
    arrays((">i2", ">i4", ">f4", ">f8", "i1"), 0, 0) | arrays((">i2", ">i4", ">f4", ">f8", "i1"), 1, 5), st.booleans()
)
@settings(max_examples=30, deadline=None)
def test_netcdf_3(values: Numbers, recorded: bool) -> None:
    names = [("time" if recorded else "t") if not axis else f"d{axis}" for axis in range(values.ndim)]
    check(netcdf3([Nc3Variable("a", names, values), Nc3Variable("b", names, values)]))


@given(
    arrays((*INTEGERS, *FLOATS), 0, 0) | arrays((*INTEGERS, *FLOATS), 1, 5, 1), st.sampled_from([{}, {"zlib": True}])
)
@settings(max_examples=30, deadline=None)
def test_netcdf_4(values: Numbers, filters: dict[str, Any]) -> None:
    pytest.importorskip("netCDF4")
    check(netcdf4(values, **(filters if values.ndim else {})))


@given(
    arrays((*INTEGERS, *FLOATS, *LONG, "f2", "?"), 0, 0) | arrays((*INTEGERS, *FLOATS, *LONG, "f2"), 1, 5),
    st.booleans(),
)
@settings(max_examples=30, deadline=None)
def test_hdf5(values: Numbers, chunked: bool) -> None:
    pytest.importorskip("h5py")
    filters: Any = {"chunks": True, "compression": "lzf"} if chunked and values.size and values.ndim else {}
    check(hdf5(lambda file: file.create_dataset("t", data=values, **filters)))


@given(arrays((*INTEGERS, *FLOATS), 1, 5, 1), st.sampled_from((2, 3)))
@settings(max_examples=25, deadline=None)
def test_zarr(values: Numbers, version: Literal[2, 3]) -> None:
    pytest.importorskip("zarr")
    check(zarred(values, version))


@given(arrays(("u1", "u2", "i4", "f4", "f8"), 2, 3, 1), st.sampled_from("<>"), st.booleans(), st.integers(0, 3))
@settings(max_examples=30, deadline=None)
def test_tiff(values: Numbers, order: str, big: bool, rows: int) -> None:
    check(tiff([values, values], order=order, big=big, rows=rows))
    for predictor in (1, 2, 3) if values.dtype.kind == "f" else (1, 2):
        check(tiff([values, values], order=order, big=big, rows=rows, predictor=predictor))


@given(arrays(("u1", "i2", "i4", "f4", "f8"), 1, 5, 1), st.sampled_from([1, 2]), st.sampled_from("<>"))
@settings(max_examples=30, deadline=None)
def test_nifti(values: Numbers, version: int, order: str) -> None:
    check(nifti(values, version=version, order=order))


@given(arrays(("u1", "i2", "i4", "f4", "f8"), 1, 5, 1), st.booleans())
@settings(max_examples=30, deadline=None)
def test_fits(values: Numbers, checksum: bool) -> None:
    check(fits([values, values], checksum=checksum))


def _netcdf4_of_everything(file: Any) -> None:
    file.createDimension("time", None)
    file.createDimension("y", 12)
    file.createDimension("x", 15)
    time = file.createVariable("time", "f8", ("time",))
    time.units, time[:] = "hours since 2000-01-01", np.arange(7) * 6.0
    packed = file.createVariable("t2m", "i2", ("time", "y", "x"), fill_value=-32768)
    packed.scale_factor, packed.add_offset = 0.01, 273.15
    packed[:] = 280 + smooth((7, 12, 15), "f8")
    file.createVariable("rain", "f4", ("time", "y", "x"), fill_value=np.float32(1e20))[:] = smooth((7, 12, 15), "f4")
    words = file.createVariable("station", str, ("y",))
    words[:] = np.array([f"station {number}" for number in range(12)], object)
    ragged = file.createVariable("casts", file.createVLType(np.int32, "cast"), ("y",))
    for number in range(12):
        ragged[number] = np.arange(number, dtype=np.int32)
    kind = file.createEnumType(np.int8, "skies", {"clear": 0, "cloudy": 1})
    file.createVariable("sky", kind, ("time",), fill_value=0)[:] = np.arange(7, dtype=np.int8) % 2
    wind = np.dtype([("speed", "f4"), ("from", "i2")])
    compound = file.createVariable("wind", file.createCompoundType(wind, "winds"), ("time", "y"))
    compound[:] = np.zeros((7, 12), wind)


@pytest.mark.parametrize("contract", ["exact", "content", "bounded:rel=0.01", "floor:psnr=40;rain=exact"])
def test_netcdf_4_with_everything_in_it(contract: str) -> None:
    netcdf = pytest.importorskip("netCDF4")
    data = _netcdf4(_netcdf4_of_everything)
    back = back_of(data, contract)
    with netcdf.Dataset("x", memory=data) as before, netcdf.Dataset("y", memory=back) as after:
        assert list(before.variables) == list(after.variables)
        for name in ("time", "t2m", "station", "casts", "sky", "wind"):
            one, other = before[name][:], after[name][:]
            assert all(map(np.array_equal, one, other)), name
        loose = contract.startswith("bounded")
        assert loose == (not np.array_equal(before["rain"][:], after["rain"][:]))


@pytest.mark.parametrize(
    "values",
    [
        np.arange("2001-01", "2031-01", dtype="datetime64[M]").astype("datetime64[s]").reshape(12, 30),
        np.zeros((40, 3), [("t", ">f4", (2, 3)), ("when", "<M8[s]"), ("who", "S5"), ("z", "c16")]),
        np.array([["a", "bc"], ["déf", ""]] * 40),
        np.zeros((0, 5), "f4"),
        np.array(-0.0),
    ],
    ids=["dates", "records", "texts", "empty", "one number"],
)
def test_numpy_files_of_other_things(values: Numbers) -> None:
    check(npy(values))


def _made(write: Callable[[io.BytesIO], None]) -> bytes:
    write(out := io.BytesIO())
    return out.getvalue()


def test_members_of_an_npz_by_numpy_itself() -> None:
    cube = smooth((4, 20, 30), "f4")
    check(_made(lambda out: np.savez_compressed(out, a=cube, b=cube > 0, c=np.array("text"), d=cube.astype("f2"))))
