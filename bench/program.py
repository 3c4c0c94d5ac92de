"""The `lithify` program as people start it, and a server of it, each in a process of its own."""

import subprocess
import sysconfig
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

LITHIFY = str(Path(sysconfig.get_path("scripts")) / "lithify")


def run(*arguments: str | Path) -> None:
    """One command, to its end; what it prints is thrown away. Raises RuntimeError with its errors if it fails."""
    done = subprocess.run([LITHIFY, *map(str, arguments)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"lithify ended with {done.returncode}: {done.stderr[-2000:]}")


@contextmanager
def workplace() -> Iterator[Path]:
    """An empty folder on the disk that the project lies on; /tmp may be memory, and flush in no time."""
    build = Path(__file__).resolve().parents[1] / "build"
    build.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="bench-", dir=build) as folder:
        yield Path(folder)


@dataclass(frozen=True)
class Server:
    """A running `lithify serve`."""

    url: str
    key: str
    pid: int

    def peak_memory_bytes(self) -> int:
        """The most physical memory it has held so far, by the kernel's count."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return 1024 * int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")))


@contextmanager
def serving(archive: Path) -> Iterator[Server]:
    """A server on a free port, without a worker, until the block ends."""
    command = [LITHIFY, "--archive", str(archive), "serve", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            assert process.stdout is not None
            url = process.stdout.readline().removeprefix("lithify serves ").strip()
            yield Server(url, (archive / "key").read_text().strip(), process.pid)
        finally:
            process.terminate()
