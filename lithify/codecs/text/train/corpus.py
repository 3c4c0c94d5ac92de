"""The texts to learn from: members of tar files, each with its class, shuffled and split by hashes of their names."""

import hashlib
import tarfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from lithify.codecs.text.classes import TextClass

CLASS_OF = {
    "books_en": TextClass.PROSE,
    "docs2": TextClass.DOCS,
    "code": TextClass.CODE,
    "json": TextClass.MARKUP,
    "markup": TextClass.MARKUP,
}
"""By the name of the tar file."""
LEARNT_CLASSES = tuple(dict.fromkeys(CLASS_OF.values()))

STARTS, VALIDATION, COUNTS = range(4), range(4, 6), range(6, 100)
"""Of a hundred parts: what the starts are learnt from, what nothing is learnt from, what is counted."""
_WIDTH_MIN, _WIDTHS = 66, 11
_PIECES = (3_000, 8_000, 20_000, 60_000, 200_000)
_PIECE_MAX = 100_000


@dataclass(frozen=True, slots=True)
class Document:
    """One text."""

    name: str
    text_class: TextClass
    text: bytes

    @property
    def part(self) -> int:
        """0 to 99, by its name."""
        return number_of(self.name) % 100


def read_corpus(folder: Path) -> list[Document]:
    """All documents, in an order that has nothing to do with what they are."""
    found = [document for name in CLASS_OF for document in _members(folder / f"{name}.tar.xz", CLASS_OF[name])]
    return shuffled(found)


def shuffled(documents: Iterable[Document]) -> list[Document]:
    """Documents in an order that has nothing to do with what they are."""
    return sorted(documents, key=lambda document: hashlib.sha256(document.name.encode()).digest()[::-1])


def _members(path: Path, text_class: TextClass) -> Iterator[Document]:
    with tarfile.open(path) as tar:
        for member in tar:
            file = tar.extractfile(member) if member.isfile() else None
            if file is not None and (text := file.read()):
                text = as_books_are(member.name, text) if text_class is TextClass.PROSE else text
                yield Document(member.name, text_class, text)


def as_books_are(name: str, text: bytes) -> bytes:
    """Every second book with lines of some width: people keep them both ways, and these have a paragraph a line."""
    chance = number_of(f"lines of {name}")
    if chance % 2:
        return text
    width = _WIDTH_MIN + chance // 2 % _WIDTHS
    ending = b"\r\n" if chance // 64 % 5 == 0 else b"\n"
    return ending.join(piece for line in text.split(b"\n") for piece in _wrapped(line, width))


def _wrapped(line: bytes, width: int) -> Iterator[bytes]:
    while len(line) > width:
        cut = line.rfind(b" ", 1, width)
        cut = line.find(b" ", width) if cut < 0 else cut
        if cut < 0:
            break
        yield line[:cut]
        line = line[cut + 1 :]
    yield line


def pieces(documents: Sequence[Document], text_class: TextClass, part: range, bytes_max: int) -> list[Document]:
    """Documents of one part, cut to lengths that people keep, as many as there is room for."""
    found: list[Document] = []
    room = bytes_max
    for document in documents:
        if document.text_class is not text_class or document.part not in part:
            continue
        for text in _cut(document):
            if room <= 0:
                return found
            found.append(Document(document.name, text_class, text[:room]))
            room -= len(text)
    return found


def _cut(document: Document) -> Iterator[bytes]:
    if document.text_class is not TextClass.PROSE:
        yield document.text[:_PIECE_MAX]
        return
    for length in _PIECES:
        start = number_of(f"{length} of {document.name}") % max(1, len(document.text) - length)
        yield document.text[start : start + length]


def number_of(text: str) -> int:
    """64 bits by chance, always the same ones for the same text."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
