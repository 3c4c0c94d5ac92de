"""`serve` as a process of its own: when it is ready, how it ends, what it says."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from lithify.api.server import listen, serve, url_of
from lithify.errors import StoreUnavailable
from lithify.settings import Settings
from lithify.workers.archive import Archive

SERVE = """
import sys
from pathlib import Path
from lithify.api.server import serve
from lithify.settings import Settings
from lithify.workers.archive import Archive
with Archive(Path(sys.argv[1])) as archive:
    serve(archive, Settings(port=0), with_worker=sys.argv[2] == "worker")
print("closed in order", flush=True)
"""


@contextmanager
def running(folder: Path, worker: str = "alone") -> Iterator[tuple[subprocess.Popen[str], httpx.Client]]:
    with Archive(folder) as archive:
        _, key = archive.add_key("test", ("admin",))
    command = [sys.executable, "-c", SERVE, str(folder), worker]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            url = process.stdout.readline().removeprefix("lithify serves ").strip()
            headers = {"Authorization": f"Bearer {key}"}
            with httpx.Client(base_url=url, headers=headers, timeout=60) as http:
                yield process, http
        finally:
            process.kill()


def test_it_says_where_it_is_and_ends_in_order_at_sigterm(tmp_path: Path) -> None:
    with running(tmp_path / "archive") as (process, http):
        assert http.put("/v1/objects/c/a", content=b"x").status_code == 201
        process.send_signal(signal.SIGTERM)
        out, log = process.communicate(timeout=60)
        assert (0, "closed in order\n") == (process.returncode, out)
    lines = [json.loads(line) for line in log.splitlines()]
    assert [("request", 201)] == [(line["event"], line["status"]) for line in lines]


def test_an_upload_under_way_at_sigterm_gets_its_receipt(tmp_path: Path) -> None:
    with running(tmp_path / "archive") as (process, http):

        def body() -> Iterator[bytes]:
            yield os.urandom(1 << 20)
            process.send_signal(signal.SIGTERM)
            yield os.urandom(1 << 20)

        receipt = http.put("/v1/objects/c/a", content=body())
        assert (201, 2 << 20) == (receipt.status_code, receipt.json()["length"])
        assert process.wait(60) == 0
    with Archive(tmp_path / "archive") as archive:
        assert archive.stat("c", "a").revision == receipt.json()["revision"]


def test_a_worker_beside_it_makes_what_was_put_smaller(tmp_path: Path) -> None:
    with running(tmp_path / "archive", "worker") as (process, http):
        data = b"".join(b"%d: the same words again and again\n" % number for number in range(20_000))
        receipt = http.put("/v1/objects/c/a", content=data).json()
        while http.post("/v1/unsettled", json={"revisions": [receipt["revision"]]}).json()["unsettled"]:
            time.sleep(0.5)
        view = http.get("/v1/encodings/c/a").json()
        assert view["verified_at"] is not None
        assert data == http.get("/v1/objects/c/a").content
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0


def test_an_address_in_use_is_said_in_a_sentence(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, Archive(tmp_path / "archive") as archive:
        settings = Settings(port=taken.getsockname()[1])
        with pytest.raises(StoreUnavailable, match=r"cannot listen on 127\.0\.0\.1 port"):
            serve(archive, settings)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_it_listens_where_it_is_told(host: str) -> None:
    with listen(host, 0) as listener:
        address = httpx.URL(url_of(listener))
        with socket.create_connection((address.host, address.port or 0), timeout=10):
            pass
