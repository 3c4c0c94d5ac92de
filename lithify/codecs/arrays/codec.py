"""Arrays: a file's values by the coder of numbers, everything else in it by a general coder."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, cast

from lithify.codecs.codec import EFFORTS, ChunkSink, Codec, Effort, Estimate, Facts, Format, Params, Source
from lithify.codecs.fidelity import EXACT, Contract, kept_contract
from lithify.codecs.inside import Inside
from lithify.codecs.reasons import give_reason
from lithify.errors import Corrupt


@dataclass(frozen=True)
class ArraysParams(Params):
    """How hard to try, and what the values may differ by, spelled as a contract."""

    effort: str = "default"
    contract: str = "exact"

    def __post_init__(self) -> None:
        if self.effort not in EFFORTS:
            raise Corrupt(f"effort {self.effort[:40]!r}: expected {', '.join(EFFORTS)}")
        kept_contract(self.contract)


class Arrays(Codec):
    """A payload is one file that holds arrays (FORMAT.md)."""

    facts: ClassVar[Facts] = Facts(
        family="arrays",
        name="values",
        format=Format(0x0400, 1, 0),
        contracts=frozenset({"exact", "content", "bounded", "floor"}),
        seams="whole",
        kinds=frozenset({"array"}),
        kernels=True,
        falls_back=True,
        names_variables=True,
        draws=True,
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
        """The same of two files in memory."""
        from lithify.codecs.in_memory import MemorySource

        return cls.measure_sources(MemorySource(original), MemorySource(decoded), contract)

    @classmethod
    def measure_sources(cls, original: Source, decoded: Source, contract: Contract) -> Mapping[str, Any]:
        """A row of figures for each array that may differ: errors, bias, PSNR, structural similarity."""
        from lithify.codecs.arrays.measuring import measured

        return measured(original, decoded, contract)

    @classmethod
    def plot(cls, original: bytes, decoded: bytes) -> bytes:
        """Of the variable that differs most: the original, what came back, the error, and the error's spectrum."""
        from lithify.codecs.in_memory import MemorySource

        return cls.plot_sources(MemorySource(original), MemorySource(decoded))

    @classmethod
    def plot_sources(cls, original: Source, decoded: Source, part: str | None = None) -> bytes:
        """The same, or of the variable that is called `part`."""
        from lithify.codecs.arrays.labelled import label_source
        from lithify.codecs.arrays.plotting import drawn

        before = label_source(original)
        return drawn(before, before if decoded is original else label_source(decoded), part)

    def decoder_params(self) -> bytes:
        """None: payloads say everything themselves."""
        return b""

    @classmethod
    def warm(cls) -> None:
        from lithify.codecs.arrays import coded, values
        from lithify.codecs.media.deflate import engine

        coded.warm()
        values.warm()
        engine.warm()

    @classmethod
    def probe(cls, sample: bytes, length: int, effort: Effort) -> Estimate | None:
        from lithify.codecs.arrays.probing import estimate

        return estimate(sample, length, effort)

    def encode(self, source: Source, sink: ChunkSink) -> None:
        """A chunk for each piece of the file; under a looser contract, perhaps of another that says the same."""
        from lithify.codecs.arrays.content import encode_content

        contract = Contract.parse(self._own.contract)
        if contract == EXACT:
            self._encode(source, sink)
        else:
            encode_content(source, sink, self._encode, contract)

    def _encode(self, source: Source, sink: ChunkSink) -> None:
        from lithify.codecs.arrays.bounds import bounds_of, check_names, why_exact
        from lithify.codecs.arrays.containers.find import left_in
        from lithify.codecs.arrays.payload import encode_piece
        from lithify.codecs.arrays.pieces import bytes_of, pieces_of, read_piece, structure_of

        contract = Contract.parse(self._own.contract)
        data = bytes_of(source)
        structure = structure_of(data)
        for left in left_in(data):
            give_reason(left)
        del data
        pieces = pieces_of(structure)
        check_names(structure, contract)
        bounds = bounds_of(source, structure, pieces, contract)
        if reason := why_exact(structure, contract, loosened=len(bounds)):
            give_reason(reason)
        shut = 0
        for piece in pieces:
            found = encode_piece(
                read_piece(source, piece), structure, piece, cast("Effort", self._own.effort), bounds.get
            )
            sink.chunk(found.payload, found.decoded)
            shut += found.shut
        if shut:
            give_reason(f"{shut} of its packed or deflated chunks cannot be closed again to the byte: not opened")

    def contents(self, payload: bytes, *, shared: bytes, length: int) -> list[Inside]:
        """Each array, and by which methods it is kept."""
        from lithify.codecs.arrays.contents import contents_of

        return contents_of(payload, length)

    def decode(self, payload: bytes, *, shared: bytes, length: int) -> bytes:
        from lithify.codecs.arrays.payload import open_payload

        if shared:
            raise Corrupt(f"arrays have no use for {len(shared)} shared bytes")
        return open_payload(payload, length).decoded()
