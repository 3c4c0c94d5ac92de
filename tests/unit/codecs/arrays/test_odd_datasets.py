"""NetCDF and HDF5 files as nobody would plan them come back as promised, by what their own libraries read of both:
unlimited axes, lists, texts, records, enumerations, scalars, nothing at all, packed numbers, strange floats.
"""

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st

from lithify.codecs.arrays.bound import Bound
from lithify.codecs.arrays.codec import Arrays, ArraysParams
from lithify.codecs.arrays.containers.find import described
from lithify.codecs.arrays.containers.hdf5 import reading
from lithify.codecs.arrays.labelled import label
from lithify.codecs.arrays.near_fills import is_within, moved_from_fills
from lithify.codecs.arrays.opened import open_arrays
from lithify.codecs.fidelity import Contract
from lithify.codecs.reasons import reasons_given
from lithify.errors import Conflict, Corrupt
from tests.examples import examples
from tests.suites.codec_suite import framed
from tests.unit.codecs.arrays.files import Nc3Variable, Numbers, netcdf3, smooth
from tests.unit.codecs.arrays.test_containers import hdf5
from tests.unit.codecs.arrays.test_every_container import back_of

h5py = pytest.importorskip("h5py")
netCDF4 = pytest.importorskip("netCDF4")

STRANGE = (np.nan, np.inf, -np.inf, -0.0, 5e-324, 1e-40, 65504.0, 3.4e38, -1.0, 9.96921e36)
FLOATS = ("f4", ">f4", "f8", ">f8")
WHOLE = ("i2", ">i2", "u1", "i4", ">u4", "i8")
CONTRACTS = (
    "exact",
    "content",
    "bounded:abs=0.01",
    "bounded:rel=0.001",
    "bounded:pwrel=0.001",
    "floor:psnr=50",
)  # fmt: skip
NAMES = ("t", "u", "lat", "time", "time_bnds", "area", "rain rate", "größe")
FILLS = (None, -999.0, 9.96921e36, float("nan"), 0.0)
Draw = Callable[[Any], Any]


@pytest.mark.parametrize("fills", [(0.0, 0.005), (0.013, 0.01), (0.0, float("nan")), (-1.0, 0.0)])
@pytest.mark.parametrize("by", [0.01, 0.3, 3.0])
def test_fills_nearer_to_one_another_than_a_bound_stay_what_they_are(fills: tuple[float, ...], by: float) -> None:
    values = np.abs(smooth((20, 30), "f4"))
    values[::3, ::2], values[::4, 1::2] = fills
    values[0, :3] = np.inf, -np.inf, np.nan
    missing = [np.float32(fill) for fill in fills]
    moved = moved_from_fills(values, missing, Bound("abs", by))
    assert moved is not None
    assert is_within(values, moved.values, missing, Bound("abs", by))
    none = np.isnan(values) | np.isinf(values) | np.isin(values, missing)
    assert values[none].tobytes() == moved.values[none].tobytes()
    other = moved.values.copy()
    other[0, 0] = 1.0
    assert not is_within(values, other, missing, Bound("abs", by))


class Made(bytes):
    """A file, which failures do not print."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"<a file of {len(self)} bytes>"


def numbers(draw: Draw, shape: tuple[int, ...], dtype: str) -> Numbers:
    """Waves, some values of which are strange."""
    values = smooth(shape, np.dtype(dtype).str[1:], draw(st.integers(0, 9))).astype(dtype)
    for _ in range(draw(st.integers(0, 5)) if values.size else 0):
        at = draw(st.integers(0, values.size - 1))
        strange = draw(st.sampled_from(STRANGE)) if np.dtype(dtype).kind == "f" else draw(st.integers(0, 99))
        with np.errstate(all="ignore"):
            values.reshape(-1)[at] = np.asarray(strange).astype(dtype)
    return values


FILTERS: tuple[dict[str, Any], ...] = (
    {},
    {"zlib": True},
    {"zlib": True, "shuffle": False, "complevel": 1},
    {"zlib": True, "fletcher32": True},
    {"fletcher32": True},
    {"compression": "zstd"},
    {"zlib": True, "least_significant_digit": 2},
    {"contiguous": True},
)


@st.composite
def netcdf_files(draw: st.DrawFn) -> bytes:
    """A file of NetCDF 4 or 3."""
    form: Any = draw(
        st.sampled_from(["NETCDF4", "NETCDF4", "NETCDF4_CLASSIC", "NETCDF3_CLASSIC", "NETCDF3_64BIT_DATA"])
    )
    file = netCDF4.Dataset("x", "w", format=form, memory=1024)
    file.set_auto_maskandscale(False)
    file.title = "odd"
    sides = [draw(st.integers(1, 9)) for _ in range(5)]
    file.createDimension("time", None)
    for number, side in enumerate(sides):
        file.createDimension(f"d{number}", side)
    groups = [file]
    if form == "NETCDF4":
        groups.append(file.createGroup("model").createGroup("runs"))
        if draw(st.booleans()):
            draw(st.sampled_from([groups[-1], groups[-1].parent])).createDimension("time", draw(st.integers(1, 9)))
        _odd_types(draw, file)
    for name in draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=5, unique=True)):
        _variable(draw, draw(st.sampled_from(groups)), name, sides, form)
    return Made(file.close())


def _fixed_time(group: Any) -> int | None:
    """The length of the dimension of that name that hides the one that grows."""
    while group.parent is not None:
        if "time" in group.dimensions:
            return len(group.dimensions["time"])
        group = group.parent
    return None


def _variable(draw: Draw, group: Any, name: str, sides: list[int], form: str) -> None:
    plain = form == "NETCDF4"
    types = FLOATS + WHOLE if plain else (*FLOATS, "i2", "i4")
    dtype = np.dtype(draw(st.sampled_from(types)))
    count = draw(st.integers(0, 5))
    axes = [f"d{number}" for number in range(count)]
    shape = tuple(sides[:count])
    grows = draw(st.booleans())
    if grows:
        fixed = _fixed_time(group)
        axes, shape = ["time", *axes[:4]], (draw(st.integers(0, 7)) if fixed is None else fixed, *shape[:4])
    fill = draw(st.sampled_from(FILLS))
    usable = fill is not None and (dtype.kind == "f" or (fill in (0.0, -999.0) and dtype.str[1:] in ("i2", "i4", "i8")))
    filters = draw(st.sampled_from(FILTERS)) if form.startswith("NETCDF4") and axes else {}
    if grows:
        filters = {key: value for key, value in filters.items() if key != "contiguous"}
    if dtype.kind != "f":
        filters = {key: value for key, value in filters.items() if key != "least_significant_digit"}
    endian: Any = "native"
    kind = dtype.newbyteorder("=")
    if form.startswith("NETCDF4") and dtype.byteorder == ">":
        endian, kind = "big", dtype
    is_written = not shape or draw(st.integers(0, 9)) > 0
    unfilled = False if is_written and not grows else None  # what nobody writes would be anything
    variable = group.createVariable(
        name, kind, axes, endian=endian, fill_value=kind.type(fill) if usable else unfilled, **filters
    )
    variable.set_auto_maskandscale(False)
    if dtype.kind != "f" and draw(st.booleans()):
        variable.scale_factor, variable.add_offset = 0.01, 273.15
    if draw(st.booleans()):
        variable.units = draw(st.sampled_from(["K", "degrees_north", "days since 2000-01-01", ""]))
    if usable and draw(st.booleans()):
        variable.missing_value = kind.type(fill)
    if is_written:
        values = numbers(draw, shape, dtype.newbyteorder("=").str)
        if usable and values.size and draw(st.booleans()):
            values.reshape(-1)[:: draw(st.integers(1, 5))] = kind.type(fill)
        variable[...] = values


def _odd_types(draw: Draw, file: Any) -> None:
    """Lists, texts, records, enumerations, characters."""
    file.createDimension("n", 4)
    if draw(st.booleans()):
        ragged = file.createVariable("ragged", file.createVLType("f4", "list"), ("n",))
        for at in range(4):
            ragged[at] = np.arange(at * 3, dtype="f4")
    if draw(st.booleans()):
        words = file.createVariable("words", str, ("n",))
        words[:] = np.array(["one", "", "größer", "x" * 70], object)
    if draw(st.booleans()):
        record = np.dtype([("a", "f4"), ("b", "i2"), ("c", "f8", (2,))])
        kept = file.createVariable("records", file.createCompoundType(record, "record"), ("n", "d0"))
        rows = np.zeros((4, len(file.dimensions["d0"])), record)
        rows["a"] = smooth(rows.shape, "f4")
        rows["c"] = np.nan
        kept[:] = rows
    if draw(st.booleans()):
        clouds = file.createEnumType("u1", "clouds", {"clear": 0, "some": 1, "missing": 255})
        flags = file.createVariable("flags", clouds, ("n", "d0"), fill_value=255)
        flags[:] = np.ones((4, len(file.dimensions["d0"])), "u1")
    if draw(st.booleans()):
        letters = file.createVariable("letters", "S1", ("n", "d1"))
        letters[:] = np.full((4, len(file.dimensions["d1"])), b"q", "S1")


CHUNKED: tuple[dict[str, Any], ...] = (
    {},
    {"chunks": True},
    {"chunks": True, "compression": "gzip"},
    {"chunks": True, "compression": "gzip", "shuffle": True, "fletcher32": True},
    {"chunks": True, "compression": "lzf"},
    {"chunks": True, "compression": "szip"},
    {"chunks": True, "scaleoffset": 3},
)


@st.composite
def hdf5_files(draw: st.DrawFn) -> bytes:
    """A file of HDF5."""

    def write(file: Any) -> None:
        for name in draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=4, unique=True)):
            _dataset(draw, file, draw(st.sampled_from(["", "a/", "a/b/"])) + name)
        first = next(iter(file))
        if draw(st.booleans()):
            file["again"] = file[first]
        if draw(st.booleans()):
            file["soft"] = h5py.SoftLink("/a/t")
            file["away"] = h5py.ExternalLink("other.h5", "/t")
        _odd_datasets(draw, file)

    return Made(hdf5(write))


def _dataset(draw: Draw, file: Any, name: str) -> None:
    dtype = np.dtype(draw(st.sampled_from((*FLOATS, *WHOLE, "f2", "c8", "?"))))
    count = draw(st.integers(0, 5))
    shape = tuple(draw(st.integers(0 if not axis else 1, 9)) for axis in range(count))
    values = numbers(draw, shape, dtype.str if dtype.kind in "iuf" else "f4").astype(dtype)
    how = dict(draw(st.sampled_from(CHUNKED))) if count and 0 not in shape else {}
    if dtype.kind not in "iu":
        how.pop("scaleoffset", None)
    if how.get("compression") == "szip" and (dtype.kind not in "iuf" or values.size < 64):
        how.pop("compression")  # it asks for more
    if how:
        how["maxshape"] = (None, *shape[1:])
    fill = draw(st.sampled_from(FILLS))
    if fill is not None and dtype.kind == "f":
        how["fillvalue"] = fill
    kept = file.create_dataset(name, data=values, **how)
    if fill is not None and dtype.kind == "f":
        with np.errstate(over="ignore"):
            kept.attrs["_FillValue"] = np.asarray([fill], dtype)
    if "maxshape" in how and draw(st.booleans()):
        kept.resize(shape[0] + draw(st.integers(0, 30)), axis=0)
    if draw(st.booleans()):
        kept.attrs["units"] = draw(st.sampled_from(["K", "degrees_east"]))


def _odd_datasets(draw: Draw, file: Any) -> None:
    if draw(st.booleans()):
        file["nothing"] = h5py.Empty("f4")
        file.create_dataset("unwritten", (6, 8, 9), "f4")
    if draw(st.booleans()):
        file["texts"] = ["one", "größer", ""]
        ragged = file.create_dataset("ragged", (3,), h5py.vlen_dtype(np.dtype("f8")))
        ragged[1] = np.arange(5.0)
    if draw(st.booleans()):
        record = np.dtype([("a", "<f4"), ("inner", [("b", ">f8"), ("c", "S3")]), ("d", "<f4", (3, 2))])
        rows = np.zeros((5, 4), record)
        rows["d"] = smooth((5, 4, 3, 2), "f4")
        file.create_dataset("records", data=rows, **draw(st.sampled_from([{}, {"compression": "gzip"}])))
    if draw(st.booleans()):
        kind = h5py.enum_dtype({"clear": 0, "some": 1}, "i1")
        file.create_dataset("flags", data=np.ones((5, 9), "i1"), dtype=kind)
        file["pointer"] = file["flags"].ref
    if draw(st.booleans()):
        layout = h5py.VirtualLayout((3, 9), "f4")
        layout[0] = h5py.VirtualSource(".", "row", (9,))
        file["row"] = np.arange(9, dtype="f4")
        file.create_virtual_dataset("seen", layout, fillvalue=-5)


def datasets_of(data: bytes) -> Iterator[tuple[str, Any, Numbers]]:
    """Name, attributes and values of all datasets of an HDF5 file, by its library."""
    with h5py.File(io.BytesIO(data)) as file:
        found: list[str] = []
        file.visit(found.append)
        for name in found:
            if isinstance(file[name], h5py.Dataset) and file[name].shape is not None:
                yield name, dict(file[name].attrs), file[name][()]


def variables_of(data: bytes) -> Iterator[tuple[str, Any, Numbers]]:
    """The same of NetCDF 3."""
    with netCDF4.Dataset("x", memory=data) as file:
        file.set_auto_maskandscale(False)
        for name, variable in file.variables.items():
            yield name, {key: variable.getncattr(key) for key in variable.ncattrs()}, np.asarray(variable[...])


def check(data: bytes, text: str) -> None:
    """That the file comes back as the contract promises, by what its own library reads of both."""
    back = back_of(data, text)
    contract = Contract.parse(text)
    read = datasets_of if data.startswith(b"\x89HDF") else variables_of
    for (name, told, before), (same, also, after) in zip(read(data), read(back), strict=True):
        assert name == same
        assert repr(told) == repr(also), name
        compare(name, np.asarray(before), np.asarray(after), told, contract)


def compare(name: str, before: Numbers, after: Numbers, told: Any, contract: Contract) -> None:
    assert (before.shape, before.dtype) == (after.shape, after.dtype), name
    if before.dtype.names is not None:
        for field in before.dtype.names:
            compare(f"{name}.{field}", before[field], after[field], told, contract)
    elif before.dtype.kind == "f" and before.size and contract.kind in {"bounded", "floor"}:
        _compare_floats(name, before, after, told, contract)
    elif before.dtype.kind == "c" and contract.kind in {"bounded", "floor"}:
        for part in ("real", "imag"):
            assert_near(name, getattr(before, part), getattr(after, part), contract)
    elif before.dtype.hasobject:
        assert repr(before.tolist()) == repr(after.tolist()), name
    else:
        assert before.tobytes() == after.tobytes(), name


def _compare_floats(name: str, before: Numbers, after: Numbers, told: Any, contract: Contract) -> None:
    fixed = ~np.isfinite(before)
    with np.errstate(over="ignore"):
        for key in ("_FillValue", "missing_value"):
            fixed |= before == np.asarray(told.get(key, np.nan)).astype(before.dtype).reshape(-1)[0]
    assert before[fixed].tobytes() == after[fixed].tobytes(), name
    assert_near(name, before[~fixed], after[~fixed], contract)


def assert_near(name: str, before: Numbers, after: Numbers, contract: Contract) -> None:
    """That numbers are within a bound, or above a floor."""
    if before.tobytes() == after.tobytes():
        return
    exact, found = before.astype(np.longdouble), after.astype(np.longdouble)
    span = exact.max() - exact.min()
    errors = abs(found - exact)
    assert np.isfinite(found).all(), name
    assert contract.value is not None
    if contract.kind == "floor":
        assert 20 * np.log10(span) - 10 * np.log10(np.mean(errors**2)) >= contract.value - 1e-6, name
        return
    allowed = {"abs": contract.value, "rel": contract.value * span, "pwrel": contract.value * abs(exact)}
    assert (errors <= allowed[str(contract.metric)]).all(), name


@given(netcdf_files(), st.sampled_from(CONTRACTS))
@settings(max_examples=examples(120, "ODD_EXAMPLES"), deadline=None)
def test_any_netcdf_file_comes_back_as_promised(data: bytes, contract: str) -> None:
    check(data, contract)


@given(hdf5_files(), st.sampled_from(CONTRACTS))
@settings(max_examples=examples(120, "ODD_EXAMPLES"), deadline=None)
def test_any_hdf5_file_comes_back_as_promised(data: bytes, contract: str) -> None:
    check(data, contract)


@pytest.mark.parametrize("contract", ["bounded:abs=0.01", "bounded:rel=0.001", "floor:psnr=50"])
def test_values_near_to_a_fill_do_not_become_fills(contract: str) -> None:
    rain = np.maximum(smooth((9, 40, 50), "f4"), np.float32(0))
    rain[0, :5] = np.linspace(-0.009, 0.009, 250, dtype="f4").reshape(5, 50)
    variable = Nc3Variable("rain", ("time", "y", "x"), rain, {"_FillValue": np.float32(0)})
    data = netcdf3([variable])
    with reasons_given() as reasons:
        back = back_of(data, contract)
    check(data, contract)
    assert (back == data) is (contract == "floor:psnr=50") is bool(reasons)


@pytest.mark.parametrize("contract", ["floor:psnr=50", "floor:psnr=70", "floor:ssim=0.99"])
@pytest.mark.parametrize("shape", [(3, 3, 7, 7, 7), (5, 40, 50), (9, 33, 33)])
def test_a_floor_is_one_of_what_lies_inside_where_chunks_reach_over_the_end(
    shape: tuple[int, ...], contract: str
) -> None:
    values = np.random.default_rng(3).normal(0, 1, shape).astype("f4")
    chunks = tuple(-(-side // 2) + (side == max(shape)) for side in shape)
    data = hdf5(lambda file: file.create_dataset("u", data=values, chunks=chunks))
    if "psnr" in contract:
        check(data, contract)
    assert Arrays.measure(data, back_of(data, contract), Contract.parse(contract))


def test_a_file_that_is_as_long_when_it_is_written_anew_is_measured() -> None:
    values = smooth((1, 1), "f4")
    data = hdf5(lambda file: file.create_dataset("t", data=values, chunks=(1, 1), compression="gzip"))
    check(data, "bounded:abs=0.01")


@given(netcdf_files(), st.booleans())
@settings(max_examples=examples(60, "ODD_EXAMPLES"), deadline=None)
def test_xarray_opens_any_netcdf_file_as_its_own_reader_does(data: bytes, decoded: bool) -> None:
    xarray = pytest.importorskip("xarray")
    from lithify.api.scientific.xarray_engine import LithifyEntrypoint

    with TemporaryDirectory() as folder:
        path, frame = Path(folder) / "plain.nc", Path(folder) / "kept.lith"
        path.write_bytes(data)
        frame.write_bytes(framed(Arrays(ArraysParams(effort="fast")), data))
        told = dict.fromkeys(("mask_and_scale", "concat_characters", "decode_coords"), decoded) | {
            "decode_times": False
        }
        try:
            plain = xarray.open_groups(path, engine="netcdf4", **told)
        except ValueError:
            reject()  # a dimension of another length than its coordinate: xarray knows no such files
        found = xarray.open_groups(frame, engine=LithifyEntrypoint, **told)
        assert plain.keys() == found.keys()
        for group, one in plain.items():
            with one as own, found[group] as kept:
                left_out = {"ragged", "records"}
                assert left_out.isdisjoint(kept.variables)
                for variable in kept.variables.values():
                    variable.attrs.pop("least_significant_digit", None)  # which xarray's reader leaves out
                assert own.encoding["unlimited_dims"] == kept.encoding["unlimited_dims"]
                xarray.testing.assert_identical(own.drop_vars(left_out, errors="ignore").load(), kept.load())


def test_records_that_nobody_wrote_are_fills_up_to_the_length_of_their_dimension(tmp_path: Path) -> None:
    path = tmp_path / "plain.nc"
    with netCDF4.Dataset(path, "w") as file:
        file.createDimension("time", None)
        file.createDimension("x", 50)
        file.createVariable("t", "f4", ("time", "x"))[:] = smooth((40, 50), "f4")
        file.createVariable("u", "f4", ("time", "x"))[:30] = smooth((30, 50), "f4", 1)
    data = path.read_bytes()
    array = open_arrays(io.BytesIO(framed(Arrays(ArraysParams(effort="fast")), data))).arrays["u"]
    with netCDF4.Dataset("x", memory=data) as file:
        file.set_auto_mask(False)
        for part in (
            (slice(None), slice(None)),
            (slice(35, 20, -3), 7),
            (35, slice(3, 9)),
            (slice(38, None), 4),
            (29, 49),
        ):
            assert np.array_equal(file["u"][part], array[part])
    assert 40 == sum(array.chunks[0])


def test_a_dimension_of_one_length_hides_one_that_grows_further_out(tmp_path: Path) -> None:
    path = tmp_path / "plain.nc"
    with netCDF4.Dataset(path, "w") as file:
        file.createDimension("time", None)
        file.createVariable("t", "f4", ("time",))[:] = smooth((12,), "f4")
        model = file.createGroup("model")
        model.createDimension("time", 5)
        model.createGroup("runs").createVariable("t", "f4", ("time",))[:] = smooth((5,), "f4", 1)
    frame = framed(Arrays(ArraysParams(effort="fast")), path.read_bytes())
    array = open_arrays(io.BytesIO(frame)).arrays["model/runs/t"]
    assert np.array_equal(smooth((5,), "f4", 1), array[:])


@pytest.mark.parametrize("value", [np.array([b"A", b"B"]), np.array([1.0, 2.0]), h5py.Empty("f4")], ids=repr)
@pytest.mark.parametrize("name", ["/", "group", "t"])
def test_a_class_that_is_none_of_a_scale_takes_nothing_from_the_description(name: str, value: Any) -> None:
    def write(file: Any) -> None:
        file["t"] = np.ones((20, 30), "f4")
        file.create_group("group").attrs["units"] = "K"
        file[name].attrs["CLASS"] = value

    said = described(hdf5(write))
    assert said is not None
    assert {"t"} == set(said.variables)
    assert {"units": "K"} == said.groups["group/"]


def test_a_group_is_no_scale_and_numbers_of_dimensions_are_whole() -> None:
    def write(file: Any) -> None:
        file.create_group("group").attrs.update({"CLASS": np.bytes_(b"DIMENSION_SCALE"), "_Netcdf4Dimid": np.int32(0)})
        lists = np.array([np.arange(3), np.arange(2)], object)
        for name, numbers in (("lists", lists), ("halves", np.array([0.5, 1])), ("none", h5py.Empty("i4"))):
            file[name] = np.ones((20, 30), "f4")
            file[name].make_scale(name)
            kind = h5py.vlen_dtype("i4") if numbers is lists else None
            file[name].attrs.create("_Netcdf4Coordinates", numbers, dtype=kind)

    said = described(hdf5(write))
    assert said is not None
    assert {name: (f"{name}_0", f"{name}_1") for name in ("lists", "halves", "none")} == {
        name: one.dimensions for name, one in said.variables.items()
    }


def test_an_hdf5_file_that_ends_early_is_told_as_one() -> None:
    whole = hdf5(lambda file: file.create_dataset("t", data=np.arange(9000.0)))
    with pytest.raises(Corrupt, match="truncated file"):
        reading(whole[: len(whole) // 2], len)
    with pytest.raises(Corrupt, match=r"cannot read: .*signature"):
        reading(b"no such file" * 99, len)
    file = open_arrays(io.BytesIO(framed(Arrays(ArraysParams()), whole[: len(whole) // 2])))
    with pytest.raises(Conflict, match=r"nothing to slice: .*truncated file"):
        label(file)
