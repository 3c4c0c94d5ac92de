"""The page for scientists does what it says: its commands and programs are run, one after the other."""

import re
import runpy
import shlex
import warnings
from pathlib import Path
from typing import Any

import pytest

from lithify.codecs.arrays.codec import Arrays, ArraysParams
from tests.house import ROOT
from tests.serving import serving
from tests.suites.codec_suite import framed
from tests.unit.api.running import run
from tests.unit.codecs.arrays.files import Nc3Variable, netcdf3, smooth

for _needed in ("xarray", "netCDF4", "zarr", "numcodecs"):
    pytest.importorskip(_needed)

PAGE = (ROOT / "docs/scientists.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")
SERVER = "http://127.0.0.1:8377"


def examples(text: str) -> list[tuple[str, str]]:
    """Language and text of every block of code."""
    return re.findall(r"^```(\w+)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    """As the entry points do it where lithify is installed."""
    import numcodecs
    import zarr
    from xarray.backends import plugins

    from lithify.api.scientific.xarray_engine import LithifyEntrypoint
    from lithify.codecs.arrays.numcodecs_codec import Lithify
    from lithify.codecs.arrays.zarr_codec import LithifyCodec

    numcodecs.register_codec(Lithify)
    zarr.registry.register_codec("lithify", LithifyCodec)
    engines = {**plugins.list_engines(), "lithify": LithifyEntrypoint()}
    monkeypatch.setattr(plugins, "list_engines", lambda: engines)


def ran(program: str, names: dict[str, Any]) -> dict[str, Any]:
    """What a program leaves of names, given those of the ones before it."""
    Path("example.py").write_text(program, encoding="utf-8")
    given = {name: value for name, value in names.items() if not name.startswith("__")}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Zarr's, of what it may yet change
        return runpy.run_path("example.py", given)


def close_all(names: dict[str, Any]) -> None:
    """The datasets among what a program leaves."""
    for opened in names.values():
        if hasattr(opened, "close"):
            opened.close()


@pytest.mark.usefixtures("registered")
def test_the_first_page_opens_a_frame_in_xarray(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    data = netcdf3([Nc3Variable("t", ["time", "lat", "lon"], smooth((6, 30, 40), "f4"))])
    Path("cube.nc.lith").write_bytes(framed(Arrays(ArraysParams(effort="fast")), data))
    programs = [text for language, text in examples(README) if language == "python"]
    assert programs
    for text in programs:
        close_all(ran(text, {}))


@pytest.mark.usefixtures("registered")
def test_the_page_for_scientists_does_what_it_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    with serving(tmp_path / "archive") as served:
        monkeypatch.setenv("LITHIFY_KEY", served.key)
        monkeypatch.setenv("LITHIFY_ARCHIVE", str(served.archive.folder))
        for language, text in examples(PAGE):
            if language == "python":
                names = ran(text.replace(SERVER, served.url), names)
                continue
            for command in text.splitlines():
                program, *words = shlex.split(command)
                if program == "lithify":
                    result = run(*words)
                    assert 0 == result.exit_code, f"{command}: {result.stderr}"
        close_all(names)
    made = {path.name for path in tmp_path.iterdir()}
    assert {"cube.nc.lith", "cube.png", "archived.png", "part.nc", "day.nc", "last.npy", "cube.zarr"} <= made
