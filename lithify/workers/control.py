"""Control: how a running job learns that it should stop, and tells how far it is."""

import threading
import time

from lithify import limits
from lithify.errors import Cancelled, Fenced
from lithify.workers.queue import Claim, Queue, Renewal


class Control:
    """The strings of one running job; the heartbeat thread pulls them, the job looks at them."""

    def __init__(self, queue: Queue, claim: Claim, stop: threading.Event) -> None:
        self._queue = queue
        self.claim = claim
        self._stop = stop
        self._cancelled = False
        self._lost = False
        self._told_at = time.monotonic()

    @property
    def stopping(self) -> bool:
        """Whether the whole worker is ending, rather than this job being cancelled."""
        return self._stop.is_set() and not self._cancelled

    def learn(self, renewal: Renewal) -> None:
        """Take in what the heartbeat found out."""
        self._lost = not renewal.held
        self._cancelled = renewal.cancel_requested

    def check(self) -> None:
        """Raise Fenced or Cancelled when there is no point in going on."""
        if self._lost:
            raise Fenced(f"job {self.claim.id} was taken over by another worker")
        if self._cancelled:
            raise Cancelled(f"job {self.claim.id} was cancelled")
        if self._stop.is_set():
            raise Cancelled(f"job {self.claim.id} is handed back: the worker is stopping")

    def progress(self, fraction: float) -> None:
        """Tell how far the job is (0 to 1), at most every second; raises like `check`."""
        self.check()
        if time.monotonic() - self._told_at >= 2 * limits.POLL_SECONDS:
            self._told_at = time.monotonic()
            self._queue.progress(self.claim, fraction)
