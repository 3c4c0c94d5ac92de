"""Reasons: why a codec keeps something otherwise than it was asked to, or than it could; for whoever listens.

Falling back is no error, and whoever looks at what became of an original should see that it happened, and why. Codecs
give sentences, and need not know whether anybody listens; they are kept with the route.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from lithify import limits

_kept: ContextVar[list[str] | None] = ContextVar("reasons", default=None)


def give_reason(sentence: str) -> None:
    """Say why something is kept otherwise. What was said before is not kept twice, nor more than can be read."""
    kept, said = _kept.get(), sentence[: limits.REASON_LENGTH_MAX]
    if kept is not None and said not in kept and len(kept) < limits.REASONS_MAX:
        kept.append(said)


@contextmanager
def reasons_given() -> Iterator[list[str]]:
    """The reasons that codecs give inside."""
    kept: list[str] = []
    token = _kept.set(kept)
    try:
        yield kept
    finally:
        _kept.reset(token)
