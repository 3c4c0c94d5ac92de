"""`lithify put - --follow`: standard input goes behind an object in bounded steps, each of them one append.

What came is held until its receipt is here: a server that restarts, or is away for a while, costs nothing but waiting,
during which whoever writes to us waits too. A step is sent again under its key, so it is never appended twice; and each
asks for the object to be as the last one left it, so two of us never mix.
"""

import os
import select
import signal
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from types import FrameType
from typing import TYPE_CHECKING, Any, BinaryIO

from lithify import limits
from lithify.api.commands.session import Session
from lithify.errors import NotNow

if TYPE_CHECKING:
    from lithify.api.service import Service
    from lithify.store.views import Receipt

_AGAIN_SECONDS = 5.0


class Follower:
    """Standard input on its way to the end of one object."""

    def __init__(
        self, session: Session, service: "Service", collection: str, name: str, wishes: dict[str, Any]
    ) -> None:
        self._out = session.out
        self._seconds = session.settings.checkpoint_seconds
        self._service, self._collection, self._name, self._wishes = service, collection, name, wishes
        self._held = bytearray()
        self._over = False
        self._took_seconds = 0.0
        self._receipt: Receipt | None = None
        self.told_to_end = False
        """Whether a signal, rather than the end of the input, ended this."""

    def run(self, stream: BinaryIO) -> "Receipt":
        """Append until the input ends or a signal comes; gives the last receipt. Raises what an append raises."""
        with self._signals() as told:
            while not self._over:
                self._gather(stream.fileno(), told)
                if self._held or self._receipt is None:
                    self._append(self._next())
        assert self._receipt is not None, "even nothing is appended once"
        return self._receipt

    def _gather(self, descriptor: int, told: int) -> None:
        """Read until a step is worth making: enough came, something waits for long enough, or this is the end."""
        pause = max(self._seconds, limits.CHECKPOINT_PAUSE * self._took_seconds)
        due = time.monotonic() + pause if self._held else None
        while not self._over and len(self._held) < limits.CHECKPOINT_BYTES:
            left = None if due is None else due - time.monotonic()
            if left is not None and left <= 0:
                return
            ready, _, _ = select.select([descriptor, told], [], [], left)
            if self.told_to_end:
                self._over = True
            elif descriptor in ready:
                block = os.read(descriptor, limits.COPY_BYTES)
                self._held += block
                self._over = not block
                due = due or time.monotonic() + pause

    def _next(self) -> bytes:
        """What to append now: all at the end, else up to a line end if one is near."""
        line_end = self._held.rfind(b"\n", -limits.LINE_NEAR_BYTES) + 1
        end = line_end if line_end and not self._over else len(self._held)
        return bytes(self._held[:end])

    def _append(self, step: bytes) -> None:
        started = time.monotonic()
        self._receipt = self._until_it_stands(step)
        self._took_seconds = time.monotonic() - started
        del self._held[: len(step)]
        if self._out.as_json:
            self._out.document(self._receipt, "")
            self._out.flush()

    def _until_it_stands(self, step: bytes) -> "Receipt":
        key, digest = uuid.uuid4().hex, sha256(step).hexdigest()
        before = None if self._receipt is None else self._receipt.digest
        wishes = {**self._wishes, "idempotency_key": key, "digest": digest, "if_match": before}
        give_up = time.monotonic() + limits.FOLLOW_RETRY_SECONDS
        said = False
        while True:
            try:
                return self._service.append(self._collection, self._name, [step], **wishes)
            except NotNow as error:
                if self.told_to_end or time.monotonic() > give_up:
                    raise
                if not said:
                    self._out.note("waiting", f"{error.message}; what came is held, and sent again until it is taken")
                    said = True
                time.sleep(_AGAIN_SECONDS)

    @contextmanager
    def _signals(self) -> Iterator[int]:
        """Inside, the first SIGINT or SIGTERM lets what came be kept; gives a descriptor that it makes readable."""
        told, tell = os.pipe()
        os.set_blocking(tell, False)
        handled = (signal.SIGINT, signal.SIGTERM)
        before = [signal.signal(number, self._told) for number in handled]
        woken = signal.set_wakeup_fd(tell)
        try:
            yield told
        finally:
            signal.set_wakeup_fd(woken)
            for number, handler in zip(handled, before, strict=True):
                signal.signal(number, handler)
            os.close(told)
            os.close(tell)

    def _told(self, number: int, frame: FrameType | None) -> None:
        del number, frame  # either means the same, wherever we are
        if self.told_to_end:
            raise KeyboardInterrupt  # again: not even what came is waited for
        self.told_to_end = True
