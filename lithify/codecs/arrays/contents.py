"""What is inside a payload, for people: each array with its name, type and shape, and by which methods it is kept."""

from collections.abc import Sequence
from itertools import pairwise

from lithify.codecs.arrays.block import called
from lithify.codecs.arrays.checks import read_head
from lithify.codecs.arrays.containers.find import variables_in
from lithify.codecs.arrays.extents import Extent
from lithify.codecs.arrays.payload import Opened, open_payload
from lithify.codecs.inside import Inside

_GENERAL = {0x00: "stored", 0x01: "zstd", 0x02: "shuffled zstd", 0x03: "xz", 0x04: "shuffled xz"}
"""Methods of blocks (VALUES.md), as people call them."""


def contents_of(payload: bytes, length: int) -> list[Inside]:
    """A row for each array, and one for the rest; none if a general coder keeps the whole.

    Raises Truncated, Corrupt or LimitExceeded.
    """
    opened = open_payload(payload, length)
    if not opened.extents:
        return []
    rows = [
        Inside(f"{name} {_shown(extent)}".lstrip(), methods_of(stored, extent), extent.stored_bytes, len(stored))
        for name, extent, stored in zip(_names(opened), opened.extents, opened.payloads, strict=True)
    ]
    rest = len(payload) - sum(map(len, opened.payloads))
    return [*rows, Inside("headers and all else", "general", len(opened.skeleton), rest)]


def methods_of(stored: bytes, extent: Extent) -> str:
    """How the blocks of an array are kept, each way once."""
    bounds = read_head(stored, extent.shape, extent.element.native).bounds
    bodies = (stored[at:end] for at, end in pairwise(bounds) if end > at)
    names = (_GENERAL.get(body[0]) or called(body) or f"method 0x{body[0]:02x}" for body in bodies)
    return "+".join(dict.fromkeys(names)) or "nothing"


def _shown(extent: Extent) -> str:
    bits = f", {extent.element.bits} bits" if extent.element.bits else ""
    return f"({extent.element.type}{bits}: {' x '.join(map(str, extent.shape)) or 'one'})"


def _names(opened: Opened) -> Sequence[str]:
    """What the container calls each of the arrays; empty where it does not, or its headers are in another chunk."""
    holes = bytes(opened.with_holes())
    if opened.inflated is None:
        found = variables_in(holes)
    else:
        every = frozenset(stream.offset for stream in opened.inflated.streams)
        file = opened.inflated.closed(holes, without=every)
        found = variables_in(file, inflated=opened.inflated, plain=holes)
    names = {one.extent: one.name.lstrip("/") for one in found}
    return [names.get(extent, "") for extent in opened.extents]
