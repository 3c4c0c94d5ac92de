"""What a training run is asked for: a JSON file beside this one, so that a run can be repeated."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from lithify.codecs.text.network import Shape


@dataclass(frozen=True)
class Config:
    """One run. Rates fall to nothing over the last `falling` of the time."""

    width: int
    hidden: int
    layers: int
    hash_columns: int
    byte_columns: int
    class_columns: int
    hash_logs: tuple[int, ...]
    megabytes: tuple[float, ...]
    """Of prose, documentation, source code, markup."""
    streams: int
    """Texts that are read side by side."""
    stretch: int
    """Bytes of each that one step learns from; what was read before is remembered, not learnt from."""
    seconds: float
    matrix_rate: float
    other_rate: float
    falling: float
    alone: float
    """How much the opinion that ignores the mixer counts."""
    device: str
    threads: int
    seed: int

    @classmethod
    def read(cls, path: Path) -> Self:
        document = json.loads(path.read_text("utf-8"))
        for name in ("hash_logs", "megabytes"):
            document[name] = tuple(document[name])
        return cls(**document)

    @property
    def shape(self) -> Shape:
        return Shape(
            self.width,
            self.hidden,
            self.layers,
            self.hash_columns,
            self.byte_columns,
            self.class_columns,
            self.hash_logs,
        )
