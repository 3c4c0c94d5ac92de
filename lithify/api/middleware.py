"""What every request passes, outermost first: Observe, Linger, StrictPath. Plain ASGI: a stream is never buffered."""

import asyncio
import itertools
import secrets
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote_to_bytes

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lithify import limits
from lithify.api import logs, problems
from lithify.api.doors import Doors
from lithify.errors import BadName, Busy, LithifyError

_log = logs.get()

# Names a request in the log and in its problem document. Not a random one each: the system call would give up the
# interpreter's lock, and with busy threads that costs a millisecond.
_RUN = secrets.token_hex(8)
_numbers = itertools.count(1)


class Observe:
    """Counts, times and logs each request, and ends the ones that nobody else could end.

    What goes wrong before the answer began becomes a problem document; what goes wrong later leaves the answer
    unfinished, so that the connection breaks and nobody takes a part for the whole.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._under_way = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        doors = scope["app"].state.doors
        seen = _Seen(scope, receive, send)
        self._under_way += 1
        doors.metrics.under_way.inc()
        try:
            if self._under_way > limits.REQUESTS_MAX:
                busy = Busy(f"{limits.REQUESTS_MAX} requests are being answered; try again in a moment")
                await answer(Request(scope), busy)(scope, seen.receive, seen.send)
            else:
                await self.app(scope, seen.receive, seen.send)
        except Exception as error:  # noqa: BLE001 - the outermost place: whatever came this far is answered or cut here
            await seen.end(error)
        finally:
            self._under_way -= 1
            doors.metrics.under_way.dec()
            seen.report(doors)


class _Seen:
    """One request as it passes."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._scope, self._receive, self._send = scope, receive, send
        self._started = time.perf_counter()
        self._received = self._sent = self._status = 0
        self._whole = False
        self._error: BaseException | None = None
        scope.setdefault("state", {})["request"] = f"{_RUN}-{next(_numbers)}"

    async def receive(self) -> Message:
        message = await self._receive()
        self._received += len(message.get("body", b""))
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
        else:
            self._sent += len(message.get("body", b""))
            self._whole = not message.get("more_body", False)
        await self._send(message)

    async def end(self, error: Exception) -> None:
        """Answer if nothing was answered; else leave it unfinished, and the server closes the connection."""
        self._error = error
        if self._status == 0:
            shown = error if isinstance(error, LithifyError) else LithifyError()
            await answer(Request(self._scope), shown)(self._scope, self._receive, self.send)

    def report(self, doors: Doors) -> None:
        """One line in the log, one count in the metrics."""
        route = getattr(self._scope.get("route"), "path", "unmatched")
        status = self._status or 499  # nothing was answered: the caller left, or we are shutting down
        seconds = time.perf_counter() - self._started
        figures: dict[str, Any] = {"received": self._received, "sent": self._sent}
        doors.metrics.answered(method=self._scope["method"], route=route, status=status, seconds=seconds, **figures)
        noted: dict[str, str] = self._scope["state"]
        say = _log.error if self._error is not None or status == 500 else _log.info
        say(
            "request",
            request=noted["request"],
            method=self._scope["method"][:16],
            route=route,
            status=status,
            seconds=round(seconds, 6),
            **figures,
            **({"code": noted["code"]} if "code" in noted else {}),
            **({} if self._whole else {"broken": True}),
            **({"error": logs.places(self._error)} if self._error is not None else {}),
        )


def answer(
    request: Request, error: LithifyError, *, status: int | None = None, extra: Mapping[str, str] | None = None
) -> Response:
    """The problem document for an error, tied to the line that the log will have on this request."""
    request.state.code = error.code
    return problems.answer(error, status=status, instance=request.state.request, extra=extra)


class Linger:
    """Answers given before the body was read still reach the sender.

    Closing a connection with unread bytes in it resets it, and the reset can overtake the answer. So the answer goes
    out whole, then what still arrives is thrown away for a moment, then the connection closes (RFC 9112 §9.6).
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not _announces_body(scope):
            await self.app(scope, receive, send)
            return
        whole = False

        async def watched() -> Message:
            nonlocal whole
            message = await receive()
            whole = not message.get("more_body", False)
            return message

        async def lingering(message: Message) -> None:
            if whole:
                await send(message)
            elif message["type"] == "http.response.start":
                await send({**message, "headers": [*message["headers"], (b"connection", b"close")]})
            elif message.get("more_body", False):
                await send(message)
            else:
                await send({**message, "more_body": True})
                await _throw_away(watched)
                await send({"type": "http.response.body", "body": b""})

        await self.app(scope, watched, lingering)


def _announces_body(scope: Scope) -> bool:
    return any(
        name == b"transfer-encoding" or (name == b"content-length" and value != b"0")
        for name, value in scope["headers"]
    )


async def _throw_away(receive: Receive) -> None:
    left = limits.LINGER_BYTES_MAX
    try:
        async with asyncio.timeout(limits.LINGER_SECONDS):
            while left > 0:
                message = await receive()
                if not message.get("more_body", False):
                    return
                left -= len(message["body"])
    except TimeoutError:
        return


class StrictPath:
    """Percent-decodes the path as UTF-8 or refuses it; servers put U+FFFD there, and two names would become one."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and b"%" in scope["raw_path"]:
            try:
                scope["path"] = _decoded(scope["raw_path"])
            except BadName as error:
                await answer(Request(scope), error)(scope, receive, send)
                return
        await self.app(scope, receive, send)


def _decoded(raw: bytes) -> str:
    try:
        path = unquote_to_bytes(raw).decode()
    except UnicodeDecodeError as error:
        raise BadName(f"the path is not UTF-8 at byte {error.start}") from error
    if any(ord(character) < 32 or ord(character) == 127 for character in path):
        raise BadName("the path contains a control character")
    return path
