"""One lithify server as httpx sees it: requests, retries, and answers turned back into our errors."""

import json
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

import httpx

import lithify
from lithify import limits
from lithify.api import problems
from lithify.errors import BadArgument, NotNow, StoreUnavailable, Unauthenticated

T = TypeVar("T")

RETRY_SECONDS = (0.2, 0.5, 1.0, 2.0, 5.0)
"""Pauses between attempts; about 9 s in all, longer than a server takes to restart."""
_SECONDS = httpx.Timeout(connect=10.0, read=300.0, write=60.0, pool=None)
FOREVER = httpx.Timeout(connect=10.0, read=None, write=60.0, pool=None)
"""For what takes as long as reading everything takes."""


class Remote:
    """A keep-alive connection pool to one server. Thread-safe."""

    def __init__(self, url: str, key: str | None, connections: int) -> None:
        identity = {"User-Agent": f"lithify/{lithify.__version__}", "Accept-Encoding": "identity"}
        self._has_key = bool(key)
        if key:
            identity["Authorization"] = f"Bearer {key}"
        pool = httpx.Limits(max_connections=None, max_keepalive_connections=connections)
        try:
            self._http = httpx.Client(
                base_url=url, headers=identity, timeout=_SECONDS, limits=pool, verify=_trusted(url)
            )
        except (httpx.InvalidURL, UnicodeEncodeError) as error:
            raise BadArgument(f"server URL or key is malformed: {error}") from error
        if self._http.base_url.scheme not in {"http", "https"}:
            raise BadArgument(f"server URL {url!r}: expected http://HOST:PORT or https://…")

    def close(self) -> None:
        """Close all connections."""
        self._http.close()

    def ask(self, method: str, path: str, *, repeatable: bool = False, **request: Any) -> Any:
        """A request and the JSON document it is answered with. GET is always repeatable.

        Raises what the server answered, StoreUnavailable when that is none of ours.
        """

        def once() -> httpx.Response:
            with self._explained():
                answer = self._http.request(method, path, **request)
            self._raise_problem(answer)
            return answer

        return _document(retrying(once) if repeatable or method == "GET" else once())

    def open(self, path: str, *, method: str = "GET", **request: Any) -> httpx.Response:
        """An answer whose body is still to be read; close it. Only GET is repeated. Raises what the server answered."""

        def once() -> httpx.Response:
            with self._explained():
                answer = self._http.send(self._http.build_request(method, path, **request), stream=True)
                if answer.is_error:
                    answer.read()
            self._raise_problem(answer)
            return answer

        return retrying(once) if method == "GET" else once()

    def blocks(self, answer: httpx.Response) -> Iterator[bytes]:
        """The body of such an answer as it arrives. Raises StoreUnavailable when it breaks off."""
        received = 0
        try:
            for block in answer.iter_raw():
                received += len(block)
                yield block
        except httpx.HTTPError as error:
            whole = answer.headers.get("content-length", "?")
            raise StoreUnavailable(f"the answer broke off after {received} of {whole} bytes: {error}") from error

    def lines(self, answer: httpx.Response) -> Iterator[Any]:
        """The JSON documents of such an answer, one per line."""
        rest = b""
        for block in self.blocks(answer):
            *whole, rest = (rest + block).split(b"\n")
            yield from map(_parsed, whole)
        if rest:
            raise StoreUnavailable(f"{answer.url.host} stopped in the middle of a line")

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except httpx.TimeoutException as error:
            raise StoreUnavailable(f"{self._http.base_url} did not answer in time") from error
        except (httpx.HTTPError, httpx.StreamError) as error:
            raise StoreUnavailable(f"{self._http.base_url} cannot be reached: {error}") from error

    def _raise_problem(self, answer: httpx.Response) -> None:
        if answer.status_code < 300:
            return
        error = problems.error_from(answer.status_code, answer.content)
        if isinstance(error, Unauthenticated) and not self._has_key:
            raise Unauthenticated(f"{self._http.base_url} wants an API key: set LITHIFY_KEY, or give --key") from error
        raise error


def _trusted(url: str) -> ssl.SSLContext | bool:
    """Whom to believe about the server: those whom this system believes; nobody, where there is nothing to be asked.

    Reading all their certificates takes 20 ms, a fifth of what a short command takes over plain HTTP.
    """
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT) if url.lower().startswith("http://") else True


def retrying(attempt: Callable[[], T]) -> T:
    """What `attempt` gives, tried again with growing pauses while the world is in the way."""
    for pause in RETRY_SECONDS:
        try:
            return attempt()
        except NotNow:
            time.sleep(pause)
    return attempt()


def _document(answer: httpx.Response) -> Any:
    return _parsed(answer.content) if answer.content else None


def _parsed(text: bytes) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise StoreUnavailable("the answer is not JSON; is it lithify that we are talking to?") from error


def given(**values: Any) -> Mapping[str, Any]:
    """The values that are not None."""
    return {name: value for name, value in values.items() if value is not None}


BLOCK_BYTES = limits.COPY_BYTES // 4
"""What is read from a file and sent at a time: httpcore copies what the socket did not take of a block."""
