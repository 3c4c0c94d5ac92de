"""A scientific cube from a small simulation: shallow water sloshing in a basin with islands, kept as NetCDF.

The linear shallow-water equations on a staggered (Arakawa C) grid, forward-backward in time, with rotation. Heights are
float32 as models write them; currents are packed to int16 as archives of such models keep them.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from netCDF4 import Dataset
from numpy.typing import NDArray

Field = NDArray[np.float64]

_SIZE = 256  # cells along each side
_FRAMES = 40
_STEPS_PER_FRAME = 12
_CELL_METRES = 4_000.0
_STEP_SECONDS = 15.0
_GRAVITY = 9.81
_CORIOLIS = 1e-4
_FRICTION = 2e-6
_FILL = -32768
_CURRENT_STEP = 0.0005  # metres per second for one unit of the packed integers


def write_cube(folder: Path) -> Iterator[Path]:
    """`basin.nc`: three variables of 40 × 256 × 256, with coordinates and attributes."""
    path = folder / "basin.nc"
    depth = _basin(np.random.default_rng(4))
    with Dataset(path, "w", format="NETCDF4") as cube:
        variables = _define(cube)
        cube["depth"][:] = depth
        for frame, (height, east, north) in enumerate(_slosh(depth)):
            land = depth <= 0
            variables[0][frame] = np.where(land, np.nan, height)
            variables[1][frame] = _packed(east, land)
            variables[2][frame] = _packed(north, land)
    yield path


def _basin(chance: np.random.Generator) -> Field:
    """Water depth in metres: smooth random hills, some of which stand out as islands (depth 0)."""
    rough = np.fft.rfft2(chance.standard_normal((_SIZE, _SIZE)))
    rows, columns = np.fft.fftfreq(_SIZE)[:, None], np.fft.rfftfreq(_SIZE)[None, :]
    hills = np.fft.irfft2(rough / (1e-3 + np.hypot(rows, columns) ** 2.2), s=(_SIZE, _SIZE))
    depth: Field = 120 + 90 * hills / hills.std()
    depth[depth < 8] = 0  # where it is shallower, the linear equations no longer hold
    depth[[0, -1], :] = depth[:, [0, -1]] = 0
    return depth


def _slosh(depth: Field) -> Iterator[tuple[Field, Field, Field]]:
    """Surface height and the two currents, frame after frame, from a hump of water and a steady wind."""
    rows, columns = np.mgrid[0:_SIZE, 0:_SIZE]
    height: Field = 2.0 * np.exp(-((rows - 90) ** 2 + (columns - 140) ** 2) / 400.0) * (depth > 0)
    east, north = np.zeros_like(height), np.zeros_like(height)
    depth_east = np.minimum(depth, np.roll(depth, -1, axis=1))
    depth_north = np.minimum(depth, np.roll(depth, -1, axis=0))
    for _ in range(_FRAMES):
        for _ in range(_STEPS_PER_FRAME):
            height -= _STEP_SECONDS / _CELL_METRES * _outflow(depth_east * east, depth_north * north)
            slope_east = (np.roll(height, -1, axis=1) - height) / _CELL_METRES
            slope_north = (np.roll(height, -1, axis=0) - height) / _CELL_METRES
            pull_east = _CORIOLIS * north - _GRAVITY * slope_east - _FRICTION * east + 2e-6
            pull_north = -_CORIOLIS * east - _GRAVITY * slope_north - _FRICTION * north
            east = (east + _STEP_SECONDS * pull_east) * (depth_east > 0)
            north = (north + _STEP_SECONDS * pull_north) * (depth_north > 0)
        yield height, east, north


def _outflow(flux_east: Field, flux_north: Field) -> Field:
    return flux_east - np.roll(flux_east, 1, axis=1) + flux_north - np.roll(flux_north, 1, axis=0)


def _packed(speed: Field, land: NDArray[np.bool_]) -> NDArray[np.int16]:
    steps = np.clip(np.rint(speed / _CURRENT_STEP), -32767, 32767)
    return np.where(land, _FILL, steps).astype(np.int16)


def _define(cube: Any) -> list[Any]:
    """Dimensions, coordinates and attributes by the CF conventions; gives the three empty variables."""
    cube.setncatts({"Conventions": "CF-1.11", "title": "Wind and waves in a closed basin", "source": "lithify demo"})
    for name, size in (("time", None), ("y", _SIZE), ("x", _SIZE)):
        cube.createDimension(name, size)
    time = cube.createVariable("time", "f8", ("time",))
    time.setncatts({"units": "seconds since 2026-01-01 00:00:00", "calendar": "standard"})
    time[:] = np.arange(_FRAMES) * _STEPS_PER_FRAME * _STEP_SECONDS
    for name in ("y", "x"):
        axis = cube.createVariable(name, "f4", (name,))
        axis.units = "m"
        axis[:] = np.arange(_SIZE) * _CELL_METRES
    cube.createVariable("depth", "f4", ("y", "x")).setncatts({"units": "m", "long_name": "depth of the sea floor"})
    height = cube.createVariable("zos", "f4", ("time", "y", "x"), fill_value=np.float32("nan"))
    height.setncatts({"units": "m", "standard_name": "sea_surface_height_above_mean_sea_level"})
    currents = []
    for name, direction in (("uo", "eastward"), ("vo", "northward")):
        current = cube.createVariable(name, "i2", ("time", "y", "x"), fill_value=np.int16(_FILL))
        current.setncatts({"units": "m s-1", "standard_name": f"{direction}_sea_water_velocity"})
        current.setncatts({"scale_factor": _CURRENT_STEP, "add_offset": 0.0})
        current.set_auto_maskandscale(False)
        currents.append(current)
    return [height, *currents]
