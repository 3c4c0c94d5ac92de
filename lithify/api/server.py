"""`lithify serve`: uvicorn around the application, and, if wanted, a worker beside it in the same process."""

import resource
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

import uvicorn

from lithify import limits
from lithify.api import logs
from lithify.api.app import build
from lithify.api.protocol import BoundedProtocol
from lithify.errors import StoreUnavailable

if TYPE_CHECKING:
    from lithify.settings import Settings
    from lithify.workers.archive import Archive


def serve(archive: "Archive", settings: "Settings", *, with_worker: bool = False) -> None:
    """Answer requests until SIGTERM or SIGINT, then let those under way end.

    Prints `lithify serves http://HOST:PORT` on standard output once requests are answered. Raises StoreUnavailable when
    the address cannot be listened on, and when a flush of the archive failed: then the process must end.
    """
    logs.configure(settings.log_level)
    _raise_file_limit()
    with ExitStack() as closing:
        listener = closing.enter_context(listen(settings.host, settings.port))
        closing.enter_context(_signals_end_the_server_only())
        if with_worker:
            closing.enter_context(_worker(archive, settings))
        server(archive, lambda: print(f"lithify serves {url_of(listener)}", flush=True)).run([listener])
    if archive.failure is not None:
        raise StoreUnavailable(archive.failure)


def server(archive: "Archive", when_ready: Callable[[], None]) -> "ReadyServer":
    """A server that is not running yet; `run([listener])` runs it, `should_exit = True` ends it."""
    app = build(archive)
    config = uvicorn.Config(
        app,
        http=BoundedProtocol,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,  # it would hold names
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=limits.KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=limits.SHUTDOWN_SECONDS,
    )
    return ReadyServer(config, archive, when_ready, app.state.doors.ending.set)


class ReadyServer(uvicorn.Server):
    """Says when it answers, and ends by itself once a flush of its archive has failed."""

    def __init__(
        self,
        config: uvicorn.Config,
        archive: "Archive",
        when_ready: Callable[[], None],
        end_endless: Callable[[], None],
    ) -> None:
        super().__init__(config)
        self._archive = archive
        self._when_ready = when_ready
        self._end_endless = end_endless

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._when_ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._end_endless()
        await super().shutdown(sockets)

    async def on_tick(self, counter: int) -> bool:
        return self._archive.failure is not None or await super().on_tick(counter)


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 picks a free one. Raises StoreUnavailable."""
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.create_server(address[:2], family=family)
    except OSError as error:
        raise StoreUnavailable(f"cannot listen on {host} port {port}: {error.strerror}") from error
    # Connections inherit it: a sender that is gone without a word must not hold an endless body open for a day.
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option in ("TCP_KEEPIDLE", "TCP_KEEPINTVL"):  # not everywhere; the system's own time is two hours
        if hasattr(socket, option):
            listener.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), limits.KEEP_ALIVE_SECONDS)
    return listener


def url_of(listener: socket.socket) -> str:
    """Where it listens, for a client."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _raise_file_limit() -> None:
    """Every connection takes a descriptor and every decode some more; the usual 1024 are few."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 4 * limits.CONNECTIONS_MAX
    if 0 <= soft < wanted:  # below 0 stands for no limit
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(wanted, hard) if hard >= 0 else wanted, hard))


@contextmanager
def _signals_end_the_server_only() -> Iterator[None]:
    """uvicorn raises the signal that ended it once more; by then that must not cut short what is still to be closed."""
    handled = (signal.SIGTERM, signal.SIGINT)
    before = [signal.signal(number, lambda *_: None) for number in handled]
    try:
        yield
    finally:
        for number, handler in zip(handled, before, strict=True):
            signal.signal(number, handler)


@contextmanager
def _worker(archive: "Archive", settings: "Settings") -> Iterator[None]:
    """A worker in threads of this process; its codecs run in children anyway."""
    from lithify.workers.loop import Worker

    worker = Worker(archive, queues=settings.queues.split(","), slots=settings.slots)
    thread = threading.Thread(target=worker.run, name="worker")
    thread.start()
    try:
        yield
    finally:
        worker.stop()
        thread.join()
