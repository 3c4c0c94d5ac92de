"""Language models on the command line: given to pack and unpack, in a folder or as a file, and missed by name."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from tests.unit.api.running import run
from tests.unit.codecs.text.corpus import PROSE
from tests.unit.codecs.text.lm.folders import byte_level, small_file, write_folder


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LITHIFY_MODELS", raising=False)
    write_folder(Path("llama"), byte_level())
    Path("models").mkdir()
    Path("text.md").write_bytes(PROSE * 4)


def answer(*args: str) -> dict[str, Any]:
    result = run(*args, "--json")
    assert result.exit_code == 0, result.stderr
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def digest() -> str:
    return hashlib.sha256(small_file()).hexdigest()


def test_a_folder_becomes_a_file_that_is_known_by_its_sha_256() -> None:
    made = answer("model", "convert", "llama", "-o", "models/small.lithlm")
    assert (digest(), len(small_file())) == (made["model"], made["packed_bytes"])
    assert small_file() == Path("models/small.lithlm").read_bytes()


def test_a_text_is_told_by_a_model_and_needs_it_to_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("models/small.lithlm").write_bytes(small_file())
    packed = answer("pack", "text.md", "--model", "llama", "--codec", "text.lm")
    assert ("text.lm", digest()) == (packed["codec"], packed["model"])
    assert [digest()] == answer("info", "text.md.lith")["models"]

    Path("text.md").unlink()
    missed = run("unpack", "text.md.lith")
    assert (3, True) == (missed.exit_code, digest() in missed.stderr)
    for place in ("llama", "models", "models/small.lithlm"):
        answer("unpack", "text.md.lith", "--force", "--model", place)
        assert PROSE * 4 == Path("text.md").read_bytes()
    monkeypatch.setenv("LITHIFY_MODELS", "models")
    answer("unpack", "text.md.lith", "--force")


def test_a_frame_that_a_model_told_is_searched_and_weighed(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("models/small.lithlm").write_bytes(small_file())
    answer("pack", "text.md", "--model", "llama", "--codec", "text.lm")
    for verb in (("grep", "-c", "the"), ("surprise", "--lines", "3")):
        missed = run(*verb, "--file", "text.md.lith")
        assert digest() in missed.stderr
        given = run(*verb, "--file", "text.md.lith", "--model", "models")
        assert (0, "") == (given.exit_code, given.stderr)
        monkeypatch.setenv("LITHIFY_MODELS", "models")
        assert given.stdout == run(*verb, "--file", "text.md.lith").stdout
        monkeypatch.delenv("LITHIFY_MODELS")
    assert 2 == run("surprise", "default/text.md", "--model", "llama").exit_code


def test_an_object_is_told_by_a_model_that_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LITHIFY_ARCHIVE", "archive")
    refused = run("put", "text.md", "--model", "small")
    assert (2, True) == (refused.exit_code, "LITHIFY_MODELS is not set" in refused.stderr), refused.stderr
    Path("models/small.lithlm").write_bytes(small_file())
    monkeypatch.setenv("LITHIFY_MODELS", "models")
    answer("policy", "set", "default", "--codec", "text.lm", "--effort", "fast")
    told = answer("put", "text.md", "--model", "small", "--wait")
    assert (digest(), "text.md") == (told["model"], told["name"])
    assert digest() in run("stat", "default/text.md").stdout
    later = run("put", "text.md", "--name", "later", "--model", "f" * 64)
    assert (0, True) == (later.exit_code, f"it needs the language model {'f' * 64}, which is not in" in later.stderr)
    assert PROSE * 4 == run("get", "default/text.md", "-o", "-").stdout_bytes
    (waits,) = (job for job in [answer("job", "show", "1")] if job["queue"] == "gpu")
    assert ({"model": digest()}, "done") == (waits["args"], waits["state"])


def test_a_collection_has_its_texts_told_by_a_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LITHIFY_ARCHIVE", "archive")
    monkeypatch.setenv("LITHIFY_MODELS", "models")
    Path("models/small.lithlm").write_bytes(small_file())
    assert digest() == answer("policy", "set", "books", "--model", "small")["model"]
    assert f"model          {digest()}" in run("policy", "show", "books").stdout
    put = answer("put", "text.md", "--to", "books")
    assert ("gpu", "waiting") == (answer("job", "show", str(put["job"]))["queue"], "waiting")
    assert answer("policy", "set", "books", "--model", "none")["model"] is None


def test_a_model_may_reckon_in_floating_point_if_it_is_asked_to_by_name() -> None:
    pytest.importorskip("torch", reason="torch is not installed")
    pytest.importorskip("transformers", reason="transformers is not installed")
    Path("text.md").write_bytes(PROSE)
    packed = answer("pack", "text.md", "--model", "llama", "--native", "--codec", "text.lm")
    assert ("text.lm", False) == (packed["codec"], packed["model"] in {None, digest()})
    assert "machine" in answer("info", "text.md.lith")["formats"][0]
    answer("unpack", "text.md.lith", "--force", "--model", "llama")
    assert PROSE == Path("text.md").read_bytes()


def test_native_is_for_models() -> None:
    result = run("pack", "text.md", "--native")
    assert (2, True) == (result.exit_code, "--model" in result.stderr)


def test_what_is_no_model_is_refused() -> None:
    for wrong, sentence in (("text.md", "no language model"), ("models", "config.json"), ("nowhere", "neither")):
        result = run("pack", "text.md", "--model", wrong)
        assert (2, True) == (result.exit_code, sentence in result.stderr), result.stderr


def test_the_codec_of_models_asks_for_one() -> None:
    result = run("pack", "text.md", "--codec", "text.lm")
    assert (2, True) == (result.exit_code, "--model" in result.stderr)


def test_a_model_file_is_described_and_proved() -> None:
    Path("models/small.lithlm").write_bytes(small_file())
    for place in ("models/small.lithlm", "llama"):
        found = answer("model", "info", place)
        assert (digest(), "text.lm", 300) == (found["digest"], found["codec"], found["vocabulary"])
        assert answer("model", "verify", place)["sound"]


def test_a_model_file_that_says_something_else_is_not_sound() -> None:
    data = bytearray(small_file())
    data[-700] ^= 1
    Path("models/small.lithlm").write_bytes(data)
    result = run("model", "verify", "models/small.lithlm")
    assert (3, True) == (result.exit_code, "on this machine" in result.stderr)
