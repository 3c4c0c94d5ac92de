"""Pictures that need not come back byte for byte: as the smallest file of another form that keeps the contract."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, cast

from lithify import limits
from lithify.codecs.codec import ChunkSink, Effort, Estimate, Facts, Format, Params, Source
from lithify.codecs.fidelity import EXACT, Contract, kept_contract
from lithify.codecs.inside import Inside
from lithify.codecs.media import general
from lithify.codecs.media.whole_file import EffortParams, WholeFile
from lithify.errors import LimitExceeded, Truncated

_RATIO, _BYTES_PER_SECOND = 1.5, 1e5
"""A little more than the codecs promise that keep pictures exactly, so that it runs beside them: what a floor wins
nobody knows before the search."""
_PEAK_BYTES = 512 * limits.MIB
_PEAK_BYTES_PER_BYTE = 24
_EXACT = str(EXACT)


@dataclass(frozen=True)
class StillParams(EffortParams):
    """How hard to try, and what must come back, spelled as a contract."""

    contract: str = _EXACT

    def __post_init__(self) -> None:
        super().__post_init__()
        kept_contract(self.contract)


class StillImage(WholeFile):
    """A payload is the file that comes back, packed by the general codecs where that helps (stills/FORMAT.md)."""

    facts: ClassVar[Facts] = Facts(
        family="media",
        name="image",
        format=Format(0x0507, 1, 0),
        contracts=frozenset({"content", "floor"}),
        kinds=frozenset({"image"}),
        needs=("media",),
        seams="whole",
        bytes_max=limits.PART_BYTES,
        draws=True,
        papers=(
            "AV1 Image File Format, Alliance for Open Media",
            "ISO/IEC 18181-1, JPEG XL image coding system",
            "Wang et al., Image Quality Assessment: From Error Visibility to Structural Similarity, 2004",
        ),
    )
    params_type: ClassVar[type[Params]] = StillParams
    holds = "pictures"

    @classmethod
    def params_for(cls, effort: Effort, length: int) -> StillParams:
        return StillParams(effort)

    @classmethod
    def params_keeping(cls, params: Params, contract: Contract) -> StillParams:
        """`params` for a contract looser than exact, which the codec has among its `contracts`."""
        return replace(cast("StillParams", params), contract=str(contract))

    @classmethod
    def probe(cls, sample: bytes, length: int, effort: Effort) -> Estimate | None:
        """Only whether it begins like a picture of a form that is known."""
        from lithify.codecs.media.stills.forms import form_of

        if form_of(sample) is None:
            return None
        return Estimate(
            ratio=_RATIO,
            encode_bytes_per_second=_BYTES_PER_SECOND,
            decode_bytes_per_second=1000 * _BYTES_PER_SECOND,
            peak_memory_bytes=_PEAK_BYTES + _PEAK_BYTES_PER_BYTE * length,
            confidence=0.2,
        )

    def encode(self, source: Source, sink: ChunkSink) -> None:
        """One chunk of the file that comes back; of the original itself where the contract is exact."""
        contract = Contract.parse(cast("StillParams", self.params).contract)
        if contract == EXACT or not source.length:
            super().encode(source, sink)
            return
        from lithify.codecs.media.stills.reaching import smallest

        data = source.read(0, source.length)
        if len(data) != source.length:
            raise Truncated(f"source ends at byte {len(data)}, its length is {source.length}")
        made = smallest(data, contract, self._effort)
        if len(made) > limits.CHUNK_BYTES_MAX:
            raise LimitExceeded(
                f"a picture of {len(made)} bytes would come back; the limit is {limits.CHUNK_BYTES_MAX}"
            )
        sink.chunk(general.pack(made, "fast"), made)

    def encode_file(self, data: bytes) -> bytes:
        """Exactly: others are made for it."""
        return general.pack(data, "fast")

    def decode_file(self, payload: bytes, length: int) -> bytes:
        return general.unpack(payload, length)

    def contents(self, payload: bytes, *, shared: bytes, length: int) -> list[Inside]:
        """The form in which the picture comes back."""
        from lithify.codecs.media.stills.forms import form_of

        form = form_of(self.decode(payload, shared=shared, length=length))
        return [] if form is None else [Inside(f"comes back as {form}", general.name_of(payload), length, len(payload))]

    @classmethod
    def measure(cls, original: bytes, decoded: bytes, contract: Contract) -> Mapping[str, Any]:
        """What came back, and how far it is: PSNR, SSIM of luma and colours, the largest difference."""
        from lithify.codecs.media.stills.proving import measured

        return measured(original, decoded, contract)

    @classmethod
    def plot(cls, original: bytes, decoded: bytes) -> bytes:
        """Original, what comes back, and the difference, side by side."""
        from lithify.codecs.media.stills.drawing import drawn

        return drawn(original, decoded)
