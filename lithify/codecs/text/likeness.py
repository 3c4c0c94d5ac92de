"""How much one text tells about another: what the other costs behind it, beside what it costs alone.

A coder that has read x writes y in fewer bits, by what they have in common: likeness is the share of y's bits that
reading x first saves, 1 - C(y|x) / C(y). It follows the normalised compression distance (Li, Chen, Li, Ma and Vitányi,
The Similarity Metric, 2004; Cilibrasi and Vitányi, Clustering by Compression, 2005) and its use for finding the class
of a text without any parameters (Jiang et al., "Low-Resource" Text Classification, ACL Findings 2023; Delétang et al.,
Language Modeling Is Compression, ICLR 2024). It differs in measuring C(y|x) as it is, with a model that goes on behind
x, where they estimate it by C(xy) - C(x) of a general coder; and it is not symmetric: a paragraph is all in its book,
the book is not in the paragraph. What every text of its kind has in common the model knows already, and nobody is
called alike for it.
"""

import numpy as np

from lithify.codecs.array_types import U64
from lithify.codecs.text.classes import TextClass
from lithify.codecs.text.costs import BIT, costs_of
from lithify.codecs.text.mixing import Taught
from lithify.codecs.text.proof import proved_for

_SHINGLE_BYTES = 8
_SKETCH_HASHES = 4096
_ODD = np.uint64(0x9E3779B97F4A7C15)


def bits_behind(text: bytes, other: bytes, text_class: TextClass) -> float:
    """What a text costs whoever has read the other, in bits: at half a megabyte of both together a second.

    Raises Unsound when this installation does not compute what it must.
    """
    return float(costs_of(Taught(other, proved_for(text_class), text_class).weigh(text)).sum()) / BIT


class Sketch:
    """Of a text, the hashes of some thousand places: cheap to compare with many others (Broder, 1997)."""

    def __init__(self, text: bytes) -> None:
        self._most = np.uint64((1 << 64) // max(1, len(text) // _SKETCH_HASHES) - 1)
        self._hashes = self._of(text)

    def shared(self, other: bytes) -> float:
        """The share of the text's places that the other has too: 0 to 1."""
        return float(np.isin(self._hashes, self._of(other)).mean()) if len(self._hashes) else 0.0

    def _of(self, text: bytes) -> U64:
        """The hashes, of all shingles, that are small enough: of equal shingles the same ones in every text."""
        length = max(0, len(text) - _SHINGLE_BYTES + 1)
        data = np.frombuffer(text, np.uint8).astype(np.uint64)
        hashes = np.zeros(length, np.uint64)
        for at in range(_SHINGLE_BYTES):
            hashes = hashes << np.uint64(8) | data[at : at + length]
        hashes *= _ODD
        hashes ^= hashes >> np.uint64(32)
        hashes *= _ODD
        return np.unique(hashes[hashes <= self._most])
