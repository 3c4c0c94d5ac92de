"""The suite, run by the codec of arrays; what it keeps of what, and what it refuses."""

import struct
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy

from lithify import limits
from lithify.codecs.arrays.codec import Arrays, ArraysParams
from lithify.codecs.arrays.containers.find import arrays_in
from lithify.codecs.arrays.payload import ARRAYS, checked_head, encode_file, open_payload
from lithify.codecs.arrays.values import Bound
from lithify.codecs.codec import Buffer
from lithify.codecs.fidelity import Contract
from lithify.codecs.in_memory import MemorySource
from lithify.codecs.registry import by_id
from lithify.errors import BadBytes, Corrupt
from tests.examples import examples
from tests.suites.codec_suite import CodecSuite, framed, unframed
from tests.unit.codecs.arrays.files import Nc3Variable, Numbers, fits, grib1, grib2, netcdf3, nifti, npy, smooth, tiff
from tests.unit.codecs.arrays.test_containers import FILES, climate


class TestArrays(CodecSuite):
    codec = Arrays


def payload_of(data: bytes, effort: str = "fast") -> bytes:
    return encode_file(data, "fast" if effort == "fast" else "default", None).payload


@pytest.mark.parametrize("name", FILES)
def test_every_container_comes_back_as_arrays_and_smaller_than_zstd_makes_it(name: str) -> None:
    data = FILES[name]
    payload = payload_of(data)
    zstd = by_id("raw.zstd")
    assert ARRAYS == payload[0]
    assert data == Arrays().decode(payload, shared=b"", length=len(data))
    assert len(payload) < len(framed(zstd(zstd.params_for("fast", len(data))), data))
    assert data == unframed(framed(Arrays(Arrays.params_for("fast", len(data))), data))


def test_what_is_no_container_is_kept_by_a_general_coder() -> None:
    for data in (b"\x93NUMPY but not really", b"CDF\x01" + bytes(3), b"GRIB" * 50, b"PK\x03\x04" * 40):
        payload = payload_of(data)
        assert payload[0] < ARRAYS
        assert data == Arrays().decode(payload, shared=b"", length=len(data))


# --- any array in any container -----------------------------------------------------------------------

SHAPES = st_numpy.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=9)
DTYPES = st.one_of(
    st_numpy.integer_dtypes(endianness="?"),
    st_numpy.unsigned_integer_dtypes(endianness="?"),
    st_numpy.floating_dtypes(endianness="?", sizes=(16, 32, 64)),
    st_numpy.complex_number_dtypes(endianness="?", sizes=(64, 128)),
    st_numpy.boolean_dtypes(),
    st_numpy.byte_string_dtypes(min_len=1, max_len=5),
    st_numpy.datetime64_dtypes(),
)
ARRAY = st_numpy.arrays(st.one_of(DTYPES, st_numpy.array_dtypes(DTYPES, max_size=3)), SHAPES)


def comes_back(data: bytes) -> None:
    assert data == Arrays().decode(payload_of(data), shared=b"", length=len(data))


@given(ARRAY, st.booleans())
@settings(max_examples=examples(150), deadline=None)
def test_any_numpy_file_comes_back(array: Numbers, fortran: bool) -> None:
    comes_back(npy(array, fortran=fortran))


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["i1", "i2", "i4", "f4", "f8", "u1", "u2", "i8"]),
            st.booleans(),
            st.integers(1, 7),
            st.integers(1, 7),
        ),
        max_size=4,
    ),
    st.integers(0, 6),
    st.booleans(),
    st.integers(0, 2**32 - 1),
)
@settings(max_examples=examples(100), deadline=None)
def test_any_netcdf_3_file_comes_back(
    declared: list[tuple[str, bool, int, int]],
    records: int,
    streaming: bool,
    seed: int,
) -> None:
    chance = np.random.default_rng(seed)
    variables = []
    for number, (dtype, is_recorded, rows, columns) in enumerate(declared):
        shape = ((records,) if is_recorded else ()) + (rows, columns)
        raw = chance.bytes(int(np.prod(shape)) * np.dtype(dtype).itemsize)  # bits of every kind of NaN
        dimensions = ["time"] * is_recorded + [f"y{number}", f"x{number}"]
        variables.append(Nc3Variable(f"v{number}", dimensions, np.frombuffer(raw, dtype).reshape(shape)))
    comes_back(netcdf3(variables, version=5, streaming=streaming))


@given(
    st.sampled_from([nifti, fits, tiff, grib1, grib2]),
    st.integers(1, 9),
    st.integers(1, 20),
    st.integers(1, 20),
    st.integers(0, 99),
)
@settings(max_examples=examples(100), deadline=None)
def test_images_of_any_size_come_back(
    make: Callable[..., bytes], frames: int, rows: int, columns: int, seed: int
) -> None:
    cube = smooth((frames, rows, columns), "u2", seed)
    if make in (grib1, grib2):
        comes_back(make(cube % 2048, 11 + seed % 6))
    elif make is nifti:
        comes_back(nifti(cube, version=1 + seed % 2))
    elif make is fits:
        comes_back(fits([cube.astype("f4"), cube[0].astype("i4")]))
    else:
        comes_back(tiff(list(cube), rows=seed % 5, big=bool(seed % 2)))


def test_nan_payloads_negative_zeros_and_infinities_come_back() -> None:
    odd = np.array([0x7FC00001, 0xFFC12345, 0x7F800001, 0x80000000, 0x7F800000, 0xFF800000, 1] * 90, "u4").view("f4")
    comes_back(npy(odd.reshape(7, 90)))
    comes_back(netcdf3([Nc3Variable("odd", ["y", "x"], odd.reshape(7, 90), {"_FillValue": np.float32("nan")})]))


# --- contracts ----------------------------------------------------------------------------------------


def test_params_keep_a_looser_contract() -> None:
    params = Arrays.params_keeping(Arrays.params_for("default", 1000), Contract.parse("bounded:abs=0.01"))

    assert ArraysParams(effort="default", contract="bounded:abs=0.01") == params
    assert b"" == Arrays(params).decoder_params()


@pytest.mark.parametrize("contract", ["bounded:abs=0.05", "bounded:rel=0.01", "bounded:pwrel=0.02"])
@pytest.mark.parametrize("name", FILES)
def test_a_bounded_file_is_within_its_bound_and_never_larger_than_an_exact_one(name: str, contract: str) -> None:
    data = FILES[name]
    kept = _Kept()
    params = Arrays.params_keeping(Arrays.params_for("default", len(data)), Contract.parse(contract))
    Arrays(params).encode(MemorySource(data), kept)
    (payload, decoded), *others = kept.chunks

    assert not others
    assert decoded == Arrays().decode(payload, shared=b"", length=len(data))
    assert len(payload) <= len(payload_of(data, "default"))
    table = Arrays.measure(data, decoded, Contract.parse(contract))
    assert {variable.name or "values" for variable in arrays_in(data) if variable.data} == table.keys()


def test_a_loose_bound_makes_data_much_smaller_and_nothing_else() -> None:
    data = climate()
    payload = encode_file(data, "default", Bound("abs", 0.05)).payload
    decoded = Arrays().decode(payload, shared=b"", length=len(data))
    names = {variable.name: variable.extent for variable in arrays_in(data)}

    assert len(payload) < 0.6 * len(payload_of(data, "default"))
    for name, extent in names.items():
        assert (name in {"t2m", "height"}) == (extent.gather(data).tobytes() != extent.gather(decoded).tobytes())


class _Kept:
    """A sink that keeps what it is given."""

    def __init__(self) -> None:
        self.chunks: list[tuple[bytes, bytes]] = []

    def share(self, data: bytes) -> None:
        raise AssertionError("arrays share nothing")

    def chunk(self, payload: Buffer, decoded: Buffer) -> None:
        self.chunks.append((bytes(payload), bytes(decoded)))


def test_an_unknown_contract_or_effort_is_corrupt() -> None:
    for wrong in (b'{"contract":"roughly"}', b'{"effort":"heroic"}'):
        with pytest.raises(Corrupt):
            ArraysParams.from_json(wrong)


# --- what is refused ----------------------------------------------------------------------------------


def test_layouts_that_lie_are_refused() -> None:
    data = climate()
    payload = payload_of(data)
    for length in (1, 100, len(data) - 1, len(data) + 1, 2 * len(data), limits.CHUNK_BYTES_MAX):
        with pytest.raises(BadBytes):
            Arrays().decode(payload, shared=b"", length=length)
    with pytest.raises(BadBytes):
        Arrays().decode(payload, shared=b"x", length=len(data))


@pytest.mark.parametrize(
    "layout",
    [
        b"\x01\x00\x01\x80\x08\x00\x05",  # an array of 1,024 bytes in 100
        b"\x02\x00\x01\x3c\x00\x05\x00\x01\x3c\x00\x05",  # two of 60 bytes
        b"\x01\x00\x01\x0a\x60\x05",  # ten bytes from byte 96
        b"\x01\x40\x01\x0a\x10\x00\x05",  # ten bytes, 16 from one to the next
        b"\x01\x80\x01\x01\xff\xff\xff\x7f\x00\x05",  # a grid without end
        b"\x01\x20\x21\x01\x04\x00\x05",  # numbers of 33 bits
        b"\x01\x0b\x01\x04\x00\x05",  # a type that does not exist
        b"\x01\x00\x01\x00\x00\x05",  # no elements
        b"\x01\x00\x11" + b"\x01" * 17 + b"\x00\x05",  # 17 axes
        b"\x01\x80\x01\x01\x02\x00\x0f\x05",  # a tile before the begin
        b"\x7f",
        b"",
    ],
)
def test_a_layout_outside_of_the_original_is_refused(layout: bytes) -> None:
    head = bytes([0, len(layout), len(layout)]) + layout + bytes([0, 40, 40]) + bytes(40) + bytes(3)
    payload = bytes([ARRAYS]) + checked_head(head) + bytes(5)
    with pytest.raises(BadBytes):
        Arrays().decode(payload, shared=b"", length=100)


def test_a_skeleton_of_another_length_is_refused() -> None:
    payload = payload_of(npy(smooth((9, 30, 30), "f4")))
    opened = open_payload(payload, struct.calcsize("f") * 9 * 30 * 30 + 128)
    assert 128 == len(opened.skeleton)
    with pytest.raises(Corrupt):
        type(opened)(opened.length, opened.extents, opened.payloads, opened.skeleton + b"x").decoded()


# --- probing ------------------------------------------------------------------------------------------


def test_only_containers_are_promised_anything() -> None:
    data = npy(smooth((40, 60, 70), "f4"))
    estimate = Arrays.probe(data, len(data), "default")

    assert estimate is not None
    assert 0.6 < estimate.ratio / (len(data) / len(payload_of(data, "default"))) < 1.6
    assert Arrays.probe(b"no container" * 400, 4800, "default") is None
    assert Arrays.probe(data, limits.ORIGINAL_BYTES_MAX, "default") is not None


def test_the_begin_of_a_large_file_is_enough_to_be_promised_something() -> None:
    data = npy(smooth((400, 60, 70), "f4"))
    head = data[: limits.PROBE_BYTES // 3]
    for sample in (head, head + data[-1000:]):
        estimate = Arrays.probe(sample, len(data), "fast")
        assert estimate is not None
        assert estimate.ratio > 1


def test_max_is_promised_no_faster_than_networks_are_taught_whether_values_are_in_the_sample_or_not() -> None:
    data = npy(smooth((400, 60, 70), "f4"))
    for sample in (data[: limits.PROBE_BYTES // 3], data[:200]):
        estimate = Arrays.probe(sample, len(data), "max")
        assert estimate is not None
        assert estimate.encode_bytes_per_second <= 1e5
