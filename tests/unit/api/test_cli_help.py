"""Help is there at once: nothing heavy is imported before a command really runs."""

import json
import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from lithify.api.cli import COMMANDS, program
from lithify.api.commands.reference import commands

HEAVY = {
    "alembic",
    "brotli",
    "fastapi",
    "httpx",
    "numpy",
    "pydantic",
    "pydantic_settings",
    "rich",
    "sqlalchemy",
    "structlog",
    "uvicorn",
    "zstandard",
}

SHOW_MODULES = """
import json, sys
from lithify.api.cli import program
for path in json.loads(sys.argv[1]):
    program.main([*path, "--help"], standalone_mode=False)
print(json.dumps(list(sys.modules)))
"""


def modules_after_help(*paths: list[str]) -> set[str]:
    """What a fresh interpreter has imported once it has shown these commands' help."""
    command = [sys.executable, "-c", SHOW_MODULES, json.dumps(paths)]
    finished = subprocess.run(command, capture_output=True, text=True, check=True)
    return set(json.loads(finished.stdout.splitlines()[-1]))


def test_help_imports_nothing_heavy() -> None:
    modules = modules_after_help(*(path.split()[1:] for path, _ in commands(program)))
    assert "click" in modules
    assert modules & HEAVY == set()


def test_one_verb_reads_no_other_verbs_file() -> None:
    modules = modules_after_help(["ls"])
    assert "lithify.api.commands.ls" in modules
    assert "lithify.api.commands.put" not in modules


@pytest.mark.parametrize("path", [path for path, _ in commands(program)])
def test_every_command_has_help(path: str) -> None:
    result = CliRunner().invoke(program, [*path.split()[1:], "--help"])
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.startswith(f"Usage: {path} ")


def test_the_programs_help_lists_every_verb_and_the_exit_codes() -> None:
    result = CliRunner().invoke(program, ["--help"])
    assert all(f"\n  {verb} " in result.stdout for verb in COMMANDS)
    assert "Exit codes" in result.stdout


def test_no_arguments_at_all_show_the_help_as_an_error() -> None:
    result = CliRunner().invoke(program, [])
    assert result.exit_code == 2
    assert "Usage: lithify" in result.stderr
    assert result.stdout == ""


def test_the_version_is_told() -> None:
    from lithify import __version__

    assert CliRunner().invoke(program, ["--version"]).stdout == f"lithify {__version__}\n"


def test_every_value_is_typed_so_that_garbage_stops_at_the_door() -> None:
    loose = [
        (path, one.name)
        for path, command in commands(program)
        for one in command.params
        if isinstance(one.type, click.types.StringParamType | click.types.UnprocessedParamType)
        or type(one.type) is click.types.FloatParamType
        or type(one.type) is click.types.IntParamType
    ]
    assert loose == []
