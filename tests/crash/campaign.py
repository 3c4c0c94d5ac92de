"""`make crash`: kill a real server with -9, at named points and blindly, under load, and read every receipt back.

    python -m tests.crash.campaign --kills 200 [--seed 8123] [--point publish.after_swap]

Every line it prints replays: the same seed and point give the same load and the same kill.
"""

import argparse
import random
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from lithify.crashpoints import NAMES
from tests.crash.ledger import Ledger
from tests.crash.server import Server, load
from tests.unit.api.running import run

SERVER_ROOMS = ("ingest", "append", "blob", "pack", "commit", "work", "publish", "delete", "sweep", "scrub")
SERVER_POINTS = tuple(name for name in NAMES if name.split(".")[0] in SERVER_ROOMS)
BLIND = "blind"
_LOADERS = 4
_OPERATIONS = 30
_LIFE_SECONDS = 5.0


def live_once(
    archive: Path,
    point: str,
    ledger: Ledger,
    rng: random.Random,
    life: int,
    *,
    operations: int = _OPERATIONS,
    patience_seconds: float = _LIFE_SECONDS,
) -> bool:
    """One life of the server under load; whether the kill happened. Each loader does so many `operations`."""
    count = rng.choice((1, 1, 2, 5, 20))
    server = Server(archive, "" if point == BLIND else f"{point}:{count}")
    try:
        if not server.ready():
            return server.died_by_kill()
        with server.client() as client:
            threads = [
                threading.Thread(
                    target=load,
                    args=(client, ledger, random.Random(rng.random()), f"{life}-{n}", operations),
                )
                for n in range(_LOADERS)
            ]
            for thread in threads:
                thread.start()
            if point == BLIND:
                time.sleep(rng.uniform(0.05, 2.0))
                server.kill()
            for thread in threads:
                thread.join()
            _await_kill(server, patience_seconds)
        return server.died_by_kill()
    finally:
        server.kill()


def _await_kill(server: Server, seconds: float) -> None:
    """Points of the worker may come up only after the load has ended."""
    deadline = time.monotonic() + seconds
    while server.process.is_alive() and time.monotonic() < deadline:
        time.sleep(0.05)


def judge(archive: Path, ledger: Ledger, names: list[str] | None = None) -> None:
    """Start a server with nothing armed and read promises back."""
    server = Server(archive)
    try:
        assert server.ready(), "the server does not start after a kill"
        with server.client() as client:
            ledger.verify(client, names)
        server.stop()
    finally:
        server.kill()


def check_clean(archive: Path) -> None:
    """`lithify check --read-data` after one sweep finds nothing. What was killed is over: these need no processes."""
    for words in (("sweep",), ("check", "--read-data")):
        result = run("--archive", str(archive), *words)
        assert result.exit_code == 0, f"lithify {' '.join(words)}: {result.output}"


def _points(only: str | None, rng: random.Random) -> Iterator[str]:
    while True:
        points = [only] if only else [*SERVER_POINTS, BLIND, BLIND]
        rng.shuffle(points)
        yield from points


def main() -> None:
    """Run the campaign and print what it saw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--point", choices=[*SERVER_POINTS, BLIND])
    wanted = parser.parse_args()
    rng = random.Random(wanted.seed)
    ledger, kills, life = Ledger(), 0, 0
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="lithify-crash-") as folder:
        archive = Path(folder) / "archive"
        for point in _points(wanted.point, rng):
            life += 1
            killed = live_once(archive, point, ledger, rng, life)
            kills += killed
            print(
                f"make crash: seed {wanted.seed} life {life} {point}: {'killed' if killed else 'not reached'}; "
                f"{kills} kills, {len(ledger.kept)} receipts kept, {len(ledger.removed)} removed",
                flush=True,
            )
            if life % 10 == 0:
                judge(archive, ledger, ledger.sample(rng, 200))
            if kills >= wanted.kills or life >= 3 * wanted.kills:
                break
        judge(archive, ledger)
        check_clean(archive)
    seconds = time.monotonic() - started
    print(f"{kills} kills in {life} lives, {len(ledger.kept)} receipts, all kept; {seconds:.0f} s, seed {wanted.seed}")


if __name__ == "__main__":
    main()
