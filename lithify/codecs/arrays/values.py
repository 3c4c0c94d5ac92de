"""The doors of the numeric coder: an array of numbers becomes bytes, and comes back whole or in part.

What is written is in FORMAT.md. Without a bound the array comes back bit for bit, NaN payloads and the sign of zero
too; with one, every finite float within it, and all else bit for bit.
"""

from collections.abc import Sequence
from dataclasses import replace
from math import prod
from typing import Any

import numpy as np

from lithify.codecs.arrays.block import decode_block, encode_block, is_refined, smaller, told
from lithify.codecs.arrays.bound import Bound, Floor, Looseness
from lithify.codecs.arrays.cube import AXES_MAX, Block, Cube, Shape, cube_count, selected, slices_of, stack
from lithify.codecs.arrays.plan import Plan, make_plan, pack_header, read_header
from lithify.codecs.arrays.wire import Reader, varint
from lithify.codecs.codec import Effort
from lithify.codecs.tried import tries_heard
from lithify.errors import BadArgument, Corrupt, LimitExceeded, Truncated

_LENGTH_MAX = 1 << 40
__all__ = ["Bound", "Floor", "Looseness", "decode_part", "decode_values", "encode_values"]
Slices = tuple[slice | int, ...]


def encode_values(values: np.ndarray, *, bound: Looseness | None, effort: Effort, fills: Sequence[Any] = ()) -> bytes:
    """The payload of one array of any shape.

    values   bool, integers, floats of 16, 32 or 64 bits, complex; any byte order and strides
    bound    what finite floats may differ by, or how good they stay; None: nothing differs. Integers are always exact
    fills    values that stand for "no value": always exact, and not part of the range that `rel` means

    Raises BadArgument for a dtype that is no number.
    """
    plain = _as_numbers(values)
    with np.errstate(all="ignore"):  # values may be any bits, and reckoning with them may overflow
        return _encode(plain, bound if plain.dtype.kind == "f" else None, effort, fills, inner=False)


def encode_inner(values: np.ndarray, effort: Effort = "default") -> bytes:
    """The payload of a list of numbers that is part of another payload: exact, and without such parts itself."""
    with tries_heard(listening=False):
        return _encode(values, None, effort, (), inner=True)


def decode_inner(payload: bytes, count: int, dtype: np.dtype) -> np.ndarray:
    """The numbers again. Raises as `decode_values` does."""
    return _decoded(payload, (count,), dtype, [np.arange(count)], inner=True)


def warm() -> None:
    """Run every kernel once for each set of types that it meets."""
    y, x = np.mgrid[0:24, 0:24]
    field = (20 + np.sin(x / 9) * 8 + y * 0.37 + np.arange(12)[:, None, None]).astype(np.float32)
    holed = np.where(x + y < 9, np.float32(np.nan), field)
    efforts: tuple[Effort, ...] = ("default", "fast")
    for values, bound in ((holed, Bound("abs", 0.9)), (field * np.float32(1.1), None), (field.astype(np.int16), None)):
        for effort in efforts:
            decode_values(encode_values(values, bound=bound, effort=effort), values.shape, values.dtype)


def _encode(plain: np.ndarray, bound: Looseness | None, effort: Effort, fills: Sequence[Any], *, inner: bool) -> bytes:
    if not plain.size:
        return b""
    cube = stack(plain.shape, shallow=effort == "fast")
    stacked = np.ascontiguousarray(cube.stacked(plain))
    if isinstance(bound, Floor):
        from lithify.codecs.arrays.floors import plan_for_floor

        plan = plan_for_floor(stacked, cube, bound, effort, fills)
    else:
        plan = make_plan(stacked, cube, bound, effort, fills, inner=inner)
    if effort == "max" and not inner:
        from lithify.codecs.arrays.teaching import with_network

        plan = with_network(plan, stacked, cube)
    bodies = [_encode_block(stacked, block, plan, effort) for block in cube.blocks()]
    coding = plan.coding if any(map(is_refined, bodies)) else replace(plan.coding, network=None)
    return pack_header(cube, coding) + b"".join(map(varint, map(len, bodies))) + b"".join(bodies)


def _encode_block(stacked: np.ndarray, block: Block, plan: Plan, effort: Effort) -> bytes:
    """The smallest form of one block."""
    values = np.ascontiguousarray(stacked[slices_of(block)])
    predicted = told(encode_block(values, block.frames, plan.coding, plan.tolerance, effort), values)
    if effort == "max" and plan.coding.film is None and not plan.coding.alone:
        pictured = replace(plan.coding, base=None, pictured=True)
        other = told(encode_block(values, block.frames, pictured, plan.tolerance, effort), values)
        predicted = min(filter(None, (predicted, other)), key=len, default=None)
    return smaller(predicted, values, effort, race=plan.race)


def decode_values(payload: bytes, shape: Shape, dtype: np.dtype) -> np.ndarray:
    """The array of `shape` and `dtype`, in the machine's byte order.

    Raises Truncated, Corrupt or LimitExceeded; bytes that no encoder wrote may also give some array or other.
    """
    return decode_part(payload, shape, dtype, (slice(None),) * len(shape))


def decode_part(payload: bytes, shape: Shape, dtype: np.dtype, slices: Slices) -> np.ndarray:
    """A part of the array of `shape`: what `array[slices]` would be. Only the blocks that it touches are decoded.

    slices   a slice or an integer per axis; axes that are not named are whole

    Raises as `decode_values` does, and IndexError for an integer outside its axis.
    """
    number, pair = _number(np.dtype(dtype))
    if len(shape) >= AXES_MAX:
        raise LimitExceeded(f"an array of {len(shape)} axes; the limit is {AXES_MAX - 1}")
    wanted = [
        np.atleast_1d(np.arange(length)[part]) for length, part in zip(shape, _filled(slices, shape), strict=True)
    ]
    inner = (*shape, 2) if pair else shape
    if pair:
        wanted.append(np.arange(2))
    found = _decoded(payload, inner, number, wanted)
    if pair:
        found = np.ascontiguousarray(found).view(np.dtype(dtype).newbyteorder("="))[..., 0]
    else:
        found = found.view(np.dtype(dtype).newbyteorder("="))
    return found.reshape(
        [len(w) for w, part in zip(wanted, _filled(slices, shape), strict=False) if isinstance(part, slice)]
    )


def _decoded(
    payload: bytes, shape: Shape, dtype: np.dtype, wanted: list[np.ndarray], *, inner: bool = False
) -> np.ndarray:
    """The values at the wanted indices of every axis."""
    lengths = [len(indices) for indices in wanted]
    if not prod(shape):
        if payload:
            raise Corrupt(f"array payload: {len(payload)} bytes for an array without values")
        return np.zeros(lengths, dtype)
    reader = Reader(payload)
    cube, coding = read_header(reader, shape, dtype, inner=inner)
    bodies = _bodies(reader, cube)
    flat = np.zeros(prod(lengths), dtype)
    for number, block, source, target in selected(cube, wanted):
        upto = int(source[0].max()) + 1
        flat[target] = decode_block(bodies[number], block.shape, block.frames, coding, upto)[np.ix_(*source)]
    ordered = flat.reshape([lengths[axis] for axis in cube.order])
    return np.transpose(ordered, np.argsort(cube.order))


def _bodies(reader: Reader, cube: Cube) -> list[bytes]:
    count = cube_count(cube)
    if count > reader.left:
        raise Truncated(f"array payload: {count} blocks, and {reader.left} bytes for them")
    lengths = [reader.varint(_LENGTH_MAX) for _ in range(count)]
    bodies = [reader.take(length) for length in lengths]
    reader.end()
    return bodies


def _as_numbers(values: np.ndarray) -> np.ndarray:
    """The array in native byte order, as numbers of one of the kinds that are coded."""
    number, pair = _number(values.dtype)
    native = np.ascontiguousarray(values.astype(values.dtype.newbyteorder("="), copy=False)).reshape(values.shape)
    return native.reshape(-1).view(number).reshape((*values.shape, 2) if pair else values.shape)


def _number(dtype: np.dtype) -> tuple[np.dtype, bool]:
    """The dtype that values of `dtype` are coded as, and whether each is a pair of them. Raises BadArgument."""
    kind, width = dtype.kind, dtype.itemsize
    if kind == "b":
        return np.dtype(np.uint8), False
    if kind in "mM":
        return np.dtype(np.int64), False
    if kind in "iu" and width in (1, 2, 4, 8):
        return np.dtype(f"{kind}{width}"), False
    if kind == "f" and width in (2, 4, 8):
        return np.dtype(f"f{width}"), False
    if kind == "c" and width in (8, 16):
        return np.dtype(f"f{width // 2}"), True
    raise BadArgument(f"values of dtype {dtype!s:.40} are no numbers that can be coded")


def _filled(slices: Slices, shape: Shape) -> Slices:
    if len(slices) > len(shape):
        raise IndexError(f"{len(slices)} slices for an array of {len(shape)} axes")
    return (*slices, *(slice(None),) * (len(shape) - len(slices)))
