"""pack, unpack and info: one file and one frame, with no archive anywhere near."""

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import pytest

from lithify.api.commands.files import tell_form
from lithify.api.commands.session import Session
from lithify.errors import BadBytes
from tests.unit.api.running import run

TEXT = b"".join(b"2026-11-21 01:15:%02d host-%d accepted connection\n" % (i % 60, i % 7) for i in range(2000))
KEYS = {
    "name",
    "original_bytes",
    "packed_bytes",
    "ratio",
    "codec",
    "format",
    "contract",
    "fidelity",
    "encode_seconds",
    "decode_seconds",
    "sha256",
}


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LITHIFY_ARCHIVE", str(tmp_path / "archive"))
    Path("a.log").write_bytes(TEXT)


def packed(*options: str) -> dict[str, Any]:
    """What `pack a.log --json` says."""
    result = run("pack", "a.log", "--effort", "fast", *options, "--json")
    assert result.exit_code == 0, result.stderr
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def test_a_file_is_packed_described_and_unpacked() -> None:
    found = packed()
    assert found.keys() >= KEYS
    assert (found["name"], found["original_bytes"], found["contract"]) == ("a.log", len(TEXT), "exact")
    assert found["packed_bytes"] == Path("a.log.lith").stat().st_size < len(TEXT)
    assert found["sha256"] == hashlib.sha256(TEXT).hexdigest()

    about = json.loads(run("info", "a.log.lith", "--json").stdout)
    assert (about["sha256"], about["packed_bytes"]) == (found["sha256"], found["packed_bytes"])
    said = run("info", "a.log.lith").stdout
    assert "sha256" in said
    assert "primers          none\n" in said

    Path("a.log").unlink()
    assert run("unpack", "a.log.lith").exit_code == 0
    assert Path("a.log").read_bytes() == TEXT
    assert not Path("archive").exists()


def test_both_ends_may_be_pipes() -> None:
    frame = run("pack", "-", "--effort", "fast", stdin=TEXT)
    assert (frame.exit_code, frame.stderr) == (0, "")
    assert run("unpack", "-", stdin=frame.stdout_bytes).stdout_bytes == TEXT
    assert json.loads(run("info", "-", "--json", stdin=frame.stdout_bytes).stdout)["original_bytes"] == len(TEXT)


def test_what_is_there_is_replaced_only_by_force() -> None:
    Path("a.log.lith").write_bytes(b"mine")
    assert run("pack", "a.log", "--effort", "fast").exit_code == 2
    assert Path("a.log.lith").read_bytes() == b"mine"
    packed("--force")
    assert run("unpack", "a.log.lith").exit_code == 2
    assert run("unpack", "a.log.lith", "--force").exit_code == 0


def test_one_codec_can_be_asked_for() -> None:
    assert packed("--codec", "raw.zstd")["codec"] == "raw.zstd"
    result = run("pack", "a.log", "-o", "b.lith", "--codec", "raw.nonsense")
    assert (result.exit_code, "raw.zstd" in result.stderr) == (2, True)
    assert not Path("b.lith").exists()


def test_an_empty_file_comes_back_empty() -> None:
    Path("empty").write_bytes(b"")
    assert run("pack", "empty").exit_code == 0
    assert run("unpack", "empty.lith", "-o", "back").exit_code == 0
    assert Path("back").read_bytes() == b""


def test_without_the_ending_it_must_be_said_where_to_unpack() -> None:
    packed("-o", "frame")
    assert run("unpack", "frame").exit_code == 2
    assert run("unpack", "frame", "-o", "back").exit_code == 0


@pytest.fixture(scope="module")
def frame(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """What TEXT is packed to."""
    path = tmp_path_factory.mktemp("packed") / "a.log"
    path.write_bytes(TEXT)
    assert run("pack", str(path), "--effort", "fast").exit_code == 0
    return path.with_name("a.log.lith").read_bytes()


@pytest.mark.parametrize("damage", ["empty", "garbage", "cut", "flipped", "longer", "the original"])
def test_a_frame_that_is_none_is_refused_and_leaves_nothing(frame: bytes, damage: str) -> None:
    middle = len(frame) // 2
    Path("bad.lith").write_bytes(
        {
            "empty": b"",
            "garbage": os.urandom(5000),
            "cut": frame[:-10],
            "flipped": frame[:middle] + bytes([frame[middle] ^ 1]) + frame[middle + 1 :],
            "longer": frame + b"x",
            "the original": TEXT,
        }[damage]
    )
    result = run("unpack", "bad.lith", "-o", "back")
    assert result.exit_code == BadBytes.exit_code
    assert result.stderr.startswith("lithify: ")
    assert result.stderr.count("\n") == 1
    assert not Path("back").exists()


def test_pack_tells_no_contents_where_the_frame_goes(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_bytes(TEXT)
    result = run("pack", str(tmp_path / "a.log"), "-o", "-", "--contents")
    assert 2 == result.exit_code
    assert "--contents is told where the frame would go" in result.stderr
    assert "" == result.stdout


def test_what_is_wrong_with_a_frame_is_told_with_its_name() -> None:
    packed()
    Path("cut.lith").write_bytes(Path("a.log.lith").read_bytes()[:-9])
    for verb in (["info", "cut.lith"], ["unpack", "cut.lith"], ["unpack", "cut.lith", "--slice", "0=3", "-o", "x.npy"]):
        result = run(*verb)
        assert (3, True) == (result.exit_code, result.stderr.startswith("lithify: cut.lith: ")), result.stderr
    assert "lithify: a.log: not a lithify frame" in run("info", "a.log").stderr
    nothing = run("unpack", "a.log.lith", "--slice", "0=3", "-o", "x.npy")
    assert (2, "lithify: there is nothing to slice: no file of arrays\n") == (nothing.exit_code, nothing.stderr)


def test_a_folder_is_no_file_to_pack() -> None:
    Path("some.zarr").mkdir()
    result = run("pack", "some.zarr")
    assert (2, True) == (result.exit_code, "some.zarr is a folder" in result.stderr)


def test_nothing_is_packed_by_no_codec() -> None:
    Path("empty").touch()
    assert "empty: 0 B -> 52 B (1.00x), exact, packed in" in run("pack", "empty").stdout


def test_a_name_that_says_no_form_contradicts_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    session = Session()
    tell_form(session, tmp_path / "a.bin", "image/png")
    tell_form(session, tmp_path / "a.png", "image/png")
    assert "" == capsys.readouterr().err
    tell_form(session, tmp_path / "a.jpg", "image/png")
    assert "a.jpg has become image/png, and its name says image/jpeg" in capsys.readouterr().err
