"""The same bytes on every processor: what steers a decoder is integers, and singles and doubles in one order."""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np

from lithify.codecs.arrays.values import Bound, decode_values, encode_values
from tests.elsewhere import INTERPRETED, PLAIN_PROCESSOR, printed
from tests.unit.codecs.arrays.fields import FIELDS

_BOUNDS = (None, Bound("rel", 1e-2), Bound("pwrel", 1e-3))


def digest(fields: Path) -> str:
    """Of all payloads of the arrays in a file, and of what they decode to."""
    found = hashlib.sha256()
    with np.load(fields) as arrays:
        for name in sorted(arrays):
            for bound in _BOUNDS:
                payload = encode_values(arrays[name], bound=bound, effort="default")
                found.update(payload)
                found.update(decode_values(payload, arrays[name].shape, arrays[name].dtype).tobytes())
    return found.hexdigest()


def _features() -> str:
    """Whatever this processor has beyond what numpy needs."""
    found = np.show_config(mode="dicts")["SIMD Extensions"]["found"]
    return " ".join(found)


def test_a_plain_processor_writes_and_reads_the_same_bytes(tmp_path: Path) -> None:
    fields = tmp_path / "fields.npz"
    arrays: Any = {name: make((5, 18, 20)) for name, make in FIELDS.items()}
    np.savez(fields, **arrays)
    plain = {**PLAIN_PROCESSOR, "NPY_DISABLE_CPU_FEATURES": _features()}
    program = f"from tests.unit.codecs.arrays.test_identity import *; print(digest(Path({str(fields)!r})))"
    assert digest(fields) == printed(program, plain)


def test_kernels_that_are_interpreted_touch_nothing_outside_their_arrays_and_write_the_same_bytes(
    tmp_path: Path,
) -> None:
    fields = tmp_path / "fields.npz"
    arrays: Any = {name: FIELDS[name]((2, 8, 8)) for name in ("holed", "int16")}
    np.savez(fields, **arrays)
    program = f"from tests.unit.codecs.arrays.test_identity import *; print(digest(Path({str(fields)!r})))"
    assert digest(fields) == printed(program, INTERPRETED)
