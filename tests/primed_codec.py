"""A codec that takes primers, as an outsider would bring it: zstd, with earlier originals as its dictionary.

It is small enough to see through, so that what is tested is everything around it: who names a primer, who keeps it, and
who asks for it.
"""

import hashlib
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Self, cast

import zstandard

from lithify.codecs.codec import ChunkSink, Codec, Effort, Estimate, Facts, Format, Params, Source
from lithify.codecs.frame.primers import digest_of
from lithify.errors import Corrupt
from tests import guests

NUMBER = 0x8001
ID = "tests.primed"
MAGIC = b"primer of tests\n"
PRIMER_BYTES = 256 * 1024
CHUNK_BYTES = 64 * 1024

TASKS: dict[str, Any] = {}
"""None (tests/guests.py)."""


@dataclass(frozen=True)
class PrimedParams(Params):
    """The digest of a primer, or nothing."""

    primer: str = ""


class Primed(Codec):
    """zstd; with a primer, whose first bytes must be MAGIC, as dictionary."""

    facts = Facts("tests", "primed", Format(NUMBER, 1, 0), takes_primer=True)
    params_type = PrimedParams
    dictionary = b""

    @classmethod
    def params_for(cls, effort: Effort, length: int) -> PrimedParams:
        return PrimedParams()

    @classmethod
    def probe(cls, sample: bytes, length: int, effort: Effort) -> Estimate | None:
        return Estimate(2.0, 1e8, 1e8, 1 << 24, 0.1)

    def encode(self, source: Source, sink: ChunkSink) -> None:
        compressor = zstandard.ZstdCompressor(level=12, dict_data=self._dict)
        for at in range(0, source.length, CHUNK_BYTES):
            piece = source.read(at, CHUNK_BYTES)
            sink.chunk(compressor.compress(piece), piece)

    def decode(self, payload: bytes, *, shared: bytes, length: int) -> bytes:
        decompressor = zstandard.ZstdDecompressor(dict_data=self._dict)
        try:
            return decompressor.decompress(payload, max_output_size=length)
        except zstandard.ZstdError as error:
            raise Corrupt(f"not what was written: {error}") from error

    @cached_property
    def _dict(self) -> zstandard.ZstdCompressionDict:
        return zstandard.ZstdCompressionDict(self.dictionary, dict_type=zstandard.DICT_TYPE_RAWCONTENT)

    @property
    def primer(self) -> str | None:
        return cast("PrimedParams", self.params).primer or None

    def primed(self, primer: bytes) -> Self:
        if self.primer != digest_of(primer) or not primer.startswith(MAGIC):
            raise Corrupt("this is no primer of tests.primed")
        found = type(self)(self.params)
        found.dictionary = primer
        return found

    @classmethod
    def make_primer(cls, samples: Sequence[bytes]) -> bytes | None:
        learnt = b"".join(samples)[:PRIMER_BYTES]
        return MAGIC + learnt if learnt else None

    @classmethod
    def params_with_primer(cls, params: Params, primer: str) -> PrimedParams:
        return replace(cast("PrimedParams", params), primer=primer)


def installed(folder: Path) -> AbstractContextManager[None]:
    """Inside, the codec is there."""
    return guests.installed(Primed, folder)


SHAPES = [
    " ".join(hashlib.sha256(f"{shape} {word}".encode()).hexdigest()[:9] for word in range(8)) for shape in range(300)
]
"""Words that nobody could guess: what a file pays for each shape once, and a collection's primer need not."""


def daily_log(day: int, lines: int = 1500) -> bytes:
    """A day's file, about 120 bytes a line: its shapes are those of every other day, its values are not."""
    out = []
    for number in range(lines):
        value = (number * 2654435761 + day * 40503) % 1_000_003
        shape = SHAPES[number % len(SHAPES)]
        clock = f"{number // 60 % 24:02d}:{number % 60:02d}"
        out.append(f"2026-11-{day % 28 + 1:02d}T{clock}:07Z INFO {shape} took {value} us\n")
    return "".join(out).encode()
