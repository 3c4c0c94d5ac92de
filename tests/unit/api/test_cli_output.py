"""What is said: sizes, tables and names, for people and for pipes."""

import pytest

from lithify.api.output import Output, moment, plural, printable, ratio, size
from lithify.workers import making
from tests.unit.api.running import run

ROWS = [["raw.zstd", "1.5 MiB"], ["text.t1", "-120 B"]]


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.0 KiB"),
        (1_572_864, "1.5 MiB"),
        (-2048, "-2.0 KiB"),
        (1 << 55, "32.0 PiB"),
    ],
)
def test_a_size_is_told_in_its_largest_unit(count: int, text: str) -> None:
    assert text == size(count)


def test_small_words_are_right() -> None:
    assert (ratio(2), plural(1, "blob"), plural(0, "blob")) == ("2.00x", "1 blob", "0 blobs")
    assert (moment(None), moment(0)) == ("-", "1970-01-01 00:00:00Z")


def test_a_name_is_shown_as_it_is_unless_it_could_drive_a_terminal() -> None:
    assert printable("Ærøskøbing 💥.txt") == "Ærøskøbing 💥.txt"
    assert printable("\x1b[2J\n\udcff\u202e") == "\\x1b[2J\\n\\udcff\\u202e"


def test_in_a_pipe_a_table_is_plain_aligned_columns(capsys: pytest.CaptureFixture[str]) -> None:
    Output().table(("codec", "stored"), ROWS, title="title")
    assert capsys.readouterr().out == "title\ncodec      stored\nraw.zstd  1.5 MiB\ntext.t1    -120 B\n"


def test_a_line_of_a_log_is_no_number_though_it_begins_with_a_digit(capsys: pytest.CaptureFixture[str]) -> None:
    Output().table(("line", "text"), [["9", "2026-11-21 01:15:00 it settles"], ["10", "7 grains"]])
    assert capsys.readouterr().out == "line  text\n   9  2026-11-21 01:15:00 it settles\n  10  7 grains\n"


def test_on_a_terminal_a_table_is_drawn_and_never_broken_cell_by_cell(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "20")
    wide = "a-name-far-wider-than-the-terminal-it-is-shown-on"
    Output().table(("codec", "stored"), [[wide, "1 B"], *ROWS])
    drawn = capsys.readouterr().out
    assert wide in drawn
    assert "─" in drawn
    assert len(drawn.splitlines()) == 5


def test_an_empty_table_is_its_heading(capsys: pytest.CaptureFixture[str]) -> None:
    Output().table(("codec", "stored"), [])
    assert capsys.readouterr().out == "codec  stored\n"


def test_json_is_ascii_and_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    Output(as_json=True).document({"name": "é\n\udcff"}, "text")
    assert capsys.readouterr().out == '{"name":"\\u00e9\\n\\udcff"}\n'


def test_of_a_sentence_that_is_too_long_both_ends_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    Output().failure("bad_name", "put " + "y" * 100_000 + ": has too many bytes", 2)
    said = capsys.readouterr().err
    assert len(said) < 1100
    assert (said.startswith("lithify: put yyy"), said.endswith("yyy: has too many bytes\n")) == (True, True)


def test_that_machine_code_is_made_is_told_once_and_at_a_terminal_only(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Output().making("text.mixing")
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    Output(as_json=True).making("text.mixing")
    assert ("", "") == capsys.readouterr()

    out = Output()
    out.making("text.mixing")
    out.making("media.gif")
    said = capsys.readouterr()
    assert ("", 1) == (said.out, said.err.count("\n"))
    assert said.err.startswith("making machine code for text.mixing ")


def test_the_command_line_listens_while_a_verb_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    def wait_for_kernels() -> list[dict[str, str]]:
        making.tell("text.mixing")
        return []

    heard: list[str] = []
    monkeypatch.setattr(Output, "making", lambda _, codec: heard.append(codec))
    monkeypatch.setattr("lithify.workers.installed.codec_facts", wait_for_kernels)
    assert 0 == run("codecs").exit_code
    making.tell("media.gif")
    assert ["text.mixing"] == heard
