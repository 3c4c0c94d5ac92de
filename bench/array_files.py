"""The arrays that the bench measures: every larger variable of the data set, or of the files that were named."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

FOLDER = Path(__file__).parents[2] / "shared" / "data" / "arrays"
_VALUES_MIN = 20_000


@dataclass(frozen=True)
class Array:
    """One variable, and what stands for "no value" in it."""

    name: str
    values: np.ndarray
    fills: tuple[Any, ...] = ()

    @property
    def valid(self) -> np.ndarray:
        """Where there is a value."""
        fills = [fill for fill in self.fills if np.isfinite(fill)]
        valid: np.ndarray = np.isfinite(self.values) & ~np.isin(self.values, np.array(fills, self.values.dtype))
        return valid


def arrays(files: Sequence[Path]) -> list[Array]:
    """Those of the files; without any, of the data set (none if it is not there)."""
    paths = list(files) or sorted(FOLDER.glob("*.np[yz]")) + sorted(FOLDER.glob("*.nc"))
    return [array for path in paths for array in _arrays_of(path)]


def _arrays_of(path: Path) -> Iterator[Array]:
    if path.suffix == ".npy":
        yield Array(path.stem, np.load(path))
        return
    import netCDF4

    with netCDF4.Dataset(path) as dataset:
        dataset.set_auto_maskandscale(False)
        for name, variable in dataset.variables.items():
            if variable.ndim > 1 and variable.size >= _VALUES_MIN and variable.dtype.kind in "iuf":
                fills = tuple(
                    variable.getncattr(key) for key in ("_FillValue", "missing_value") if key in variable.ncattrs()
                )
                values = np.ascontiguousarray(variable[:])
                yield Array(f"{path.stem[:12]}.{name}", values.astype(values.dtype.newbyteorder("=")), fills)
                if variable.dtype.kind == "i" and "scale_factor" in variable.ncattrs():
                    yield _unpacked(f"{path.stem[:12]}.{name}*", values, variable, fills)


def _unpacked(name: str, values: np.ndarray, variable: Any, fills: tuple[Any, ...]) -> Array:
    """As most people see it: scaled to floats, fills as NaN."""
    scaled = (values.astype(np.float64) * variable.scale_factor + variable.add_offset).astype(np.float32)
    scaled[np.isin(values, fills)] = np.nan
    return Array(name, scaled)
