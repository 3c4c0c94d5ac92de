"""What people type, as values: names, sizes, times, ranges. Everything else is refused with one sentence.

Every argument and option of the command line has one of these types, or is a choice or a bounded number: text
that is not UTF-8, a NUL byte or a number beyond 64 bits must not reach a database, a document or a file system.
"""

import json
import math
import os
import re
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import click

INTEGER_MAX = 2**63 - 1
SIZE_UNITS = {"": 1, "k": 1000, "m": 1000**2, "g": 1000**3, "t": 1000**4} | {
    "ki": 1024,
    "mi": 1024**2,
    "gi": 1024**3,
    "ti": 1024**4,
}
_CONTROL = re.compile("[\x00-\x1f\x7f]")
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400, "y": 365 * 86400}


class ObjectName(NamedTuple):
    """`collection/name`, the way an object is spelled on the command line."""

    collection: str
    name: str

    def __str__(self) -> str:
        return f"{self.collection}/{self.name}"


class ByteRange(NamedTuple):
    """`START-END`, both ends included as in HTTP; one of them may be missing."""

    first: int | None
    last: int | None

    def within(self, length: int) -> tuple[int, int]:
        """Start and end (not included) in an original of `length` bytes."""
        if self.first is None:
            return max(0, length - (self.last or 0)), length
        return self.first, length if self.last is None else min(length, self.last + 1)


class Value(click.ParamType[Any]):
    """A type of ours: `read` raises ValueError with the sentence to show."""

    def read(self, text: str) -> Any:
        """The value that was typed."""
        raise NotImplementedError

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """What click calls; values that are already converted (defaults) pass."""
        if not isinstance(value, str):
            return value
        try:
            return self.read(value)
        except ValueError as error:
            return self.fail(str(error), param, ctx)


class TextValue(Value):
    """Text that can be stored and sent: UTF-8, no control characters, not empty."""

    name = "text"

    def read(self, text: str) -> Any:
        """The text itself."""
        try:
            text.encode("utf-8")
        except UnicodeEncodeError:
            raise ValueError("this is not valid UTF-8") from None
        if not text:
            raise ValueError("this may not be empty")
        if _CONTROL.search(text):
            raise ValueError("control characters are not allowed here")
        return text


class NameValue(TextValue):
    """`COLLECTION/NAME`."""

    name = "name"

    def read(self, text: str) -> ObjectName:
        """Split at the first slash; whether the parts are good names is the service's to say."""
        collection, _, name = super().read(text).partition("/")
        if not collection or not name:
            raise ValueError(f"a name is spelled COLLECTION/NAME, found {text!r:.200}")
        return ObjectName(collection, name)


class PrefixValue(TextValue):
    """`COLLECTION` or `COLLECTION/PREFIX`."""

    name = "prefix"

    def read(self, text: str) -> ObjectName:
        """A name whose second part may be empty."""
        collection, _, prefix = super().read(text).partition("/")
        if not collection:
            raise ValueError(f"a prefix is spelled COLLECTION or COLLECTION/PREFIX, found {text!r:.200}")
        return ObjectName(collection, prefix)


class SizeValue(TextValue):
    """`10`, `64k`, `1.5MiB`, `2GB`."""

    name = "size"

    def read(self, text: str) -> int:
        """Bytes."""
        found = re.fullmatch(r"([0-9]{1,19}(?:\.[0-9]{1,9})?) ?([kmgt]?i?)b?", super().read(text).lower())
        if not found or found[2] not in SIZE_UNITS:
            raise ValueError(f"a size is a number with B, kB, MB, GB, TB, KiB, MiB, GiB or TiB, found {text!r:.100}")
        count = int(float(found[1]) * SIZE_UNITS[found[2]]) if "." in found[1] else int(found[1]) * SIZE_UNITS[found[2]]
        if count > INTEGER_MAX:
            raise ValueError(f"{text:.100} is more than any object can have")
        return count


class CountValue(TextValue):
    """A whole number, from `least` up to what a database can hold."""

    name = "n"

    def __init__(self, least: int) -> None:
        self._least = least

    def read(self, text: str) -> int:
        """The number."""
        found = int(text) if re.fullmatch(r"[0-9]{1,19}", super().read(text)) else -1
        if not self._least <= found <= INTEGER_MAX:
            raise ValueError(f"a whole number from {self._least} on is needed, found {text!r:.100}")
        return found


class FractionValue(TextValue):
    """A share of something, above 0 and up to 1."""

    name = "fraction"

    def read(self, text: str) -> float:
        """The share."""
        found = float(text) if re.fullmatch(r"[0-9]{0,9}\.?[0-9]{1,17}", super().read(text)) else 0.0
        if not 0 < found <= 1:
            raise ValueError(f"a number above 0 and up to 1 is needed, found {text!r:.100}")
        return found


class DurationValue(TextValue):
    """`90d`, `12h`, `30m`, `45s`."""

    name = "duration"

    def read(self, text: str) -> float:
        """Seconds."""
        found = re.fullmatch(r"([0-9]{1,9}(?:\.[0-9]{1,6})?)([smhdwy])", super().read(text))
        if not found or (seconds := float(found[1]) * SECONDS[found[2]]) > 1000 * SECONDS["y"]:
            raise ValueError(f"a duration is a number with s, m, h, d, w or y, found {text!r:.100}")
        return seconds


class KeepValue(DurationValue):
    """A duration, or `forever`."""

    def read(self, text: str) -> float:
        """Seconds; 0 lifts the rule, which is how the service spells for ever."""
        return 0.0 if text == "forever" else super().read(text)


class MomentValue(TextValue):
    """`2026-11-21`, `2026-11-21T10:00:00Z`, or an age such as `7d`."""

    name = "time"

    def read(self, text: str) -> float:
        """Seconds since 1970 UTC."""
        text = super().read(text)
        if re.fullmatch(r"[0-9.]+[a-z]", text):
            return time.time() - DurationValue().read(text)
        try:
            found = datetime.fromisoformat(text)
            seconds = (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
        except (ValueError, OverflowError):
            seconds = math.nan
        if not math.isfinite(seconds):
            raise ValueError(
                f"a time is a date (2026-11-21, UTC unless it says) or an age (7d, 12h), found {text!r:.100}"
            )
        return seconds


class RangeValue(TextValue):
    """`0-99`, `100-`, `-100`."""

    name = "range"

    def read(self, text: str) -> ByteRange:
        """Both ends are included, as in HTTP: `0-99` is the first hundred bytes."""
        found = re.fullmatch(r"([0-9]{0,18})-([0-9]{0,18})", super().read(text))
        if not found or not (found[1] or found[2]):
            raise ValueError(f"a range is START-END, START- or -LAST, found {text!r:.100}")
        first, last = (int(part) if part else None for part in found.groups())
        if first is not None and last is not None and last < first:
            raise ValueError(f"the range {text} ends before it starts")
        return ByteRange(first, last)


class JsonValue(TextValue):
    """A JSON object."""

    name = "json"

    def read(self, text: str) -> dict[str, Any]:
        """The object, as a dict."""
        try:
            found = json.loads(super().read(text), parse_constant=_no_constant)
        except (ValueError, RecursionError) as error:
            raise ValueError(f"this is not JSON: {error}") from error
        if not isinstance(found, dict):
            raise ValueError(f"a JSON object is needed, found {text!r:.100}")  # noqa: TRY004 - the text is wrong
        return found


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not a JSON number")


class PatternValue(Value):
    """What to look for: any bytes, as they were typed."""

    name = "pattern"

    def read(self, text: str) -> bytes:
        """The bytes; whether they are a good pattern is the service's to say."""
        return os.fsencode(text)


class PathValue(Value):
    """A path on this machine; any bytes but NUL. `-` stays as it is, for commands that know pipes."""

    name = "path"

    def read(self, text: str) -> Path:
        """The path; nothing is looked up yet."""
        if not text:
            raise ValueError("a path may not be empty")
        if "\0" in text:
            raise ValueError("a path may not hold a NUL byte")
        return Path(text)


TEXT = TextValue()
NAME = NameValue()
PREFIX = PrefixValue()
SIZE = SizeValue()
DURATION = DurationValue()
FRACTION = FractionValue()
KEEP = KeepValue()
MOMENT = MomentValue()
RANGE = RangeValue()
JSON = JsonValue()
PATTERN = PatternValue()
PATH = PathValue()
EFFORT = click.Choice(("fast", "default", "max"))
COUNT = CountValue(1)
COUNT_OR_ALL = CountValue(0)
PIPE = Path("-")
