"""arrays/VALUES.md is held to the code: by a decoder written from it, and by its example."""

import re
from dataclasses import replace

import numpy as np
import pytest

from lithify.codecs.arrays import model
from lithify.codecs.arrays.block import Coding, Tolerance, encode_block
from lithify.codecs.arrays.cube import stack
from lithify.codecs.arrays.grids import Native, Ranks
from lithify.codecs.arrays.network import Network
from lithify.codecs.arrays.plan import pack_header
from lithify.codecs.arrays.reach import FAR, NEAR, Reach
from lithify.codecs.arrays.values import decode_values, encode_inner
from lithify.codecs.arrays.wire import varint
from tests.house import ROOT
from tests.unit.codecs.arrays import reference
from tests.unit.codecs.arrays.fields import FIELDS, some_network

DOCUMENT = (ROOT / "lithify/codecs/arrays/VALUES.md").read_text("utf-8")


@pytest.mark.parametrize("counted", [False, True])
@pytest.mark.parametrize("reach", [NEAR, FAR])
@pytest.mark.parametrize("lags", [(1, 2), (2, 3), (9, 9)])
def test_the_reference_decodes_what_the_codec_wrote(reach: Reach, lags: tuple[int, int], counted: bool) -> None:
    values = FIELDS["int16"]((5, 9, 8))
    grid = Native(values.dtype, int(values.min()) + 30, 1, 0)
    assert_both_decode(values, Coding(values.dtype, grid, np.zeros(0, np.uint16), lags, reach, counted=counted))


@pytest.mark.parametrize("counted", [False, True])
@pytest.mark.parametrize(("reach", "network"), [(NEAR, None), (FAR, None), (FAR, some_network())])
@pytest.mark.parametrize("lags", [(1, 2), (9, 9)])
def test_the_reference_decodes_ranks_that_are_predicted_by_where_their_values_stand(
    reach: Reach, network: Network | None, lags: tuple[int, int], counted: bool
) -> None:
    smooth = FIELDS["int16"]((5, 9, 8)).astype(np.int64)
    table = (np.arange(-30, 31) ** 3 // 3).astype(np.int16)
    values = table[np.abs(table[:, None] - (smooth.reshape(1, -1) - 5600) * 4).argmin(axis=0)].reshape(smooth.shape)
    assert len(np.unique(values)) > 20
    grid = Ranks(table.dtype, table, encode_inner(table))
    assert grid.is_uneven
    coding = Coding(values.dtype, grid, np.zeros(0, np.uint16), lags, reach, laddered=True, counted=counted)
    coding = replace(coding, network=network)
    assert_both_decode(values, coding)


@pytest.mark.parametrize(
    ("units", "lags", "counted"), [((32, 64), (1, 2), False), ((64, 32), (2, 2), True), ((32, 32), (9, 9), False)]
)
def test_the_reference_decodes_guesses_that_a_network_refines(
    units: tuple[int, int], lags: tuple[int, int], counted: bool
) -> None:
    values = FIELDS["int16"]((5, 9, 8)) * 9
    grid = Native(values.dtype, int(values.min()) + 30, 1, 0)
    none = np.zeros(0, np.uint16)
    coding = Coding(values.dtype, grid, none, lags, FAR, counted=counted, network=some_network(units))
    assert_both_decode(values, coding)


@pytest.mark.parametrize("weight", [1 << 20, -(1 << 24), (1 << 31) - 9])
@pytest.mark.parametrize("counted", [False, True])
def test_mixing_wraps_at_32_bits(weight: int, counted: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model, "_WEIGHT", weight)
    monkeypatch.setattr(reference, "WEIGHT", weight)
    values = FIELDS["int16"]((5, 9, 8))
    grid = Native(values.dtype, int(values.min()), 1, 0)
    assert_both_decode(values, Coding(values.dtype, grid, np.zeros(0, np.uint16), (1, 2), counted=counted))


def assert_both_decode(values: np.ndarray, coding: Coding) -> None:
    cube = stack(values.shape)
    body = encode_block(values, range(5), coding, Tolerance(), "default")
    assert body is not None
    payload = pack_header(cube, coding) + varint(len(body)) + body

    assert values.reshape(-1).tolist() == reference.decode(payload, (5, 9, 8), "h")
    assert np.array_equal(values, decode_values(payload, values.shape, values.dtype))


def test_the_example_is_what_the_codec_reads() -> None:
    found = re.search(r"```hex\n(.*?)```", DOCUMENT, re.DOTALL)
    assert found is not None
    payload = bytes.fromhex("".join(re.findall(r"^((?:[0-9a-f]{2} )+)", found[1], re.MULTILINE)))
    expected = ((100 + 5 * np.arange(12)) / 100).astype(np.float32)
    assert np.array_equal(expected.reshape(3, 4), decode_values(payload, (3, 4), np.dtype(np.float32)))
