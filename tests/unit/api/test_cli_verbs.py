"""Every verb on a real archive, as a person and as a program would use it."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from tests.unit.api.running import run

Run = Callable[..., Result]
TEXT = b"".join(b"2026-11-21 01:15:%02d host-%d accepted connection\n" % (i % 60, i % 7) for i in range(2000))


@pytest.fixture(autouse=True)
def _archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LITHIFY_ARCHIVE", str(tmp_path / "archive"))
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")


def ok(*args: str, stdin: bytes = b"") -> str:
    """The answer of a run that must succeed."""
    result = run(*args, stdin=stdin)
    assert result.exit_code == 0, result.output
    return result.stdout


def documents(*args: str, stdin: bytes = b"") -> list[dict[str, Any]]:
    """The same, for a program."""
    return [json.loads(line) for line in ok(*args, "--json", stdin=stdin).splitlines()]


def tree(**files: bytes) -> Path:
    """A folder `tree` here, with these files."""
    for name, data in files.items():
        path = Path("tree") / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return Path("tree")


def test_a_file_goes_in_and_comes_back() -> None:
    Path("a.log").write_bytes(TEXT)
    assert ok("put", "a.log") == "default/a.log (91.8 KiB)\n"
    assert ok("get", "default/a.log", "-o", "back.log").startswith("back.log")
    assert Path("back.log").read_bytes() == TEXT


def test_a_receipt_names_the_bytes() -> None:
    [receipt] = documents("put", "-", "--name", "x", "--to", "logs", stdin=b"abc")
    assert receipt["digest"] == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert (receipt["collection"], receipt["name"], receipt["length"]) == ("logs", "x", 3)
    assert receipt["created_at"].endswith("Z")


def test_standard_input_goes_in_and_comes_back_on_standard_output() -> None:
    data = bytes(range(256)) * 100
    ok("put", "-", "--name", "a/b", stdin=data)
    assert run("get", "default/a/b", "-o", "-").stdout_bytes == data


@pytest.mark.parametrize(
    ("part", "expected"), [("0-9", TEXT[:10]), ("100-", TEXT[100:]), ("-7", TEXT[-7:]), ("5-5", TEXT[5:6])]
)
def test_a_range_comes_back_alone(part: str, expected: bytes) -> None:
    ok("put", "-", "--name", "x", stdin=TEXT)
    assert run("get", "default/x", "--range", part, "-o", "-").stdout_bytes == expected


def test_a_range_beyond_the_end_is_refused() -> None:
    ok("put", "-", "--name", "x", stdin=b"abc")
    result = run("get", "default/x", "--range", "10-20", "-o", "-")
    assert (result.exit_code, result.stdout_bytes) == (2, b"")


def test_without_an_output_the_file_gets_the_last_part_of_the_name() -> None:
    ok("put", "-", "--name", "deep/down/x.txt", stdin=b"abc")
    ok("get", "default/deep/down/x.txt")
    assert Path("x.txt").read_bytes() == b"abc"
    assert run("get", "default/deep/down/x.txt").exit_code == 2
    ok("get", "default/deep/down/x.txt", "--force")
    Path("folder").mkdir()
    ok("get", "default/deep/down/x.txt", "-o", "folder")
    assert Path("folder/x.txt").read_bytes() == b"abc"


def test_an_earlier_revision_is_still_there() -> None:
    [first] = documents("put", "-", "--name", "x", stdin=b"first")
    ok("put", "-", "--name", "x", stdin=b"second")
    assert ok("get", "default/x", "-o", "-") == "second"
    assert ok("get", "default/x", "-o", "-", "--revision", first["revision"]) == "first"


def test_a_folder_goes_in_and_comes_back_whole() -> None:
    files = {"a": b"1", "b__c": b"22", "b__d__e": b"", "z": TEXT}
    put = ok("put", str(tree(**files)), "--to", "trees")
    assert put.count("\n") == len(files)
    ok("get", "-r", "trees", "-o", "back")
    for name, data in files.items():
        assert (Path("back/tree") / name.replace("__", "/")).read_bytes() == data
    assert len([path for path in Path("back").rglob("*") if path.is_file()]) == len(files)


def test_a_restore_replaces_files_only_by_force_and_does_the_rest() -> None:
    ok("put", str(tree(a=b"1", b=b"2")))
    Path("back/tree").mkdir(parents=True)
    Path("back/tree/a").write_bytes(b"mine")
    result = run("get", "-r", "default/tree", "-o", "back")
    assert result.exit_code == 2
    assert "back/tree/a is already there" in result.stderr
    assert (Path("back/tree/a").read_bytes(), Path("back/tree/b").read_bytes()) == (b"mine", b"2")
    ok("get", "-r", "default/tree", "-o", "back", "--force")
    assert Path("back/tree/a").read_bytes() == b"1"


def test_a_restore_never_follows_a_link_out() -> None:
    ok("put", str(tree(a__b=b"1", c=b"2")))
    Path("outside").mkdir()
    Path("back/tree").mkdir(parents=True)
    Path("back/tree/a").symlink_to(Path("outside").absolute())
    result = run("get", "-r", "default", "-o", "back", "--force")
    assert result.exit_code == 2
    assert not list(Path("outside").iterdir())
    assert Path("back/tree/c").read_bytes() == b"2"


def test_a_prefix_that_matches_nothing_is_said() -> None:
    ok("put", "-", "--name", "x", stdin=b"abc")
    result = run("get", "-r", "default/nothing", "-o", "back")
    assert (result.exit_code, "default/nothing" in result.stderr) == (2, True)


def test_what_cannot_be_put_is_named_and_the_rest_goes_in() -> None:
    folder = tree(good=b"1")
    Path(os.fsdecode(b"tree/caf\xe9")).write_bytes(b"2")
    (folder / "link").symlink_to("good")
    result = run("put", str(folder), "missing")
    assert result.stdout == "default/tree/good (1 B)\n"
    assert "skipped tree/link: a symbolic link" in result.stderr
    assert "tree/caf\\xe9: the file's name is not valid UTF-8" in result.stderr
    assert "missing: No such file or directory" in result.stderr
    assert "stored 1 object, 1 B; 1 skipped" in result.stderr
    assert result.exit_code == 2


def test_names_are_listed_by_collection_and_prefix() -> None:
    ok("put", str(tree(a=b"1", b__c=b"2")), "--to", "trees")
    ok("put", "-", "--name", "x", "--to", "logs", stdin=b"3")
    assert ok("ls") == "logs\ntrees\n"
    assert ok("ls", "trees") == "trees/tree/a\ntrees/tree/b/c\n"
    assert ok("ls", "trees/tree/b") == "trees/tree/b/c\n"
    assert "1 object  logs" in ok("ls", "-l")
    assert ok("ls", "-l", "logs").split()[:4] == ["1", "B", "64", "B"] or "logs/x" in ok("ls", "-l", "logs")
    assert [found["name"] for found in documents("ls", "trees")] == ["tree/a", "tree/b/c"]


def test_things_are_found_by_name_size_and_age() -> None:
    ok("put", str(tree(small=b"1", large=TEXT)))
    assert ok("find", "*large") == "default/tree/large\n"
    assert ok("find", "--larger", "1k") == "default/tree/large\n"
    assert ok("find", "--smaller", "1k", "--newer", "1h") == "default/tree/small\n"
    assert ok("find", "--older", "2020-01-01") == ""
    assert ok("find", "--in", "default", "--kind", "no-such-kind") == ""


def test_stat_shows_the_encodings_and_the_route() -> None:
    Path("a.log").write_bytes(TEXT)
    ok("put", "a.log", "--wait")
    text = ok("stat", "default/a.log")
    assert "sha256" in text
    assert "encodings" in text
    [view] = documents("stat", "default/a.log")
    assert view["verified_at"] is not None
    assert [encoding["number"] for encoding in view["encodings"]][-1] >= 1


def test_waiting_answers_with_the_object_as_it_stands_in_the_end() -> None:
    Path("a.log").write_bytes(TEXT)
    [view] = documents("put", "a.log", "--wait")
    assert view["verified_at"] is not None
    assert view["ratio"] > 2


def test_removed_is_gone_and_the_others_go_on() -> None:
    ok("put", str(tree(a=b"1", b=b"2")))
    result = run("rm", "default/tree/a", "default/tree/none", "default/tree/b")
    assert result.exit_code == 2
    assert result.stdout.split() == ["default/tree/a", "(1", "B)", "default/tree/b", "(1", "B)"]
    assert ok("ls", "default") == ""


def test_the_report_adds_up() -> None:
    ok("put", str(tree(a=TEXT, b=b"2")))
    [report] = documents("report")
    assert report["total"]["objects"] == 2
    assert report["total"]["original_bytes"] == len(TEXT) + 1
    assert "collection" in ok("report")


def test_objects_are_verified_by_name_or_all() -> None:
    ok("put", str(tree(a=TEXT, b=b"2")))
    assert "kept" in ok("verify", "default/tree/a")
    assert [verdict["kept"] for verdict in documents("verify", "--all")] == [True, True]


def test_damage_is_found_named_and_never_served() -> None:
    ok("put", "-", "--name", "x", stdin=os.urandom(300_000))
    [blob] = [path for path in (Path(os.environ["LITHIFY_ARCHIVE"]) / "blobs").rglob("*") if path.is_file()]
    data = bytearray(blob.read_bytes())
    data[1000] ^= 1
    blob.chmod(0o600)
    blob.write_bytes(data)
    for exit_code, *args in (
        (4, "verify", "default/x"),
        (3, "get", "default/x", "-o", "back"),
        (3, "check", "--read-data"),
        (3, "scrub"),
    ):
        result = run(*args)
        assert (result.exit_code, "Traceback" in result.stderr) == (exit_code, False), args
    assert not Path("back").exists()


def test_check_says_that_all_is_well() -> None:
    ok("put", "-", "--name", "x", stdin=TEXT)
    assert ok("check", "--read-data").endswith("all well\n")
    [found] = documents("check")
    assert found["findings"] == []


@pytest.mark.parametrize("verb", ["scrub", "sweep"])
def test_upkeep_runs_at_once_or_is_queued(verb: str) -> None:
    ok("put", "-", "--name", "x", stdin=TEXT)
    [done] = documents(verb)
    assert (done["kind"], done["state"]) == (verb, "done")
    [queued] = documents(verb, "--detach")
    assert queued["state"] == "waiting"


def test_a_lost_catalog_is_rebuilt() -> None:
    ok("put", "-", "--name", "x", stdin=TEXT)
    for part in Path(os.environ["LITHIFY_ARCHIVE"]).glob("catalog.sqlite*"):
        part.unlink()
    assert run("ls").exit_code == 2
    assert ok("rebuild").startswith("1 object in 1 collection")
    assert run("get", "default/x", "-o", "-").stdout_bytes == TEXT


def test_schedules_are_added_listed_run_and_removed() -> None:
    ok("schedule", "add", "nightly", "scrub", "0 3 * * *", "--args", '{"fraction": 0.5}')
    assert "nightly" in ok("schedule", "list")
    [found] = [schedule for schedule in documents("schedule", "list") if schedule["name"] == "nightly"]
    assert (found["cron"], found["args"]) == ("0 3 * * *", {"fraction": 0.5})
    [job] = documents("schedule", "run", "nightly")
    assert (job["kind"], job["state"]) == ("scrub", "waiting")
    ok("schedule", "rm", "nightly")
    assert "nightly" not in ok("schedule", "list")


def test_a_policy_is_shown_and_changed() -> None:
    ok("policy", "set", "logs", "--effort", "max", "--keep", "90d", "--keep-revisions", "3")
    [found] = documents("policy", "show", "logs")
    assert (found["effort"], found["keep_seconds"], found["keep_revisions"]) == ("max", 7_776_000, 3)
    ok("policy", "set", "logs", "--keep", "forever", "--keep-revisions", "0")
    assert "keep           for ever" in ok("policy", "show", "logs")


def test_jobs_are_listed_shown_cancelled_and_retried() -> None:
    ok("put", "-", "--name", "x", stdin=TEXT)
    [job] = documents("job", "list", "--state", "waiting")
    number = str(job["id"])
    assert number in ok("job", "list")
    assert "waiting" in ok("job", "show", number)
    assert documents("job", "cancel", number)[0]["state"] == "cancelled"
    assert documents("job", "retry", number)[0]["state"] == "waiting"


def test_a_key_is_shown_once_listed_without_its_secret_and_revoked() -> None:
    [key] = documents("key", "add", "backup", "--scope", "read", "--scope", "write", "--expires", "90d")
    assert key["key"].startswith(f"lith_{key['id']}_")
    assert key["key"] not in ok("key", "list") + ok("key", "list", "--json")
    assert "revoked" in ok("key", "revoke", key["id"])
    assert documents("key", "list")[0]["revoked_at"] is not None


def test_a_worker_works_until_nothing_is_left() -> None:
    ok("put", str(tree(a=TEXT, b=TEXT[:5000])))
    run("work", "--until-idle", "--slots", "2")
    assert [found["verified_at"] is not None for found in documents("ls", "default")] == [True, True]
    assert documents("job", "list", "--state", "waiting") == []


def test_reading_never_makes_an_archive() -> None:
    for args in (["ls"], ["find"], ["get", "a/b"], ["report"], ["check"], ["rm", "a/b"], ["rebuild"]):
        result = run(*args)
        assert result.exit_code == 2, args
    assert not Path(os.environ["LITHIFY_ARCHIVE"]).exists()


def test_the_table_of_codecs_names_formats_and_contracts() -> None:
    assert "raw.zstd" in ok("codecs")
    found = {facts["codec"]: facts for facts in documents("codecs")}
    assert found["raw.zstd"]["format"] == "0x0101 1.0"
    assert "exact" in found["raw.zstd"]["contracts"]
    assert found["raw.zstd"]["missing"] is None
