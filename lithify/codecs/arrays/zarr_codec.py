"""Zarr 3's door: a codec that makes the bytes of each chunk, exact or within a bound.

    codec = LithifyCodec(contract="bounded:abs=0.01")
    zarr.create_array(store, shape=..., chunks=..., dtype="f4", serializer=codec, compressors=None)

Its name in metadata is `lithify`; `VALUES.md` says what the bytes are: the payload of one array, without shape or type,
which Zarr keeps.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from zarr.abc.codec import ArrayBytesCodec
from zarr.core.array_spec import ArraySpec
from zarr.core.buffer import Buffer, NDBuffer
from zarr.core.common import JSON, parse_named_configuration

from lithify.codecs.arrays.proved import encode_proved
from lithify.codecs.arrays.settings import checked_fills, known_effort, looseness_of
from lithify.codecs.arrays.values import decode_values
from lithify.errors import BadArgument


@dataclass(frozen=True)
class LithifyCodec(ArrayBytesCodec):
    """Chunks by lithify's coder of numbers.

    contract  `exact`, or `bounded:abs=0.01`, `bounded:rel=0.001` (of each chunk's range), `bounded:pwrel=0.001`
    effort    `fast`, `default` or `max`
    fills     values besides the array's fill value that come back exactly
    """

    is_fixed_size = False

    contract: str = "exact"
    effort: str = "default"
    fills: tuple[float, ...] = ()

    def __init__(self, *, contract: str = "exact", effort: str = "default", fills: Sequence[float] = ()) -> None:
        looseness_of(contract)
        object.__setattr__(self, "contract", contract)
        object.__setattr__(self, "effort", known_effort(effort))
        object.__setattr__(self, "fills", checked_fills(fills))

    @classmethod
    def from_dict(cls, data: dict[str, JSON]) -> Self:
        _, configuration = parse_named_configuration(data, "lithify", require_configuration=False)
        return cls(**(configuration or {}))  # type: ignore[arg-type]  # each is checked there

    def to_dict(self) -> dict[str, JSON]:
        configuration: dict[str, JSON] = {"contract": self.contract, "effort": self.effort}
        if self.fills:
            configuration["fills"] = list(self.fills)
        return {"name": "lithify", "configuration": configuration}

    async def _decode_single(self, chunk_data: Buffer, chunk_spec: ArraySpec) -> NDBuffer:
        return await asyncio.to_thread(self._decode_sync, chunk_data, chunk_spec)

    def _decode_sync(self, chunk_data: Buffer, chunk_spec: ArraySpec) -> NDBuffer:
        dtype = chunk_spec.dtype.to_native_dtype()
        values = decode_values(chunk_data.to_bytes(), chunk_spec.shape, dtype.newbyteorder("="))
        return chunk_spec.prototype.nd_buffer.from_numpy_array(values.astype(dtype, copy=False))

    async def _encode_single(self, chunk_data: NDBuffer, chunk_spec: ArraySpec) -> Buffer | None:
        return await asyncio.to_thread(self._encode_sync, chunk_data, chunk_spec)

    def _encode_sync(self, chunk_data: NDBuffer, chunk_spec: ArraySpec) -> Buffer | None:
        values = chunk_data.as_numpy_array()
        fills = (*self.fills, *_as_fill(chunk_spec.fill_value))
        payload = encode_proved(
            values, bound=looseness_of(self.contract), effort=known_effort(self.effort), fills=fills
        )
        return chunk_spec.prototype.buffer.from_bytes(payload)

    def compute_encoded_size(self, input_byte_length: int, _chunk_spec: ArraySpec) -> int:
        raise BadArgument(f"how long {input_byte_length} bytes become is known when they are encoded")


def _as_fill(value: Any) -> tuple[float, ...]:
    return (float(value),) if isinstance(value, np.floating | float) else ()
