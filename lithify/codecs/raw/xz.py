"""xz: LZMA2 without its container. Slow, and the densest of the LZ coders on data that is not text."""

import lzma
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, cast

from lithify.codecs.codec import Buffer, Effort, Facts, Format, Params
from lithify.codecs.raw.block import CHUNK_BYTES, BlockCodec, BlockParams, Trial
from lithify.errors import Corrupt, LimitExceeded
from lithify.limits import KIB

PRESETS: dict[Effort, int] = {"fast": 2, "default": 6, "max": 9 | lzma.PRESET_EXTREME}
_DICTIONARY_BYTES_MIN = 4 * KIB

# How far preset 6 looks: matches of `nice_len` are taken at once, `depth` candidates are compared. It says 64 and 48;
# 9e says 273 and 512. On 24 files this makes it as dense as 9e (logs 3 to 24 %) and a third slower.
_SEARCH = {6: {"nice_len": 273, "depth": 64}}

# How literals are predicted: by the four top bits of the byte before (text, 8-bit samples), or by the byte before and
# the place within a word of four. On 24 files the better of the two beats the second, LZMA's default, by 0 to 6 %:
# most on 8-bit images, 0.1 to 1.5 % on logs and text; other settings (lp=2, lp=3) won at most 1 % on floats.
_BYTES = {"lc": 4, "lp": 0, "pb": 0}
_WORDS = {"lc": 3, "lp": 0, "pb": 2}
_TRIAL_BYTES = 128 * KIB
_TRIAL_PRESET = 1  # 10 ms a trial, and picks the same as the real preset on 22 of those 24 files


@dataclass(frozen=True)
class XzParams(BlockParams):
    """`preset` is liblzma's own scale, with PRESET_EXTREME as its top bit."""

    preset: int = PRESETS["default"]

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.preset & ~lzma.PRESET_EXTREME <= 9:
            raise LimitExceeded(f"{self!r} is outside preset 0 to 9")


class Xz(BlockCodec):
    """A payload is one LZMA2 stream; its dictionary is as long as the block, so neither size need be written."""

    facts: ClassVar[Facts] = Facts(
        family="raw", name="xz", format=Format(0x0103, 1, 0), papers=("https://tukaani.org/xz/xz-file-format.txt",)
    )
    params_type: ClassVar[type[Params]] = XzParams
    trials: ClassVar[dict[Effort, Trial]] = {"max": Trial(XzParams(), times_slower=1.3, times_denser=1.0)}

    @classmethod
    def params_for(cls, effort: Effort, length: int) -> XzParams:
        return XzParams(chunk_bytes=CHUNK_BYTES[effort], preset=PRESETS[effort])

    def encode_block(self, block: Buffer) -> bytes:
        preset = cast("XzParams", self.params).preset
        settings = {"preset": preset, **_SEARCH.get(preset, {}), **_literals(block)}
        return lzma.compress(block, lzma.FORMAT_RAW, filters=_filters(len(block), **settings))

    def peak_memory_bytes(self, block_bytes: int) -> int:
        # xz(1): the binary-tree match finders keep 11.5 bytes per byte of dictionary, and a few MiB besides.
        return int(11.5 * _dictionary_bytes(block_bytes)) + 3 * block_bytes + 8 * KIB * KIB

    def decode(self, payload: bytes, *, shared: bytes, length: int) -> bytes:
        if shared:
            raise Corrupt(f"xz has no use for {len(shared)} shared bytes")
        decoder = lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=_filters(length))
        try:
            data = decoder.decompress(payload, max_length=length + 1)
        except lzma.LZMAError as error:
            raise Corrupt(f"xz: {error}") from error
        if len(data) != length or not decoder.eof or decoder.unused_data:
            raise Corrupt(f"xz stream gives {len(data)} bytes or more, the chunk table says {length}")
        return data


def _literals(block: Buffer) -> dict[str, int]:
    """The literal setting that makes a piece from the middle of the block smaller."""
    middle = max(0, (len(block) - _TRIAL_BYTES) // 2)
    piece = block[middle : middle + _TRIAL_BYTES]
    as_bytes, as_words = (
        len(lzma.compress(piece, lzma.FORMAT_RAW, filters=_filters(len(piece), preset=_TRIAL_PRESET, **setting)))
        for setting in (_BYTES, _WORDS)
    )
    return _BYTES if as_bytes <= as_words else _WORDS


def _filters(block_bytes: int, **settings: int) -> Sequence[dict[str, Any]]:
    return [{"id": lzma.FILTER_LZMA2, "dict_size": _dictionary_bytes(block_bytes), **settings}]


def _dictionary_bytes(block_bytes: int) -> int:
    """The block's length rounded up to a power of two."""
    return max(_DICTIONARY_BYTES_MIN, 1 << (block_bytes - 1).bit_length())
