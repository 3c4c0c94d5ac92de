"""`lithify grep` prints what GNU grep prints of the same files, here and over the wire."""

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import Result
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lithify.api.commands.grep import Printer
from lithify.api.commands.inside import show_contents
from lithify.api.output import Output
from lithify.store.views import ContentsView, InsideView, MemberView, TemplatesView, TemplateView
from lithify.workers.archive import Archive
from lithify.workers.found import FoundLines, Query, Where
from lithify.workers.line_search import LineSearch
from tests.examples import examples
from tests.searched import LOGS, frame_of, grep, lines_of
from tests.serving import Served, serving
from tests.unit.api.running import quieten, run

FILES = {
    "logs/a.log": b"2026-11-21 01:00:00 one error\r\n2026-11-21 02:00:00 two\n\n  three ERROR\nno\0 end error",
    "logs/b.log": b"error\n" * 4 + b"\xff\xfe not UTF-8\n" + b"x\n" * 9 + b"error at the end\n",
    "logs/web/c.log": b"".join(b"line %d%s\n" % (n, b" error" * (n % 1000 == 7)) for n in range(120_000)),
    "logs/web/empty.log": b"",
}
NAMES = list(FILES)
Ask = Callable[..., Result]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The files, in an archive that is served; and beside it as they are."""
    quieten()
    folder = tmp_path_factory.mktemp("searched")
    with serving(folder / "archive") as server:
        for name, data in FILES.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(data)
            collection, _, within = name.partition("/")
            server.archive.put(collection, within, [data])
        yield server


@pytest.fixture(params=["here", "over the wire"])
def lithify_grep(request: pytest.FixtureRequest, served: Served) -> Ask:
    def ask(*words: str) -> Result:
        if request.param == "here":
            return run("--archive", str(served.archive.folder), "grep", *words)
        return run("grep", *words, environment={"LITHIFY_URL": served.url, "LITHIFY_KEY": served.key})

    return ask


LINES = [
    ["error", "logs/a.log"],
    ["-n", "error", "logs/a.log", "logs/b.log"],
    ["-i", "error", *NAMES],
    ["-v", "-n", "error", "logs/a.log", "logs/b.log"],
    ["-c", "error", *NAMES],
    ["-c", "error", "logs/a.log"],
    ["-c", "-v", "error", "logs/web/c.log"],
    ["-l", "error", *NAMES],
    ["-l", "-v", "error", *NAMES],
    ["-F", "2 0", "logs/a.log"],
    ["-F", "-n", "line 777", "logs/web/c.log"],
    ["-n", "-C", "2", "error", "logs/a.log", "logs/b.log", "logs/web/c.log"],
    ["-n", "-A", "1", "-B", "3", "error", "logs/b.log"],
    ["-C", "0", "error", "logs/b.log", "logs/a.log"],
    ["-m", "2", "-n", "error", "logs/b.log", "logs/web/c.log"],
    ["-m", "2", "-A", "5", "-n", "error", "logs/b.log"],
    ["-h", "error", "logs/a.log", "logs/b.log"],
    ["-H", "-n", "two", "logs/a.log"],
    ["^$", "logs/a.log"],
    ["end$", "logs/a.log", "logs/b.log"],
    ["", "logs/a.log"],
    ["-F", "", "logs/web/empty.log"],
    ["nowhere to be found", *NAMES],
    ["(one|two)", "logs/a.log"],
]


@pytest.mark.parametrize("words", LINES, ids=" ".join)
def test_it_prints_what_grep_prints(served: Served, lithify_grep: Ask, words: list[str]) -> None:
    kind = [] if "-F" in words else ["-E"]
    expected, printed = grep(*kind, *words, cwd=served.archive.folder.parent)
    result = lithify_grep(*kind, *words)
    assert (printed, expected, "") == (result.stdout_bytes, result.exit_code, result.stderr)


@pytest.mark.parametrize(
    ("names", "those"),
    [
        (["logs"], NAMES),
        (["logs/"], NAMES),
        (["logs/web/"], NAMES[2:]),
        (["logs/*.log"], NAMES),
        (["logs/?.log"], NAMES[:2]),
        (["logs/[bc].log", "logs/web/"], [NAMES[1], *NAMES[2:]]),
    ],
)
def test_a_name_may_mean_many(served: Served, lithify_grep: Ask, names: list[str], those: list[str]) -> None:
    _, printed = grep("-H", "-n", "error", *those, cwd=served.archive.folder.parent)
    result = lithify_grep("-n", "error", *names)
    assert (printed, 0, "") == (result.stdout_bytes, result.exit_code, result.stderr)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["error"], "name what to search"),
        (["(", "logs/a.log"], "at byte 0"),
        (["error", "logs/no.log"], "there is no object logs/no.log"),
        (["error", "nowhere"], "nowhere"),
        (["error", "logs/no/"], "no object"),
        (["error", "logs/z*"], "no object"),
        (["error", "Not a collection/x"], "collection"),
        (["two\nlines", "logs"], "line end"),
    ],
)
def test_what_cannot_be_searched_is_one_sentence(lithify_grep: Ask, words: list[str], said: str) -> None:
    result = lithify_grep(*words)
    assert (2, b"") == (result.exit_code, result.stdout_bytes)
    assert said in result.stderr


def test_the_others_are_searched_when_one_is_not_there(lithify_grep: Ask) -> None:
    result = lithify_grep("two", "logs/no.log", "logs/a.log")
    assert (2, b"logs/a.log:2026-11-21 02:00:00 two\n") == (result.exit_code, result.stdout_bytes)


def test_lines_are_found_by_the_time_written_in_them(lithify_grep: Ask) -> None:
    found = lithify_grep("-n", "--since", "2026-11-21T01:30", "--until", "2026-11-22", "", "logs/a.log")
    assert [b"2", b"3", b"4", b"5"] == [line.partition(b":")[0] for line in found.stdout_bytes.splitlines()]
    nothing = lithify_grep("--until", "2020-01-01", "", "logs/a.log")
    assert (1, b"") == (nothing.exit_code, nothing.stdout_bytes)


def test_programs_get_a_document_for_each_line(lithify_grep: Ask) -> None:
    result = lithify_grep("--json", "-B", "1", "not UTF", "logs/b.log")
    before, match, through = map(json.loads, result.stdout.splitlines())
    assert ("context", 4, "error") == (before["type"], before["line"], before["text"])
    assert ("match", 5, "//4gbm90IFVURi04") == (match["type"], match["line"], match["base64"])
    assert ("object", 1, None) == (through["type"], through["matches"], through["error"])
    assert {("logs", "b.log")} == {(one["collection"], one["name"]) for one in (before, match, through)}


def test_a_pattern_need_not_be_utf_8(lithify_grep: Ask) -> None:
    result = lithify_grep("-n", "-F", os.fsdecode(b"\xff\xfe not"), "logs/b.log")
    assert b"5:\xff\xfe not UTF-8\n" == result.stdout_bytes


def test_a_damaged_object_is_told_and_the_others_are_searched(tmp_path: Path) -> None:
    noise = os.urandom(300_000)
    with Archive(tmp_path / "archive") as archive:
        archive.put("logs", "a", [noise])
        archive.put("logs", "b", [b"error\n"])
    blobs = [path for path in (tmp_path / "archive/blobs").rglob("*") if path.is_file()]
    blob = max(blobs, key=lambda path: path.stat().st_size)
    damaged = bytearray(blob.read_bytes())
    damaged[150_000] ^= 1
    blob.chmod(0o600)
    blob.write_bytes(damaged)
    result = run("--archive", str(tmp_path / "archive"), "grep", "error", "logs")
    assert (3, b"logs/b:error\n") == (result.exit_code, result.stdout_bytes)
    assert result.stderr.startswith("lithify: logs/a: chunk 0")


# --- frames on disk ---------------------------------------------------------------------------------------


def test_a_frame_on_disk_is_searched_without_an_archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LITHIFY_ARCHIVE", str(tmp_path / "none"))
    Path("b.lith").write_bytes(frame_of(FILES["logs/b.log"], [10, 20, 50]))
    Path("a.lith").write_bytes(frame_of(FILES["logs/a.log"], [10, 20, 50]))
    assert b"1:error\n2:error\n" == run("grep", "-n", "-m", "2", "error", "--file", "b.lith").stdout_bytes
    both = run("grep", "-c", "error", "--file", "b.lith", "--file", "a.lith")
    assert ("b.lith:5\na.lith:2\n", 0) == (both.stdout, both.exit_code)
    piped = run("grep", "two", "--file", "-", stdin=Path("a.lith").read_bytes())
    assert b"2026-11-21 02:00:00 two\n" == piped.stdout_bytes
    assert not (tmp_path / "none").exists()


def test_what_is_no_frame_is_refused_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("plain.log").write_bytes(b"error\n")
    result = run("grep", "error", "--file", "plain.log")
    assert (3, b"") == (result.exit_code, result.stdout_bytes)
    assert result.stderr.startswith("lithify: plain.log: not a lithify frame")


# --- any lines --------------------------------------------------------------------------------------------


class Kept(Output):
    """What would be printed."""

    def __init__(self) -> None:
        super().__init__()
        self.printed = b""

    def block(self, block: bytes) -> None:
        self.printed += block


@settings(max_examples=examples(150), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(LOGS, st.integers(1, 60), st.integers(0, 2) | st.none(), st.booleans(), st.booleans())
def test_any_lines_are_printed_as_grep_prints_them(
    tmp_path: Path, data: bytes, size: int, context: int | None, numbers: bool, named: bool
) -> None:
    (tmp_path / "x").write_bytes(data)
    around = context or 0
    search = LineSearch(
        lines_of(frame_of(data, range(size, len(data), size))),
        Query(b"error|7", before=around, after=around),
        None,
        lambda: None,
    )
    out = Kept()
    printer = Printer(out, names=named, numbers=numbers, apart=context is not None)
    for shown in search.shown():
        lines = FoundLines(
            Where("", "x", ""),
            [number + 1 for number in shown.numbers],
            bytes([shown.matched]) * len(shown.texts),
            b"".join(text + b"\n" for text in shown.texts),
        )
        printer.say(lines, Query(b""))
    flags = [*["-n"] * numbers, *["-H"] * named, *([] if context is None else ["-C", str(context)])]
    assert grep("-E", *flags, "error|7", "x", cwd=tmp_path)[1] == out.printed


# --- templates --------------------------------------------------------------------------------------------


def test_templates_come_over_the_wire_as_they_are(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    items = (TemplateView("line <n>", 20, 0.8, "line 1"), TemplateView("\\xff <w>", 5, 0.2, "\\xff error"))
    found = TemplatesView("logs", "a.log", "r", 25, 2, items)
    monkeypatch.setattr(Archive, "templates", lambda *_, **__: found)
    with served.client() as client:
        assert found == client.templates("logs", "a.log", most=7)
    remote = {"LITHIFY_URL": served.url, "LITHIFY_KEY": served.key}
    shown = run("templates", "logs/a.log", environment=remote).stdout.splitlines()
    assert "2 templates for 25 lines of logs/a.log" == shown[0]
    assert ["20", "80.00", "%", "line", "<n>", "line", "1"] == shown[2].split()
    told = run("templates", "--json", "logs/a.log", environment=remote).stdout.splitlines()
    assert [item.as_json() for item in items] == [json.loads(line) for line in told]


# --- contents ---------------------------------------------------------------------------------------------


def test_contents_come_over_the_wire_as_they_are(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    member = MemberView("a.jpg", 90)
    items = (InsideView("chunk", "media.jpeg", 100, 80, 1, 0), InsideView("JPEG", "Lepton", 90, 70, 1, 1, (member,)))
    found = ContentsView("photos", "a.jpg", "r", items)
    monkeypatch.setattr(Archive, "contents", lambda *_, **__: found)
    with served.client() as client:
        assert found == client.contents("photos", "a.jpg", revision="r")


def test_members_are_shown_below_what_keeps_them(capsys: pytest.CaptureFixture[str]) -> None:
    members = (MemberView("word/document.xml", 90), MemberView("b.txt", 10))
    chunk, group = InsideView("chunk", "media.deflate", 80, 60, 1, 0), InsideView("deflated", "raw.ppmd", 100, 30, 2, 1)
    show_contents(Output(), [chunk, replace(group, members=members)])
    shown = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert [["word/document.xml", "90", "B"], ["b.txt", "10", "B"]] == shown[-2:]


# --- originals --------------------------------------------------------------------------------------------


def test_an_original_comes_over_the_wire_with_its_digest(served: Served, collection: str) -> None:
    body = b"loose sand settles\n" * 100_000
    served.archive.put(collection, "a.txt", [body])
    with served.client() as client, client.original(collection, "a.txt") as content:
        assert body == b"".join(content)
        assert "exact" == content.view.fidelity
    with served.http() as http:
        answer = http.get(f"/v1/original/{collection}/a.txt")
        assert (200, "exact") == (answer.status_code, answer.headers["lithify-contract"])
        assert 404 == http.get(f"/v1/original/{collection}/b.txt").status_code
