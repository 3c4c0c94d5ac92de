"""A flush that fails is never tried again: no receipt, and the process ends, since what is durable is now unknown."""

import errno
import os
import threading
from pathlib import Path

import pytest

from lithify.api.server import listen, server
from lithify.errors import StoreUnavailable
from lithify.workers.archive import Archive
from lithify.workers.loop import Worker


@pytest.fixture
def broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Archive:
    """An archive whose disk has just failed a flush, and works again since."""
    archive = Archive(tmp_path / "archive")
    archive.put("c", "before", [b"kept"])

    def fail(fd: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with monkeypatch.context() as patched:
        patched.setattr(os, "fdatasync", fail)
        with pytest.raises(StoreUnavailable, match=r"flushing .* failed"):
            archive.put("c", "lost", [b"never promised"])
    return archive


def test_nothing_more_is_written_and_what_was_promised_is_still_read(broken: Archive, tmp_path: Path) -> None:
    with broken:
        with pytest.raises(StoreUnavailable):
            broken.put("c", "after", [b"refused"])
        with broken.get("c", "before") as content:
            assert b"kept" == b"".join(content)
    with Archive(tmp_path / "archive") as again:
        assert ["before"] == [view.name for view in again.list("c")]
        again.put("c", "after", [b"taken"])


def test_a_worker_ends(broken: Archive) -> None:
    with broken:
        worker = threading.Thread(target=Worker(broken).run)
        worker.start()
        worker.join(30)
        assert not worker.is_alive()


def test_a_server_ends(broken: Archive) -> None:
    with broken, listen("127.0.0.1", 0) as listener:
        serving = threading.Thread(target=server(broken, lambda: None).run, args=([listener],))
        serving.start()
        serving.join(30)
        assert not serving.is_alive()
