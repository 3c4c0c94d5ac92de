"""What codecs have in common that keep a file as one chunk, since only the whole of it can be taken apart."""

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar, cast

from lithify.codecs.codec import EFFORTS, ChunkSink, Codec, Effort, Params, Source
from lithify.errors import Corrupt, Truncated


@dataclass(frozen=True)
class EffortParams(Params):
    """How hard to try."""

    effort: str = "default"

    def __post_init__(self) -> None:
        if self.effort not in EFFORTS:
            raise Corrupt(f"effort {self.effort[:40]!r}: expected {', '.join(EFFORTS)}")


class SelfContained(Codec):
    """A payload says all that decoding needs."""

    params_type: ClassVar[type[Params]] = EffortParams
    holds: ClassVar[str]
    """What files of this codec hold, in the plural, for messages."""

    @property
    def _effort(self) -> Effort:
        return cast("Effort", cast("EffortParams", self.params).effort)

    @classmethod
    def params_for(cls, effort: Effort, length: int) -> EffortParams:
        return EffortParams(effort)

    def decoder_params(self) -> bytes:
        """Nothing."""
        return b""

    def decode(self, payload: bytes, *, shared: bytes, length: int) -> bytes:
        if shared:
            raise Corrupt(f"{self.holds} have no use for {len(shared)} shared bytes")
        if not payload:
            raise Truncated(f"a payload of {self.holds} has no bytes")
        return self.decode_file(payload, length)

    @abstractmethod
    def decode_file(self, payload: bytes, length: int) -> bytes:
        """The `length` bytes in a payload of at least one. Raises what `decode` may."""


class WholeFile(SelfContained):
    """A payload is one file."""

    def encode(self, source: Source, sink: ChunkSink) -> None:
        """One chunk of all."""
        if not source.length:
            return
        data = source.read(0, source.length)
        if len(data) != source.length:
            raise Truncated(f"source ends at byte {len(data)}, its length is {source.length}")
        sink.chunk(self.encode_file(data), data)

    @abstractmethod
    def encode_file(self, data: bytes) -> bytes:
        """The smallest payload of a file of at least one byte."""
