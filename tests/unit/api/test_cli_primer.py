"""Primers on the command line: made, shown, taken along, given to pack and unpack, and missed by name."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lithify import limits
from lithify.codecs.frame.primers import digest_of
from tests import primed_codec
from tests.primed_codec import ID, MAGIC, daily_log
from tests.unit.api.running import run


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LITHIFY_ARCHIVE", str(tmp_path / "archive"))
    for day in range(1, 5):
        Path(f"{day}.log").write_bytes(daily_log(day))
    with primed_codec.installed(tmp_path / "site"):
        yield


def answer(*args: str) -> dict[str, Any]:
    result = run(*args, "--json")
    assert result.exit_code == 0, result.stderr
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def refused(*args: str) -> tuple[int, str]:
    result = run(*args)
    return result.exit_code, result.stderr


@pytest.fixture
def primer() -> Path:
    answer("primer", "make", "1.log", "2.log", "-o", "web.primer", "--codec", ID)
    return Path("web.primer")


@pytest.fixture
def frame(primer: Path) -> Path:
    answer("pack", "3.log", "--codec", ID, "--primer", str(primer))
    return Path("3.log.lith")


def test_a_primer_is_made_of_files() -> None:
    made = answer("primer", "make", "1.log", "2.log", "-o", "web.primer", "--codec", ID)
    written = Path("web.primer").read_bytes()
    assert (digest_of(written), ID, 2, len(written)) == (
        made["primer"],
        made["codec"],
        made["samples"],
        made["primer_bytes"],
    )


def test_what_teaches_nothing_makes_no_primer() -> None:
    Path("empty").touch()
    assert 2 == refused("primer", "make", "empty", "-o", "web.primer")[0]
    code, said = refused("primer", "make", "1.log", "-o", "web.primer", "--codec", "raw.zstd")
    assert (2, True) == (code, "raw.zstd has no use for a primer" in said)
    assert not Path("web.primer").exists()


def test_pack_is_smaller_with_a_primer_and_says_that_it_is_needed(primer: Path) -> None:
    without = answer("pack", "3.log", "--codec", ID, "-o", "without.lith")
    found = answer("pack", "3.log", "--codec", ID, "--primer", str(primer))
    assert None is without["primer"]
    assert digest_of(primer.read_bytes()) == found["primer"]
    assert found["packed_bytes"] < 0.7 * without["packed_bytes"]
    assert f"needs primer {found['primer']}" in run("pack", "4.log", "--codec", ID, "--primer", str(primer)).stdout


def test_info_shows_the_primer_that_a_frame_needs(primer: Path, frame: Path) -> None:
    digest = digest_of(primer.read_bytes())
    assert [digest] == answer("info", str(frame))["primers"]
    assert digest in run("info", str(frame)).stdout
    answer("pack", "3.log", "--codec", "raw.zstd", "-o", "plain.lith")
    assert [] == answer("info", "plain.lith")["primers"]


@pytest.mark.parametrize("given", [("web.primer",), (".",), ("1.log", "web.primer"), ("site", ".")])
def test_unpack_finds_the_primer_among_files_and_folders(frame: Path, given: tuple[str, ...]) -> None:
    options = [option for path in given for option in ("--primer", path)]
    answer("unpack", str(frame), "-o", "back.log", *options)
    assert daily_log(3) == Path("back.log").read_bytes()


def test_unpack_names_the_primer_that_is_missing(primer: Path, frame: Path) -> None:
    digest = digest_of(primer.read_bytes())
    code, said = refused("unpack", str(frame), "-o", "back.log")
    assert (3, True) == (code, f"the frame needs primer {digest}; give the file with --primer" in said)
    Path("cut.primer").write_bytes(primer.read_bytes()[:-1])
    Path("other.primer").write_bytes(MAGIC + daily_log(9))
    code, said = refused("unpack", str(frame), "-o", "back.log", "--primer", "cut.primer", "--primer", "other.primer")
    assert (3, True, True) == (code, f"needs primer {digest}" in said, "other.primer is " in said)
    assert not Path("back.log").exists()


def test_files_that_can_be_no_primer_are_refused(frame: Path) -> None:
    with Path("huge").open("wb") as file:
        file.truncate(limits.PRIMER_BYTES_MAX + 1)
    code, said = refused("unpack", str(frame), "-o", "back.log", "--primer", "huge")
    assert (3, True) == (code, "a primer has at most" in said)
    assert 2 == refused("unpack", str(frame), "-o", "back.log", "--primer", "nowhere")[0]
    assert 2 == refused("pack", "3.log", "-o", "x.lith", "--primer", "/dev/zero")[0]
    assert 2 == refused("pack", "3.log", "-o", "x.lith", "--primer", ".")[0]


def test_pack_refuses_a_primer_that_cannot_be_used(primer: Path) -> None:
    code, said = refused("pack", "3.log", "-o", "x.lith", "--codec", ID, "--primer", "1.log")
    assert (2, True) == (code, "the primer that was given cannot be used: this is no primer" in said)
    code, said = refused("pack", "3.log", "-o", "x.lith", "--codec", "raw.zstd", "--primer", str(primer))
    assert (2, True) == (code, "no codec that runs on this takes a primer" in said)
    assert not Path("x.lith").exists()


def test_a_primer_that_does_not_help_is_not_needed(primer: Path) -> None:
    Path("short").write_bytes(b"x")
    assert None is answer("pack", "short", "--primer", str(primer), "--codec", ID)["primer"]
    answer("unpack", "short.lith", "-o", "back")


def test_a_collections_primer_is_shown_and_exported() -> None:
    assert 2 == refused("primer", "show", "web")[0]
    answer("policy", "set", "web", "--codec", ID)
    for day in (1, 2, 3):
        run("put", f"{day}.log", "--to", "web", "--wait")
        run("work", "--until-idle")
    shown = answer("primer", "show", "web")
    assert ("web", ID, 2) == (shown["collection"], shown["codec"], shown["objects"])
    answer("primer", "export", "web", "-o", "web.primer")
    assert shown["digest"] == digest_of(Path("web.primer").read_bytes())
    answer("primer", "export", "web/3.log", "-o", "3.primer")
    assert Path("web.primer").read_bytes() == Path("3.primer").read_bytes()
    code, said = refused("primer", "export", "web/1.log", "-o", "1.primer")
    assert (2, True) == (code, "web/1.log needs no primer" in said)
    found = json.loads(run("stat", "web/3.log", "--json").stdout)
    assert shown["digest"] == found["encodings"][-1]["primer"]


def test_primers_of_an_archive_are_asked_for_where_it_lies() -> None:
    code, said = refused("--url", "http://127.0.0.1:1", "primer", "show", "web")
    assert (2, True) == (code, "works on a local archive only" in said)
