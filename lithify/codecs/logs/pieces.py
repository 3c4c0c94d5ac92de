"""What a search may look for in a block, piece by piece: no piece is cut by the border of a slot.

A token is a whole run of letters, digits, underscores and bytes from 128 on (scan.py), so such a run in a text that
somebody looks for lies in one static piece, or in one value. Only a time may end within a run, before a letter: as the
`Z` behind the seconds. And four numbers with dots between them are one token where they are an address.
"""

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

_RUN = re.compile(rb"[A-Za-z0-9_\x80-\xff]+")
_ADDRESS = re.compile(rb"[0-9]{1,3}(?:\.[0-9]{1,3}){3}")
_LETTERS = re.compile(rb"[A-Za-z_\x80-\xff]+")
_CUT = re.compile(rb"[0-9](?=[A-Za-z_\x80-\xff])")
_MONTHS = (b"jan", b"feb", b"mar", b"apr", b"may", b"jun", b"jul", b"aug", b"sep", b"oct", b"nov", b"dec")
_DIGITS_ALIKE = bytes.maketrans(b"123456789", b"0" * 9)
_MONTH_LETTERS = 3
PIECES_MAX = 3
"""More than a few say little that is new."""


class Piece(NamedTuple):
    """A part of a text, as it must occur in a line; lower case if case is ignored."""

    text: bytes
    ignore_case: bool

    @property
    def is_number(self) -> bool:
        return self.text.isdigit()

    @property
    def is_address(self) -> bool:
        return b"." in self.text

    @property
    def is_numeric(self) -> bool:
        """Whether a number, an address or a time may hold it."""
        return not self.text.translate(None, b"0123456789.Tt") or len(self.text) <= _MONTH_LETTERS

    @property
    def is_hexadecimal(self) -> bool:
        return not self.text.translate(None, b"0123456789abcdefABCDEF")

    def folded(self, text: bytes) -> bytes:
        """A text to look for the piece in."""
        return text.lower() if self.ignore_case else text

    def fits(self, time: bytes) -> bool:
        """Whether it may occur in times that are written like this one."""
        folded = self.text.lower()
        if folded.isalpha() and any(folded in month for month in _MONTHS) and _LETTERS.search(time):
            return True
        return folded.translate(_DIGITS_ALIKE) in time.lower().translate(_DIGITS_ALIKE)

    def is_cut_before(self, rest: bytes) -> bool:
        """Whether it may begin in a time and end in what follows; `rest` is the run there, empty: another value."""
        return any(not rest or self.folded(rest).startswith(end) for end in self.ends)

    @property
    def ends(self) -> list[bytes]:
        """What may follow a time of which the rest of the piece is the end."""
        cuts = (found.end() for found in _CUT.finditer(self.text))
        return [self.text[cut:] for cut in cuts if not self.text[:cut].translate(None, b"0123456789Tt")]


def pieces(literals: Sequence[bytes], *, ignore_case: bool) -> list[Piece]:
    """The pieces of texts that a line must have all of, those first that say most; none: any line may."""
    found: set[bytes] = set()
    for literal in literals:
        folded = literal.lower() if ignore_case else literal
        addresses = list(_ADDRESS.finditer(folded))
        ends = [0, *(place for one in addresses for place in one.span()), len(folded)]
        found.update(one[0] for one in addresses)
        for start, end in list(pairwise(ends))[::2]:
            found.update(_RUN.findall(folded[start:end]))
    best = sorted(found, key=lambda text: (-len(text), text))
    return [Piece(text, ignore_case) for text in best[:PIECES_MAX]]
