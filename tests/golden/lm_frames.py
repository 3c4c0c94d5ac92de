"""How the golden frame of language models was made, and the model that it names: a small one, all of it chance."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from lithify.codecs.frame import FrameWriter
from lithify.codecs.frame.primers import digest_of
from lithify.codecs.raw.ppmd import Ppmd
from lithify.codecs.raw.zstd import Zstd
from lithify.codecs.text.lm.codec import PPMD, STORED, TOLD, ZSTD, LmParams, TextLm
from lithify.codecs.text.lm.model import file_pieces, read_model
from lithify.codecs.text.lm.plain import PlainEngine
from lithify.codecs.text.lm.proof import told_digest
from lithify.codecs.text.lm.shape import PROOF_BYTES, Shape
from lithify.codecs.text.lm.stream import encode_symbols
from lithify.codecs.text.lm.tables import frequency, rotations
from tests.unit.codecs.text.corpus import PROSE

MODEL = Path(__file__).parent / "v0_1_0__text_lm__two_streams.lithlm"
TOKENS = [*(bytes([byte]) for byte in range(128)), b" the", b" and", b"ing", b", ", b'"', b"it", b" s", b"e "]
GROUPS = PROSE[:190], b"rock\xe9 " * 3, PROSE[190:260], b"rock " * 30, b"\xff\x00"
"""Told in two streams; with bytes that no token has; predicted, packed, as it is."""


def model_bytes() -> bytes:
    """The model's file, written once: 2 layers, 2 heads that share a key, 16 positions."""
    if not MODEL.exists():
        MODEL.write_bytes(_made())
    return MODEL.read_bytes()


def _made() -> bytes:
    chance = np.random.RandomState(1)
    text = b"".join(TOKENS)
    shape = Shape(2, 16, 2, 1, 8, 24, len(TOKENS), 16, 0, 42_950, 15, len(text), 0, 8)
    cosines, sines = rotations([frequency(0, 10_000, pair, 4) for pair in range(4)], shape.context)
    given: dict[str, Any] = {
        "token_lengths": np.array(list(map(len, TOKENS))),
        "token_text": np.frombuffer(text, np.uint8),
        "tokenizer": np.zeros(0),
        "cosines": cosines,
        "sines": sines,
    }
    for section in shape.sections():
        given.setdefault(section.name, _numbers(chance, section.name, section.dimensions))
    data = b"".join(file_pieces(shape, given, bytes(PROOF_BYTES)))
    proof = told_digest(PlainEngine(read_model(memoryview(data)), 1), shape.vocabulary)
    return b"".join(file_pieces(shape, given, proof))


def _numbers(chance: np.random.RandomState, name: str, size: tuple[int, ...]) -> Any:
    """Of the size that a model's own would have."""
    last = name.rsplit(".", 1)[-1]
    if last in {"gain_bits", "scale_bits"}:
        return np.array([14 if last == "gain_bits" else 28])
    least, most = {"weights": (-63, 64), "scales": (20_000, 50_000), "gain": (8000, 24_000)}.get(last, (-9000, 9000))
    return chance.randint(least, most, size)


def _symbols(group: bytes) -> Any:
    """The longest token at each place; of two with the same bytes, the first."""
    found, at = [], 0
    while at < len(group):
        fits = [number for number, token in enumerate(TOKENS) if group.startswith(token, at)]
        best = max(fits, key=lambda number: len(TOKENS[number]), default=None)
        found.append(len(TOKENS) + group[at] if best is None else best)
        at += 1 if best is None else len(TOKENS[best])
    return np.array(found, np.int32)


def two_streams() -> bytes:
    """Each group by another method, the first by two streams in step."""
    data = model_bytes()
    model = read_model(memoryview(data))
    payloads = [
        bytes([TOLD]) + encode_symbols(_symbols(GROUPS[0]), model, streams=2),
        bytes([TOLD]) + encode_symbols(_symbols(GROUPS[1]), model),
        bytes([PPMD]) + Ppmd().encode_block(GROUPS[2]),
        bytes([ZSTD]) + Zstd().encode_block(GROUPS[3]),
        bytes([STORED]) + GROUPS[4],
    ]
    writer = FrameWriter(file := io.BytesIO())
    sink = writer.sink(TextLm(LmParams(model=digest_of(data))))
    for payload, group in zip(payloads, GROUPS, strict=True):
        sink.chunk(payload, group)
    writer.finish()
    return file.getvalue()


LM: dict[str, tuple[Callable[[], bytes], bytes]] = {"two_streams": (two_streams, b"".join(GROUPS))}
"""Name: how it was made, and what it decodes to."""
