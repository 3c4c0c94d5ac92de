"""Which texts are read of which packages, and as which language."""

import csv
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from lithify.codecs.text.train.corpus import number_of
from lithify.codecs.text.train.languages.debian import fetch, files
from lithify.codecs.text.train.languages.plain import of_messages, of_page

PACKAGES = Path(__file__).parent / "packages.tsv"
LANGUAGES = ("cs", "de", "es", "fr", "it", "ja", "ko", "nl", "pl", "pt", "ru", "sv", "tr", "uk", "zh")

_KINDS = (
    ("debian-faq", r"\.(?P<tongue>[a-z]+)(-[a-z]+)?\.html$"),
    ("debian-handbook", r"html/(?P<tongue>[a-z]+)-[A-Z]+/[^/]+\.html$"),
    ("debian-reference", r"\.(?P<tongue>[a-z]+)(-[a-z]+)?\.html$"),
    ("gnome-user-docs", r"help/(?P<tongue>[a-z]+)(_[A-Z]+)?/.*\.page$"),
    ("installation-guide", r"amd64/(?P<tongue>[a-z]+)(_[A-Z]+)?/.*\.html$"),
    ("libreoffice-help", r"help/(?P<tongue>[a-z]+)(-[A-Z]+)?/text/.*\.html$"),
    ("wesnoth", r"locale/(?P<tongue>[a-z]+)(_[A-Z]+)?/LC_MESSAGES/.*\.mo$"),
)
_BYTES_MIN = 600
_ENGLISH = b" the "
_LINE_TIMES_MAX = 2
_LANGUAGE_BYTES_MAX = {"libreoffice-help": 800_000}
"""Of one language: a handbook of an office in 2,600 pages would drown all else."""
_PIECE_BYTES = 60_000


@dataclass(frozen=True, slots=True)
class Text:
    """One text, and where it is from."""

    name: str
    """language/package/path"""
    text: bytes


def texts(folder: Path, use: Literal["learn", "measure"] = "learn") -> Iterator[Text]:
    """All texts of the packages for this use, which are kept in `folder`. Raises Corrupt when one is another.

    What is measured is from other packages than what is learnt from.
    """
    with PACKAGES.open(newline="") as file:
        rows = [row for row in csv.DictReader(file, delimiter="\t") if row["use"] == use]
    for row in rows:
        kind, pattern = next(found for found in _KINDS if row["package"].startswith(found[0]))
        yield from _of_package(fetch(row["pool"], row["sha256"], folder), row["package"], kind, re.compile(pattern))


def _of_package(package: bytes, name: str, kind: str, pattern: re.Pattern[str]) -> Iterator[Text]:
    left = dict.fromkeys(LANGUAGES, _LANGUAGE_BYTES_MAX.get(kind, 1 << 40))
    seen = _Seen()
    inside = [(path, content) for path, content in files(package) if pattern.search(path)]
    for path, content in sorted(inside, key=lambda one: number_of(one[0])):
        found = pattern.search(path)
        assert found is not None, "only such paths were taken"
        tongue = found["tongue"]
        for number, piece in enumerate(_pieces(_plain(path)(content))):
            text = seen.new_lines(tongue, piece)
            if left.get(tongue, 0) > 0 and len(text) >= _BYTES_MIN:
                left[tongue] -= len(text)
                yield Text(f"{tongue}/{name}/{path}/{number}", text)


def _plain(path: str) -> Callable[[bytes], str]:
    return of_messages if path.endswith(".mo") else lambda content: of_page(content.decode("utf-8", "replace"))


def _pieces(text: str) -> Iterator[bytes]:
    """A long text in pieces that end with paragraphs."""
    piece, length = [], 0
    for line in text.encode().splitlines(keepends=True):
        piece.append(line)
        length += len(line)
        if length >= _PIECE_BYTES:
            yield b"".join(piece)
            piece, length = [], 0
    yield b"".join(piece)


class _Seen:
    """Lines of one package, by language: what stands at the head of every page says nothing of the language."""

    def __init__(self) -> None:
        self._times: Counter[tuple[str, bytes]] = Counter()

    def new_lines(self, tongue: str, text: bytes) -> bytes:
        """The text without lines that came too often already, and without those that nobody translated."""
        return b"".join(line for line in text.splitlines(keepends=True) if self._is_new(tongue, line))

    def _is_new(self, tongue: str, line: bytes) -> bool:
        if not line.strip():
            return True
        self._times[tongue, line] += 1
        return self._times[tongue, line] <= _LINE_TIMES_MAX and _ENGLISH not in line
