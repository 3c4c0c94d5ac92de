"""Tasks that do what no codec should. Loaded into a sandbox's children by tests only."""

import contextlib
import ctypes
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import NoReturn

from lithify.errors import Corrupt
from lithify.workers import wire
from lithify.workers.child import Call, Reply, Task

FINE = Reply({"fine": True})


def behave(call: Call) -> Reply:
    return Reply({"pid": os.getpid(), "zygote": os.getppid(), "said": call.args.get("say")}, call.attached)


def allocate_for_ever(call: Call) -> NoReturn:
    held = []
    while True:
        held.append(b"x" * (16 << 20))


def allocate(call: Call) -> Reply:
    return Reply({"length": len(b"x" * call.args["bytes"])})


def sleep(call: Call) -> Reply:
    time.sleep(60)
    return FINE


def spin(call: Call) -> NoReturn:
    while True:
        pass


def hold_the_interpreter(call: Call) -> Reply:
    re.match(r"(a+)+$", "a" * 60 + "b")
    return FINE


def ignore_sigterm(call: Call) -> Reply:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    return sleep(call)


def leave_a_process(call: Call) -> Reply:
    """A grandchild that outlives its task, in the child's own process group."""
    pid = os.fork()
    if pid == 0:
        time.sleep(60)
        os._exit(0)
    return Reply({"pid": pid})


def leave_running(call: Call) -> Reply:
    """One that runs while its parent does; says its id, and waits."""
    call.data(str(leave_a_process(call).document["pid"]).encode())
    return sleep(call)


def leave_a_daemon(call: Call) -> Reply:
    """One that has left the group and whose parent is gone: only its adopter can find it."""
    reader, writer = os.pipe()
    middle = os.fork()
    if middle == 0:
        os.setsid()
        daemon = os.fork()
        if daemon == 0:
            time.sleep(60)
        else:
            os.write(writer, struct.pack("i", daemon))
        os._exit(0)
    os.waitpid(middle, 0)
    (pid,) = struct.unpack("i", os.read(reader, 4))
    return Reply({"pid": pid})


def abort(call: Call) -> Reply:
    os.abort()


def read_null(call: Call) -> Reply:
    ctypes.string_at(0)
    return FINE


def exit_quietly(call: Call) -> NoReturn:
    raise SystemExit(3)


def exit_at_once(call: Call) -> NoReturn:
    os._exit(0)


def interrupt(call: Call) -> NoReturn:
    raise KeyboardInterrupt


def recurse(call: Call) -> Reply:
    return recurse(call)


def raise_something(call: Call) -> NoReturn:
    raise ZeroDivisionError("a bug of the codec's own")


def find_corruption(call: Call) -> NoReturn:
    raise Corrupt("chunk 3 is not what was written")


def write_for_ever(call: Call) -> NoReturn:
    while True:
        os.write(call.fds[0], b"x" * (1 << 20))


def send_for_ever(call: Call) -> NoReturn:
    while True:
        call.data(b"x" * (1 << 20))


def send(call: Call) -> Reply:
    for number in range(call.args["blocks"]):
        call.data(bytes([number % 256]) * call.args["block_bytes"])
    return FINE


def say_nonsense(call: Call) -> NoReturn:
    call.sock.sendall(struct.pack("<IB", 12, ord("R")) + b"\xff" * 12)
    time.sleep(60)
    raise AssertionError


def boast(call: Call) -> NoReturn:
    wire.send(call.sock, wire.PROGRESS, {"done_bytes": 10**400})
    time.sleep(60)
    raise AssertionError


def answer_without_cost(call: Call) -> NoReturn:
    wire.send(call.sock, wire.RESULT, {"result": {}, "fit": True})
    time.sleep(60)
    raise AssertionError


def answer_too_much(call: Call) -> Reply:
    return Reply({}, [bytes(1 << 20)] * 65)


def complain_at_length(call: Call) -> NoReturn:
    raise ValueError("x" * (80 << 20))


def announce_too_much(call: Call) -> NoReturn:
    call.sock.sendall(struct.pack("<IB", 0xFFFFFFFF, ord("D")))
    time.sleep(60)
    raise AssertionError


def stop_in_the_middle(call: Call) -> NoReturn:
    call.sock.sendall(struct.pack("<IB", 1000, ord("D")) + b"only this")
    time.sleep(60)
    raise AssertionError


def progress(call: Call) -> Reply:
    for done in range(call.args["steps"]):
        time.sleep(call.args["seconds"])
        call.progress_due = 0
        call.progress(done)
    return FINE


def phone_home(call: Call) -> Reply:
    """Try every way out to a server of the test; say what became of each."""
    host, port = call.args["address"]
    return Reply(
        {"tcp": _outcome(_tcp, host, port), "udp": _outcome(_udp, host, port), "http": _outcome(_http, host, port)}
    )


def _outcome(attempt, host: str, port: int) -> str:  # type: ignore[no-untyped-def]
    try:
        attempt(host, port)
    except OSError as error:
        return type(error).__name__
    return "it went through"


def _tcp(host: str, port: int) -> None:
    socket.create_connection((host, port), timeout=2).close()


def _udp(host: str, port: int) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.sendto(b"hello", (host, port))


def _http(host: str, port: int) -> None:
    urllib.request.urlopen(f"http://{host}:{port}/", timeout=2).close()


def open_files(call: Call) -> Reply:
    """Try to read, write and list what is none of a codec's business."""
    found = {}
    for how, path in call.args["paths"]:
        try:
            if how == "list":
                list(Path(path).iterdir())
            else:
                Path(path).open(how).close()
            found[f"{how} {path}"] = "it went through"
        except OSError as error:
            found[f"{how} {path}"] = type(error).__name__
    return Reply(found)


def start_a_program(call: Call) -> Reply:
    """A program of the system's own, as a codec may need one; it is to be held like the codec."""
    ran = subprocess.run([sys.executable, "-c", call.args["program"]], capture_output=True, text=True, check=False)
    return Reply({"out": ran.stdout, "error": ran.stderr})


def play_a_list(call: Call) -> Reply:
    """ffmpeg as careless as can be, on a list that sends it elsewhere."""
    allowed = ["-protocol_whitelist", "file,crypto,data,http,tcp,pipe,subfile"]
    command = [call.args["program"], "-nostdin", *allowed, "-f", "hls", "-extension_picky", "0", "-i", "pipe:0"]
    ran = subprocess.run(
        [*command, "-f", "data", "-"], input=call.args["list"].encode(), capture_output=True, check=False
    )
    return Reply({"said": (ran.stdout + ran.stderr).decode("utf-8", "replace")})


def kill_others(call: Call) -> Reply:
    outcomes = {}
    for name, pid in call.args["pids"].items():
        with contextlib.suppress(ProcessLookupError):
            try:
                os.kill(pid, signal.SIGKILL)
                outcomes[name] = "killed"
            except PermissionError:
                outcomes[name] = "refused"
    return Reply(outcomes)


def show_environment(call: Call) -> Reply:
    return Reply(
        {"names": sorted(os.environ), "fds": [fd for fd in range(256) if _is_open(fd)], "cwd": str(Path.cwd())}
    )


def _is_open(fd: int) -> bool:
    try:
        os.fstat(fd)
    except OSError:
        return False
    return True


TASKS: dict[str, Task] = {
    task.__name__: task
    for task in (
        behave, allocate_for_ever, allocate, sleep, spin, hold_the_interpreter, ignore_sigterm,
        leave_a_process, leave_running, leave_a_daemon, abort, read_null, exit_quietly, exit_at_once,
        interrupt, recurse, raise_something, find_corruption, write_for_ever, send_for_ever, send, say_nonsense,
        boast, answer_without_cost, answer_too_much, complain_at_length, announce_too_much, stop_in_the_middle,
        progress, phone_home, open_files, start_a_program, play_a_list,
        kill_others, show_environment,
    )
}  # fmt: skip
