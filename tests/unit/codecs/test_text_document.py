"""text/FORMAT.md is held to the code: by a decoder written from it, by its example, by the numbers it gives."""

import hashlib
import re

import pytest

from lithify import limits
from lithify.codecs.text import learnt
from lithify.codecs.text.classes import FIRST_CLASSES, TextClass
from lithify.codecs.text.codec import MIXED, PRIMED, READ, Text, TextParams
from lithify.codecs.text.mixing import encode_read, encode_text
from lithify.codecs.text.model import ROWS
from lithify.codecs.text.models import LANGUAGES
from lithify.codecs.text.network import PATH as NETWORK
from lithify.codecs.text.primer import TEXT_BYTES_MAX
from lithify.codecs.text.proof import proved, proved_for, proved_network
from tests.house import ROOT
from tests.unit.codecs.text import reference, reference_network
from tests.unit.codecs.text.corpus import CODE, EVERYTHING, FOREIGN, PROSE

DOCUMENT = (ROOT / "lithify/codecs/text/FORMAT.md").read_text("utf-8")
SENTENCE = b"It settles, and turns to rock.\n"


@pytest.fixture(scope="module")
def tables() -> reference.Tables:
    return reference.read_tables(learnt.PATH.read_bytes())


@pytest.fixture(scope="module")
def languages() -> reference.Tables:
    return reference.read_tables(LANGUAGES.path.read_bytes(), reference.LANGUAGES)


def test_the_tables_are_what_their_digest_says(tables: reference.Tables, languages: reference.Tables) -> None:
    for one in (tables, languages):
        assert hashlib.sha256(one.content).digest() == one.digest
        assert f"`{one.digest.hex()}`" in DOCUMENT
    assert tables.slots.tobytes() == learnt.learnt().primed.tobytes()


@pytest.mark.parametrize("text_class", TextClass)
def test_the_reference_decodes_what_the_codec_wrote(
    tables: reference.Tables, languages: reference.Tables, text_class: TextClass
) -> None:
    text = EVERYTHING if text_class == TextClass.MARKUP else (PROSE + b"\r\n" + PROSE[:60] + CODE + FOREIGN)[::1]
    stream = encode_text(text, proved_for(text_class), text_class)
    assert stream is not None
    payload = bytes([MIXED + text_class]) + proved_for(text_class).name + stream

    assert text == reference.decode(tables if text_class in tables.classes else languages, payload, len(text))


def test_the_reference_agrees_on_bytes_that_no_encoder_wrote(tables: reference.Tables) -> None:
    for number, text_class in enumerate(FIRST_CLASSES):
        payload = bytes([MIXED + text_class]) + proved().name + hashlib.sha512(bytes([number])).digest()[: 40 * number]
        expected = reference.decode(tables, payload, 120)
        assert expected == Text().decode(payload, shared=b"", length=120)


def test_the_reference_decodes_what_goes_on_behind_a_primer(tables: reference.Tables) -> None:
    primer = Text.make_primer([PROSE])
    assert primer is not None
    codec = Text(TextParams(primer="00" * 32)).primed(primer)
    payload = codec.encode_group(PROSE[100:260])

    assert payload[0] == PRIMED + primer[5]
    assert PROSE[100:260] == reference.decode(tables, payload, 160, known=PROSE)


def test_the_examples_decode_to_what_they_say(tables: reference.Tables) -> None:
    block = re.search(r"```hex\n(.*?)```", DOCUMENT, re.DOTALL)
    assert block is not None
    mixed, read, stored = (bytes.fromhex(line) for line in re.findall(r"^([0-9a-f ]+?) {4,}", block[1], re.MULTILINE))

    assert mixed == bytes([MIXED]) + proved().name + (encode_text(SENTENCE, proved(), TextClass.PROSE) or b"")
    assert SENTENCE == reference.decode(tables, mixed, len(SENTENCE))
    network = reference_network.read_network(NETWORK.read_bytes())
    names = proved().name + proved_network().name
    assert read == bytes([READ]) + names + (encode_read(SENTENCE, proved_network(), TextClass.PROSE) or b"")
    assert SENTENCE == reference_network.decode_read(tables, network, read, len(SENTENCE))
    assert SENTENCE == Text().decode(stored, shared=b"", length=len(SENTENCE))


def test_the_numbers_of_the_document_are_those_of_the_code() -> None:
    for number in (limits.TEXT_GROUP_BYTES_MAX, TEXT_BYTES_MAX, limits.MIB):
        assert f"{number:,}" in DOCUMENT
    assert f"{ROWS} × 24" in DOCUMENT
    assert learnt.DIGEST in DOCUMENT
