"""A real `lithify serve --with-worker` in its own process, armed to kill itself at a named point."""

import hashlib
import os
import random
import signal
import socket
import sys
import time
from pathlib import Path

import httpx

from tests.crash.ledger import Ledger, body
from tests.forked import started
from tests.serving import NOBODY

START_SECONDS = 60.0
LITHIFY = str(Path(sys.executable).with_name("lithify"))


class Server:
    """One life of the server: from its start to the kill."""

    def __init__(self, archive: Path, crashpoint: str = "", *, port: int = 0) -> None:
        """`port` is for a server that takes the place of another; 0 finds a free one."""
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            self.port = probe.getsockname()[1]
        self.archive = archive
        environment = os.environ | {
            "LITHIFY_CRASHPOINT": crashpoint,
            "LITHIFY_GRACE_SECONDS": "0",
            "LITHIFY_REPACK_SECONDS": "0",
            "LITHIFY_CHECKPOINT_SECONDS": "0.05",
            "LITHIFY_LOG_LEVEL": "error",
            "LITHIFY_EFFORT": "fast",
        }
        words = ("--archive", str(archive), "serve", "--with-worker", "--port", str(self.port))
        self.process = started(*words, environment=environment)

    def ready(self) -> bool:
        """Wait until it answers; False when it was killed before it could."""
        deadline = time.monotonic() + START_SECONDS
        with httpx.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=5, verify=NOBODY) as client:
            while time.monotonic() < deadline:
                if not self.process.is_alive():
                    return False
                try:
                    if client.get("/readyz").status_code == 200:
                        return True
                except httpx.TransportError:
                    time.sleep(0.02)
        raise AssertionError(f"the server did not answer within {START_SECONDS:g} s")

    def client(self) -> httpx.Client:
        """A client that holds the archive's own key."""
        key = (self.archive / "key").read_text().strip()
        headers = {"Authorization": f"Bearer {key}"}
        return httpx.Client(base_url=f"http://127.0.0.1:{self.port}", headers=headers, timeout=60, verify=NOBODY)

    def died_by_kill(self) -> bool:
        """Whether the process is gone, killed with -9."""
        return self.process.exitcode == -signal.SIGKILL

    def kill(self) -> None:
        """Kill it now, wherever it is."""
        self.process.kill()
        self.process.join()

    def stop(self) -> None:
        """End it in peace."""
        self.process.terminate()
        self.process.join(30)
        assert not self.process.is_alive(), "the server did not end within 30 s"


def load(client: httpx.Client, ledger: Ledger, rng: random.Random, prefix: str, operations: int) -> None:
    """Put, remove and start upkeep until done or until the server dies under us."""
    for number in range(operations):
        try:
            _one_operation(client, ledger, rng, f"{prefix}/{number}")
        except httpx.TransportError:
            return


def _one_operation(client: httpx.Client, ledger: Ledger, rng: random.Random, name: str) -> None:
    choice = rng.random()
    if choice < 0.12:
        _remove(client, ledger, rng)
    elif choice < 0.2:
        client.post("/v1/upkeep", json={"kind": rng.choice(("sweep", "scrub", "reencode"))})
    elif choice < 0.4:
        append(client, ledger, name.rpartition("/")[0] + "/growing", body(rng))
    else:
        _put(client, ledger, rng, name)


def _put(client: httpx.Client, ledger: Ledger, rng: random.Random, name: str) -> None:
    content = body(rng)
    digest = hashlib.sha256(content).hexdigest()
    with ledger.lock:
        ledger.open_fate[name] = digest
    answer = client.put(f"/v1/objects/crash/{name}", content=content)
    if answer.status_code in {200, 201}:
        assert answer.json()["digest"] == digest, f"{name}: the receipt names other bytes"
        with ledger.lock:
            del ledger.open_fate[name]
            ledger.kept[name] = digest


def _remove(client: httpx.Client, ledger: Ledger, rng: random.Random) -> None:
    with ledger.lock:
        if not ledger.kept:
            return
        name = rng.choice(list(ledger.kept))
        ledger.open_fate[name] = ledger.kept.pop(name)
    answer = client.delete(f"/v1/objects/crash/{name}")
    if answer.status_code in {200, 204}:
        with ledger.lock:
            del ledger.open_fate[name]
            ledger.removed.add(name)


def append(client: httpx.Client, ledger: Ledger, name: str, content: bytes) -> None:
    """Append to an object that nobody else appends to; a kill leaves open whether it grew."""
    before = ledger.grown.get(name, b"")
    with ledger.lock:
        ledger.growing[name] = content
    answer = client.post(f"/v1/objects/crash/{name}", content=content)
    if answer.status_code in {200, 201}:
        digest = hashlib.sha256(before + content).hexdigest()
        assert answer.json()["digest"] == digest, f"{name}: the receipt names other bytes"
        with ledger.lock:
            del ledger.growing[name]
            ledger.grown[name] = before + content
