"""Garbage in every argument and option of every command: one clear sentence, the right code, never a traceback."""

import os
import shutil
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import click
import pytest

from lithify.api.cli import program
from lithify.api.commands.reference import commands
from lithify.workers.sandbox import Sandbox
from tests.unit.api.running import run

GARBAGE = bytes(range(256)) * 20
ANY_TEXT = [
    "",
    "-",
    "--",
    "a\0b",
    "caf\udce9",
    "two\nlines",
    "\x1b[2J",
    "../../etc/passwd",
    "-1",
    "nan",
    "1e999",
    "٣",
    "9" * 5000,
    "x" * 100_000,
    "/" * 300 + "x",
    "a/" + "/".join("b" * 600),
    "[" * 20_000,
    "{}",
    "null",
    "%s%n",
    "💥",
    "CON",
    "a'; DROP TABLE objects; --",
]
PATHS = [
    "",
    "-",
    "a\0b",
    "caf\udce9",
    "x" * 100_000,
    "../../etc/passwd",
    "/dev/null",
    "/dev/full",
    "/proc/self/mem",
    "folder",
    "garbage",
    "garbage/below",
    "missing/deep",
    "pipe",
    "loop",
]

VALID = {
    "a": {"prefix": "default/x", "name": "default/x", "path": "garbage", "text": "text", "n": "1", "json": "{}"},
    # Arguments that mean something only together: where the others must be right to get as far as the hostile one.
    "lithify put": {"name": "x"},
    "lithify schedule add": {"cron": "0 3 * * *"},
}
LEAVES = {
    path: command
    for path, command in commands(program)
    if any(isinstance(one, click.Argument) or not getattr(one, "is_flag", False) for one in command.params)
    and not isinstance(command, click.Group)
}


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive with one object; each test has a copy."""
    folder = tmp_path_factory.mktemp("kept")
    (folder / "garbage").write_bytes(GARBAGE)
    assert run("--archive", str(folder / "archive"), "put", str(folder / "garbage"), "--name", "x").exit_code == 0
    return folder / "archive"


@pytest.fixture(scope="module")
def boxed() -> Iterator[Sandbox]:
    """The archive's codecs run in processes that are started once for all lines."""
    with Sandbox() as opened:
        yield opened


@pytest.fixture(autouse=True)
def _around(kept: Path, boxed: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The archive, in a folder with everything a path should not be."""
    monkeypatch.setattr("lithify.workers.archive.Sandbox", lambda **_: nullcontext(boxed))
    shutil.copytree(kept, tmp_path / "archive")
    monkeypatch.setenv("LITHIFY_ARCHIVE", str(tmp_path / "archive"))
    here = tmp_path / "some" / "deep" / "folder"
    (here / "folder").mkdir(parents=True)
    (here / "garbage").write_bytes(GARBAGE)
    (here / "loop").symlink_to("loop")
    os.mkfifo(here / "pipe")
    monkeypatch.chdir(here)
    monkeypatch.setattr("lithify.workers.loop.Worker.run", lambda *_, **__: None)
    monkeypatch.setattr("lithify.api.server.serve", lambda *_, **__: None)
    monkeypatch.setattr("lithify.api.remote.RETRY_SECONDS", ())


def _values(parameter: click.Parameter) -> list[str]:
    return PATHS if parameter.type.name == "path" else ANY_TEXT


def _valid(path: str, parameter: click.Parameter) -> str:
    if isinstance(parameter.type, click.Choice):
        return str(parameter.type.choices[0])
    return VALID.get(path, {}).get(parameter.name or "", VALID["a"].get(parameter.type.name, "1"))


def _hostile_runs(path: str, command: click.Command) -> Iterator[list[str]]:
    """Each parameter that takes a value, with each hostile value; whatever else is required is as it should be."""
    words = path.split()[1:]
    arguments = [one for one in command.params if isinstance(one, click.Argument)]
    options = [one for one in command.params if isinstance(one, click.Option) and not one.is_flag]
    for hostile in (*arguments, *options):
        for value in _values(hostile):
            line = list(words)
            for option in options:
                if option is hostile or option.required:
                    line += [option.opts[-1], value if option is hostile else _valid(path, option)]
            line.append("--")
            line += [value if one is hostile else _valid(path, one) for one in arguments]
            yield line


def check(line: list[str]) -> None:
    result = run(*line)
    shown = [word[:40] for word in line]
    nothing_found = line[0] == "grep" and result.exit_code == 1  # an answer, and no failure: nothing is said
    assert result.exit_code in {0, 2, 3, 75} or nothing_found, (shown, result.stderr, result.exception)
    assert "Traceback" not in result.stderr
    if result.exit_code and not nothing_found:
        said = [found for found in result.stderr.splitlines() if found.startswith("lithify: ")]
        assert said, shown
        assert all(20 < len(sentence) < 1100 for sentence in said), shown
        assert "\x1b" not in result.stderr


@pytest.mark.parametrize("path", LEAVES)
def test_garbage_in_any_value_is_one_sentence(path: str) -> None:
    for line in _hostile_runs(path, LEAVES[path]):
        check(line)


@pytest.mark.parametrize("option", ["--archive", "--url", "--key"])
def test_garbage_in_a_global_option_is_one_sentence(option: str) -> None:
    values = PATHS if option == "--archive" else ANY_TEXT
    server = ["--url", "http://127.0.0.1:1"] if option == "--key" else []
    for value in values:
        check([*server, option, value, "ls"])
    for value in ["http://", "http://[", "http://a b", "ftp://127.0.0.1", "http://127.0.0.1:99999", "127.0.0.1:80"]:
        check(["--url", value, "ls"])
