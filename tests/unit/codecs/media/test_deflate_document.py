"""deflate/FORMAT.md is held to the code: by its example, its table of methods, and by kernels that are interpreted."""

import hashlib
import re
import zlib

from lithify import limits
from lithify.codecs.media.deflate.engine import open_stream, rebuild
from lithify.codecs.media.deflate.presets import PRESETS
from lithify.errors import BadBytes
from tests.elsewhere import INTERPRETED, printed
from tests.house import ROOT
from tests.unit.codecs.media.streams import deflated, paragraphs, rows

DOCUMENT = (ROOT / "lithify/codecs/media/deflate/FORMAT.md").read_text("utf-8")
SENTENCE = b"loose sand, loose rock\n"

_SCRIPT = """
from tests.unit.codecs.media.test_deflate_document import digest_of_recipes
print(digest_of_recipes())
"""


def digest_of_recipes() -> str:
    """What is made of some streams, of their recipes, and of each of these with a byte changed."""
    digest = hashlib.sha256()
    for plain, level, memory in ((paragraphs(2), 6, 8), (rows(2), 1, 1), (b"ab" * 50 + paragraphs(1), 9, 1)):
        for hint in (5, 23, 24, 29):
            opened = open_stream(deflated(plain, level, memory=memory), hint=hint)
            assert opened is not None
            digest.update(opened.recipe)
            for at in range(len(opened.recipe)):
                changed = opened.recipe[:at] + bytes([opened.recipe[at] ^ 0x55]) + opened.recipe[at + 1 :]
                try:
                    digest.update(rebuild(plain, changed))
                except BadBytes as error:
                    digest.update(error.code.encode())
    return digest.hexdigest()


def test_recipes_are_the_same_when_the_kernels_are_interpreted() -> None:
    assert digest_of_recipes() == printed(_SCRIPT, INTERPRETED)


def test_the_example_is_what_the_engine_writes() -> None:
    block = re.search(r"```hex\n(.*?)```", DOCUMENT, re.DOTALL)
    assert block is not None
    stream, recipe = (bytes.fromhex(line) for line in re.findall(r"^([0-9a-f ]+?) {4,}", block[1], re.MULTILINE))
    opened = open_stream(stream)

    assert zlib.decompress(stream, -15) == SENTENCE
    assert opened is not None
    assert opened.recipe == recipe
    assert stream == rebuild(SENTENCE, recipe)


def test_the_numbers_of_the_document_are_those_of_the_code() -> None:
    assert f"{limits.OPENED_BLOCKS_MAX:,}" in DOCUMENT
    assert f"a method above {len(PRESETS) - 1}" in DOCUMENT
    for method in (3, 4, 5, 6, 7, 8):
        preset = PRESETS[method]
        for number in (preset.good, preset.lazy, preset.nice, preset.chain):
            assert f" {number} " in DOCUMENT
