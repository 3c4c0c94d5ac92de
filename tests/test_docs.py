"""Documents that cannot rot: every command, setting, error code and format id is described, as it is now."""

import re
import shlex
from pathlib import Path

import click
import pytest

from lithify.api.commands.reference import commands, page
from lithify.errors import BY_CODE, LithifyError
from lithify.settings import Settings

ROOT = Path(__file__).parent.parent
CLI = (ROOT / "docs/cli.md").read_text(encoding="utf-8")
SETTINGS = (ROOT / "docs/settings.md").read_text(encoding="utf-8")
ERRORS = (ROOT / "docs/errors.md").read_text(encoding="utf-8")


def rows(text: str) -> dict[str, list[str]]:
    """The table rows of a page: code in the first cell to the other cells."""
    cells = ([cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line[:3] == "| `")
    return {first.strip("`"): rest for first, *rest in cells}


def test_the_reference_of_the_command_line_is_current() -> None:
    assert page(CLI) == CLI, "run: python -m lithify.api.commands.reference"


def test_every_command_and_option_says_what_it_is_for() -> None:
    from lithify.api.cli import program

    for path, command in commands(program):
        assert command.get_short_help_str(), path
        options = [one for one in command.params if isinstance(one, click.Option)]
        assert [option.name for option in options if not option.help] == [], path


def test_every_setting_is_documented_with_its_default() -> None:
    documented = rows(SETTINGS)
    for name, field in Settings.model_fields.items():
        default, description = documented.pop(f"LITHIFY_{name.upper()}")
        assert description == field.description
        if field.default_factory is None:
            assert default == ("none" if field.default is None else f"`{field.default}`"), name
    assert set(documented) == {"LITHIFY_DEBUG", "LITHIFY_CRASHPOINT"}, "documented, and not there"


def test_every_variable_the_code_reads_is_documented() -> None:
    code = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "lithify").rglob("*.py"))
    named = set(re.findall(r"LITHIFY_[A-Z]+(?:_[A-Z]+)*", code))
    assert "LITHIFY_ARCHIVE" in named
    assert named - rows(SETTINGS).keys() == set()


@pytest.mark.parametrize("error", BY_CODE.values(), ids=BY_CODE)
def test_every_error_is_documented_as_it_is(error: type[LithifyError]) -> None:
    sentence, exit_code, status, advice = rows(ERRORS)[error.code]
    assert sentence == (error.__doc__ or "").strip()
    assert (exit_code, status) == (str(error.exit_code), str(error.http_status))
    assert len(advice) > 10


def test_no_error_is_documented_that_does_not_exist() -> None:
    assert rows(ERRORS).keys() == BY_CODE.keys()


def test_every_exit_code_is_in_the_programs_own_help() -> None:
    from lithify.api.cli import EPILOG, EXIT_BUG, EXIT_INTERRUPTED, EXIT_NOTHING_FOUND, EXIT_READER_LEFT

    listed = {int(found) for found in re.findall(r"^  (\d+) ", EPILOG, re.MULTILINE)}
    ours = {error.exit_code for error in BY_CODE.values()}
    assert listed == ours | {0, EXIT_NOTHING_FOUND, EXIT_BUG, EXIT_INTERRUPTED, EXIT_READER_LEFT}


def test_every_format_is_documented_in_its_family() -> None:
    from lithify.codecs.registry import FORMATS

    for format_id, target in FORMATS.items():
        family = target.partition(":")[0].split(".")[2]
        document = ROOT / "lithify/codecs" / family / "FORMAT.md"
        assert f"0x{format_id:04x}" in document.read_text(encoding="utf-8").lower(), f"{target} in {document}"


def examples(text: str) -> list[list[str]]:
    """The words of every call of lithify in the blocks of shell on a page."""
    blocks = re.findall(r"^```sh\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    words = [shlex.split(line, comments=True) for block in blocks for line in block.splitlines()]
    calls = (call for line in words for call in _split(line, {"|", "&&"}))
    return [call[1:] for call in calls if call[:1] == ["lithify"]]


def _split(words: list[str], separators: set[str]) -> list[list[str]]:
    calls: list[list[str]] = [[]]
    for word in words:
        if word in separators:
            calls.append([])
        else:
            calls[-1].append(word)
    return calls


def understood(call: list[str]) -> click.Context:
    """Refuses verbs, options and names that are spelled otherwise; nothing is done."""
    from lithify.api.cli import program

    command: click.Command | None = program
    words = list(call)
    while isinstance(command, click.Group):
        command = command.get_command(click.Context(command), words.pop(0))
    assert command is not None, call
    return command.make_context(" ".join(call), words)


@pytest.mark.parametrize("name", ["README.md", "docs/cli.md", "docs/scientists.md"])
def test_every_example_of_a_call_is_one_that_is_understood(name: str) -> None:
    found = examples((ROOT / name).read_text(encoding="utf-8"))
    assert found
    for call in found:
        understood(call)


def test_an_example_that_is_not_understood_is_found() -> None:
    assert [["stat", "cube.nc"]] == examples("```sh\nlithify stat cube.nc  # a name without its collection\n```\n")
    with pytest.raises(click.UsageError):
        understood(["stat", "cube.nc"])
