"""However a run ends, it ends in one sentence and a documented exit code."""

import errno
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from lithify.errors import BY_CODE, LithifyError
from tests.mounts import mounts, run_in_namespace
from tests.unit.api import running

Break = Callable[[BaseException], None]


@pytest.fixture
def break_codecs(monkeypatch: pytest.MonkeyPatch) -> Break:
    """Make the simplest verb fail as if something below it had."""

    def break_with(error: BaseException) -> None:
        def fail() -> None:
            raise error

        monkeypatch.setattr("lithify.workers.installed.codec_facts", fail)

    return break_with


def run(*args: str, **environment: str) -> Result:
    return running.run(*args, environment=environment)


def sentence(result: Result) -> str:
    """What was said: one line, and nothing on standard output."""
    [line] = result.stderr.splitlines()
    assert line.startswith("lithify: ")
    assert result.stdout == ""
    return line.removeprefix("lithify: ")


@pytest.mark.parametrize("error", BY_CODE.values(), ids=BY_CODE)
def test_each_of_our_errors_ends_with_its_sentence_and_code(break_codecs: Break, error: type[LithifyError]) -> None:
    break_codecs(error("blob 3f2a: expected 4 bytes, found 3"))
    result = run("codecs")
    assert sentence(result) == "blob 3f2a: expected 4 bytes, found 3"
    assert result.exit_code == error.exit_code


def test_an_error_without_a_message_says_what_it_means(break_codecs: Break) -> None:
    break_codecs(BY_CODE["busy"]())
    assert sentence(run("codecs")) == "Somebody else holds what is needed."


@pytest.mark.parametrize(
    ("number", "exit_code"),
    [
        (errno.ENOENT, 2),
        (errno.EACCES, 2),
        (errno.EISDIR, 2),
        (errno.ENOTDIR, 2),
        (errno.EEXIST, 2),
        (errno.ELOOP, 2),
        (errno.ENAMETOOLONG, 2),
        (errno.ENOSPC, 75),
        (errno.EDQUOT, 75),
        (errno.EIO, 75),
        (errno.EMFILE, 75),
        (errno.EPIPE, 75),
    ],
)
def test_what_the_system_refuses_is_told_with_the_file(break_codecs: Break, number: int, exit_code: int) -> None:
    break_codecs(OSError(number, os.strerror(number), "some/file"))
    result = run("codecs")
    assert sentence(result) == f"some/file: {os.strerror(number)}"
    assert result.exit_code == exit_code


def test_out_of_memory_is_no_bug(break_codecs: Break) -> None:
    break_codecs(MemoryError())
    result = run("codecs")
    assert sentence(result) == "this machine is out of memory"
    assert result.exit_code == 75


def test_anything_else_is_called_a_bug_and_never_a_traceback(break_codecs: Break) -> None:
    break_codecs(ZeroDivisionError("in a\nfar place"))
    result = run("codecs")
    assert sentence(result).startswith("ZeroDivisionError: in a far place; this is a bug in lithify")
    assert result.exit_code == 70


def test_debugging_shows_the_traceback_as_well(break_codecs: Break) -> None:
    break_codecs(ZeroDivisionError("far away"))
    result = run("codecs", LITHIFY_DEBUG="1")
    assert "Traceback (most recent call last)" in result.stderr
    assert result.exit_code == 70


def test_an_interrupt_is_told_and_has_its_own_code(break_codecs: Break) -> None:
    break_codecs(KeyboardInterrupt())
    result = run("codecs")
    assert result.stderr.strip() == "lithify: interrupted"
    assert result.exit_code == 130


def test_in_json_mode_an_error_is_one_object(break_codecs: Break) -> None:
    break_codecs(BY_CODE["not_found"]("there is no object a/b"))
    result = run("codecs", "--json")
    expected = {"code": "not_found", "message": "there is no object a/b", "exit_code": 2}
    assert json.loads(result.stderr) == {"error": expected}


def test_in_json_mode_a_misspelt_option_is_one_object_too() -> None:
    result = run("ls", "--json", "--colour")
    found = json.loads(result.stderr)["error"]
    assert (found["code"], found["exit_code"], result.exit_code) == ("bad_argument", 2, 2)
    assert "--colour" in found["message"]


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["nonsense"], "No such command 'nonsense'"),
        (["--nonsense"], "No such option"),
        (["get"], "Missing argument 'NAME'"),
        (["get", "a/b", "c/d"], "unexpected extra argument"),
        (["find", "--larger"], "requires an argument"),
        (["find", "--larger", "huge"], "'--larger': a size is a number with"),
        (["put", "x", "--effort", "heroic"], "'--effort'"),
        (["key", "add", "me"], "Missing option '--scope'"),
        (["put", "-"], "standard input needs a name"),
        (["put", "a", "b", "--name", "c"], "2 paths were given"),
        (["get", "logs"], "spelled COLLECTION/NAME"),
        (["get", "-r", "logs"], "-o DIR"),
        (["verify"], "say --all"),
        (["verify", "--all", "a/b"], "say --all"),
        (["policy", "set", "logs"], "nothing to set"),
        (["--archive", "x", "--url", "http://x", "ls"], "both given"),
    ],
)
def test_a_wrong_request_is_refused_with_a_sentence(args: list[str], says: str, tmp_path: Path) -> None:
    result = run(*args, LITHIFY_ARCHIVE=str(tmp_path / "archive"))
    assert says in sentence(result)
    assert result.exit_code == 2
    assert not (tmp_path / "archive").exists()


@pytest.mark.parametrize(
    "name", ["PORT", "SLOTS", "EFFORT", "CHILD_MEMORY_BYTES", "CHILD_WALL_SECONDS", "GRACE_SECONDS"]
)
def test_a_setting_that_cannot_be_used_is_named(name: str) -> None:
    result = run("ls", **{f"LITHIFY_{name}": "-1 apples"})
    said = sentence(result)
    assert said.startswith(f"LITHIFY_{name}: ")
    assert said.endswith("found '-1 apples'")
    assert result.exit_code == 2


@pytest.mark.parametrize("verb", ["rebuild", "serve", "work"])
def test_a_verb_that_needs_the_folder_says_so_when_a_server_is_named(verb: str) -> None:
    result = run(verb, LITHIFY_URL="http://127.0.0.1:1")
    assert sentence(result).startswith(f"{verb} works on a local archive only")
    assert result.exit_code == 2


def test_a_server_that_is_not_there_is_worth_another_try(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lithify.api.remote.RETRY_SECONDS", ())
    result = run("ls", LITHIFY_URL="http://127.0.0.1:1")
    assert "127.0.0.1" in sentence(result)
    assert result.exit_code == 75


def test_a_name_cannot_drive_the_terminal(break_codecs: Break) -> None:
    break_codecs(BY_CODE["not_found"]("there is no \x1b[2J\udcff"))
    assert sentence(run("codecs")) == "there is no \\x1b[2J\\udcff"


PACK_INTO_LITTLE = """
import os, subprocess, sys
from pathlib import Path

folder = Path(sys.argv[1])
(folder / "noise").write_bytes(os.urandom(1 << 18))
(folder / "disk").mkdir()
subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", folder / "disk"], check=True)
packed = [folder / "noise", "--effort", "fast", "-o", folder / "disk/noise.lith"]
program = "from lithify.api.cli import main; main()"
done = subprocess.run([sys.executable, "-c", program, "pack", *packed], capture_output=True, text=True)
print(done.returncode, done.stderr)
assert [] == os.listdir(folder / "disk")
"""


def shell(command: str) -> subprocess.CompletedProcess[str]:
    """The real program, as `$lithify` in a real shell."""
    environment = {**os.environ, "lithify": f"{sys.executable} -c 'from lithify.api.cli import main; main()'"}
    return subprocess.run(["bash", "-c", command], env=environment, capture_output=True, text=True, check=False)


def test_a_full_disk_behind_standard_output_is_told() -> None:
    finished = shell("eval $lithify codecs > /dev/full")
    assert finished.stderr == "lithify: No space left on device\n"
    assert finished.returncode == 75


@mounts
def test_a_full_disk_is_named_by_what_was_to_lie_there(tmp_path: Path) -> None:
    said = run_in_namespace(PACK_INTO_LITTLE, tmp_path)
    assert "75 lithify: no room left on the disk for " in said
    assert "noise.lith\n" in said


def test_closed_standard_streams_are_no_traceback() -> None:
    finished = shell("eval $lithify codecs <&- >&- 2>&-")
    assert (finished.returncode, finished.stderr) == (0, "")
