"""Films made anew under looser contracts: what is kept of them, what is measured, and what is refused in a sentence."""

import json
import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lithify import limits
from lithify.codecs.fidelity import CONTENT, Contract
from lithify.codecs.in_memory import MemorySource
from lithify.codecs.media import film_floor
from lithify.codecs.media.ffmpeg import program
from lithify.codecs.media.ffmpeg.demuxers import demuxer_of
from lithify.codecs.media.ffmpeg.listing import listing
from lithify.codecs.media.ffmpeg.memory import Memory
from lithify.codecs.media.ffmpeg.program import Bounds, run, source, target
from lithify.codecs.media.ffmpeg.quality import PSNR, SSIM, VMAF, measure
from lithify.codecs.media.film import look
from lithify.codecs.media.film_content import film_of_same_content
from lithify.codecs.media.film_floor import film_at_floor, highest_sufficing
from lithify.codecs.media.film_kept import refuse_changed
from lithify.codecs.media.film_made import Maker, Setting
from lithify.codecs.media.video import MovingPictures, VideoParams
from lithify.codecs.signs import heard_by
from lithify.errors import Corrupt, FidelityBroken, LimitExceeded, TimedOut
from lithify.workers.archive import Archive
from lithify.workers.loop import Worker
from tests.examples import examples
from tests.unit.codecs.media.clips import y4m
from tests.unit.codecs.media.films import TITLE, film

LOSSLESS = (("level", "3"),)
FLOOR = Contract.parse("floor:ssim=0.9")


WITHOUT_LOSS = {
    "FFV1": lambda: film("ffv1", "matroska", options=LOSSLESS),
    "FFV1 of ten bits": lambda: film("ffv1", "matroska", pixel_format="yuv422p10le", options=LOSSLESS),
    "HuffYUV of colours": lambda: film("huffyuv", "avi", pixel_format="bgra", options=(), sound=None),
}


# --- what a film is -----------------------------------------------------------------------------------


def test_a_film_says_what_it_is() -> None:
    found = look(film())

    assert ("mov", "h264", 96, 64, "yuv420p") == (found.demuxer, *found.pictures[:4])
    assert ["video", "audio"] == found.kinds
    assert TITLE == found.tags["title"]


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"#EXTM3U\nsecret.ts\n", "no film"),
        (b"", "no film"),
        (film()[:40], "film"),
        (film(pictures=2), "2 streams of pictures"),
    ],
)
def test_what_is_no_film_with_one_stream_of_pictures_is_refused_in_a_sentence(data: bytes, why: str) -> None:
    with pytest.raises((FidelityBroken, Corrupt), match=why):
        look(data)


def test_the_demuxer_is_chosen_by_our_own_look_and_is_never_one_for_lists() -> None:
    assert "matroska" == demuxer_of(WITHOUT_LOSS["FFV1"]()[:2000])
    assert "yuv4mpegpipe" == demuxer_of(y4m())
    for listed in (b"#EXTM3U\n", b"ffconcat version 1.0\n", b"<?xml version='1.0'?><MPD/>", b"v=0\no=- 0 0 IN IP4\n"):
        assert demuxer_of(listed.ljust(1000, b" ")) is None


# --- the program --------------------------------------------------------------------------------------


def test_a_run_that_takes_too_long_is_ended() -> None:
    started = time.monotonic()
    with Memory(y4m(200, 128, 128)) as file, Memory() as out:
        slow = target([source(file)], out, "matroska", **{"c:v": "libx264", "preset": "placebo"})
        with pytest.raises(TimedOut):
            run(slow, [file, out], Bounds(wall_seconds=0.05))
    assert time.monotonic() - started < limits.CHILD_GRACE_SECONDS + 5


def test_a_run_that_writes_too_much_is_ended() -> None:
    with Memory(y4m(40, 128, 128)) as file, Memory() as out:
        with pytest.raises(LimitExceeded):
            run(target([source(file)], out, "rawvideo"), [file, out], Bounds(output_bytes=100_000))
        assert out.length <= 100_000


def test_a_run_tells_how_many_frames_are_done() -> None:
    told: list[int] = []
    with Memory(y4m(30)) as file, Memory() as out:
        run(target([source(file)], out, "rawvideo"), [file, out], on_frames=told.append)

    assert 30 == told[-1]


def test_a_run_is_ended_by_whoever_is_told() -> None:
    def stop(frames: int) -> None:
        raise KeyboardInterrupt

    with Memory(y4m(30)) as file, Memory() as out, pytest.raises(KeyboardInterrupt):
        run(target([source(file)], out, "rawvideo"), [file, out], on_frames=stop)


def test_what_the_program_complains_about_is_told() -> None:
    with Memory(film()[:3000]) as file, Memory() as out, pytest.raises(Corrupt, match="ffmpeg ended with exit code"):
        run(target([source(file)], out, "matroska"), [file, out])


def test_an_input_is_given_once_and_cannot_be_written() -> None:
    with Memory(b"sealed") as file, pytest.raises(PermissionError):
        os.write(file.fd, b"!")


def test_the_program_is_the_one_of_the_wheel() -> None:
    assert "ffmpeg" in program.program()
    assert program.version() != "unknown"


# --- measuring ----------------------------------------------------------------------------------------


def test_a_film_is_as_like_itself_as_can_be() -> None:
    found = measure(film(), film(), [PSNR, SSIM, VMAF])

    assert (100.0, 1.0) == (found[PSNR].mean, found[SSIM].mean)
    assert found[VMAF].mean > 95
    assert {24} == {quality.pictures for quality in found.values()}


def test_a_worse_film_measures_worse_by_every_metric() -> None:
    original = film()
    found = [measure(original, Maker.of(original).made(_h264(crf)), [PSNR, SSIM, VMAF]) for crf in (15, 40)]
    for metric in (PSNR, SSIM, VMAF):
        good, bad = (one[metric] for one in found)
        assert good.mean > bad.mean
        assert bad.low <= bad.mean


def _h264(crf: int) -> Setting:
    return Setting("libx264", {"preset": "veryfast"}).at(crf)


def test_psnr_is_that_of_the_mean_error() -> None:
    black, grey = (
        b"YUV4MPEG2 W16 H16 F25:1 Cmono\n" + b"".join(b"FRAME\n" + bytes([value]) * 256 for value in values)
        for values in ((100, 100), (100, 110))
    )
    found = measure(black, grey, [PSNR])[PSNR]

    assert 31.141 == found.mean  # 10 log10(255^2 / 50)
    assert 28.13 == found.low  # 10 log10(255^2 / 100)


# --- what is kept -------------------------------------------------------------------------------------


def test_a_film_made_anew_keeps_its_sound_its_title_and_its_clock() -> None:
    original = film()
    made = Maker.of(original).made(_h264(30))

    assert len(made) < len(original)
    assert 24 == refuse_changed(original, made, same_pictures=False)
    before, after = listing(original)[1], listing(made)[1]
    assert [packet.digest for packet in before.packets] == [packet.digest for packet in after.packets]


@pytest.mark.parametrize(
    "other",
    [
        lambda: film(frames=23),
        lambda: film(sound=None),
        lambda: film(width=98),
        lambda: film(pixel_format="yuv444p"),
        lambda: film(sound="mp3"),
    ],
)
def test_another_film_is_not_taken_for_the_same(other: Callable[[], bytes]) -> None:
    with pytest.raises(FidelityBroken):
        refuse_changed(film(), other(), same_pictures=False)


def test_other_pictures_are_not_taken_for_the_same() -> None:
    with pytest.raises(FidelityBroken, match="came back as another"):
        refuse_changed(film(), Maker.of(film()).made(_h264(30)), same_pictures=True)


# --- content ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", WITHOUT_LOSS)
def test_pictures_without_loss_come_back_the_same_in_less(name: str) -> None:
    original = WITHOUT_LOSS[name]()
    made = film_of_same_content(original, "fast")

    assert len(made) < len(original)
    assert 24 == refuse_changed(original, made, same_pictures=True)
    assert {"pictures": 24, "codec": look(made).pictures.codec, "pictures_equal": True} == MovingPictures.measure(
        original, made, CONTENT
    )


def test_pictures_that_lost_what_they_could_are_left_with_a_sentence() -> None:
    with pytest.raises(FidelityBroken, match="its pictures are h264, which lost what it could"):
        film_of_same_content(film(), "fast")


# --- floors -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("contract", ["floor:ssim=0.9", "floor:psnr=30", "floor:vmaf=60"])
def test_the_film_that_comes_back_measures_what_was_promised(contract: str) -> None:
    promised, original = Contract.parse(contract), film()
    made = film_at_floor(original, promised, "fast", lambda part: None)
    figures = MovingPictures.measure(original, made, promised)

    assert len(made) < len(original)
    assert figures[str(promised.metric)] >= (promised.value or 0)
    assert 24 == figures["pictures"]
    assert figures[f"{promised.metric}_low_1_percent"] <= figures[str(promised.metric)]


def test_a_film_below_its_floor_is_refused_by_whoever_measures_it() -> None:
    bad = Maker.of(film()).made(_h264(45))
    with pytest.raises(FidelityBroken, match=r"at least 0\.99 was promised"):
        MovingPictures.measure(film(), bad, Contract.parse("floor:ssim=0.99"))


def test_a_floor_that_nothing_reaches_in_less_is_refused_with_a_sentence() -> None:
    with pytest.raises(FidelityBroken, match="in fewer bytes than there are"):
        film_at_floor(film(options=(("crf", "40"),)), Contract.parse("floor:psnr=90"), "fast", lambda part: None)


def test_a_long_film_is_judged_by_a_sample_and_then_measured_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(film_floor, "_WHOLE_SECONDS", 1.0)
    monkeypatch.setattr(film_floor, "_SAMPLE_SECONDS", 0.6)
    original = film(frames=50, options=(("crf", "8"), ("g", "5")))
    made = film_at_floor(original, FLOOR, "fast", lambda part: None)

    assert 50 == MovingPictures.measure(original, made, FLOOR)["pictures"]


@settings(max_examples=examples(200), deadline=None)
@given(st.integers(0, 100), st.integers(1, 63), st.integers(1, 20), st.integers(6, 9))
def test_the_search_finds_the_last_number_that_suffices(place: int, first: int, step: int, probes: int) -> None:
    asked: list[int] = []

    def value(at: int) -> float:
        asked.append(at)
        return 100.0 if at <= place else 0.0

    found = highest_sufficing(value, 50.0, range(1, 64), (first, step), 64)
    assert (min(place, 63) or None) == found
    assert len(asked) == len(set(asked))
    few = highest_sufficing(value, 50.0, range(1, 64), (first, step), probes)
    assert few is None or few <= place


# --- the codec ----------------------------------------------------------------------------------------


def test_a_film_put_under_a_floor_comes_back_as_one_that_plays(tmp_path: Path) -> None:
    original = film(frames=70, height=240, width=320, options=(("crf", "1"),))  # larger than what is kept in batches
    with Archive(tmp_path / "archive") as archive:
        archive.put("films", "a.mp4", [original], contract=str(FLOOR))
        Worker(archive).run(until_idle=True)
        view = archive.stat("films", "a.mp4")
        with archive.get("films", "a.mp4") as content:
            back = b"".join(content)
        measured = view.encodings[-1].measured

    assert ("media.video", str(FLOOR)) == (view.codec, view.fidelity)
    assert len(back) < len(original)
    assert "av1" == look(back).pictures.codec
    assert measured is not None
    assert measured["ssim"] >= 0.9
    assert {"ssim_low_1_percent", "ffmpeg", "pictures"} <= measured.keys()


class Joined:
    """A sink that joins what chunks decode to."""

    def __init__(self) -> None:
        self.out = b""

    def share(self, data: bytes) -> None:
        raise AssertionError

    def chunk(self, payload: object, decoded: bytes) -> None:
        self.out += decoded


def test_the_codec_gives_the_new_film_in_chunks_and_tells_how_far_it_is() -> None:
    original, sink, told = film(), Joined(), list[int]()
    params = MovingPictures.params_keeping(VideoParams("fast"), FLOOR)
    with heard_by(told.append):
        MovingPictures(params).encode(MemorySource(original), sink)  # type: ignore[arg-type]

    assert "av1" == look(sink.out).pictures.codec
    assert told == sorted(told)
    assert 0 < told[-1] <= len(original)


def test_raw_video_comes_back_as_a_film_under_a_floor() -> None:
    clip, sink = y4m(20, 64, 96), Joined()
    params = replace(VideoParams("fast"), contract="floor:ssim=0.8")
    MovingPictures(params).encode(MemorySource(clip), sink)  # type: ignore[arg-type]

    assert ("mov", 64) == (look(sink.out).demuxer, look(sink.out).pictures.height)
    assert len(sink.out) < len(clip) // 4


def test_raw_video_that_cannot_keep_a_floor_is_kept_exactly() -> None:
    clip, sink = y4m(3, 35, 43), Joined()
    params = replace(VideoParams("fast"), contract="floor:psnr=99")
    MovingPictures(params).encode(MemorySource(clip), sink)  # type: ignore[arg-type]

    assert clip == sink.out


def test_params_name_their_contract() -> None:
    params = MovingPictures.params_keeping(VideoParams("max"), FLOOR)

    assert {"effort": "max", "contract": "floor:ssim=0.9"} == json.loads(params.to_json())
    with pytest.raises(Corrupt):
        VideoParams.from_json(b'{"contract":"best"}')
