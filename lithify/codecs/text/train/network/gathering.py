"""What a network is trained on: texts one behind the other, and what the mixer alone thought of each of their bits."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lithify.codecs.array_types import I32, I64, U8, U16
from lithify.codecs.chances import chances
from lithify.codecs.kernel import bare, wide
from lithify.codecs.text.classes import TextClass
from lithify.codecs.text.contexts import MEMORY, remember
from lithify.codecs.text.learnt import learnt
from lithify.codecs.text.mixing import NOBODY_ASKS, run
from lithify.codecs.text.model import new_model, size_of
from lithify.codecs.text.neural import HASHED, hash_of
from lithify.codecs.text.train.corpus import LEARNT_CLASSES, VALIDATION, Document, number_of, read_corpus

_PIECES = (2_000, 4_000, 8_000, 16_000, 30_000, 60_000, 120_000)
"""Books are cut: most texts are short, and each begins anew."""
_PIECE_MAX, _PIECE_MIN = 100_000, 200
_OTHER_EVERY = 10
"""Of so many texts one is read as if its class were not known."""
_HELD_OUT_BYTES, _HELD_OUT_PIECE_MAX = 150_000, 40_000
_STREAM_BYTES = 64


@dataclass(frozen=True)
class Texts:
    """Many texts, one behind the other."""

    data: U8
    classes: U8
    begins: U8
    """1 where a text begins."""
    mixed: U16
    """(byte, bit): the chance of a one that the mixer coded it with, in 1/65536."""
    hashes: I32
    """(byte, table): the rows of the embeddings that the bytes before it choose."""

    @property
    def before(self) -> U8:
        """The byte before each; 0 where a text begins."""
        found: U8 = np.where(self.begins == 1, 0, np.concatenate((np.zeros(1, np.uint8), self.data[:-1])))
        return found.astype(np.uint8)


def gather(folder: Path, cache: Path, megabytes: Sequence[float], hash_logs: Sequence[int]) -> tuple[Texts, Texts]:
    """What to learn from, and what nothing is learnt from. The mixer's chances take minutes: `cache` keeps them."""
    if not (cache / "held_out.npz").exists():
        documents = read_corpus(folder)
        cache.mkdir(parents=True, exist_ok=True)
        _keep(cache / "learning.npz", _learning(documents, megabytes), _OTHER_EVERY)
        _keep(cache / "held_out.npz", _held_out(documents), 0)
    return _load(cache / "learning.npz", hash_logs), _load(cache / "held_out.npz", hash_logs)


def _learning(documents: Sequence[Document], megabytes: Sequence[float]) -> list[Document]:
    found = []
    for text_class, most in zip(LEARNT_CLASSES, megabytes, strict=True):
        room = most * 1e6
        for piece in _shuffled(documents, text_class, is_held_out=False):
            if room <= 0:
                break
            if len(piece.text) >= _PIECE_MIN:
                found.append(piece)
                room -= len(piece.text)
    return sorted(found, key=lambda piece: number_of(f"order of {piece.name}"))


def _held_out(documents: Sequence[Document]) -> list[Document]:
    found = []
    for text_class in LEARNT_CLASSES:
        room = _HELD_OUT_BYTES
        for piece in _shuffled(documents, text_class, is_held_out=True):
            if _PIECE_MIN <= len(piece.text) <= _HELD_OUT_PIECE_MAX and room > 0:
                found.append(piece)
                room -= len(piece.text)
    return found


def _shuffled(documents: Sequence[Document], text_class: TextClass, *, is_held_out: bool) -> list[Document]:
    chosen = [one for one in documents if one.text_class is text_class and (one.part in VALIDATION) == is_held_out]
    pieces = [piece for document in chosen for piece in _cut(document)]
    return sorted(pieces, key=lambda piece: number_of(f"pick {piece.name}"))


def _cut(document: Document) -> Iterator[Document]:
    if document.text_class is not TextClass.PROSE:
        yield Document(document.name, document.text_class, document.text[:_PIECE_MAX])
        return
    at = number_of(f"first piece of {document.name}") % 3000
    while at < len(document.text):
        length = _PIECES[number_of(f"piece at {at} of {document.name}") % len(_PIECES)]
        yield Document(f"{at} of {document.name}", document.text_class, document.text[at : at + length])
        at += length


def _keep(path: Path, pieces: Sequence[Document], other_every: int) -> None:
    columns: dict[str, list[U8 | U16]] = {"data": [], "classes": [], "begins": [], "mixed": []}
    for place, piece in enumerate(pieces):
        is_other = other_every and place % other_every == other_every - 1
        text_class = TextClass.OTHER if is_other else piece.text_class
        data = np.frombuffer(piece.text, np.uint8)
        begins = np.zeros(len(data), np.uint8)
        begins[0] = 1
        columns["data"].append(data)
        columns["classes"].append(np.full(len(data), int(text_class), np.uint8))
        columns["begins"].append(begins)
        columns["mixed"].append(mixed_chances(data, text_class))
    with path.open("wb") as file:
        np.savez(file, allow_pickle=False, **{name: np.concatenate(arrays) for name, arrays in columns.items()})


def mixed_chances(data: U8, text_class: TextClass) -> U16:
    """(byte, bit): the chance of a one that the mixer, alone, would code each bit of a text with."""
    tables = learnt()
    model = new_model(tables.start_for(text_class), tables.primed_for(text_class), size_of(len(data)))
    traced = np.zeros(8 * len(data), np.uint16)
    stream = np.zeros(_STREAM_BYTES, np.uint8)
    is_primed = text_class is not TextClass.OTHER
    run(
        model,
        chances(),
        data.copy(),
        stream,
        False,
        int(text_class),
        is_primed,
        0,
        len(data),
        NOBODY_ASKS,
        None,
        traced,
    )
    return traced.reshape(-1, 8)


def _load(path: Path, hash_logs: Sequence[int]) -> Texts:
    with np.load(path) as file:
        data, classes, begins, mixed = (file[name] for name in ("data", "classes", "begins", "mixed"))
    return Texts(data, classes, begins, mixed, hashes_of(data, begins, hash_logs))


def hashes_of(data: U8, begins: U8, hash_logs: Sequence[int]) -> I32:
    """(byte, table): which row of each embedding the network would look up before the byte."""
    hashes = np.zeros((len(data), HASHED), np.int32)
    rows = np.array([1 << log for log in hash_logs], np.int64)
    _hash(data, begins, rows, hashes, np.zeros(MEMORY, np.int64))
    return hashes


@bare
def _hash(data: U8, begins: U8, rows: I64, hashes: I32, memory: I64) -> None:
    four = wide(0)
    for at in range(len(data)):
        if begins[at]:
            four = wide(0)
            for k in range(len(memory)):
                memory[k] = 0
        else:
            remember(memory, wide(data[at - 1]), at, 0)
        for table in range(HASHED):
            hashes[at, table] = hash_of(table, four, memory) & (rows[table] - 1)
        four = (four << 8 | wide(data[at])) & 0xFFFFFFFF
