"""A part of an array out of each way to keep it: one step, one column, all of it; bytes, and processor time.

python -m bench slices [--effort E] [FILE...]

Without files, the arrays of ../shared/data/arrays that have three axes or more. Everybody keeps them exactly, and is
opened anew for each part, as a program does that wants one. Rivals: NetCDF 4 as xarray writes it by default and by
`zlib=True`, Zarr 3 by default. Milliseconds of processor time, the median of five. Some minutes.
"""

import argparse
import io
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import xarray as xr

from bench.array_files import Array, arrays
from bench.figures import table
from lithify.api.scientific.xarray_engine import LithifyEntrypoint
from lithify.codecs.arrays.codec import Arrays
from lithify.codecs.codec import effort
from lithify.codecs.frame import FrameWriter
from lithify.codecs.in_memory import MemorySource

_ROUNDS = 5
Open = Callable[[], Any]
"""Opens a dataset whose only variable is `values`."""


def main(arguments: list[str]) -> None:
    """One line for each array and way."""
    parser = argparse.ArgumentParser(prog="python -m bench slices")
    parser.add_argument("files", nargs="*", type=Path, help=".npy and NetCDF")
    parser.add_argument("--effort", type=effort, default="default")
    asked = parser.parse_args(arguments)
    found = [one for one in arrays(asked.files) if one.values.ndim > 2]
    if not found:
        print("no arrays to measure with: none was named, and there is no data set")
        return
    Arrays.warm()
    rows = []
    for array in found:
        with _kept(array, asked.effort) as ways:
            for name, (length, opened) in ways.items():
                step, column, whole = (_milliseconds(opened, part, array) for part in _parts(array))
                rows.append((array.name, name, f"{length:,}", f"{step:.1f}", f"{column:.1f}", f"{whole:.1f}"))
    table(("array", "kept by", "bytes", "one step", "one column", "all"), rows)


def _parts(array: Array) -> Iterator[tuple[Any, ...]]:
    shape = array.values.shape
    yield (shape[0] // 2,)
    yield (..., shape[-2] // 2, shape[-1] // 2)
    yield (...,)


def _milliseconds(opened: Open, part: tuple[Any, ...], array: Array) -> float:
    times = []
    for _ in range(_ROUNDS):
        started = time.process_time()
        with opened() as dataset:
            values = dataset["values"][part].values
        times.append(1000 * (time.process_time() - started))
        assert np.array_equal(values, array.values[part], equal_nan=array.values.dtype.kind == "f"), array.name
    return median(times)


@contextmanager
def _kept(array: Array, wanted: Any) -> Iterator[dict[str, tuple[int, Open]]]:
    names = [f"axis{number}" for number in range(array.values.ndim)]
    dataset = xr.Dataset({"values": (names, array.values)})
    plainly: dict[str, Any] = {"decode_cf": False}
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Zarr's, of what it may yet change
        at = Path(folder)
        for name, encoding in (("plain.nc", {}), ("zlib.nc", {"zlib": True})):
            dataset.to_netcdf(at / name, engine="netcdf4", encoding={"values": {**encoding, "_FillValue": None}})
        dataset.to_zarr(at / "values.zarr", encoding={"values": {"_FillValue": None}})
        (at / "plain.nc.lith").write_bytes(_framed((at / "plain.nc").read_bytes(), wanted))

        def by(engine: Any) -> Callable[[Path], Any]:
            return lambda path: xr.open_dataset(path, engine=engine, **plainly)

        yield {
            "lithify": _way(at / "plain.nc.lith", by(LithifyEntrypoint)),
            "NetCDF 4": _way(at / "plain.nc", by("netcdf4")),
            "NetCDF 4, zlib": _way(at / "zlib.nc", by("netcdf4")),
            "Zarr 3": _way(at / "values.zarr", lambda path: xr.open_zarr(path, chunks=None, **plainly)),
        }


def _way(path: Path, opened: Callable[[Path], Any]) -> tuple[int, Open]:
    files = [path] if path.is_file() else [one for one in path.rglob("*") if one.is_file()]
    return sum(one.stat().st_size for one in files), lambda: opened(path)


def _framed(data: bytes, wanted: Any) -> bytes:
    out, codec = io.BytesIO(), Arrays(Arrays.params_for(wanted, len(data)))
    writer = FrameWriter(out)
    codec.encode(MemorySource(data), writer.sink(codec))
    writer.finish()
    return out.getvalue()
