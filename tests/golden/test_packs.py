"""Packs written by every release stay readable, byte for byte; and PACK.md shows what is really written."""

import os
import re
from pathlib import Path

import lithify
from lithify.store.blobs import Entry
from lithify.store.packs import PackReader, encode_group, pack_header

PACK = "00112233445566778899aabbccddeeff"
TWO_GROUPS = [
    [Entry("blob", b"\x89LTH\x01 stands for a frame"), Entry("record", b'{"kind":"revision","sequence":1}')],
    [Entry("blob", b""), Entry("record", '{"kind":"policy","collection":"Straße"}'.encode())],
]
PACK_MD = Path(lithify.__file__).parent / "store/PACK.md"


def written(groups: list[list[Entry]]) -> bytes:
    data = pack_header(PACK)
    for group in groups:
        data += encode_group(PACK, len(data), group)[0]
    return data


def test_the_first_packs_are_still_read_and_still_written_so() -> None:
    path = Path(__file__).parent / "v0_1_0__pack__two_groups.pack"
    if not path.exists() and lithify.__version__.startswith("0.1.0"):
        path.write_bytes(written(TWO_GROUPS))
    data = path.read_bytes()

    with path.open("rb") as file:
        reader = PackReader(file.fileno(), PACK)
        places = [(entry.kind, entry.address.offset, entry.address.length) for entry in reader.entries()]
        found = [Entry(kind, os.pread(file.fileno(), length, offset)) for kind, offset, length in places]
        assert [entry for group in TWO_GROUPS for entry in group] == found
        assert [] == reader.damage()
    assert written(TWO_GROUPS) == data


def test_the_example_of_the_format_document_is_what_is_written() -> None:
    example = PACK_MD.read_text().split("```hex\n")[1].split("```")[0]
    shown = "".join(re.findall(r"^(?:[0-9a-f]{2}\b ?)+", example, re.MULTILINE))

    assert written([[Entry("blob", b"sand"), Entry("record", b"{}")]]) == bytes.fromhex(shown)
