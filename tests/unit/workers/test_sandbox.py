"""The sandbox at peace: children are reused, told apart by role, shared by threads, and never outlive their worker."""

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lithify import limits
from lithify.errors import Busy, Cancelled, CodecCrashed, TimedOut
from lithify.workers.patience import wall_seconds_for
from lithify.workers.sandbox import Sandbox
from tests.sandboxes import children, eventually, is_running, open_descriptors, sandbox, state

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def boxed() -> Iterator[Sandbox]:
    with sandbox() as opened:
        yield opened


def test_a_task_gets_its_arguments_attachments_and_descriptors(boxed: Sandbox) -> None:
    attached = [b"", b"\xff\x00", b"x" * 100_000]
    answer = boxed.run("behave", {"say": "hello – grüß dich"}, attached=attached)
    assert "hello – grüß dich" == answer.result["said"]
    assert tuple(attached) == answer.attached


def test_an_answer_says_what_it_cost(boxed: Sandbox) -> None:
    large = boxed.run("allocate", {"bytes": 200 * limits.MIB})
    small = boxed.run("allocate", {"bytes": 1})
    assert large.pid == small.pid
    assert large.peak_memory_bytes > 200 * limits.MIB > 100 * limits.MIB > small.peak_memory_bytes
    assert 0 < small.wall_seconds < 1
    assert 0 <= large.cpu_seconds < 5


def test_a_child_is_used_again(boxed: Sandbox) -> None:
    assert 1 == len({boxed.run("behave", {}).result["pid"] for _ in range(20)})


def test_roles_never_share_a_process(boxed: Sandbox) -> None:
    encoders = {boxed.run("behave", {}).pid for _ in range(5)}
    verifiers = {boxed.run("behave", {}, role="verify").pid for _ in range(5)}
    assert not encoders & verifiers


def test_a_child_retires_after_so_many_tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "CHILD_TASKS_MAX", 3)
    with sandbox() as fresh:
        pids = [fresh.run("behave", {}).pid for _ in range(9)]
    assert 3 == len(set(pids))
    assert pids[0] == pids[1] == pids[2] != pids[3]


def test_a_failure_costs_the_child(boxed: Sandbox) -> None:
    before = boxed.run("behave", {}).pid
    with pytest.raises(CodecCrashed):
        boxed.run("raise_something", {})
    assert before != boxed.run("behave", {}).pid


def test_threads_share_a_sandbox_and_wait_for_a_free_child() -> None:
    wrong: list[object] = []
    pids = set()

    def work(fresh: Sandbox, name: int) -> None:
        for step in range(25):
            answer = fresh.run("behave", {"say": [name, step]})
            pids.add(answer.pid)
            if answer.result["said"] != [name, step]:
                wrong.append(answer)

    with sandbox(children_max=3) as fresh:
        threads = [threading.Thread(target=work, args=(fresh, name)) for name in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert [] == wrong
    assert 1 <= len(pids) <= 3


def test_a_caller_that_waits_too_long_for_a_child_is_told_to_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "CHILD_WAIT_SECONDS", 0.05)
    with sandbox(children_max=1) as fresh, fresh.stream("send_for_ever", {}):
        with pytest.raises(Busy, match="restore"):
            fresh.stream("send_for_ever", {})
        assert fresh.run("behave", {}).result


# --- progress and giving up -----------------------------------------------------------------------------


def test_progress_arrives_while_the_task_runs(boxed: Sandbox) -> None:
    told: list[int] = []
    boxed.run("progress", {"steps": 5, "seconds": 0.01}, on_progress=told.append)
    assert [0, 1, 2, 3, 4] == told


def test_a_caller_that_raises_in_its_progress_ends_the_task_at_once(boxed: Sandbox) -> None:
    def cancel(done_bytes: int) -> None:
        if done_bytes == 2:
            raise Cancelled

    started = time.monotonic()
    with pytest.raises(Cancelled):
        boxed.run("progress", {"steps": 1000, "seconds": 0.02}, on_progress=cancel)
    assert time.monotonic() - started < 5


def test_a_task_without_progress_can_be_given_up_too(boxed: Sandbox) -> None:
    def cancel(done_bytes: int) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        boxed.run("sleep", {}, on_progress=cancel)


def test_a_task_about_more_than_a_part_has_longer_as_long_as_it_gets_further(boxed: Sandbox) -> None:
    steps = {"steps": 15, "seconds": 0.1}
    with pytest.raises(TimedOut, match=r"within 1 s"):
        boxed.run("progress", steps, wall_seconds=1.0, work_bytes=limits.PART_BYTES)
    boxed.run("progress", steps, wall_seconds=1.0, work_bytes=limits.PART_BYTES + limits.MIB)
    with pytest.raises(TimedOut, match=r"within 0\.3 s"):
        boxed.run("sleep", {}, wall_seconds=0.3, work_bytes=limits.GIB)


def test_a_part_is_given_an_hour_and_a_long_file_as_many_as_it_has_parts() -> None:
    assert 3600 == wall_seconds_for(0) == wall_seconds_for(limits.PART_BYTES)
    assert 1800 == wall_seconds_for(limits.PART_BYTES, 1800)
    assert limits.CHILD_WALL_SECONDS_PER_MIB == wall_seconds_for(limits.PART_BYTES + limits.MIB) - 3600
    assert 14 * 3600 < wall_seconds_for(14 * limits.GIB) < 14 * 24 * 3600


# --- streams --------------------------------------------------------------------------------------------


def test_a_stream_gives_the_bytes_in_order_and_then_its_result(boxed: Sandbox) -> None:
    with boxed.stream("send", {"blocks": 40, "block_bytes": 100_000}) as stream:
        received = b"".join(stream)
    assert b"".join(bytes([number]) * 100_000 for number in range(40)) == received
    assert stream.result is not None
    assert {"fine": True} == stream.result.result


def test_a_child_does_not_run_ahead_of_a_slow_reader(boxed: Sandbox) -> None:
    with boxed.stream("send_for_ever", {}) as stream:
        blocks = iter(stream)
        pid = stream.pid
        next(blocks)
        assert eventually(lambda: state(pid) == "S"), "the child waits for its reader"
        before = Path(f"/proc/{pid}/io").read_text()
        time.sleep(0.1)
        assert before == Path(f"/proc/{pid}/io").read_text()
        assert 1 * limits.MIB == len(next(blocks))


def test_the_clock_of_a_stream_stands_still_while_the_reader_is_busy(boxed: Sandbox) -> None:
    with boxed.stream("send", {"blocks": 5, "block_bytes": limits.MIB}, wall_seconds=0.3) as stream:
        received = 0
        for block in stream:
            time.sleep(0.15)
            received += len(block)
    assert 5 * limits.MIB == received


def test_leaving_a_stream_early_ends_its_child_and_nothing_else(boxed: Sandbox) -> None:
    before = open_descriptors()
    with boxed.stream("send_for_ever", {}, role="early") as stream:
        next(iter(stream))
        pid = stream.pid
    assert eventually(lambda: state(pid) is None)
    assert before == open_descriptors()
    with boxed.stream("send", {"blocks": 1, "block_bytes": 3}, role="early") as stream:
        assert [b"\0\0\0"] == list(stream)


def test_closing_a_sandbox_ends_what_still_streams() -> None:
    with sandbox() as fresh:
        stream = fresh.stream("send_for_ever", {})
        blocks = iter(stream)
        next(blocks)
    with pytest.raises(CodecCrashed):
        list(blocks)
    assert not is_running(stream.pid)


def test_a_closed_sandbox_starts_nothing_more() -> None:
    with sandbox() as fresh:
        fresh.run("behave", {})
    with pytest.raises(CodecCrashed, match="closed"):
        fresh.run("behave", {})


# --- lives and deaths -----------------------------------------------------------------------------------


def test_nothing_starts_before_the_first_task() -> None:
    before = children(os.getpid())
    with sandbox():
        assert before == children(os.getpid())


def test_a_killed_zygote_is_started_again() -> None:
    with sandbox() as fresh:
        first = fresh.run("behave", {}).result
        os.kill(first["zygote"], signal.SIGKILL)
        assert eventually(lambda: not is_running(first["pid"])), "children die with the zygote"
        second = fresh.run("behave", {}).result
        assert first["zygote"] != second["zygote"]


def test_a_zygote_killed_under_a_task_fails_the_task_and_no_more() -> None:
    with sandbox() as fresh:
        zygote = fresh.run("behave", {}).result["zygote"]
        threading.Timer(0.1, os.kill, (zygote, signal.SIGKILL)).start()
        with pytest.raises(CodecCrashed, match="lost together"):
            fresh.run("sleep", {})
        assert fresh.run("behave", {}).result


def test_a_killed_child_is_noticed_even_while_idle(boxed: Sandbox) -> None:
    idle = boxed.run("behave", {}).pid
    os.kill(idle, signal.SIGKILL)
    assert eventually(lambda: state(idle) is None)
    assert idle != boxed.run("behave", {}).pid


def test_a_killed_worker_takes_zygote_children_and_grandchildren_with_it() -> None:
    program = """
import sys
from lithify.workers.sandbox import Sandbox
boxed = Sandbox(modules=("tests.hostile.offenders",))
found = boxed.run("behave", {}).result
with boxed.stream("leave_running", {}) as stream:
    blocks = iter(stream)  # held: an iterator that is let go closes its stream
    grandchild = next(blocks).decode()
    print(found["zygote"], found["pid"], stream.pid, grandchild, flush=True)
    sys.stdin.read()
"""
    with subprocess.Popen(
        [sys.executable, "-c", program], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as worker:
        assert worker.stdout is not None
        pids = [int(word) for word in worker.stdout.readline().split()]
        assert 4 == len(pids)
        assert all(map(is_running, pids))
        worker.kill()
    assert eventually(lambda: not any(map(is_running, pids)))


def test_a_program_needs_no_main_guard_and_sees_no_warning() -> None:
    program = """
from lithify.workers.sandbox import Sandbox
with Sandbox() as boxed:
    print(boxed.run("digest_small", {"frames": 0}).result)
"""
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-X", "dev", "-c", program],
        capture_output=True, text=True, timeout=60, check=True, cwd=ROOT,
    )  # fmt: skip
    assert "{'items': []}\n" == ran.stdout
    assert "" == ran.stderr


def test_what_the_platform_refuses_is_said_in_sentences() -> None:
    program = "from lithify.workers.sandbox import Sandbox; print(*Sandbox().gaps, sep='\\n')"
    bound = 'echo 0 > /proc/sys/user/max_net_namespaces && exec "$@"'
    ran = subprocess.run(
        ["unshare", "-U", "--map-root-user", "sh", "-c", bound, "sh", sys.executable, "-c", program],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    if "unshare" in ran.stderr or "sh:" in ran.stderr:
        pytest.skip(f"this machine makes no user namespaces: {ran.stderr}")
    assert "codecs can reach the network" in ran.stdout
    assert "a namespace was refused" in ran.stdout


def test_the_descriptors_of_a_task_stay_the_callers_own(boxed: Sandbox) -> None:
    with tempfile.TemporaryFile() as file:
        file.write(b"kept")
        file.flush()
        boxed.run("behave", {}, [file.fileno()])
        file.seek(0)
        assert b"kept" == file.read()
