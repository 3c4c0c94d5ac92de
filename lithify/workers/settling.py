"""Waiting until the jobs of revisions have ended: the same for who works on them and for who asks a server."""

import time
from collections.abc import Callable

from lithify import limits
from lithify.errors import TimedOut, Unserved
from lithify.store.views import Unsettled


def wait_until_settled(
    ask: Callable[[], Unsettled],
    total: int,
    *,
    pause_seconds: float,
    timeout: float | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> None:
    """Ask until nothing of `total` revisions is left; `on_progress(done, all)`.

    Raises TimedOut, and Unserved once nobody was about to take what is left for UNSERVED_SECONDS on end.
    """
    started = served_at = time.monotonic()
    while (found := ask()).unsettled:
        if on_progress is not None:
            on_progress(total - found.unsettled, total)
        now = time.monotonic()
        if timeout is not None and now > started + timeout:
            raise TimedOut(f"{found.unsettled} of {total} objects are not settled after {timeout:g} s")
        if not found.unserved:
            served_at = now
        elif now > served_at + limits.UNSERVED_SECONDS:
            raise Unserved(_unserved(found, total))
        time.sleep(pause_seconds)
    if on_progress is not None:
        on_progress(total, total)


def _unserved(found: Unsettled, total: int) -> str:
    lanes = "; ".join(
        f"queue {lane.queue}" + (f", language model {lane.model}" if lane.model else "") for lane in found.unserved
    )
    return (
        f"no worker has taken the jobs of {found.unsettled} of {total} objects for {limits.UNSERVED_SECONDS:g} s "
        f"({lanes}); they are safe as they came, and the jobs wait"
    )
