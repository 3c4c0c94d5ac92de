"""Kernels: machine code that numba makes of a codec's Python. Children are born with it, of a zygote that has it.

A child can neither make kernels (the codecs of one family take 10 to 40 s) nor keep them (it opens no files). So there
are two zygotes: the one that every task starts from, which knows no numba, and one that has kernels, started when the
first task needs them. A child of the first says `Wanted` before it has done anything, and the task moves to a child of
the second (workers/stream.py). Pictures and `--help` never pay for numba.

How the second gets its kernels is in workers/kernel_cache.py; nothing here imports numba.
"""

import threading
from contextlib import suppress

from lithify.codecs.codec import Codec
from lithify.codecs.frame import Frame
from lithify.codecs.registry import codec_class
from lithify.errors import MissingExtra, UnknownFormat

ready = threading.Event()
"""Set in a zygote once its kernels are in memory, and so in every child of it."""


class Wanted(Exception):
    """This child has no kernels, and the task needs them; nothing was done yet."""


def lacks(codec: type[Codec]) -> bool:
    """Whether `codec` cannot run in this process for want of its kernels."""
    return codec.facts.kernels and not ready.is_set()


def require(codec: type[Codec]) -> None:
    """Raise Wanted if `codec` has kernels and this process does not."""
    if lacks(codec):
        raise Wanted(codec.facts.id)


def require_for(frame: Frame) -> None:
    """Raise Wanted if decoding some chunk of `frame` takes kernels: ask before the first, for bytes sent stay sent."""
    for entry in frame.formats:
        with suppress(UnknownFormat, MissingExtra):  # for whoever decodes such a chunk to say
            require(codec_class(entry.format.id))
