"""GIFs: every byte of the file again, whoever packed its images, and whatever is in it."""

import random
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lithify.codecs.media import general
from lithify.codecs.media.fields import piece, varint
from lithify.codecs.media.gif import Gif, smallest_gif
from lithify.codecs.media.gif_canvas import Canvas
from lithify.codecs.media.gif_layout import images
from lithify.codecs.media.gif_recipe import recipe_of
from lithify.codecs.media.lzw import Choices, learn, pack, unpack
from lithify.codecs.media.names_model import NamesCoder
from lithify.codecs.media.whole_file import EffortParams
from lithify.errors import BadBytes
from tests.examples import examples
from tests.unit.codecs.media.gifs import GIFS, OWN, Frame, gif, lzw

EXAMPLES = examples(60, "MEDIA_EXAMPLES")
OPENED = 0x10


def round_trip(data: bytes, effort: str = "default") -> bytes:
    payload = Gif(EffortParams(effort)).encode_file(data)
    assert data == Gif().decode(payload, shared=b"", length=len(data))
    return payload


# --- files --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("effort", ["fast", "default"])
@pytest.mark.parametrize("number", range(len(GIFS)))
def test_files_become_smaller_and_come_back(number: int, effort: str) -> None:
    payload = round_trip(GIFS[number], effort)
    assert OPENED == payload[0]
    assert len(payload) < len(GIFS[number])


def test_the_smallest_one_is_taken_apart() -> None:
    data = smallest_gif()
    assert all(recipe_of(data, image, 99) for image in images(data))
    round_trip(data)


FRAMES = st.builds(
    Frame,
    width=st.integers(1, 40),
    height=st.integers(1, 20),
    depth=st.integers(2, 8),
    left=st.integers(0, 9),
    top=st.integers(0, 9),
    palette=st.sampled_from([b"", OWN, bytes(6)]),
    interlaced=st.booleans(),
    transparent=st.integers(-1, 3),
    disposal=st.integers(0, 4),
    clear_behind=st.sampled_from([0, 1, 7, 100]),
    ended=st.booleans(),
    lazy=st.booleans(),
    block=st.sampled_from([255, 254, 1]),
    tail=st.sampled_from([b"", b"\0", b"\xff\x80"]),
    seed=st.integers(0, 99),
)


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.lists(FRAMES, min_size=1, max_size=3), st.sampled_from([b"", bytes(range(48)), bytes(12)]))
def test_every_sort_of_gif_comes_back(frames: list[Frame], palette: bytes) -> None:
    data = gif(frames, palette)
    taken = [recipe_of(data, image, 1 << 20) is not None for image in images(data)]

    assert len(frames) == len(taken)
    assert all(one or frame.lazy for one, frame in zip(taken, frames, strict=True)), (
        "only short phrases may be too many"
    )
    round_trip(data)


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.integers(0, len(GIFS) - 1), st.integers(0, 2000), st.binary(min_size=1, max_size=3))
def test_a_damaged_one_comes_back_all_the_same(number: int, place: int, wrong: bytes) -> None:
    data = GIFS[number]
    at = place % len(data)
    round_trip(data[:at] + wrong + data[at + len(wrong) :], "fast")
    round_trip(data[: at + 1], "fast")


def test_an_animation_costs_little_where_nothing_moves() -> None:
    still = gif([Frame(64, 48, depth=4, seed=2)])
    data = gif([Frame(64, 48, depth=4, seed=2) for _ in range(10)])
    assert len(round_trip(data)) < 1.3 * len(round_trip(still))


def test_ours_and_pillows_agree_on_what_there_is_to_see(tmp_path: object) -> None:
    pytest.importorskip("PIL", reason="Pillow writes the file")
    from io import BytesIO

    from PIL import Image

    chance = random.Random(3)
    picture = Image.new("P", (61, 47))
    picture.putpalette(bytes(chance.randrange(256) for _ in range(768)))
    names = [chance.randrange(9) if chance.random() < 0.2 else x // 9 for _ in range(47) for x in range(61)]
    picture.putdata(names)
    picture.save(out := BytesIO(), "GIF", optimize=False)
    data = out.getvalue()

    found = [recipe_of(data, image, 1 << 20) for image in images(data)]
    assert found[0] is not None
    assert names == found[0][0].tolist() or len(set(names)) == len(set(found[0][0].tolist()))
    assert len(round_trip(data)) < len(data)


def test_what_is_no_gif_has_no_estimate() -> None:
    assert Gif.probe(b"GIF8 sand and rock", 18, "default") is None
    assert Gif.probe(GIFS[0], len(GIFS[0]), "default") is not None
    assert not Gif.may_suit(b"rock", 4)


# --- LZW ----------------------------------------------------------------------------------------------


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.binary(max_size=300), st.integers(2, 8), st.integers(0, 50))
def test_any_bytes_unpack_to_what_packs_to_them_or_to_nothing(data: bytes, depth: int, most: int) -> None:
    stream = unpack(data, depth, 40 * most)
    if stream is None:
        return
    assert len(stream.pixels) <= 40 * most
    learnt = learn(stream, depth)
    if learnt is not None:
        choices, packed, bits = learnt
        assert (packed, bits) == pack(stream.pixels, depth, choices, len(data))


def test_full_tables_that_are_not_cleared_are_used_on() -> None:
    chance = np.random.default_rng(1)
    pixels = chance.integers(0, 200, 30_000).astype(np.uint8)
    packed, _ = pack(pixels, 8, Choices([0], [], ended=True), 60_000)

    stream = unpack(packed, 8, 30_000)

    assert stream is not None
    assert pixels.tolist() == stream.pixels.tolist()


def test_the_codes_are_those_of_the_specification() -> None:
    frame = Frame(300, 200, depth=7, seed=5)
    stream = unpack(lzw(frame), 7, 60_000)

    assert stream is not None
    assert frame.pixels() == stream.pixels.tolist()
    assert stream.ended


def test_no_more_pixels_are_unpacked_than_were_asked_for() -> None:
    frame = Frame(20, 20)
    assert unpack(lzw(frame), 4, 399) is None
    stream = unpack(lzw(Frame(names=[*frame.pixels(), 1, 2, 3])), 4, 400)
    assert stream is None or len(stream.pixels) == 400


def test_phrases_that_are_told_to_be_short_do_not_look_for_the_longest() -> None:
    growing, short = 3838, 100_000
    pixels = np.zeros(growing * (growing + 1) // 2 + short, np.uint8)
    choices = Choices([0], [growing, 1, *[0, 1] * (short - 1)], ended=True)

    started = time.process_time()
    packed, _ = pack(pixels, 8, choices, 2 * (growing + short))

    assert time.process_time() - started < 1  # 5 s, if each looks through a phrase of thousands
    stream = unpack(packed, 8, len(pixels))
    assert stream is not None
    assert stream.phrases.tolist() == [0, *range(1, growing + 1), *[1] * short]


@pytest.mark.parametrize("cleared", [300, 5000])
def test_phrases_are_the_longest_whatever_follows_one(cleared: int) -> None:
    chance = np.random.default_rng(2)
    follows = np.stack([np.zeros(512), np.tile(np.arange(256), 2)], axis=1).ravel()
    pixels = np.concatenate([follows, chance.integers(0, 2, 3000), follows]).astype(np.uint8)

    stream = unpack(pack(pixels, 8, Choices([0, cleared], [], ended=True), 9000)[0], 8, len(pixels))

    assert stream is not None
    assert pixels.tolist() == stream.pixels.tolist()
    assert stream.phrases.tolist() == longest_phrases(pixels.tobytes(), cleared)


def longest_phrases(data: bytes, cleared: int) -> list[int]:
    """Their lengths, 0 for a clearing: one at the start, one behind so many phrases."""
    lengths, known, at = [0], {bytes([n]) for n in range(256)}, 0
    while at < len(data):
        run = 1
        while at + run < len(data) and data[at : at + run + 1] in known:
            run += 1
        known.add(data[at : at + run + 1])
        lengths.append(run)
        at += run
        if len(lengths) == cleared + 1:
            lengths.append(0)
            known = {bytes([n]) for n in range(256)}
    return lengths


# --- names --------------------------------------------------------------------------------------------


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.integers(1, 30), st.integers(1, 12), st.integers(2, 8), st.integers(0, 1 << 30))
def test_pictures_of_names_come_back(width: int, height: int, depth: int, seed: int) -> None:
    chance = np.random.default_rng(seed)
    most = 1 << depth >> seed % 3
    pictures = [chance.integers(0, max(most, 1), (height, width)).astype(np.uint8) for _ in range(3)]
    before = [np.zeros_like(pictures[0]), *pictures]
    writer = NamesCoder(3 * width * height)
    for picture, last in zip(pictures, before, strict=False):
        writer.code(picture, last, depth)

    reader, found = NamesCoder(3 * width * height, writer.written()), np.zeros_like(pictures[0])
    for picture in pictures:
        again = np.empty_like(picture)
        reader.code(again, found, depth)
        assert np.array_equal(picture, again)
        found = again


def test_a_canvas_that_its_images_do_not_explain_is_none() -> None:
    image = next(images(gif([Frame(2, 2, left=60_000, top=60_000)])))
    assert not Canvas.holds([image])
    assert Canvas.holds([next(images(GIFS[0]))])


# --- what is refused ----------------------------------------------------------------------------------


def parts(recipes: bytes, rest: bytes = GIFS[0], stream: bytes = b"") -> bytes:
    """A payload of these."""
    packed = [varint(len(one)) + piece(general.pack(one, "fast")) for one in (rest, recipes)]
    return bytes([OPENED]) + b"".join(packed) + stream


@pytest.mark.parametrize(
    "payload",
    [
        b"\x0f\x00",
        b"\x11",
        parts(b""),
        parts(b"\x00"),
        parts(b"\x02\x00"),
        parts(b"\x20\x00"),
        parts(b"\x01\xff\xff\xff\x7f"),
        parts(b"\x01\x01\x05\xff\xff\xff\xff\x7f"),
        parts(b"\x05\x00\x01\x00\x00"),
        parts(b"\x09\x00\x02\x00\x01"),
        parts(b"\x01\x00\x01\x00", gif([Frame(2, 2, left=60_000, top=60_000)])),
        parts(b"\x01\x00" * 2, b"GIF89a" + bytes(7) + (b"," + bytes(4) + b"\xff" * 4 + b"\0\x08") * 2),
        parts(b"\x01\x00", b"GIF89a" + bytes(7) + b"," + bytes(4) + b"\1\0\1\0\0\x0c"),
    ],
)
def test_what_no_writer_makes_is_refused(payload: bytes) -> None:
    with pytest.raises(BadBytes):
        Gif().decode(payload, shared=b"", length=len(GIFS[0]))


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.integers(0, len(GIFS) - 1), st.integers(0, 2000), st.binary(min_size=1, max_size=4))
def test_a_damaged_payload_is_refused_or_decodes_to_its_length(number: int, place: int, wrong: bytes) -> None:
    payload = Gif().encode_file(GIFS[number])
    at = place % len(payload)
    for damaged in (payload[:at] + wrong + payload[at + len(wrong) :], payload[:at]):
        try:
            found = Gif().decode(damaged, shared=b"", length=len(GIFS[number]))
        except BadBytes:
            continue
        assert len(GIFS[number]) == len(found)
