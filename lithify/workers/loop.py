"""The worker: claim, run, report; survives whatever the sandbox did.

Some threads run jobs side by side (the codecs themselves run in the sandbox's children), one renews their leases, one
fires schedules. A worker that is told to stop finishes or hands back what it holds.
"""

import os
import socket
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from lithify import limits
from lithify.errors import Cancelled, CodecCrashed, Fenced, LithifyError, NotNow, StoreUnavailable
from lithify.store.put import MODELS_QUEUE, encode_kind
from lithify.store.unserved import unsettled
from lithify.store.views import Unsettled
from lithify.workers import schedule, teach
from lithify.workers.control import Control
from lithify.workers.encode import encode_revision
from lithify.workers.encode_small import encode_batch
from lithify.workers.log import log
from lithify.workers.queue import Claim
from lithify.workers.reencode import reencode
from lithify.workers.retention import retire
from lithify.workers.scrub import scrub
from lithify.workers.settling import wait_until_settled
from lithify.workers.sweep import sweep

if TYPE_CHECKING:
    from lithify.workers.archive import Archive

SMALL = encode_kind(0)
LARGE = encode_kind(limits.SMALL_BYTES + 1)
QUEUES = ("logs", "text", "arrays", "media", "general", MODELS_QUEUE, schedule.QUEUE)

Upkeep = Callable[["Archive", Control, dict[str, Any]], dict[str, Any]]

_UPKEEP: dict[str, Upkeep] = {
    "scrub": lambda archive, control, args: scrub(archive, on_progress=control.progress, **args),
    "sweep": lambda archive, control, args: sweep(archive, **args),
    "reencode": lambda archive, control, args: reencode(archive, **args),
    "retention": lambda archive, control, args: retire(archive, **args),
    "report": lambda archive, control, args: archive.report().as_json(),
    teach.JOB: lambda archive, control, args: teach.teach(archive, control, **args),
}


class Worker:
    """One process's share of the work on an archive."""

    def __init__(self, archive: "Archive", queues: Sequence[str] = QUEUES, slots: int = 1) -> None:
        self._archive = archive
        self._queues = tuple(queues)
        self._slots = slots
        self._name = f"{socket.gethostname()}:{os.getpid()}"
        self._stop = threading.Event()
        self._held: set[Control] = set()
        self._lock = threading.Lock()

    def stop(self) -> None:
        """Ask the worker to end; jobs that can stop soon do, the rest are handed back."""
        self._stop.set()

    def run(self, *, until_idle: bool = False) -> None:
        """Work until `stop`, or until nothing is left to do now."""
        helpers = [threading.Thread(target=self._beat, name="heartbeat", daemon=True)]
        if not until_idle:
            helpers.append(threading.Thread(target=self._fire, name="schedules", daemon=True))
        slots = [
            threading.Thread(target=self._work, args=(until_idle,), name=f"slot-{number}", daemon=True)
            for number in range(self._slots)
        ]
        for gap in self._archive.sandbox.gaps:
            log("worker").warning("sandbox_gap", gap=gap)
        for thread in (*helpers, *slots):
            thread.start()
        _join(slots)
        self._stop.set()
        _join(helpers)

    def run_until_settled(
        self,
        revisions: Sequence[str],
        *,
        timeout: float | None = None,
        on_progress: Callable[[int, int], None] | None = None,
    ) -> None:
        """Work until every job of these revisions has ended. Raises TimedOut, Unserved, StoreUnavailable."""
        slots = threading.Thread(target=self.run, name="worker", daemon=True)

        def ask() -> Unsettled:
            if not slots.is_alive():
                raise StoreUnavailable(self._archive.failure or "the worker was told to end")
            with self._archive.catalog.reading() as connection:
                return unsettled(connection, revisions)

        slots.start()
        try:
            wait_until_settled(
                ask,
                len(revisions),
                pause_seconds=limits.POLL_SECONDS / 5,
                timeout=timeout,
                on_progress=on_progress,
            )
        finally:
            self.stop()
            slots.join()

    # --- threads ----------------------------------------------------------------------------------------

    def _work(self, until_idle: bool) -> None:
        while not self._stop.is_set() and self._archive.failure is None:
            try:
                claims = self._claim()
            except NotNow as error:
                log("worker").warning("claim_failed", code=error.code)
                self._stop.wait(limits.POLL_SECONDS)
                continue
            if claims:
                self._perform(claims)
            elif until_idle and not self._held:
                return
            else:
                self._stop.wait(limits.POLL_SECONDS / 10 if until_idle else limits.POLL_SECONDS)

    def _claim(self) -> list[Claim]:
        """One job; or, when it is a small one, others of its kind with it, since they share one commit."""
        queue, models = self._archive.queue, set[str]()
        if MODELS_QUEUE in self._queues:
            models = {model for model in queue.models_needed() if self._archive.models.has(model)}
        return queue.claim(self._queues, self._name, together={SMALL: limits.SMALL_BATCH}, models=models)

    def _perform(self, claims: list[Claim]) -> None:
        controls = [Control(self._archive.queue, claim, self._stop) for claim in claims]
        with self._lock:
            self._held.update(controls)
        try:
            if claims[0].kind == SMALL:
                encode_batch(self._archive, controls, self._settle)
            else:
                self._settle(controls[0], lambda: self._run_one(controls[0]))
        finally:
            with self._lock:
                self._held.difference_update(controls)

    def _run_one(self, control: Control) -> None:
        claim = control.claim
        if claim.kind == LARGE:
            encode_revision(self._archive, control)
            return
        result = _UPKEEP[claim.kind](self._archive, control, claim.args)
        with self._archive.catalog.writing() as connection:
            self._archive.queue.finish(connection, claim, result)

    def _settle(self, control: Control, work: Callable[[], object]) -> None:
        """Run a job's work and write down how it ended, whatever happened: the only place that catches everything."""
        claim = control.claim
        started = time.monotonic()
        try:
            work()
            log("worker").info("job_done", job=claim.id, kind=claim.kind, seconds=round(time.monotonic() - started, 3))
        except Fenced:
            log("worker").info("job_fenced", job=claim.id, kind=claim.kind)
        except Exception as error:  # noqa: BLE001 - a job may fail in any way; the worker must not
            self._report(control, error)

    def _report(self, control: Control, error: Exception) -> None:
        claim = control.claim
        known = error if isinstance(error, LithifyError) else LithifyError(f"{type(error).__name__}: {error}")
        # a worker that is ending closes its sandbox under the codecs' feet; that is no fault of the job
        handing_back = control.stopping and isinstance(error, Cancelled | CodecCrashed)
        with suppress(Fenced, NotNow):  # the lease ends by itself, and another worker takes over
            if handing_back:
                log("worker").info("job_handed_back", job=claim.id, kind=claim.kind)
                self._archive.queue.release(claim)
            else:
                log("worker").warning("job_failed", job=claim.id, kind=claim.kind, tries=claim.tries, code=known.code)
                self._archive.queue.fail(claim, known)

    def _beat(self) -> None:
        while not self._stop.wait(limits.HEARTBEAT_SECONDS) or self._held:
            with self._lock:
                held = list(self._held)
            with suppress(NotNow):  # a missed beat is made up by the next; the lease bears three
                renewals = self._archive.queue.renew_all([control.claim for control in held])
                for control, renewal in zip(held, renewals, strict=True):
                    control.learn(renewal)
            if self._stop.is_set():
                time.sleep(limits.POLL_SECONDS)

    def _fire(self) -> None:
        while not self._stop.is_set():
            with suppress(NotNow):
                schedule.fire_due(self._archive.queue)
            self._stop.wait(10 * limits.POLL_SECONDS)


def _join(threads: Sequence[threading.Thread]) -> None:
    """Wait for them, looking up now and then: a signal that another thread caught does not wake a join for good."""
    for thread in threads:
        while thread.is_alive():
            thread.join(limits.POLL_SECONDS)
