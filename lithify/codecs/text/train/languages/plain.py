"""Texts as people write them, out of the files that packages keep them in: pages, catalogs of messages, fortunes."""

import re
import struct
from collections.abc import Iterator
from html.parser import HTMLParser

_APART = frozenset(
    {"p", "div", "li", "ul", "ol", "dl", "dt", "dd", "h1", "h2", "h3", "h4", "h5", "h6", "tr", "td", "th", "table"}
    | {"pre", "blockquote", "br", "hr", "section", "article", "body", "item", "title", "page", "note", "list", "steps"}
)
_UNREAD = frozenset({"script", "style", "head", "nav", "svg", "info", "credit", "license"})
_KEPT_AS_IT_IS = frozenset({"pre", "screen", "code", "programlisting"})
_SPACES = re.compile(r"\s+")
_PARAGRAPHS = re.compile(r"\n{3,}")
_FORTUNE_END = re.compile(r"^%$\n?", re.MULTILINE)
_MAGIC, _ENTRIES = b"\xde\x12\x04\x95", struct.Struct("<III")
_MESSAGE_BYTES_MIN = 40
"""Shorter messages are names of buttons, and say little about sentences."""
_CONTEXT_END = "\x04"
_MARKS = re.compile(r"</?[a-z_]+>|\w+='([^']*)'|\|")


class _Reader(HTMLParser):
    """What a page says, a paragraph a line."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self._unread = 0
        self._verbatim = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del attrs
        self._unread += tag in _UNREAD
        self._verbatim += tag in _KEPT_AS_IT_IS
        if tag in _APART:
            self.pieces.append("\n")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _APART:
            self.pieces.append("\n")

    def handle_endtag(self, tag: str) -> None:
        self._unread = max(0, self._unread - (tag in _UNREAD))
        self._verbatim = max(0, self._verbatim - (tag in _KEPT_AS_IT_IS))
        if tag in _APART:
            self.pieces.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._unread:
            self.pieces.append(data if self._verbatim else _SPACES.sub(" ", data))


def of_page(page: str) -> str:
    """The text of a page of HTML, or of XML that marks paragraphs as HTML does."""
    reader = _Reader()
    reader.feed(page)
    reader.close()
    lines = (line.strip() for line in "".join(reader.pieces).split("\n"))
    return _PARAGRAPHS.sub("\n\n", "\n".join(lines)).strip()


def of_fortunes(text: str) -> str:
    """Sayings, an empty line between them."""
    return "\n".join(_FORTUNE_END.split(text)).strip()


def of_messages(catalog: bytes) -> str:
    """The translations that a compiled catalog of GNU gettext holds, if they are sentences, a paragraph each."""
    if catalog[:4] != _MAGIC:
        return ""
    _, count, _ = _ENTRIES.unpack_from(catalog, 4)
    _, translations = struct.unpack_from("<II", catalog, 12)
    return "\n".join(_sentences(_messages(catalog, translations, count)))


def _messages(catalog: bytes, table: int, count: int) -> Iterator[str]:
    for number in range(1, count):  # the first is about the catalog itself
        length, at = struct.unpack_from("<II", catalog, table + 8 * number)
        yield catalog[at : at + length].decode("utf-8", "replace").split("\0")[0].split(_CONTEXT_END)[-1]


def _sentences(messages: Iterator[str]) -> Iterator[str]:
    for message in messages:
        text = _MARKS.sub(r"\1", message).strip()
        if len(text.encode()) >= _MESSAGE_BYTES_MIN:
            yield text
