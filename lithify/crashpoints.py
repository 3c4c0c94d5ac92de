"""The named places where a test may kill this process with SIGKILL; free when none is armed.

`crashpoint("publish.before_swap")` does nothing unless LITHIFY_CRASHPOINT names it, as `NAME` or `NAME:N` for the
N-th time it is reached. tests/crash arms them one after another and checks that no receipt is ever lost.
"""

import os
import signal
import threading

STEPS: dict[str, str] = {
    "ingest.stage": "the staging file is made",
    "ingest.stream": "a block of the body is hashed and compressed",
    "ingest.digest": "the announced digest is compared",
    "append.copy": "the frame that is there is copied, to go on behind it",
    "append.retire": "what was appended before makes way for the revision that begins with it",
    "append.drop": "the file of such a revision is removed",
    "blob.fsync": "a blob's own file is flushed",
    "blob.rename": "a blob's own file gets its name",
    "blob.fsync_directory": "the directory holding that name is flushed",
    "pack.append": "small blobs and records are written to a pack",
    "pack.fsync": "the pack is flushed",
    "commit.insert": "rows are written in the open transaction",
    "commit.commit": "the transaction is committed",
    "commit.reply": "waiting callers get their answer",
    "work.claim": "a worker takes a job",
    "work.route": "the route is chosen",
    "work.encode": "a codec writes the new frame",
    "work.verify": "the frame is read back and decoded in a second process",
    "publish.swap": "the new encoding becomes current",
    "publish.finish": "the job is closed",
    "delete.row": "the name is removed from the catalog",
    "delete.record": "the tombstone is written",
    "sweep.condemn": "an unreferenced blob is marked",
    "sweep.unlink": "its file is removed",
    "sweep.repack": "the living part of a pack is moved",
    "sweep.drop_pack": "the old pack is removed",
    "scrub.read": "a blob is read and hashed",
    "scrub.record": "the finding is written down",
    "schedule.fire": "a due schedule becomes a job",
    "rebuild.replay": "records are replayed into a new catalog",
    "rebuild.swap": "the new catalog takes the old one's name",
    "migrate.apply": "a migration runs",
}

NAMES: tuple[str, ...] = tuple(
    name
    for step in STEPS
    for room, what in [step.split(".")]
    for name in (f"{room}.before_{what}", f"{room}.after_{what}")
)

_armed, _, _count = os.environ.get("LITHIFY_CRASHPOINT", "").partition(":")
_left = int(_count or 1)
_lock = threading.Lock()


def crashpoint(name: str) -> None:
    """Die here, at once and without cleaning up, if a test armed this name."""
    if name == _armed:
        _hit(name)


def _hit(name: str) -> None:
    global _left  # noqa: PLW0603 - the countdown belongs to the process, like the kill
    assert name in NAMES, f"crash point {name!r} is not listed in crashpoints.STEPS"
    with _lock:
        _left -= 1
        if _left <= 0:
            os.kill(os.getpid(), signal.SIGKILL)
