"""Any bytes as symbols: tokens as the model's own tokenizer finds them, and bytes that no token has.

The tokens' bytes, one after another, are always exactly the text: where the tokenizer changes anything, tokens are
found without it, the longest first.
"""

from collections.abc import Iterator
from functools import lru_cache

import numpy as np

from lithify.codecs.array_types import I32
from lithify.codecs.text.lm.model import ExactModel
from lithify.errors import BadArgument, MissingExtra

_PIECE_BYTES = 1 << 16
_TRIES = 8
"""How often the tokenizer is asked again behind a place where it changed something, before it is left for the piece."""
_ASKED_BYTES_MIN = 4


class Speller:
    """Turns bytes into symbols: a token's number, or the size of the vocabulary plus a byte."""

    def __init__(self, tokenizer: bytes, tokens: tuple[bytes, ...]) -> None:
        """Read the tokenizer. Raises MissingExtra, or BadArgument when it cannot be read."""
        try:
            from tokenizers import Tokenizer
        except ModuleNotFoundError as error:
            raise MissingExtra("finding tokens needs the extra llm: pip install 'lithify[llm]'") from error
        try:
            self._tokenizer = Tokenizer.from_str(tokenizer.decode())
        except Exception as error:
            raise BadArgument(f"the model's tokenizer cannot be read: {error}") from error
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self._tokenizer.encode_special_tokens = True
        self._tokens = tokens
        self._numbers = {token: number for number, token in reversed(list(enumerate(tokens))) if token}
        self._most = max(map(len, self._numbers), default=0)

    def spell(self, text: bytes) -> I32:
        """The symbols of a text."""
        found: list[int] = []
        for piece in _pieces(text):
            for stretch, is_text in _stretches(piece):
                found += self._text(stretch) if is_text else self._longest(stretch)
        return np.array(found, np.int32)

    def _text(self, text: bytes) -> list[int]:
        """As the tokenizer tells it; where that changes something, the longest token; then the tokenizer again."""
        found, at = self._as_told(text)
        for _ in range(_TRIES):
            if at == len(text):
                return found
            symbol, length = self._longest_at(text, at)
            found.append(symbol)
            at += length
            while at < len(text) and text[at] & 0xC0 == 0x80:  # that was a part of a character
                symbol, length = self._longest_at(text, at)
                found.append(symbol)
                at += length
            more, further = self._as_told(text[at:])
            found += more
            at += further
        return found + self._longest(text[at:])

    def _as_told(self, text: bytes) -> tuple[list[int], int]:
        """What the tokenizer finds, as far as it is what stands there; how many bytes that is."""
        found: list[int] = []
        at = 0
        for number in self._tokenizer.encode(text.decode(), add_special_tokens=False).ids if text else ():
            token = self._tokens[number] if number < len(self._tokens) else b""
            if token and text.startswith(token, at):
                found.append(number)
            elif not at and token[:1] == b" " and text.startswith(token[1:]):
                found += self._longest(token[1:])  # some tokenizers put a space before every text
                at -= 1
            else:
                break
            at += len(token)
        return found, at

    def _longest(self, data: bytes) -> list[int]:
        found, at = [], 0
        while at < len(data):
            symbol, length = self._longest_at(data, at)
            found.append(symbol)
            at += length
        return found

    def _longest_at(self, piece: bytes, at: int) -> tuple[int, int]:
        for length in range(min(self._most, len(piece) - at), 0, -1):
            number = self._numbers.get(piece[at : at + length])
            if number is not None:
                return number, length
        return len(self._tokens) + piece[at], 1


def said(symbols: I32, tokens: tuple[bytes, ...]) -> bytes:
    """The bytes of symbols."""
    size = len(tokens)
    return b"".join(tokens[one] if one < size else bytes([one - size]) for one in symbols.tolist())


def said_bytes(symbols: I32, tokens: tuple[bytes, ...]) -> int:
    """How many bytes they are."""
    lengths = np.array([*map(len, tokens), *([1] * 256)], np.int64)
    return int(lengths[symbols].sum())


@lru_cache(maxsize=1)
def speller(tokenizer: bytes, tokens: tuple[bytes, ...]) -> Speller:
    """The last model's speller is kept: reading one takes a second."""
    return Speller(tokenizer, tokens)


def speller_of(model: ExactModel) -> Speller:
    """How this model spells."""
    return speller(model.tokenizer, model.tokens)


def _pieces(text: bytes) -> list[bytes]:
    """The text in pieces that end behind a line, or a space, or before a character."""
    found, at = [], 0
    while len(text) - at > _PIECE_BYTES:
        end = at + _PIECE_BYTES
        seam = max(text.rfind(b"\n", at + _PIECE_BYTES // 2, end) + 1, at)
        if seam == at:
            seam = max(text.rfind(b" ", at + _PIECE_BYTES // 2, end), at)
        while seam == at or (text[seam] & 0xC0 == 0x80 and seam > end - 4):
            seam = end if seam == at else seam - 1
        found.append(text[at:seam])
        at = seam
    return [*found, text[at:]] if at < len(text) else found


def _stretches(piece: bytes) -> Iterator[tuple[bytes, bool]]:
    """What of a piece is UTF-8, and what is not; text too short to be worth asking about goes with what is not."""
    at, kept = 0, b""
    while at < len(piece):
        try:
            piece[at:].decode()
            valid = end = len(piece)
        except UnicodeDecodeError as error:
            valid, end = at + error.start, at + error.end
        if valid - at >= _ASKED_BYTES_MIN:
            if kept:
                yield kept, False
            yield piece[at:valid], True
            kept = piece[valid:end]
        else:
            kept += piece[at:end]
        at = end
    if kept:
        yield kept, False
