"""xarray opens what lithify keeps as it opens the original, and values are decoded when they are needed."""

import copy
import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import pytest

from lithify.codecs.registry import by_id
from lithify.errors import BadArgument, Corrupt
from lithify.store.views import ArraysView, ArrayView
from tests.serving import Served
from tests.suites.codec_suite import framed
from tests.unit.codecs.arrays.files import Nc3Variable, fits, grib1, netcdf3, nifti, npy, smooth, tiff

xarray = pytest.importorskip("xarray")
netcdf4 = pytest.importorskip("netCDF4")

from lithify.api.scientific import remote_store  # noqa: E402
from lithify.api.scientific.local_store import Shared  # noqa: E402
from lithify.api.scientific.remote_store import Remote  # noqa: E402
from lithify.api.scientific.store import KeptArray  # noqa: E402
from lithify.api.scientific.xarray_engine import LithifyEntrypoint  # noqa: E402

CUBE = smooth((12, 40, 50), "f4")


def kept(folder: Path, data: bytes, codec_id: str = "arrays.values") -> Path:
    """The file in a frame."""
    path = folder / "kept.lith"
    codec = by_id(codec_id)
    path.write_bytes(framed(codec(codec.params_for("fast", len(data))), data))
    return path


def opened(path: Path, **settings: Any) -> Any:
    return xarray.open_dataset(path, engine=LithifyEntrypoint, **settings)


def climate() -> bytes:
    steps = np.arange(12.0)
    packed = {"scale_factor": 0.01, "add_offset": 5.0, "_FillValue": np.int16(-1)}
    return netcdf3(
        [
            Nc3Variable("time", ["time"], steps, {"units": "days since 2000-01-01", "calendar": "standard"}),
            Nc3Variable("lat", ["lat"], np.linspace(-60, 60, 40), {"units": "degrees_north"}),
            Nc3Variable("t", ["time", "lat", "lon"], CUBE, {"units": "K", "_FillValue": np.float32(1e20)}),
            Nc3Variable("packed", ["time", "lat", "lon"], smooth((12, 40, 50), "i2"), packed),
            Nc3Variable("code", ["lat", "char"], np.full((40, 3), b"x")),
        ]
    )


@pytest.mark.parametrize("codec_id", ["arrays.values", "raw.zstd"])
def test_a_netcdf_3_file_is_the_same_as_the_original(tmp_path: Path, codec_id: str) -> None:
    (tmp_path / "plain.nc").write_bytes(climate())
    with opened(kept(tmp_path, climate(), codec_id)) as found, xarray.open_dataset(tmp_path / "plain.nc") as plain:
        xarray.testing.assert_identical(plain.load(), found.load())


def test_groups_chunks_and_complex_types_of_netcdf_4_are_the_same(tmp_path: Path) -> None:
    path = tmp_path / "plain.nc"
    with netcdf4.Dataset(path, "w") as file:
        group = file.createGroup("model")
        for name, side in (("time", None), ("y", 40), ("x", 50)):
            group.createDimension(name, side)
        group.createVariable("t", "f4", ("time", "y", "x"), chunksizes=(5, 16, 50), compression=None)[:] = CUBE
        group.createVariable("whole", "f8", ("y", "x"))[:] = CUBE[0]
        group.createVariable("packed", "f4", ("y", "x"), compression="zlib")[:] = CUBE[1]
        group["t"].units = "K"
    with (
        opened(kept(tmp_path, path.read_bytes()), group="model") as found,
        xarray.open_dataset(path, group="model") as plain,
    ):
        xarray.testing.assert_identical(plain.load(), found.load())


def test_texts_that_end_with_nothing_are_read_as_by_others(tmp_path: Path) -> None:
    days = {"units": "days since 2000-01-01\0\0", "calendar": "noleap\0"}
    data = netcdf3([Nc3Variable("time", ["time"], np.arange(90.0), days)])
    (tmp_path / "plain.nc").write_bytes(data)
    with opened(kept(tmp_path, data)) as found, xarray.open_dataset(tmp_path / "plain.nc", engine="netcdf4") as plain:
        assert_opened_alike(plain, found)


def odd(path: Path) -> Path:
    """A file of NetCDF 4 in the other byte order, with groups in groups, axes that grow, and packed numbers."""
    with netcdf4.Dataset(path, "w") as file:
        file.createDimension("time", None)
        file.createDimension("x", 50)
        file.createDimension("letters", 9)
        file.createVariable("x", "S1", ("x", "letters"))[:] = np.full((50, 9), b"q")
        file.createVariable("t", ">f4", ("time", "x"), endian="big")[:] = CUBE[:, 0]
        file.createVariable("time", "f8", ("time",))[:] = np.arange(12.0)
        file["time"].units = "hours since 2026-03-01"
        runs = file.createGroup("model").createGroup("runs")
        runs.createDimension("step", None)
        packed = runs.createVariable("packed", "i2", ("step", "x"), fill_value=-1)
        packed.scale_factor = 0.5
        packed[:] = np.arange(150.0).reshape(3, 50)
    return path


def assert_opened_alike(plain: Any, found: Any) -> None:
    xarray.testing.assert_identical(plain.load(), found.load())
    assert plain.encoding["unlimited_dims"] == found.encoding["unlimited_dims"]
    for name, one in plain.variables.items():
        kept_as = found[name].encoding
        assert {key: one.encoding.get(key) for key in PACKED} == {key: kept_as.get(key) for key in PACKED}, name


PACKED = ("dtype", "scale_factor", "_FillValue", "units", "calendar")


@pytest.mark.parametrize("decoded", [True, False])
@pytest.mark.parametrize("group", [None, "model/runs"])
def test_what_the_file_has_is_told_as_by_the_reader_of_the_plain_file(
    tmp_path: Path, group: str | None, *, decoded: bool
) -> None:
    path = odd(tmp_path / "plain.nc")
    with (
        opened(kept(tmp_path, path.read_bytes()), group=group, decode_cf=decoded) as found,
        xarray.open_dataset(path, group=group, decode_cf=decoded) as plain,
    ):
        assert_opened_alike(plain, found)


@pytest.mark.parametrize("group", [None, "/model"])
def test_groups_are_a_tree(tmp_path: Path, group: str | None) -> None:
    path = odd(tmp_path / "plain.nc")
    frame = kept(tmp_path, path.read_bytes())
    with (
        xarray.open_datatree(frame, engine=LithifyEntrypoint, group=group, decode_times=False) as found,
        xarray.open_datatree(path, engine="netcdf4", group=group, decode_times=False) as plain,
    ):
        xarray.testing.assert_identical(plain.load(), found.load())


def test_a_frame_whose_groups_are_no_tree_is_closed_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "plain.nc"
    with netcdf4.Dataset(path, "w") as file:
        for group, side in ((file, 4), (file.createGroup("inner"), 5)):
            group.createDimension("x", side)
            group.createVariable("x", "f4", ("x",))[:] = np.arange(side)
    closed: list[Shared] = []
    close = Shared.close

    def watched(frame: Shared) -> None:
        closed.append(frame)
        close(frame)

    monkeypatch.setattr(Shared, "close", watched)
    with pytest.raises(ValueError, match="not aligned"):
        xarray.open_datatree(kept(tmp_path, path.read_bytes()), engine=LithifyEntrypoint)
    assert closed


def test_values_are_decoded_when_they_are_needed_and_no_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    read = KeptArray.__getitem__

    def watched(array: KeptArray, key: Any) -> Any:
        asked.append(key)
        return read(array, key)

    monkeypatch.setattr(KeptArray, "__getitem__", watched)
    with opened(kept(tmp_path, climate()), decode_times=False) as found:
        before = len(asked)
        step = found["t"][3, ::-2, 10:20].values

    assert np.array_equal(CUBE[3, ::-2, 10:20], step)
    assert before + 1 == len(asked)


def test_preferred_chunks_are_what_decodes_alone(tmp_path: Path) -> None:
    with opened(kept(tmp_path, climate())) as found:
        assert {"time", "lat", "lon"} == found["t"].encoding["preferred_chunks"].keys()


def test_frames_are_known_by_their_first_bytes(tmp_path: Path) -> None:
    (tmp_path / "plain.nc").write_bytes(climate())
    engine = LithifyEntrypoint()
    assert engine.guess_can_open(kept(tmp_path, climate()))
    assert not engine.guess_can_open(tmp_path / "plain.nc")
    assert not engine.guess_can_open(tmp_path / "nothing")
    assert not engine.guess_can_open(b"bytes")


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (npy(CUBE), CUBE),
        (npy(CUBE, fortran=True), CUBE),
        (nifti(CUBE), CUBE.T),
        (fits([CUBE]), CUBE),
        (tiff(list(CUBE)), CUBE),
    ],
    ids=["npy", "fortran", "nifti", "fits", "tiff"],
)
def test_the_array_of_a_simple_container_is_called_values(tmp_path: Path, data: bytes, expected: Any) -> None:
    with opened(kept(tmp_path, data)) as found:
        array = found["values"]
        assert expected.shape == array.shape
        assert np.array_equal(expected[1:3, 5], array[1:3, 5].values)
        assert np.array_equal(expected[:, ::3, -4], array[:, ::3, -4].values)
        assert np.array_equal(expected, array.values)


def test_what_has_no_dimensions_xarray_knows_of_is_refused_by_its_name(tmp_path: Path) -> None:
    for data in (grib1(smooth((3, 20, 30), "u2"), 16), b"no array at all"):
        with pytest.raises(BadArgument, match="unpack it"):
            opened(kept(tmp_path, data))
    cut = netcdf3([Nc3Variable("t", ["y", "x"], smooth((20, 30), "f4"))])[:60]
    with pytest.raises(BadArgument, match="no variables were found in this netcdf3 file"):
        opened(kept(tmp_path, cut))


# --- objects of a server ----------------------------------------------------------------------------------


def far(served: Served, collection: str, name: str = "c u/be.nc", **settings: Any) -> Any:
    address = f"{served.url}/v1/objects/{collection}/{quote(name)}"
    return xarray.open_dataset(address, engine=LithifyEntrypoint, key=served.key, **settings)


def test_an_object_is_the_same_as_the_original(served: Served, collection: str, tmp_path: Path) -> None:
    served.archive.put(collection, "c u/be.nc", [climate()])
    (tmp_path / "plain.nc").write_bytes(climate())
    with far(served, collection) as found, xarray.open_dataset(tmp_path / "plain.nc") as plain:
        for part in ({"time": slice(3, 9, 2), "lat": -1}, {"time": slice(0, 0)}):
            xarray.testing.assert_identical(plain.isel(part), found.isel(part))
        xarray.testing.assert_identical(plain.load(), found.load())
    with far(served, collection, drop_variables="t", decode_times=False) as found:
        assert {"packed", "code"} == set(found.data_vars)


def test_an_object_tells_of_its_file_what_a_frame_tells(served: Served, collection: str, tmp_path: Path) -> None:
    path = odd(tmp_path / "plain.nc")
    served.archive.put(collection, "c u/be.nc", [path.read_bytes()])
    for group in (None, "model/runs"):
        with (
            far(served, collection, group=group, decode_cf=False) as found,
            xarray.open_dataset(path, group=group, decode_cf=False) as plain,
        ):
            assert_opened_alike(plain, found)


def test_an_object_without_dimensions_that_xarray_knows_of_is_refused_too(served: Served, collection: str) -> None:
    served.archive.put(collection, "c u/be.nc", [grib1(smooth((3, 20, 30), "u2"), 16)])
    with pytest.raises(BadArgument, match="of kind grib is not opened by xarray"):
        far(served, collection)


class Lying:
    """A client whose server tells of one variable, and answers with `body`."""

    def __init__(self, body: bytes = b"", **told: Any) -> None:
        one = {"name": "t", "dimensions": ("x",), "shape": (3,), "type": "f4", "blocks": None, "attributes": {}, **told}
        self._view = ArraysView("c", "n", "r", "netcdf3", {"": {}}, (ArrayView(**one),))
        self._body = body

    def arrays(self, *_: Any, **__: Any) -> ArraysView:
        return self._view

    @contextmanager
    def slice(self, *_: Any, **__: Any) -> Iterator[list[bytes]]:
        yield [self._body]


def claimed(shape: tuple[Any, ...], body: bytes, kind: str = "<f4") -> bytes:
    """A NumPy file whose head says any shape."""
    head = io.BytesIO()
    np.lib.format.write_array_header_1_0(head, {"descr": kind, "fortran_order": False, "shape": shape})
    return head.getvalue() + body


@pytest.mark.parametrize(
    "body",
    [
        npy(np.zeros(7, "f4")),
        npy(np.zeros((3, 4), "f4")),
        npy(np.zeros(3, "c8")),
        npy(np.zeros(3, "i4")),
        npy(np.array(["a", "b", "c"])),
        npy(np.zeros(3, "f4"))[:-1],
        npy(np.zeros(3, "f4")) + b"more",
        claimed((1 << 33,), bytes(12)),
        claimed((1 << 63, 0), b""),
        claimed((-1, -3), bytes(12)),
        claimed((3,), bytes(24), "|O"),
        b"\x93NUMPY\1\0\5\0(((((",
        b"no array",
        b"",
    ],
)
def test_an_answer_that_is_not_what_was_told_is_refused_with_the_address(
    body: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote_store, "_client", lambda *_: Lying(body))
    with (
        xarray.open_dataset("http://host/v1/objects/c/n", engine=LithifyEntrypoint) as found,
        pytest.raises(Corrupt, match=r"^http://host/v1/objects/c/n: "),
    ):
        found.load()


@pytest.mark.parametrize(
    "told",
    [
        {"dimensions": ("x", "y")},
        {"blocks": (1, 2)},
        {"shape": (-3,)},
        {"type": "V8"},
        {"attributes": {"units": {"type": "f4", "numbers": 5}}},
    ],
    ids=repr,
)
def test_variables_that_cannot_be_are_refused_with_the_address(
    told: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote_store, "_client", lambda *_: Lying(**told))
    with pytest.raises(Corrupt, match=r"^http://host/v1/objects/c/n: "):
        xarray.open_dataset("http://host/v1/objects/c/n", engine=LithifyEntrypoint)


def test_groups_and_texts_of_an_object_are_the_same(served: Served, collection: str, tmp_path: Path) -> None:
    plain = xarray.Dataset({"t": (("y", "x"), CUBE[0]), "name": ("y", np.array([f"n{n}" for n in range(40)], object))})
    plain.to_netcdf(tmp_path / "plain.nc", group="model/run", engine="netcdf4")
    served.archive.put(collection, "c u/be.nc", [(tmp_path / "plain.nc").read_bytes()])
    with far(served, collection, group="/model/run") as found:
        xarray.testing.assert_identical(plain, found.load())
    with pytest.raises(BadArgument, match="'models'; there are: model, model/run"):
        far(served, collection, group="models")


def test_values_are_asked_for_when_they_are_needed_and_no_others(
    served: Served, collection: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []
    values = Remote.values

    def watched(remote: Remote, wish: Any) -> Any:
        asked.append((wish.variables, wish.slices))
        return values(remote, wish)

    monkeypatch.setattr(Remote, "values", watched)
    served.archive.put(collection, "c u/be.nc", [climate()])
    with far(served, collection, decode_times=False) as found:
        assert {"time", "lat"} == {name for (name,), _ in asked}
        asked.clear()
        step = found["t"][3, ::-2, 10:20].values
    assert np.array_equal(CUBE[3, ::-2, 10:20], step)
    assert [(("t",), ("0=3", "1=1:40:2", "2=10:20:1"))] == asked


def test_a_dataset_stays_at_the_revision_it_was_opened_at(served: Served, collection: str) -> None:
    served.archive.put(collection, "c u/be.nc", [npy(CUBE)])
    with far(served, collection) as found:
        served.archive.put(collection, "c u/be.nc", [npy(CUBE * 2)])
        assert np.array_equal(CUBE[0], found["values"][0].values)


def test_a_copy_of_a_frame_as_another_process_gets_it_opens_it_anew(tmp_path: Path) -> None:
    first = Shared(kept(tmp_path, climate()))
    second = copy.copy(first)
    assert first.labelled() is not second.labelled()
    first.close()
    for frame in (first, second):
        assert np.array_equal(CUBE[5], frame.read("t", (5, slice(None), slice(None))))
        frame.close()


def test_addresses_are_those_of_objects() -> None:
    engine = LithifyEntrypoint()
    assert engine.guess_can_open("http://here:1/v1/objects/a/b.nc")
    assert not engine.guess_can_open("https://thredds.example/dodsC/sst.nc")
    found = Remote.parse("https://here/lith/v1/objects/a/b%20c/d.nc")
    assert ("https://here/lith", "a", "b c/d.nc") == (found.url, found.collection, found.name)
    assert found == Remote.parse(found.address)
    for wrong in ("http://here/v1/objects/a", "http://here/b.nc", "http://here/v1/objects/a/b?c=d"):
        with pytest.raises(BadArgument, match="is addressed as"):
            Remote.parse(wrong)


def test_indexes_outside_of_an_array_are_refused() -> None:
    from lithify.workers.array_files import LazyArray

    array = LazyArray(
        "a",
        (3, 4),
        np.dtype("f4"),
        ((3,), (4,)),
        ("y", "x"),
        lambda wanted: np.zeros([len(axis) for axis in wanted], "f4"),
        lambda: None,
    )
    assert 0 == array[-1, -4]
    for index in (3, -4):
        with pytest.raises(IndexError):
            array[index]
