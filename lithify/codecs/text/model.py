"""What the mixing coder knows: what its class of text starts from, and what the text at hand has taught so far."""

from typing import NamedTuple

import numpy as np

from lithify.codecs.array_types import I32, I64, U8, U32
from lithify.codecs.chances import LIMIT, chances
from lithify.codecs.histories import histories
from lithify.codecs.text.contexts import CONTEXTS, MEMORY, PRIMED_CONTEXTS
from lithify.codecs.text.matches import BUCKETS

SLOT_BYTES = 16
"""A check byte, and the fifteen nodes of half a byte."""
HISTORY_BITS = 8
CODE_BITS = 5
CODES = 1 << CODE_BITS
"""What a context was learnt to predict elsewhere, in so many grades; 0: nothing."""
MAP_BITS = HISTORY_BITS + CODE_BITS

INPUTS = 24  # one of each context, one of each primed context, the match, one that is always 1, two of a network
MATCH_INPUT = CONTEXTS + PRIMED_CONTEXTS
ONE_INPUT = MATCH_INPUT + 1
NEURAL_INPUT = ONE_INPUT + 1

MIXERS = 4
HITS = (CONTEXTS + 1) * (PRIMED_CONTEXTS + 1)
HIT_ROWS = BUCKETS
PARTIAL_ROWS = HIT_ROWS + 2 * HITS
BYTE_ROWS = PARTIAL_ROWS + 256
ROWS = BYTE_ROWS + 256
"""Sets of weights, chosen by the match, by in how many contexts there was something, by the bits of this byte so far,
and by the byte before."""
WEIGHT_ONE = 1 << 16
WEIGHT_MAX = 1 << 19

POINTS = 45
"""Of a refinement: stretched chances, 128 apart."""

_SLOTS_PER_BYTE = 12
_SIZE_MIN, _SIZE_MAX = 12, 22
_FAR_BITS_MIN, _FAR_BITS_MAX = 10, 14
_MATCH_BITS_MIN, _MATCH_BITS_MAX = 10, 20
_STEEPNESS = (3, 4, 8, 13, 24, 20, 13, 15, 15, 8, 10)
"""Per context: after n equal bits another comes with a chance of 1 / (2 + steepness * n), before anything is learnt."""
_COUNT_FIRST = 16  # how much that is worth
_WEIGHT_FIRST, _WEIGHT_PRIMED_FIRST, _WEIGHT_MATCH_FIRST = 13000, 6000, 20000


class Start(NamedTuple):
    """What is known before the first byte of a text of some class: where all that adapts begins."""

    maps: U32
    """Per context, code and history: a chance in 1/2^22 above, how often it was moved in the lowest 10 bits."""
    match_maps: U32
    """The same per bucket of matches: that what followed follows again."""
    primed_says: I32
    """Per primed context and code: a stretched chance. It does not adapt."""
    weights: I32
    final_weights: I32
    near: I32
    """Refinement by the bits of this byte so far: per set, chances in 1/2^22 at points of the stretched chance."""


class Model(NamedTuple):
    """A start that adapts, and what only this text has."""

    maps: U32
    match_maps: U32
    primed_says: I32
    weights: I32
    final_weights: I32
    near: I32
    far: I32
    """Refinement by a hash of two bytes."""
    cells: U8
    """Histories: slots of all contexts, found by their hash."""
    primed: U8
    """Codes learnt elsewhere: slots of the primed contexts. Never written."""
    match_table: I32
    context: I64
    slot: I64
    primed_slot: I64
    """Per context: its hash, and where its slots of this half byte begin; -1: none."""
    map_at: I64
    inputs: I32
    row: I64
    mixed: I64
    """Per mixer: which set of weights it takes, and what it says."""
    memory: I64
    match: I64
    coder: I64


def size_of(length: int) -> int:
    """How large the tables are for a text of so many bytes, as the logarithm of the number of slots."""
    return min(max((_SLOTS_PER_BYTE * length).bit_length(), _SIZE_MIN), _SIZE_MAX)


def new_model(start: Start, primed: U8, size: int) -> Model:
    """A model that has seen nothing."""
    far_bits = min(max(size - 4, _FAR_BITS_MIN), _FAR_BITS_MAX)
    match_bits = min(max(size - 2, _MATCH_BITS_MIN), _MATCH_BITS_MAX)
    return Model(
        **{name: array.copy() for name, array in start._asdict().items()},
        far=np.tile(first_points(), 1 << far_bits),
        cells=np.zeros(SLOT_BYTES << size, np.uint8),
        primed=primed,
        match_table=np.zeros(1 << match_bits, np.int32),
        context=np.zeros(CONTEXTS, np.int64),
        slot=np.zeros(CONTEXTS, np.int64),
        primed_slot=np.full(PRIMED_CONTEXTS, -1, np.int64),
        map_at=np.zeros(CONTEXTS, np.int64),
        inputs=np.zeros(INPUTS, np.int32),
        row=np.zeros(MIXERS, np.int64),
        mixed=np.zeros(MIXERS, np.int64),
        memory=np.zeros(MEMORY, np.int64),
        match=np.zeros(4, np.int64),
        coder=np.zeros(4, np.int64),
    )


def copied(model: Model) -> Model:
    """The same, to go on from; the primed slots are shared, for nobody writes them."""
    copies = {name: array.copy() for name, array in model._asdict().items() if name != "primed"}
    return model._replace(**copies)


def first_points() -> I32:
    """A refinement that changes nothing yet."""
    at = np.clip(np.arange(POINTS) * 128 - 1, 0, 2 * LIMIT)
    return (chances().squash[at] << 6).astype(np.int32)


# --- before anything is learnt ----------------------------------------------------------------------------


def blank_start() -> Start:
    """What training starts from: guesses that fit no text in particular."""
    rows = [_first_chances(steepness) for steepness in _STEEPNESS]
    maps = np.repeat(np.array(rows, np.uint32)[:, None], CODES, axis=1)
    weights = np.zeros((ROWS, INPUTS), np.int32)
    weights[:, :CONTEXTS] = _WEIGHT_FIRST
    weights[:, CONTEXTS:MATCH_INPUT] = _WEIGHT_PRIMED_FIRST
    weights[:, MATCH_INPUT] = _WEIGHT_MATCH_FIRST
    matches = [65536 - 65536 // (n + 2) if n else 32768 for n in range(BUCKETS)]
    return Start(
        maps=(maps << 16 | _COUNT_FIRST).astype(np.uint32).reshape(-1),
        match_maps=(np.array(matches, np.int64) << 16).astype(np.uint32),
        primed_says=np.zeros(PRIMED_CONTEXTS * CODES, np.int32),
        weights=weights,
        final_weights=np.full(256 * MIXERS, WEIGHT_ONE // MIXERS, np.int32),
        near=np.tile(first_points(), 256),
    )


def _first_chances(steepness: int) -> list[int]:
    """The chance of a one after each history, in 1/65536."""
    found = []
    for zeros, ones, last in histories()[0]:
        if not ones:
            found.append(65536 // (2 + steepness * zeros))
        elif not zeros:
            found.append(65536 - 65536 // (2 + steepness * ones))
        else:
            recent = int(zeros + ones <= 17)
            found.append(65536 * (2 * ones + 1 + 2 * last) // (2 * (zeros + ones) + 2 + 2 * recent))
    return found + [32768] * ((1 << HISTORY_BITS) - len(found))
