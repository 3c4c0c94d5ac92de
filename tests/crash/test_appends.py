"""A log that grows while servers and senders are killed: every receipt stays true, and nothing comes twice."""

import hashlib
import json
import os
import random
import subprocess
import time
from pathlib import Path

import httpx
import pytest

from lithify.crashpoints import NAMES
from tests.crash.campaign import check_clean
from tests.crash.server import LITHIFY, Server
from tests.unit.api.running import run

LINE = b"2026-11-21 01:15:%02d worker[%d] took job %d\n"
POINTS = [name for name in NAMES if name.startswith(("append.", "commit."))]

pytestmark = pytest.mark.crash


def started(archive: Path, crashpoint: str = "", port: int = 0) -> Server:
    server = Server(archive, crashpoint, port=port)
    assert server.ready()
    return server


def lines(first: int, count: int) -> bytes:
    return b"".join(LINE % (n % 60, n % 97, n) for n in range(first, first + count))


def content(server: Server) -> bytes:
    with server.client() as client:
        answer = client.get("/v1/objects/c/log")
        return answer.content if answer.status_code == 200 else b""


def files_after_a_sweep(archive: Path) -> int:
    assert run("--archive", str(archive), "sweep", environment={"LITHIFY_GRACE_SECONDS": "0"}).exit_code == 0
    return sum(path.is_file() for path in (archive / "blobs").rglob("*"))


def append_until_killed(server: Server, whole: bytes, rng: random.Random) -> bytes:
    """Append until the server dies; gives what its last receipt says. `whole` is what it holds."""
    with server.client() as client:
        for number in range(12):
            part = lines(number, rng.choice((1, 50, 20_000)))
            try:
                answer = client.post("/v1/objects/c/log", content=part)
            except httpx.TransportError:
                return whole
            whole += part
            assert answer.json()["digest"] == hashlib.sha256(whole).hexdigest()
    return whole


@pytest.mark.parametrize("point", POINTS)
def test_a_server_killed_while_an_object_grows_keeps_every_receipt(tmp_path: Path, point: str) -> None:
    archive, rng = tmp_path / "archive", random.Random(point)
    promised = b""
    server = started(archive, f"{point}:{rng.choice((2, 4))}")
    try:
        promised = append_until_killed(server, promised, rng)
        server.process.join(30)
        assert server.died_by_kill()
        server = started(archive)
        found = content(server)
        assert found.startswith(promised)
        with server.client() as client:
            assert client.post("/v1/objects/c/log", content=b"the end\n").status_code in {200, 201}
        assert content(server) == found + b"the end\n"
    finally:
        server.kill()
    check_clean(archive)
    assert files_after_a_sweep(archive) <= 1, "nothing is left of what was outgrown"


def follow(server: Server, archive: Path) -> subprocess.Popen[bytes]:
    key = (archive / "key").read_text().strip()
    settings = {"LITHIFY_URL": f"http://127.0.0.1:{server.port}", "LITHIFY_KEY": key}
    command = [LITHIFY, "put", "-", "--to", "c", "--name", "log", "--follow", "--json"]
    return subprocess.Popen(
        command,
        env=os.environ | settings | {"LITHIFY_CHECKPOINT_SECONDS": "0.05"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )


def say(sender: subprocess.Popen[bytes], data: bytes) -> None:
    assert sender.stdin is not None
    sender.stdin.write(data)
    sender.stdin.flush()


def test_a_follower_loses_nothing_when_its_server_is_killed_and_comes_back(tmp_path: Path) -> None:
    archive, rng = tmp_path / "archive", random.Random(1)
    server = started(archive)
    sender, sent = follow(server, archive), b""
    try:
        for life in range(3):
            for _ in range(10):
                part = lines(len(sent), rng.choice((1, 300)))
                say(sender, part)
                sent += part
                time.sleep(rng.uniform(0.0, 0.1))
            server.kill()
            server = started(archive, port=server.port)
            assert sent.startswith(content(server)), f"life {life}"
        out, _ = sender.communicate(timeout=120)
        assert sender.returncode == 0
        assert content(server) == sent
        for receipt in map(json.loads, out.splitlines()):
            assert receipt["digest"] == hashlib.sha256(sent[: receipt["length"]]).hexdigest()
    finally:
        sender.kill()
        server.kill()
    check_clean(archive)


def test_a_follower_that_is_killed_leaves_whole_steps_and_the_next_goes_on(tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    server = started(archive)
    try:
        whole = b""
        for life in range(3):
            sender, sent = follow(server, archive), b""
            for number in range(20):
                part = lines(1000 * life + number, 50)
                say(sender, part)
                sent += part
                time.sleep(0.02)
            sender.kill()
            out = sender.communicate()[0]
            time.sleep(0.5)  # what was on its way may still arrive
            found = content(server)
            assert (whole + sent).startswith(found)
            receipts = [json.loads(line) for line in out.splitlines(keepends=True) if line.endswith(b"\n")]
            for receipt in receipts:
                assert receipt["digest"] == hashlib.sha256(found[: receipt["length"]]).hexdigest()
            whole = found
        assert whole
    finally:
        server.kill()
    check_clean(archive)
