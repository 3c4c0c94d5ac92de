"""containers/FORMAT.md is held to the code: by its example and by the numbers it gives."""

import re
import zlib

from lithify import limits
from lithify.codecs.media.containers.codec import Deflate
from tests.house import ROOT

DOCUMENT = (ROOT / "lithify/codecs/media/containers/FORMAT.md").read_text("utf-8")


def test_the_example_decodes_to_what_it_says() -> None:
    block = re.search(r"```hex\n(.*?)```", DOCUMENT, re.DOTALL)
    assert block is not None
    payload = bytes.fromhex("".join(re.findall(r"^((?:[0-9a-f]{2} )*[0-9a-f]{2}) {3,}", block[1], re.MULTILINE)))

    length = re.search(r"^(\d+) bytes: `sand", DOCUMENT, re.MULTILINE)
    assert length is not None
    original = Deflate().decode(payload, shared=b"", length=int(length[1]))

    assert original.startswith(b"sand, \x78\xda")
    assert original.endswith(b" rock")
    assert b"settles settles settles settles" == zlib.decompress(original[6:-5])


def test_the_numbers_of_the_document_are_those_of_the_code() -> None:
    for number in (limits.PART_BYTES, limits.OPENED_BYTES_MAX):
        assert f"{number:,}" in DOCUMENT
