"""Name patterns: what `find` understands, and the two cheaper questions that the database can answer first.

`*` any run of characters (also `/`), `?` one character, `[abc]` `[a-z]` `[!abc]` one of a set; all else is itself.
"""

import fnmatch
import re

from lithify import limits
from lithify.errors import BadArgument

ESCAPE = "\\"

_SPECIAL = re.compile(r"[*?\[]")
_SET = re.compile(r"\[!?+\]?+[^\]]*\]")  # possessive: the first "]" of a set is one of its characters


def is_glob(text: str) -> bool:
    """Whether `text` means more names than itself."""
    return _SPECIAL.search(text) is not None


class Glob:
    """A compiled pattern. `matches` decides; `prefix` and `like` never leave out a name that matches."""

    def __init__(self, pattern: str) -> None:
        if len(pattern) > limits.OBJECT_NAME_BYTES_MAX:
            raise BadArgument(f"pattern of {len(pattern)} characters; expected at most {limits.OBJECT_NAME_BYTES_MAX}")
        self.matches = re.compile(fnmatch.translate(pattern)).match
        self.prefix = _SPECIAL.split(pattern, maxsplit=1)[0]
        """What every match begins with."""
        self.like = _like(pattern)
        """For SQL's LIKE with ESCAPE; coarser than the pattern (a set is any character, case may not count)."""


def _like(pattern: str) -> str:
    parts = []
    position = 0
    while position < len(pattern):
        here = pattern[position]
        found = _SET.match(pattern, position) if here == "[" else None
        if found is not None:
            parts.append("_")
            position = found.end()
            continue
        parts.append({"*": "%", "?": "_"}.get(here) or _literal(here))
        position += 1
    return "".join(parts)


def _literal(character: str) -> str:
    return ESCAPE + character if character in {"%", "_", ESCAPE} else character


def after_prefix(prefix: str) -> str | None:
    """The smallest name that sorts after every name beginning with `prefix`; None when there is no such name."""
    for end in range(len(prefix), 0, -1):
        following = ord(prefix[end - 1]) + 1
        if following == 0xD800:
            following = 0xE000  # surrogates are no characters and cannot be stored
        if following <= 0x10FFFF:
            return prefix[: end - 1] + chr(following)
    return None
