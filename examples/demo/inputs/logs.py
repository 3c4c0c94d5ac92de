"""Log lines, all written by real software: programs run here and now, and the system's package manager."""

import http.client
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterator
from pathlib import Path

from examples.demo.inputs.ffmpeg import ffmpeg_program

_WEB_REQUESTS = 6_000
_SQL_ROUNDS = 1_500
_SYSTEM_LOGS = ("/var/log/dpkg.log", "/var/log/dnf.log", "/var/log/pacman.log", "/var/log/install.log")
_SYSTEM_LOG_BYTES_MAX = 8 * 1024 * 1024


def write_logs(folder: Path) -> Iterator[Path]:
    """Five kinds of log; the last only where the system has one that we may read."""
    yield _interpreter(folder / "python-imports.log")
    yield _web_server(folder / "web-access.log")
    yield _database(folder / "sqlalchemy.log")
    yield _video_encoder(folder / "ffmpeg-debug.log")
    yield from _package_manager(folder)


def _interpreter(path: Path) -> Path:
    """What Python says about each file it looks for while it imports."""
    with path.open("wb") as log:
        for modules in ("sqlalchemy.orm", "fastapi, uvicorn", "numpy, PIL.Image", "rich.console, httpx"):
            subprocess.run([sys.executable, "-vv", "-c", f"import {modules}"], stdout=log, stderr=log, check=True)
    return path


def _web_server(path: Path) -> Path:
    """The access log of Python's own web server, asked for the standard library's files, some of them not there."""
    root = Path(sysconfig.get_path("stdlib"))
    names = [str(file.relative_to(root)) for file in sorted(root.glob("[a-m]*/*.py"))]
    command = [sys.executable, "-u", "-m", "http.server", "0", "--protocol", "HTTP/1.1"]
    with (
        path.open("wb") as log,
        subprocess.Popen([*command, "--bind", "127.0.0.1", "--directory", str(root)], stdout=log, stderr=log) as server,
    ):
        try:
            connection = http.client.HTTPConnection("127.0.0.1", _port(path))
            for number in range(_WEB_REQUESTS):
                name = names[number * 37 % len(names)]
                missing = "" if number % 19 else "c"
                connection.request("HEAD", f"/{name}{missing}")
                connection.getresponse().read()
        finally:
            server.terminate()
    return path


def _port(log: Path) -> int:
    """The port that the web server took: it says so in its first line."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if found := re.search(rb"port (\d+)", log.read_bytes()):
            return int(found[1])
        time.sleep(0.05)
    raise TimeoutError("the web server did not say where it listens")


def _database(path: Path) -> Path:
    """A library's statements as SQLAlchemy logs them: one line each, with its parameters and the time."""
    program = Path(__file__).with_name("library.py")
    with path.open("wb") as log:
        command = [sys.executable, str(program), str(_SQL_ROUNDS)]
        subprocess.run(command, stdout=log, stderr=log, check=True)
    return path


def _video_encoder(path: Path) -> Path:
    """Frame by frame, what ffmpeg and x264 say while they encode a hundred seconds of a cellular automaton."""
    command = [ffmpeg_program(), "-nostdin", "-loglevel", "debug", "-f", "lavfi"]
    source = ["-i", "life=size=160x90:rate=25:mold=10", "-t", "100", "-vf", "showinfo"]
    with path.open("wb") as log:
        encoder = ["-c:v", "libx264", "-preset", "ultrafast", "-f", "null", "-"]
        subprocess.run([*command, *source, *encoder], stderr=log, check=True)
    return path


def _package_manager(folder: Path) -> Iterator[Path]:
    for name in map(Path, _SYSTEM_LOGS):
        if os.access(name, os.R_OK) and 0 < name.stat().st_size <= _SYSTEM_LOG_BYTES_MAX:
            yield Path(shutil.copyfile(name, folder / name.name))
