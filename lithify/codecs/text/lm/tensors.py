"""The numbers of a Hugging Face folder, by name, whatever file and width they lie in."""

import json
from pathlib import Path
from typing import Any, cast

import numpy as np

from lithify.codecs.text.lm.array_types import F64
from lithify.errors import BadArgument, MissingExtra

_KINDS = {"F64": "<f8", "F32": "<f4", "F16": "<f2"}
_INDEX = "model.safetensors.index.json"


class Tensors:
    """Gives each tensor as float64, which holds every narrower number exactly."""

    def __init__(self, folder: Path) -> None:
        """Look where everything lies. Raises BadArgument when there are no weights, MissingExtra."""
        self._folder = folder
        self._files = self._index()
        self._open: tuple[str, dict[str, Any]] = ("", {})

    def _index(self) -> dict[str, str] | None:
        """Which file each tensor lies in; None: all in one."""
        try:
            if (self._folder / "model.safetensors").is_file():
                return None
            index: dict[str, str] = json.loads((self._folder / _INDEX).read_bytes())["weight_map"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise BadArgument(f"{self._folder} has no model.safetensors that can be read: {error!r}") from error
        return index

    def __call__(self, name: str) -> F64:
        """One tensor. Raises BadArgument when it is not there, or holds what is no number."""
        file = "model.safetensors" if self._files is None else self._files.get(name)
        found = self._tensors(file).get(name) if file is not None else None
        if found is None:
            raise BadArgument(f"{self._folder} has no weights called {name}")
        values = _values(found, name)
        if not np.isfinite(values).all():
            raise BadArgument(f"{self._folder} has weights in {name} that are no numbers")
        return values

    def _tensors(self, file: str) -> dict[str, Any]:
        if self._open[0] != file:
            self._open = "", {}  # one file in memory at a time
            self._open = file, _read(self._folder / file)
        return self._open[1]


def _read(path: Path) -> dict[str, Any]:
    try:
        from safetensors import SafetensorError, deserialize
    except ModuleNotFoundError as error:
        raise MissingExtra("reading a model's weights needs the extra llm: pip install 'lithify[llm]'") from error
    try:
        return dict(cast("Any", deserialize)(path.read_bytes()))
    except (OSError, SafetensorError) as error:
        raise BadArgument(f"{path} cannot be read: {error}") from error


def _values(tensor: dict[str, Any], name: str) -> F64:
    kind, data = tensor["dtype"], tensor["data"]
    if kind == "BF16":
        wide = np.frombuffer(data, "<u2").astype(np.uint32) << 16
        flat = wide.view(np.float32).astype(np.float64)
    elif kind in _KINDS:
        flat = np.frombuffer(data, _KINDS[kind]).astype(np.float64)
    else:
        raise BadArgument(f"the weights {name} are of type {kind}; expected BF16, {', '.join(_KINDS)}")
    return flat.reshape(tensor["shape"])
