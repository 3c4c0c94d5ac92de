"""Differences of effort `fast`: vectors and the kernel say the same, and the first frames of a block come alone."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lithify.codecs.arrays import differences
from lithify.codecs.arrays.cube import stack
from lithify.codecs.arrays.differences import decode_differences, encode_differences
from lithify.codecs.arrays.grids import Ranks
from lithify.codecs.arrays.values import decode_part, encode_values

SIDES = st.integers(1, 9)


@settings(deadline=None)  # the first example waits for kernels
@given(
    frames=SIDES, rows=SIDES, columns=SIDES, lag=st.integers(1, 12), reach=st.integers(1, 27), seed=st.integers(0, 99)
)
def test_vectors_write_what_the_kernel_writes(
    frames: int, rows: int, columns: int, lag: int, reach: int, seed: int
) -> None:
    values = np.random.default_rng(seed).integers(-(1 << reach), 1 << reach, (frames, rows, columns)).astype(np.int32)
    mask = np.zeros(values.shape, np.uint8)
    by_vectors = encode_differences(values, mask, lag)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(differences, "_NARROW", 0)
        assert encode_differences(values, mask, lag) == by_vectors
        patched.setattr(differences, "_NARROW", 1 << 27)
        patched.setattr(differences, "_SLAB_VALUES", 2 * rows * columns)
        assert encode_differences(values, mask, lag) == by_vectors
    assert np.array_equal(values, decode_differences(by_vectors, mask, lag))


def test_the_first_frames_of_a_block_come_without_the_others() -> None:
    values = np.random.default_rng(1).integers(-500, 500, (7, 5, 6)).astype(np.int32)
    stream = encode_differences(values, np.zeros(values.shape, np.uint8), 2)
    first = decode_differences(stream, np.zeros((3, 5, 6), np.uint8), 2, values.size)
    assert np.array_equal(values[:3], first)


@pytest.mark.parametrize("spread", ["even", "uneven"])
def test_ranks_are_found_by_cells_and_where_those_are_too_few_by_searching(spread: str) -> None:
    table = np.arange(-40, 41, dtype=np.float32) * np.float32(0.1)
    if spread == "uneven":
        table = np.sort(np.concatenate([table, np.float32(1e-9) * np.arange(1, 9, dtype=np.float32)]))
    wanted = np.random.default_rng(2).integers(0, len(table), (3, 4, 5))
    split = Ranks(table.dtype, table).split(table[wanted], range(3))
    assert np.array_equal(wanted, split.integers)


def test_quick_blocks_of_large_frames_hold_two_of_them() -> None:
    large = (6, 1024, 1024)
    assert (6, 2) == (stack(large).step[0], stack(large, shallow=True).step[0])
    assert stack((16, 512, 512)).step[0] == 8
    assert stack((64, 100, 100)) == stack((64, 100, 100), shallow=True)
    values = np.arange(5 * 1100 * 1000, dtype=np.int32).reshape(5, 1100, 1000) // 7
    payload = encode_values(values, bound=None, effort="fast")
    assert np.array_equal(values[3], decode_part(payload, values.shape, values.dtype, (3,)))
