"""PyAV, silent: what ffmpeg's libraries would print about strange bytes is nothing anybody asked for."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

from lithify.errors import MissingExtra


def libav() -> ModuleType:
    """The module `av`, loaded where it is needed first. Raises MissingExtra if it is not there."""
    try:
        import av
        import av.logging
    except ModuleNotFoundError as error:
        raise MissingExtra("moving pictures need the extra media: pip install 'lithify[media]'") from error

    av.logging.set_level(None)
    return av


@contextmanager
def in_turn() -> Iterator[None]:
    """Open an encoder here: where it may, as root, SVT-AV1 gives whoever calls it and all its own threads real-time
    priority, and no other process gets a processor then. They wait in turn again, and so do those that are forked.
    """
    policy, priority = os.sched_getscheduler(0), os.sched_getparam(0)
    try:
        yield
    finally:
        if os.sched_getscheduler(0) != policy:
            for thread in _threads():
                os.sched_setscheduler(thread, policy, priority)


def _threads() -> list[int]:
    """Those of this process; where none can be looked up, the one that asks."""
    try:
        return [int(thread.name) for thread in Path("/proc/self/task").iterdir()]
    except OSError:
        return [0]
