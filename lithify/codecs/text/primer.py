"""What earlier texts of a collection teach: a text that goes through the model before the next one does.

A primer is a magic number, the class that its texts belong to, the length of the text, and the text by PPMd.
"""

import struct
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from lithify import limits
from lithify.codecs.raw.ppmd import Ppmd
from lithify.codecs.text.classes import TextClass
from lithify.codecs.text.mixing import Taught
from lithify.errors import Corrupt, LimitExceeded

if TYPE_CHECKING:
    from lithify.codecs.text.learnt import Learnt

MAGIC = b"LTHX\x01"
TEXT_BYTES_MAX = 128 * limits.KIB
"""A quarter of a second for whoever encodes or decodes the first text with it, and 32 MiB to copy for every other."""
_HEAD = struct.Struct("<5sBI")


def choose_text(samples: Sequence[bytes]) -> bytes:
    """The beginnings of all samples, each as long as the others where it can be; the longest come last."""
    pieces, left, room = [], len(samples), TEXT_BYTES_MAX
    for sample in sorted(samples, key=len):
        pieces.append(sample[: room // left])
        room -= len(pieces[-1])
        left -= 1
    return b"".join(pieces)


def pack_primer(text: bytes, text_class: TextClass) -> bytes:
    """The primer of a text."""
    return _HEAD.pack(MAGIC, text_class, len(text)) + Ppmd(Ppmd.params_for("default", len(text))).encode_block(text)


class Teacher:
    """A primer, unpacked."""

    def __init__(self, primer: bytes, learnt: "Callable[[TextClass], Learnt]") -> None:
        """Raises Truncated, Corrupt or LimitExceeded.

        learnt  gives the tables of a class
        """
        if not primer.startswith(MAGIC) or len(primer) < _HEAD.size:
            raise Corrupt(f"not a primer for text: it begins with {primer[: len(MAGIC)].hex()}, not {MAGIC.hex()}")
        _, number, length = _HEAD.unpack_from(primer)
        if number not in set(TextClass):
            raise Corrupt(f"a primer for text of class {number}, which does not exist")
        if not 0 < length <= TEXT_BYTES_MAX:
            raise LimitExceeded(f"a primer of {length} bytes of text; the limit is {TEXT_BYTES_MAX}")
        self.text_class = TextClass(number)
        text = Ppmd().decode(primer[_HEAD.size :], shared=b"", length=length)
        self._taught = Taught(text, learnt(self.text_class), self.text_class)

    def encode(self, group: bytes) -> bytes | None:
        """The stream of a group that goes on behind the primer's text; None if it would be longer than the group."""
        return self._taught.encode(group)

    def decode(self, stream: bytes, length: int) -> bytes:
        """The inverse. Bytes that no encoder wrote give some text or other."""
        return self._taught.decode(stream, length)
