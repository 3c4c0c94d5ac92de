"""Frames that need a primer: decoded with the right one, and with nothing else."""

import io
from collections.abc import Iterator
from pathlib import Path

import pytest

from lithify import limits
from lithify.codecs.codec import Codec, Format, Params
from lithify.codecs.frame import FrameWriter, at_hand, decode_frame, join_frames, primers_of, read_frame
from lithify.codecs.frame.primers import Primers, digest_of
from lithify.codecs.frame.search import FrameChunks
from lithify.codecs.registry import all_codecs
from lithify.errors import BadArgument, Corrupt, LimitExceeded, MissingPrimer
from lithify.workers.sources import FileSource
from tests import primed_codec
from tests.primed_codec import MAGIC, Primed, PrimedParams, daily_log

PRIMER = MAGIC + daily_log(1)
DIGEST = digest_of(PRIMER)
ORIGINAL = daily_log(2)


@pytest.fixture(autouse=True)
def _codec(tmp_path: Path) -> Iterator[None]:
    with primed_codec.installed(tmp_path / "site"):
        yield


def primed_frame(primer: bytes = PRIMER) -> bytes:
    out = io.BytesIO()
    writer = FrameWriter(out)
    codec = Primed(Primed.params_with_primer(PrimedParams(), digest_of(primer))).primed(primer)
    codec.encode(FileSource(io.BytesIO(ORIGINAL)), writer.sink(codec))
    writer.finish()
    return out.getvalue()


def decoded(frame: bytes, primers: Primers | None, start: int = 0, end: int | None = None) -> bytes:
    return b"".join(decode_frame(io.BytesIO(frame), start=start, end=end, primers=primers))


def test_a_frame_decodes_with_its_primer_whole_and_in_part() -> None:
    frame = primed_frame()
    assert ORIGINAL == decoded(frame, at_hand([b"another", PRIMER]))
    assert ORIGINAL[49_000:101_000] == decoded(frame, at_hand([PRIMER]), start=49_000, end=101_000)


def test_a_frame_says_which_primers_it_needs() -> None:
    assert {DIGEST} == primers_of(read_frame(io.BytesIO(primed_frame())))
    plain = io.BytesIO()
    FrameWriter(plain).finish()
    assert set() == primers_of(read_frame(plain))


def test_what_lies_inside_a_frame_is_told_without_its_primer() -> None:
    file = io.BytesIO(primed_frame())
    assert {Primed.facts.id} == {chunk.codec for chunk, _ in FrameChunks(file, read_frame(file)).contents()}


def test_a_joined_frame_needs_the_primers_of_all_its_parts() -> None:
    parts = [primed_frame(), primed_frame(MAGIC + b"other")]
    out = io.BytesIO()
    join_frames([io.BytesIO(part) for part in parts], out, digest=bytes.fromhex(digest_of(ORIGINAL * 2)))
    assert {DIGEST, digest_of(MAGIC + b"other")} == primers_of(read_frame(out))
    assert ORIGINAL * 2 == decoded(out.getvalue(), at_hand([PRIMER, MAGIC + b"other"]))


@pytest.mark.parametrize("primers", [None, at_hand([]), at_hand([b"wrong", PRIMER[:-1]])], ids=["no", "none", "others"])
def test_without_its_primer_a_frame_says_which_and_what_to_do(primers: Primers | None) -> None:
    with pytest.raises(MissingPrimer, match=f"the frame needs primer {DIGEST}; give the file with --primer"):
        decoded(primed_frame(), primers)


@pytest.mark.parametrize(
    "given",
    [b"", PRIMER[:-1], PRIMER + b"x", MAGIC + daily_log(3), bytes(len(PRIMER))],
    ids=["empty", "truncated", "longer", "of another digest", "zeros"],
)
def test_bytes_that_are_not_the_primer_are_refused_before_a_codec_sees_them(given: bytes) -> None:
    with pytest.raises(Corrupt, match=f"primer {DIGEST} has SHA-256 {digest_of(given)}"):
        decoded(primed_frame(), lambda _: given)


def test_a_primer_beyond_the_limit_is_refused_before_it_is_hashed() -> None:
    with pytest.raises(LimitExceeded, match=f"a primer has at most {limits.PRIMER_BYTES_MAX}"):
        decoded(primed_frame(), lambda _: bytes(limits.PRIMER_BYTES_MAX + 1))


def test_a_primer_that_is_what_was_named_and_no_primer_is_refused() -> None:
    out = io.BytesIO()
    writer = FrameWriter(out)
    writer.sink(Primed(PrimedParams(primer=digest_of(b"sand")))).chunk(b"payload", b"decoded")
    writer.finish()
    with pytest.raises(Corrupt, match="no primer of tests"):
        decoded(out.getvalue(), at_hand([b"sand"]))


def test_who_takes_a_primer_says_so_in_its_facts() -> None:
    for codec in all_codecs():
        names_one = codec.params_with_primer.__func__ is not Codec.params_with_primer.__func__  # type: ignore[attr-defined]
        assert codec.facts.takes_primer == names_one, codec.facts.id


@pytest.mark.parametrize("codec", [codec for codec in all_codecs() if not codec.facts.takes_primer])
def test_who_takes_none_refuses_one(codec: type[Codec]) -> None:
    assert codec().primer is None
    assert codec.make_primer([ORIGINAL]) is None
    with pytest.raises(Corrupt, match="has no use for a primer"):
        codec().primed(PRIMER)
    with pytest.raises(BadArgument, match="has no use for a primer"):
        codec.params_with_primer(Params(), DIGEST)


def test_a_format_that_names_a_primer_keeps_its_version() -> None:
    entry = read_frame(io.BytesIO(primed_frame())).formats[0]
    assert Format(primed_codec.NUMBER, 1, 0) == entry.format
    assert f'{{"primer":"{DIGEST}"}}'.encode() == entry.params
