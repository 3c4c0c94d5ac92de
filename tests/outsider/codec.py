"""The codec, and tasks that tell what is in the process they run in."""

import os
import sys
import zlib
from typing import Any, ClassVar, NoReturn

from lithify.codecs.codec import ChunkSink, Codec, Effort, Estimate, Facts, Format, Params, Source
from lithify.errors import Corrupt
from lithify.workers import kernels as born_with
from lithify.workers.child import Call, Reply, Task

BUGGY = b"read me past the end"
"""Decoding a chunk that begins so meets the bug."""


class Steps(Codec):
    """Differences between bytes, made by a kernel, and zlib."""

    facts: ClassVar[Facts] = Facts(
        family="outsider",
        name="steps",
        format=Format(0x8001, 1, 0),
        seams="lines",
        kinds=frozenset({"log"}),
        kernels=True,
        falls_back=True,
    )

    @classmethod
    def warm(cls) -> None:
        from . import kernels, on_warm

        on_warm.run()
        data = _array(b"any")
        kernels.differences(data)
        kernels.sums(data)  # `after_the_end` is left cold: a child has to make it itself

    @classmethod
    def params_for(cls, effort: Effort, length: int) -> Params:
        return Params()

    @classmethod
    def probe(cls, sample: bytes, length: int, effort: Effort) -> Estimate | None:
        return Estimate(99.0 if _pack(sample) else 0.0, 1e8, 1e8, 4 * length, 0.0)  # so much that it is always tried

    def encode(self, source: Source, sink: ChunkSink) -> None:
        if source.length:
            data = source.read(0, source.length)
            sink.chunk(_pack(data), data)

    def decode(self, payload: bytes, *, shared: bytes, length: int) -> bytes:
        from . import kernels

        data = zlib.decompressobj().decompress(payload, length)
        if len(data) != length:
            raise Corrupt(f"{len(data)} bytes of {length}")
        plain: bytes = kernels.sums(_array(data)).tobytes()
        if plain.startswith(BUGGY):
            kernels.after_the_end(_array(plain))
        return plain


class Holder(Steps):
    """Has no kernels of its own, and runs those of what it holds."""

    facts: ClassVar[Facts] = Facts(
        family="outsider",
        name="holder",
        format=Format(0x8003, 1, 0),
        kinds=frozenset({"archive"}),
        nests=(Steps.facts.id,),
    )


def _array(data: bytes) -> Any:
    import numpy as np

    return np.frombuffer(data, np.uint8)


def _pack(data: bytes) -> bytes:
    from . import kernels

    return zlib.compress(kernels.differences(_array(data)).tobytes())


# --- tasks ----------------------------------------------------------------------------------------------


def look_around(call: Call) -> Reply:
    """What this process is."""
    return Reply({"pid": os.getpid(), "zygote": os.getppid(), "numba": "numba" in sys.modules})


def differ(call: Call) -> Reply:
    """The differences of some bytes, in a child with kernels."""
    born_with.require(Steps)
    from . import kernels

    return Reply({"differences": kernels.differences(_array(bytes(call.args["data"]))).tolist()})


def compile_here(call: Call) -> Reply:
    """Make and run a kernel that numba is told to keep, in a process that can keep nothing."""
    from numba import njit

    def double(value: int) -> int:
        return 2 * value

    return Reply({"doubled": njit(cache=True)(double)(call.args["value"])})


def never_content(call: Call) -> NoReturn:
    """Ask for kernels, whether there are any or not."""
    raise born_with.Wanted([Steps.facts.id])


TASKS: dict[str, Task] = {
    "look_around": look_around,
    "differ": differ,
    "compile_here": compile_here,
    "never_content": never_content,
}
