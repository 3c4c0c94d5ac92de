"""raw/FORMAT.md is held to the code: each of its example payloads decodes to what it says."""

import re
from pathlib import Path

import pytest

from lithify.codecs import registry
from lithify.codecs.registry import FORMATS, codec_class

DOCUMENT = (Path(registry.__file__).parent / "raw/FORMAT.md").read_text("utf-8")


def examples() -> list[tuple[int, bytes]]:
    """Format number and payload of each line of the example."""
    block = re.search(r"```hex\n(.*?)```", DOCUMENT, re.DOTALL)
    assert block is not None
    lines = re.findall(r"^([0-9a-f ]+?) {3,}(0x[0-9a-f]{4})", block[1], re.MULTILINE)
    return [(int(number, 16), bytes.fromhex(payload)) for payload, number in lines]


@pytest.mark.parametrize(("format_id", "payload"), examples())
def test_an_example_decodes_to_what_it_says(format_id: int, payload: bytes) -> None:
    assert b"a" * 12 == codec_class(format_id)().decode(payload, shared=b"", length=12)


def test_every_format_of_the_family_has_an_example() -> None:
    assert {number for number, _ in examples()} == {number for number in FORMATS if number >> 8 == 0x01}
