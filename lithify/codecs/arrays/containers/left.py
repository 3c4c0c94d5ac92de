"""What containers say of values that they hold and nobody opens: sentences for people."""

from collections.abc import Sequence

_NAMED_MAX = 3
"""Things of one kind that are told by their names."""


def some_of(names: Sequence[str]) -> str:
    """`a`, `a and b`, or `a, b, c and 12 more`."""
    told = list(names) if len(names) <= _NAMED_MAX + 1 else [*names[:_NAMED_MAX], f"{len(names) - _NAMED_MAX} more"]
    return " and ".join(filter(None, (", ".join(told[:-1]), told[-1])))
