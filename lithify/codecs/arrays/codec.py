"""Arrays: a file's values by the coder of numbers, everything else in it by a general coder."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, cast

from lithify import limits
from lithify.codecs.codec import EFFORTS, ChunkSink, Codec, Effort, Estimate, Facts, Format, Params, Source
from lithify.codecs.fidelity import Contract
from lithify.codecs.raw.block import blocks
from lithify.errors import BadArgument, Corrupt

if TYPE_CHECKING:
    from lithify.codecs.arrays.values import Bound

_BLOCK_BYTES = 8 * limits.MIB


@dataclass(frozen=True)
class ArraysParams(Params):
    """How hard to try, and what the values may differ by, spelled as a contract."""

    effort: str = "default"
    contract: str = "exact"

    def __post_init__(self) -> None:
        if self.effort not in EFFORTS:
            raise Corrupt(f"effort {self.effort[:40]!r}: expected {', '.join(EFFORTS)}")
        try:
            Contract.parse(self.contract)
        except BadArgument as error:
            raise Corrupt(error.message) from error


class Arrays(Codec):
    """A payload is one file that holds arrays (FORMAT.md)."""

    facts: ClassVar[Facts] = Facts(
        family="arrays",
        name="values",
        format=Format(0x0400, 1, 0),
        contracts=frozenset({"exact", "content", "bounded"}),
        seams="whole",
        bytes_max=limits.CHUNK_BYTES_MAX,
        kinds=frozenset({"array"}),
        kernels=True,
        falls_back=True,
    )
    params_type: ClassVar[type[Params]] = ArraysParams

    @property
    def _own(self) -> ArraysParams:
        return cast("ArraysParams", self.params)

    @classmethod
    def params_for(cls, effort: Effort, length: int) -> ArraysParams:
        return ArraysParams(effort=effort)

    @classmethod
    def params_keeping(cls, params: Params, contract: Contract) -> ArraysParams:
        """`params` for a contract looser than exact, which the codec has among its `contracts`."""
        return replace(cast("ArraysParams", params), contract=str(contract))

    @classmethod
    def measure(cls, original: bytes, decoded: bytes, contract: Contract) -> Mapping[str, Any]:
        """A row of figures for each array that may differ: errors, bias, PSNR, structural similarity."""
        from lithify.codecs.arrays.measuring import measured

        return measured(original, decoded, contract)

    def decoder_params(self) -> bytes:
        """None: payloads say everything themselves."""
        return b""

    @classmethod
    def warm(cls) -> None:
        from lithify.codecs.arrays import values
        from lithify.codecs.media.deflate import engine

        values.warm()
        engine.warm()

    @classmethod
    def probe(cls, sample: bytes, length: int, effort: Effort) -> Estimate | None:
        from lithify.codecs.arrays.probing import estimate

        return estimate(sample, length, effort)

    def encode(self, source: Source, sink: ChunkSink) -> None:
        """One chunk, or blocks by the general coders of what is longer than a chunk can be."""
        from lithify.codecs.arrays.payload import encode, encode_file

        effort = cast("Effort", self._own.effort)
        fits = source.length <= limits.CHUNK_BYTES_MAX
        for data in blocks(source, limits.CHUNK_BYTES_MAX if fits else _BLOCK_BYTES):
            found = encode_file(data, effort, self._bound()) if fits else encode(data, [], effort, None)
            sink.chunk(found.payload, found.decoded)

    def _bound(self) -> "Bound | None":
        from lithify.codecs.arrays.values import Bound

        contract = Contract.parse(self._own.contract)
        if contract.kind != "bounded":
            return None
        return Bound(cast("Any", contract.metric), cast("float", contract.value))

    def decode(self, payload: bytes, *, shared: bytes, length: int) -> bytes:
        from lithify.codecs.arrays.payload import open_payload

        if shared:
            raise Corrupt(f"arrays have no use for {len(shared)} shared bytes")
        return open_payload(payload, length).decoded()
