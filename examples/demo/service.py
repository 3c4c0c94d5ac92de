"""The real service in a process of its own, as an operator would start it."""

import subprocess
import sysconfig
from pathlib import Path
from types import TracebackType
from typing import Self

from lithify.api.client import Client

LITHIFY = Path(sysconfig.get_path("scripts")) / "lithify"
_STOP_SECONDS = 60.0


class Service:
    """`lithify serve --with-worker` on a free port of this machine. Use as a context manager."""

    def __init__(self, archive: Path, log: Path) -> None:
        """Start it and wait until it answers.

        archive   folder of a new or an old archive
        log       where the service's own log goes

        Raises RuntimeError with the end of that log when it does not start.
        """
        self.archive = archive
        command = [str(LITHIFY), "--archive", str(archive)]
        with log.open("wb") as errors:
            self._process = subprocess.Popen(
                [*command, "serve", "--with-worker", "--port", "0"], stdout=subprocess.PIPE, stderr=errors, text=True
            )
        assert self._process.stdout is not None
        announced, _, self.url = self._process.stdout.readline().strip().partition("lithify serves ")
        if announced or not self.url:
            self._stop()
            raise RuntimeError(f"the service did not start: {announced} {log.read_text()[-2000:]}")

    def client(self) -> Client:
        """A client that holds the key which the service made for itself on first start."""
        return Client(self.url, (self.archive / "key").read_text().strip())

    def _stop(self) -> None:
        """Ask it to end; kill it if it does not."""
        with self._process:
            self._process.terminate()
            try:
                self._process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()
