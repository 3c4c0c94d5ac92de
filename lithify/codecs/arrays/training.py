"""How a network is taught: by lessons from the array itself, again and again, each time with smaller steps.

A lesson is what was seen before a value, what a guess missed it by and what was expected. What a network costs is the
bits of values, as a logistic distribution counts them, and those of its own weights. Steps are those of Adam (Kingma,
Ba 2015). Only encoders teach: nothing here has to be the same elsewhere.
"""

from math import log
from typing import NamedTuple

import numpy as np

from lithify.codecs.array_types import F32, I32
from lithify.codecs.arrays.network import (
    HIDDEN_MAX,
    HIDDEN_ONE,
    INPUT_ONE,
    LANES,
    LESSON,
    OFF_MAX,
    SEEN,
    WEIGHT_MAX,
    WEIGHT_ONE,
    WIDER_MAX,
    Network,
    layers_of,
    shapes_of,
)

_BATCH = 1024
_STEPS, _PASSES = 16384, 32
"""At most."""
_RATE, _RATE_LEAST = 3e-3, 1e-5
_FIRST_KEPT, _SECOND_KEPT, _TINY = 0.9, 0.999, 1e-8
_LAST_SHARE = 0.1
_DEAR = 2.0
"""A bit of a weight counts as so many of values: they learn to do with less of them."""
_WIDTH, _WIDTH_LEAST = 11.5 / 16, 9 / 256
"""A mean error of 1 makes the distribution so wide; and so much of what numbers stand apart."""
_CHANCE_MIN = 1e-6


class Lessons(NamedTuple):
    """One for each row."""

    seen: np.ndarray
    """(lesson, input) as i16"""
    missed: F32
    expected: F32
    apart: F32


def read_lessons(rows: I32) -> Lessons:
    """Those of some rows (lesson, LESSON)."""
    missed, expected, apart = rows[:, SEEN:].astype(np.float32).T
    return Lessons(_inputs(rows[:, :SEEN]), missed, expected / 4, apart)


def _inputs(pairs: I32) -> np.ndarray:
    """(lesson, input) of (lesson, pair)."""
    lower, upper = pairs.astype(np.int16), (pairs >> 16).astype(np.int16)
    vectors = [half[:, at : at + LANES] for at in range(0, 2 * LANES, LANES) for half in (lower, upper)]
    rest = np.stack([lower[:, 2 * LANES :], upper[:, 2 * LANES :]], 2)
    return np.concatenate([*vectors, rest.reshape(len(pairs), 2 * (SEEN - 2 * LANES))], 1)


def teach(table: I32, units: tuple[int, int], values: int) -> Network | None:
    """A network of so many hidden units for an array of so many values; None: there is nothing to learn from.

    table   lessons, one after another; those of values that are special are zeros, and tell nothing
    """
    rows = table.reshape(-1, LESSON)
    telling = np.flatnonzero(rows[:, SEEN + 1])
    count = len(telling)
    if not count:
        return None
    steps = min(_STEPS, max(1, _PASSES * count // _BATCH))
    chance = np.random.default_rng(0)
    pupil = Pupil(units, chance)
    for step in range(steps):
        slopes = pupil.slopes(read_lessons(rows[telling[chance.integers(0, count, min(_BATCH, count))]]))
        slopes += pupil.weight_slopes() * (_DEAR / values)
        pupil.move(slopes, _RATE + (_RATE_LEAST - _RATE) * step / steps)
    return pupil.network()


class Pupil:
    """Weights on their way, as singles, in one row: behind each other those of all layers."""

    def __init__(self, units: tuple[int, int], chance: np.random.Generator) -> None:
        self._units = units
        parts = []
        for (rows, columns), share in zip(shapes_of(units), (1, 1, _LAST_SHARE), strict=True):
            parts.append(chance.uniform(-1, 1, rows * columns) * share / np.sqrt(rows))
        self.weights = np.concatenate(parts).astype(np.float32)
        self._first, self._second = np.zeros_like(self.weights), np.zeros_like(self.weights)
        self._moved = 0

    def outputs(self, lessons: Lessons) -> F32:
        """What the network says now (lesson, output)."""
        return self._all_layers(lessons)[-1]

    def slopes(self, lessons: Lessons) -> F32:
        """By how much the mean bits of lessons change with each weight."""
        _, second, last = layers_of(self.weights, self._units)
        seen, one, two, outputs = self._all_layers(lessons)
        by_output = _output_slopes(outputs, lessons) / np.float32(len(seen))
        by_two = (by_output @ last[:-1].T) * _is_between(two)
        by_one = (by_two @ second[:-1].T) * _is_between(one)
        return np.concatenate([(seen.T @ by_one).ravel(), (one.T @ by_two).ravel(), (two.T @ by_output).ravel()])

    def _all_layers(self, lessons: Lessons) -> tuple[F32, F32, F32, F32]:
        """Inputs, both layers of hidden units, outputs."""
        first, second, last = layers_of(self.weights, self._units)
        seen = lessons.seen * np.float32(1 / INPUT_ONE)
        one = _units(seen @ first)
        two = _units(one @ second)
        return seen, one, two, two @ last

    def weight_slopes(self) -> F32:
        """By how much the bits of the weights themselves do: about log2(1 + |weight|) each."""
        return np.asarray(np.sign(self.weights) * (WEIGHT_ONE / log(2) / (1 + WEIGHT_ONE * np.abs(self.weights))))

    def move(self, slopes: F32, rate: float) -> None:
        """One step of Adam."""
        self._moved += 1
        self._first += (slopes - self._first) * np.float32(1 - _FIRST_KEPT)
        self._second += (slopes * slopes - self._second) * np.float32(1 - _SECOND_KEPT)
        scale = rate * np.sqrt(1 - _SECOND_KEPT**self._moved) / (1 - _FIRST_KEPT**self._moved)
        self.weights -= np.float32(scale) * self._first / (np.sqrt(self._second) + np.float32(_TINY))

    def network(self) -> Network:
        """The weights, rounded."""
        rounded = np.clip(np.rint(self.weights * WEIGHT_ONE), -WEIGHT_MAX, WEIGHT_MAX).astype(np.int32)
        return Network(*layers_of(rounded, self._units))


def _units(sums: F32) -> F32:
    """A layer of hidden units, and behind them what is always 1."""
    out = np.ones((len(sums), sums.shape[1] + 1), np.float32)
    np.clip(sums, 0, HIDDEN_MAX / HIDDEN_ONE, out=out[:, :-1])
    return out


def _is_between(units: F32) -> np.ndarray:
    """Where units would change with what they are the sum of."""
    inner = units[:, :-1]
    return (inner > 0) & (inner < HIDDEN_MAX / HIDDEN_ONE)


def bits_taken(outputs: F32, lessons: Lessons) -> F32:
    """The bits of each lesson's value."""
    return np.asarray(-np.log2(_spread(outputs, lessons).chance))


class _Spread(NamedTuple):
    """How a network expects values to be spread: one for each lesson."""

    width: np.ndarray
    by_octave: np.ndarray
    """By how much the width changes with the second output."""
    above: np.ndarray
    """Where the upper end of a value's step lies, in widths from the middle;"""
    below: np.ndarray
    """where its lower one."""
    chance: np.ndarray


def _spread(outputs: np.ndarray, lessons: Lessons) -> _Spread:
    octaves = np.clip(outputs[:, 1], -WIDER_MAX, WIDER_MAX)
    whole = np.floor(octaves)
    by_octave = _WIDTH * lessons.expected * np.exp2(whole)
    width = by_octave * (1 + octaves - whole) + _WIDTH_LEAST * lessons.apart
    away = lessons.missed - np.clip(outputs[:, 0], -OFF_MAX, OFF_MAX) * lessons.expected
    above, below = (away + lessons.apart / 2) / width, (away - lessons.apart / 2) / width
    return _Spread(width, by_octave, above, below, _logistic_between(above, below) + _CHANCE_MIN)


def _output_slopes(outputs: np.ndarray, lessons: Lessons) -> np.ndarray:
    """By how much the bits of each lesson change with both outputs."""
    width, by_octave, above, below, chance = _spread(outputs, lessons)
    dense_above, dense_below = _density(above), _density(below)
    by_off = (dense_above - dense_below) / chance / width * lessons.expected
    by_width = (dense_above * above - dense_below * below) / chance / width
    free = np.abs(outputs) < np.array([OFF_MAX, WIDER_MAX])
    return np.asarray(np.stack([by_off, by_width * by_octave], 1) * free / log(2), np.float32)


def _density(x: np.ndarray) -> np.ndarray:
    under = _logistic(x)
    return np.asarray(under * (1 - under))


def _logistic(x: np.ndarray) -> np.ndarray:
    return np.asarray(1 / (1 + np.exp(-np.clip(x, -60, 60))))


def _logistic_between(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    """What lies between two places; on the side where single numbers are fine."""
    turned = above + below > 0
    return np.asarray(_logistic(np.where(turned, -below, above)) - _logistic(np.where(turned, -above, below)))
