"""Whatever goes in comes out: every registered codec, any bytes, any cut, any range."""

import io

from hypothesis import given, settings
from hypothesis import strategies as st

from lithify import limits
from lithify.codecs.codec import EFFORTS, Codec, Effort
from lithify.codecs.frame import FrameWriter, decode_frame, join_frames, read_frame
from lithify.codecs.in_memory import MemorySource
from lithify.codecs.raw.block import BlockCodec
from lithify.codecs.registry import all_codecs
from tests.examples import examples
from tests.hostile.mutants import decoded_or_refused
from tests.suites.codec_suite import framed, unframed

CODECS = all_codecs()
BLOCK_CODECS = [codec for codec in CODECS if issubclass(codec, BlockCodec)]

# Bytes as they come: noise, text, and what repeats near and far.
PIECES = st.binary(max_size=40) | st.text(max_size=20).map(str.encode)
BYTES = st.binary(max_size=300) | st.builds(
    lambda pieces, order: b"".join(pieces[i % len(pieces)] for i in order) if pieces else b"",
    st.lists(PIECES, max_size=6),
    st.lists(st.integers(0, 5), max_size=200),
)


def bound(codec: type[Codec], effort: Effort, original: bytes) -> Codec:
    return codec(codec.params_for(effort, len(original)))


@given(st.sampled_from(CODECS), st.sampled_from(EFFORTS), BYTES)
@settings(max_examples=examples(300), deadline=None)
def test_every_codec_gives_back_what_it_was_given(codec: type[Codec], effort: Effort, original: bytes) -> None:
    assert original == unframed(framed(bound(codec, effort, original), original))


@given(st.sampled_from(BLOCK_CODECS), BYTES, st.integers(1, 400), st.integers(0, 20_000), st.integers(0, 20_000))
@settings(max_examples=examples(200), deadline=None)
def test_every_cut_gives_every_range(codec: type[Codec], original: bytes, chunk_bytes: int, a: int, b: int) -> None:
    params = codec.params_type.from_json(b'{"chunk_bytes":%d}' % chunk_bytes)
    file = io.BytesIO(framed(codec(params), original))
    start, end = sorted((a % (len(original) + 1), b % (len(original) + 1)))

    assert original[start:end] == b"".join(decode_frame(file, start=start, end=end))
    assert original == b"".join(decode_frame(file))
    assert all(chunk.length <= chunk_bytes for chunk in read_frame(file).chunks)


@given(st.lists(st.tuples(st.sampled_from(CODECS), BYTES), max_size=6))
@settings(max_examples=examples(100), deadline=None)
def test_joined_parts_decode_to_their_sum(parts: list[tuple[type[Codec], bytes]]) -> None:
    whole = b"".join(original for _, original in parts)
    writer = FrameWriter(io.BytesIO())
    for codec, original in parts:
        bound(codec, "fast", original).encode(MemorySource(original), writer.sink(bound(codec, "fast", original)))
    in_one_go = writer.finish()
    frames = [io.BytesIO(framed(bound(codec, "fast", original), original)) for codec, original in parts]
    joined = join_frames(frames, out := io.BytesIO(), digest=in_one_go.decoded_digest)

    assert in_one_go == joined
    assert whole == b"".join(decode_frame(out))


@given(st.sampled_from(CODECS), BYTES.filter(bool), st.data())
@settings(max_examples=examples(200), deadline=None)
def test_no_damage_gives_wrong_bytes(codec: type[Codec], original: bytes, data: st.DataObject) -> None:
    frame = bytearray(framed(bound(codec, "fast", original), original))
    for _ in range(data.draw(st.integers(1, 5))):
        frame[data.draw(st.integers(0, len(frame) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(frame)) | st.just(len(frame)))

    decoded_or_refused(bytes(frame[:cut]), expected=original)


@given(st.binary(max_size=400))
@settings(deadline=None)
def test_no_bytes_at_all_make_a_reader_fail_otherwise(noise: bytes) -> None:
    decoded_or_refused(noise)
    decoded_or_refused(b"\x89LTH\x01" + noise + b"LTH\n")


@given(st.sampled_from(CODECS), st.binary(min_size=1, max_size=200), st.integers(1, 100_000))
@settings(max_examples=examples(300), deadline=None)
def test_no_payload_makes_a_decoder_fail_otherwise(codec: type[Codec], payload: bytes, length: int) -> None:
    writer = FrameWriter(file := io.BytesIO(), hashing=False)
    writer.sink(codec()).chunk(payload, bytes(min(length, limits.CHUNK_BYTES_MAX)))
    writer.finish(digest=bytes(32))

    decoded_or_refused(file.getvalue())
