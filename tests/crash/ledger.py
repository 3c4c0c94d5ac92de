"""The judge of every crash test: what was promised, kept outside the process that dies."""

import hashlib
import random
import threading
from dataclasses import dataclass, field

import httpx


@dataclass
class Ledger:
    """Receipts given, removals confirmed, and names whose fate a kill left open."""

    kept: dict[str, str] = field(default_factory=dict)
    removed: set[str] = field(default_factory=set)
    open_fate: dict[str, str] = field(default_factory=dict)
    grown: dict[str, bytes] = field(default_factory=dict)
    """What objects hold that were appended to, as their last receipts say."""
    growing: dict[str, bytes] = field(default_factory=dict)
    """What was on its way behind them when a kill came: it is there whole, up to a checkpoint, or not at all."""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def verify(self, client: httpx.Client, names: list[str] | None = None) -> None:
        """Read back every promise (or those of `names`): exact bytes, gone names gone, open ones absent or whole."""
        for name in {*self.grown, *self.growing}:
            self._verify_grown(client, name)
        for name in names if names is not None else [*self.kept, *self.removed, *self.open_fate]:
            answer = client.get(f"/v1/objects/crash/{name}")
            found = hashlib.sha256(answer.content).hexdigest() if answer.status_code == 200 else None
            if name in self.kept:
                assert found == self.kept[name], (
                    f"{name}: receipt for {self.kept[name]}, got {answer.status_code} {found}"
                )
            elif name in self.removed:
                assert answer.status_code == 404, f"{name}: removed, got {answer.status_code}"
            else:
                assert found in {None, self.open_fate[name]}, f"{name}: neither absent nor whole: {found}"

    def _verify_grown(self, client: httpx.Client, name: str) -> None:
        before, behind = self.grown.get(name, b""), self.growing.get(name, b"")
        answer = client.get(f"/v1/objects/crash/{name}")
        found = answer.content if answer.status_code == 200 else b""
        assert found.startswith(before), (
            f"{name}: a receipt for {len(before)} bytes, got {answer.status_code} and {len(found)} others"
        )
        assert (before + behind).startswith(found), f"{name}: holds what was never appended"

    def sample(self, rng: random.Random, count: int) -> list[str]:
        """Some promises to look at between kills."""
        names = [*self.kept, *self.removed, *self.open_fate]
        return rng.sample(names, min(count, len(names)))


def body(rng: random.Random) -> bytes:
    """A small log-like body mostly, now and then a large one that gets a blob of its own."""
    seed = rng.getrandbits(32)
    lines = rng.choice((1, 5, 40)) if rng.random() < 0.8 else rng.choice((4_000, 40_000))
    words = random.Random(seed)
    return b"".join(
        b"2026-11-21 01:%02d:%02d worker[%d] done item=%x\n"
        % (words.randrange(60), words.randrange(60), words.randrange(99), words.getrandbits(48))
        for _ in range(lines)
    )
