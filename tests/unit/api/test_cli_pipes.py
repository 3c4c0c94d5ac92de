"""The real program among real pipes, signals and terminals."""

import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.unit.api.running import run

PROGRAM = [sys.executable, "-c", "from lithify.api.cli import main; main()"]


@pytest.fixture(autouse=True)
def _archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LITHIFY_ARCHIVE", str(tmp_path / "archive"))
    monkeypatch.chdir(tmp_path)


def put_many_names(count: int) -> None:
    """More names than a pipe holds."""
    Path("tree").mkdir()
    for number in range(count):
        (Path("tree") / f"{number:04}-{'x' * 200}").write_bytes(b"")
    assert run("put", "tree").exit_code == 0


def test_a_reader_that_leaves_early_is_no_error_message() -> None:
    put_many_names(600)
    with subprocess.Popen([*PROGRAM, "ls", "default"], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as listing:
        assert listing.stdout is not None
        assert listing.stderr is not None
        assert listing.stdout.readline().startswith(b"default/tree/0000-")
        listing.stdout.close()
        assert listing.stderr.read() == b""
    assert listing.returncode == 141


def test_a_reader_of_bytes_that_leaves_early_is_no_error_message() -> None:
    assert run("put", "-", "--name", "x", stdin=os.urandom(3_000_000)).exit_code == 0
    command = [*PROGRAM, "get", "default/x", "-o", "-"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as reading:
        assert reading.stdout is not None
        assert reading.stderr is not None
        assert len(reading.stdout.read(10)) == 10
        reading.stdout.close()
        assert reading.stderr.read() == b""
    assert reading.returncode == 141


def test_control_c_ends_a_put_with_one_sentence_and_nothing_half_stored() -> None:
    command = [*PROGRAM, "put", "-", "--name", "x"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, **pipes) as putting:  # type: ignore[call-overload]
        putting.stdin.write(b"half an object")
        putting.stdin.flush()
        catalog = Path("archive/catalog.sqlite")
        until = time.monotonic() + 30
        while not catalog.exists() and time.monotonic() < until:
            time.sleep(0.02)
        time.sleep(0.3)
        putting.send_signal(signal.SIGINT)
        said = putting.stderr.read().decode()
        assert putting.stdout.read() == b""
    assert putting.returncode == 130
    assert said.strip() == "lithify: interrupted"
    assert run("ls").stdout == ""


def test_a_worker_that_is_asked_to_end_does() -> None:
    assert run("put", "-", "--name", "x", stdin=b"abc").exit_code == 0
    with subprocess.Popen([*PROGRAM, "work"], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as working:
        until = time.monotonic() + 30
        while '"verified_at":null' in run("ls", "default", "--json").stdout and time.monotonic() < until:
            time.sleep(0.1)
        working.send_signal(signal.SIGTERM)
        working.send_signal(signal.SIGINT)
        out, errors = working.communicate(timeout=30)
    assert (working.returncode, out) == (0, b"")
    assert b"Traceback" not in errors


def test_a_worker_ends_though_another_of_its_threads_caught_the_signal() -> None:
    """The kernel may give a signal to any thread; what waits in the main one is then not woken by it."""
    told = """
import signal, threading, time
def tell():
    while signal.getsignal(signal.SIGTERM) == signal.SIG_DFL:
        time.sleep(0.01)
    time.sleep(1)
    signal.pthread_kill(threading.get_ident(), signal.SIGTERM)
threading.Thread(target=tell, daemon=True).start()
"""
    assert run("put", "-", "--name", "x", stdin=b"abc").exit_code == 0
    ended = subprocess.run([*PROGRAM[:2], told + PROGRAM[2], "work"], capture_output=True, timeout=30, check=False)
    assert (ended.returncode, ended.stdout) == (0, b"")


def test_a_bar_is_drawn_on_a_terminal_and_the_bytes_stay_clean() -> None:
    data = os.urandom(2_000_000)
    assert run("put", "-", "--name", "x", stdin=data).exit_code == 0
    terminal, its_end = pty.openpty()
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "100"}
    command = [*PROGRAM, "get", "default/x", "-o", "-"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=its_end, env=environment) as reading:
        os.close(its_end)
        assert reading.stdout is not None
        assert reading.stdout.read() == data
        drawn = os.read(terminal, 65536)
    os.close(terminal)
    assert reading.returncode == 0
    assert b"get x" in drawn


def test_a_server_serves_the_same_program_until_it_is_asked_to_end() -> None:
    command = [*PROGRAM, "serve", "--with-worker", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as serving:
        assert serving.stdout is not None
        url = serving.stdout.readline().split()[-1]
        server = {"LITHIFY_URL": url, "LITHIFY_KEY": Path("archive/key").read_text().strip()}
        put = run("put", "-", "--name", "x", "--wait", stdin=b"abc" * 1000, environment=server)
        got = run("get", "default/x", "-o", "-", environment=server)
        serving.send_signal(signal.SIGTERM)
        out, errors = serving.communicate(timeout=30)
    assert "default/x" in put.stdout
    assert "staged" not in put.stdout
    assert got.stdout_bytes == b"abc" * 1000
    assert (serving.returncode, out) == (0, "")
    assert "Traceback" not in errors
