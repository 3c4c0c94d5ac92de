"""Where the mixers of each class begin when a network reads along: as they were after texts that were not counted."""

from collections.abc import Sequence

import numpy as np

from lithify.codecs.chances import chances
from lithify.codecs.text.classes import FIRST_CLASSES, TextClass
from lithify.codecs.text.learnt import Learnt, learnt
from lithify.codecs.text.mixing import NOBODY_ASKS, run
from lithify.codecs.text.model import NEURAL_INPUT, WEIGHT_ONE, Start, new_model, size_of
from lithify.codecs.text.neural import Network, new_reader
from lithify.codecs.text.train.corpus import LEARNT_CLASSES, STARTS, Document, pieces

START_BYTES = 400_000
_WEIGHTS_FIRST = WEIGHT_ONE // 2, WEIGHT_ONE // 16


def all_beginnings(documents: Sequence[Document], network: Network) -> tuple[Start, ...]:
    """One per class, in their order."""
    read = {one: pieces(documents, one, STARTS, START_BYTES) for one in LEARNT_CLASSES}
    mixture = [text for one in LEARNT_CLASSES for text in pieces(documents, one, STARTS, START_BYTES // 4)]
    return tuple(_beginning(read.get(one, mixture), one, learnt(), network) for one in FIRST_CLASSES)


def _beginning(read: Sequence[Document], text_class: TextClass, tables: Learnt, network: Network) -> Start:
    first = tables.start_for(text_class)
    weights = first.weights.copy()
    weights[:, NEURAL_INPUT : NEURAL_INPUT + 2] = _WEIGHTS_FIRST
    start, written = first._replace(weights=weights), 0
    is_primed = text_class is not TextClass.OTHER
    for document in read:
        data = np.frombuffer(document.text, np.uint8).copy()
        model = new_model(start, tables.primed_for(text_class), size_of(len(data)))
        stream = np.zeros(2 * len(data) + 1024, np.uint8)
        reader = new_reader(network)
        written += run(model, chances(), data, stream, False, int(text_class), is_primed, 0, 0, NOBODY_ASKS, reader)
        start = start._replace(
            weights=model.weights.copy(), final_weights=model.final_weights.copy(), near=model.near.copy()
        )
    length = sum(len(document.text) for document in read)
    print(f"{text_class.name}: {8 * written / length:.4f} bits per byte while learning to mix", flush=True)
    return start
