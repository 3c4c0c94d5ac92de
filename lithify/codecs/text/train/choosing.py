"""Which contexts are worth their room, and the table of their grades."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lithify.codecs.array_types import I64, U8, U16, U32
from lithify.codecs.kernel import kernel
from lithify.codecs.text.contexts import PRIMED_CONTEXTS
from lithify.codecs.text.model import SLOT_BYTES
from lithify.codecs.text.train.corpus import Document
from lithify.codecs.text.train.counting import PARENTS, SLOTS_LOG, Counted, count

Floats = npt.NDArray[np.float64]

_SLOT_COST, _NODE_COST = 1.13, 0.32  # packed bytes, measured
_WORTH = (1.0,) * 7 + (0.7,)
"""Two words say in part what long contexts say too: measured on texts held out."""
_DOUBT = 0.4  # added to each count before a chance is made of them
_NODE_PENALTY_BITS = 0.5
_GAIN_MIN_BITS = 6.0
_AT_ONCE = 1 << 18

_CERTAIN_STEPS = (2, 3, 4, 6, 10, 20)
_MIXED_STEP, _MIXED_MOST = 4.5 / 8, 8
_ZEROS_FIRST, _ONES_FIRST, _MIXED_FIRST = 1, 8, 15


@dataclass(frozen=True)
class Room:
    """How much there is to be filled."""

    table_log: int = 21
    table_bytes: int = 6_000_000
    """What the chosen slots may take when they are packed, about."""
    slots_log: int = SLOTS_LOG
    """Where contexts are counted."""


@dataclass(frozen=True)
class Candidates:
    """The slots of one context that are worth something."""

    hashes: U32
    counts: U16
    gains: Floats


def choose(documents: Sequence[Document], room: Room = Room()) -> U8:
    """The primed slots."""
    counted: dict[int, Counted] = {}
    candidates = []
    for context in range(PRIMED_CONTEXTS):
        counted[context] = count(documents, context, room.slots_log)
        candidates.append(_candidates(context, counted))
        needed = PARENTS[context + 1 :]
        counted = {known: counted[known] for known in counted if known in needed}
        print(f"context {context}: {len(candidates[-1].hashes):,} candidates", flush=True)
    return _table(candidates, room)


def _candidates(context: int, counted: Mapping[int, Counted]) -> Candidates:
    own = counted[context]
    if not context:
        return Candidates(own.hashes, own.counts, np.full(len(own.hashes), np.inf))
    gains = _WORTH[context] * _gains(own, counted[PARENTS[context]])
    worth = np.flatnonzero(gains > _GAIN_MIN_BITS)
    return Candidates(own.hashes[worth], own.counts[worth], gains[worth])


def _gains(own: Counted, parent: Counted) -> Floats:
    """The bits that each slot saved in training, compared with predicting by its parent."""
    place = np.searchsorted(parent.hashes, own.parent_hashes)
    place[place == len(parent.hashes)] = 0
    is_known = parent.hashes[place] == own.parent_hashes
    gains = np.zeros(len(own.hashes))
    for start in range(0, len(gains), _AT_ONCE):
        piece = slice(start, start + _AT_ONCE)
        mine = own.counts[piece].astype(np.float64)
        theirs = np.where(is_known[piece, None, None], parent.counts[place[piece]], 0).astype(np.float64)
        saved = mine * np.log2(_chance(mine) / _chance(theirs))
        gains[piece] = saved.sum(axis=(1, 2)) - _NODE_PENALTY_BITS * (mine.sum(axis=2) > 0).sum(axis=1)
    return gains


def _chance(counts: Floats) -> Floats:
    """(slot, node, bit): the chance of each bit."""
    chances: Floats = (counts + _DOUBT) / (counts.sum(axis=2, keepdims=True) + 2 * _DOUBT)
    return chances


def _table(candidates: Sequence[Candidates], room: Room) -> U8:
    hashes = np.concatenate([one.hashes for one in candidates])
    gains = np.concatenate([one.gains for one in candidates])
    counts = np.concatenate([one.counts for one in candidates])
    order = np.argsort(-gains, kind="stable")
    cost = _SLOT_COST + _NODE_COST * counts.any(axis=2).sum(axis=1)[order]
    order = order[: int(np.searchsorted(np.cumsum(cost), room.table_bytes))]
    owner = np.full(1 << room.table_log, -1, np.int64)
    _place(hashes[order].astype(np.int64), owner)
    table = np.zeros((1 << room.table_log, SLOT_BYTES), np.uint8)
    taken = np.flatnonzero(owner >= 0)
    chosen = order[owner[taken]]
    table[taken] = grades(counts[chosen])
    table[taken, 0] = hashes[chosen] >> 24
    print(f"{len(chosen):,} slots of {len(order):,} found room", flush=True)
    return table.reshape(-1)


@kernel
def _place(hashes: I64, owner: I64) -> None:
    """Give each slot one of its two places, the worthiest first; of two that look the same there, one stays."""
    checks = np.full(len(owner), -1, np.int64)
    for k in range(len(hashes)):
        at, check = hashes[k] & (len(owner) - 1), hashes[k] >> 24
        if checks[at] == check or checks[at ^ 1] == check:
            continue
        if checks[at] >= 0:
            at ^= 1
        if checks[at] < 0:
            checks[at] = check
            owner[at] = k


def grades(counts: U16) -> U8:
    """(slot, node, bit) to (slot, node): one of CODES grades of how often which bit came; 0: none ever did."""
    zeros, ones = counts[..., 0].astype(np.float64), counts[..., 1].astype(np.float64)
    certain = np.searchsorted(_CERTAIN_STEPS, zeros + ones, side="right")
    stretched = np.log((ones + _DOUBT) / (zeros + _DOUBT))
    mixed = np.clip(np.rint(stretched / _MIXED_STEP), -_MIXED_MOST, _MIXED_MOST) + _MIXED_MOST
    found = np.where(
        ones == 0, _ZEROS_FIRST + certain, np.where(zeros == 0, _ONES_FIRST + certain, _MIXED_FIRST + mixed)
    )
    found[(zeros + ones == 0)] = 0
    found[..., 0] = 0
    return found.astype(np.uint8)
