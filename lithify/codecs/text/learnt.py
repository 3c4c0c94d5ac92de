"""What was learnt from other texts, as the package ships it: primed slots, and where each class of text starts.

Statistics, never the texts. The file is made by `python -m lithify.codecs.text.train` (MODEL.md); FORMAT.md says what
is in it. A payload names the tables that it needs by the first bytes of their SHA-256, compared when they are loaded.
"""

import hashlib
import lzma
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import zstandard

from lithify.codecs.array_types import U8, U32, Bools
from lithify.codecs.text.classes import FIRST_CLASSES, TextClass
from lithify.codecs.text.contexts import CONTEXTS, PRIMED_CONTEXTS
from lithify.codecs.text.matches import BUCKETS
from lithify.codecs.text.model import CODES, INPUTS, MAP_BITS, MIXERS, POINTS, ROWS, SLOT_BYTES, Start
from lithify.codecs.text.models import ENGLISH, LANGUAGES
from lithify.errors import Unsound

PATH = ENGLISH.path
DIGEST = ENGLISH.digest
NAME_BYTES = 2

MAGIC = b"LTHT\x01"
_HEAD = struct.Struct("<5s32sB4I")
_LZMA = [{"id": lzma.FILTER_LZMA2, "dict_size": 1 << 23, "lc": 0, "lp": 1, "pb": 1}]
_ZEROS_ONLY, _ONES_ONLY = range(1, 8), range(8, 15)
"""Codes of nodes that have seen one kind of bit; all above have seen both."""
NOTHING: U8 = np.zeros(2 * SLOT_BYTES, np.uint8)

_SLOT = np.dtype(("V", SLOT_BYTES))
_TURNED_AT_ONCE = 4096

Array = npt.NDArray[np.generic]


@dataclass(frozen=True)
class Learnt:
    """The tables, unpacked."""

    primed: U8
    starts: tuple[Start, ...]
    digest: bytes
    classes: tuple[TextClass, ...] = FIRST_CLASSES
    """Those that they are for, each with its start."""

    def start_for(self, text_class: TextClass) -> Start:
        """What a text of this class begins from."""
        return self.starts[self.classes.index(text_class)]

    @property
    def name(self) -> bytes:
        """What payloads call these tables."""
        return self.digest[:NAME_BYTES]

    def primed_for(self, text_class: TextClass) -> U8:
        """The slots that this class looks up."""
        return NOTHING if text_class is TextClass.OTHER else self.primed


@cache
def learnt() -> Learnt:
    """The tables of this release. Raises Unsound if they are not what it was made with."""
    return shipped(read_tables(PATH), DIGEST)


@cache
def languages() -> Learnt:
    """The tables of this release for languages other than English. Raises Unsound as `learnt`."""
    return shipped(read_tables(LANGUAGES.path), LANGUAGES.digest)


def read_tables(path: Path) -> bytes:
    """The file of a model. Raises Unsound if it is not there."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise Unsound(f"the tables of the text codec cannot be read ({error}): install lithify again") from error


def shipped(packed: bytes, digest: str) -> Learnt:
    """The tables in a file that should be those of this SHA-256. Raises Unsound if they are others."""
    found = unpack(packed, (TextClass.LANGUAGES,) if digest == LANGUAGES.digest else FIRST_CLASSES)
    if found.digest.hex() != digest:
        raise Unsound(
            f"the tables of the text codec are {found.digest.hex()[:12]}…, this release was made with {digest[:12]}…: "
            "install lithify again"
        )
    return found


# --- the file ---------------------------------------------------------------------------------------------


def pack(primed: U8, starts: tuple[Start, ...], *, level: int = 19) -> bytes:
    """The file of these tables; `level` is that of Zstandard."""
    slots = primed.reshape(-1, SLOT_BYTES)
    used = slots[:, 1] != 0
    sections = (
        zstandard.compress(np.packbits(used).tobytes(), level),
        slots[used, 0].tobytes(),
        zstandard.compress(b"".join(_code_streams(slots[used])), level),
        lzma.compress(b"".join(map(_start_bytes, starts)), lzma.FORMAT_RAW, filters=_LZMA),
    )
    size = (len(slots) - 1).bit_length()
    head = _HEAD.pack(MAGIC, _digest(primed, starts), size, *map(len, sections))
    return head + b"".join(sections)


def unpack(packed: bytes, classes: tuple[TextClass, ...] = FIRST_CLASSES) -> Learnt:
    """The tables in a file, which are for these classes. Raises Unsound if that is not what they were."""
    try:
        magic, digest, size, *lengths = _HEAD.unpack_from(packed)
        if magic != MAGIC:
            raise Unsound(f"tables of the text codec begin with {MAGIC!r}, found {magic!r}")
        used, checks, codes, starts = _sections(packed, lengths)
        primed = _slots(zstandard.decompress(used), checks, zstandard.decompress(codes), size)
        found_starts = tuple(_starts(lzma.decompress(starts, lzma.FORMAT_RAW, filters=_LZMA), len(classes)))
        found = Learnt(primed, found_starts, digest, classes)
    except (struct.error, zstandard.ZstdError, lzma.LZMAError, ValueError, IndexError) as error:
        raise Unsound(f"the tables of the text codec cannot be unpacked ({error}): install lithify again") from error
    if _digest(found.primed, found.starts) != digest:
        raise Unsound("the tables of the text codec are not what their SHA-256 says: install lithify again")
    return found


def _sections(packed: bytes, lengths: list[int]) -> Iterator[bytes]:
    at = _HEAD.size
    for length in lengths:
        yield packed[at : at + length]
        at += length


def _digest(primed: U8, starts: tuple[Start, ...]) -> bytes:
    digest = hashlib.sha256(primed.tobytes())
    for start in starts:
        digest.update(_start_bytes(start))
    return digest.digest()


# --- slots ------------------------------------------------------------------------------------------------


def _is_there(parents: U8, bit: int) -> Bools:
    """Which nodes have a child on this side: a node that has only seen zeros has none for ones."""
    only_other = _ZEROS_ONLY if bit else _ONES_ONLY
    found: Bools = (parents != 0) & ~((parents >= only_other.start) & (parents < only_other.stop))
    return found


def _code_streams(slots: U8) -> Iterator[bytes]:
    """The codes node by node, those with equal parents together: the parent says much of the child."""
    yield slots[:, 1].tobytes()
    for node in range(2, SLOT_BYTES):
        parents = slots[:, node >> 1]
        there = _is_there(parents, node & 1)
        yield slots[there, node][np.argsort(parents[there], kind="stable")].tobytes()


def _slots(used: bytes, checks: bytes, codes: bytes, size: int) -> U8:
    is_used = np.unpackbits(np.frombuffer(used, np.uint8)).view(np.bool_)
    stream = np.frombuffer(codes, np.uint8)
    nodes = np.zeros((SLOT_BYTES, int(is_used.sum())), np.uint8)
    nodes[0] = np.frombuffer(checks, np.uint8)
    nodes[1] = stream[: nodes.shape[1]]
    at = nodes.shape[1]
    for node in range(2, SLOT_BYTES):
        parents = nodes[node >> 1]
        there = np.flatnonzero(_is_there(parents, node & 1))
        children = np.empty(len(there), np.uint8)
        children[np.argsort(parents[there], kind="stable")] = stream[at : at + len(there)]
        nodes[node, there] = children
        at += len(there)
    slots = np.zeros((1 << size, SLOT_BYTES), np.uint8)
    slots.view(_SLOT)[is_used] = _turned(nodes).view(_SLOT)
    return slots.reshape(-1)


def _turned(nodes: U8) -> U8:
    """Columns as rows, in pieces that fit the processor's cache: five times as fast, and every start waits for it."""
    rows = np.empty(nodes.shape[::-1], np.uint8)
    for start in range(0, len(rows), _TURNED_AT_ONCE):
        rows[start : start + _TURNED_AT_ONCE] = nodes[:, start : start + _TURNED_AT_ONCE].T
    return rows


# --- starts -----------------------------------------------------------------------------------------------


def rounded(start: Start) -> Start:
    """What is left of a start when it is stored: 16 bits of every number, 8 of every count."""
    return _start(_start_bytes(start), 0)[0]


def _start_bytes(start: Start) -> bytes:
    return b"".join(array.tobytes() for array in _stored(start))


def _stored(start: Start) -> tuple[Array, ...]:
    return (
        (start.maps >> 16).astype("<u2"),
        (start.maps & 255).astype("u1"),
        (start.match_maps >> 16).astype("<u2"),
        (start.match_maps & 255).astype("u1"),
        start.primed_says.astype("<i2"),
        np.clip(start.weights >> 4, -32768, 32767).astype("<i2"),
        np.clip(start.final_weights >> 4, -32768, 32767).astype("<i2"),
        (start.near >> 6).astype("<u2"),
    )


def _starts(data: bytes, count: int) -> Iterator[Start]:
    at = 0
    for _ in range(count):
        start, at = _start(data, at)
        yield start


def _start(data: bytes, at: int) -> tuple[Start, int]:
    columns = []
    maps = CONTEXTS << MAP_BITS
    for kind, count in (
        ("<u2", maps),
        ("u1", maps),
        ("<u2", BUCKETS),
        ("u1", BUCKETS),
        ("<i2", PRIMED_CONTEXTS * CODES),
        ("<i2", ROWS * INPUTS),
        ("<i2", 256 * MIXERS),
        ("<u2", 256 * POINTS),
    ):
        columns.append(np.frombuffer(data, kind, count, at).astype(np.int64))
        at += columns[-1].size * np.dtype(kind).itemsize
    chances, counts, match_chances, match_counts, says, weights, final_weights, near = columns
    start = Start(
        maps=_moved(chances, counts),
        match_maps=_moved(match_chances, match_counts),
        primed_says=says.astype(np.int32),
        weights=(weights << 4).astype(np.int32).reshape(ROWS, INPUTS),
        final_weights=(final_weights << 4).astype(np.int32),
        near=(near << 6).astype(np.int32),
    )
    return start, at


def _moved(chances: npt.NDArray[np.int64], counts: npt.NDArray[np.int64]) -> U32:
    return (chances << 16 | counts).astype(np.uint32)
