"""PPMd, and the traps of the library under it."""

import random
import resource
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

import pyppmd
import pytest

from lithify import limits
from lithify.codecs.raw import ppmd
from lithify.codecs.raw.ppmd import Ppmd, PpmdParams
from lithify.errors import BadBytes, Corrupt, LimitExceeded, Truncated
from tests.suites.codec_suite import log_lines


def hardly_compressible(seed: int) -> bytes:
    """Bytes that shrink by a thousandth: now and then one symbol writes two bytes of the stream."""
    weights = [1 + i % 7 for i in range(256)]
    return bytes(random.Random(seed).choices(range(256), weights=weights, k=34_000))


def decode(payload: bytes, length: int) -> bytes:
    return Ppmd().decode(payload, shared=b"", length=length)


@pytest.mark.parametrize("seed", [20, 54, 67, 77])
def test_no_byte_is_lost_where_the_library_changes_buffers(seed: int) -> None:
    """One block in twenty is spoilt when it is given to the library in one call; these four are."""
    block = hardly_compressible(seed)
    payload = Ppmd(PpmdParams(order=6)).encode_block(block)

    assert 32 * limits.KIB < len(payload) < len(block), "the coder was used, and filled the library's first buffer"
    assert block == decode(payload, len(block))


def test_noise_is_kept_as_it_is_in_one_byte_more() -> None:
    block = random.Random(9).randbytes(10_000)
    payload = Ppmd().encode_block(block)

    assert b"\0" + block == payload
    assert block == decode(payload, len(block))


def test_a_short_block_asks_for_little_memory() -> None:
    short, long = (Ppmd().encode_block(log_lines(count)) for count in (4, 4000))

    assert 2 ** short[1] == 256 * limits.KIB
    assert short[1] < long[1]


def test_the_longest_block_stays_within_the_limit_of_memory() -> None:
    assert Ppmd().peak_memory_bytes(limits.CHUNK_BYTES_MAX) < limits.PPMD_MEMORY_BYTES_MAX + 5 * limits.CHUNK_BYTES_MAX


def test_memory_that_the_length_does_not_explain_is_refused() -> None:
    payload = Ppmd().encode_block(log_lines(20))
    for memory_log in (19, 29, 30, 63, 255):
        with pytest.raises(LimitExceeded, match="of memory"):
            decode(payload[:1] + bytes([memory_log]) + payload[2:], len(log_lines(20)))


def test_orders_and_memories_that_ppmd_does_not_have_are_refused() -> None:
    payload = Ppmd().encode_block(log_lines(20))
    for order, memory_log in ((1, 12), (65, 12), (255, 12), (6, 10), (6, 0)):
        with pytest.raises(Corrupt):
            decode(bytes([order, memory_log]) + payload[2:], 1000)


def test_a_payload_of_one_byte_is_truncated() -> None:
    with pytest.raises(Truncated):
        decode(b"\x06", 10)


def test_four_bytes_that_begin_no_stream_are_corrupt() -> None:
    with pytest.raises(Corrupt, match="no encoder writes"):
        decode(b"\x06\x0b\xff\xff\xff\xff\x00\x00", 100)


def test_a_decoder_that_runs_out_of_input_leaves_no_thread_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = []

    def keep(order: int, memory_bytes: int) -> pyppmd.Ppmd7Decoder:
        kept.append(pyppmd.Ppmd7Decoder(order, memory_bytes))
        return kept[-1]

    original = log_lines(40)
    payload = Ppmd().encode_block(original)
    monkeypatch.setattr(ppmd, "pyppmd", SimpleNamespace(Ppmd7Decoder=keep))
    threads = len(list(Path("/proc/self/task").iterdir()))
    for cut in range(2, len(payload) - 8, 7):
        with suppress(Corrupt):
            assert original != decode(payload[:cut], len(original))

    assert len(kept) > 50
    assert threads == len(list(Path("/proc/self/task").iterdir())), "dropping a decoder now would touch freed memory"


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def test_wrong_streams_leave_no_memory_behind() -> None:
    original = log_lines(400)
    payload = Ppmd().encode_block(original)
    before = resident_bytes()
    for seed in range(300):
        with pytest.raises(BadBytes):
            decode(payload[:2] + random.Random(seed).randbytes(40), len(original))

    assert resident_bytes() - before < 300 * len(original) // 3


def test_encoding_leaves_no_block_behind() -> None:
    codec = Ppmd(PpmdParams(order=2))
    codec.encode_block(bytes(500_000))
    before = resident_bytes()
    for filler in range(8):
        codec.encode_block(bytes([filler]) * 500_000)

    assert resident_bytes() - before < 2_000_000, "the library keeps every buffer it was ever given"
