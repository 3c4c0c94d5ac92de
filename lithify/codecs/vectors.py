"""Sixteen numbers at once, for kernels whose loops compilers make no vectors of: whole ones of 32 bits, and singles.

A function's body says what it does, and is what runs where kernels are interpreted; compiled, it is what stands beside
it. Whole numbers wrap at 32 bits; singles (IEEE 754 binary32) are rounded to nearest after each operation, none fused,
so both are the same on every processor.
"""

import operator
from collections.abc import Callable
from inspect import Parameter, Signature
from types import SimpleNamespace
from typing import Any, TypeAlias, TypeVar, cast

import numpy as np
from llvmlite import ir
from numba import config, types
from numba.core.cgutils import create_struct_proxy
from numba.core.typing.templates import AbstractTemplate, infer_global, signature
from numba.extending import intrinsic, lower_builtin, models, register_model

from lithify.codecs.array_types import F32, I32, I64

LANES = 16
Many: TypeAlias = I32
Reals: TypeAlias = F32
"""What kernels hold sixteen of; interpreted, arrays of numpy."""
_WIDE, _NARROW, _SINGLE = ir.IntType(64), ir.IntType(32), ir.FloatType()
_MANY_FORM, _REALS_FORM = ir.VectorType(_NARROW, LANES), ir.VectorType(_SINGLE, LANES)
_HALVES = ir.VectorType(ir.IntType(16), 2 * LANES)
_Function = TypeVar("_Function", bound=Callable[..., Any])
_Build = Callable[..., Any]
_type: Any = type
_numba: Any = SimpleNamespace(
    config=config,
    infer_global=infer_global,
    intrinsic=intrinsic,
    lower_builtin=lower_builtin,
    model=models.PrimitiveModel,
    signature=signature,
    struct=create_struct_proxy,
)
"""What numba has no types for."""


def _kind(name: str, form: Any) -> Any:
    """What numba knows sixteen numbers as."""

    def begin(self: Any, manager: Any, kind: Any) -> None:
        _numba.model.__init__(self, manager, kind, form)

    kind = _type(name, (types.Type,), {})
    register_model(kind)(_type(f"{name}Model", (_numba.model,), {"__init__": begin}))
    return kind(name)


_MANY, _REALS = _kind("Many", _MANY_FORM), _kind("Reals", _REALS_FORM)


def _operator(function: Any, kind: Any, build: _Build) -> None:
    """What an operator between two of a kind is."""

    def generic(self: Any, args: Any, kws: Any) -> Any:
        return _numba.signature(kind, kind, kind) if args == (kind, kind) else None

    def lower(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return build(builder, *args)

    _numba.infer_global(function)(_type("Between", (AbstractTemplate,), {"generic": generic}))
    _numba.lower_builtin(function, kind, kind)(lower)


for _sign, _name in (("add", "add"), ("sub", "sub"), ("mul", "mul"), ("and_", "and_"), ("or_", "or_"), ("xor", "xor")):
    _operator(getattr(operator, _sign), _MANY, getattr(ir.IRBuilder, _name))
_operator(operator.rshift, _MANY, ir.IRBuilder.ashr)
_operator(operator.lshift, _MANY, ir.IRBuilder.shl)
for _sign in ("add", "sub", "mul"):
    _operator(getattr(operator, _sign), _REALS, getattr(ir.IRBuilder, f"f{_sign}"))


def _compiled(build: _Build, result: Any, *kinds: Any) -> Callable[[_Function], _Function]:
    """A function that is compiled to what `build` makes of pointers to the arrays and of the numbers given to it.

    kinds   of its arguments; None: whatever array it is
    """

    def decorate(function: _Function) -> _Function:
        if _numba.config.DISABLE_JIT:
            return function

        def typed(typing: Any, *given: Any) -> Any:
            wanted = [kind or one for kind, one in zip(kinds, given, strict=True)]
            return result(*wanted), generate

        def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            found = [
                _numba.struct(kind)(context, builder, value=value).data if isinstance(kind, types.Array) else value
                for kind, value in zip(signature.args, args, strict=True)
            ]
            made = build(builder, *found)
            return context.get_dummy_value() if made is None else made

        typed.__name__, typed.__doc__ = function.__name__, function.__doc__
        names = ["typing", *(f"given_{number}" for number in range(len(kinds)))]
        parameters = [Parameter(name, Parameter.POSITIONAL_OR_KEYWORD) for name in names]
        cast("Any", typed).__signature__ = Signature(parameters)  # numba wants to see how many there are
        return cast("_Function", _numba.intrinsic(typed))

    return decorate


def _lane(number: int) -> Any:
    return ir.Constant(_NARROW, number)


def _picked(builder: Any, vector: Any, lanes: range) -> Any:
    """Some lanes of a vector, as a shorter one."""
    chosen = ir.Constant(ir.VectorType(_NARROW, len(lanes)), list(lanes))
    return builder.shuffle_vector(vector, ir.Constant(vector.type, ir.Undefined), chosen)


def _spread(builder: Any, form: Any, value: Any) -> Any:
    """One number in all lanes."""
    one = builder.insert_element(ir.Constant(form, ir.Undefined), value, _lane(0))
    return builder.shuffle_vector(one, ir.Constant(form, ir.Undefined), ir.Constant(_MANY_FORM, [0] * LANES))


def _loaded(form: Any) -> _Build:
    def build(builder: Any, table: Any, at: Any) -> Any:
        found = builder.load(builder.bitcast(builder.gep(table, [at]), form.as_pointer()))
        found.align = 4
        return found

    return build


def _stored(form: Any) -> _Build:
    def build(builder: Any, table: Any, at: Any, many: Any) -> None:
        builder.store(many, builder.bitcast(builder.gep(table, [at]), form.as_pointer()), align=4)

    return build


def _each(builder: Any, places: Any, count: int, behind: Any) -> list[Any]:
    """So many places, each so far behind what a list says."""
    first = [builder.load(builder.gep(places, [ir.Constant(_WIDE, lane)])) for lane in range(count)]
    return [builder.add(at, behind) for at in first]


# --- from and to tables -------------------------------------------------------------------------------------


@_compiled(_loaded(_MANY_FORM), _MANY, None, types.int64)
def row_of(table: I32, at: int) -> Many:
    """Sixteen in a row."""
    return table[at : at + LANES].copy()


@_compiled(_stored(_MANY_FORM), types.void, None, types.int64, _MANY)
def set_row(table: I32, at: int, many: Many) -> None:
    """Put sixteen in a row."""
    table[at : at + LANES] = many


@_compiled(_loaded(_REALS_FORM), _REALS, None, types.int64)
def reals_of(table: F32, at: int) -> Reals:
    """Sixteen in a row."""
    return table[at : at + LANES].copy()


@_compiled(_stored(_REALS_FORM), types.void, None, types.int64, _REALS)
def set_reals(table: F32, at: int, many: Reals) -> None:
    """Put sixteen in a row."""
    table[at : at + LANES] = many


NINE = 9
"""How many are looked up or put in different places at once."""


def _gather(builder: Any, table: Any, places: Any, behind: Any) -> Any:
    out = ir.Constant(_MANY_FORM, [0] * LANES)
    for lane, at in enumerate(_each(builder, places, NINE, behind)):
        out = builder.insert_element(out, builder.load(builder.gep(table, [at])), _lane(lane))
    return out


@_compiled(_gather, _MANY, None, None, types.int64)
def gathered(table: I32, places: I64, behind: int) -> Many:
    """What stands so far behind nine places, then zeros."""
    out = np.zeros(LANES, np.int32)
    out[:NINE] = table[places[:NINE] + behind]
    return out


def _differ(builder: Any, table: Any, at: Any, places: Any, first: Any, second: Any) -> Any:
    def loaded(start: Any, lane: int) -> Any:
        behind = builder.load(builder.gep(places, [builder.add(start, ir.Constant(_WIDE, lane))]))
        return builder.load(builder.gep(table, [builder.add(at, behind)]))

    out = ir.Constant(_MANY_FORM, [0] * LANES)
    for lane in range(LANES):
        out = builder.insert_element(out, builder.sub(loaded(first, lane), loaded(second, lane)), _lane(lane))
    return out


@_compiled(_differ, _MANY, None, types.int64, None, types.int64, types.int64)
def differences(table: I32, at: int, places: I64, first: int, second: int) -> Many:
    """What stands where sixteen places behind the first say, less what those behind the second do, seen from `at`."""
    one, other = (table[at + places[start : start + LANES]] for start in (first, second))
    return one - other


def _scatter(builder: Any, table: Any, places: Any, behind: Any, many: Any) -> None:
    for lane, at in enumerate(_each(builder, places, NINE, behind)):
        builder.store(builder.extract_element(many, _lane(lane)), builder.gep(table, [at]))


@_compiled(_scatter, types.void, None, None, types.int64, _MANY)
def scatter(table: I32, places: I64, behind: int, many: Many) -> None:
    """Put the first nine so far behind nine places."""
    table[places[:NINE] + behind] = many[:NINE]


def _look_up(builder: Any, table: Any, many: Any, shift: Any) -> Any:
    out = ir.Constant(_MANY_FORM, [0] * LANES)
    shift = builder.trunc(shift, _NARROW)
    for lane in range(NINE):  # indices that were numbers before they were lanes are numbers again to the compiler
        at = builder.zext(builder.lshr(builder.extract_element(many, _lane(lane)), shift), _WIDE)
        out = builder.insert_element(out, builder.load(builder.gep(table, [at])), _lane(lane))
    return out


@_compiled(_look_up, _MANY, None, _MANY, types.int64)
def looked_up(table: I32, many: Many, shift: int) -> Many:
    """What a table has for the upper bits of the first nine, none below 0; then zeros."""
    out = np.zeros(LANES, np.int32)
    out[:NINE] = table[many[:NINE] >> shift]
    return out


# --- from and to single numbers -----------------------------------------------------------------------------


@_compiled(lambda builder, value: _spread(builder, _MANY_FORM, builder.trunc(value, _NARROW)), _MANY, types.int64)
def all_of(value: int) -> Many:
    """The same number sixteen times."""
    return np.full(LANES, value, np.int32)


@_compiled(lambda builder, value: _spread(builder, _REALS_FORM, value), _REALS, types.float32)
def all_real(value: Any) -> Reals:
    """The same single sixteen times."""
    return np.full(LANES, value, np.float32)


def _made_of(count: int, behind: int = 0) -> Callable[..., Many]:
    def make(builder: Any, *values: Any) -> Any:
        out = ir.Constant(_MANY_FORM, [0] * LANES)
        for lane, value in enumerate(values):
            out = builder.insert_element(out, builder.trunc(value, _NARROW), _lane(behind + lane))
        return out

    @_compiled(make, _MANY, *[types.int64] * count)
    def made(*given: int) -> Many:
        return np.array([*[0] * behind, *given, *[0] * (LANES - behind - count)], np.int32)

    return made


eight, ten, twelve, sixteen = map(_made_of, (8, 10, 12, LANES))
"""So many numbers, then zeros."""
behind_eight, behind_ten, behind_eleven = _made_of(1, 8), _made_of(6, 10), _made_of(3, 11)
"""Zeros, so many numbers, zeros."""


@_compiled(
    lambda builder, value: builder.insert_element(
        ir.Constant(_MANY_FORM, [0] * LANES), builder.trunc(value, _NARROW), _lane(LANES - 1)
    ),
    _MANY,
    types.int64,
)
def last_lane(value: int) -> Many:
    """Zeros, then a number."""
    return np.array([*[0] * (LANES - 1), value], np.int32)


def _reduced(name: str) -> _Build:
    def build(builder: Any, many: Any) -> Any:
        kind = ir.FunctionType(_NARROW, [_MANY_FORM])
        function = builder.module.declare_intrinsic(f"llvm.vector.reduce.{name}.v{LANES}i32", (), kind)
        return builder.sext(builder.call(function, [many]), _WIDE)

    return build


@_compiled(_reduced("add"), types.int64, _MANY)
def total(many: Many) -> int:
    """The sum of all."""
    return cast("int", np.int64(many.sum(dtype=np.int32)))


@_compiled(_reduced("smin"), types.int64, _MANY)
def least(many: Many) -> int:
    """The least of all."""
    return cast("int", np.int64(many.min()))


def _add_halves(builder: Any, many: Any) -> Any:
    lanes = LANES
    while lanes > 1:
        lanes //= 2
        many = builder.fadd(_picked(builder, many, range(lanes)), _picked(builder, many, range(lanes, 2 * lanes)))
    return builder.extract_element(many, _lane(0))


@_compiled(_add_halves, types.float32, _REALS)
def real_total(many: Reals) -> Any:
    """The sum of all: the upper half is added to the lower one until one single is left."""
    while len(many) > 1:
        many = many[: len(many) // 2] + many[len(many) // 2 :]
    return many[0]


@_compiled(
    lambda builder, many, number: builder.sext(builder.extract_element(many, builder.trunc(number, _NARROW)), _WIDE),
    types.int64,
    _MANY,
    types.int64,
)
def lane_of(many: Many, number: int) -> int:
    """One of them."""
    return cast("int", np.int64(many[number]))


def _fold(builder: Any, many: Any) -> Any:
    for distance in (8, 4):
        turned = ir.Constant(_MANY_FORM, [(lane + distance) % LANES for lane in range(LANES)])
        many = builder.add(many, builder.shuffle_vector(many, many, turned))
    return many


@_compiled(_fold, _MANY, _MANY)
def folded(many: Many) -> Many:
    """Each the sum of the four that have the same place in a quarter."""
    return np.tile(many.reshape(4, 4).sum(axis=0, dtype=np.int32), 4)


# --- one by one -----------------------------------------------------------------------------------------------


def _chosen(sign: str) -> _Build:
    return lambda builder, a, b: builder.select(builder.icmp_signed(sign, a, b), a, b)


@_compiled(_chosen("<"), _MANY, _MANY, _MANY)
def lesser(a: Many, b: Many) -> Many:
    """The lesser of each two."""
    return np.minimum(a, b)


@_compiled(_chosen(">"), _MANY, _MANY, _MANY)
def greater(a: Many, b: Many) -> Many:
    """The greater of each two."""
    return np.maximum(a, b)


@_compiled(lambda builder, a, b: builder.zext(builder.icmp_signed(">", a, b), _MANY_FORM), _MANY, _MANY, _MANY)
def above(a: Many, b: Many) -> Many:
    """1 where the first is above the second, else 0."""
    return (a > b).astype(np.int32)


def _divide(builder: Any, a: Any, b: Any) -> Any:
    quotient = builder.fdiv(builder.sitofp(a, _REALS_FORM), builder.sitofp(b, _REALS_FORM))
    return builder.fptosi(quotient, _MANY_FORM)


@_compiled(_divide, _MANY, _MANY, _MANY)
def divided(a: Many, b: Many) -> Many:
    """Quotients, rounded towards zero; no number is beyond 2^24.

    A single holds such numbers, and a quotient of two that is no whole number is farther from the next one than it is
    off: division of singles gives that of whole numbers.
    """
    return np.trunc(a / b).astype(np.int32)


def _multiply_halves(builder: Any, a: Any, b: Any) -> Any:
    wide = ir.VectorType(_NARROW, 2 * LANES)
    one, other = (builder.sext(builder.bitcast(many, _HALVES), wide) for many in (a, b))
    products = builder.mul(one, other)
    even, odd = (_picked(builder, products, range(first, 2 * LANES, 2)) for first in range(2))
    return builder.add(even, odd)


@_compiled(_multiply_halves, _MANY, _MANY, _MANY)
def pair_products(a: Many, b: Many) -> Many:
    """Each lane is two signed numbers of 16 bits: the sum of the products of both."""
    lower = (a.astype(np.int16).astype(np.int32)) * (b.astype(np.int16).astype(np.int32))
    return lower + (a >> 16) * (b >> 16)


@_compiled(lambda builder, many: builder.sitofp(many, _REALS_FORM), _REALS, _MANY)
def reals(many: Many) -> Reals:
    """As the nearest singles."""
    return many.astype(np.float32)


@_compiled(lambda builder, many: builder.fptosi(many, _MANY_FORM), _MANY, _REALS)
def wholes(many: Reals) -> Many:
    """Rounded towards zero; none is beyond 32 bits."""
    return many.astype(np.int32)


@_compiled(lambda builder, many: builder.bitcast(many, _MANY_FORM), _MANY, _REALS)
def bits_of(many: Reals) -> Many:
    """The bits of singles."""
    return many.view(np.int32)


@_compiled(lambda builder, many: builder.bitcast(many, _REALS_FORM), _REALS, _MANY)
def real_bits(many: Many) -> Reals:
    """Singles of these bits."""
    return many.view(np.float32)
