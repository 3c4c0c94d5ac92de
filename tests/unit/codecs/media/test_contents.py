"""What lies inside files of media is told, with its coder and its bytes, from what is stored alone."""

import tarfile

import pytest

from lithify import limits
from lithify.codecs.media.containers.layout import Piece, Segment
from lithify.codecs.media.containers.names import names_of
from lithify.codecs.media.gif import Gif
from lithify.codecs.media.pixels import Pixels
from lithify.codecs.media.png import PngCodec
from lithify.codecs.media.whole_file import EffortParams, WholeFile
from lithify.errors import BadBytes
from tests.unit.codecs.media import corpus
from tests.unit.codecs.media.gifs import GIFS

FILES: dict[str, tuple[type[WholeFile], bytes, list[str]]] = {
    "photograph": (PngCodec, corpus.PNG_COLOUR, ["pixels", "filters", "corrections", "what stands around"]),
    "palette": (PngCodec, corpus.PNG_PALETTE, ["pixels", "filters", "corrections", "what stands around"]),
    "animation": (Gif, GIFS[0], ["image data", "corrections", "what stands around"]),
    "bitmap": (Pixels, corpus.bmp(), ["pixels", "what stands around"]),
    "packed TIFF": (Pixels, corpus.packed_tiff(), ["pixels", "what stands around", "corrections"]),
    "frames": (Pixels, corpus.dicom(), ["pixels", "what stands around"]),
}


@pytest.mark.parametrize("name", FILES)
def test_pixels_recipes_and_the_rest_are_told_apart(name: str) -> None:
    codec, data, expected = FILES[name]
    payload = codec(EffortParams("fast")).encode_file(data)
    rows = codec().contents(payload, shared=b"", length=len(data))
    assert expected == list(dict.fromkeys(row.what for row in rows))
    assert (
        sum(row.stored_bytes for row in rows) <= len(payload) < sum(row.stored_bytes for row in rows) + 40 * len(rows)
    )
    assert all(not row.codec.startswith("0x") for row in rows)


@pytest.mark.parametrize("name", FILES)
def test_of_changed_payloads_it_is_told_or_refused(name: str) -> None:
    codec, data, _ = FILES[name]
    payload = codec(EffortParams("fast")).encode_file(data)
    for at in range(min(200, len(payload))):
        for changed in (payload[:at], payload[:at] + bytes([payload[at] ^ 0xA5]) + payload[at + 1 :]):
            try:
                rows = codec().contents(changed, shared=b"", length=len(data))
            except BadBytes:
                continue
            assert all(0 <= row.stored_bytes <= len(changed) for row in rows)


def test_what_was_not_taken_apart_is_told_as_it_was() -> None:
    for codec in (PngCodec, Gif, Pixels):
        payload = codec(EffortParams("fast")).encode_file(b"no picture at all" * 20)
        (row,) = codec().contents(payload, shared=b"", length=340)
        assert ("as it was", "raw.zstd", 340, len(payload)) == (
            row.what,
            row.codec,
            row.original_bytes,
            row.stored_bytes,
        )


def test_names_of_archives_in_archives_in_archives_stay_short_and_few() -> None:
    member = tarfile.TarInfo("a" * 99)
    member.size = 512
    count = 4 * limits.CONTENTS_MAX
    pieces = [Piece((Segment(0, 512),), recipe_length=0)] * count
    members = [member for found in names_of(pieces, 0, member.tobuf() * count).values() for member in found]
    assert 0 < len(members) <= 2 * limits.CONTENTS_MAX
    assert max(len(member.name) for member in members) <= limits.MEMBER_NAME_MAX
