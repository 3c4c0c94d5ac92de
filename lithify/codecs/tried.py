"""What each coder made of the parts of an original that several were tried on, for whoever listens.

A codec that races coders of its own inside, variable by variable, keeps the smallest, and whoever looks at what became
of an original should see by how much the others lost. Coders say what they were given and what they made of it; a row
is their sum for one thing and one coder. They need not know whether anybody listens.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from lithify import limits
from lithify.codecs.inside import Inside

Heard = dict[tuple[str, str], Inside]
_heard: ContextVar[Heard | None] = ContextVar("heard", default=None)
_thing: ContextVar[str] = ContextVar("thing", default="")


def tell_try(coder: str, original_bytes: int, stored_bytes: int) -> None:
    """Say what a coder would make of a part of the thing at hand. More things than people read are not kept."""
    heard = _heard.get()
    if heard is not None:
        add_tries(heard, [Inside(_thing.get(), coder, original_bytes, stored_bytes)])


def pass_on(tries: Heard) -> None:
    """Say again what was heard elsewhere."""
    heard = _heard.get()
    if heard is not None:
        add_tries(heard, tries.values())


def add_tries(heard: Heard, rows: Iterable[Inside]) -> None:
    """Add rows to those that are there."""
    for row in rows:
        key = row.what, row.codec
        had = heard.get(key)
        if had is not None:
            heard[key] = had.plus(row)
        elif len(heard) < limits.TRIES_MAX:
            heard[key] = row


@contextmanager
def trying(thing: str) -> Iterator[None]:
    """What is said inside is said of `thing`."""
    token = _thing.set(thing)
    try:
        yield
    finally:
        _thing.reset(token)


@contextmanager
def tries_heard(*, listening: bool = True) -> Iterator[Heard]:
    """What is said inside; not listening: nothing of it reaches whoever listens outside."""
    heard: Heard = {}
    token = _heard.set(heard if listening else None)
    try:
        yield heard
    finally:
        _heard.reset(token)
