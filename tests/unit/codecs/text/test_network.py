"""The network that reads along: integers that are the same everywhere, a file that is what it should be, texts that
come back."""

import hashlib
import random
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lithify.codecs.text import network, proof
from lithify.codecs.text.classes import FIRST_CLASSES, TextClass
from lithify.codecs.text.codec import READ, Text, TextParams
from lithify.codecs.text.learnt import PATH as TABLES
from lithify.codecs.text.learnt import learnt
from lithify.codecs.text.mixing import decode_read, encode_read, encode_text
from lithify.codecs.text.proof import READ_STREAMS, proved_network, read_streams_digest
from lithify.errors import Unsound
from tests.examples import examples
from tests.house import ROOT
from tests.unit.codecs.text import reference, reference_network
from tests.unit.codecs.text.corpus import CODE, EVERYTHING, FOREIGN, PROSE, TEXTS
from tests.unit.codecs.text.networks import SHAPE, packed, random_network, random_trained, starts

EXAMPLES = examples(150, "TEXT_EXAMPLES")
T1_BYTES_MAX = 4_000_000
"""What may be shipped for this tier, of 30 MB for all."""
DOCUMENT = (ROOT / "lithify/codecs/text/FORMAT.md").read_text("utf-8")


@pytest.fixture(scope="module")
def tables() -> reference.Tables:
    return reference.read_tables(TABLES.read_bytes())


@pytest.fixture
def forgotten() -> Iterator[None]:
    """The network is loaded anew, and again afterwards."""
    network.trained.cache_clear()
    proof.proved_network.cache_clear()
    yield
    network.trained.cache_clear()
    proof.proved_network.cache_clear()


def same(first: Iterable[npt.ArrayLike], second: Iterable[npt.ArrayLike]) -> bool:
    return all(np.array_equal(one, other) for one, other in zip(first, second, strict=True))


# --- round trips --------------------------------------------------------------------------------------


@pytest.mark.parametrize("text_class", FIRST_CLASSES)
@pytest.mark.parametrize(
    "text", [b"\0", b"\xff", b"a\n", bytes(range(256)) * 3, b"\0" * 5000, b"rock\r\n" * 500, EVERYTHING], ids=len
)
def test_a_text_comes_back(text: bytes, text_class: TextClass) -> None:
    stream = encode_read(text, proved_network(), text_class)
    assert stream is not None
    assert text == decode_read(stream, len(text), proved_network(), text_class)


@settings(max_examples=EXAMPLES, deadline=None)
@given(
    st.one_of(st.binary(max_size=300), st.text(max_size=100).map(lambda text: text.encode("utf-8", "surrogatepass"))),
    st.sampled_from(FIRST_CLASSES),
    st.integers(0, 3),
)
def test_any_bytes_come_back_whatever_the_network(text: bytes, text_class: TextClass, seed: int) -> None:
    stream = encode_read(text, random_trained(seed), text_class)
    if stream is not None:
        assert text == decode_read(stream, len(text), random_trained(seed), text_class)


def test_bytes_that_cannot_be_made_smaller_have_no_stream() -> None:
    assert encode_read(random.Random(1).randbytes(2000), proved_network(), TextClass.PROSE) is None


# --- the same everywhere ------------------------------------------------------------------------------


@pytest.mark.parametrize("text_class", FIRST_CLASSES)
def test_the_reference_decodes_what_a_random_network_read(tables: reference.Tables, text_class: TextClass) -> None:
    for seed in range(2):
        trained, file = random_trained(seed), reference_network.read_network(packed(seed))
        text = (PROSE + b"\r\n" + CODE + FOREIGN + bytes(range(256)))[100 * text_class :][:400]
        stream = encode_read(text, trained, text_class)
        assert stream is not None
        payload = bytes([READ + text_class]) + trained.learnt.name + trained.name + stream
        assert text == reference_network.decode_read(tables, file, payload, len(text))


@pytest.mark.parametrize("text_class", FIRST_CLASSES)
def test_the_reference_decodes_what_the_network_read(tables: reference.Tables, text_class: TextClass) -> None:
    file = reference_network.read_network(network.PATH.read_bytes())
    assert hashlib.sha256(file.content).digest() == file.digest
    text = (PROSE + CODE + FOREIGN)[150 * text_class :][:150]
    payload = Text(TextParams(effort="max")).encode_group(text)
    stream = encode_read(text, proved_network(), text_class)
    assert stream is not None
    payload = bytes([READ + text_class]) + learnt().name + file.digest[:2] + stream

    assert text == reference_network.decode_read(tables, file, payload, len(text))
    assert text == Text().decode(payload, shared=b"", length=len(text))


def test_streams_are_the_same_whatever_is_read_at_the_same_time() -> None:
    texts = [PROSE, CODE, FOREIGN, EVERYTHING]

    def stream_of(text: bytes) -> bytes | None:
        return encode_read(text, proved_network(), TextClass.DOCS)

    alone = [stream_of(text) for text in texts]
    for threads in (1, 2, 4):
        with ThreadPoolExecutor(threads) as pool:
            assert alone == list(pool.map(stream_of, texts))


def test_this_machine_writes_what_every_other_does() -> None:
    assert READ_STREAMS == read_streams_digest(proved_network())


def test_the_network_is_never_written() -> None:
    before = [array.copy() for array in proved_network().network]
    encode_read(EVERYTHING, proved_network(), TextClass.PROSE)
    assert same(before, proved_network().network)


# --- the file -----------------------------------------------------------------------------------------


def test_what_is_shipped_is_small_enough_and_named_in_the_document() -> None:
    assert len(network.PATH.read_bytes()) <= T1_BYTES_MAX
    assert network.trained().digest.hex() == network.DIGEST
    assert network.DIGEST in DOCUMENT


def test_what_is_packed_comes_back() -> None:
    found = random_trained(3)
    made = random_network(3)
    assert same(made, found.network)
    assert same([one.weights for one in starts()], [one.weights for one in found.starts])


@pytest.mark.parametrize("wrong", [b"", b"LTHN\x01", b"LTHT\x01" + bytes(100), packed(0)[:300]])
def test_what_is_no_network_is_refused(wrong: bytes) -> None:
    with pytest.raises(Unsound):
        network.unpack(wrong, learnt())


def test_no_changed_byte_of_the_file_changes_the_network() -> None:
    file, right = packed(0), random_trained(0)
    for at in [*range(80), *range(80, len(file), 997), len(file) - 1]:
        wrong = file[:at] + bytes([file[at] ^ 0x55]) + file[at + 1 :]
        with suppress(Unsound):
            found = network.unpack(wrong, learnt())
            assert same(right.network, found.network)


@pytest.mark.parametrize(
    "names", ["weights_in", "weights_down", "hashed", "scale_in scale_out scale_down", "scale_up narrow_down"]
)
def test_numbers_that_could_overflow_are_refused(names: str) -> None:
    """A scale at its largest may fit; with others it does not."""
    made = random_network(0)
    network.prove(made)
    for name in names.split():
        numbers = getattr(made, name)
        most = -128 if name == "hashed" else np.iinfo(numbers.dtype).max
        made = made._replace(**{name: np.full_like(numbers, most)})
    with pytest.raises(Unsound):
        network.prove(made)


def test_a_last_layer_that_is_too_wide_is_refused() -> None:
    with pytest.raises(Unsound, match="wider"):
        network.prove(random_network(0, replace(SHAPE, width=264)))


@pytest.mark.usefixtures("forgotten")
def test_a_missing_network_is_named_and_effort_default_does_without(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(network, "PATH", tmp_path / "network.bin")
    with pytest.raises(Unsound, match="cannot be read"):
        Text(TextParams(effort="max")).encode_group(PROSE)
    assert PROSE == Text().decode(Text().encode_group(PROSE), shared=b"", length=len(PROSE))


@pytest.mark.usefixtures("forgotten")
def test_another_network_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "network.bin").write_bytes(packed(0))
    monkeypatch.setattr(network, "PATH", tmp_path / "network.bin")
    with pytest.raises(Unsound, match="this release was made with"):
        network.trained()


@pytest.mark.usefixtures("forgotten")
def test_a_machine_that_computes_otherwise_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proof, "READ_STREAMS", "f" * 64)
    with pytest.raises(Unsound, match="neither used nor"):
        Text(TextParams(effort="max")).encode_group(PROSE)
    Text.warm()


# --- wrong bytes --------------------------------------------------------------------------------------


def test_wrong_streams_give_some_text_or_other_of_the_length_asked_for() -> None:
    stream = encode_read(PROSE[:120], proved_network(), TextClass.DOCS)
    assert stream is not None
    wrong = [stream[:end] for end in range(len(stream))]
    wrong += [stream[:at] + bytes([stream[at] ^ 255]) + stream[at + 1 :] for at in range(len(stream))]
    wrong += [random.Random(seed).randbytes(60) for seed in range(10)]
    for one in wrong:
        assert len(decode_read(one, 120, proved_network(), TextClass.DOCS)) == 120


# --- what it wins -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "text_class"), list(zip(TEXTS, FIRST_CLASSES, strict=False)))
def test_texts_become_smaller_than_without_the_network(name: str, text_class: TextClass) -> None:
    mixed, read = encode_text(TEXTS[name], learnt(), text_class), encode_read(TEXTS[name], proved_network(), text_class)
    assert mixed is not None
    assert read is not None
    assert len(read) < len(mixed)
