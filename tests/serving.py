"""A real server over a real archive on a free port, for tests of the doors."""

import logging
import re
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import structlog

from lithify.api import logs
from lithify.api.client import Client
from lithify.api.server import listen, server, url_of
from lithify.workers.archive import Archive

NOBODY = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""What clients of plain HTTP trust: it spares each of them the reading of all the system's certificates."""
SCOPES = ("read", "write", "admin")


@dataclass(frozen=True)
class Served:
    """An archive and where it is served."""

    archive: Archive
    url: str
    key: str
    """Carries every scope."""

    def http(self, key: str | None = None) -> httpx.Client:
        """A client that sends what it is told to, and repeats nothing."""
        headers = {"Authorization": f"Bearer {key or self.key}", "Accept-Encoding": "identity"}
        return httpx.Client(base_url=self.url, headers=headers, timeout=30, verify=NOBODY)

    def client(self) -> Client:
        """Our own client."""
        return Client(self.url, self.key)

    def socket(self) -> socket.socket:
        """A bare connection."""
        found = urlsplit(self.url)
        return socket.create_connection((found.hostname or "", found.port or 0), timeout=10)

    def request(self, method: str, path: str, *headers: str, body: bytes = b"") -> bytes:
        """The bytes of a request with our key, with whatever headers and body."""
        lines = [f"{method} {path} HTTP/1.1", "Host: x", f"Authorization: Bearer {self.key}", *headers, "", ""]
        return "\r\n".join(lines).encode() + body

    def raw(self, request: bytes, *, seconds: float = 3.0) -> bytes:
        """Everything that the server says to these bytes before it closes, or has been silent for so long."""
        answer = b""
        with self.socket() as wire:
            wire.settimeout(seconds)
            with suppress(ConnectionError):  # it may have answered and closed before it had all of this
                wire.sendall(request)
            try:
                while piece := wire.recv(65536):
                    answer += piece
            except (TimeoutError, ConnectionError):
                return answer
        return answer

    def names(self, collection: str) -> list[str]:
        """The objects of a collection, which need not exist."""
        if collection not in self.archive.collections():
            return []
        return [view.name for view in self.archive.list(collection)]

    def left_behind(self) -> list[str]:
        """What lies in staging once the server has noticed that everybody has gone."""
        deadline = time.monotonic() + 20
        while (found := self._staged()) and time.monotonic() < deadline:
            time.sleep(0.05)
        return found

    def _staged(self) -> list[str]:
        return [path.name for path in (self.archive.folder / "staging").rglob("*") if path.is_file()]


def statuses(answer: bytes) -> list[int]:
    """The status of every response in what a server said."""
    return [int(found) for found in re.findall(rb"HTTP/1\.1 (\d{3}) ", answer)]


@contextmanager
def serving(folder: Path) -> Iterator[Served]:
    """Serve a new archive in `folder` from a thread until the block ends."""
    ready = threading.Event()
    with Archive(folder) as archive, listen("127.0.0.1", 0) as listener:
        _, key = archive.add_key("test", SCOPES)
        running = server(archive, ready.set)
        thread = threading.Thread(target=running.run, args=([listener],), name="server")
        thread.start()
        try:
            assert ready.wait(30), "the server did not start"
            yield Served(archive, url_of(listener), key)
        finally:
            running.should_exit = True
            thread.join()


@contextmanager
def logged(level: str = "info") -> Iterator[None]:
    """Inside, the log goes to standard error as a server's does; afterwards all is as it was."""
    root, before = logging.getLogger(), structlog.get_config()
    handlers, root_level, hook = root.handlers[:], root.level, threading.excepthook
    logs.configure(level)
    try:
        yield
    finally:
        structlog.configure(**before)
        root.handlers[:] = handlers
        root.setLevel(root_level)
        threading.excepthook = hook
