"""Arrays at the doors: variables and slices, the same here and over the wire, from objects and from frames."""

import io
import json
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from lithify.codecs.registry import by_id
from lithify.errors import Conflict, NotFound
from lithify.workers.frame_slices import Cut
from tests.serving import Served
from tests.suites.codec_suite import framed
from tests.unit.api.running import Ask, run
from tests.unit.codecs.arrays.files import npy, smooth
from tests.unit.codecs.arrays.test_slices import CUBE, climate

xarray = pytest.importorskip("xarray")
pytest.importorskip("netCDF4")

pytestmark = pytest.mark.usefixtures("quiet")


@pytest.fixture
def cubes(served: Served, collection: str) -> str:
    for name, data in {"era/march.nc": climate(), "a.npy": npy(CUBE), "words.txt": b"no array at all\n" * 99}.items():
        served.archive.put(collection, name, [data])
    return collection


def test_get_writes_a_slice_as_netcdf_and_as_numpy(lithify: Ask, cubes: str, tmp_path: Path) -> None:
    netcdf, plain = tmp_path / "slice.nc", tmp_path / "plain.nc"
    wish = ["--variable", "t", "--slice", "time=10:20", "--slice", "lat=-1"]
    made = lithify("get", f"{cubes}/era/march.nc", *wish, "-o", str(netcdf), "--json")
    assert {"path": str(netcdf), "format": "netcdf", "length": netcdf.stat().st_size} == json.loads(made.stdout)
    plain.write_bytes(climate())
    with xarray.open_dataset(plain) as expected, xarray.open_dataset(netcdf) as found:
        xarray.testing.assert_identical(expected[["t"]].isel(time=slice(10, 20), lat=-1).load(), found.load())

    array = tmp_path / "slice.npy"
    lithify("get", f"{cubes}/era/march.nc", "--variable", "t", "--select", "time=2019-03-02", "-o", str(array))
    assert np.array_equal(CUBE[24:48], np.load(array))
    piped = lithify("get", f"{cubes}/a.npy", "--slice", "0=3", "-o", "-").stdout_bytes
    assert np.array_equal(CUBE[3], np.load(io.BytesIO(piped)))


def test_what_is_wrong_is_told_with_what_there_is_and_leaves_no_file(lithify: Ask, cubes: str, tmp_path: Path) -> None:
    target = str(tmp_path / "out.nc")
    for wish, told in (
        (["--variable", "tt"], "there is no variable 'tt'; there are: time(time), lat(lat), t(time, lat, lon)"),
        (["--slice", "level=1"], "there is no dimension 'level'; there are: time (48)"),
        (["--slice", "time"], "expected DIMENSION=START:STOP:STEP"),
        (["--slice", "time=1", "--range", "0-9"], "one of them"),
        (["--slice", "time=1", "-r"], "one of them"),
    ):
        refused = lithify("get", f"{cubes}/era/march.nc", *wish, "-o", target)
        assert 2 == refused.exit_code
        assert told in refused.stderr
    assert "no file of arrays" in lithify("get", f"{cubes}/words.txt", "--slice", "x=1", "-o", target).stderr
    for place in ([], ["-o", str(tmp_path / "out.grib")]):
        assert "-o OUT.nc" in lithify("get", f"{cubes}/a.npy", "--slice", "0=1", *place).stderr
    assert [] == list(tmp_path.iterdir())


def test_variables_and_slices_over_rest(http: httpx.Client, cubes: str) -> None:
    told = http.get(f"/v1/arrays/{cubes}/era/march.nc").json()
    assert "netcdf3" == told["container"]
    (one,) = (one for one in told["variables"] if one["name"] == "t")
    assert (["time", "lat", "lon"], [48, 20, 30], "f4") == (one["dimensions"], one["shape"], one["type"])
    assert "K" == one["attributes"]["units"]

    answer = http.get(f"/v1/slice/{cubes}/era/march.nc?variable=t&slice=time=10:20&slice=lon=3&format=npy")
    assert "application/x-npy" == answer.headers["content-type"]
    assert np.array_equal(CUBE[10:20, :, 3], np.load(io.BytesIO(answer.content)))
    answer = http.get(f"/v1/slice/{cubes}/era/march.nc", params={"variable": "t", "select": "time=2019-03-01T05"})
    assert "application/x-netcdf" == answer.headers["content-type"]
    assert str(len(answer.content)) == answer.headers["content-length"]
    assert b"CDF\x01" == answer.content[:4]


@pytest.mark.parametrize(
    ("path", "status", "code", "told"),
    [
        ("era/march.nc?variable=tt", 404, "not_found", "there are: time(time)"),
        ("era/march.nc?slice=level=1", 400, "bad_argument", "there are: time (48)"),
        ("era/march.nc?slice=time=1:2:0", 400, "bad_argument", "a step of 0"),
        ("era/march.nc?format=hdf5", 400, "bad_argument", "format"),
        ("words.txt?slice=x=1", 409, "conflict", "no file of arrays"),
        ("nothing.nc", 404, "not_found", "there is no object"),
    ],
)
def test_problems_over_rest_say_what_there_is(
    http: httpx.Client, cubes: str, path: str, status: int, code: str, told: str
) -> None:
    answer = http.get(f"/v1/slice/{cubes}/{path}")
    assert (status, code) == (answer.status_code, answer.json()["code"])
    assert told in answer.json()["detail"]


def test_the_client_gives_what_the_archive_gives(served: Served, cubes: str) -> None:
    wish = Cut(("t",), ("time=3:5",))
    with served.client() as client:
        assert served.archive.arrays(cubes, "era/march.nc").as_json() == client.arrays(cubes, "era/march.nc").as_json()
        with (
            client.slice(cubes, "era/march.nc", wish) as far,
            served.archive.slice(cubes, "era/march.nc", wish) as near,
        ):
            assert far.length == near.length
            assert b"".join(far) == b"".join(near)
        with pytest.raises(NotFound, match="there are"):
            client.slice(cubes, "era/march.nc", Cut(("x",)))
        with pytest.raises(Conflict):
            client.arrays(cubes, "words.txt")


def test_unpack_gives_a_slice_of_a_frame(tmp_path: Path) -> None:
    frame, target = tmp_path / "march.nc.lith", tmp_path / "out.npy"
    for codec in (by_id("arrays.values"), by_id("raw.zstd")):
        data = climate()
        frame.write_bytes(framed(codec(codec.params_for("fast", len(data))), data))
        ran = run("unpack", str(frame), "--variable", "t", "--slice", "time=::-5", "-o", str(target), "--force")
        assert "" == ran.stderr
        assert np.array_equal(CUBE[::-5], np.load(target))
    assert "-o OUT.nc" in run("unpack", str(frame), "--slice", "time=1").stderr


def test_a_slice_that_is_left_early_frees_its_decoder(served: Served, collection: str) -> None:
    large: Any = smooth((40, 300, 300), "f4")
    served.archive.put(collection, "large.npy", [npy(large)])
    for _ in range(3):
        with served.archive.slice(collection, "large.npy", Cut(), "npy") as found:
            next(iter(found))
    with served.archive.slice(collection, "large.npy", Cut((), ("0=39",)), "npy") as found:
        assert np.array_equal(large[39], np.load(io.BytesIO(b"".join(found))))


# --- pictures ---------------------------------------------------------------------------------------------


def test_stat_draws_an_array_and_what_differs(lithify: Ask, cubes: str, tmp_path: Path) -> None:
    picture = tmp_path / "march.png"
    assert 0 == lithify("stat", f"{cubes}/era/march.nc", "--plot", str(picture), "--variable", "t").exit_code
    assert picture.read_bytes().startswith(b"\x89PNG")
    wrong = lithify("stat", f"{cubes}/era/march.nc", "--plot", str(picture), "--force", "--variable", "tt")
    assert "no array 'tt' can be drawn; there are: " in wrong.stderr
    assert "--variable what it shows" in lithify("stat", f"{cubes}/a.npy", "--variable", "t").stderr


def test_info_draws_what_a_looser_contract_kept_beside_its_original(tmp_path: Path) -> None:
    original, frame, picture = (tmp_path / name for name in ("a.npy", "a.lith", "a.png"))
    original.write_bytes(npy(CUBE))
    codec = "arrays.values"
    packed = run("pack", str(original), "-o", str(frame), "--contract", "bounded:abs=0.01", "--codec", codec)
    assert "" == packed.stderr
    assert "--against" in run("info", str(frame), "--plot", str(picture)).stderr
    drawn = run("info", str(frame), "--plot", str(picture), "--against", str(original), "--variable", "values")
    assert 0 == drawn.exit_code
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_a_deflated_netcdf_comes_back_within_its_bound_as_the_netcdf_it_says_it_is(tmp_path: Path) -> None:
    file, again = tmp_path / "a.nc", tmp_path / "b.nc"
    cube = xarray.Dataset({"t": (("time", "y", "x"), smooth((6, 40, 50), "f4"))})
    cube.to_netcdf(file, encoding={"t": {"zlib": True}})
    assert 0 == run("pack", str(file), "--effort", "fast", "--contract", "bounded:abs=0.1").exit_code
    back = run("unpack", f"{file}.lith", "-o", str(again))
    assert (0, False) == (back.exit_code, "has become" in back.stderr)
    with xarray.open_dataset(again) as found:
        assert 0 < float(abs(found.t - cube.t).max()) <= 0.1
