"""The names people may give: checked at every door by one rule. A name is a value in a column, never a path."""

import re
import unicodedata

from lithify import limits
from lithify.errors import BadName

_COLLECTION = re.compile(r"[a-z0-9][a-z0-9._-]*")


def collection_name(text: str) -> str:
    """The name of a collection, unchanged. Raises BadName with the rule it breaks."""
    if not _COLLECTION.fullmatch(text) or len(text) > limits.COLLECTION_NAME_BYTES_MAX:
        raise BadName(
            f"collection {text[:80]!r}: expected 1 to {limits.COLLECTION_NAME_BYTES_MAX} of a-z 0-9 . _ - "
            "beginning with a letter or digit"
        )
    return text


def object_name(text: str) -> str:
    """The name of an object, unchanged. Raises BadName with the rule it breaks."""
    shown = ascii(text if len(text) <= 80 else text[:80] + "…")
    try:
        length = len(text.encode())
    except UnicodeEncodeError as error:
        raise BadName(f"object name {shown} is not valid Unicode at character {error.start}") from error
    if not 1 <= length <= limits.OBJECT_NAME_BYTES_MAX:
        raise BadName(f"object name {shown} has {length} bytes; expected 1 to {limits.OBJECT_NAME_BYTES_MAX}")
    control = next((c for c in text if unicodedata.category(c) in {"Cc", "Cs", "Zl", "Zp"}), None)
    if control is not None:
        raise BadName(f"object name {shown} contains the control character U+{ord(control):04X}")
    if text.startswith("/") or any(part in {"", ".", ".."} for part in text.split("/")):
        raise BadName(f"object name {shown} has an empty, '.' or '..' segment; expected segments joined by single '/'")
    return text
