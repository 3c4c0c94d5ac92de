"""Surprising lines, likeness and models: asked of an archive, of a file, of an installation; within bounds."""

import json
import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from lithify import limits
from lithify.codecs.text import models
from lithify.errors import BadBytes, BadName, Conflict, NotFound, Unsound
from lithify.store.views import ObjectView
from lithify.workers import like as likeness
from lithify.workers.archive import Archive
from lithify.workers.models import model_facts, model_names, verify_model
from lithify.workers.pack import pack_file
from lithify.workers.surprise import file_surprise
from tests.unit.codecs.test_text_suite import ticket
from tests.unit.codecs.text.corpus import CODE, DOCS, FOREIGN, PROSE
from tests.unit.workers.conftest import Opening

LOG = [b"2026-11-21 01:15:%02d storage[7]: settled block %d\n" % (n % 60, 100 + n) for n in range(400)]
ODD = 300
LOG[ODD] = b"2026-11-21 01:15:00 storage[7]: checksum of block 17 is \xff wrong\r\n"
WHOLE = b"".join(LOG)


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory, opening: Opening) -> Iterator[Archive]:
    """One for all tests of this file."""
    with opening(tmp_path_factory.mktemp("weighed") / "archive", effort="fast") as opened:
        opened.put("logs", "a.log", [WHOLE])
        yield opened


# --- surprise ---------------------------------------------------------------------------------------------


def test_the_most_surprising_lines_are_told_first_with_where_they_are(archive: Archive) -> None:
    found = archive.surprise("logs", "a.log", lines=3)
    assert (len(WHOLE), len(WHOLE), len(LOG), 3) == (found.length, found.read_bytes, found.lines, len(found.items))
    odd = next(item for item in found.items if item.number == ODD + 1)
    assert WHOLE[odd.start : odd.start + odd.bytes] == LOG[ODD]
    assert LOG[ODD][:-2].decode("utf-8", "backslashreplace") == odd.text
    assert odd.bits == pytest.approx(odd.bytes * odd.bits_per_byte)
    assert models.ENGLISH.name == found.model
    assert found.bits < len(WHOLE)


@pytest.mark.parametrize("by", ["excess", "bits", "rate"])
def test_lines_are_told_by_what_was_asked_for(archive: Archive, by: str) -> None:
    found = archive.surprise("logs", "a.log", by=by)
    mean = found.bits / found.read_bytes
    of = {
        "bits": lambda item: item.bits,
        "rate": lambda item: item.bits_per_byte,
        "excess": lambda item: item.bits - item.bytes * mean,
    }
    assert list(range(1, 401)) == sorted(item.number for item in found.items)
    told = list(map(of[by], found.items))
    assert told == pytest.approx(sorted(told, reverse=True))
    assert found.bits == pytest.approx(sum(item.bits for item in found.items))


def test_stretches_are_all_of_the_text(archive: Archive) -> None:
    found = archive.surprise("logs", "a.log", lines=1)
    lengths = [min(found.stretch_bytes, len(WHOLE) - at) for at in range(0, len(WHOLE), found.stretch_bytes)]
    assert len(found.stretches) <= limits.WEIGHED_STRETCHES_MAX
    weighed = [rate * length for rate, length in zip(found.stretches, lengths, strict=True)]
    assert found.bits == pytest.approx(sum(weighed))


def test_of_a_long_object_the_beginning_is_weighed_and_that_is_said(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "WEIGHED_BYTES_MAX", 1000)
    found = archive.surprise("logs", "a.log")
    assert (1000, len(WHOLE), len(WHOLE[:1000].splitlines())) == (found.read_bytes, found.length, found.lines)


@pytest.mark.parametrize("data", [b"", b"\0", b"\n\n", random.Random(1).randbytes(5000), b"x" * 200_000])
def test_any_bytes_are_weighed(archive: Archive, data: bytes) -> None:
    archive.put("default", "any", [data])
    found = archive.surprise("default", "any")
    assert (len(data), data.count(b"\n") + (data[-1:] not in {b"", b"\n"})) == (found.read_bytes, found.lines)
    assert all(len(item.text) <= 4 * limits.LINE_SHOWN_BYTES for item in found.items)
    json.dumps(found.as_json(), allow_nan=False)


def test_what_is_not_there_does_not_surprise(archive: Archive) -> None:
    with pytest.raises(NotFound, match=r"default/nothing"):
        archive.surprise("default", "nothing")


def test_a_file_surprises_as_its_frame_and_its_object_do(archive: Archive, tmp_path: Path) -> None:
    (tmp_path / "a.log").write_bytes(WHOLE)
    with (tmp_path / "a.log").open("rb") as original, (tmp_path / "a.lith").open("w+b") as frame:
        pack_file(original, frame, effort="fast")
    found = [archive.surprise("logs", "a.log", lines=5)]
    for name in ("a.log", "a.lith"):
        with (tmp_path / name).open("rb") as file:
            found.append(file_surprise(file, name, by="excess", lines=5))
    assert ["a.log", "a.log", "a.lith"] == [one.name for one in found]
    assert len({(one.items, one.stretches, one.length, one.text_class) for one in found}) == 1


def test_a_broken_frame_is_named_and_not_weighed_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_bytes(WHOLE)
    with (tmp_path / "a.log").open("rb") as original, (tmp_path / "a.lith").open("w+b") as frame:
        pack_file(original, frame, effort="fast")
        frame.truncate(200)
        with pytest.raises(BadBytes):
            file_surprise(frame, "a.lith", by="excess", lines=5)


# --- like -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def letters(tmp_path_factory: pytest.TempPathFactory, opening: Opening) -> Iterator[Archive]:
    """Some tickets, one of them twice, and things that are none."""
    tickets = [b"".join(map(ticket, range(9 * number, 9 * number + 9))) for number in range(3)]
    others = {"prose.txt": PROSE, "docs.md": DOCS, "code.py": CODE, "de.txt": FOREIGN, "empty": b"", "copy": tickets[0]}
    with opening(tmp_path_factory.mktemp("letters") / "archive", effort="fast") as opened:
        for number, text in enumerate(tickets):
            opened.put("tickets", f"{number}.txt", [text])
        for name, data in {**others, "noise": random.Random(1).randbytes(3000)}.items():
            opened.put("others", name, [data])
        yield opened


def test_what_resembles_an_object_most_comes_first_and_it_is_not_itself(letters: Archive) -> None:
    found = letters.like("tickets", "0.txt")
    assert "copy" == found.items[0].name
    assert {"1.txt", "2.txt"} == {item.name for item in found.items[1:3]}
    told = [item.likeness for item in found.items]
    assert sorted(told, reverse=True) == told
    assert told[0] > 0.8
    assert told[-1] < 0.1 < told[2]
    assert found.items[0].shared == 1.0
    assert all(item.likeness == pytest.approx(1 - item.bits / found.bits) for item in found.items)
    assert (8, 8, 8) == (found.objects, found.read, found.measured)


def test_only_the_collection_that_is_named_is_looked_at(letters: Archive) -> None:
    found = letters.like("tickets", "0.txt", among="others", limit=2)
    assert {"others"} == {item.collection for item in found.items}
    assert (6, 6, 2) == (found.objects, found.measured, len(found.items))


def test_an_object_alone_resembles_nothing(letters: Archive) -> None:
    letters.put("alone", "a", [PROSE])
    assert ((), 0) == ((found := letters.like("alone", "a", among="alone")).items, found.objects)
    letters.remove("alone", "a")


def test_what_cannot_be_compared_is_refused(letters: Archive) -> None:
    with pytest.raises(Conflict, match=r"others/empty is empty"):
        letters.like("others", "empty")
    with pytest.raises(NotFound, match="no-such-place"):
        letters.like("tickets", "0.txt", among="no-such-place")
    with pytest.raises(BadName):
        letters.like("tickets", "0.txt", among="No Such")
    with pytest.raises(NotFound, match=r"tickets/9.txt"):
        letters.like("tickets", "9.txt")


def test_no_more_is_read_and_measured_than_is_allowed(letters: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "LIKE_READ_MAX", 4)
    monkeypatch.setattr(limits, "LIKE_MEASURED_MAX", 1)
    found = letters.like("tickets", "0.txt")
    assert (8, 4, 1) == (found.objects, found.read, found.measured)
    monkeypatch.setattr(limits, "LIKE_DECODED_BYTES", 1)
    assert 1 == letters.like("tickets", "0.txt").read


def test_an_object_that_cannot_be_read_is_left_out(letters: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    beginning = likeness._beginning

    def damaged(archive: Archive, view: ObjectView, bytes_max: int) -> bytes:
        if view.name == "1.txt":
            raise BadBytes("rot")
        return beginning(archive, view, bytes_max)

    monkeypatch.setattr(likeness, "_beginning", damaged)
    found = letters.like("tickets", "0.txt")
    assert (8, 7) == (found.objects, found.read)
    assert "1.txt" not in {item.name for item in found.items}


# --- models -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", models.MODELS)
def test_a_model_that_is_as_shipped_is_sound(model: models.Model) -> None:
    assert model.name in model_names()
    found = verify_model(model.name)
    assert (True, model.digest) == (found["sound"], found["digest"])
    assert model_facts(model.name)["packed_bytes"] == found["packed_bytes"]


def test_a_model_that_does_not_exist_is_refused_and_the_others_are_named() -> None:
    for ask in (verify_model, model_facts):
        with pytest.raises(NotFound, match=models.ENGLISH.name):
            ask("nothing")


@pytest.mark.parametrize("at", [0, 20, 100_000, -1])
@pytest.mark.parametrize("model", models.MODELS)
def test_a_model_that_is_damaged_is_unsound(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, model: models.Model, at: int
) -> None:
    packed = bytearray(model.path.read_bytes())
    packed[at] ^= 0x55
    (tmp_path / "model.bin").write_bytes(packed)
    moved = replace(model, path=tmp_path / "model.bin")
    monkeypatch.setattr("lithify.workers.models.MODELS", (moved,))
    with pytest.raises(Unsound, match=f"{model.role} of the text codec"):
        verify_model(moved.name)


def test_a_model_that_is_missing_is_unsound_and_still_listed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    gone = replace(models.ENGLISH, path=tmp_path / "gone.bin")
    monkeypatch.setattr("lithify.workers.models.MODELS", (gone,))
    assert model_facts(gone.name)["packed_bytes"] is None
    with pytest.raises(Unsound, match=r"gone\.bin"):
        verify_model(gone.name)
