"""Small language models as Hugging Face keeps them, made for these tests of nothing but a seed."""

import json
from functools import cache
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest

from lithify.codecs.text.lm.convert import convert
from lithify.codecs.text.lm.model import ExactModel, read_model
from tests.unit.codecs.text.corpus import CODE, PROSE

SMALL: dict[str, Any] = {
    "model_type": "llama",
    "vocab_size": 300,
    "hidden_size": 48,
    "intermediate_size": 80,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 12,
    "max_position_embeddings": 32,
    "rms_norm_eps": 1e-5,
    "hidden_act": "silu",
    "tie_word_embeddings": True,
    "bos_token_id": 0,
    "rope_parameters": {"rope_type": "default", "rope_theta": 10000.0},
}


def byte_level(size: int = 300) -> bytes:
    """A tokenizer that knows every byte."""
    tokenizers = pytest.importorskip("tokenizers", reason="tokens are found by tokenizers (extra llm)")
    tokenizer = tokenizers.Tokenizer(tokenizers.models.BPE())
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = tokenizers.decoders.ByteLevel()
    trainer = tokenizers.trainers.BpeTrainer(
        vocab_size=size,
        initial_alphabet=tokenizers.pre_tokenizers.ByteLevel.alphabet(),
        special_tokens=["<|begin|>"],
        show_progress=False,
    )
    tokenizer.train_from_iterator([PROSE.decode(), CODE.decode()], trainer)
    return str(tokenizer.to_str()).encode()


def sentence_piece() -> bytes:
    """A tokenizer in the manner of Llama 2: words begin with U+2581, a space is put before every text, some bytes are
    tokens."""
    pytest.importorskip("tokenizers", reason="tokens are found by tokenizers (extra llm)")
    words = ["\u2581", "i", "t", "s", "e", "\u2581it", "tt", "\u2581s", "\u2581se", "\u2581sett", "l", "\u00e9"]
    tokens = ["<unk>", "<s>", *(f"<0x{byte:02X}>" for byte in range(128)), *words]
    merges = [["\u2581", "it"], ["t", "t"], ["\u2581", "s"], ["\u2581s", "e"], ["\u2581se", "tt"], ["i", "t"]]
    vocabulary = {token: number for number, token in enumerate([*tokens, "it"])}
    document = {
        "version": "1.0",
        "added_tokens": [
            {
                **{"id": number, "content": content, "special": True, "single_word": False, "lstrip": False},
                **{"rstrip": False, "normalized": False},
            }
            for number, content in enumerate(["<unk>", "<s>"])
        ],
        "normalizer": {
            "type": "Sequence",
            "normalizers": [
                {"type": "Prepend", "prepend": "\u2581"},
                {"type": "Replace", "pattern": {"String": " "}, "content": "\u2581"},
            ],
        },
        "pre_tokenizer": None,
        "post_processor": None,
        "decoder": {"type": "ByteFallback"},
        "model": {
            "type": "BPE",
            "vocab": vocabulary,
            "merges": merges,
            "unk_token": "<unk>",
            "fuse_unk": True,
            "byte_fallback": True,
        },
    }
    return json.dumps(document).encode()


def weights(config: dict[str, Any], seed: int = 1) -> dict[str, Any]:
    """Numbers for every matrix of a model."""
    chance = np.random.default_rng(seed)
    width, inner = config["hidden_size"], config["intermediate_size"]
    queries = config["num_attention_heads"] * config["head_dim"]
    keys = config["num_key_value_heads"] * config["head_dim"]
    shapes = {"model.embed_tokens": (config["vocab_size"], width), "model.norm": (width,)}
    for number in range(config["num_hidden_layers"]):
        block = f"model.layers.{number}"
        shapes |= {
            f"{block}.input_layernorm": (width,),
            f"{block}.self_attn.q_proj": (queries, width),
            f"{block}.self_attn.k_proj": (keys, width),
            f"{block}.self_attn.v_proj": (keys, width),
            f"{block}.self_attn.o_proj": (width, queries),
            f"{block}.post_attention_layernorm": (width,),
            f"{block}.mlp.gate_proj": (inner, width),
            f"{block}.mlp.up_proj": (inner, width),
            f"{block}.mlp.down_proj": (width, inner),
        }
    if not config["tie_word_embeddings"]:
        shapes["lm_head"] = (config["vocab_size"], width)
    found = {}
    for name, shape in shapes.items():
        numbers = chance.normal(0, 0.2, shape) + (len(shape) == 1)
        found[f"{name}.weight"] = numbers.astype(np.float32)
    return found


def write_folder(path: Path, tokenizer: bytes, tensors: dict[str, Any] | None = None, **changed: Any) -> Path:
    """A folder as Hugging Face has it; `changed` settings of SMALL."""
    safetensors = pytest.importorskip("safetensors.numpy", reason="weights are read by safetensors (extra llm)")
    config = {**SMALL, **changed}
    path.mkdir(parents=True, exist_ok=True)
    (path / "config.json").write_text(json.dumps(config))
    (path / "tokenizer.json").write_bytes(tokenizer)
    safetensors.save_file(weights(config) if tensors is None else tensors, path / "model.safetensors")
    return path


def converted(folder: Path, **terms: Any) -> bytes:
    """The model file of a folder."""
    out = BytesIO()
    convert(folder, out, **terms)
    return out.getvalue()


@cache
def small_file() -> bytes:
    """The model file of the small model."""
    with TemporaryDirectory() as folder:
        return converted(write_folder(Path(folder), byte_level()))


@cache
def small_model() -> ExactModel:
    """The small model."""
    return read_model(memoryview(small_file()))
