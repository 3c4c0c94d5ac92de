"""How far a campaign has come, in a file, so that a hundred thousand inputs need not be tried in one go."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Self


@dataclass
class State:
    """What was asked for, and what was tried."""

    seed: int
    targets: list[str]
    processes: int
    next: list[int] = field(default_factory=list)
    """For each process: its next input."""
    tried: dict[str, int] = field(default_factory=dict)
    accepted: dict[str, int] = field(default_factory=dict)
    findings: int = 0

    @classmethod
    def begun(cls, path: Path | None, seed: int, targets: Sequence[str], processes: int) -> Self:
        """What the file says, if there is one. Raises ValueError if that is of another campaign."""
        fresh = cls(seed, list(targets), processes, list(range(processes)))
        if path is None or not path.exists():
            return fresh
        had = cls(**json.loads(path.read_text("utf-8")))
        if (had.seed, had.targets, had.processes) != (seed, fresh.targets, processes):
            raise ValueError(f"{path} is of another seed, other targets or another number of processes")
        return had

    def write(self, path: Path) -> None:
        """Write it down, all or nothing."""
        beside = path.with_suffix(".new")
        beside.write_text(json.dumps(asdict(self), indent=1), "utf-8")
        beside.replace(path)
