"""Copying a few bytes between arrays, sixteen at a time: numba's own loops over bytes took half of a decoder's time."""

from collections.abc import Callable
from typing import Any, cast

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from lithify.codecs.array_types import U8
from lithify.codecs.kernel import inlined

STEP = 16


def _step(typing: Any, out: Any, at: Any, source: Any, start: Any) -> Any:
    """Copy STEP bytes; whoever calls it has compared the bounds."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        target = context.make_array(signature.args[0])(context, builder, args[0])
        origin = context.make_array(signature.args[2])(context, builder, args[2])
        wide = ir.VectorType(ir.IntType(8), STEP)
        value = builder.load(builder.bitcast(builder.gep(origin.data, [args[3]]), wide.as_pointer()), align=1)
        builder.store(value, builder.bitcast(builder.gep(target.data, [args[1]]), wide.as_pointer()), align=1)
        return context.get_dummy_value()

    return types.void(out, types.int64, source, types.int64), generate


_copy_step: Callable[[U8, int, U8, int], None] = cast("Any", intrinsic)(_step)


@inlined
def copy(out: U8, at: int, source: U8, start: int, end: int) -> int:
    """Copy `source[start:end]` to `out[at:]`; gives where it ends, or -1 where either is too short.

    What lies in `out` within STEP bytes behind it is not kept.
    """
    count = end - start
    if start < 0 or end > len(source) or count > len(out) - at:
        return -1
    if end + STEP <= len(source) and at + count + STEP <= len(out):
        for i in range(0, count, STEP):
            _copy_step(out, at + i, source, start + i)
    else:
        for i in range(count):
            out[at + i] = source[start + i]
    return at + count
