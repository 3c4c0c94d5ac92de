"""How often zeros and ones came at every node of every context that returned."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from lithify.codecs.array_types import I64, U8, U16, U32
from lithify.codecs.kernel import bare, wide
from lithify.codecs.text.contexts import CONTEXTS, MEMORY, find_contexts, hash_two
from lithify.codecs.text.model import SLOT_BYTES
from lithify.codecs.text.train.corpus import Document

PARENTS = (0, 0, 1, 2, 3, 4, 2, 6)
"""Per primed context the shorter one that would have to do without it."""
SLOTS_LOG = 24  # 1.2 GB; where four slots are full, the one that was used least makes room
_BUCKET = 4
_PER_SLOT = 2 * SLOT_BYTES
_USES_MIN = 2
_USED_MOST = 65535


@dataclass(frozen=True)
class Counted:
    """The slots of one context, by hash."""

    hashes: U32
    parent_hashes: U32
    counts: U16
    """(slot, node, bit)"""


def count(documents: Iterable[Document], context: int, slots_log: int = SLOTS_LOG) -> Counted:
    """Count one context through all documents, in 2^slots_log slots."""
    hashes = np.zeros(1 << slots_log, np.uint32)
    parent_hashes = np.zeros(1 << slots_log, np.uint32)
    counts = np.zeros(_PER_SLOT << slots_log, np.uint16)
    for document in documents:
        _count(
            np.frombuffer(document.text, np.uint8),
            int(document.text_class),
            context,
            PARENTS[context],
            hashes,
            parent_hashes,
            counts,
            np.zeros(CONTEXTS, np.int64),
            np.zeros(MEMORY, np.int64),
        )
    by_node = counts.reshape(-1, SLOT_BYTES, 2)
    kept = np.flatnonzero(by_node[:, 1].sum(axis=1, dtype=np.int64) >= _USES_MIN)
    kept = kept[np.argsort(hashes[kept], kind="stable")]
    return Counted(hashes[kept], parent_hashes[kept], by_node[kept])


@bare
def _count(
    data: U8,
    text_class: int,
    which: int,
    parent: int,
    hashes: U32,
    parent_hashes: U32,
    counts: U16,
    context: I64,
    memory: I64,
) -> None:
    for at in range(len(data)):
        find_contexts(context, memory, data, at, text_class)
        partial = wide(1)
        for half in range(2):
            h = hash_two(context[which], partial) if half else context[which]
            bucket = (h * 0x9E3779B1 >> 5) & (len(hashes) - 1) & ~(_BUCKET - 1)
            found, least, uses_least = wide(-1), bucket, wide(1) << 40
            for k in range(bucket, bucket + _BUCKET):
                if hashes[k] == h:
                    found = k
                    break
                uses = wide(counts[k * _PER_SLOT + 2]) + wide(counts[k * _PER_SLOT + 3])
                if uses < uses_least:
                    uses_least, least = uses, k
            if found < 0:
                found = least
                hashes[found] = h
                parent_hashes[found] = hash_two(context[parent], partial) if half else context[parent]
                for k in range(found * _PER_SLOT, (found + 1) * _PER_SLOT):
                    counts[k] = 0
            nibble = wide(data[at]) & 15 if half else wide(data[at]) >> 4
            node = wide(1)
            for depth in range(4):
                bit = (nibble >> (3 - depth)) & 1
                k = found * _PER_SLOT + 2 * node + bit
                if counts[k] < _USED_MOST:
                    counts[k] += 1
                node = node << 1 | bit
            partial = 16 | nibble
