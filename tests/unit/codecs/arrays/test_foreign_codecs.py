"""Zarr and numcodecs keep arrays by our coder of numbers, exactly or within a bound, and find it by its name."""

import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.extra import numpy as st_numpy

from lithify.errors import BadArgument, BadBytes, FidelityBroken
from tests.examples import examples
from tests.house import ROOT
from tests.unit.codecs.arrays.files import Numbers, smooth

numcodecs = pytest.importorskip("numcodecs")
zarr = pytest.importorskip("zarr")

from lithify.codecs.arrays import proved  # noqa: E402
from lithify.codecs.arrays.numcodecs_codec import Lithify  # noqa: E402
from lithify.codecs.arrays.values import decode_values  # noqa: E402
from lithify.codecs.arrays.zarr_codec import LithifyCodec  # noqa: E402

CUBE = smooth((9, 40, 50), "f4")


@pytest.fixture(scope="module", autouse=True)
def _registered() -> None:
    """As the entry points do it where lithify is installed."""
    numcodecs.register_codec(Lithify)
    zarr.registry.register_codec("lithify", LithifyCodec)


def test_they_are_registered_by_entry_points() -> None:
    project = (ROOT / "pyproject.toml").read_text()
    for group, target in (
        ("zarr.codecs", "lithify.codecs.arrays.zarr_codec:LithifyCodec"),
        ("numcodecs.codecs", "lithify.codecs.arrays.numcodecs_codec:Lithify"),
        ("xarray.backends", "lithify.api.scientific.xarray_engine:LithifyEntrypoint"),
    ):
        assert re.search(rf'entry-points."{re.escape(group)}"]\nlithify = "{re.escape(target)}"', project)


# --- Zarr ---------------------------------------------------------------------------------------------


def kept(values: Numbers, **settings_: Any) -> Numbers:
    """What a Zarr array gives back, opened anew."""
    store = zarr.storage.MemoryStore()
    chunks = tuple(max(1, side // 2) for side in values.shape)
    array = zarr.create_array(
        store,
        shape=values.shape,
        chunks=chunks,
        dtype=values.dtype,
        serializer=LithifyCodec(**settings_),
        compressors=None,
    )
    array[...] = values
    found: Numbers = zarr.open_array(store, mode="r")[...]
    return found


@pytest.mark.parametrize("dtype", ["f4", ">f8", "i2", "u1", "bool", "c8"])
def test_a_zarr_array_comes_back_exactly(dtype: str) -> None:
    values = (smooth((9, 40, 50), "f4") * 100).astype(dtype)
    found = kept(values)
    assert values.dtype.newbyteorder("=") == found.dtype
    assert values.astype(found.dtype).tobytes() == found.tobytes()


def test_a_zarr_array_comes_back_within_its_bound_and_its_fills_exactly() -> None:
    values = CUBE.copy()
    values[0, :9], values[1, :9] = np.nan, -999
    found = kept(values, contract="bounded:abs=0.01", fills=[-999])
    valid = np.isfinite(values) & (values != -999)

    assert np.abs(found - values)[valid].max() <= 0.01
    assert values[~valid].tobytes() == found[~valid].tobytes()


def test_the_codec_survives_the_metadata_of_zarr() -> None:
    codec = LithifyCodec(contract="bounded:rel=0.001", effort="max", fills=[1e20])
    assert codec == LithifyCodec.from_dict(codec.to_dict())
    assert LithifyCodec() == LithifyCodec.from_dict({"name": "lithify"})


@pytest.mark.parametrize(
    "wrong", [{"contract": "floor:vmaf=90"}, {"contract": "x"}, {"effort": "heroic"}, {"fills": "no"}]
)
def test_settings_that_mean_nothing_are_refused(wrong: dict[str, Any]) -> None:
    for codec in (LithifyCodec, Lithify):
        with pytest.raises(BadArgument):
            codec(**wrong)


def test_no_exceptions_are_promised_to_variables_that_nobody_can_tell_apart() -> None:
    for codec in (LithifyCodec, Lithify):
        with pytest.raises(BadArgument, match=r"no name, .* give rain a codec of its own"):
            codec(contract="bounded:rel=0.001;rain=exact")


# --- numcodecs ----------------------------------------------------------------------------------------


@given(
    st_numpy.arrays(
        st_numpy.scalar_dtypes().filter(lambda dtype: dtype.kind in "biufmMc" and dtype.itemsize <= 8),
        st_numpy.array_shapes(min_dims=0, min_side=0, max_side=8),
    )
)
@settings(max_examples=examples(60), deadline=None)
def test_any_array_of_numbers_comes_back_from_numcodecs(values: Numbers) -> None:
    codec = numcodecs.get_codec({"id": "lithify", "effort": "fast"})
    found = codec.decode(codec.encode(values))

    assert (values.dtype, values.shape) == (found.dtype, found.shape)
    assert values.tobytes() == found.tobytes()


def test_numcodecs_gets_its_settings_back_and_may_bring_the_place_for_the_values() -> None:
    codec = Lithify(contract="bounded:abs=0.01", fills=[5.0])
    out = np.empty_like(CUBE)
    codec.decode(codec.encode(CUBE), out)

    assert codec == numcodecs.get_codec(codec.get_config())
    assert np.abs(out - CUBE).max() <= 0.01


def test_buffers_that_are_wrong_are_refused() -> None:
    good = Lithify().encode(CUBE)
    for wrong in (
        b"",
        b"\x02" + good[1:],
        good[:1] + b"\x05|O...",
        good[:1] + b"\x03abc",
        good[:5] + b"\x7f",
        good[:9],
    ):
        with pytest.raises(BadBytes):
            Lithify().decode(wrong)


# --- proved at once -----------------------------------------------------------------------------------


def liar(share: float) -> Any:
    """A decoder whose first value is further off by a share of the range."""

    def decode(*coded: Any) -> Numbers:
        again = decode_values(*coded).copy()
        again.flat[0] += share * np.ptp(again)
        return again

    return decode


@pytest.mark.parametrize(
    ("contract", "share"),
    [("exact", 0.1), ("bounded:rel=0.001", 0.002), ("floor:psnr=60", 0.5), ("floor:ssim=0.99999", 0.9)],
)
def test_what_would_not_come_back_as_promised_is_not_kept(
    contract: str, share: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proved, "decode_values", liar(share))
    with pytest.raises(FidelityBroken):
        Lithify(contract).encode(CUBE)
    with pytest.raises(FidelityBroken):
        kept(CUBE, contract=contract)


def test_what_comes_back_within_the_bound_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proved, "decode_values", liar(0.0))
    assert Lithify("bounded:rel=0.001").encode(CUBE)
