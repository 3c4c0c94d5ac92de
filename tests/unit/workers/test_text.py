"""Texts in an archive: mixed where there is time for it, primed by their collection, and why not where they are not."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from lithify import limits
from lithify.workers.archive import Archive
from lithify.workers.check import check_archive
from lithify.workers.loop import Worker
from tests.unit.codecs.test_text_suite import ticket
from tests.unit.codecs.text.corpus import PROSE
from tests.unit.workers.conftest import Opening

ID = "text.mixing"


@pytest.fixture
def archive(tmp_path: Path, opening: Opening) -> Iterator[Archive]:
    with opening(tmp_path / "archive", grace_seconds=0) as opened:
        yield opened


def put(archive: Archive, name: str, text: bytes) -> None:
    archive.put("tickets", name, [text])
    Worker(archive).run(until_idle=True)
    assert [] == [(job.kind, job.error) for job in archive.jobs() if job.state != "done"]


def get(archive: Archive, name: str) -> bytes:
    with archive.get("tickets", name) as content:
        return b"".join(content)


def test_texts_of_a_collection_teach_the_next_one(archive: Archive) -> None:
    texts = {f"{number}.txt": b"".join(map(ticket, range(9 * number, 9 * number + 9))) for number in range(3)}
    for name, text in texts.items():
        put(archive, name, text)
    first, _, third = (archive.stat("tickets", name) for name in texts)

    assert [ID, ID] == [first.encodings[-1].codec, third.encodings[-1].codec]
    assert first.encodings[-1].primer is None
    assert third.encodings[-1].primer == archive.primer("tickets").digest
    assert third.stored_bytes < 0.9 * first.stored_bytes
    assert texts == {name: get(archive, name) for name in texts}
    assert () == check_archive(archive, read_data=True).findings


def test_a_log_among_texts_is_not_primed_by_them(archive: Archive) -> None:
    for number in range(2):
        put(archive, f"{number}.txt", b"".join(map(ticket, range(9))) + bytes([65 + number]))
    log = b"".join(
        b"2026-11-21 01:15:%02d storage[%d]: settled block %d\n" % (n % 60, n % 7, n * n) for n in range(900)
    )
    put(archive, "storage.log", log)

    found = archive.stat("tickets", "storage.log").encodings[-1]
    assert found.primer is None
    assert log == get(archive, "storage.log")


def test_a_text_is_not_mixed_at_effort_fast_and_the_route_says_why(tmp_path: Path) -> None:
    text = b"".join(PROSE.replace(b"sand", b"%d" % number) for number in range(2 * limits.SMALL_BYTES // len(PROSE)))
    with Archive(tmp_path / "archive", effort="fast") as archive:
        put(archive, "long.txt", text)
        route = archive.stat("tickets", "long.txt").encodings[-1].route
        (mixing,) = [candidate for candidate in route["candidates"] if candidate["codec"] == ID]
        assert mixing["verdict"].startswith("not run: it is slow")
        assert text == get(archive, "long.txt")


def test_a_short_log_is_kept_as_a_text_where_that_is_smaller(archive: Archive) -> None:
    log = b"".join(b"2026-11-21 01:15:%02d storage[%d]: settled block %d\n" % (n, n % 7, n * n) for n in range(24))
    put(archive, "storage.log", log)

    assert ID == archive.stat("tickets", "storage.log").encodings[-1].codec
    assert log == get(archive, "storage.log")
