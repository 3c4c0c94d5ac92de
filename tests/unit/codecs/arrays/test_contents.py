"""What was found inside a file of arrays is told: names, types, shapes, methods, and what each takes."""

import pytest

from lithify.codecs.arrays.codec import Arrays
from lithify.codecs.arrays.payload import encode_file
from lithify.codecs.arrays.values import Floor
from lithify.codecs.inside import Inside
from tests.unit.codecs.arrays.fields import stretched
from tests.unit.codecs.arrays.files import Nc3Variable, grib2, grouped, netcdf3, npy, smooth, zipped


def contents(data: bytes, floor: Floor | None = None) -> list[Inside]:
    found = encode_file(data, "default", floor)
    rows = Arrays().contents(found.payload, shared=b"", length=len(found.decoded))
    assert not rows or sum(row.stored_bytes for row in rows) == len(found.payload)
    return rows


def test_variables_are_told_by_name_type_and_shape() -> None:
    t2m, rain = smooth((12, 20, 30), "f4"), smooth((12, 20, 30), "i2", 1)
    rows = contents(netcdf3([Nc3Variable(n, ["t", "y", "x"], v) for n, v in (("t2m", t2m), ("rain", rain))]))
    assert ["t2m (f4: 12 x 20 x 30)", "rain (i2: 12 x 20 x 30)", "headers and all else"] == [row.what for row in rows]
    assert [t2m.nbytes, rain.nbytes] == [row.original_bytes for row in rows[:2]]
    assert {"predicted", "general"} == {row.codec for row in rows}
    assert all(0 < row.stored_bytes < row.original_bytes for row in rows[:2])


def test_those_behind_streams_are_told_too() -> None:
    values = smooth((12, 40, 50), "i2")
    rows = contents(zipped({"a.npy": npy(values), "b.npy": npy(smooth((12, 40, 50), "i2", 3))}, compressed=True))
    assert ["a (i2: 12 x 40 x 50)", "b (i2: 12 x 40 x 50)"] == [row.what for row in rows[:2]]
    rows = contents(grib2(smooth((5, 20, 30), "u2") & 4095, 12, pack=grouped(1)))
    assert rows[0].what == "(f4, 24 bits: 5 x 20 x 30)"


def test_numbers_that_were_counted_are_told_as_such() -> None:
    assert contents(npy(stretched((6, 40, 44))))[0].codec == "predicted, counted"


def test_the_way_that_a_floor_took_is_told() -> None:
    rows = contents(npy(smooth((8, 96, 96), "f4")), Floor("psnr", 45))
    assert rows[0].codec == "wavelet"


@pytest.mark.parametrize("data", [b"no arrays at all" * 20, npy(smooth((2, 3), "f4"))])
def test_of_what_has_no_arrays_nothing_is_told(data: bytes) -> None:
    assert contents(data) == []
