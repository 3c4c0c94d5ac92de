"""What earlier logs teach: a block of their lines, whose text and streams serve as dictionaries for the next log's.

A primer is a magic number, the length of the text as a varint, and a payload of this family that decodes to it.
"""

from collections.abc import Sequence

import numpy as np

from lithify import limits
from lithify.codecs.logs.behind import encode_behind
from lithify.codecs.logs.decode import Block
from lithify.codecs.logs.dictionary import pack_primed, unpack_primed
from lithify.codecs.logs.following import Following, FollowingBlock, Leader
from lithify.codecs.logs.layout import Layout
from lithify.codecs.logs.mixing import Learnt
from lithify.codecs.logs.streams import LEARNT_BYTES_MAX, Packed, get_varint
from lithify.errors import Corrupt, LimitExceeded

MAGIC = b"LTHP\x01"
TEXT_BYTES_MAX = 2048 * limits.KIB


def choose_lines(samples: Sequence[bytes]) -> bytes:
    """A text of whole lines from all samples, each as long as the others where it can be.

    samples  the newest first; the text has it last, next to what goes on behind
    """
    lines, left = {}, len(samples)
    room = TEXT_BYTES_MAX
    for n, sample in sorted(enumerate(samples), key=lambda numbered: len(numbered[1])):
        piece = sample[: room // left]
        piece = piece[: piece.rfind(b"\n") + 1]
        lines[n] = piece
        room -= len(piece)
        left -= 1
    return b"".join(lines[n] for n in sorted(lines, reverse=True))


class Teacher:
    """A primer, unpacked."""

    def __init__(self, primer: bytes) -> None:
        """Raises Truncated, Corrupt or LimitExceeded."""
        if not primer.startswith(MAGIC):
            raise Corrupt(f"not a primer for logs: it begins with {primer[: len(MAGIC)].hex()}, not {MAGIC.hex()}")
        length, at = get_varint(primer, len(MAGIC))
        if length > TEXT_BYTES_MAX:
            raise LimitExceeded(f"a primer of {length} bytes of text; the limit is {TEXT_BYTES_MAX}")
        self.packed = Packed(primer, at, length)
        block = Block(Layout(self.packed, length))
        self._text = block.text()
        self.leader = Leader(block, self._text, self.packed)
        self._learnt = Learnt(self._text[-LEARNT_BYTES_MAX:])

    def follow(self, block: bytes) -> bytes | None:
        """A block whose streams go on behind the primer's; None if they cannot."""
        return encode_behind(block, self.leader)

    def unfollow(self, payload: bytes, length: int) -> bytes:
        """The inverse. Raises Truncated, Corrupt or LimitExceeded."""
        return FollowingBlock(Following(Packed(payload, 0, length, self.leader), length, self.leader)).text()

    def pack(self, block: bytes) -> bytes:
        """A block with the primer's text as dictionary: quick."""
        return pack_primed(block, self._text)

    def unpack(self, payload: bytes, length: int) -> bytes:
        """The inverse. Raises Corrupt or LimitExceeded."""
        return unpack_primed(payload, self._text, length)

    def mix(self, block: bytes) -> bytes:
        """A block as a text that goes on behind the primer's: dense."""
        return self._learnt.encode(np.frombuffer(block, np.uint8))

    def unmix(self, payload: bytes, length: int) -> bytes:
        """The inverse. Bytes that no encoder wrote give some text or other."""
        return self._learnt.decode(payload, length).tobytes()
