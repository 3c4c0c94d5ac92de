"""arrays/FORMAT.md is held to the code: by a decoder written from it, and by the numbers it gives."""

import pytest

from lithify import limits
from lithify.codecs.arrays.extents import ARRAYS_MAX, RANK_MAX, TILES_MAX, TYPES
from lithify.codecs.arrays.inflated import STREAMS_MAX
from lithify.codecs.arrays.payload import ARRAYS, encode_file
from tests.golden.arrays_frames import FILES as GOLDEN
from tests.house import ROOT
from tests.unit.codecs.arrays import layout_reference as reference
from tests.unit.codecs.arrays.test_containers import FILES

DOCUMENT = (ROOT / "lithify/codecs/arrays/FORMAT.md").read_text("utf-8")


@pytest.mark.parametrize("name", FILES)
def test_the_reference_decodes_what_the_codec_wrote_of_every_container(name: str) -> None:
    data = FILES[name]
    payload = encode_file(data, "fast", None).payload
    assert ARRAYS == payload[0]
    assert data == reference.decoded(payload, len(data))


def test_the_reference_decodes_every_type() -> None:
    for data in GOLDEN:
        assert data == reference.decoded(encode_file(data, "fast", None).payload, len(data))


def test_the_document_has_the_limits_of_the_code() -> None:
    for limit in (ARRAYS_MAX, TILES_MAX, STREAMS_MAX, limits.CHUNK_BYTES_MAX, limits.CHUNK_BYTES_MAX // 4):
        assert f"{limit:,}" in DOCUMENT
    assert f"rank R, 0 to {RANK_MAX}" in DOCUMENT
    names = {"u": "u", "i": "i", "f": "f"}
    row = " | ".join(f"{names[one[0]]}{8 * int(one[1])}" for one in TYPES)
    assert f"| {row} |" in DOCUMENT
