"""What may differ is measured, what may not is noticed."""

from collections.abc import Callable

import numpy as np
import pytest

from lithify.codecs.arrays import measuring
from lithify.codecs.arrays.codec import Arrays, ArraysParams
from lithify.codecs.arrays.containers.find import arrays_in
from lithify.codecs.arrays.pieces import pieces_of, structure_of, structure_of_source
from lithify.codecs.codec import Buffer
from lithify.codecs.fidelity import EXACT, Contract
from lithify.codecs.in_memory import MemorySource
from lithify.errors import FidelityBroken
from tests.unit.codecs.arrays.files import Nc3Variable, Numbers, grib1, netcdf3, npy, smooth
from tests.unit.codecs.arrays.test_pieces import shorten

WITHIN = Contract.parse("bounded:abs=0.01")


def climate(field: Numbers, flag: int = 7) -> bytes:
    missing = {"_FillValue": np.float32(-999)}
    flags = np.full(field.shape, flag, "i2")
    return netcdf3([Nc3Variable("t", ["y", "x"], field, missing), Nc3Variable("flag", ["y", "x"], flags)])


def field() -> Numbers:
    found = smooth((20, 30), "f4") + np.float32(1)
    found[3, 4], found[5, 6], found[7, 8] = -999, np.nan, np.inf
    return found


def test_a_row_for_each_array_that_differs_says_by_how_much() -> None:
    wrong = field()
    wrong[10, 10] += np.float32(0.0078125)
    row = Arrays.measure(climate(field()), climate(wrong), WITHIN)["t"]

    assert 0.0078 < row["max_abs_error"] < 0.0079
    assert (600, 597, True) == (row["points"], row["valid_points"], row["mask_equal"])
    assert 0 < row["bias"] < row["max_rel_error"] < row["max_abs_error"]
    assert 70 < row["psnr_db"] < 100
    assert 0.99 < row["ssim"] < 1


@pytest.mark.parametrize("scale", [0.01, -0.01])
@pytest.mark.parametrize("contract", ["bounded:rel=0.001;t=bounded:abs=0.05", "bounded:rel=0.001;t=bounded:rel=0.01"])
def test_packed_numbers_that_are_named_are_told_in_the_unit_that_their_bound_is_in(contract: str, scale: float) -> None:
    values = smooth((20, 30), "i2")
    before, after = (
        netcdf3([Nc3Variable("t", ["y", "x"], stored, {"scale_factor": scale})]) for stored in (values, values + 5)
    )
    row = Arrays.measure(before, after, Contract.parse(contract))["t"]
    assert (0.05, 5 * scale) == pytest.approx((row["max_abs_error"], row["bias"]))


def test_equal_files_have_no_errors() -> None:
    row = Arrays.measure(climate(field()), climate(field()), WITHIN)["t"]
    assert (0.0, 0.0, 1.0) == (row["max_abs_error"], row["bias"], row["ssim"])
    assert {} == Arrays.measure(b"any", b"any", Contract.parse("content"))


def changed(at: tuple[int, int], value: float) -> bytes:
    wrong = field()
    wrong[at] = value
    return climate(wrong)


@pytest.mark.parametrize(
    "wrong",
    [
        changed((10, 10), float(field()[10, 10]) + 0.02),
        changed((3, 4), -998.999),
        changed((5, 6), 0.0),
        changed((7, 8), -np.inf),
        changed((10, 10), np.nan),
        changed((10, 10), -999),
        climate(field(), flag=8),
        climate(field())[:-1],
        climate(field()).replace(b"made for a test", b"made for a joke"),
    ],
    ids=["beyond", "fill", "nan", "infinity", "new nan", "new fill", "whole number", "length", "attribute"],
)
def test_what_may_not_differ_is_noticed(wrong: bytes) -> None:
    with pytest.raises(FidelityBroken):
        Arrays.measure(climate(field()), wrong, WITHIN)


def test_bounds_are_of_the_range_or_of_each_value_where_the_contract_says_so() -> None:
    values = np.linspace(1, 5, 600, dtype="f4").reshape(20, 30)
    near, original = npy(values + np.float32(0.0125)), npy(values)
    for contract in ("bounded:rel=0.0032", "bounded:pwrel=0.0126"):
        Arrays.measure(original, near, Contract.parse(contract))
    for contract in ("bounded:rel=0.003", "bounded:pwrel=0.012", "bounded:abs=0.012"):
        with pytest.raises(FidelityBroken):
            Arrays.measure(original, near, Contract.parse(contract))
    with pytest.raises(FidelityBroken, match="sign"):
        Arrays.measure(npy(values * 0), npy(values * -0.0), Contract.parse("bounded:pwrel=0.1"))
    with pytest.raises(FidelityBroken):
        Arrays.measure(original, near, EXACT)


@pytest.mark.parametrize("metric", ["psnr", "ssim"])
def test_quality_below_a_floor_is_refused(metric: str) -> None:
    before = smooth((3, 20, 30), "f4")
    noise = np.random.default_rng(3).normal(0, float(np.ptp(before)) / 20, before.shape)
    after = before + noise.astype("f4")
    row = Arrays.measure(npy(before), npy(after), Contract("floor", metric, 0.1))["values"]
    found = row["psnr_db" if metric == "psnr" else "ssim"]
    Arrays.measure(npy(before), npy(after), Contract("floor", metric, float(found) - 1e-3))
    with pytest.raises(FidelityBroken, match=r"is [0-9.]+, below"):
        Arrays.measure(npy(before), npy(after), Contract("floor", metric, float(found) + 1e-3))


def test_a_floor_that_arrays_have_no_measure_for_lets_nothing_differ() -> None:
    with pytest.raises(FidelityBroken, match="byte"):
        Arrays.measure(climate(field()), changed((10, 10), 1.0), Contract.parse("floor:vmaf=90"))


def test_an_array_of_missing_values_alone_can_be_measured() -> None:
    empty = npy(np.full((20, 30), np.nan, "f4"))
    (variable,) = arrays_in(empty)
    assert variable.data
    assert {"points": 600, "valid_points": 0, "mask_equal": True} == Arrays.measure(empty, empty, WITHIN)["values"]


@pytest.mark.parametrize(
    "make",
    [
        npy,
        lambda cube: netcdf3([Nc3Variable("values", ["time", "y", "x"], cube)]),
        lambda cube: grib1(np.abs(cube) * 20, 12),
    ],
    ids=["npy", "netcdf 3", "grib"],
)
@pytest.mark.parametrize(
    "contract",
    [
        "bounded:abs=0.01",
        "bounded:rel=0.001",
        "bounded:pwrel=0.01",
        "floor:psnr=50",
        "floor:psnr=75",
        "floor:ssim=0.98",
    ],
)
def test_a_file_of_many_pieces_has_the_figures_of_one(make: Callable[[Numbers], bytes], contract: str) -> None:
    data = make(smooth((24, 20, 30), "f4") + np.linspace(1, 9, 24, dtype="f4")[:, None, None])
    decoded = kept_and_back(data, contract)
    found = []
    for length in (1 << 20, 7000):
        with pytest.MonkeyPatch.context() as patch:
            shorten(patch, length)
            patch.setattr(measuring, "_STEP_BYTES", length)
            assert (length < 8000) == (len(pieces_of(structure_of(data))) > 1)
            found.append(Arrays.measure(data, decoded, Contract.parse(contract))["values"])
    whole, cut = found
    assert (24 * 600, 24 * 600) == (whole["points"], cut["points"])
    for name, figure in whole.items():
        assert cut[name] == pytest.approx(figure, rel=1e-6, abs=1e-9), name


def kept_and_back(data: bytes, contract: str) -> bytes:
    """What an encoder makes of a file in short pieces."""
    back = []

    class Sink:
        def share(self, data: bytes) -> None: ...

        def chunk(self, payload: Buffer, decoded: Buffer) -> None:
            back.append(bytes(decoded))

    with pytest.MonkeyPatch.context() as patch:
        shorten(patch, 7000)
        Arrays(ArraysParams(effort="fast", contract=contract)).encode(MemorySource(data), Sink())
    return b"".join(back)


def test_a_byte_beside_the_arrays_of_a_later_piece_is_noticed() -> None:
    data = netcdf3([Nc3Variable(f"v{n}", ["y", "x"], smooth((45, 50), "f4", n)) for n in range(6)]) + b"trailer"
    with pytest.MonkeyPatch.context() as patch:
        shorten(patch, 7000)
        with pytest.raises(FidelityBroken, match=f"byte {len(data) - 1} "):
            Arrays.measure(data, data[:-1] + b"x", WITHIN)


def test_a_file_that_is_read_as_other_arrays_than_before_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    file, read = climate(field()), structure_of_source
    found = iter([read(MemorySource(file)), read(MemorySource(climate(field()[:9])))])
    monkeypatch.setattr(measuring, "structure_of_source", lambda _: next(found))
    with pytest.raises(FidelityBroken, match="read as other arrays"):
        measuring.measured(MemorySource(file), MemorySource(file), WITHIN)
