"""The demo's story on two small files, through the real service: it ends well, and would not if a byte differed."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from examples.demo import run
from examples.demo.inputs.texts import write_texts
from examples.demo.report import Row, show
from lithify.api.client import Client
from lithify.store.views import Receipt


@pytest.fixture
def story(monkeypatch: pytest.MonkeyPatch) -> run.Story:
    def two_files(folder: Path) -> list[Path]:
        (folder / "logs").mkdir()
        log, page = folder / "logs" / "web.log", folder / "page.txt"
        log.write_text("".join(f"10.0.0.{number % 256} GET /{number}\n" for number in range(9000)))
        page.write_text("Loose data settles, and turns to rock.\n" * 40)
        return [log, page]

    monkeypatch.setattr(run, "make_inputs", two_files)
    return run.Story()


def test_the_story_ends_well_when_every_byte_comes_back(
    story: run.Story, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run.tell(story, tmp_path) == 0
    told = capsys.readouterr().out
    assert "got 2 of 2 back" in told
    assert "logs/web.log" in told


def test_a_single_changed_byte_spoils_the_story(
    story: run.Story, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    really_put = run.put_all

    def put_and_change(client: Client, folder: Path, files: Sequence[Path]) -> list[Receipt]:
        receipts = really_put(client, folder, files)
        files[0].write_bytes(files[0].read_bytes().replace(b"0", b"1", 1))
        return receipts

    monkeypatch.setattr(run, "put_all", put_and_change)
    assert run.tell(story, tmp_path) == 1
    assert "✗ logs/web.log came back different" in capsys.readouterr().out


def test_no_figure_of_the_table_is_cut_off_where_no_terminal_is(capsys: pytest.CaptureFixture[str]) -> None:
    row = Row("logs/python-imports-of-a-long-name.log", {"log"}, {"logs.template"}, 1, 123_456_789, 987, 12_345_678, 1)
    show(run.Story().console, [row, row])
    told = capsys.readouterr().out
    assert "…" not in told
    assert "zstd -3 proved" in told
    assert f"{123_456_789 / 987:.2f}" in told


def test_the_texts_are_found_on_this_machine(tmp_path: Path) -> None:
    written = list(write_texts(tmp_path))
    assert {"python-manual.txt", "stdlib-sources.tar", "packages.json", "unicode.csv"} <= {
        path.name for path in written
    }
    assert all(path.stat().st_size > 0 for path in written)
