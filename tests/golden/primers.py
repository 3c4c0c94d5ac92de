"""The primers and models that golden frames name, each a golden file beside its frame."""

from functools import cache
from pathlib import Path

from lithify.codecs.frame.primers import Primers, at_hand, digest_of

HERE = Path(__file__).parent


@cache
def golden_primers() -> Primers:
    """All of them, by digest."""
    models = [path.read_bytes() for path in HERE.glob("*.lithlm")]
    known = {digest_of(model): memoryview(model) for model in models}
    return at_hand((path.read_bytes() for path in HERE.glob("*.primer")), known)
