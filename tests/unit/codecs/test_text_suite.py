"""The suite, run by the text codec; and which form it keeps of what."""

import random
from typing import ClassVar

import pytest

from lithify import limits
from lithify.codecs.raw.ppmd import Ppmd
from lithify.codecs.text.codec import MIXED, PPMD, PRIMED, READ, STORED, ZSTD, Text, TextParams
from lithify.codecs.text.learnt import learnt
from lithify.codecs.text.network import trained
from lithify.errors import BadBytes, Corrupt, LimitExceeded, Truncated
from tests.suites.codec_suite import ORIGINALS, CodecSuite
from tests.unit.codecs.text.corpus import CODE, MARKUP, PROSE, TEXTS


class TestText(CodecSuite):
    codec = Text
    several_chunks = TextParams(group_bytes=1000)
    # A network reads 20 KB a second.
    originals: ClassVar[dict[str, bytes]] = {name: original[:10_000] for name, original in ORIGINALS.items()}


def decoded(payload: bytes, length: int) -> bytes:
    return Text().decode(payload, shared=b"", length=length)


# --- which form is kept -------------------------------------------------------------------------------


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_text_is_mixed_and_becomes_smaller_than_ppmd_makes_it(text: bytes) -> None:
    payload = Text().encode_group(text)
    assert MIXED == payload[0] & 0xF0
    assert len(payload) < 0.75 * len(Ppmd().encode_block(text))
    assert text == decoded(payload, len(text))


@pytest.mark.parametrize("effort", ["default", "max"])
def test_no_group_is_larger_than_ppmd_makes_it_but_for_a_byte(effort: str) -> None:
    chance = random.Random(5)
    for text in (b"ab" * 3000, bytes(5000), chance.randbytes(300), bytes(chance.choices(range(9), k=4000)), PROSE):
        payload = Text(TextParams(effort=effort)).encode_group(text)
        assert len(payload) <= 1 + len(Ppmd(Ppmd.params_for("default", len(text))).encode_block(text))


def test_noise_is_stored_and_what_only_repeats_is_left_to_who_does_that_best() -> None:
    noise = random.Random(1).randbytes(3000)
    assert bytes([STORED]) + noise == Text().encode_group(noise)
    assert Text().encode_group(noise * 40)[0] in {ZSTD, MIXED, MIXED + 4}


def test_effort_fast_does_not_mix() -> None:
    assert Text(TextParams(effort="fast")).encode_group(PROSE)[0] in {STORED, ZSTD, PPMD}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_at_effort_max_a_network_reads_along_and_never_makes_a_text_larger(text: bytes) -> None:
    payload, without = Text(TextParams(effort="max")).encode_group(text), Text().encode_group(text)
    assert READ == payload[0] & 0xF0
    assert len(payload) < len(without)
    assert text == decoded(payload, len(text))


def test_no_network_reads_a_group_that_would_take_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "TEXT_NETWORK_BYTES_MAX", 100)
    assert MIXED == Text(TextParams(effort="max")).encode_group(PROSE)[0] & 0xF0


def test_a_piece_of_a_long_text_is_tried_as_the_whole_would_be() -> None:
    codec = Text(TextParams(effort="max"))
    assert MIXED == codec.encode_group(PROSE, stands_for=limits.TEXT_NETWORK_BYTES_MAX + 1)[0] & 0xF0
    assert READ == codec.encode_group(PROSE, stands_for=limits.TEXT_NETWORK_BYTES_MAX)[0] & 0xF0


def test_the_class_is_that_of_the_text() -> None:
    assert [MIXED, MIXED + 2, MIXED + 3] == [Text().encode_group(text)[0] for text in (PROSE, CODE, MARKUP)]


# --- what is refused ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "head", sorted(set(range(256)) - {STORED, ZSTD, PPMD, *range(0x10, 0x16), *range(0x20, 0x26), *range(0x30, 0x35)})
)
def test_a_method_that_does_not_exist_is_corrupt(head: int) -> None:
    with pytest.raises(Corrupt, match=r"does not exist|no network knows its class"):
        decoded(bytes([head]) + b"rock", 4)


def test_tables_of_another_name_are_named() -> None:
    with pytest.raises(Corrupt, match="begins with beef"):
        decoded(bytes([MIXED]) + b"\xbe\xef\x01", 4)


def test_a_network_of_another_name_is_named() -> None:
    with pytest.raises(Corrupt, match="the network whose SHA-256 begins with beef"):
        decoded(bytes([READ]) + learnt().name + b"\xbe\xef\x01", 4)
    with pytest.raises(Corrupt, match="the tables whose SHA-256 begins with beef"):
        decoded(bytes([READ]) + b"\xbe\xef\x01\x02", 4)


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        bytes([MIXED]),
        bytes([MIXED, 1]),
        bytes([PRIMED]),
        bytes([READ]),
        bytes([READ, 1]),
        bytes([READ]) + learnt().name,
        bytes([READ]) + learnt().name + trained().name[:1],
    ],
)
def test_a_payload_that_ends_early_is_truncated(payload: bytes) -> None:
    with pytest.raises(Truncated):
        decoded(payload, 4)


def test_a_group_longer_than_groups_are_is_refused_before_anything_is_done() -> None:
    with pytest.raises(LimitExceeded):
        decoded(bytes([MIXED]) + learnt().name, limits.TEXT_GROUP_BYTES_MAX + 1)
    with pytest.raises(LimitExceeded):
        decoded(bytes([READ]) + learnt().name + trained().name, limits.TEXT_NETWORK_BYTES_MAX + 1)
    with pytest.raises(LimitExceeded):
        TextParams(group_bytes=limits.TEXT_GROUP_BYTES_MAX + 1)


def test_a_group_behind_a_primer_needs_one() -> None:
    with pytest.raises(Corrupt, match="primer"):
        decoded(bytes([PRIMED]) + learnt().name + b"\x01", 4)


def test_shared_bytes_are_refused() -> None:
    with pytest.raises(BadBytes):
        Text().decode(bytes([STORED]) + b"rock", shared=b"x", length=4)


# --- primers ------------------------------------------------------------------------------------------


def ticket(number: int) -> bytes:
    """One of many that are alike."""
    chance = random.Random(number)
    rock = chance.choice(["granite", "basalt", "slate", "gneiss", "marble"])
    return (
        f"Ticket {number}: the {rock} in shaft {chance.randrange(40)} is loose\n\n"
        f"Reported by {chance.choice(['Ines', 'Oskar', 'Wanda'])} on day {chance.randrange(365)}.\n"
        f"Please send the crew with {chance.randrange(2, 9)} props and close the gallery until the {rock} settles.\n"
        "Regards, the night shift of the north face\n"
    ).encode()


def primed(primer: bytes) -> Text:
    return Text(Text.params_with_primer(TextParams(), "ab" * 32)).primed(primer)


def test_what_earlier_texts_taught_makes_the_next_one_smaller() -> None:
    primer = Text.make_primer([ticket(number) for number in range(30)])
    assert primer is not None
    codec, text = primed(primer), ticket(99)
    alone, payload = Text().encode_group(text), codec.encode_group(text)

    assert PRIMED == payload[0] & 0xF0
    assert len(payload) < 0.4 * len(alone)
    assert text == codec.decode(payload, shared=b"", length=len(text))
    assert payload == primed(primer).encode_group(text)


def test_no_samples_make_no_primer() -> None:
    assert Text.make_primer([]) is None
    assert Text.make_primer([b"", b""]) is None


def test_a_primer_is_made_the_same_way_each_time_and_stays_short() -> None:
    samples = [PROSE * 200, CODE * 90, MARKUP]
    first = Text.make_primer(samples)
    assert first is not None
    assert first == Text.make_primer(samples)
    assert len(first) < limits.PRIMER_BYTES_MAX


def test_wrong_primers_are_refused() -> None:
    primer = Text.make_primer([PROSE])
    assert primer is not None
    wrong = [
        b"",
        primer[:9],
        b"LTHP\x01" + primer[5:],
        primer[:5] + b"\x07" + primer[6:],
        primer[:6] + bytes(4) + primer[10:],
    ]
    wrong += [primer[:6] + b"\xff" * 4 + primer[10:], primer[: len(primer) // 2]]
    for bytes_ in wrong:
        with pytest.raises(BadBytes):
            primed(bytes_)


def test_a_primer_only_decodes_groups_of_its_class() -> None:
    primer = Text.make_primer([PROSE])
    assert primer is not None
    codec, rest = primed(primer), learnt().name + b"\x01\x02"

    assert len(codec.decode(bytes([PRIMED]) + rest, shared=b"", length=10)) == 10
    for text_class in range(1, 5):
        with pytest.raises(Corrupt):
            codec.decode(bytes([PRIMED + text_class]) + rest, shared=b"", length=10)
