"""The same verbs on a server: the same answers, the same errors."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import Result

from tests.serving import Served, serving
from tests.unit.api.running import quieten, run

TEXT = b"".join(b"2026-11-21 01:15:%02d host-%d accepted connection\n" % (i % 60, i % 7) for i in range(2000))


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    quieten()
    with serving(tmp_path_factory.mktemp("served") / "archive") as server:
        yield server


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def remotely(served: Served, *args: str, stdin: bytes = b"") -> Result:
    return run(*args, stdin=stdin, environment={"LITHIFY_URL": served.url, "LITHIFY_KEY": served.key})


def locally(served: Served, *args: str, stdin: bytes = b"") -> Result:
    return run("--archive", str(served.archive.folder), *args, stdin=stdin)


def test_a_folder_goes_in_and_comes_back_over_the_wire(served: Served) -> None:
    Path("tree/b").mkdir(parents=True)
    Path("tree/a").write_bytes(TEXT)
    Path("tree/b/c").write_bytes(b"")
    put = remotely(served, "put", "tree", "--to", "trees")
    assert (put.exit_code, sorted(put.stdout.splitlines())) == (0, ["trees/tree/a (91.8 KiB)", "trees/tree/b/c (0 B)"])
    assert remotely(served, "get", "-r", "trees", "-o", "back").exit_code == 0
    assert (Path("back/tree/a").read_bytes(), Path("back/tree/b/c").read_bytes()) == (TEXT, b"")


def test_a_model_that_some_worker_may_have_is_named_by_its_digest(served: Served) -> None:
    digest = "0123456789abcdef" * 4
    receipt = json.loads(remotely(served, "put", "-", "--name", "told", "--model", digest, "--json", stdin=TEXT).stdout)
    job = json.loads(remotely(served, "job", "show", str(receipt["job"]), "--json").stdout)
    assert ("gpu", "waiting", {"model": digest}) == (job["queue"], job["state"], job["args"])
    assert f"{digest}, asked for" in remotely(served, "stat", "default/told").stdout
    assert TEXT == remotely(served, "get", "default/told", "-o", "-").stdout_bytes
    refused = remotely(served, "put", "-", "--name", "told", "--model", "nothing", stdin=TEXT)
    assert (2, True) == (refused.exit_code, "there is no model 'nothing'" in refused.stderr)
    assert 0 == remotely(served, "job", "cancel", str(receipt["job"])).exit_code


def test_a_range_comes_over_the_wire_alone(served: Served) -> None:
    remotely(served, "put", "-", "--name", "range", stdin=TEXT)
    assert remotely(served, "get", "default/range", "--range", "-7", "-o", "-").stdout_bytes == TEXT[-7:]


def test_answers_and_errors_are_those_of_the_archive_itself(served: Served) -> None:
    remotely(served, "put", "-", "--name", "same", stdin=TEXT)
    remotely(served, "policy", "set", "default", "--keep", "90d")
    remotely(served, "schedule", "add", "nightly", "scrub", "0 3 * * *")
    for line in (
        ["ls"],
        ["ls", "default"],
        ["ls", "-l", "default"],
        ["ls", "none"],
        ["find", "sa*"],
        ["find", "--larger", "1GB"],
        ["stat", "default/same"],
        ["stat", "default/none"],
        ["rm", "default/none"],
        ["get", "default/none", "-o", "-"],
        ["get", "default/same", "-o", "-"],
        ["get", "default/same", "-o", "-", "--range", "999999-"],
        ["report"],
        ["check", "--read-data"],
        ["policy", "show", "default"],
        ["policy", "set", "default", "--contract", "perfect"],
        ["schedule", "list"],
        ["schedule", "add", "x", "scrub", "every day"],
        ["schedule", "rm", "none"],
        ["job", "list"],
        ["job", "show", "999999"],
        ["job", "retry", "999999"],
        ["key", "list"],
        ["key", "revoke", "none"],
        ["put", "-", "--name", "x", "--contract", "perfect"],
        ["put", "-", "--name", "a//b"],
    ):
        here, there = locally(served, *line, "--json"), remotely(served, *line, "--json")
        assert (here.exit_code, here.stdout_bytes) == (there.exit_code, there.stdout_bytes), line
        assert here.stderr == there.stderr, line
    assert locally(served, "ls", "-l").stdout == remotely(served, "ls", "-l").stdout
    assert locally(served, "rm", "a/b").stderr == remotely(served, "rm", "a/b").stderr


def test_a_wrong_key_is_told(served: Served) -> None:
    result = run("--url", served.url, "--key", "lith_x_y", "ls", "--json")
    assert (result.exit_code, json.loads(result.stderr)["error"]["code"]) == (2, "unauthenticated")


def test_upkeep_is_queued_on_the_server(served: Served) -> None:
    [line] = remotely(served, "sweep", "--detach", "--json").stdout.splitlines()
    assert json.loads(line)["state"] == "waiting"


@pytest.mark.parametrize("environment", [{}, {"LITHIFY_KEY": ""}])
def test_who_has_no_key_is_told_where_to_put_one(served: Served, environment: dict[str, str]) -> None:
    result = run("ls", environment={"LITHIFY_URL": served.url, **environment})
    assert 2 == result.exit_code
    assert "set LITHIFY_KEY" in result.stderr
