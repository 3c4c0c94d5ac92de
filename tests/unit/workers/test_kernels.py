"""Kernels in the real sandbox: made once, kept, and there in every child that needs them, and nowhere else."""

import hashlib
import io
import os
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, BinaryIO, cast

import pytest

from lithify import limits
from lithify.codecs.fidelity import EXACT
from lithify.codecs.frame import FrameWriter, read_frame
from lithify.codecs.raw.zstd import Zstd, ZstdParams
from lithify.errors import Cancelled, CodecCrashed
from lithify.workers.encoder import Original, Wishes, encode_original
from lithify.workers.making import heard_by
from lithify.workers.sandbox import Sandbox
from lithify.workers.sources import Place
from tests.outsiders import CODEC, HOLDER, Outsider, installed
from tests.sandboxes import children

LOG = b"".join(b"2026-11-21 01:15:%02d host sshd[%d]: session %d opened\n" % (n % 60, n % 97, n) for n in range(3000))
BUGGY = b"read me past the end"


@pytest.fixture
def outsider(tmp_path: Path) -> Iterator[Outsider]:
    """Nothing is made yet."""
    with installed(tmp_path) as found:
        yield found


@pytest.fixture(scope="module")
def settled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outsider]:
    """Kernels are made and kept."""
    with installed(tmp_path_factory.mktemp("settled")) as found:
        with found.sandbox() as boxed:
            assert {} == boxed.missing_kernels([CODEC])
        yield found


def encode(boxed: Sandbox, data: bytes, codec: str = CODEC) -> BinaryIO:
    """The frame that a codec makes of `data`."""
    out = cast("BinaryIO", tempfile.TemporaryFile())  # noqa: SIM115 - the caller closes it
    with tempfile.TemporaryFile() as file:
        file.write(data)
        file.flush()
        args = {"input": Place(0, len(data), framed=False).as_json(), "codec": codec, "effort": "default"}
        boxed.run("encode", args, (file.fileno(), out.fileno()))
    return out


def decode(boxed: Sandbox, frame: IO[bytes]) -> bytes:
    args = {"input": Place(0, os.fstat(frame.fileno()).st_size, framed=True).as_json(), "start": 0, "end": None}
    with boxed.stream("decode", args, (frame.fileno(),)) as blocks:
        return b"".join(blocks)


def round_trip(boxed: Sandbox) -> bool:
    with encode(boxed, LOG) as frame:
        return decode(boxed, frame) == LOG and read_frame(frame).formats[0].format.id == 0x8001


def files(folder: Path) -> dict[Path, tuple[int, int]]:
    return {path: (path.stat().st_mtime_ns, path.stat().st_ino) for path in folder.rglob("*") if path.is_file()}


# --- cold and warm ----------------------------------------------------------------------------------------


def test_kernels_are_made_and_kept_for_the_next_sandbox(outsider: Outsider) -> None:
    with outsider.sandbox() as boxed:
        assert round_trip(boxed)
    (folder,) = outsider.kept
    assert 0o700 == folder.stat().st_mode & 0o777
    made = files(folder)
    assert {".nbc", ".nbi"} <= {path.suffix for path in made}
    with outsider.sandbox() as boxed:
        assert round_trip(boxed)
    assert made == files(folder)


def test_nothing_is_written_beside_the_code(outsider: Outsider) -> None:
    before = {path for path in outsider.package.rglob("*") if path.suffix not in {".pyc", ""}}
    with outsider.sandbox() as boxed:
        assert round_trip(boxed)
    assert before == {path for path in outsider.package.rglob("*") if path.suffix not in {".pyc", ""}}


def test_a_child_with_kernels_is_there_soon(settled: Outsider) -> None:
    with settled.sandbox() as boxed:
        started = time.monotonic()
        assert round_trip(boxed)
        first = time.monotonic() - started
        # Measured 0.9 s on a machine at rest, both zygotes included; making them takes longer than this.
        assert first < 5
        started = time.monotonic()
        boxed.run("differ", {"data": [1, 2]}, role="another")
        assert time.monotonic() - started < 1


def test_kernels_of_changed_code_are_made_again_though_their_own_file_is_the_same(outsider: Outsider) -> None:
    with outsider.sandbox() as boxed:
        assert [5, 2] == boxed.run("differ", {"data": [5, 7]}).result["differences"]
    outsider.write("steps.py", "STEP = 0\n")
    with outsider.sandbox() as boxed:
        assert [5, 7] == boxed.run("differ", {"data": [5, 7]}).result["differences"]
    assert 1 == len(outsider.kept)


def test_ours_stay_when_codecs_of_others_change(outsider: Outsider) -> None:
    with outsider.sandbox() as boxed:
        assert {} == boxed.missing_kernels(["media.gif", CODEC])
    (folder,) = outsider.kept
    ours = {path: found for path, found in files(folder).items() if path.parent.name.startswith(("media_", "codecs_"))}
    assert ours
    outsider.write("steps.py", "STEP = 0\n")

    heard: list[str] = []
    with outsider.sandbox() as boxed, heard_by(heard.append):
        assert {} == boxed.missing_kernels(["media.gif", CODEC])

    assert [CODEC] == heard
    assert ours.items() <= files(folder).items()


def test_ours_stay_when_kernels_of_others_cannot_be_made(outsider: Outsider) -> None:
    with outsider.sandbox() as boxed:
        assert {} == boxed.missing_kernels(["media.gif"])
    outsider.write("on_warm.py", "def run():\n    raise ImportError('the compiler is not there')\n")
    with outsider.sandbox() as boxed:
        assert "the compiler is not there" in boxed.missing_kernels([CODEC])[CODEC]

    heard: list[str] = []
    with outsider.sandbox() as boxed, heard_by(heard.append):
        assert {} == boxed.missing_kernels(["media.gif"])
    assert [] == heard


def test_who_waits_for_kernels_is_told_once_when_they_are_made_and_not_when_they_are_there(outsider: Outsider) -> None:
    heard: list[str] = []
    with heard_by(heard.append):
        for _ in range(2):
            with outsider.sandbox() as boxed:
                assert round_trip(boxed)
    assert [CODEC] == heard


def test_a_kernel_that_is_not_as_it_was_written_is_made_again(outsider: Outsider) -> None:
    with outsider.sandbox() as boxed:
        boxed.missing_kernels([CODEC])
    (folder,) = outsider.kept
    for path in folder.rglob("*.nbc"):
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        path.write_bytes(content)
    with outsider.sandbox() as boxed:
        assert round_trip(boxed)


@pytest.mark.parametrize("suffix", [".nbi", ".nbc"])
def test_a_file_that_a_crash_left_empty_before_the_list_was_written_does_no_harm(
    outsider: Outsider, suffix: str
) -> None:
    with outsider.sandbox() as boxed:
        boxed.missing_kernels([CODEC])
    (folder,) = outsider.kept
    (folder / "complete.json").unlink()
    for path in folder.rglob(f"*{suffix}"):
        path.write_bytes(b"")
    with outsider.sandbox() as boxed:
        assert round_trip(boxed)


def test_two_workers_that_come_at_once_make_kernels_once(outsider: Outsider) -> None:
    worked = []

    def work() -> None:
        with outsider.sandbox() as boxed:
            worked.append(round_trip(boxed))

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [True, True, True] == worked
    (folder,) = outsider.kept
    assert not list(folder.rglob("*.tmp.*"))


def test_without_a_place_to_keep_them_kernels_work_and_that_is_said(
    outsider: Outsider, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    nowhere = tmp_path / "no folder"
    nowhere.touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(nowhere))
    with outsider.sandbox() as boxed:
        assert round_trip(boxed)
        child = boxed._take("encode", kernels=frozenset({CODEC}))
        boxed._give_back("encode", child)
    assert "made again at every start" in child.gaps[0]
    assert str(nowhere) in child.gaps[0]


def test_a_folder_that_others_may_write_is_not_believed(outsider: Outsider) -> None:
    with outsider.sandbox() as boxed:
        boxed.missing_kernels([CODEC])
    (folder,) = outsider.kept
    folder.chmod(0o777)
    with outsider.sandbox() as boxed:
        assert round_trip(boxed)
        child = boxed._take("encode", kernels=frozenset({CODEC}))
        boxed._give_back("encode", child)
    assert "others may write" in child.gaps[0]


# --- who has them -------------------------------------------------------------------------------------------


def test_tasks_that_need_no_kernels_never_pay_for_them(outsider: Outsider) -> None:
    before = children(os.getpid())
    with outsider.sandbox() as boxed:
        with encode(boxed, LOG, "raw.zstd") as frame:
            assert LOG == decode(boxed, frame)
        assert not boxed.run("look_around", {}).result["numba"]
        assert 1 == len(children(os.getpid())) - len(before)
    assert [] == outsider.kept


def test_a_task_that_needs_kernels_moves_to_a_child_that_has_them(settled: Outsider) -> None:
    with settled.sandbox() as boxed:
        plain = boxed.run("look_around", {})
        moved = boxed.run("differ", {"data": [1]})
        again = boxed.run("look_around", {})
        at_once = boxed.run("look_around", {}, kernels=[CODEC])
    assert plain.pid == again.pid != moved.pid == at_once.pid
    assert at_once.result["numba"]
    assert plain.result["zygote"] != at_once.result["zygote"]


def test_a_zygote_gets_the_kernels_of_a_codec_when_they_are_first_wanted(settled: Outsider) -> None:
    with settled.sandbox() as boxed:
        ours = boxed._take("encode", kernels=frozenset({CODEC}))
        assert frozenset({CODEC}) == ours.kernels
        boxed._give_back("encode", ours)
        more = boxed._take("encode", kernels=frozenset({HOLDER}))
        assert (ours.pid, frozenset({CODEC, HOLDER})) != (more.pid, ours.kernels)
        assert frozenset({CODEC, HOLDER}) == more.kernels
        boxed._give_back("encode", more)
        assert more.pid == boxed.run("differ", {"data": [1]}).pid  # whoever has more will do


def test_a_codec_that_nests_others_runs_where_their_kernels_are(settled: Outsider) -> None:
    with settled.sandbox() as boxed, encode(boxed, LOG, HOLDER) as frame:
        assert LOG == decode(boxed, frame)
        assert frame.tell() < len(LOG) / 4


def test_codecs_whose_kernels_cannot_be_made_leave_the_others_theirs(outsider: Outsider) -> None:
    with outsider.sandbox() as boxed:
        missing = boxed.missing_kernels(["no.codec", CODEC])
        assert ["no.codec"] == list(missing)
        assert "there is no codec 'no.codec'" in missing["no.codec"]
        assert round_trip(boxed)


def test_roles_do_not_share_children_with_kernels_either(settled: Outsider) -> None:
    with settled.sandbox() as boxed:
        assert boxed.run("differ", {"data": []}).pid != boxed.run("differ", {"data": []}, role="verify").pid


def test_a_zygote_with_kernels_has_one_thread(settled: Outsider) -> None:
    with settled.sandbox() as boxed:
        zygote = boxed.run("look_around", {}, kernels=[CODEC]).result["zygote"]
        assert "Threads:\t1\n" in Path(f"/proc/{zygote}/status").read_text()


def test_a_process_without_kernels_can_still_make_one(settled: Outsider) -> None:
    with settled.sandbox() as boxed:
        assert 42 == boxed.run("compile_here", {"value": 21}).result["doubled"]
        assert 42 == boxed.run("compile_here", {"value": 21}, kernels=[CODEC]).result["doubled"]


def test_a_frame_inside_a_batch_is_verified_with_kernels(settled: Outsider) -> None:
    plain = io.BytesIO()
    writer = FrameWriter(plain)
    zstd = Zstd(ZstdParams(level=1))
    writer.sink(zstd).chunk(zstd.encode_block(LOG), LOG)
    writer.finish()
    with settled.sandbox() as boxed, encode(boxed, LOG) as frame:
        frame.seek(0)
        frames = [plain.getvalue(), frame.read(), b"no frame at all"]
        items = boxed.run("digest_small", {"frames": 3}, attached=frames, role="verify").result["items"]
    digest = hashlib.sha256(LOG).hexdigest()
    assert [digest, digest] == [item["digest"] for item in items[:2]]
    assert "error" in items[2]


# --- what goes wrong ----------------------------------------------------------------------------------------


def test_a_kernel_that_reads_past_the_end_is_an_error_and_no_crash(settled: Outsider) -> None:
    with settled.sandbox() as boxed:
        with encode(boxed, BUGGY) as frame, pytest.raises(CodecCrashed, match="IndexError"):
            decode(boxed, frame)
        assert round_trip(boxed)


def test_a_child_that_asks_for_kernels_again_and_again_is_not_believed(settled: Outsider) -> None:
    with settled.sandbox() as boxed:
        with pytest.raises(CodecCrashed, match="kernels that it has"):
            boxed.run("never_content", {})
        with boxed.stream("never_content", {}) as blocks, pytest.raises(CodecCrashed, match="kernels that it has"):
            list(blocks)
        assert round_trip(boxed)


def test_the_time_for_making_kernels_is_no_tasks_time(outsider: Outsider) -> None:
    outsider.write("on_warm.py", "import time\n\ndef run():\n    time.sleep(3)\n")
    ticks: list[int] = []
    with outsider.sandbox(wall_seconds=1.5) as boxed:
        found = boxed.run("differ", {"data": [1, 3]}, on_progress=ticks.append)
    assert [1, 2] == found.result["differences"]
    assert len(ticks) >= 2


def test_a_caller_may_give_up_while_kernels_are_made(outsider: Outsider) -> None:
    outsider.write("on_warm.py", "import time\n\ndef run():\n    time.sleep(60)\n")

    def cancel(done_bytes: int) -> None:
        raise Cancelled

    started = time.monotonic()
    with outsider.sandbox() as boxed, pytest.raises(Cancelled):
        boxed.run("differ", {"data": [1]}, on_progress=cancel)
    assert time.monotonic() - started < 30  # and closing the sandbox does not wait for the compiler


@pytest.mark.parametrize(("hangs", "seconds"), [("pass", "[15]"), ("time.sleep(1)", "5")])
def test_making_kernels_ends_after_its_time_of_a_processor_or_some_times_as_long(
    outsider: Outsider, monkeypatch: pytest.MonkeyPatch, hangs: str, seconds: str
) -> None:
    monkeypatch.setattr(limits, "KERNELS_SECONDS", 1)
    outsider.write("on_warm.py", f"import time\n\ndef run():\n    while True:\n        {hangs}\n")
    with outsider.sandbox() as boxed:
        with pytest.raises(CodecCrashed, match=f"not made within {seconds} s"):
            boxed.run("differ", {"data": [1]})
        assert boxed.run("look_around", {}).result


def test_kernels_that_cannot_be_made_cost_their_codec_and_nothing_else(outsider: Outsider, tmp_path: Path) -> None:
    outsider.write("on_warm.py", "def run():\n    raise ImportError('the compiler is not there')\n")
    with outsider.sandbox() as boxed:
        assert "ImportError: the compiler is not there" in boxed.missing_kernels([CODEC])[CODEC]
        with pytest.raises(CodecCrashed, match="the compiler is not there"):
            boxed.run("differ", {"data": [1]})
        route = encoded_route(boxed, LOG, tmp_path, codecs=(CODEC, "raw.xz"))
    verdicts = {candidate["codec"]: candidate["verdict"] for candidate in route["candidates"]}
    assert "the compiler is not there" in verdicts[CODEC]
    assert "run" in {verdict for codec, verdict in verdicts.items() if codec != "raw.stored"}


def test_kernels_that_failed_are_tried_again_later(outsider: Outsider, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "KERNELS_RETRY_SECONDS", 0.0)
    broken = "def run():\n    raise ImportError('not yet')\n"
    outsider.write("on_warm.py", broken)
    with outsider.sandbox() as boxed:
        assert "not yet" in boxed.missing_kernels([CODEC])[CODEC]
        outsider.write("on_warm.py", "def run():\n    pass\n")
        assert {} == boxed.missing_kernels([CODEC])
        assert round_trip(boxed)


# --- the whole road -----------------------------------------------------------------------------------------


def encoded_route(
    boxed: Sandbox, data: bytes, staging: Path, name: str = "x.log", codecs: tuple[str, ...] = ()
) -> dict[str, Any]:
    with tempfile.TemporaryFile() as file:
        file.write(data)
        file.flush()
        digest = hashlib.sha256(data).hexdigest()
        original = Original(file.fileno(), Place(0, len(data), framed=False), len(data), digest, name)
        with encode_original(boxed, original, Wishes(EXACT, "default", codecs), staging, lambda _: None) as encoded:
            assert data == decode(boxed, encoded.file)
            return encoded.route


def test_a_log_is_raced_by_the_codec_with_kernels(settled: Outsider, tmp_path: Path) -> None:
    with settled.sandbox() as boxed:
        route = encoded_route(boxed, LOG, tmp_path, codecs=(CODEC, "raw.xz"))
    (ours,) = [candidate for candidate in route["candidates"] if candidate["codec"] == CODEC]
    assert "run" == ours["verdict"]
    assert "stored_bytes" in ours["found"]
    (xz,) = [candidate for candidate in route["candidates"] if candidate["codec"] == "raw.xz"]
    assert "falls back to it by itself" in xz["verdict"]


def test_what_is_no_log_is_not_shown_to_it(outsider: Outsider, tmp_path: Path) -> None:
    counters = b"".join(number.to_bytes(4, "little") for number in range(0, 90_000, 17))
    before = children(os.getpid())
    with outsider.sandbox() as boxed:
        route = encoded_route(boxed, counters, tmp_path, "counters.bin")
        assert 1 == len(children(os.getpid())) - len(before)
    (ours,) = [candidate for candidate in route["candidates"] if candidate["codec"] == CODEC]
    assert "not run: it has no use for this kind of data" == ours["verdict"]
    assert [] == outsider.kept
