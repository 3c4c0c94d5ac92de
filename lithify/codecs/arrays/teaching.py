"""Whether a network makes an array smaller: taught by blocks from all over it, and tried on them."""

from dataclasses import replace

import numpy as np

from lithify.codecs.array_types import I32
from lithify.codecs.arrays.block import Coding, encode_block
from lithify.codecs.arrays.cube import FRAMED_VALUES_MAX, Cube, slices_of
from lithify.codecs.arrays.general import encode_general
from lithify.codecs.arrays.network import LESSON, NO_TABLE, UNITS
from lithify.codecs.arrays.plan import Plan
from lithify.codecs.arrays.reach import FAR
from lithify.codecs.tried import tell_try

_BLOCKS = 4
_LESSONS = 1 << 20
"""At most so many blocks are looked at, and so many lessons kept of them."""
_VALUES_MIN = 1 << 15
_SIZES = ((1 << 14, (UNITS, UNITS)), (1 << 17, (2 * UNITS, UNITS)), (1 << 22, (3 * UNITS, 2 * UNITS)))
"""From how many bytes of an array a network is worth its own, and how many hidden units it then has."""
_HOPELESS = 1.2
"""Guesses that lose by so much to other coders are not refined."""


def with_network(plan: Plan, stacked: np.ndarray, cube: Cube) -> Plan:
    """The plan, or one whose guesses look far, as they are or refined by a network, if what is tried is smaller by it.

    stacked   an array (frames, rows, columns) of the cube
    """
    far = replace(plan.coding, reach=FAR)
    if stacked.size < _VALUES_MIN or not _can_be_refined(far, cube):
        return plan
    tried = Tried(plan, stacked, cube)
    found = [] if plan.coding.reach == FAR else [(tried.length(plan.coding), plan.coding)]
    lessons = tried.lessons()
    found.append((tried.length(far, lessons), far))
    units = max((one for least, one in _SIZES if tried.share * least <= found[-1][0]), default=None)
    network = None
    if units is not None and not tried.is_hopeless:
        from lithify.codecs.arrays.training import teach

        network = teach(lessons, units, stacked.size)
    if network is not None:
        refined = replace(far, network=network)
        found.append((tried.length(refined) + int(tried.share * len(network.pack())), refined))
        for coder, (length, _) in zip(("guesses alone", "guesses that a network refines"), found[-2:], strict=True):
            tell_try(f"blocks by {coder}", tried.bytes, length)
    return replace(plan, coding=min(found, key=lambda one: one[0])[1])


def _can_be_refined(far: Coding, cube: Cube) -> bool:
    """Whether blocks of the coding are predicted, and may look far."""
    if far.grid is None or far.alone or far.film is not None:
        return False
    return FAR.framed(*cube.step) <= FRAMED_VALUES_MAX


class Tried:
    """Some blocks from all over an array, drawn by lot, and how small they become by guesses or by others."""

    def __init__(self, plan: Plan, stacked: np.ndarray, cube: Cube) -> None:
        blocks = cube.blocks()
        drawn = np.sort(np.random.default_rng(0).permutation(len(blocks))[:_BLOCKS])
        self._tolerance = plan.tolerance
        self.blocks = [blocks[number] for number in drawn]
        self._parts = [np.ascontiguousarray(stacked[slices_of(block)]) for block in self.blocks]
        self.bytes = sum(part.nbytes for part in self._parts)
        self.share = self.bytes / stacked.nbytes
        """Of the array."""
        pictured = replace(plan.coding, base=None, pictured=True)
        self._others = [self._other(number, pictured, race=plan.race) for number in range(len(self._parts))]
        self._guessed = 0

    @property
    def is_hopeless(self) -> bool:
        """Whether other coders made blocks much smaller than the guesses that were tried last."""
        return self._guessed > _HOPELESS * sum(self._others)

    def lessons(self) -> I32:
        """Room for what blocks teach."""
        return np.zeros(sum(self._kept()) * LESSON, np.int32)

    def length(self, coding: Coding, lessons: I32 = NO_TABLE) -> int:
        """How many bytes they take, each by guesses or by what is smaller; what they teach is put into `lessons`."""
        ends = np.cumsum([0, *self._kept()]) * LESSON
        guessed = [
            self._guesses(number, coding, lessons[ends[number] : ends[number + 1]])
            for number in range(len(self._parts))
        ]
        self._guessed = sum(guessed)
        return sum(map(min, guessed, self._others))

    def _kept(self) -> list[int]:
        """How many lessons of each block are kept."""
        values = sum(part.size for part in self._parts)
        return [max(1, part.size * min(_LESSONS, values) // values) for part in self._parts]

    def _guesses(self, number: int, coding: Coding, lessons: I32 = NO_TABLE) -> int:
        part = self._parts[number]
        packed = encode_block(part, self.blocks[number].frames, coding, self._tolerance, "max", lessons)
        return part.nbytes if packed is None else len(packed)

    def _other(self, number: int, pictured: Coding, *, race: bool) -> int:
        general = len(encode_general(self._parts[number], "max")) if race else self._parts[number].nbytes
        return min(general, self._guesses(number, pictured))
