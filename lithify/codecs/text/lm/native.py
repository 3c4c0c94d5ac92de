"""Any causal language model of Hugging Face, in floating point: only for who asks for it by name.

What it says depends on the processor, on libraries and on the number of threads, so its streams are bound to the
machine that wrote them: the frame names that machine, and others refuse it. Encoder and decoder ask the model the very
same questions, one step at a time, and a second process has read every stream back before it is kept.

A native file is the parts of a Hugging Face folder, one behind another:
magic "LTHN" 1 · u64 lengths of config.json, tokenizer.json and the weights · the three.
"""

import hashlib
import json
import os
import platform
import struct
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from inspect import signature
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from lithify.codecs.array_types import I32, I64
from lithify.codecs.text.lm.vocabulary import token_bytes
from lithify.errors import BadArgument, Corrupt, MissingExtra, Truncated

MAGIC = b"LTHN\x01"
_LENGTHS = struct.Struct("<3Q")
_PARTS = ("config.json", "tokenizer.json", "model.safetensors")
_CONTEXT_MAX = 2048
_VALUE_BYTES = 4
_UNIT = 65_536 / float(np.log(2))
_LOGIT_MAX = (1 << 29) - 1
_COPY_BYTES = 1 << 20
_CACHE_NAMES = ("cache", "past_key_values")


def bundle(folder: Path, out: BinaryIO) -> None:
    """Write the native file of a Hugging Face folder. Raises BadArgument when a part of it is missing."""
    paths = [folder / name for name in _PARTS]
    if missing := [path.name for path in paths if not path.is_file()]:
        raise BadArgument(f"{folder} has no {missing[0]}")
    out.write(MAGIC + _LENGTHS.pack(*(path.stat().st_size for path in paths)))
    for path in paths:
        with path.open("rb") as file:
            while block := file.read(_COPY_BYTES):
                out.write(block)


@dataclass(frozen=True)
class NativeShape:
    """What must be known of a model before it is asked."""

    vocabulary: int
    context: int
    begin: int
    memory_bytes: int


class NativeModel:
    """A model that torch reckons with."""

    def __init__(self, data: memoryview) -> None:
        """Build it. Raises Truncated or Corrupt when the file is wrong, MissingExtra when torch is not there."""
        config, self.tokenizer, weights = _parts(data)
        torch, transformers = _libraries()
        from safetensors import SafetensorError
        from safetensors.torch import load

        try:
            built = transformers.AutoConfig.for_model(**json.loads(config))
            model = transformers.AutoModelForCausalLM.from_config(built, dtype=torch.float32)
            self._fill(model, load(weights))
        except (KeyError, ValueError, TypeError, RuntimeError, AttributeError, SafetensorError) as error:
            raise Corrupt(f"the language model cannot be built: {error!r:.300}") from error
        self._torch, self.model = torch, model.eval()
        self.shape = _shape(built)
        self.tokens = tuple(token_bytes(self.tokenizer, self.shape.vocabulary))

    @staticmethod
    def _fill(model: Any, weights: dict[str, Any]) -> None:
        """Put every weight where it belongs; a head that is tied to the embedding has none of its own."""
        wide = {name: one.float() for name, one in weights.items()}
        found = model.load_state_dict(wide, strict=False, assign=True)
        missing = [name for name in found.missing_keys if name not in (model._tied_weights_keys or ())]
        if missing or found.unexpected_keys:
            raise ValueError(f"weights that are missing or not expected: {[*missing, *found.unexpected_keys][:3]}")
        model.tie_weights()

    def reader(self) -> "NativeReader":
        """Something that reads."""
        return NativeReader(self.model, self._torch)


@lru_cache(maxsize=1)
def native_model(digest: str, data: memoryview) -> NativeModel:
    """The model of this SHA-256, which was compared; the last one is kept."""
    return NativeModel(data)


class NativeReader:
    """The same as engine.Engine, in floating point; its logarithms are rounded to whole numbers."""

    def __init__(self, model: Any, torch: Any) -> None:
        self._model, self._torch, self._cache = model, torch, None
        self._name = next(one for one in _CACHE_NAMES if one in signature(model.forward).parameters)
        self.position = 0

    def begin(self) -> None:
        """Forget what was read."""
        self._cache, self.position = None, 0

    def read(self, tokens: I64, *, telling: bool = True) -> I32 | None:
        """As engine.Engine.read."""
        with self._torch.no_grad():
            found = self._model(
                input_ids=self._torch.from_numpy(np.ascontiguousarray(tokens)),
                use_cache=True,
                **{self._name: self._cache},
            )
        self._cache = getattr(found, self._name)
        self.position += tokens.shape[1]
        logits = np.rint(found.logits.double().numpy() * _UNIT)
        return np.clip(logits, -_LOGIT_MAX, _LOGIT_MAX).astype(np.int32) if telling else None


def _need_no_folders() -> None:
    """A confined child has no folder that it may write, and torch asks for two when it is imported, to use neither."""
    with suppress(FileNotFoundError):
        tempfile.gettempdir()
    if tempfile.tempdir is None:
        tempfile.tempdir = "/"
        os.environ.setdefault("TORCHINDUCTOR_CACHE_DIR", "/")


def _libraries() -> tuple[Any, Any]:
    """torch and transformers. Raises MissingExtra."""
    _need_no_folders()
    try:
        import torch
        import transformers
    except ModuleNotFoundError as error:
        raise MissingExtra("a model in floating point needs the extra native: pip install 'lithify[native]'") from error
    torch.set_num_threads(1)
    return torch, transformers


def machine() -> str:
    """This machine, as far as floating point depends on it: a short digest of processor and libraries."""
    torch, transformers = _libraries()
    with open("/proc/cpuinfo") as file:  # noqa: PTH123 - a child may open no other file
        processor = "".join(sorted({line for line in file if line.startswith(("model name", "flags", "Features"))}))
    parts = (platform.machine(), processor, torch.__version__, transformers.__version__, np.__version__)
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def _parts(data: memoryview) -> tuple[bytes, bytes, bytes]:
    start = len(MAGIC) + _LENGTHS.size
    if len(data) < start:
        raise Truncated(f"a native language model of {len(data)} bytes")
    lengths = _LENGTHS.unpack_from(data, len(MAGIC))
    if start + sum(lengths) != len(data):
        raise Truncated(f"a native language model of {len(data)} bytes; its head says {start + sum(lengths)}")
    found = []
    for length in lengths:
        found.append(bytes(data[start : start + length]))
        start += length
    return found[0], found[1], found[2]


def _shape(config: Any) -> NativeShape:
    context = min(int(getattr(config, "max_position_embeddings", None) or _CONTEXT_MAX), _CONTEXT_MAX)
    begin = config.bos_token_id
    heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
    width = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    memory = 2 * _VALUE_BYTES * config.num_hidden_layers * heads * width * context
    return NativeShape(config.vocab_size, context, int((begin[0] if isinstance(begin, list) else begin) or 0), memory)
