"""How many examples random tests try: fewer where they are the same each time."""

import os

from hypothesis import settings

_SAME_EACH_TIME = 0.4
"""What is left of a count in `make test`, where the same examples passed the last time. `python -m pytest` by itself
tries others, and all of them."""
_FEW = 40
"""Counts up to this one stay what they are."""


def examples(count: int, variable: str | None = None) -> int:
    """What is to be made of `count`; what `variable` of the environment says, if it says anything, goes before it."""
    if variable is not None and (told := os.environ.get(variable)):
        return int(told)
    return max(min(count, _FEW), int(count * _SAME_EACH_TIME)) if same_each_time() else count


def same_each_time() -> bool:
    """Whether this run tries the same examples as the last."""
    return settings().derandomize
