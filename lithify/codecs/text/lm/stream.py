"""A group of text and its stream: symbols, shared among streams that go in step, told by the model step by step."""

from typing import Any, Protocol

import numpy as np

from lithify import limits
from lithify.codecs.array_types import I32, I64, U8, U64
from lithify.codecs.signs import Told, nobody
from lithify.codecs.text.lm import range_coder
from lithify.codecs.text.lm.coding import ORDERS, Taught, code, untaught
from lithify.codecs.text.lm.engine import Engine
from lithify.codecs.text.lm.model import ExactModel
from lithify.codecs.text.lm.tables import falling_powers
from lithify.codecs.text.lm.tokens import said, said_bytes, speller
from lithify.codecs.varints import take_varint, varint
from lithify.errors import Corrupt, LimitExceeded

STREAMS_MAX = 64
_SYMBOLS_PER_STREAM = 2048
"""A stream begins knowing nothing; more of them decode faster (FORMAT.md has the figures)."""
_ROWS_AT_ONCE = 256
_LOGITS_BYTES = 1 << 26
_SYMBOL_BYTES_MAX = 8
_VARINT_BYTES_MAX = 5


class Dimensions(Protocol):
    """What must be known of a model before it is asked: shape.Shape, native.NativeShape."""

    @property
    def vocabulary(self) -> int: ...
    @property
    def context(self) -> int: ...
    @property
    def begin(self) -> int: ...
    @property
    def memory_bytes(self) -> int: ...


class Model(Protocol):
    """What tells a text: model.ExactModel, native.NativeModel."""

    @property
    def shape(self) -> Dimensions: ...
    @property
    def tokens(self) -> tuple[bytes, ...]: ...
    @property
    def tokenizer(self) -> bytes: ...


class Reader(Protocol):
    """What reads tokens and says what may come next: engine.Engine, plain.PlainEngine."""

    position: int

    def begin(self) -> None:
        """Forget what was read."""
        ...

    def read(self, tokens: I64, *, telling: bool = True) -> I32 | None:
        """Read the next tokens of each stream, and say what may come."""
        ...


class _Steps:
    """The symbols of a group, in streams, and the model that goes along."""

    def __init__(self, model: Model, symbols: I32, count: int, reader: Reader) -> None:
        """`symbols` is (streams, positions), of which `count` are told, stream by stream."""
        self.symbols = symbols
        streams, length = symbols.shape
        self.lengths = np.clip(count - length * np.arange(streams), 0, length).astype(np.int64)
        self._model, self._reader = model, reader
        self._taught: Taught = untaught(model.shape.vocabulary)
        self._orders, self._powers = np.array(ORDERS, np.int64), falling_powers(24)

    def room(self, at: int) -> int:
        """How many steps the model can read from `at` on; when there is none left it reads the latest anew."""
        context = self._model.shape.context
        if self._reader.position == context:
            self._reader.begin()
            kept = self._inputs(at - context // 2, context // 2)
            kept[:, 0] = self._model.shape.begin
            self._reader.read(kept, telling=False)
        return context - self._reader.position

    def _inputs(self, at: int, steps: int) -> I64:
        """What stands before each position: a token, or what stands for the beginning and for a byte."""
        begin = self._model.shape.begin
        before = self.symbols[:, max(at - 1, 0) : at - 1 + steps].astype(np.int64)
        if at == 0:
            before = np.concatenate([np.full((len(before), 1), begin), before], axis=1)
        return np.where(before < self._model.shape.vocabulary, before, begin)

    def code(self, at: int, steps: int, coder: U64, position: I64, stream: U8, *, decoding: bool) -> None:
        """Code the symbols of `steps` steps from `at` on."""
        logits = self._reader.read(self._inputs(at, steps))
        assert logits is not None
        code(
            logits, self.symbols, self.lengths, at, self._orders, self._taught, self._powers, coder, position, stream,
            decoding,
        )  # fmt: skip


def streams_for(count: int, shape: Dimensions) -> int:
    """Among how many streams so many symbols are shared."""
    return max(1, min(streams_max(shape), count // _SYMBOLS_PER_STREAM))


def streams_max(shape: Dimensions) -> int:
    """How many streams may go in step."""
    return max(1, min(STREAMS_MAX, limits.LM_STREAMS_BYTES_MAX // shape.memory_bytes))


def encode_text(text: bytes, model: Model, *, told: Told = nobody, **terms: Any) -> bytes:
    """The stream of a text of at least one byte; `told` hears how far it is, the rest as for `encode_symbols`."""
    symbols = speller(model.tokenizer, model.tokens).spell(text)
    return encode_symbols(symbols, model, told=lambda done: told(len(text) * done // len(symbols)), **terms)


def encode_symbols(
    symbols: I32,
    model: Model,
    *,
    streams: int | None = None,
    reader: Reader | None = None,
    at_once: int | None = None,
    told: Told = nobody,
) -> bytes:
    """The stream of at least one symbol.

    streams  among how many they are shared
    reader   another reader than the fastest, for as many
    at_once  how many steps it reads together
    told     hears how many symbols are told
    """
    count = len(symbols)
    rows = streams_for(count, model.shape) if streams is None else min(streams, count)
    length = -(-count // rows)
    rows = -(-count // length)
    padded = np.full(rows * length, model.shape.begin, np.int32)
    padded[:count] = symbols
    steps = _Steps(model, padded.reshape(rows, length), count, reader or _engine(model, rows))
    out = np.empty(_SYMBOL_BYTES_MAX * count + 16, np.uint8)
    coder, position = range_coder.new_coder(), np.zeros(1, np.int64)
    most = at_once or max(1, min(_ROWS_AT_ONCE // rows, _LOGITS_BYTES // (4 * rows * model.shape.vocabulary)))
    at = 0
    while at < length:
        now = min(most, steps.room(at), length - at)
        steps.code(at, now, coder, position, out, decoding=False)
        at += now
        told(count * at // length)
    return varint(count) + varint(rows) + range_coder.ended(out[: position[0]], coder)


def decode_text(
    stream: bytes, length: int, model: Model, *, reader: Reader | None = None, told: Told = nobody
) -> bytes:
    """The text of `length` bytes; `told` hears how far it is. Raises Truncated, Corrupt or LimitExceeded."""
    count, at = take_varint(stream, 0, _VARINT_BYTES_MAX)
    rows, at = take_varint(stream, at, _VARINT_BYTES_MAX)
    if not 1 <= count <= length:
        raise Corrupt(f"a group of {length} bytes is told in {count} symbols")
    if not 1 <= rows <= streams_max(model.shape):
        raise LimitExceeded(f"a group of text in {rows} streams; the model's limit is {streams_max(model.shape)}")
    columns = -(-count // rows)
    if (rows - 1) * columns >= count:
        raise Corrupt(f"{count} symbols in {rows} streams leave some without any")
    symbols = np.zeros((rows, columns), np.int32)
    steps = _Steps(model, symbols, count, reader or _engine(model, rows))
    coded = stream[at:]
    coder, position = range_coder.decoder_of(coded), np.array([range_coder.CODE_BYTES], np.int64)
    given = np.frombuffer(coded or b"\0", np.uint8).copy()  # kernels know one kind of array: one that may be written
    for step in range(columns):
        steps.room(step)
        steps.code(step, 1, coder, position, given, decoding=True)
        told(length * (step + 1) // columns)
    found = symbols.reshape(-1)[:count]
    if (said_length := said_bytes(found, model.tokens)) != length:
        raise Corrupt(f"a group of {length} bytes decodes to {said_length}")
    return said(found, model.tokens)


def _engine(model: Model, streams: int) -> Reader:
    assert isinstance(model, ExactModel), "a model in floating point brings its own reader"
    return Engine(model, streams)
