"""From a Hugging Face folder to a model in whole numbers: the same folder gives the same bytes on every machine.

Each number is found by multiplications and divisions that IEEE 754 rounds in one way, and by long integers.
"""

import json
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from lithify.codecs.text.lm.array_types import F64
from lithify.codecs.text.lm.model import WEIGHT_MAX, file_pieces, read_model
from lithify.codecs.text.lm.plain import PlainEngine
from lithify.codecs.text.lm.proof import told_digest
from lithify.codecs.text.lm.shape import PROOF_BYTES, TOKEN_BYTES_MAX, Shape
from lithify.codecs.text.lm.tables import frequency, rotations
from lithify.codecs.text.lm.tensors import Tensors
from lithify.codecs.text.lm.vocabulary import token_bytes
from lithify.errors import BadArgument

CONTEXT_MAX = 2048
ACTIVATION_BITS = 8
_LOG2_E = Fraction(6497320848556798, 1 << 52)  # 1 / ln 2
_TWO_PI = Fraction(6.283185307179586)
_KINDS = ("llama", "mistral")
Arrays = dict[str, Any]


def convert(
    folder: Path, out: BinaryIO, *, context: int | None = None, activation_bits: int = ACTIVATION_BITS
) -> Shape:
    """Write the model file of a Hugging Face folder. Raises BadArgument when it is of a kind we cannot reckon with.

    out      a file that can be written anywhere
    context  positions to use, at most those that the model was trained for
    activation_bits  from 8 to 12: more are for models whose activations differ much in size
    """
    config = _config(folder)
    try:
        tokenizer = (folder / "tokenizer.json").read_bytes()
    except OSError as error:
        raise BadArgument(f"{folder} has no tokenizer.json that can be read: {error.strerror}") from error
    tensors = Tensors(folder)
    shape, arrays = _exact(config, tensors, tokenizer, context, activation_bits)
    start = out.tell()
    for piece in file_pieces(shape, arrays, bytes(PROOF_BYTES)):
        out.write(piece)
    end = out.tell()
    out.seek(start)
    out.write(shape.head(_proof(shape, arrays)))
    out.seek(end)
    return shape


def _proof(shape: Shape, arrays: Arrays) -> bytes:
    """What the model says of some tokens, reckoned in the slowest and surest way."""
    data = b"".join(file_pieces(shape, arrays, bytes(PROOF_BYTES)))
    return told_digest(PlainEngine(read_model(memoryview(data)), 1), shape.vocabulary)


def _config(folder: Path) -> dict[str, Any]:
    try:
        config: dict[str, Any] = json.loads((folder / "config.json").read_bytes())
        kind = config.get("model_type")
    except (OSError, ValueError, AttributeError, RecursionError) as error:
        raise BadArgument(f"{folder} has no config.json that can be read: {error}") from error
    if kind not in _KINDS:
        raise BadArgument(f"{folder} holds a model of type {kind!r}; expected {' or '.join(_KINDS)}")
    for name, expected in (("hidden_act", "silu"), ("attention_bias", False), ("mlp_bias", False)):
        if config.get(name, expected) != expected:
            raise BadArgument(f"{folder} has {name} = {config[name]!r}; expected {expected!r}")
    return config


def _exact(
    config: dict[str, Any], tensors: Tensors, tokenizer: bytes, context: int | None, activation_bits: int
) -> tuple[Shape, Arrays]:
    vocabulary = int(config["vocab_size"])
    tokens = token_bytes(tokenizer, vocabulary)
    heads, width = int(config["num_attention_heads"]), int(config["hidden_size"])
    embedding, embedding_bits = _small_numbers(tensors("model.embed_tokens.weight"), 16)
    shape = Shape(
        layers=int(config["num_hidden_layers"]),
        width=width,
        heads=heads,
        key_heads=int(config.get("num_key_value_heads") or heads),
        head_width=int(config.get("head_dim") or width // heads),
        inner=int(config["intermediate_size"]),
        vocabulary=vocabulary,
        context=_context(config, context),
        begin=_begin(config),
        epsilon=round(float(config.get("rms_norm_eps", 1e-6)) * 2**32),
        embedding_bits=embedding_bits,
        text_bytes=sum(map(len, tokens)),
        tokenizer_bytes=len(tokenizer),
        activation_bits=activation_bits,
    )
    if max(map(len, tokens)) > TOKEN_BYTES_MAX:
        raise BadArgument(f"a token of {max(map(len, tokens))} bytes; the limit is {TOKEN_BYTES_MAX}")
    cosines, sines = rotations(_frequencies(config, shape.head_width // 2), shape.context)
    arrays: Arrays = {
        "token_lengths": np.array(list(map(len, tokens))),
        "token_text": np.frombuffer(b"".join(tokens), np.uint8),
        "tokenizer": np.frombuffer(tokenizer, np.uint8),
        "cosines": cosines,
        "sines": sines,
        "embedding": embedding,
    }
    for number in range(shape.layers):
        arrays |= _layer(number, shape, tensors)
    arrays |= _gain("last", tensors("model.norm.weight"))
    tied = bool(config.get("tie_word_embeddings"))
    head = tensors("model.embed_tokens.weight" if tied else "lm_head.weight")
    return shape, arrays | _matrix("head", head, shape, float(_LOG2_E))


def _layer(number: int, shape: Shape, tensors: Tensors) -> Arrays:
    def given(name: str) -> F64:
        return tensors(f"model.layers.{number}.{name}.weight")

    # Scores are compared as powers of two, and divided by the root of the head's width: queries bring both with them.
    queries = given("self_attn.q_proj") * (float(_LOG2_E) / float(np.sqrt(np.float64(shape.head_width))))
    qkv = np.concatenate([queries, given("self_attn.k_proj"), given("self_attn.v_proj")])
    gate_up = np.concatenate([given("mlp.gate_proj"), given("mlp.up_proj")])
    return {
        **_gain(f"{number}.attention", given("input_layernorm")),
        **_matrix(f"{number}.qkv", qkv, shape),
        **_matrix(f"{number}.out", given("self_attn.o_proj"), shape),
        **_gain(f"{number}.inner", given("post_attention_layernorm")),
        **_matrix(f"{number}.gate_up", gate_up, shape),
        **_matrix(f"{number}.down", given("mlp.down_proj"), shape),
    }


def _matrix(name: str, weights: F64, shape: Shape, times: float = 1.0) -> Arrays:
    """Seven bits of every weight, and what a row's unit is worth; that of an activation goes with it."""
    largest = np.abs(weights).max(axis=1, keepdims=True)
    units = np.where(largest > 0, largest, 1.0)
    whole = np.rint(weights * WEIGHT_MAX / units)
    scales, bits = _positive_numbers(largest[:, 0] * times / (WEIGHT_MAX * shape.activation_max))
    return {f"{name}.weights": whole.astype(np.int8), f"{name}.scales": scales, f"{name}.scale_bits": [bits]}


def _gain(name: str, gain: F64) -> Arrays:
    whole, bits = _small_numbers(gain, 24)
    return {f"{name}.gain": whole, f"{name}.gain_bits": [bits]}


def _small_numbers(values: F64, bits_max: int) -> tuple[Any, int]:
    """Numbers as i16 in the smallest unit, a power of two, that lets the largest be told."""
    bits = min(bits_max, _bits_below(float(np.abs(values).max()), 15))
    if bits < 0:
        raise BadArgument(f"the model has numbers up to {np.abs(values).max()}, which is beyond 32767")
    return np.rint(np.ldexp(values, bits)).astype(np.int16), bits


def _positive_numbers(values: F64) -> tuple[Any, int]:
    """Numbers as u16, in the same way."""
    bits = min(100, _bits_below(float(values.max()), 16))
    return np.rint(np.ldexp(values, bits)).astype(np.uint16), bits


def _bits_below(largest: float, width: int) -> int:
    """The most bits behind the point with which a number, rounded, is below 2^width."""
    bits = width - int(np.frexp(largest)[1]) if largest > 0 else width
    return bits - 1 if np.rint(np.ldexp(largest, bits)) >= 1 << width else bits


def _context(config: dict[str, Any], wanted: int | None) -> int:
    most = min(int(config.get("max_position_embeddings", CONTEXT_MAX)), int(config.get("sliding_window") or 1 << 30))
    return min(most, CONTEXT_MAX if wanted is None else wanted)


def _begin(config: dict[str, Any]) -> int:
    """The token that begins a text; of several, or none, the first there is."""
    found = config.get("bos_token_id")
    return int((found[0] if isinstance(found, list) else found) or 0)


def _frequencies(config: dict[str, Any], pairs: int) -> list[int]:
    """What rotates each pair of a head, in radians a position times 2^128. Raises BadArgument for ways not known."""
    rope = config.get("rope_parameters") or config.get("rope_scaling") or {}
    base = Fraction(float(rope.get("rope_theta") or config.get("rope_theta") or 10_000.0))
    plain = [frequency(64, int(base * (1 << 64)), pair, pairs) for pair in range(pairs)]
    kind = rope.get("rope_type") or rope.get("type") or "default"
    scaled = _SCALINGS.get(kind)
    if scaled is None:
        raise BadArgument(f"the model's positions are of type {kind!r}; expected {', '.join(_SCALINGS)}")
    return list(scaled(plain, rope))


def _stretched(plain: list[int], rope: dict[str, Any]) -> Iterator[int]:
    factor = Fraction(float(rope["factor"]))
    return (int(one / factor) for one in plain)


def _stretched_when_slow(plain: list[int], rope: dict[str, Any]) -> Iterator[int]:
    """As Llama 3 does: slow rotations are stretched, fast ones are not, those between a little."""
    names = ("factor", "low_freq_factor", "high_freq_factor", "original_max_position_embeddings")
    factor, low, high, trained = (Fraction(float(rope[name])) for name in names)
    for one in plain:
        turns = trained * one / (1 << 128) / _TWO_PI
        smooth = min(Fraction(1), max(Fraction(0), (turns - low) / (high - low)))
        yield int((1 - smooth) * one / factor + smooth * one)


_SCALINGS: dict[str, Callable[[list[int], dict[str, Any]], Iterator[int]]] = {
    "default": lambda plain, _: iter(plain),
    "linear": _stretched,
    "llama3": _stretched_when_slow,
}
