"""Films made to hurt: lists that send players elsewhere, pictures without end, bytes changed anywhere.

Why: ffmpeg opens what files tell it to open, if it is let; whoever sends a film decides what it says of itself.
"""

import os
import random
import struct
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lithify import limits
from lithify.codecs.media.ffmpeg import program
from lithify.codecs.media.video_coders import H264, Coded, Form, decode_pictures
from lithify.errors import Corrupt
from lithify.workers.sandbox import Sandbox
from tests.hostile.boxed_codecs import encoded
from tests.hostile.canaries import SECRET, Canaries, canaries, lists
from tests.sandboxes import sandbox
from tests.unit.codecs.media.clips import avi, y4m
from tests.unit.codecs.media.films import film

MUTANTS = int(os.environ.get("FILM_MUTANTS", "6"))
"""Of each film, under each contract."""
CONTRACTS = (None, "content", "floor:ssim=0.9")
FILMS: dict[str, Callable[[], bytes]] = {
    "mp4": film,
    "matroska": lambda: film("ffv1", "matroska", options=(("level", "3"),)),
    "avi": lambda: avi(3),
    "y4m": lambda: y4m(3),
}


@pytest.fixture(scope="module")
def boxed() -> Iterator[Sandbox]:
    with sandbox(memory_bytes=limits.CHILD_MEMORY_BYTES) as opened:
        yield opened


@pytest.fixture
def there(tmp_path: Path) -> Iterator[Canaries]:
    with canaries(tmp_path) as found:
        yield found


# --- lists --------------------------------------------------------------------------------------------


def test_no_list_leads_to_the_canaries(boxed: Sandbox, there: Canaries) -> None:
    for name, data in lists(there).items():
        for contract in CONTRACTS:
            found = encoded(boxed, data, contract=contract)
            assert SECRET.decode() not in str(found), name
    assert [] == there.visits


def test_a_player_that_is_let_does_go_there(there: Canaries) -> None:
    """The canaries sing: what the test above finds to be silent is not deaf."""
    played = [program.program(), "-nostdin", "-loglevel", "error", "-protocol_whitelist", "pipe,http,tcp", "-f", "hls"]
    hls = lists(there)["HLS, http"]
    subprocess.run(
        [*played, "-i", "pipe:0", "-f", "null", "-"], input=hls, capture_output=True, check=False, timeout=60
    )

    assert ["/segment.ts"] == list(dict.fromkeys(there.visits))


def test_a_player_that_is_let_gets_nowhere_inside_a_codecs_process(boxed: Sandbox, there: Canaries) -> None:
    """Were our own look and ffmpeg's whitelists both to fail, there is still no network and no file."""
    for how in ("http", "file"):
        args = {"program": program.program(), "list": lists(there)[f"HLS, {how}"].decode()}
        said = boxed.run("play_a_list", args).result["said"]
        assert "Opening" in said, "it was stopped before it tried"
        assert "Failed to open segment" in said
        assert SECRET.decode() not in said
    assert [] == there.visits


# --- bombs --------------------------------------------------------------------------------------------


def bombs() -> dict[str, bytes]:
    """Small files that announce much."""
    clip = film(sound=None)
    sizes = clip.index(b"stsz")
    times = clip.index(b"stts")
    many = bytearray(clip)
    struct.pack_into(">II", many, sizes + 8, 7, 1_000_000)
    struct.pack_into(">III", many, times + 8, 1, 1_000_000, 512)
    long = bytearray(clip)
    at = clip.index(b"mvhd") + 4
    struct.pack_into(">II", long, at + 12, 1, 0xFFFF_FFFF)
    wide = avi(1)
    header = wide.index(b"strf", wide.index(b"vids"))
    return {
        "a million pictures in a table": bytes(many),
        "a film of a century": bytes(long),
        "one picture of 16k by 16k": b"YUV4MPEG2 W16384 H16384 F25:1 C444\nFRAME\n" + bytes(100_000),
        "sides beyond all numbers": b"YUV4MPEG2 W9999999 H9999999 F25:1 Cmono\nFRAME\n" + bytes(1000),
        "a picture of nothing": b"YUV4MPEG2 W0 H0 F25:1 C420\n" + b"FRAME\n" * 50_000,
        "twenty thousand specks": b"YUV4MPEG2 W1 H1 F1:1 Cmono\n" + b"FRAME\n\1" * 20_000,
        "a picture a century": b"YUV4MPEG2 W16 H16 F1:1000000000 Cmono\n" + (b"FRAME\n" + bytes(256)) * 9,
        "bitmaps of 16k by 16k": wide[: header + 12] + struct.pack("<ii", 16_384, 16_384) + wide[header + 20 :],
        "lists in lists": b"RIFF\xff\xff\xff\xffAVI " + b"LIST\xff\xff\xff\xffmovi" * 40_000,
        "chunks of nothing": avi(1) + b"JUNK\0\0\0\0" * 100_000,
    }


@pytest.mark.parametrize("name", bombs())
def test_bombs_are_kept_or_refused_in_little_time_and_memory(boxed: Sandbox, name: str) -> None:
    started = time.monotonic()
    for contract in CONTRACTS:
        encoded(boxed, bombs()[name], contract=contract)
    assert time.monotonic() - started < 90


def test_a_stream_that_grows_beyond_what_its_chunk_can_hold_is_refused() -> None:
    """A set of parameters for 16,384 × 16,384 pixels, in a chunk of frames of 16 × 16."""
    sets = _huge_sets()
    form = Form(((16, 16), (8, 8), (8, 8)), 8)
    with pytest.raises(Corrupt):
        decode_pictures(H264, Coded(sets, [b"\x65\x88\x84\x00\x10" + bytes(50)]), form, 1)


def _huge_sets() -> bytes:
    def golomb(value: int) -> str:
        bits = bin(value + 1)[2:]
        return "0" * (len(bits) - 1) + bits

    size = golomb(1023) * 2
    sequence = golomb(0) + golomb(0) + golomb(2) + golomb(1) + "0" + size + "1" + "1" + "0" + "0" + "1"
    sequence += "0" * (-len(sequence) % 8)
    body = int(sequence, 2).to_bytes(len(sequence) // 8, "big")
    return b"\0\0\0\1\x67\x42\x00\x3c" + body + b"\0\0\0\1\x68\xce\x38\x80"


# --- changed bytes ------------------------------------------------------------------------------------


@pytest.mark.parametrize("contract", CONTRACTS)
@pytest.mark.parametrize("name", FILMS)
def test_changed_films_give_no_wrong_byte_and_end_no_process(boxed: Sandbox, name: str, contract: str | None) -> None:
    original, chance = FILMS[name](), random.Random(f"{name} {contract}")
    for _ in range(MUTANTS):
        encoded(boxed, mutated(original, chance), contract=contract)


def mutated(data: bytes, chance: random.Random) -> bytes:
    out = bytearray(data)
    for _ in range(chance.choice((1, 3, 20))):
        at = chance.randrange(len(out))
        kind = chance.randrange(4)
        if kind == 0:
            out[at] ^= 1 << chance.randrange(8)
        elif kind == 1:
            out[at : at + 4] = chance.choice((b"\xff\xff\xff\xff", bytes(4), b"\x7f\xff\xff\xff"))
        elif kind == 2:
            del out[at : at + chance.randrange(1, 200)]
        else:
            out[at:at] = out[chance.randrange(len(out)) :][: chance.randrange(1, 200)]
    return bytes(out) or b"\0"
