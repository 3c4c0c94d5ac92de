"""Texts told by a language model that the user brings, in whole numbers: the same stream everywhere (FORMAT.md)."""

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Self, cast

from lithify import limits
from lithify.codecs.codec import EFFORTS, ChunkSink, Codec, Effort, Estimate, Facts, Format, Params, Source
from lithify.codecs.raw.block import BlockCodec, blocks
from lithify.codecs.raw.ppmd import Ppmd
from lithify.codecs.raw.zstd import Zstd
from lithify.codecs.signs import tell
from lithify.errors import Corrupt, LimitExceeded, MissingModel, Truncated, Unsound

if TYPE_CHECKING:
    from lithify.codecs.text.lm.model import ExactModel
    from lithify.codecs.text.lm.native import NativeModel

STORED, ZSTD, PPMD, TOLD, TOLD_NATIVELY = 0, 1, 2, 0x40, 0x41
"""First byte of a payload: how the group is kept."""
_RAW_CODECS: dict[int, type[BlockCodec]] = {ZSTD: Zstd, PPMD: Ppmd}
_NATIVE = b"LTHN"  # native.py
_DIGEST = re.compile("[0-9a-f]{64}")
_MACHINE = re.compile("[0-9a-f]{16}")


@dataclass(frozen=True)
class LmParams(Params):
    """How hard the general coders beside it try, how much is told at a time, and the model, by its SHA-256."""

    effort: str = "default"
    group_bytes: int = limits.LM_GROUP_BYTES_MAX
    model: str = ""
    machine: str = ""
    """Of a model in floating point: the machine that its streams are bound to."""

    def __post_init__(self) -> None:
        if self.effort not in EFFORTS:
            raise Corrupt(f"effort {self.effort[:40]!r}: expected {', '.join(EFFORTS)}")
        if not 0 < self.group_bytes <= limits.LM_GROUP_BYTES_MAX:
            raise LimitExceeded(f"group_bytes is {self.group_bytes}; the limit is {limits.LM_GROUP_BYTES_MAX}")
        if self.model and not _DIGEST.fullmatch(self.model):
            raise Corrupt(f"model {self.model[:80]!r}: expected the 64 digits of a SHA-256")
        if self.machine and not _MACHINE.fullmatch(self.machine):
            raise Corrupt(f"machine {self.machine[:80]!r}: expected 16 hexadecimal digits")


class TextLm(Codec):
    """A payload is one group of bytes, each decoded alone. Without a model it knows only the general coders."""

    facts: ClassVar[Facts] = Facts(
        family="text",
        name="lm",
        format=Format(0x0301, 1, 0),
        kernels=True,
        falls_back=True,
        takes_model=True,
        papers=(
            "Delétang et al., Language Modeling Is Compression, ICLR 2024",
            "Jacob et al., Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only "
            "Inference, CVPR 2018",
        ),
    )
    params_type: ClassVar[type[Params]] = LmParams
    _model: "ExactModel | None" = None
    _native: "NativeModel | None" = None

    @property
    def _own(self) -> LmParams:
        return cast("LmParams", self.params)

    @classmethod
    def params_for(cls, effort: Effort, length: int) -> LmParams:
        return LmParams(effort=effort)

    def decoder_params(self) -> bytes:
        """Only the model and its machine: payloads say the rest themselves."""
        return LmParams(model=self._own.model, machine=self._own.machine).to_json()

    @property
    def model(self) -> str | None:
        return self._own.model or None

    @classmethod
    def params_with_model(cls, params: Params, model: str) -> LmParams:
        return replace(cast("LmParams", params), model=model)

    def with_model(self, model: memoryview) -> Self:
        from lithify.codecs.text.lm.proof import proved

        if not self._own.model:
            raise Corrupt(f"{self.facts.id} was given a model of {len(model)} bytes, and names none")
        if model[: len(_NATIVE)] == _NATIVE:
            return self._with_native(model)
        found = type(self)(self.params)
        found._model = proved(self._own.model, model)
        return found

    def _with_native(self, model: memoryview) -> Self:
        """With a model in floating point, if this is the machine that it was used on. Raises Unsound if it is not."""
        from lithify.codecs.text.lm.native import machine, native_model

        here = machine()
        if self._own.machine not in {"", here}:
            raise Unsound(
                f"the text was told in floating point on machine {self._own.machine}, this is {here}: only there, with "
                "the same libraries, can it be read"
            )
        found = type(self)(replace(self._own, machine=here))
        found._native = native_model(self._own.model, model)
        return found

    @classmethod
    def warm(cls) -> None:
        """Tell a little with a model that knows nothing."""
        from lithify.codecs.text.lm.proof import warm

        warm()

    @classmethod
    def probe(cls, sample: bytes, length: int, effort: Effort) -> Estimate | None:
        """Nothing can be said without the model; who brings one wants it to be tried."""
        return None

    def encode(self, source: Source, sink: ChunkSink) -> None:
        """One chunk per group."""
        for group in blocks(source, self._own.group_bytes):
            sink.chunk(self.encode_group(group), group)

    def encode_group(self, group: bytes) -> bytes:
        """The smallest payload of one group of at least one byte."""
        payloads = [bytes([STORED]) + group]
        if self._model is not None:
            payloads.append(self._told(group, self._model))
        if self._native is not None:
            payloads.append(self._told_natively(group, self._native))
        for method, codec in _RAW_CODECS.items():
            params = codec.params_for(cast("Effort", self._own.effort), len(group))
            payloads.append(bytes([method]) + codec(params).encode_block(group))
        return min(payloads, key=len)

    @staticmethod
    def _told(group: bytes, model: "ExactModel") -> bytes:
        from lithify.codecs.text.lm.stream import encode_text

        return bytes([TOLD]) + encode_text(group, model, told=tell)

    @staticmethod
    def _told_natively(group: bytes, model: "NativeModel") -> bytes:
        """One step at a time, as it will be read."""
        from lithify.codecs.text.lm.stream import encode_text

        return bytes([TOLD_NATIVELY]) + encode_text(
            group, model, told=tell, streams=1, reader=model.reader(), at_once=1
        )

    def decode(self, payload: bytes, *, shared: bytes, length: int) -> bytes:
        if shared:
            raise Corrupt(f"texts have no use for {len(shared)} shared bytes")
        if not payload:
            raise Truncated("a group of text has no bytes")
        if length > limits.LM_GROUP_BYTES_MAX:
            raise LimitExceeded(f"a group of {length} bytes; the limit is {limits.LM_GROUP_BYTES_MAX}")
        head, body = payload[0], payload[1:]
        if head == STORED:
            if len(body) != length:
                raise Corrupt(f"a stored group has {len(body)} bytes, the chunk table says {length}")
            return body
        if head in _RAW_CODECS:
            return _RAW_CODECS[head]().decode(body, shared=b"", length=length)
        if head == TOLD_NATIVELY:
            return self._retold_natively(body, length)
        if head != TOLD:
            raise Corrupt(f"a group of text is kept by method 0x{head:02x}, which does not exist")
        return self._retold(body, length)

    def _retold_natively(self, body: bytes, length: int) -> bytes:
        from lithify.codecs.text.lm.stream import decode_text

        if self._native is None:
            raise MissingModel("a group of text was told by a model in floating point, and the frame names none")
        return decode_text(body, length, self._native, reader=self._native.reader(), told=tell)

    def _retold(self, body: bytes, length: int) -> bytes:
        from lithify.codecs.text.lm.stream import decode_text

        if self._model is None:
            raise MissingModel("a group of text was told by a language model, and the frame names none")
        return decode_text(body, length, self._model, told=tell)
