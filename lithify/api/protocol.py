"""HTTP/1.1 on the wire: uvicorn's httptools protocol with the bounds it leaves to others.

httptools is four times as fast as h11 on bodies, refuses what smuggling is made of (two lengths, a length beside
chunks, bad chunk sizes), and bounds nothing: a header may grow for ever, and a head may never end. So what was received
since the last byte of a body, or since the request began, is counted and timed here.
"""

import asyncio
import json
from http import HTTPStatus
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from lithify import limits
from lithify.api import problems
from lithify.errors import Busy, LithifyError


class BoundedProtocol(HttpToolsProtocol):
    """One connection. Whatever breaks a bound is answered with a problem document and closed."""

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self._bodiless = 0
        self._head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as in the base
        super().connection_made(transport)
        if len(self.connections) > limits.CONNECTIONS_MAX:
            self._refuse(503, Busy(f"{limits.CONNECTIONS_MAX} connections are open; try again in a moment"))
            return
        self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._head_is_here()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._head_timer is None and (self.cycle is None or self.cycle.response_complete):
            self._expect_head()
        self._bodiless += len(data)
        super().data_received(data)
        self._refuse_overlong()

    def on_headers_complete(self) -> None:
        self._head_is_here()
        if self._bodiless > limits.HEAD_BYTES_MAX:  # what was read at once may hold a body too
            self._bodiless = len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)
            self._refuse_overlong()
        self._bodiless = 0
        if not self.transport.is_closing():
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._bodiless = 0
        if not self.transport.is_closing():
            super().on_body(body)

    def on_message_complete(self) -> None:
        self._bodiless = 0
        if not self.transport.is_closing():
            super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        self._refuse(400, problems.of_status(400, msg))

    def _refuse_overlong(self) -> None:
        if self._bodiless > limits.HEAD_BYTES_MAX and not self.transport.is_closing():
            too_much = f"more than {limits.HEAD_BYTES_MAX} bytes of request line, headers or trailers"
            self._refuse(431, problems.of_status(431, too_much))

    def _expect_head(self) -> None:
        self._head_is_here()
        self._head_timer = self.loop.call_later(limits.HEAD_SECONDS, self._head_is_late)

    def _head_is_here(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _head_is_late(self) -> None:
        if not self.transport.is_closing():
            self._refuse(408, problems.of_status(408, f"no whole request within {limits.HEAD_SECONDS:.0f} seconds"))

    def _refuse(self, status: int, error: LithifyError) -> None:
        """Answer, unless an answer is under way already, and close: what follows cannot be told apart any more."""
        if self.cycle is None or self.cycle.response_complete or not self.cycle.response_started:
            document = json.dumps(problems.document(error, status=status)).encode()
            head = [
                f"HTTP/1.1 {status} {HTTPStatus(status).phrase}",
                f"content-type: {problems.MEDIA_TYPE}",
                f"content-length: {len(document)}",
                "connection: close",
                *(f"{name.lower()}: {value}" for name, value in problems.headers(error).items()),
            ]
            self.transport.write("\r\n".join([*head, "", ""]).encode() + document)
        self.transport.close()
