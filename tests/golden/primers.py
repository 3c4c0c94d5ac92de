"""The primers that golden frames name, each a golden file beside its frame."""

from functools import cache
from pathlib import Path

from lithify.codecs.frame.primers import Primers, at_hand


@cache
def golden_primers() -> Primers:
    """All of them, by digest."""
    return at_hand(path.read_bytes() for path in Path(__file__).parent.glob("*.primer"))
