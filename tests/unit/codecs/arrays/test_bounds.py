"""What a contract says of each variable by its name is what happens to it, and to nothing else."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from lithify.codecs.arrays.bounds import rounded
from lithify.codecs.arrays.codec import Arrays, ArraysParams
from lithify.codecs.arrays.containers.find import arrays_in
from lithify.codecs.arrays.values import Bound
from lithify.codecs.codec import Buffer
from lithify.codecs.fidelity import Contract
from lithify.codecs.in_memory import MemorySource
from lithify.codecs.reasons import reasons_given
from lithify.errors import BadArgument, FidelityBroken
from tests.examples import examples
from tests.unit.codecs.arrays.files import Nc3Variable, Numbers, netcdf3, npy, smooth, zipped
from tests.unit.codecs.arrays.test_pieces import shorten


def model() -> bytes:
    count = smooth((12, 20, 30), "i2", 3)
    count[0, 0, :4] = -9
    return netcdf3(
        [
            Nc3Variable("lat", ["lat"], np.linspace(-60, 60, 20), {"units": "degrees_north"}),
            Nc3Variable("t2m", ["time", "lat", "lon"], smooth((12, 20, 30), "f4")),
            Nc3Variable("rain", ["time", "lat", "lon"], smooth((12, 20, 30), "f4", 1)),
            Nc3Variable("count", ["time", "lat", "lon"], count, {"_FillValue": np.int16(-9)}),
            Nc3Variable("packed", ["time", "lat", "lon"], smooth((12, 20, 30), "i2", 4), {"scale_factor": 0.01}),
        ]
    )


def back_of(data: bytes, contract: str) -> bytes:
    """What comes back of a file in short pieces."""
    back: list[bytes] = []

    class Sink:
        def share(self, data: bytes) -> None: ...

        def chunk(self, payload: Buffer, decoded: Buffer) -> None:
            assert bytes(decoded) == Arrays().decode(bytes(payload), shared=b"", length=len(decoded))
            back.append(bytes(decoded))

    with pytest.MonkeyPatch.context() as patch:
        shorten(patch, 20_000)
        Arrays(ArraysParams(effort="fast", contract=contract)).encode(MemorySource(data), Sink())
    assert len(back) > 2 or len(data) < 20_000
    return b"".join(back)


def differences(data: bytes, back: bytes) -> dict[str, float]:
    """The largest of each variable that differs."""
    found = {}
    for one in arrays_in(data):
        before, after = (one.extent.gather(whole).astype("f8") for whole in (data, back))
        if (before != after).any():
            found[one.name] = float(np.abs(before - after).max())
    return found


def test_each_variable_is_kept_by_what_its_name_is_given() -> None:
    contract = "bounded:abs=0.01;count=bounded:abs=5;packed=bounded:abs=0.05;rain=exact"
    data = model()
    back = back_of(data, contract)
    found = differences(data, back)
    assert {"t2m", "count", "packed"} == found.keys()
    assert found["t2m"] <= 0.01
    assert (5, 5) == (found["count"], found["packed"]), "0.05 is five steps of a hundredth"
    (count,) = [one for one in arrays_in(data) if one.name == "count"]
    assert np.array_equal(count.extent.gather(data) == -9, count.extent.gather(back) == -9)
    table = Arrays.measure(data, back, Contract.parse(contract))
    assert {"t2m", "count", "packed"} == table.keys()
    assert 5 == table["count"]["max_abs_error"]


def test_packed_measurements_say_how_they_are_loosened() -> None:
    packed = Nc3Variable("u", ["time", "lat", "lon"], smooth((12, 20, 30), "i2"), {"scale_factor": 0.01})
    with reasons_given() as reasons:
        data = netcdf3([packed])
        assert data == back_of(data, "bounded:rel=0.01")
    (reason,) = reasons
    assert reason.endswith("exact unless they are named, as in 'bounded:rel=0.01;u=bounded:rel=0.01'")
    assert data != back_of(data, "bounded:rel=0.01;u=bounded:rel=0.01")


PACKED = {"scale_factor": 0.01}


def packed(name: str, kind: str = "i2", steps: int = 6) -> Nc3Variable:
    return Nc3Variable(name, ["time", "lat", "lon"], smooth((steps, 20, 30), kind), PACKED)


@pytest.mark.parametrize(
    ("contract", "advice"),
    [
        ("bounded:abs=0.5", "bounded:abs=0.5;u=bounded:abs=0.5"),
        ("bounded:rel=0.01;v=exact", "bounded:rel=0.01;u=bounded:rel=0.01;v=exact"),
    ],
)
def test_advice_that_is_followed_loosens_what_was_packed(contract: str, advice: str) -> None:
    data = netcdf3([packed("u"), packed("v")])
    with reasons_given() as reasons:
        assert data == back_of(data, contract)
    assert reasons[0].endswith(f"as in '{advice}'")
    assert "u" in differences(data, back_of(data, advice))


@pytest.mark.parametrize(
    ("contract", "variable"),
    [
        ("floor:psnr=50", packed("u")),
        ("bounded:pwrel=0.01", packed("u")),
        ("bounded:abs=0.001", packed("u")),
        ("bounded:abs=0.5", packed("u v")),
        ("bounded:abs=0.5", packed("u", "i8", steps=4)),
        ("bounded:abs=0.5;u=exact", packed("u")),
    ],
)
def test_nothing_is_advised_that_would_not_help(contract: str, variable: Nc3Variable) -> None:
    data = netcdf3([variable], version=5)
    with reasons_given() as reasons:
        assert data == back_of(data, contract)
    assert reasons == [f"none of its 1 arrays holds measurements that {contract} loosens"]


def test_floors_and_bounds_mix_by_name() -> None:
    contract = "floor:psnr=40;count=bounded:abs=5;rain=exact;t2m=floor:psnr=60"
    data = model()
    back = back_of(data, contract)
    assert {"t2m", "count"} == differences(data, back).keys()
    table = Arrays.measure(data, back, Contract.parse(contract))
    assert table["t2m"]["psnr_db"] >= 60
    assert 5 == table["count"]["max_abs_error"]
    with pytest.raises(FidelityBroken, match=r"t2m: psnr is .* below 90"):
        Arrays.measure(data, back, Contract.parse(contract.replace("60", "90")))
    table = Arrays.measure(data, back_of(data, "bounded:abs=0.01;t2m=floor:psnr=30"), Contract.parse("floor:psnr=30"))
    assert table["rain"]["max_abs_error"] <= 0.01 < table["t2m"]["max_abs_error"]


def test_a_part_of_a_range_of_whole_numbers_is_that_of_the_whole_variable() -> None:
    data = model()
    found = differences(data, back_of(data, "bounded:abs=0.01;packed=bounded:rel=0.01"))
    (packed,) = [one.extent.gather(data).astype(int) for one in arrays_in(data) if one.name == "packed"]
    assert 0.005 * np.ptp(packed) < found["packed"] <= 0.01 * np.ptp(packed)
    assert "count" not in found


def test_what_was_loosened_beyond_its_own_bound_is_noticed() -> None:
    data = model()
    back = back_of(data, "bounded:abs=0.01;count=bounded:abs=5")
    for contract in ("bounded:abs=0.01", "bounded:abs=0.01;count=bounded:abs=4", "bounded:abs=0.01;t2m=exact"):
        with pytest.raises(FidelityBroken):
            Arrays.measure(data, back, Contract.parse(contract))


@pytest.mark.parametrize("contract", ["bounded:abs=0.01;wind=exact", "floor:psnr=50;wind=floor:ssim=0.9"])
def test_a_name_that_the_file_has_not_is_refused_with_those_it_has(contract: str) -> None:
    with pytest.raises(BadArgument, match=r"'wind'.*count, lat, packed, rain, t2m"):
        back_of(model(), contract)


def test_what_lies_under_a_checksum_is_not_loosened_by_its_name() -> None:
    data = zipped({"a.npy": npy(smooth((6, 20, 30), "f4"))})
    assert data == back_of(data, "bounded:abs=0.01;a=bounded:abs=1")


@given(
    hnp.arrays(st.sampled_from(["i1", "u1", "i2", "u2", "i4", "u4"]), 40),
    st.integers(1, 300),
    st.integers(-5, 260),
)
@settings(max_examples=examples(200), deadline=None)
def test_rounded_numbers_are_within_the_bound_and_fills_stay(values: Numbers, by: int, fill: int) -> None:
    limits = np.iinfo(values.dtype)
    fills = [values.dtype.type(fill)] if limits.min <= fill <= limits.max else []
    near = rounded(values, Bound("abs", by), fills)
    assert values.dtype == near.dtype
    assert np.abs(values.astype(int) - near.astype(int)).max() <= by
    for one in fills:
        assert np.array_equal(values == one, near == one)
