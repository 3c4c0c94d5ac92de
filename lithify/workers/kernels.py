"""Kernels: machine code that numba makes of a codec's Python. Children are born with it, of a zygote that has it.

A child can neither make kernels (a codec's take 10 to 40 s) nor keep them (it opens no files). So there are two
zygotes: the one that every task starts from, which knows no numba, and one that gets the kernels of a codec when the
first task needs them. A child says `Wanted` before it has done anything, and the task moves to a child that was born
with what it wants (workers/stream.py). Pictures and `--help` never pay for numba, nor logs for the kernels of texts.

How a zygote gets its kernels is in workers/kernel_cache.py; nothing here imports numba.
"""

from collections.abc import Iterable, Iterator
from contextlib import suppress

from lithify.codecs.codec import Codec
from lithify.codecs.frame import Frame
from lithify.codecs.registry import by_id, codec_class
from lithify.errors import MissingExtra, UnknownFormat

ready: set[str] = set()
"""In a zygote, and so in every child of it: ids of the codecs whose kernels are in memory."""


class Wanted(Exception):
    """This child lacks kernels that the task needs; nothing was done yet."""

    def __init__(self, codecs: Iterable[str]) -> None:
        self.codecs = sorted(codecs)
        super().__init__(", ".join(self.codecs))


def lacking(codec: type[Codec]) -> set[str]:
    """The ids of those codecs whose kernels `codec` would run and this process does not have."""
    return set(users(codec)) - ready


def require(*codecs: type[Codec]) -> None:
    """Raise Wanted if one of `codecs` has kernels and this process does not have them."""
    if wanted := set().union(*map(lacking, codecs)):
        raise Wanted(wanted)


def require_for(frame: Frame) -> None:
    """Raise Wanted if decoding some chunk of `frame` takes kernels: ask before the first, for bytes sent stay sent."""
    found = []
    for entry in frame.formats:
        with suppress(UnknownFormat, MissingExtra):  # for whoever decodes such a chunk to say
            found.append(codec_class(entry.format.id))
    require(*found)


def users(codec: type[Codec]) -> Iterator[str]:
    """Every codec with kernels that `codec` runs: itself, and those it nests."""
    if codec.facts.kernels:
        yield codec.facts.id
    for nested in codec.facts.nests:
        with suppress(MissingExtra):
            if by_id(nested).facts.kernels:
                yield nested
