"""Moving pictures that are not compressed: found in files of every format, kept by every coder, every byte again."""

from collections.abc import Iterator
from io import BytesIO

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lithify import limits
from lithify.codecs.codec import Buffer, Source
from lithify.codecs.frame import decode_frame, read_frame
from lithify.codecs.in_memory import MemorySource
from lithify.codecs.media import video_frames
from lithify.codecs.media.fields import Fields
from lithify.codecs.media.video import MovingPictures, VideoParams
from lithify.codecs.media.video_coders import (
    FFV1,
    H264,
    Coded,
    coders_for,
    decode_pictures,
    encode_pictures,
    form_of,
)
from lithify.codecs.media.video_frames import find_video, grouped
from lithify.codecs.media.video_payload import FRAMES, pack_stretch, unpack_stretch
from lithify.codecs.media.video_planes import Grid, Layout, Samples, in_words, planar, put_samples, take_samples
from lithify.errors import BadBytes, Corrupt
from tests.examples import examples
from tests.suites.codec_suite import framed, unframed
from tests.unit.codecs.media.clips import avi, drift, p010_avi, stretch_of, v210_avi, y4m

EXAMPLES = examples(40, "MEDIA_EXAMPLES")
FILES = {
    "420": y4m(),
    "422": y4m(chroma="422"),
    "444": y4m(chroma="444"),
    "411": y4m(chroma="411"),
    "mono": y4m(chroma="mono"),
    "ten bits": y4m(chroma="420", bits=10),
    "twelve bits": y4m(chroma="444", bits=12),
    "odd sides": y4m(height=35, width=43),
    "a line with parameters": y4m(line=b"FRAME Ip Xsomething\n"),
    "a tail": y4m() + b"FRAME\nshort",
    "bitmaps": avi(),
    "bitmaps of 32 bits": avi(bits=32),
    "grey bitmaps": avi(bits=8),
    "YUY2": avi(code=b"YUY2", bits=16),
    "UYVY": avi(code=b"UYVY", bits=16),
    "I420": avi(code=b"I420", bits=12, height=16, width=16),
    "Y42B": avi(code=b"Y42B", bits=16),
    "NV12": avi(code=b"NV12", bits=12, height=16, width=16),
    "P010": avi(code=b"P010", bits=24),
    "v210": v210_avi(),
}


# --- files --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FILES)
def test_the_frames_of_every_kind_of_file_are_found_and_come_back(name: str) -> None:
    data = FILES[name]
    payload = pack_stretch(data, stretch_of(data), "default", (H264, FFV1))

    assert FRAMES == payload[0]
    assert data == unpack_stretch(payload, len(data))


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.integers(1, 6), st.integers(2, 40), st.integers(2, 40), st.sampled_from(["420", "422", "444", "mono"]))
def test_frames_of_any_size_come_back(frames: int, height: int, width: int, chroma: str) -> None:
    data = y4m(frames, height, width, chroma)

    assert data == unframed(framed(MovingPictures(VideoParams("fast")), data))


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.binary(max_size=300), st.binary(max_size=40))
def test_whatever_follows_the_head_of_a_clip_comes_back(noise: bytes, between: bytes) -> None:
    clip = y4m(2, 16, 16)
    for data in (clip + noise, clip[:50] + noise + clip[50:], clip.replace(b"FRAME", b"FRAME" + between)):
        assert data == unframed(framed(MovingPictures(VideoParams("fast")), data))


def test_a_clip_is_smaller_by_what_its_frames_have_in_common() -> None:
    clip, alone = (framed(MovingPictures(), y4m(frames, 64, 80, "mono")) for frames in (24, 1))

    assert len(clip) < 0.5 * 24 * len(alone)


def test_frames_are_chunks_of_their_own_so_that_a_range_decodes_few() -> None:
    data = y4m(70, 160, 160)
    frame = framed(MovingPictures(VideoParams("fast")), data)

    assert [32, 32, 6] == [chunk.length // 38_406 for chunk in read_frame(BytesIO(frame)).chunks]
    assert data[2_000_000:2_000_500] == b"".join(decode_frame(BytesIO(frame), start=2_000_000, end=2_000_500))


def test_small_frames_are_kept_many_together() -> None:
    frame = framed(MovingPictures(VideoParams("fast")), y4m(500, 16, 16))

    assert 1 == len(read_frame(BytesIO(frame)).chunks)


def test_a_stretch_never_has_more_bytes_than_a_chunk_may(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "CHUNK_BYTES_MAX", 3000)
    data = y4m(20, 16, 16) + bytes(5000)
    video = find_video(MemorySource(data))
    assert video is not None
    groups = list(grouped(video, len(data), 48))

    assert all(group.end - group.start <= 3000 for group in groups[:-1])
    assert [group.start for group in groups[1:]] == [group.end for group in groups[:-1]]
    assert (0, len(data)) == (groups[0].start, groups[-1].end)
    assert 20 == sum(len(group.frames) for group in groups)


class Counting:
    """A source that counts what is read of it at once."""

    def __init__(self, data: bytes) -> None:
        self.data, self.length, self.most = data, len(data), 0

    def read(self, offset: int, length: int) -> bytes:
        self.most = max(self.most, length)
        return self.data[offset : offset + length]


def test_a_long_clip_is_read_stretch_by_stretch() -> None:
    source: Source = Counting(y4m(100, 160, 160))
    chunks: list[int] = []

    class Sink:
        def share(self, data: bytes) -> None:
            raise AssertionError

        def chunk(self, payload: Buffer, decoded: Buffer) -> None:
            chunks.append(len(decoded))

    MovingPictures(VideoParams("fast")).encode(source, Sink())
    assert sum(chunks) == source.length
    assert max(chunks) < 33 * 38_406
    assert isinstance(source, Counting)
    assert source.most <= max(video_frames._HEAD_BYTES, 33 * 38_406)


# --- planes -------------------------------------------------------------------------------------------


def test_samples_that_are_woven_together_are_taken_apart_and_put_back() -> None:
    for layout in (
        Layout(24, 1, (Grid(0, 3, 4, 2, 8), Grid(1, 3, 2, 4, 8), Grid(3, 3, 2, 4, 8))),
        Layout(36, 1, tuple(Grid(24 + place, 3, 4, 3, -12) for place in (1, 0, 2)), coloured=True),
        planar([(3, 4), (2, 2), (2, 2)], 2),
    ):
        assert layout.is_sound()
        frames = np.random.default_rng(4).integers(0, 256, (5, layout.length)).astype(np.uint8)
        out = np.where(layout.covered(), 0, frames).astype(np.uint8)
        put_samples(take_samples(frames, layout), out, layout)
        assert np.array_equal(frames, out)


@pytest.mark.parametrize(
    "layout",
    [
        Layout(16, 1, ()),
        Layout(16, 1, (Grid(0, 4, 4, 1, 4), Grid(0, 4, 4, 1, 4))),
        Layout(16, 1, (Grid(1, 4, 4, 1, 4),)),
        Layout(16, 1, (Grid(0, 4, 4, 1, -4),)),
        Layout(16, 2, (Grid(0, 4, 2, 1, 4),)),
        Layout(24, 1, (Grid(0, 4, 4, 1, 4), Grid(14, 2, 2, 1, 2), Grid(20, 2, 2, 1, 2))),
        Layout(16, 1, (Grid(0, 4, 4, 1, 3),)),
        Layout(limits.CHUNK_BYTES_MAX + 1, 1, (Grid(0, 4, 4, 1, 4),)),
        Layout(12, 1, (Grid(0, 2, 2, 1, 2), Grid(4, 2, 2, 1, 2), Grid(8, 2, 1, 1, 2)), coloured=True),
    ],
)
def test_planes_that_overlap_or_leave_their_frame_are_unsound(layout: Layout) -> None:
    assert not layout.is_sound()


def test_words_of_three_samples_are_taken_apart_as_v210_says() -> None:
    layout = in_words(1, 6)
    samples = np.arange(1, 13, dtype=np.uint32) * 80
    words = samples[0::3] | samples[1::3] << 10 | samples[2::3] << 20
    frames = words.astype("<u4").view(np.uint8).reshape(1, 16)
    luma, blue, red = take_samples(frames, layout)

    assert [80 * number for number in (2, 4, 6, 8, 10, 12)] == luma.ravel().tolist()
    assert ([80, 400, 720], [240, 560, 880]) == (blue.ravel().tolist(), red.ravel().tolist())
    out = np.zeros_like(frames)
    put_samples([luma, blue, red], out, layout)
    assert np.array_equal(frames, out)


def test_words_with_more_than_three_samples_are_kept_all_the_same() -> None:
    data = bytearray(v210_avi())
    at = stretch_of(bytes(data)).starts[1]
    data[at + 3] |= 0x80
    payload = pack_stretch(bytes(data), stretch_of(bytes(data)), "default")

    assert FRAMES != payload[0]
    assert bytes(data) == unpack_stretch(payload, len(data))


def test_samples_whose_lowest_bits_are_all_zero_are_kept_without_these() -> None:
    data = p010_avi()
    payload = pack_stretch(data, stretch_of(data), "default", (H264,))

    assert (FRAMES, H264) == tuple(payload[:2])
    assert data == unpack_stretch(payload, len(data))


# --- coders -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("coder", [H264, FFV1])
@pytest.mark.parametrize("bits", [8, 10])
def test_each_coder_gives_every_sample_back(coder: int, bits: int) -> None:
    planes = [drift(6, 34, 46, most=(1 << bits) - 1)]
    form = form_of(planes)
    coded = encode_pictures(coder, planes, form, "default")

    assert bits == form.bits
    assert coded is not None
    assert np.array_equal(planes[0], decode_pictures(coder, coded, form, 6)[0])


def test_samples_of_noise_come_back_whoever_codes_them() -> None:
    for most in (255, 1023, 65_535):
        noise = np.random.default_rng(5).integers(0, most + 1, (3, 20, 24))
        planes: list[Samples] = [noise.astype(np.uint8) if most < 256 else noise.astype(np.uint16)]
        form = form_of(planes)
        for coder, bits in coders_for(form):
            assert encode_pictures(coder, planes, form._replace(bits=bits), "fast") is not None


def test_pictures_of_another_number_are_refused() -> None:
    planes = [drift(6, 16, 16)]
    form = form_of(planes)
    for coder in (H264, FFV1):
        coded = encode_pictures(coder, planes, form, "fast")
        assert coded is not None
        for count in (1, 5, 7):
            with pytest.raises(Corrupt):
                decode_pictures(coder, coded, form, count)


def test_pictures_larger_than_they_should_be_are_refused() -> None:
    large = [drift(2, 400, 400)]
    coded = encode_pictures(H264, large, form_of(large), "fast")
    assert coded is not None
    with pytest.raises(Corrupt):
        decode_pictures(H264, coded, form_of([drift(2, 16, 16)]), 2)


def test_a_picture_of_several_slices_is_refused() -> None:
    planes = [drift(2, 16, 16)]
    coded = encode_pictures(H264, planes, form_of(planes), "fast")
    assert coded is not None
    twice = b"\0\0\1".join([coded.pictures[0]] * 50)
    with pytest.raises(Corrupt):
        decode_pictures(H264, Coded(coded.head, [twice, coded.pictures[1]]), form_of(planes), 2)


# --- payloads -----------------------------------------------------------------------------------------


def wrong_payloads(payload: bytes) -> Iterator[bytes]:
    yield from (payload[:cut] for cut in range(1, len(payload), 7))
    for at in range(0, len(payload), 3):
        yield payload[:at] + bytes([payload[at] ^ 0x55]) + payload[at + 1 :]


@pytest.mark.parametrize("coder", [H264, FFV1])
def test_payloads_that_were_changed_are_refused_or_harmless(coder: int) -> None:
    data = y4m(3, 16, 18)
    for payload in wrong_payloads(pack_stretch(data, stretch_of(data), "fast", (coder,))):
        try:
            assert len(data) == len(unpack_stretch(payload, len(data)))
        except BadBytes:
            continue


def test_a_payload_says_what_the_document_says() -> None:
    data = y4m(3, 16, 18)
    fields = Fields(pack_stretch(data, stretch_of(data), "fast", (H264,)))

    assert [FRAMES, H264, 0x0C] == [fields.byte() for _ in range(3)]
    assert [3, 16, 18, 8, 9, 8, 9] == [fields.number(99, "a number") for _ in range(7)]
    assert [3, data.index(b"FRAME") + 6, 6, 8] == [fields.number(99, "a number") for _ in range(4)]
    head = fields.piece("the head")
    assert [0x67, 0x68] == [unit[0] & 0x7F for unit in head.split(b"\0\0\0\x01")[1:]]
