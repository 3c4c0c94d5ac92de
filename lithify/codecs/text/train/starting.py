"""Where each class starts: the adaptive parts of a model that has read texts which were not counted."""

from collections.abc import Sequence

import numpy as np

from lithify.codecs.array_types import I32, I64, U8
from lithify.codecs.chances import chances
from lithify.codecs.kernel import bare, wide
from lithify.codecs.text.classes import FIRST_CLASSES, TextClass
from lithify.codecs.text.contexts import CONTEXTS, MEMORY, PRIMED_CONTEXTS, find_contexts, hash_two
from lithify.codecs.text.learnt import NOTHING, rounded
from lithify.codecs.text.mixing import NOBODY_ASKS, find_primed, run
from lithify.codecs.text.model import CODES, Start, blank_start, new_model, size_of
from lithify.codecs.text.train.corpus import LEARNT_CLASSES, STARTS, Document, pieces

START_BYTES = 1_500_000
_DOUBT = 2


def all_starts(documents: Sequence[Document], primed: U8) -> tuple[Start, ...]:
    """One per class of English tables, in their order; that of OTHER has read a little of everything."""
    read = {one: pieces(documents, one, STARTS, START_BYTES) for one in LEARNT_CLASSES}
    mixture = [text for one in LEARNT_CLASSES for text in pieces(documents, one, STARTS, START_BYTES // 4)]
    return tuple(
        start_of(read.get(one, mixture), one, NOTHING if one is TextClass.OTHER else primed) for one in FIRST_CLASSES
    )


def start_of(read: Sequence[Document], text_class: TextClass, primed: U8) -> Start:
    """Where a class starts that reads these documents first, with those primed slots."""
    is_primed = text_class is not TextClass.OTHER
    start = blank_start()
    if is_primed:
        start = start._replace(primed_says=_says(read, text_class, primed))
    written = 0
    for document in read:
        data = np.frombuffer(document.text, np.uint8).copy()
        model = new_model(start, primed, size_of(len(data)))
        stream = np.zeros(2 * len(data) + 1024, np.uint8)
        written += run(model, chances(), data, stream, False, int(text_class), is_primed, 0, 0, NOBODY_ASKS, None)
        start = Start(**{name: getattr(model, name) for name in Start._fields})
    length = sum(len(document.text) for document in read)
    print(
        f"{text_class.name}: {8 * written / length:.4f} bits per byte while learning from {length:,} bytes", flush=True
    )
    return rounded(start)


def _says(read: Sequence[Document], text_class: TextClass, primed: U8) -> I32:
    """What each grade came to mean in texts that were not counted, as stretched chances."""
    tally = np.zeros((PRIMED_CONTEXTS, CODES, 2), np.int64)
    for document in read:
        data = np.frombuffer(document.text, np.uint8)
        _tally(data, int(text_class), primed, tally, np.zeros(CONTEXTS, np.int64), np.zeros(MEMORY, np.int64))
    ones = (4096 * (tally[..., 1] + _DOUBT)) // (tally.sum(axis=2) + 2 * _DOUBT)
    says: I32 = chances().stretch[ones].astype(np.int32)
    says[:, 0] = 0
    return says.reshape(-1)


@bare
def _tally(data: U8, text_class: int, primed: U8, tally: I64, context: I64, memory: I64) -> None:
    for at in range(len(data)):
        find_contexts(context, memory, data, at, text_class)
        for half in range(2):
            nibble = wide(data[at]) & 15 if half else wide(data[at]) >> 4
            for i in range(PRIMED_CONTEXTS):
                h = hash_two(context[i], 16 | wide(data[at]) >> 4) if half else context[i]
                slot = find_primed(primed, h)
                node = wide(1)
                for depth in range(4):
                    bit = (nibble >> (3 - depth)) & 1
                    if slot >= 0:
                        tally[i, wide(primed[slot + node]), bit] += 1
                    node = node << 1 | bit
