"""An array coded for doors behind which no second process proves what was made: decoded again at once, and compared."""

from collections.abc import Sequence

from lithify.codecs.array_types import Values
from lithify.codecs.arrays.measuring import check_values
from lithify.codecs.arrays.values import Looseness, decode_values, encode_values
from lithify.codecs.codec import Effort
from lithify.errors import FidelityBroken


def encode_proved(values: Values, *, bound: Looseness | None, effort: Effort, fills: Sequence[float]) -> bytes:
    """The payload of an array (VALUES.md) that was seen to come back.

    Raises FidelityBroken if it does not, or not within the bound.
    """
    payload = encode_values(values, bound=bound, effort=effort, fills=fills)
    native = values.astype(values.dtype.newbyteorder("="), copy=False)
    again = decode_values(payload, native.shape, native.dtype)
    if again.tobytes() == native.tobytes():
        return payload
    if bound is None:
        raise FidelityBroken(f"an array of shape {native.shape} and type {native.dtype} did not come back")
    check_values(native, again, bound, [native.dtype.type(fill) for fill in fills])
    return payload
