"""How loops over bytes become machine code (numba), with the types of ordinary functions.

    kernel   arrays may be made inside
    bare     none is made, so that references to arrays need not be counted: numba counts them with atomic instructions
             at every call, which took two thirds of a decoder's time
    once     a bare piece of other kernels that is compiled once, whatever numbers it is called with
    inlined  a bare piece of other kernels, put into them
    checked  every index is compared, and IndexError raised

But for the last, none checks indices, which made them three to five times slower: each compares what it cannot know.
They release the interpreter's lock, and their machine code is kept between runs where it can be: by workers as they say
(workers/kernel_cache.py), in other people's programs where numba keeps it.
"""

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
import numpy as np
from numba import types

from lithify.codecs.kernel_sources import digest_of

Function = TypeVar("Function", bound=Callable[..., Any])

_njit: Any = numba.njit
_config: Any = numba.config


def _made(function: Function, **options: Any) -> Any:
    try:
        made = _njit(cache=True, nogil=True, **options)(function)
    except RuntimeError as error:
        if "no locator" not in str(error):
            raise
        return _njit(nogil=True, **options)(function)  # nothing can be written anywhere: it is made at every start
    if not (_config.CACHE_DIR or _config.CACHE_LOCATOR_CLASSES):
        _stamp(made, function)
    return made


def _stamp(made: Any, function: Callable[..., Any]) -> None:
    """Let numba take what it kept for fresh only if nothing has changed that it may be made of."""
    file = getattr(getattr(made, "_cache", None), "_cache_file", None)  # neither is there if kernels are interpreted
    if file is not None:
        file._source_stamp = file._source_stamp, digest_of(Path(inspect.getfile(function)))


wide = cast("Callable[[Any], int]", np.int64)
"""Numbers from arrays become 64 bits wide, signed, before they are reckoned with: nothing wraps or is a float."""
narrow = cast("Callable[[Any], int]", np.int32)
"""32 bits, signed: for loops that are to be vectors, and whose numbers are known to fit."""
unsigned = cast("Callable[[Any], int]", np.uint64)
"""64 bits, unsigned: what hashes are made of."""


def kernel(function: Function) -> Function:
    """A function of arrays and numbers as machine code."""
    return cast("Function", _made(function))


def bare(function: Function) -> Function:
    """The same, making no arrays."""
    return cast("Function", _made(function, _nrt=False))


def once(function: Function) -> Function:
    """The same, compiled once for each set of types: numba compiles again for each number written at a call."""
    made = _made(function, _nrt=False)
    resolve = getattr(made, "get_call_template", None)
    if resolve is None:
        return cast("Function", made)  # interpreted: numba leaves functions as they are
    plainly = cast("Any", types).unliteral

    def without_literals(args: Any, kws: Any) -> Any:
        return resolve(tuple(map(plainly, args)), {name: plainly(kind) for name, kind in kws.items()})

    made.get_call_template = without_literals
    return cast("Function", made)


def inlined(function: Function) -> Function:
    """The same, as part of whoever calls it."""
    return cast("Function", _made(function, _nrt=False, forceinline=True))


def checked(function: Function) -> Function:
    """A function of arrays and numbers as machine code that compares every index."""
    return cast("Function", _made(function, boundscheck=True))
