"""Archives made to hurt, and payloads that lie about them.

Why: whoever sends an archive decides how much is inside and how deep; whoever sends a frame decides what a decoder is
told, whose inner loops run without bounds checks.
"""

import gzip
import io
import random
import time
import tracemalloc
import zipfile
import zlib

import pytest

from lithify import limits
from lithify.codecs.media.containers.codec import CLOSED, DEPTH_MAX, OPENED, Budget, Deflate
from lithify.codecs.media.containers.find import Walk
from lithify.codecs.media.containers.layout import Piece, Segment, pack_table
from lithify.codecs.media.containers.nested import pack_part
from lithify.codecs.media.deflate.engine import open_stream, rebuild
from lithify.codecs.media.whole_file import EffortParams
from lithify.errors import BadBytes, LimitExceeded
from tests.hostile.quines import gzip_quine, overlapping_zip, zip_of_zips
from tests.unit.codecs.media.archives import gz, pdf, zipped
from tests.unit.codecs.media.streams import deflated, paragraphs

SELF_LIKE = gz(gz(gz(gz(gz(gz(paragraphs(3)))))))


def encoded(original: bytes, budget: Budget | None = None) -> bytes:
    codec = Deflate(EffortParams("fast"))
    codec._budget = budget
    payload = codec.encode_file(original)
    assert original == Deflate().decode(payload, shared=b"", length=len(original))
    return payload


def stored(data: bytes) -> bytes:
    """A part that keeps bytes as they are."""
    return pack_part(data, "fast", lambda _: None)


# --- bombs --------------------------------------------------------------------------------------------


def test_a_bomb_is_opened_only_as_far_as_the_budget_goes() -> None:
    bomb = gz(bytes(12 * limits.MIB), level=9)
    budget = Budget(20 * limits.MIB)
    payload = encoded(bomb * 3, budget)

    assert OPENED == payload[0]
    assert 8 * limits.MIB == budget.plain_left


def test_a_billion_laughs_are_text_like_any_other() -> None:
    """Entities that stand for ten of the one before: nothing here reads XML, so that nothing laughs."""
    entities = b"".join(b'<!ENTITY l%d "%s">' % (n, b"&l%d;" % (n - 1) * 10) for n in range(1, 10))
    laughs = b'<?xml version="1.0"?><!DOCTYPE l [<!ENTITY l0 "ha">' + entities + b"]><l>&l9;</l>"
    started = time.process_time()
    for original in (gz(laughs), zipped({"[Content_Types].xml": laughs, "word/document.xml": laughs}), laughs):
        budget = Budget(limits.MIB)
        encoded(original, budget)
        assert budget.plain_left >= limits.MIB - 2 * len(laughs)
    assert time.process_time() - started < 10


def test_a_bomb_beyond_every_budget_is_left_alone() -> None:
    started = time.process_time()
    assert CLOSED == encoded(gz(bytes(2 * limits.MIB)), Budget(limits.MIB))[0]
    assert time.process_time() - started < 5


def test_bombs_in_bombs_spend_one_budget() -> None:
    inner = [zipped({str(seed + i): paragraphs(30, seed + i) for i in range(6)}) for seed in (10, 20, 30, 40)]
    outer = zipped({str(number): archive for number, archive in enumerate(inner)}, method=0)
    plain = 6 * len(paragraphs(30, 10))
    budget = Budget(2 * plain)
    encoded(outer, budget)

    assert 0 <= budget.plain_left < plain // 2


def test_archives_in_archives_end() -> None:
    encoded(SELF_LIKE)
    archive = b"rock"
    for _ in range(30):
        archive = zipped({"a.zip": archive}, method=0)
    encoded(archive)


def test_an_archive_that_unpacks_to_itself_is_opened_four_deep_and_comes_back() -> None:
    quine = gzip_quine()
    assert quine == gzip.decompress(quine)
    for original in (quine, quine * 300, zipped({"q.gz": quine, "r.gz": quine}), SELF_LIKE):
        budget, started = Budget(), time.process_time()
        encoded(original, budget)
        assert limits.OPENED_BYTES_MAX - budget.plain_left <= 2 * DEPTH_MAX * len(original)
        assert time.process_time() - started < 5


def test_members_that_share_one_stream_are_opened_once() -> None:
    bomb = overlapping_zip(members=60, kernel_bytes=limits.MIB)
    assert sum(member.file_size for member in zipfile.ZipFile(io.BytesIO(bomb)).infolist()) > 60 * limits.MIB
    budget, started = Budget(), time.process_time()
    encoded(bomb, budget)
    assert limits.OPENED_BYTES_MAX - budget.plain_left < 2 * limits.MIB
    assert time.process_time() - started < 10


def test_archives_of_archives_of_zeros_spend_one_budget() -> None:
    """Six hundred gigabytes of zeros in 19 KB, as 42.zip is made."""
    bomb = zip_of_zips(depth=4, width=16, plain_bytes=10 * limits.MIB)
    assert len(bomb) < 64 * limits.KIB
    budget, started = Budget(24 * limits.MIB), time.process_time()
    encoded(bomb, budget)
    assert 0 <= budget.plain_left < 10 * limits.MIB
    assert time.process_time() - started < 15


def test_a_payload_cannot_claim_more_plain_bytes_than_its_length_explains() -> None:
    table = pack_table([Piece((Segment(0, 200_000_000),), 3)])
    payload = bytes([OPENED, len(table)]) + stored(table) + stored(b"\x05\x00\x00") + b"\x01" + b"\x80\x84\xaf\x5f"
    tracemalloc.start()
    with pytest.raises(LimitExceeded):
        Deflate().decode(payload + bytes(40), shared=b"", length=900)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < limits.MIB


# --- time ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "sign", [b"\x78\x9c", b"PK\x03\x04", b"\x1f\x8b\x08\x00", b"stream\n\x78\x9c", b"stream\n\xff\xd8\xff"]
)
def test_signs_of_streams_that_are_none_cost_little(sign: bytes) -> None:
    original = (sign + b"\0\0\0" + random.Random(1).randbytes(5)) * (2 * limits.MIB // (len(sign) + 8))
    started = time.process_time()
    assert [] == list(Walk(original, limits.OPENED_BYTES_MAX).found())
    assert time.process_time() - started < 8


def test_streams_that_break_at_their_end_are_given_up_on() -> None:
    """Each sign begins a long stream that holds all the others, and has no end."""
    block = b"\x00\xff\xff\x00\x00" + b"\x78\x9c\x00\xff\x0f\x00\xf0" * 9362 + b"x"
    original = b"\x78\x9c" + block * 12
    started = time.process_time()
    encoded(original)
    assert time.process_time() - started < 20


def test_bytes_that_make_chains_long_are_opened_in_bounded_time() -> None:
    chance = random.Random(2)
    slow = b"".join(b"ab" * 20 + bytes([chance.randrange(256)]) for _ in range(8000))
    for level in (1, 6, 9):
        stream = deflated(slow, level)
        started = time.process_time()
        opened = open_stream(stream)
        assert time.process_time() - started < 30
        if opened is not None:
            assert stream == rebuild(opened.plain, opened.recipe)


# --- archives that lie --------------------------------------------------------------------------------


def test_members_that_overlap_come_back() -> None:
    """A better zip bomb (David Fifield): many headers, one stream. What was found once is not found again."""
    archive = bytearray(zipped({"a": paragraphs(20), "b": paragraphs(2)}))
    second = archive.index(b"PK\x03\x04", 4)
    archive[26:28] = (second - 30).to_bytes(2, "little")  # the first member's name ends where the second's header is
    encoded(bytes(archive))


def test_lengths_that_reach_beyond_the_archive_come_back() -> None:
    archive = bytearray(zipped({"a": b"rock" * 50}, method=0))
    archive[18:22] = archive[22:26] = b"\xff\xff\xff\x7f"
    encoded(bytes(archive))
    encoded(gz(b"rock" * 50)[:3] + b"\xff" + gz(b"rock" * 50)[4:])


def test_a_changed_byte_anywhere_comes_back() -> None:
    for original in (gz(paragraphs(1)), zipped({"a": paragraphs(1)}), pdf([paragraphs(1)])):
        for at in range(0, len(original), 5):
            encoded(original[:at] + bytes([original[at] ^ 0x40]) + original[at + 1 :])


def test_changed_payloads_are_refused_or_harmless() -> None:
    original = zipped({"a": paragraphs(2), "b": b"<a>" + paragraphs(1)}) + gz(paragraphs(1))
    payload = encoded(original)
    for at in range(len(payload)):
        for flip in (0x01, 0x80, 0xFF):
            changed = payload[:at] + bytes([payload[at] ^ flip]) + payload[at + 1 :]
            try:
                assert len(original) == len(Deflate().decode(changed, shared=b"", length=len(original)))
            except BadBytes:
                continue


def test_noise_in_place_of_a_recipe_is_refused_or_makes_a_stream_of_the_same_bytes() -> None:
    plain = paragraphs(3)
    for seed in range(300):
        chance = random.Random(seed)
        recipe = bytes([chance.randrange(24)]) + chance.randbytes(chance.randrange(60))
        try:
            stream = rebuild(plain, recipe)
        except BadBytes:
            continue
        try:
            assert plain == zlib.decompress(stream, -15)
        except zlib.error:
            continue  # codes that no decoder takes: the frame's checksum is what notices
