"""What a codec is: the protocol every family follows, and the value types that pass through it.

A codec turns a piece of an original into the chunks of a frame, and one chunk back into the bytes it came from. It
knows no database, network, clock or file name. codecs/README.md says the same in words, with the steps for adding one.
"""

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, ClassVar, Literal, Protocol, Self, cast

from lithify import limits
from lithify.codecs.fidelity import Contract
from lithify.codecs.inside import Inside
from lithify.codecs.lines import ChunkLines, PlainLines, Template
from lithify.errors import BadArgument, Corrupt, FidelityBroken

Effort = Literal["fast", "default", "max"]
EFFORTS: tuple[Effort, ...] = ("fast", "default", "max")


def effort(text: str) -> Effort:
    """The effort that is spelled `text`. Raises BadArgument for any other word."""
    for known in EFFORTS:
        if text == known:
            return known
    raise BadArgument(f"effort {text[:40]!r}: expected {', '.join(EFFORTS)}")


Buffer = bytes | bytearray | memoryview


class Source(Protocol):
    """An original, or a part of one: random access, never changing under the reader."""

    @property
    def length(self) -> int:
        """Bytes in all."""
        ...

    def read(self, offset: int, length: int) -> bytes:
        """Exactly `length` bytes from `offset`, or what is left before the end."""
        ...


class ChunkSink(Protocol):
    """Where an encoder puts its chunks, in the order of the original."""

    def share(self, data: bytes) -> None:
        """Keep bytes that every chunk of this codec needs to decode (a dictionary, a header). At most once."""
        ...

    def chunk(self, payload: Buffer, decoded: Buffer) -> None:
        """Append one chunk: `payload` is what is stored, `decoded` is exactly what decode must give back."""
        ...


@dataclass(frozen=True, slots=True)
class Format:
    """A format number and its version: `0x0101 1.0`. Numbers are never reused."""

    id: int
    major: int
    minor: int

    def __str__(self) -> str:
        return f"0x{self.id:04x} {self.major}.{self.minor}"


@dataclass(frozen=True, slots=True)
class Facts:
    """What the route must know about a codec before it runs."""

    family: str
    name: str
    format: Format
    contracts: frozenset[str] = frozenset({"exact"})
    """Kinds of contract this codec can serve (`exact` also serves every looser one)."""
    seams: Literal["bytes", "lines", "whole"] = "bytes"
    """Where an original may be cut into parts for this codec; whole: nowhere, it is given all of it at any length."""
    bytes_max: int | None = None
    """It takes no longer originals than this."""
    needs: tuple[str, ...] = ()
    """What must be installed, as the extra's name."""
    papers: tuple[str, ...] = ()
    kinds: frozenset[str] = frozenset()
    """What an original must be for this codec to be tried unasked, a word of workers/kinds.py; empty: anything."""
    kinds_if_short: frozenset[str] = frozenset()
    """What an original of at most limits.SHORT_BYTES_MAX may be besides."""
    kernels: bool = False
    """Whether it runs machine code made by numba: its processes then come from one that has called `warm`."""
    nests: tuple[str, ...] = ()
    """Ids of the codecs that it has encode and decode what it finds inside originals."""
    falls_back: bool = False
    """Whether it keeps what it cannot make smaller as the raw family would: those need not be tried beside it."""
    default_bytes_max: int | None = None
    """A slow codec is tried unasked at effort `default` on originals of at most so many bytes, and never at `fast`."""
    takes_primer: bool = False
    """Whether earlier originals of a collection can teach it: `Codec.make_primer` and its neighbours."""
    names_variables: bool = False
    """Whether it makes use of contracts that make exceptions for variables by their names."""
    draws: bool = False
    """Whether it draws what came back beside what was put in, for originals of its `kinds`: `Codec.plot`."""
    exact_because: str = ""
    """Why it makes no use of a contract that it does not have among its own, for whoever asked for one; a sentence."""
    takes_model: bool = False
    """Whether it is for a model that the user brings: it is tried only with one (`Codec.with_model`)."""

    @property
    def id(self) -> str:
        """The name people use: `raw.zstd`."""
        return f"{self.family}.{self.name}"

    def kinds_at(self, length: int) -> frozenset[str]:
        """What an original of `length` bytes must be for this codec to be tried unasked; empty: anything."""
        return self.kinds | self.kinds_if_short if length <= limits.SHORT_BYTES_MAX else self.kinds

    def too_long(self, length: int) -> str | None:
        """Why this codec cannot take an original of `length` bytes; or None."""
        if self.bytes_max is None or length <= self.bytes_max:
            return None
        return f"it takes originals of up to {self.bytes_max // limits.MIB} MiB"

    def too_slow(self, effort: str, length: int) -> str | None:
        """Why the effort does not try this codec on an original of `length` bytes unless it is asked for; or None."""
        most = self.default_bytes_max
        if most is None or effort == "max" or (effort == "default" and length <= most):
            return None
        return f"it is slow: effort default tries it up to {most // limits.MIB} MiB, effort max at any length"


@dataclass(frozen=True)
class Params:
    """Settings of one codec; survives JSON, and its repr builds it again."""

    def to_json(self) -> bytes:
        """Compact JSON of the fields that differ from their defaults; empty bytes when none does."""
        changed = {f.name: getattr(self, f.name) for f in fields(self) if getattr(self, f.name) != f.default}
        return json.dumps(changed, separators=(",", ":"), sort_keys=True).encode() if changed else b""

    @classmethod
    def from_json(cls, data: bytes) -> Self:
        """The params written by `to_json`. Raises Corrupt for anything else: unknown names, wrong types."""
        try:
            values = json.loads(data) if data else {}
        except (ValueError, RecursionError) as error:
            raise Corrupt(f"params of {cls.__qualname__} are not JSON: {error}") from error
        known = {f.name: f.type for f in fields(cls)}
        if not isinstance(values, dict) or not values.keys() <= known.keys():
            raise Corrupt(f"params of {cls.__qualname__} should only name {sorted(known)}, found {values!r:.200}")
        for name, value in values.items():
            expected = {int: int, float: (int, float), str: str, bool: bool}.get(cast("Any", known[name]), object)
            if not isinstance(value, cast("Any", expected)) or (known[name] is int and isinstance(value, bool)):
                raise Corrupt(f"param {name!r} of {cls.__qualname__} has the wrong type: {value!r:.100}")
        return cls(**values)

    def as_dict(self) -> Mapping[str, Any]:
        """All fields, defaults too, for people to read."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a probe predicts for a whole original."""

    ratio: float
    """original bytes / stored bytes"""
    encode_bytes_per_second: float
    decode_bytes_per_second: float
    peak_memory_bytes: int
    confidence: float
    """0 (a guess) to 1 (measured on all of it)"""


class Codec(ABC):
    """One method, with its params bound; stateless between calls, so one instance may serve many threads."""

    facts: ClassVar[Facts]
    params_type: ClassVar[type[Params]] = Params

    def __init__(self, params: Params | None = None) -> None:
        self.params = self.params_type() if params is None else params

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.params!r})"

    def decoder_params(self) -> bytes:
        """What a frame keeps of the params: all of them, unless decoding needs fewer."""
        return self.params.to_json()

    @classmethod
    @abstractmethod
    def params_for(cls, effort: Effort, length: int) -> Params:
        """The params this codec uses for an original of `length` bytes at this effort."""

    @classmethod
    @abstractmethod
    def probe(cls, sample: bytes, length: int, effort: Effort) -> Estimate | None:
        """A cheap look at up to limits.PROBE_BYTES of an original of `length` bytes; None: not for me. Never raises."""

    @abstractmethod
    def encode(self, source: Source, sink: ChunkSink) -> None:
        """Write `source` into `sink`; the same bytes and params give the same chunks on every machine."""

    @abstractmethod
    def decode(self, payload: bytes, *, shared: bytes, length: int) -> bytes:
        """Give back the `length` bytes of one chunk.

        Trusts nothing: raises only Truncated, Corrupt, UnknownFormat or LimitExceeded, and asks for no memory that
        `length` (already checked against limits.CHUNK_BYTES_MAX) does not explain.
        """

    # --- what only some codecs offer ---------------------------------------------------------------------

    @classmethod
    def may_suit(cls, sample: bytes, length: int) -> bool:
        """Whether a look that takes no kernels leaves it open that the codec has a use for this. Never raises."""
        return True

    @classmethod
    def probe_keeping(cls, sample: bytes, length: int, effort: Effort, contract: Contract) -> Estimate | None:
        """The same where a contract looser than exact may be made use of, if that lets it do what it else cannot."""
        return cls.probe(sample, length, effort)

    @classmethod
    def params_keeping(cls, params: Params, contract: Contract) -> Params:
        """`params` that keep a contract looser than exact. Only for codecs whose facts list its kind."""
        raise BadArgument(f"{cls.facts.id} keeps nothing looser than exact, and was asked for {contract}")

    @classmethod
    def measure(cls, original: bytes, decoded: bytes, contract: Contract) -> Mapping[str, Any]:
        """How far what came back is from what was put in: figures for people, such as a row per variable.

        Knows nothing of how it was encoded. Raises FidelityBroken unless the contract is kept.
        """
        raise FidelityBroken(f"{cls.facts.id} cannot measure the contract {contract}")

    @classmethod
    def measure_sources(cls, original: Source, decoded: Source, contract: Contract) -> Mapping[str, Any]:
        """The same of files of any length: for codecs that read both piece by piece, in order."""
        before, after = (one.read(0, one.length) for one in (original, decoded))
        return cls.measure(before, after, contract)

    @classmethod
    def plot(cls, original: bytes, decoded: bytes) -> bytes:
        """A PNG that shows what came back beside what was put in, and what differs. Only for codecs that `draws`.

        Knows nothing of how one came from the other; they may be equal. Raises BadArgument, with a sentence, for bytes
        of which nothing can be drawn.
        """
        raise BadArgument(f"{cls.facts.id} draws nothing")

    @classmethod
    def plot_sources(cls, original: Source, decoded: Source, part: str | None = None) -> bytes:
        """The same of two sources, for codecs whose originals may be of any length; one source where nothing differs.

        part  of what in it, such as a variable of a file of arrays

        Raises BadArgument where there is no such part.
        """
        if part is not None:
            raise BadArgument(f"{cls.facts.id} draws its originals whole: they have no part {part!r:.80}")
        longest = max(original.length, decoded.length)
        if longest > limits.PART_BYTES:
            most = limits.PART_BYTES // limits.MIB
            raise BadArgument(f"of {longest} bytes {cls.facts.id} draws nothing: at most {most} MiB")
        before = original.read(0, original.length)
        return cls.plot(before, before if decoded is original else decoded.read(0, decoded.length))

    @classmethod  # noqa: B027 - most codecs have no kernels
    def warm(cls) -> None:
        """Run every kernel once for each set of types that encoding, decoding, probing and searching give it.

        Called once in a process that forks the codec's own; what is not compiled here is compiled in each of them.
        """

    @property
    def primer(self) -> str | None:
        """SHA-256, in hex, of the primer that decoding needs besides the frame; None: nothing."""
        return None

    def primed(self, primer: bytes) -> Self:
        """This codec with the primer that it names, ready to encode and decode. Raises Corrupt if it names none."""
        raise Corrupt(f"{self.facts.id} has no use for a primer of {len(primer)} bytes")

    @classmethod
    def make_primer(cls, samples: Sequence[bytes]) -> bytes | None:
        """What earlier originals of a collection teach about the next one; None: nothing that would help."""
        return None

    @classmethod
    def params_with_primer(cls, params: Params, primer: str) -> Params:
        """`params` that name a primer by its digest. Only for codecs whose `make_primer` gives one."""
        raise BadArgument(f"{cls.facts.id} has no use for a primer")

    @property
    def model(self) -> str | None:
        """SHA-256, in hex, of the model file that decoding needs besides the frame; None: nothing."""
        return None

    def with_model(self, model: memoryview) -> Self:
        """This codec with the model that it names, ready to encode and decode. Raises Corrupt if it names none."""
        raise Corrupt(f"{self.facts.id} has no use for a model of {len(model)} bytes")

    @classmethod
    def params_with_model(cls, params: Params, model: str) -> Params:
        """`params` that name a model by its digest. Only for codecs that take one."""
        raise BadArgument(f"{cls.facts.id} has no use for a model")

    def lines(self, payload: bytes, *, shared: bytes, length: int) -> ChunkLines:
        """The lines of one chunk, for searching; raises as `decode` does, here or when asked for lines."""
        return PlainLines(self.decode(payload, shared=shared, length=length))

    def templates(self, payload: bytes, *, shared: bytes, length: int) -> list[Template]:
        """The shapes that a codec for logs found in one chunk, most frequent first; raises as `decode` does."""
        return []

    def contents(self, payload: bytes, *, shared: bytes, length: int) -> list[Inside]:
        """What the codec found inside one chunk and who keeps it, without decoding more than tables.

        Raises as `decode` does. Never asked for kernels.
        """
        return []
