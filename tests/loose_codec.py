"""A codec that makes use of a contract looser than exact, as an outsider would bring it: bytes rounded to steps.

It is small enough to see through, so that what is tested is everything around it. Every byte of an original is a value;
`bounded:abs=N` lets each come back up to N off. Originals that begin with LIAR come back further off than that; those
that begin with RAISER cannot be encoded as a whole.
"""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import zstandard

from lithify.codecs.codec import ChunkSink, Codec, Effort, Estimate, Facts, Format, Params, Source
from lithify.codecs.fidelity import Contract
from lithify.errors import Corrupt, FidelityBroken
from tests import guests

ID = "tests.rounded"
LIAR = b"this one lies\n"
RAISER = b"this one fails\n"

TASKS: dict[str, Any] = {}
"""None (tests/guests.py)."""


@dataclass(frozen=True)
class RoundedParams(Params):
    """Values are rounded down to multiples of this."""

    step: int = 1


class Rounded(Codec):
    """Multiples of a step, under zstd."""

    facts = Facts("tests", "rounded", Format(0x8002, 1, 0), contracts=frozenset({"exact", "bounded"}))
    params_type = RoundedParams

    @classmethod
    def params_for(cls, effort: Effort, length: int) -> RoundedParams:
        return RoundedParams()

    @classmethod
    def params_keeping(cls, params: Params, contract: Contract) -> RoundedParams:
        return replace(cast("RoundedParams", params), step=int(contract.value or 0) + 1)

    @classmethod
    def probe(cls, sample: bytes, length: int, effort: Effort) -> Estimate | None:
        return Estimate(20.0, 1e8, 1e8, 1 << 24, 0.1)

    def decoder_params(self) -> bytes:
        return b""

    def encode(self, source: Source, sink: ChunkSink) -> None:
        data = source.read(0, source.length)
        step = cast("RoundedParams", self.params).step * (3 if data.startswith(LIAR) else 1)
        rounded = (np.frombuffer(data, np.uint8) // step * step).astype(np.uint8).tobytes()
        sink.chunk(zstandard.compress(rounded, 9), rounded)

    def decode(self, payload: bytes, *, shared: bytes, length: int) -> bytes:
        try:
            return zstandard.decompress(payload, max_output_size=length)
        except zstandard.ZstdError as error:
            raise Corrupt(f"not what was written: {error}") from error

    @classmethod
    def measure(cls, original: bytes, decoded: bytes, contract: Contract) -> Mapping[str, Any]:
        before, after = (np.frombuffer(data, np.uint8).astype(int) for data in (original, decoded))
        worst = int(np.abs(before - after).max())
        if worst > (contract.value or 0):
            raise FidelityBroken(f"a value is {worst} off; {contract} was promised")
        return {"max_abs_error": worst}


class Uncut(Rounded):
    """The same for a codec that must see the whole of an original."""

    facts = replace(Rounded.facts, name="uncut", format=Format(0x8003, 1, 0), seams="whole")

    def encode(self, source: Source, sink: ChunkSink) -> None:
        if source.read(0, len(RAISER)) == RAISER:
            raise RuntimeError("it cannot be encoded")
        super().encode(source, sink)


def installed(folder: Path) -> AbstractContextManager[None]:
    """Inside, the codec is there."""
    return guests.installed(Rounded, folder)
