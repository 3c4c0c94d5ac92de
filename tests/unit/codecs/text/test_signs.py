"""How far a codec is inside a group is told while it works, and changes nothing of what it writes."""

from collections.abc import Callable

import pytest

from lithify.codecs.signs import heard_by, tell
from lithify.codecs.text import mixing
from lithify.codecs.text.classes import TextClass
from lithify.codecs.text.codec import READ, Text, TextParams
from lithify.codecs.text.lm.stream import decode_text as retold
from lithify.codecs.text.lm.stream import encode_text as told_by_a_model
from lithify.codecs.text.proof import proved, proved_network
from tests.unit.codecs.text.corpus import CODE, EVERYTHING, PROSE
from tests.unit.codecs.text.lm.folders import small_model

TEXT = (PROSE + CODE) * 4


@pytest.fixture
def _small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mixing, "_AT_ONCE", 100)
    monkeypatch.setattr(mixing, "_READ_AT_ONCE", 70)


def heard(work: Callable[[], object]) -> list[int]:
    told: list[int] = []
    with heard_by(told.append):
        work()
    return told


def check(told: list[int], length: int, *, least: int) -> None:
    assert told == sorted(told)
    assert len(told) >= least
    assert length == told[-1]


@pytest.mark.usefixtures("_small_steps")
def test_a_text_that_is_mixed_in_steps_has_the_same_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[int] = []
    stream = mixing.encode_text(TEXT, proved(), TextClass.PROSE, told.append)
    assert stream is not None
    check(told, len(TEXT), least=len(TEXT) // 100)
    again: list[int] = []
    assert TEXT == mixing.decode_text(stream, len(TEXT), proved(), TextClass.PROSE, again.append)
    assert told == again
    monkeypatch.setattr(mixing, "_AT_ONCE", 1 << 20)
    assert stream == mixing.encode_text(TEXT, proved(), TextClass.PROSE)


@pytest.mark.usefixtures("_small_steps")
def test_a_text_that_a_network_reads_in_steps_has_the_same_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[int] = []
    stream = mixing.encode_read(EVERYTHING, proved_network(), TextClass.OTHER, told.append)
    assert stream is not None
    check(told, len(EVERYTHING), least=len(EVERYTHING) // 70)
    again: list[int] = []
    assert EVERYTHING == mixing.decode_read(stream, len(EVERYTHING), proved_network(), TextClass.OTHER, again.append)
    assert told == again
    monkeypatch.setattr(mixing, "_READ_AT_ONCE", 1 << 20)
    assert stream == mixing.encode_read(EVERYTHING, proved_network(), TextClass.OTHER)


@pytest.mark.usefixtures("_small_steps")
@pytest.mark.parametrize("effort", ["default", "max"])
def test_who_listens_hears_each_group_once_through(effort: str) -> None:
    payloads: list[bytes] = []
    codec = Text(TextParams(effort=effort))
    check(heard(lambda: payloads.append(codec.encode_group(PROSE))), len(PROSE), least=4)
    assert (payloads[0][0] & 0xF0 == READ) == (effort == "max")
    check(heard(lambda: codec.decode(payloads[0], shared=b"", length=len(PROSE))), len(PROSE), least=4)


def test_a_language_model_tells_how_far_it_is() -> None:
    told: list[int] = []
    stream = told_by_a_model(TEXT, small_model(), told=told.append, at_once=8)
    check(told, len(TEXT), least=3)
    again: list[int] = []
    assert TEXT == retold(stream, len(TEXT), small_model(), told=again.append)
    check(again, len(TEXT), least=3)


def test_nobody_needs_to_listen() -> None:
    tell(1)
    assert [2] == heard(lambda: tell(2))
    tell(3)
