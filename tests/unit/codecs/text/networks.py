"""Small networks of random weights: nothing was learnt, and all arithmetic is used."""

from dataclasses import replace
from functools import cache

import numpy as np

from lithify.codecs.chances import sigmoids
from lithify.codecs.text.learnt import learnt
from lithify.codecs.text.model import NEURAL_INPUT, Start
from lithify.codecs.text.network import Shape, Trained, pack, unpack
from lithify.codecs.text.neural import SIGMOID_AT_ZERO, SIGMOID_UNIT, Network

SHAPE = Shape(width=8, hidden=16, layers=2, hash_columns=4, byte_columns=4, class_columns=4, hash_logs=(5, 6, 6, 7, 4))
_SCALES = {"in": 20, "gates": 16, "out": 19, "up": 19, "down": 19, "head": 22}
_NARROW = {"gates": 10_000, "out": 15_000, "up": 10_000, "down": 30_000, "head": 10_000}


def random_network(seed: int, shape: Shape = SHAPE) -> Network:
    """Weights, scales and biases by chance, in ranges in which all of them matter."""
    chance = np.random.default_rng(seed)
    arrays: dict[str, np.ndarray] = {}
    for name, kind, size in shape.arrays():
        what, _, which = name.partition("_")
        if what == "scale":
            arrays[name] = chance.integers(1 << (_SCALES[which] - 1), 1 << _SCALES[which], size)
        elif what == "narrow":
            arrays[name] = chance.integers(_NARROW[which] // 2, _NARROW[which], size)
        elif name == "sigmoid":
            arrays[name] = np.array(sigmoids(SIGMOID_UNIT, SIGMOID_AT_ZERO))
        else:
            most = {"weights": 63, "head": 63, "bias": 200}.get(what, 127)
            arrays[name] = chance.integers(-most, most + 1, size)
        arrays[name] = arrays[name].astype(np.int8 if kind == "i1" else np.int32)
    return Network(hashed_rows=np.array([1 << log for log in shape.hash_logs], np.int64), **arrays)


def starts() -> tuple[Start, ...]:
    """Those of the tables, which listen to the network a little."""
    found = []
    for start in learnt().starts:
        weights = start.weights.copy()
        weights[:, NEURAL_INPUT : NEURAL_INPUT + 2] = 4096, 16
        found.append(start._replace(weights=weights))
    return tuple(found)


@cache
def packed(seed: int, layers: int = SHAPE.layers) -> bytes:
    """The file of such a network."""
    shape = replace(SHAPE, layers=layers)
    return pack(shape, random_network(seed, shape), starts())


@cache
def random_trained(seed: int) -> Trained:
    return unpack(packed(seed), learnt())
