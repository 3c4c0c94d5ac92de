"""numcodecs' door, for Zarr 2 and whoever speaks its API: a buffer that says its own shape and type.

What is written: u8 version, 1; u8 length of the type and the type as NumPy spells it (ASCII); u8 count of axes, their
lengths as varints; the payload of `VALUES.md`.
"""

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np
from numcodecs.abc import Codec
from numcodecs.compat import ensure_contiguous_ndarray, ensure_ndarray, ndarray_copy

from lithify.codecs.array_types import Values
from lithify.codecs.arrays.proved import encode_proved
from lithify.codecs.arrays.settings import checked_fills, known_effort, looseness_of
from lithify.codecs.arrays.values import decode_values
from lithify.codecs.arrays.wire import Reader, varint
from lithify.errors import Corrupt, LimitExceeded, UnknownFormat

_VERSION = 1
_AXES_MAX = 32
_BYTES_MAX = 1 << 40


class Lithify(Codec):  # type: ignore[misc]  # numcodecs has no types
    """Arrays by lithify's coder of numbers.

    contract  `exact`, or `bounded:abs=0.01`, `bounded:rel=0.001` (of each buffer's range), `bounded:pwrel=0.001`
    effort    `fast`, `default` or `max`
    fills     values that come back exactly
    """

    codec_id = "lithify"

    def __init__(self, contract: str = "exact", effort: str = "default", fills: Sequence[float] = ()) -> None:
        looseness_of(contract)
        self.contract, self.effort, self.fills = contract, known_effort(effort), list(checked_fills(fills))

    def encode(self, buf: Any) -> bytes:
        """The bytes of an array of numbers. Raises FidelityBroken should they not give it back, or not so well."""
        values = ensure_ndarray(buf)
        kind: bytes = values.dtype.str.encode("ascii")
        head = bytes([_VERSION, len(kind)]) + kind + bytes([values.ndim]) + b"".join(map(varint, values.shape))
        bound = looseness_of(self.contract)
        return head + encode_proved(values, bound=bound, effort=known_effort(self.effort), fills=self.fills)

    def decode(self, buf: Any, out: Any = None) -> Values:
        """The array. Raises Truncated, Corrupt, UnknownFormat or LimitExceeded."""
        reader = Reader(bytes(ensure_contiguous_ndarray(buf)))
        if (version := reader.byte()) != _VERSION:
            raise UnknownFormat(f"an array of version {version} is newer than this release, which reads {_VERSION}")
        dtype = _dtype(reader.take(reader.byte()))
        axes = reader.byte()
        if axes > _AXES_MAX:
            raise LimitExceeded(f"an array of {axes} axes; the limit is {_AXES_MAX}")
        shape = tuple(reader.varint(_BYTES_MAX) for _ in range(axes))
        if prod(shape) * dtype.itemsize > _BYTES_MAX:
            raise LimitExceeded(f"an array of shape {shape}")
        values = decode_values(reader.rest(), shape, dtype.newbyteorder("=")).astype(dtype, copy=False)
        return values if out is None else ndarray_copy(values, out)


def _dtype(text: bytes) -> np.dtype[Any]:
    try:
        found = np.dtype(text.decode("ascii"))
    except (TypeError, ValueError, SyntaxError) as error:
        raise Corrupt(f"an array of type {text!r:.80}") from error
    if found.hasobject or found.kind not in "biufcmM":
        raise Corrupt(f"an array of type {text!r:.80}, which is no number")
    return found
