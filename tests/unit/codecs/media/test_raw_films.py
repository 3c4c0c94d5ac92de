"""Frames that QuickTime and Matroska keep as they are: all are found, and the file comes back to the byte."""

import random
from itertools import pairwise

import pytest

from lithify.codecs.in_memory import MemorySource
from lithify.codecs.media.matroska_frames import walk_matroska
from lithify.codecs.media.movie_frames import walk_movie
from lithify.codecs.media.video import MovingPictures, VideoParams
from lithify.codecs.media.video_frames import Video, find_video
from lithify.codecs.media.video_payload import FRAMES
from lithify.codecs.reasons import reasons_given
from tests.suites.codec_suite import framed, unframed
from tests.unit.codecs.media.films import film, raw_films

FORMS = [
    *(("mov", form) for form in ("rgb24", "bgr24", "argb", "bgra", "gray", "uyvy422", "yuyv422")),
    *(("matroska", form) for form in ("yuv420p", "uyvy422", "yuyv422", "gray", "nv12", "yuv422p")),
    *((container, form) for container in ("mov", "matroska") for form in ("yuv420p10le", "yuv422p10le")),
    ("mov", "v210"),
]


def raw(container: str, form: str, *, height: int = 30) -> bytes:
    """With sound between the frames, and width such that rows have an odd number of bytes where they may."""
    coder, form = ("v210", "yuv422p10le") if form == "v210" else ("rawvideo", form)
    return film(coder, container, frames=5, height=height, width=50, pixel_format=form, options=(), sound="pcm_s16le")


def found(data: bytes) -> Video | None:
    return find_video(MemorySource(data))


def whole(data: bytes) -> bytes:
    frame = framed(MovingPictures(VideoParams("fast")), data)
    assert data == unframed(frame)
    return frame


@pytest.mark.parametrize(("container", "form"), FORMS, ids=["-".join(one) for one in FORMS])
def test_every_frame_is_found_and_the_film_comes_back(container: str, form: str) -> None:
    data = raw(container, form, height=31 if form in {"rgb24", "gray"} else 30)
    video = found(data)
    assert video is not None
    starts = list(video.starts)
    assert 5 == len(starts)
    assert all(after - before >= video.layout.length for before, after in pairwise(starts))
    frame = whole(data)
    assert FRAMES in frame[:64]
    assert len(frame) < len(data)


@pytest.mark.parametrize(("container", "form"), [("mov", "rgb48be"), ("matroska", "rgb48le"), ("mov", "p010le")])
def test_frames_whose_samples_lie_in_unknown_ways_are_left_with_a_reason(container: str, form: str) -> None:
    data = raw(container, form)
    with reasons_given() as reasons:
        assert MovingPictures.probe(data, len(data), "fast") is None
    assert any("how their samples lie is not known here" in reason for reason in reasons)
    whole(data)


def test_a_sample_of_a_long_movie_shows_its_frames_though_its_tables_stand_at_the_end() -> None:
    data = raw("mov", "v210") + bytes(8)
    piece = len(data) // 4
    middle = (len(data) - piece) // 2
    sample = data[:piece] + data[middle : middle + piece] + data[-piece:]

    assert MovingPictures.probe(sample, len(data), "fast") is not None


def test_compressed_films_have_no_frames_to_find() -> None:
    for data in (
        film(),
        film("ffv1", "matroska", options=(("level", "3"),)),
        b"\0\0\0\x08ftyp",
        b"\x1a\x45\xdf\xa3\x80",
    ):
        assert found(data) is None


def test_films_that_were_changed_anywhere_come_back() -> None:
    chance = random.Random(7)
    for data in raw_films():
        for _ in range(60):
            changed = bytearray(data)
            for _ in range(chance.choice((1, 4))):
                changed[chance.randrange(min(len(data), 1500))] = chance.choice(
                    (0, 1, 0x7F, 0xFF, chance.randrange(256))
                )
                changed[-chance.randrange(1, 1500)] ^= 1 << chance.randrange(8)
            whole(bytes(changed))


def test_tables_that_lead_nowhere_and_elements_without_end_are_borne() -> None:
    for data in raw_films():
        for cut in range(0, len(data), 61):
            for walk in (walk_movie, walk_matroska):
                seen = walk(MemorySource(data[:cut]))
                assert seen is None or len(list(seen[1])) < 10
    endless = b"\x1a\x45\xdf\xa3\x80" + b"\x18\x53\x80\x67\x01" + b"\xff" * 7 + b"\x1f\x43\xb6\x75\x01" + b"\xff" * 7
    assert walk_matroska(MemorySource(endless * 200)) is None
    assert walk_movie(MemorySource(b"\0\0\0\x01moov" + b"\xff" * 400)) is None
    assert walk_movie(MemorySource(b"\0\0\0\x08free" * 20_000)) is None


def test_a_table_that_claims_more_frames_than_it_tells_is_not_believed() -> None:
    data = bytearray(raw_films()[0])
    sizes = data.index(b"stsz") + 8
    data[sizes : sizes + 8] = bytes(4) + b"\xff\xff\xff\xff"
    assert found(bytes(data)) is None
