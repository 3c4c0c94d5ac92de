"""The tables of the text codec: what is packed comes back, and what is not as it should be is refused in a sentence."""

import hashlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from lithify.codecs.array_types import U8
from lithify.codecs.text import learnt, proof
from lithify.codecs.text.classes import FIRST_CLASSES, TextClass
from lithify.codecs.text.codec import Text
from lithify.codecs.text.model import SLOT_BYTES, Start, blank_start
from lithify.codecs.text.train.choosing import grades
from lithify.codecs.text.train.corpus import Document, pieces
from lithify.errors import Unsound

STARTS = tuple(learnt.rounded(blank_start()) for _ in FIRST_CLASSES)
T0_BYTES_MAX = 8_000_000
"""What may be shipped for this tier, of 30 MB for all."""


@pytest.fixture
def forgotten() -> Iterator[None]:
    """The tables are loaded anew, and again afterwards."""
    learnt.learnt.cache_clear()
    proof.proved.cache_clear()
    yield
    learnt.learnt.cache_clear()
    proof.proved.cache_clear()


def slots() -> U8:
    """Some, with counts of every kind."""
    counts = np.zeros((64, SLOT_BYTES, 2), np.uint16)
    for row in range(0, 64, 3):
        for number in range(row + 1):
            node = 1
            for depth in range(4):
                bit = hashlib.sha256(bytes([row, number])).digest()[depth] % (2 + row % 3) == 0
                counts[row, node, int(bit)] += 1
                node = 2 * node + int(bit)
    table = grades(counts)
    table[::3, 0] = np.arange(len(table[::3]))
    return table.reshape(-1)


def test_what_is_packed_comes_back() -> None:
    found = learnt.unpack(learnt.pack(slots(), STARTS))
    assert slots().tobytes() == found.primed.tobytes()
    for old, new in zip(STARTS, found.starts, strict=True):
        for name in Start._fields:
            assert (getattr(old, name) == getattr(new, name)).all()


def test_what_is_shipped_is_small_enough_and_packs_to_itself() -> None:
    shipped = learnt.PATH.read_bytes()
    found = learnt.unpack(shipped)
    assert len(shipped) <= T0_BYTES_MAX
    assert found.digest.hex() == learnt.DIGEST
    assert learnt.unpack(learnt.pack(found.primed, found.starts, level=3)).digest == found.digest


@pytest.mark.parametrize("wrong", [b"", b"LTHT\x01", b"LTHP\x01" + bytes(100)])
def test_what_are_no_tables_is_refused(wrong: bytes) -> None:
    with pytest.raises(Unsound):
        learnt.unpack(wrong)


def test_no_changed_byte_of_the_file_changes_the_tables() -> None:
    packed = learnt.pack(slots(), STARTS)
    for at in [*range(60), *range(60, len(packed), 997), len(packed) - 1]:
        wrong = packed[:at] + bytes([packed[at] ^ 0x55]) + packed[at + 1 :]
        with suppress(Unsound):
            assert learnt.unpack(wrong).primed.tobytes() == slots().tobytes()


@pytest.mark.usefixtures("forgotten")
def test_missing_tables_are_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(learnt, "PATH", tmp_path / "learnt.bin")
    with pytest.raises(Unsound, match="cannot be read"):
        Text().encode_group(b"It settles.")


@pytest.mark.usefixtures("forgotten")
def test_other_tables_are_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "learnt.bin").write_bytes(learnt.pack(slots(), STARTS))
    monkeypatch.setattr(learnt, "PATH", tmp_path / "learnt.bin")
    with pytest.raises(Unsound, match="this release was made with"):
        learnt.learnt()


@pytest.mark.usefixtures("forgotten")
def test_a_machine_that_computes_otherwise_is_refused_and_the_other_codecs_stay(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(proof, "STREAMS", "f" * 64)
    with pytest.raises(Unsound, match="neither encoded nor decoded here"):
        Text().encode_group(b"It settles.")
    Text.warm()


def test_pieces_come_from_their_part_only() -> None:
    documents = [Document(f"d{n}", TextClass.CODE, b"x" * 10) for n in range(300)]
    found = pieces(documents, TextClass.CODE, range(4, 6), 1000)
    assert found
    assert {document.part for document in found} <= {4, 5}
