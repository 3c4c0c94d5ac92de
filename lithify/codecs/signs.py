"""Signs of life: how far a codec is inside the group it works on, for whoever listens.

A group may take half a minute each way; whoever asked for it wants to see it go on. Codecs tell, and need not know
whether anybody listens; chunks that are done are counted by who runs the codec.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

Told = Callable[[int], None]
"""Hears how many bytes of the group under way are done."""


def nobody(done_bytes: int) -> None:
    """Who does not listen."""
    del done_bytes


_listener: ContextVar[Told] = ContextVar("listener", default=nobody)


def tell(done_bytes: int) -> None:
    """Say that so many bytes of the group under way are done; cheap, and worth saying several times a second."""
    _listener.get()(done_bytes)


@contextmanager
def heard_by(listener: Told) -> Iterator[None]:
    """Listen to the codecs that run inside."""
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)
