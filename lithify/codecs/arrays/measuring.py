"""How far the arrays of a decoded file are from those of the original, and whether that is within the contract.

Nothing here knows how they were encoded: both files are read anew, by the container's own reader.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import cast

import numpy as np

from lithify import limits
from lithify.codecs.array_types import U8, Bools, Values
from lithify.codecs.arrays.bounds import bound_of, unit_told
from lithify.codecs.arrays.containers.find import BYTES_MIN, apart
from lithify.codecs.arrays.content import plainer, same_content
from lithify.codecs.arrays.extents import Extent, skeleton_mask
from lithify.codecs.arrays.parts import Box, Part
from lithify.codecs.arrays.pieces import Piece, Structure, pieces_of, read_piece, structure_of_source
from lithify.codecs.arrays.values import Bound, Floor, Looseness
from lithify.codecs.codec import Source
from lithify.codecs.fidelity import Contract
from lithify.codecs.in_memory import MemorySource
from lithify.codecs.similarity import SIDE, similarity
from lithify.errors import FidelityBroken

Figures = dict[str, float | int | bool]
_SSIM_FRAMES_MAX = 64
_STEP_BYTES = 4 * limits.MIB
_ROUNDING = 1e-9
"""Of sums of doubles that were added in another order."""


@dataclass(slots=True)
class _Row:
    """What was seen of one variable so far.

    fills            values that come back as they are
    fills_are_gaps   whether a fill says that there is no value, so that no value may become one
    unit             what 1 means to people; below 0 if what they read falls where this grows
    low, high        the least and the largest valid value of all of it
    similar          sums of similarity and of weights, over frames
    """

    name: str
    fills: tuple[np.generic, ...]
    bound: Looseness
    fills_are_gaps: bool = True
    unit: float = 1.0
    low: float = math.inf
    high: float = -math.inf
    points: int = 0
    valid_points: int = 0
    worst: float = 0.0
    difference: float = 0.0
    square: float = 0.0
    similar: tuple[float, float] = (0.0, 0.0)

    @property
    def span(self) -> float:
        return self.high - self.low

    def look(self, values: Values) -> None:
        """Widen the range by some values of the original."""
        inside = values[_valid(values, self.fills)]
        if inside.size:
            self.low, self.high = min(self.low, float(inside.min())), max(self.high, float(inside.max()))

    def compare(self, before: Values, after: Values, frames: Values, share: float) -> None:
        """Add some values, (frames, ..., rows, columns) or fewer axes.

        frames  which of them belong to a frame that is asked how similar it is
        share   of a frame that each of them is
        """
        valid = _valid(before, self.fills)
        width = f"u{before.dtype.itemsize}"
        if not np.array_equal(before[~valid].view(width), after[~valid].view(width)):
            raise FidelityBroken(f"{self.name}: a missing value, NaN or infinity did not come back as it was")
        if not (valid == _valid(after, self.fills) if self.fills_are_gaps else np.isfinite(after[valid])).all():
            raise FidelityBroken(f"{self.name}: a value became a missing one, NaN or infinity")
        exact, found = (array[valid].astype(np.float64) for array in (before, after))
        self.points += int(before.size)
        self.valid_points += len(exact)
        if not len(exact):
            return
        errors = np.abs(found - exact)
        if isinstance(self.bound, Bound):
            _refuse_beyond(self.name, exact, found, errors, self.span, self.bound)
        self.worst = max(self.worst, float(errors.max()))
        self.difference += float(np.sum(found - exact))
        self.square += float(np.sum(np.square(errors)))
        if self.span and math.isfinite(self.span):
            total, weight = self.similar
            for one in _similarities(before, after, valid, frames, self.span):
                total, weight = total + share * one, weight + share
            self.similar = total, weight

    def refuse_below(self) -> None:
        """Raise FidelityBroken if values differ and their quality, over all of them, is below a floor."""
        floor = self.bound
        if not isinstance(floor, Floor) or not self.square:
            return
        quality = -math.inf
        if floor.metric == "psnr" and math.isfinite(self.span) and self.span:
            quality = 10 * math.log10(self.span * self.span * self.valid_points / self.square)
        if floor.metric == "ssim" and self.similar[1]:
            quality = self.similar[0] / self.similar[1]
        if not quality >= floor.value - _ROUNDING:
            raise FidelityBroken(f"{self.name}: {floor.metric} is {quality:g}, below {floor.value:g}")

    def figures(self) -> Figures:
        """All of it."""
        found: Figures = {"points": self.points, "valid_points": self.valid_points, "mask_equal": True}
        if not self.valid_points:
            return found
        found |= {"max_abs_error": abs(self.unit) * self.worst, "bias": self.unit * self.difference / self.valid_points}
        if self.span and math.isfinite(self.span):
            found["max_rel_error"] = self.worst / self.span
            if self.square:
                mean = self.square / self.valid_points
                found["psnr_db"] = round(10 * math.log10(self.span * self.span / mean), 3)
            if self.similar[1]:
                found["ssim"] = round(self.similar[0] / self.similar[1], 6)
        return found


def measured(original: Source, decoded: Source, contract: Contract) -> dict[str, Figures]:
    """A table of figures for each array that may differ. Raises FidelityBroken unless the contract is kept.

    Both are read piece by piece, in order; the original twice, for the range of its values must be known before.
    """
    if contract.kind == "content" and not _is_same(original, decoded):
        return {"content": same_content(original, decoded)}
    if original.length != decoded.length:
        return _measured(_plainer(original, decoded), decoded, contract)
    try:
        return _measured(original, decoded, contract)
    except FidelityBroken:
        # A file that was written anew may happen to be as long as before.
        found = plainer(original, to_loosen=True)
        if found is None or len(found) != decoded.length:
            raise
        return _measured(MemorySource(found), decoded, contract)


def _measured(original: Source, decoded: Source, contract: Contract) -> dict[str, Figures]:
    """Of two files of one length and one layout."""
    structure = structure_of_source(original)
    rows = _rows(structure, contract)
    pieces = pieces_of(structure)
    with np.errstate(over="ignore", invalid="ignore"):  # of the largest numbers there are
        for piece in pieces if rows else ():
            data = read_piece(original, piece)
            for number, part in _loosened(structure, piece, rows):
                for at, _ in _steps(part):
                    rows[number].look(at.gather(data))
        for piece in pieces:
            _compare(structure, piece, rows, (read_piece(original, piece), read_piece(decoded, piece)))
    for row in rows.values():
        row.refuse_below()
    if rows and _layout(structure) != _layout(structure_of_source(decoded)):
        raise FidelityBroken("what comes back is read as other arrays: what says where they lie was loosened with them")
    return {row.name: row.figures() for row in rows.values()}


def _layout(structure: Structure) -> list[tuple[str, tuple[int, ...], tuple[int, ...]]]:
    """What the variables are called, how long they are, and where they lie."""
    return [(one.known_as, one.shape, tuple(one.extent.offsets)) for one in structure.variables]


def _plainer(original: Source, decoded: Source) -> Source:
    """The file of the same content that the original became before values were loosened."""
    found = plainer(original, to_loosen=True)
    if found is None or len(found) != decoded.length:
        raise FidelityBroken(f"{decoded.length} bytes came back of {original.length}")
    return MemorySource(found)


def _is_same(one: Source, other: Source) -> bool:
    """Whether both are the same bytes."""
    step = _STEP_BYTES
    return one.length == other.length and all(
        one.read(at, step) == other.read(at, step) for at in range(0, one.length, step)
    )


def check_values(before: Values, after: Values, bound: Looseness, fills: Sequence[np.generic]) -> None:
    """Raise FidelityBroken unless an array of floating-point numbers came back within its bound.

    fills  values that must come back as they are
    """
    row = _Row("values", tuple(fills), bound, fills_are_gaps=False)
    row.look(before)
    with np.errstate(over="ignore", invalid="ignore"):  # of the largest numbers there are
        row.compare(before, after, *_frames(tuple(map(range, before.shape)), before.shape))
    row.refuse_below()


def _rows(structure: Structure, contract: Contract) -> dict[int, _Row]:
    """A row for each variable that may differ, by its number; their names differ."""
    rows: dict[int, _Row] = {}
    names: set[str] = set()
    for number, variable in enumerate(structure.variables):
        bound = bound_of(variable, contract)
        if bound is not None and variable.extent.stored_bytes >= BYTES_MIN:
            name = variable.known_as
            while name in names:
                name += "'"
            names.add(name)
            unit = unit_told(variable, contract)
            rows[number] = _Row(name, tuple(variable.own_fills), bound, unit=unit)
    return rows


def _loosened(structure: Structure, piece: Piece, rows: Mapping[int, _Row]) -> list[tuple[int, Part]]:
    """The parts of such variables in a piece, none over another: as they were encoded."""
    found = list(structure.parts(piece, None))
    variables = [replace(structure.variables[number], extent=part.extent) for number, part in found]
    free = set(map(id, apart(variables, piece.stop - piece.start)))
    return [one for one, own in zip(found, variables, strict=True) if id(own) in free and one[0] in rows]


def _compare(structure: Structure, piece: Piece, rows: Mapping[int, _Row], data: tuple[bytes, bytes]) -> None:
    """One piece, before and after."""
    loose = _loosened(structure, piece, rows)
    mask = skeleton_mask([part.extent for _, part in loose], len(data[0]))
    before, after = (cast("U8", np.frombuffer(one, np.uint8)) for one in data)
    wrong = np.flatnonzero(mask & (before != after))
    if len(wrong):
        at = piece.start + int(wrong[0])
        raise FidelityBroken(f"byte {at} is none of a loosened array, and {len(wrong)} such bytes of its piece differ")
    for number, part in loose:
        shape = structure.variables[number].extent.shape
        for extent, box in _steps(part):
            frames, share = _frames(box, shape)
            rows[number].compare(extent.gather(data[0]), extent.gather(data[1]), frames, share)


def _steps(part: Part) -> Iterator[tuple[Extent, Box]]:
    """A part of an array in steps along its first axis, so that little of it is reckoned with at a time."""
    extent, box = part.extent, part.box
    rows = len(box[0]) if box else 1
    step = max(1, rows * _STEP_BYTES // max(1, extent.value_bytes))
    if step >= rows or (len(extent.offsets) == 1 and extent.element.bits):
        yield extent, box
        return
    if len(extent.offsets) == 1:
        for at in range(0, rows, step):
            count = min(step, rows - at)
            offset = extent.offsets[0] + at * extent.strides[0]
            yield (
                replace(extent, tile=(count, *extent.tile[1:]), offsets=(offset,)),
                (box[0][at : at + count], *box[1:]),
            )
        return
    each = len(extent.offsets) // extent.grid[0]
    tiles = max(1, step // extent.tile[0])
    for at in range(0, extent.grid[0], tiles):
        count = min(tiles, extent.grid[0] - at)
        offsets = extent.offsets[at * each : (at + count) * each]
        first = box[0][at * extent.tile[0] : (at + count) * extent.tile[0]]
        yield replace(extent, grid=(count, *extent.grid[1:]), offsets=offsets), (first, *box[1:])


def _frames(box: Box, shape: tuple[int, ...]) -> tuple[Values, float]:
    """Which frames of a box are asked how similar they are, of at most about _SSIM_FRAMES_MAX of the array; how large
    a part of a frame each is."""
    if len(shape) < 2:
        return np.zeros(0, np.int64), 0.0
    lead = shape[:-2]
    numbers = np.zeros(1, np.int64)
    for axis, side in zip(box[:-2], lead, strict=True):
        numbers = (numbers[:, None] * side + np.asarray(axis)).reshape(-1)
    step = max(1, math.prod(lead) // _SSIM_FRAMES_MAX)
    share = len(box[-2]) * len(box[-1]) / (shape[-2] * shape[-1])
    return np.flatnonzero(numbers % step == 0), share


def _valid(values: Values, fills: Sequence[np.generic]) -> Bools:
    """Where there is a value."""
    found = cast("Bools", np.isfinite(values))
    for fill in fills:
        found &= values != fill
    return found


def _refuse_beyond(name: str, exact: Values, found: Values, errors: Values, span: float, bound: Bound) -> None:
    if bound.kind == "pwrel":
        allowed = bound.value * np.abs(exact)
        if (np.signbit(exact) != np.signbit(found)).any():
            raise FidelityBroken(f"{name}: a value changed its sign, and a bound of a part of each value keeps signs")
    else:
        allowed = np.asarray(bound.value * span if bound.kind == "rel" else bound.value)
    beyond = np.count_nonzero(errors > allowed)
    if beyond:
        most = f"{bound.kind}={bound.value:g}"
        raise FidelityBroken(f"{name}: {beyond} values differ by up to {errors.max():g}, more than {most} allows")


def _similarities(before: Values, after: Values, valid: Bools, wanted: Values, span: float) -> Iterator[float]:
    """Structural similarity of the wanted frames of the last two axes; none if they are too small."""
    if before.ndim < 2 or min(before.shape[-2:]) < SIDE:
        return
    rows, columns = before.shape[-2:]
    frames = [array.reshape(-1, rows, columns)[wanted] for array in (before, after, valid)]
    for exact, other, inside in zip(*frames, strict=True):
        if inside.any():
            middle = exact[inside].astype(np.float64).mean()
            pair = [np.where(inside, array.astype(np.float64) - middle, 0.0) for array in (exact, other)]
            yield similarity(pair[0], pair[1], middle, span, inside)
