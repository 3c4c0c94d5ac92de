"""What every codec promises. A codec's test class inherits this one and names the codec; nothing else is needed.

A codec without such a class fails `test_every_registered_codec_runs_the_suite`.
"""

import hashlib
import random
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields
from io import BytesIO
from typing import ClassVar

import pytest

from lithify import limits
from lithify.codecs.codec import EFFORTS, Codec, Effort, Params
from lithify.codecs.fidelity import METRICS
from lithify.codecs.frame import FrameWriter, Primers, decode_frame, read_frame
from lithify.codecs.in_memory import MemorySource
from lithify.codecs.registry import by_id, codec_class, codec_for
from lithify.errors import BadBytes, Corrupt

SENTENCE = b"2026-11-21T01:15:%02d.%03d storage[%d]: settled block %d of the north face, %d grains\n"


def log_lines(count: int) -> bytes:
    """Text as services write it, the same in every run."""
    return b"".join(SENTENCE % (i % 60, i * 7 % 1000, i % 13, i, i * i % 977) for i in range(count))


def framed(codec: Codec, original: bytes) -> bytes:
    """The whole frame a codec makes of an original."""
    out = BytesIO()
    writer = FrameWriter(out)
    codec.encode(MemorySource(original), writer.sink(codec))
    writer.finish()
    return out.getvalue()


def unframed(frame: bytes, primers: Primers | None = None) -> bytes:
    """What a whole frame decodes to."""
    return b"".join(decode_frame(BytesIO(frame), primers=primers))


ORIGINALS: dict[str, bytes] = {
    "nothing": b"",
    "one byte": b"x",
    "one zero": b"\0",
    "two bytes": b"\xff\x00",
    "log lines": log_lines(600),
    "zeros": bytes(100_000),
    "all bytes": bytes(range(256)) * 40,
    "noise": random.Random(1).randbytes(50_000),
    "noise then zeros": random.Random(2).randbytes(3000) + bytes(30_000),
    "its own magic": b"\x89LTH\x01LTH\n" * 500,
    "counters": b"".join(i.to_bytes(4, "little") for i in range(10_000)),
}


class CodecSuite:
    """Inherit, and name the codec. `several_chunks` are params that cut a few kilobytes into many chunks."""

    codec: ClassVar[type[Codec]]
    several_chunks: ClassVar[Params | None] = None
    originals: ClassVar[dict[str, bytes]] = ORIGINALS

    @pytest.fixture(params=EFFORTS)
    def effort(self, request: pytest.FixtureRequest) -> Effort:
        found: Effort = request.param
        return found

    @pytest.fixture(params=ORIGINALS)
    def original(self, request: pytest.FixtureRequest) -> bytes:
        return self.originals[request.param]

    def bound(self, effort: Effort, original: bytes) -> Codec:
        return self.codec(self.codec.params_for(effort, len(original)))

    # --- facts ---------------------------------------------------------------------------------------------

    def test_its_facts_are_what_the_registry_says(self) -> None:
        facts = self.codec.facts

        assert self.codec is codec_class(facts.format.id)
        assert self.codec is by_id(facts.id)
        assert re.fullmatch(r"[a-z]+\.[a-z0-9-]+", facts.id)
        assert facts.contracts
        assert facts.contracts <= METRICS.keys()
        assert facts.format.major >= 1

    def test_its_params_survive_json_and_their_repr_builds_them_again(self, effort: Effort) -> None:
        params = self.codec.params_for(effort, 1_000_000)

        assert params == type(params).from_json(params.to_json())
        assert params == eval(repr(params), {type(params).__name__: type(params)})  # its own repr, of its own type
        assert type(params) is self.codec.params_type

    def test_params_that_mean_nothing_are_corrupt(self) -> None:
        for wrong in (b"{", b"[]", b'{"no_such_setting":1}', b"\xff", b"1", b'"x"', b"[" * 50_000):
            with pytest.raises(BadBytes):
                self.codec.params_type.from_json(wrong)

    def test_params_of_a_wrong_type_are_corrupt(self) -> None:
        for field in fields(self.codec.params_type):
            with pytest.raises(Corrupt):
                self.codec.params_type.from_json(b'{"%s":[]}' % field.name.encode())

    # --- round trips ---------------------------------------------------------------------------------------

    def test_the_original_comes_back(self, effort: Effort, original: bytes) -> None:
        assert original == unframed(framed(self.bound(effort, original), original))

    def test_many_chunks_come_back_whole_and_in_ranges(self) -> None:
        if self.several_chunks is None:
            pytest.skip("this codec does not cut")
        original = log_lines(200)
        frame = framed(self.codec(self.several_chunks), original)

        assert len(read_frame(BytesIO(frame)).chunks) > 3
        assert original == unframed(frame)
        for start, end in ((0, 1), (1, 1), (999, 1001), (5000, 9000), (len(original) - 1, len(original))):
            assert original[start:end] == b"".join(decode_frame(BytesIO(frame), start=start, end=end))

    def test_the_same_bytes_give_the_same_frame(self, effort: Effort) -> None:
        original = self.originals["log lines"]

        assert framed(self.bound(effort, original), original) == framed(self.bound(effort, original), original)

    def test_a_frame_decodes_with_what_it_says_of_itself(self, effort: Effort) -> None:
        original = self.originals["log lines"]
        file = BytesIO(framed(self.bound(effort, original), original))
        frame = read_frame(file)
        digest = hashlib.sha256()
        for piece in decode_frame(file, frame=frame):
            digest.update(piece)

        assert digest.digest() == frame.decoded_digest
        assert all(isinstance(codec_for(entry.format, entry.params), self.codec) for entry in frame.formats)

    def test_one_instance_serves_many_threads(self) -> None:
        originals = [log_lines(300 + i) for i in range(8)]
        codec = self.bound("fast", originals[0])
        with ThreadPoolExecutor(4) as pool:
            frames = list(pool.map(lambda original: framed(codec, original), originals))
            assert originals == list(pool.map(unframed, frames))

    # --- wrong bytes ---------------------------------------------------------------------------------------

    def payload(self, original: bytes) -> tuple[bytes, bytes, int]:
        """One chunk as it is stored: payload, shared block, decoded length."""
        file = BytesIO(framed(self.bound("default", original), original))
        frame = read_frame(file)
        chunk = frame.chunks[0]
        entry = frame.formats[chunk.format_index]
        stored = file.getvalue()
        shared = stored[entry.shared_offset : entry.shared_offset + entry.shared_length]
        return stored[chunk.offset : chunk.offset + chunk.stored_length], shared, chunk.length

    def test_a_wrong_length_is_refused(self) -> None:
        payload, shared, length = self.payload(self.originals["log lines"])
        for wrong in (1, length - 1, length + 1, 2 * length, limits.CHUNK_BYTES_MAX):
            with pytest.raises(BadBytes):
                self.decode_checked(payload, shared, wrong, expected=self.originals["log lines"])

    def test_every_cut_and_every_changed_byte_is_refused_or_harmless(self) -> None:
        payload, shared, length = self.payload(log_lines(12))
        wrong = [payload[:cut] for cut in range(len(payload))]
        wrong += [payload[:at] + bytes([payload[at] ^ 0xA5]) + payload[at + 1 :] for at in range(len(payload))]
        wrong += [payload + b"\0", payload + payload, b"\xff" * 40, bytes(40)]
        for data in wrong:
            try:
                decoded = self.codec().decode(data, shared=shared, length=length)
            except BadBytes:
                continue
            assert length == len(decoded), "a codec may not see that bytes changed; the frame's checksum does"

    def test_of_wrong_bytes_what_is_inside_is_refused_or_harmless(self) -> None:
        if self.codec.contents is Codec.contents:
            pytest.skip("this codec finds nothing inside")
        payload, shared, length = self.payload(log_lines(12))
        wrong = [payload[:cut] for cut in range(len(payload))]
        wrong += [payload[:at] + bytes([payload[at] ^ 0xA5]) + payload[at + 1 :] for at in range(len(payload))]
        for data in wrong:
            try:
                rows = self.codec().contents(data, shared=shared, length=length)
            except BadBytes:
                continue
            assert all(row.stored_bytes <= len(data) for row in rows)

    def test_a_shared_block_of_noise_is_refused_or_harmless(self) -> None:
        payload, _, length = self.payload(log_lines(12))
        for shared in (b"x", random.Random(3).randbytes(5000), b"\x37\xa4\x30\xec" + bytes(500)):
            try:
                assert length == len(self.codec().decode(payload, shared=shared, length=length))
            except BadBytes:
                continue

    def decode_checked(self, payload: bytes, shared: bytes, length: int, *, expected: bytes) -> None:
        """Decode as a frame does: a result that is not the expected bytes is corrupt."""
        if self.codec().decode(payload, shared=shared, length=length) != expected:
            raise Corrupt("not the bytes that were encoded")

    # --- probing -------------------------------------------------------------------------------------------

    def test_a_probe_never_raises_and_says_something_sane(self, effort: Effort, original: bytes) -> None:
        estimate = self.codec.probe(original[: limits.PROBE_BYTES], len(original), effort)
        if estimate is None:
            return
        assert 0 < estimate.ratio < 100_000
        assert estimate.encode_bytes_per_second > 0
        assert estimate.decode_bytes_per_second > 0
        assert 0 < estimate.peak_memory_bytes < limits.CHILD_MEMORY_BYTES
        assert 0 <= estimate.confidence <= 1

    def test_a_probe_of_the_beginning_of_something_huge_fits_a_child(self, effort: Effort) -> None:
        estimate = self.codec.probe(log_lines(5000)[: limits.PROBE_BYTES], limits.ORIGINAL_BYTES_MAX, effort)

        assert estimate is None or estimate.peak_memory_bytes < limits.CHILD_MEMORY_BYTES


def suite_classes(root: type[CodecSuite] = CodecSuite) -> list[type[CodecSuite]]:
    """Every class that inherits the suite and names a codec."""
    below = [found for child in root.__subclasses__() for found in suite_classes(child)]
    return below + ([root] if hasattr(root, "codec") else [])
