"""Codecs that hang, crash, eat memory, flee and lie: each costs its own process, and the sandbox works on."""

import os
import resource
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lithify import limits
from lithify.errors import CodecCrashed, Corrupt, LimitExceeded, LithifyError, OutOfMemory, TimedOut
from lithify.workers.sandbox import Sandbox
from tests.sandboxes import children, eventually, is_running, open_descriptors, sandbox, state

GRACE = limits.CHILD_GRACE_SECONDS


@pytest.fixture(scope="module")
def shared() -> Iterator[Sandbox]:
    with sandbox() as opened:
        yield opened


@pytest.fixture
def boxed(shared: Sandbox) -> Iterator[Sandbox]:
    """The sandbox; after each offence it must serve, hold no zombie and have leaked no descriptor."""
    zygote = shared.run("behave", {}).result["zygote"]
    yield shared
    assert shared.run("behave", {"say": "still here"}).result["said"] == "still here"
    assert shared.run("behave", {}).result["zygote"] == zygote
    assert eventually(lambda: "Z" not in [state(pid) for pid in children(zygote)])


@pytest.mark.parametrize(
    ("offence", "expected", "words"),
    [
        ("allocate_for_ever", OutOfMemory, "memory"),
        ("abort", CodecCrashed, "SIGABRT"),
        ("read_null", CodecCrashed, "SIGSEGV"),
        ("exit_quietly", CodecCrashed, "exit code"),
        ("exit_at_once", CodecCrashed, "exit code 0"),
        ("interrupt", CodecCrashed, "exit code"),
        ("recurse", CodecCrashed, "RecursionError"),
        ("raise_something", CodecCrashed, "ZeroDivisionError: a bug of the codec's own"),
        ("find_corruption", Corrupt, "chunk 3 is not what was written"),
        ("send_for_ever", CodecCrashed, "bytes where an answer was expected"),
        ("say_nonsense", CodecCrashed, "cannot be read"),
        ("boast", CodecCrashed, "no number of bytes"),
        ("answer_without_cost", CodecCrashed, "cannot be read"),
        ("answer_too_much", CodecCrashed, "at most"),
        ("complain_at_length", CodecCrashed, "xxxx"),
        ("announce_too_much", CodecCrashed, "4294967295 bytes"),
        ("no_such_task", CodecCrashed, "no_such_task"),
    ],
)
def test_an_offence_is_one_error_that_names_it(
    boxed: Sandbox, offence: str, expected: type[LithifyError], words: str
) -> None:
    with pytest.raises(expected, match=words) as caught:
        boxed.run(offence, {}, wall_seconds=10)
    assert expected is type(caught.value)


@pytest.mark.parametrize("offence", ["sleep", "spin", "hold_the_interpreter", "stop_in_the_middle"])
def test_a_codec_that_never_answers_is_ended_in_time(boxed: Sandbox, offence: str) -> None:
    started = time.monotonic()
    with pytest.raises(TimedOut, match=r"within 0\.2 s"):
        boxed.run(offence, {}, wall_seconds=0.2)
    assert time.monotonic() - started < 0.2 + GRACE + 3


def test_a_codec_that_ignores_sigterm_is_killed_after_the_grace(boxed: Sandbox) -> None:
    started = time.monotonic()
    with pytest.raises(TimedOut, match="SIGKILL"):
        boxed.run("ignore_sigterm", {}, wall_seconds=0.2)
    assert GRACE <= time.monotonic() - started < 0.2 + GRACE + 3


@pytest.mark.parametrize("offence", ["leave_a_process", "leave_a_daemon"])
def test_processes_that_a_codec_leaves_behind_do_not_survive_it(boxed: Sandbox, offence: str) -> None:
    left = boxed.run(offence, {}).result["pid"]
    assert eventually(lambda: state(left) is None)


def test_a_file_cannot_grow_beyond_what_the_task_may_write(boxed: Sandbox) -> None:
    with tempfile.TemporaryFile() as out:
        out.write(b"was here before")
        out.flush()
        with pytest.raises(LimitExceeded, match="wrote more than it may"):
            boxed.run("write_for_ever", {}, [out.fileno()], output_bytes_max=3 * limits.MIB)
        assert len(b"was here before") + 3 * limits.MIB == os.fstat(out.fileno()).st_size


def test_a_stream_that_never_ends_is_cut_at_what_was_expected(boxed: Sandbox) -> None:
    with boxed.stream("send_for_ever", {}, output_bytes_max=5 * limits.MIB) as stream:
        blocks = iter(stream)
        received = sum(len(next(blocks)) for _ in range(5))
        with pytest.raises(LimitExceeded, match="more bytes than it may"):
            next(blocks)
    assert 5 * limits.MIB == received


def test_no_packet_leaves_the_sandbox(boxed: Sandbox) -> None:
    hits = []
    with socket.create_server(("127.0.0.1", 0)) as tcp, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        address = tcp.getsockname()
        udp.bind(address)
        for canary in (tcp, udp):
            canary.settimeout(0.3)
        outcomes = boxed.run("phone_home", {"address": address}).result
        for accept in (tcp.accept, lambda: udp.recvfrom(10)):
            try:
                hits.append(accept())
            except TimeoutError:
                continue
    assert [] == hits
    assert "it went through" not in outcomes.values()


def test_the_canaries_of_the_test_above_would_sing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as tcp:
        tcp.settimeout(2)
        socket.create_connection(tcp.getsockname()).close()
        tcp.accept()[0].close()


def test_no_file_of_the_host_can_be_opened(boxed: Sandbox, tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    canary.write_text("secret")
    wishes = [
        ("rb", str(canary)),
        ("wb", str(canary)),
        ("wb", str(tmp_path / "new")),
        ("list", str(tmp_path)),
        ("rb", "/etc/passwd"),
        ("rb", f"/proc/{os.getpid()}/environ"),
        ("wb", "/tmp/lithify-was-here"),
    ]
    if any("open files" in gap for gap in boxed.gaps):
        pytest.skip("this kernel lets nobody give up files")
    outcomes = boxed.run("open_files", {"paths": wishes}).result
    assert {"PermissionError"} == set(outcomes.values())
    assert "secret" == canary.read_text()


def test_a_program_that_a_codec_starts_is_held_as_the_codec_is(boxed: Sandbox, tmp_path: Path) -> None:
    if boxed.gaps:
        pytest.skip(f"not all is guarded here: {boxed.gaps}")
    canary = tmp_path / "canary"
    canary.write_text("secret")
    assert "hello\n" == boxed.run("start_a_program", {"program": "print('hello')"}).result["out"]
    reading = boxed.run("start_a_program", {"program": f"print(open({str(canary)!r}).read())"}).result
    assert "PermissionError" in reading["error"]
    calling = "import socket; socket.create_connection(('127.0.0.1', 9), timeout=2)"
    assert "Error" in (error := boxed.run("start_a_program", {"program": calling}).result["error"])
    assert "ConnectionRefusedError" not in error, "then it would have reached the host's own loopback"


def test_a_codec_can_signal_neither_the_zygote_nor_strangers(boxed: Sandbox) -> None:
    if boxed.gaps:
        pytest.skip(f"not all is guarded here: {boxed.gaps}")
    zygote = boxed.run("behave", {}).result["zygote"]
    with subprocess.Popen(["sleep", "60"]) as bystander:
        outcomes = boxed.run("kill_others", {"pids": {"zygote": zygote, "bystander": bystander.pid}}).result
        assert bystander.poll() is None
        bystander.kill()
    assert {"zygote": "refused", "bystander": "refused"} == outcomes


def test_a_codec_sees_no_settings_and_no_descriptors_of_the_worker(
    boxed: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LITHIFY_KEY", "lith_canary")
    with sandbox() as fresh:
        seen = fresh.run("show_environment", {}).result
    assert not [name for name in seen["names"] if name.startswith(("LITHIFY", "PYTHON"))]
    assert seen["cwd"] == "/"
    assert 6 == len(seen["fds"]), "three standard ones, its socket, and two that measure its own memory"


def test_memory_hogs_do_not_make_the_worker_grow(boxed: Sandbox) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * limits.KIB
    for _ in range(20):
        with pytest.raises(OutOfMemory):
            boxed.run("allocate", {"bytes": 1 << 40})
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * limits.KIB - before < 64 * limits.MIB


def test_offenders_side_by_side_do_not_disturb_honest_work(boxed: Sandbox) -> None:
    failures: list[BaseException] = []

    def offend(task: str) -> None:
        try:
            with pytest.raises(LithifyError):
                boxed.run(task, {}, wall_seconds=0.3, role="offender")
        except BaseException as error:  # noqa: BLE001 - a thread's failure is the test's
            failures.append(error)

    threads = [
        threading.Thread(target=offend, args=(task,)) for task in ("abort", "sleep", "allocate_for_ever", "spin")
    ]
    for thread in threads:
        thread.start()
    for number in range(50):
        assert boxed.run("behave", {"say": number}).result["said"] == number
    for thread in threads:
        thread.join()
    assert [] == failures


def test_offences_leave_no_descriptor_open_in_the_worker(boxed: Sandbox) -> None:
    def offend() -> None:
        with pytest.raises(LithifyError):
            boxed.run("abort", {})
        with boxed.stream("send_for_ever", {}) as stream:
            next(iter(stream))
        assert boxed.run("behave", {}).result
        assert boxed.run("behave", {}, role="restore").result

    offend()
    before = open_descriptors()
    for _ in range(5):
        offend()
    assert before == open_descriptors()


def test_children_end_with_the_sandbox() -> None:
    with sandbox() as fresh:
        pids = [fresh.run("behave", {}, role=role).result["pid"] for role in ("one", "two")]
        zygote = fresh.run("behave", {}).result["zygote"]
        assert all(map(is_running, [zygote, *pids]))
    assert not any(map(is_running, [zygote, *pids]))
