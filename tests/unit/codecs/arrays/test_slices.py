"""A part of a kept file is what xarray gives of the original, in a file that others read."""

import io
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lithify import limits
from lithify.codecs.arrays.calendars import calendar_of, instant, span, text_of
from lithify.codecs.arrays.cutting import cut_one
from lithify.codecs.arrays.labelled import Labelled, LabelledFile, label
from lithify.codecs.arrays.opened import open_arrays
from lithify.codecs.arrays.telling import attributes_of, dtype_of, told
from lithify.codecs.arrays.wish import Cut, Index, parse_index
from lithify.codecs.arrays.written import Form, write
from lithify.codecs.registry import by_id
from lithify.errors import BadArgument, Corrupt, LithifyError, NotFound
from tests.suites.codec_suite import framed
from tests.unit.codecs.arrays.files import Nc3Variable, netcdf3, npy, smooth, zipped

xarray = pytest.importorskip("xarray")
netcdf4 = pytest.importorskip("netCDF4")

CUBE = smooth((48, 20, 30), "f4")


def opened(data: bytes, codec_id: str = "arrays.values") -> LabelledFile:
    codec = by_id(codec_id)
    return label(open_arrays(io.BytesIO(framed(codec(codec.params_for("fast", len(data))), data))))


def written(file: LabelledFile, wish: Cut, form: Form = "netcdf") -> bytes:
    found = write(file, wish, form)
    data = b"".join(found.blocks)
    assert found.length == len(data)
    return data


def loaded(file: LabelledFile, wish: Cut) -> Any:
    return np.load(io.BytesIO(written(file, wish, "npy")))


def climate(*, early: bool = False) -> bytes:
    """Hours of March 2019, as NetCDF 3."""
    hours = np.arange(48, dtype="f8" if early else "i4")
    packed = {"scale_factor": 0.01, "add_offset": 5.0, "_FillValue": np.int16(-1), "grid_mapping": "crs"}
    return netcdf3(
        [
            Nc3Variable("time", ["time"], hours, {"units": "hours since 2019-03-01 00:00:00"}),
            Nc3Variable("lat", ["lat"], np.linspace(60, 50, 20).astype("f4"), {"units": "degrees_north"}),
            Nc3Variable("t", ["time", "lat", "lon"], CUBE, {"units": "K", "_FillValue": np.float32(1e20)}),
            Nc3Variable("packed", ["time", "lat", "lon"], smooth((48, 20, 30), "i2"), packed),
            Nc3Variable("crs", ["one"], np.zeros(1, "i4"), {"grid_mapping_name": "latitude_longitude"}),
            Nc3Variable("code", ["lat", "char"], np.full((20, 3), b"x")),
        ]
    )


@cache
def climate_file() -> LabelledFile:
    return opened(climate())


@pytest.fixture
def kept() -> LabelledFile:
    return climate_file()


def modern(folder: Path) -> bytes:
    """NetCDF 4 with texts, whole numbers of every kind, a group."""
    path = folder / "modern.nc"
    with netcdf4.Dataset(path, "w") as file:
        for name, side in (("time", None), ("y", 20), ("x", 30)):
            file.createDimension(name, side)
        file.title, file.numbers = "made for a test", np.arange(3, dtype="i8")
        file.createVariable("t", "f4", ("time", "y", "x"), chunksizes=(7, 20, 30), compression="zlib")[:] = CUBE
        file["t"].units = "K"
        for kind in ("u1", "i1", "u2", "u4", "i8", "u8"):
            file.createVariable(kind, kind, ("y",))[:] = np.arange(20, dtype=kind)
        file.createVariable("station", str, ("y",))[:] = np.array([f"Köln {n}" for n in range(20)], object)
        group = file.createGroup("model")
        group.createVariable("t", "f8", ("y", "x"))[:] = CUBE[0]
        group.createVariable("only", "f8", ("y", "x"))[:] = CUBE[1]
        group.resolution = 2
    return path.read_bytes()


# --- what comes is what xarray gives ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wish", "expected"),
    [
        (Cut(("t",), ("time=10:20",)), lambda d: d[["t"]].isel(time=slice(10, 20))),
        (
            Cut(("t", "packed"), ("time=::-7", "lat=3:9:2")),
            lambda d: d[["t", "packed", "crs"]].isel(time=slice(None, None, -7), lat=slice(3, 9, 2)),
        ),
        (Cut(("packed",), ("time=-1", "lon=4")), lambda d: d[["packed", "crs"]].isel(time=-1, lon=4)),
        (Cut((), ("lat=5",)), lambda d: d.isel(lat=5)),
        (
            Cut(("t",), (), ("time=2019-03-02", "lat=52..55")),
            lambda d: d[["t"]].sel(time="2019-03-02", lat=slice(55, 52)),
        ),
    ],
    ids=["range", "steps", "single", "all", "labels"],
)
@pytest.mark.parametrize("codec_id", ["arrays.values", "raw.zstd"])
def test_a_slice_of_netcdf_is_what_xarray_gives(tmp_path: Path, wish: Cut, expected: Any, codec_id: str) -> None:
    (tmp_path / "plain.nc").write_bytes(climate())
    (tmp_path / "slice.nc").write_bytes(written(opened(climate(), codec_id), wish))
    with xarray.open_dataset(tmp_path / "plain.nc") as plain, xarray.open_dataset(tmp_path / "slice.nc") as found:
        xarray.testing.assert_identical(expected(plain).load(), found.load())


def test_groups_texts_and_every_type_of_netcdf_4_are_kept(tmp_path: Path) -> None:
    (tmp_path / "plain.nc").write_bytes(modern(tmp_path))
    file = opened((tmp_path / "plain.nc").read_bytes())
    names = tuple(name for name in file.variables if "/" not in name)
    (tmp_path / "slice.nc").write_bytes(written(file, Cut(names, ("y=2:7",))))
    with xarray.open_dataset(tmp_path / "plain.nc") as plain, xarray.open_dataset(tmp_path / "slice.nc") as found:
        xarray.testing.assert_identical(plain.isel(y=slice(2, 7)).load(), found.load())
        assert found["u8"].dtype == np.uint64

    (tmp_path / "group.nc").write_bytes(written(file, Cut(("model/only",))))
    with xarray.open_dataset(tmp_path / "group.nc") as found:
        assert np.array_equal(CUBE[1], found["only"].values)
        assert {"title", "numbers", "resolution"} == set(found.attrs)
    with pytest.raises(BadArgument, match="two variables are called 't'"):
        written(file, Cut(("t", "model/t")))
    assert "Köln 3" == loaded(file, Cut(("station",), ("y=3",)))


def test_files_that_name_no_axes_are_cut_by_number_and_by_made_up_names() -> None:
    file = opened(npy(CUBE))
    assert np.array_equal(CUBE[3:9, :, -2], loaded(file, Cut((), ("0=3:9", "2=-2"))))
    assert np.array_equal(CUBE[5], loaded(file, Cut(("values",), ("values_0=5",))))
    several = opened(zipped({"a.npy": npy(CUBE), "b.npy": npy(CUBE[0])}))
    assert np.array_equal(CUBE[7], loaded(several, Cut(("a",), ("0=7",))))


INDEXES = st.one_of(
    st.integers(-48, 47),
    st.builds(slice, *(st.none() | st.integers(-60, 60),) * 2, st.none() | st.integers(-9, 9).filter(bool)),
)


def spelled(part: Index) -> str:
    if isinstance(part, int):
        return str(part)
    return ":".join("" if number is None else str(number) for number in (part.start, part.stop, part.step))


@settings(deadline=None)
@given(parts=st.tuples(INDEXES, INDEXES, INDEXES), at_once=st.sampled_from([300, 5_000, 1 << 24]))
def test_any_slice_is_what_numpy_gives_however_little_is_read_at_once(parts: tuple[Index, ...], at_once: int) -> None:
    wish = [f"{axis}={spelled(part)}" for axis, part in enumerate(parts)]
    try:
        expected = CUBE[parts]
    except IndexError:
        expected = np.zeros(0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(limits, "SLICE_BLOCK_BYTES", at_once)
        if expected.size:
            assert np.array_equal(expected, loaded(climate_file(), Cut(("t",), tuple(wish))))
        else:
            with pytest.raises(BadArgument, match="steps"):
                loaded(climate_file(), Cut(("t",), tuple(wish)))


def test_only_the_steps_that_are_wanted_are_read(kept: LabelledFile, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    piece = cut_one(kept, Cut(("t",), ("time=10:20",)))
    read = Labelled.read

    def watched(own: Labelled, parts: Any) -> Any:
        asked.append(parts)
        return read(own, parts)

    monkeypatch.setattr(Labelled, "read", watched)
    list(piece.blocks())
    assert [(slice(10, 20, 1), slice(0, 20, 1), slice(0, 30, 1))] == asked


def test_long_pieces_are_read_to_where_blocks_end(kept: LabelledFile, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "SLICE_BLOCK_BYTES", 10 * CUBE[0].nbytes)
    monkeypatch.setattr(Labelled, "blocks", (8, 20, 30))
    piece = cut_one(kept, Cut(("t",), ("time=3:40",)))
    assert [5, 8, 8, 8, 8] == [len(block) for block in piece.blocks()]


# --- what is wrong is told with what there is -------------------------------------------------------------


@pytest.mark.parametrize(
    ("wish", "error", "told"),
    [
        (lambda: Cut(("tt",)), NotFound, "'tt'; there are: time(time), lat(lat), t(time, lat, lon)"),
        (lambda: Cut(("t",), ("level=3",)), BadArgument, "'level'; there are: time (48), lat (20), lon (30)"),
        (lambda: Cut(("t",), ("time=48",)), BadArgument, "48 steps, 0 to 47"),
        (lambda: Cut(("t",), ("time=60:",)), BadArgument, "time=60: is empty: the dimension time has 48 steps"),
        (lambda: Cut((), ("time=1:2",)), BadArgument, "say which variable is wanted: "),
        (lambda: Cut(("t",), (), ("lat=51.1",)), BadArgument, "the nearest has 51.0526314"),
        (lambda: Cut(("t",), (), ("lat=north",)), BadArgument, "lat has numbers, such as 60"),
        (lambda: Cut(("t",), (), ("lon=3",)), BadArgument, "lon has no coordinate of numbers; cut it by steps"),
        (lambda: Cut(("t",), (), ("time=2020",)), BadArgument, "goes from 2019-03-01T00:00 to 2019-03-02T23:00"),
        (lambda: Cut(("t",), (), ("time=yesterday",)), BadArgument, "a time is spelled 2019, 2019-03"),
        (lambda: Cut(("t", "lat")), BadArgument, "one variable is wanted here, found t, lat"),
        (lambda: Cut(("t",), ("time",)), BadArgument, "expected DIMENSION=START:STOP:STEP"),
        (lambda: Cut(("t",), ("time=a:b",)), BadArgument, "found 'a:b'"),
        (lambda: Cut(("t",), ("time=1:2:0",)), BadArgument, "a step of 0"),
        (lambda: Cut(("t",), ("time=" + "9" * 19,)), BadArgument, "a number, none of more than 18 digits; found '999"),
        (lambda: Cut(("t",), ("time=1", "time=2")), BadArgument, "a dimension is cut once"),
        (lambda: Cut(("t",), ("time=1",), ("time=2019",)), BadArgument, "a dimension is cut once"),
    ],
)
def test_a_wrong_wish_is_told_what_there_is(
    kept: LabelledFile, wish: Any, error: type[LithifyError], told: str
) -> None:
    with pytest.raises(error) as caught:
        loaded(kept, wish())
    assert told in caught.value.message


@pytest.mark.parametrize(
    ("label", "hours"),
    [
        ("2019", slice(0, 48)),
        ("2019-03", slice(0, 48)),
        ("2019-03-02", slice(24, 48)),
        ("2019-03-01T07", slice(7, 8)),
        ("2019-03-01 07:00:00Z", slice(7, 8)),
        ("2019-03-01T05..2019-03-01T07:30", slice(5, 8)),
        ("2019-03-02..2019-03-02T01", slice(24, 26)),
    ],
)
@pytest.mark.parametrize("early", [False, True])
def test_a_time_means_all_that_lies_in_it(label: str, hours: slice, early: bool) -> None:
    found = loaded(opened(climate(early=early), "raw.zstd"), Cut(("t",), (), (f"time={label}",)))
    assert np.array_equal(CUBE[hours], found)


@pytest.mark.parametrize("calendar", ["noleap", "all_leap", "360_day", "julian", "proleptic_gregorian", "standard"])
def test_times_are_looked_up_in_the_calendars_of_climate_models(calendar: str) -> None:
    cftime = pytest.importorskip("cftime")
    units = "days since 1999-11-07 06:00:00\0\0"
    steps = np.arange(0, 900, 0.75)
    file = opened(netcdf3([Nc3Variable("time", ["time"], steps, {"units": units, "calendar": calendar})]), "raw.zstd")
    dates = cftime.num2date(steps, units.rstrip("\0"), calendar)
    for spelled in ("2000-02", "2001", "2000-01-30", "2000-02-28..2000-03-01T12"):
        low, _, high = spelled.partition("..")
        inside = [
            date.isoformat()[: len(low)] >= low and date.isoformat()[: len(high or low)] <= (high or low)
            for date in dates
        ]
        assert np.array_equal(steps[inside], loaded(file, Cut(("time",), (), (f"time={spelled}",)))), spelled


@pytest.mark.parametrize(
    ("calendar", "begin", "seconds"),
    [
        ("noleap", "0000-01-01", 0.0),
        ("360_day", "1-2-30 01:02:03.5", 360 * 86400 + 59 * 86400 + 3723.5),
        ("all_leap", "1-1-1 00:00 +01:30", 366 * 86400 - 5400.0),
        ("julian", "0005-01-01T00:00:00Z", (365 * 5 + 2) * 86400.0),
        ("noleap", "2000-02-29", None),
        ("360_day", "2000-13-01", None),
        ("noleap", "2000-02-28 24:00", None),
        ("standard", "0001-01-01", None),
        ("noleap", "yesterday", None),
        ("julian", "0000-01-01", None),
        ("proleptic_gregorian", "0001-01-01", 366 * 86400.0),
    ],
)
def test_what_times_are_counted_from_is_read_by_its_calendar(calendar: str, begin: str, seconds: float | None) -> None:
    found = calendar_of(calendar)
    assert found is not None
    assert seconds == instant(found, begin)


def test_days_of_the_standard_calendar_before_it_began_are_no_days_of_another() -> None:
    days = [calendar_of(name) for name in ("standard", "proleptic_gregorian")]
    assert days[0] is not None
    assert days[1] is not None
    assert span(days[0], "1500-03-01") is None
    assert span(days[1], "1500-03-01") is not None
    assert span(days[0], "1582-10-15") == span(days[1], "1582-10-15")


@given(
    st.sampled_from(["noleap", "all_leap", "360_day", "julian", "proleptic_gregorian", "standard"]),
    st.floats(0, 3.2e11),
)
def test_a_time_is_spelled_as_it_is_read(calendar: str, seconds: float) -> None:
    days = calendar_of(calendar)
    assert days is not None
    if (text := text_of(days, seconds)) is None:
        assert seconds < (1583 if calendar == "standard" else 1) * 366 * 86400 or seconds > 9998 * 360 * 86400
    else:
        minute = span(days, text)
        assert minute is not None
        assert abs(seconds - minute[0]) <= 30


@pytest.mark.parametrize("seconds", [float("nan"), float("inf"), -1.0, 1e300])
def test_a_time_that_no_calendar_has_is_not_spelled(seconds: float) -> None:
    days = calendar_of("noleap")
    assert days is not None
    assert text_of(days, seconds) is None


def test_calendars_that_nobody_knows_are_refused() -> None:
    days = {"units": "days since 0001-01-01", "calendar": "mayan"}
    file = opened(netcdf3([Nc3Variable("time", ["time"], np.arange(9.0), days)]), "raw.zstd")
    with pytest.raises(BadArgument, match="mayan"):
        loaded(file, Cut(("time",), (), ("time=0001-01-02",)))


def test_an_index_is_spelled_as_in_python() -> None:
    assert ("time", slice(10, 20, None)) == parse_index("time=10:20")
    assert ("a=b", -3) == parse_index(" a=b = -3 ")
    assert ("x", slice(None, None, -1)) == parse_index("x=::-1")
    wish = Cut(("t",), ("time=1:2",), ("lat=3..4",))
    assert wish == Cut.from_json(wish.as_json())


# --- variables, told --------------------------------------------------------------------------------------


def test_attributes_come_back_from_json_with_their_types(tmp_path: Path) -> None:
    document = told(opened(modern(tmp_path), "raw.zstd"))
    names = {"t", "u1", "i1", "u2", "u4", "i8", "u8", "station", "model/t", "model/only"}
    assert names == {one["name"] for one in document["variables"]}
    found = attributes_of(document["attributes"][""])
    assert "made for a test" == found["title"]
    assert np.array_equal(np.arange(3), found["numbers"])
    assert np.int64 == found["numbers"].dtype
    assert np.dtype(object) == dtype_of("text")
    one = attributes_of({"a": {"type": "f4", "numbers": ["nan"]}})["a"]
    assert np.isnan(one)
    assert np.float32 == one.dtype
    for wrong in ({"type": "O", "numbers": [1]}, {"type": "f4"}, {"type": "f4", "numbers": ["x"]}):
        with pytest.raises(Corrupt):
            attributes_of({"a": wrong})
