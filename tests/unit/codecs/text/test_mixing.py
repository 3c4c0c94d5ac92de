"""The mixing coder of text: what goes in comes out, on every machine, and bytes that nobody wrote do no harm."""

import hashlib
import random
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lithify.codecs.text.classes import FIRST_CLASSES, TextClass
from lithify.codecs.text.mixing import Taught, decode_text, encode_text
from lithify.codecs.text.model import size_of
from lithify.codecs.text.models import LANGUAGES
from lithify.codecs.text.proof import STREAMS, proved, proved_for, proved_languages, streams_digest
from tests.examples import examples
from tests.unit.codecs.text.corpus import EVERYTHING, FOREIGN, PROSE, TEXTS

FOREIGN_TEXTS = {
    "cs": "Každý kámen byl kdysi pískem, a když se usadí, zůstane na svém místě po mnoho let.",
    "de": "Was sich gesetzt hat, wird mit der Zeit zu Stein, und niemand kann es wieder verschieben.",
    "es": "Lo que se ha depositado se convierte con el tiempo en piedra, y nadie puede volver a moverlo.",
    "fr": "Ce qui s'est déposé devient avec le temps de la pierre, et personne ne peut plus le déplacer.",
    "it": "Quello che si è depositato diventa con il tempo pietra, e nessuno può più spostarlo.",
    "ja": "沈んだものは時間とともに石になり、もう誰もそれを動かすことはできません。",
    "pt": "O que se depositou torna-se pedra com o tempo, e ninguém mais pode movê-lo.",
    "ru": "То, что осело, со временем становится камнем, и никто больше не может его сдвинуть.",
    "sv": "Det som har lagt sig blir med tiden till sten, och ingen kan flytta på det igen.",
    "zh": "沉淀下来的东西会随着时间变成石头，任何人都无法再移动它们。",
}

EXAMPLES = examples(150, "TEXT_EXAMPLES")
"""More make it a campaign; each takes some milliseconds."""


def round_trip(text: bytes, text_class: TextClass) -> None:
    stream = encode_text(text, proved_for(text_class), text_class)
    if stream is not None:
        assert text == decode_text(stream, len(text), proved_for(text_class), text_class)


# --- round trips --------------------------------------------------------------------------------------


@pytest.mark.parametrize("text_class", TextClass)
@pytest.mark.parametrize(
    "text",
    [b"\0", b"\xff", b"\n", b"a\n", bytes(range(256)) * 3, b"\0" * 5000, b"\xff" * 5000, b"rock\r\n" * 500, EVERYTHING],
    ids=lambda text: f"{len(text)} bytes {text[:4].hex()}",
)
def test_a_text_comes_back(text: bytes, text_class: TextClass) -> None:
    stream = encode_text(text, proved_for(text_class), text_class)
    assert stream is not None
    assert text == decode_text(stream, len(text), proved_for(text_class), text_class)


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.binary(max_size=400), st.sampled_from(TextClass))
def test_any_bytes_come_back(text: bytes, text_class: TextClass) -> None:
    round_trip(text, text_class)


@settings(max_examples=EXAMPLES, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.text(max_size=20).map(lambda text: text.encode("utf-8", "surrogatepass")),
            st.sampled_from([b"the ", b"\n", b"</p>"]),
        ),
        max_size=60,
    ),
    st.sampled_from(TextClass),
)
def test_any_text_comes_back(pieces: list[bytes], text_class: TextClass) -> None:
    round_trip(b"".join(pieces), text_class)


def test_bytes_that_cannot_be_made_smaller_have_no_stream() -> None:
    assert encode_text(random.Random(1).randbytes(3000), proved(), TextClass.PROSE) is None


def test_a_text_longer_than_the_cells_comes_back() -> None:
    chance = random.Random(7)
    text = b"".join(b"%d %x\n" % (chance.randrange(1 << 20), chance.randrange(1 << 30)) for _ in range(30_000))
    assert size_of(len(text)) == size_of(1 << 30)
    round_trip(text, TextClass.CODE)


def test_a_text_goes_on_behind_another() -> None:
    taught = Taught(PROSE, proved(), TextClass.PROSE)
    for text in (PROSE[50:200], b"", FOREIGN):
        stream = taught.encode(text)
        assert stream is not None
        assert text == taught.decode(stream, len(text))
        assert stream == Taught(PROSE, proved(), TextClass.PROSE).encode(text)


# --- the same everywhere ------------------------------------------------------------------------------


def test_this_machine_writes_what_every_other_does() -> None:
    assert STREAMS == streams_digest(proved())
    assert LANGUAGES.streams == streams_digest(proved_languages())


# --- wrong bytes --------------------------------------------------------------------------------------


def wrong_streams(stream: bytes) -> Iterator[bytes]:
    """Every prefix, every byte changed, some garbage."""
    yield from (stream[:end] for end in range(len(stream)))
    yield from (
        stream[:at] + bytes([stream[at] ^ flip]) + stream[at + 1 :] for at in range(len(stream)) for flip in (1, 255)
    )
    yield from (random.Random(seed).randbytes(60) for seed in range(10))


def test_wrong_streams_give_some_text_or_other_of_the_length_asked_for() -> None:
    stream = encode_text(PROSE[:150], proved(), TextClass.DOCS)
    assert stream is not None
    for wrong in wrong_streams(stream):
        assert len(decode_text(wrong, 150, proved(), TextClass.DOCS)) == 150


# --- what it wins -------------------------------------------------------------------------------------


def test_what_repeats_costs_next_to_nothing() -> None:
    for text_class in TextClass:
        assert len(encode_text(b"\0" * 100_000, proved_for(text_class), text_class) or b"none") < 120


@pytest.mark.parametrize(("name", "text_class"), list(zip(TEXTS, FIRST_CLASSES, strict=False)))
def test_what_other_texts_taught_halves_a_short_text(name: str, text_class: TextClass) -> None:
    streams = [encode_text(TEXTS[name], proved(), one) for one in (text_class, TextClass.OTHER)]
    primed, cold = (len(stream or b"") for stream in streams)
    assert primed < 0.6 * cold


@pytest.mark.parametrize("text", FOREIGN_TEXTS.values(), ids=FOREIGN_TEXTS)
def test_texts_in_other_languages_win_most_with_tables_of_their_own(text: str) -> None:
    sizes = {one: len(encode_text(text.encode(), proved_for(one), one) or text.encode()) for one in TextClass}
    assert TextClass.LANGUAGES == min(sizes, key=lambda one: sizes[one])
    assert sizes[TextClass.LANGUAGES] < 0.9 * min(sizes[one] for one in FIRST_CLASSES)


def test_what_was_learnt_is_never_written() -> None:
    before = hashlib.sha256(proved().primed.tobytes()).digest()
    starts = [np.copy(start.maps) for start in proved().starts]
    round_trip(EVERYTHING, TextClass.PROSE)
    assert before == hashlib.sha256(proved().primed.tobytes()).digest()
    assert all((old == new.maps).all() for old, new in zip(starts, proved().starts, strict=True))
