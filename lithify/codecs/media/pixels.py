"""Pictures that are not compressed, in whatever file they lie: by JPEG XL or WebP; all else by the general codecs."""

import time
from typing import ClassVar, NamedTuple, cast

import numpy as np
import numpy.typing as npt

from lithify import limits
from lithify.codecs.arrays.containers.find import left_in
from lithify.codecs.codec import Effort, Estimate, Facts, Format
from lithify.codecs.inside import Inside
from lithify.codecs.media import general
from lithify.codecs.media.fields import Fields, piece, varint
from lithify.codecs.media.packbits import close_strips, open_strips
from lithify.codecs.media.pictures import CODER_NAMES, Picture, Shape, decode_picture, encode_picture, warm
from lithify.codecs.media.pixel_files import Region, find_packed_strips, find_pixels, is_sound, is_tiff, joined
from lithify.codecs.media.whole_file import WholeFile
from lithify.codecs.reasons import give_reason
from lithify.errors import Corrupt

_PICTURES, _PACKED = 0x10, 0x11
"""First byte of a payload that is taken apart, or opened and then taken apart; below stand the methods of `general`."""
_PICTURES_MAX = 4096
_PACK_RATIO_MAX = 64
_TIFF_RATIO, _TIFF_BYTES_PER_SECOND = 2.0, 1e6
_BIG, _SIGNED, _TWO_OCTETS, _BLUE_FIRST = 0x08, 0x10, 0x20, 0x40
_CHANNELS = 0x07
_FORM = _CHANNELS | _BIG | _SIGNED | _TWO_OCTETS | _BLUE_FIRST
_TASTE_SAMPLES = 128 * limits.KIB
_DOUBTFUL, _FLAT = 0.9, 0.06
"""Of the file: what is not much smaller, or nearly nothing, is compared with what the general codecs make of all."""
_PEAK_BYTES = 256 * limits.MIB
_PEAK_BYTES_PER_BYTE = 30


class Pixels(WholeFile):
    """A payload is one file: its pictures, and the rest of it (FORMAT.md)."""

    facts: ClassVar[Facts] = Facts(
        family="media",
        name="pixels",
        format=Format(0x0504, 1, 0),
        kinds=frozenset({"image", "video"}),
        needs=("media",),
        seams="whole",
        bytes_max=limits.PART_BYTES,
        kernels=True,
        papers=("ISO/IEC 18181-1, JPEG XL image coding system", "RFC 9649, WebP image format"),
    )
    holds = "pixels"

    @classmethod
    def warm(cls) -> None:
        warm()

    @classmethod
    def may_suit(cls, sample: bytes, length: int) -> bool:
        return bool(find_pixels(sample, length)) or is_tiff(sample)

    @classmethod
    def probe(cls, sample: bytes, length: int, effort: Effort) -> Estimate | None:
        """Encode some rows of the first picture."""
        regions = find_pixels(sample, length)
        if not regions:
            return _guess(length) if is_tiff(sample) else None
        first = regions[0]
        rows = min(
            first.height, max(1, _TASTE_SAMPLES // first.row_bytes), (len(sample) - first.start) // first.row_bytes
        )
        if rows < 1:
            return None
        region = first._replace(height=rows)
        started = time.perf_counter()
        _, packed = encode_picture(_picture(sample, region)[0], effort)
        seconds = time.perf_counter() - started
        taken = region.end - region.start
        return Estimate(
            ratio=taken / (len(packed) + 1),
            encode_bytes_per_second=taken / seconds,
            decode_bytes_per_second=2 * taken / seconds,
            peak_memory_bytes=_PEAK_BYTES + _PEAK_BYTES_PER_BYTE * length,
            confidence=0.5 + 0.5 * taken / length,
        )

    def encode_file(self, data: bytes, coders: tuple[int, ...] = ()) -> bytes:
        """The smallest payload of a file of at least one byte, by these coders, or those that are worth trying."""
        regions = find_pixels(data)
        made = [_taken_apart(data, regions, coders, self._effort)] if regions else _opened(data, self._effort)
        if not made:
            for left in left_in(data) if is_tiff(data) else ():
                give_reason(left)
            return general.pack(data, self._effort if is_tiff(data) else "fast")  # others are made for it
        if not _FLAT * len(data) < len(made[0]) < _DOUBTFUL * len(data):
            made.append(general.pack(data, self._effort))
        return min(made, key=len)

    def decode_file(self, payload: bytes, length: int) -> bytes:
        if payload[0] == _PACKED:
            return _closed(payload, length)
        return _restored(payload, length) if payload[0] == _PICTURES else general.unpack(payload, length)

    def contents(self, payload: bytes, *, shared: bytes, length: int) -> list[Inside]:
        """Each picture with its coder, how strips were packed, and the rest."""
        if payload[:1] == bytes([_PICTURES]):
            return _inside(payload, length)
        if payload[:1] != bytes([_PACKED]):
            return general.as_it_was(payload, length)
        told = _read_packed(payload, length)
        script = Inside("corrections", general.name_of(told.script), told.script_length, len(told.script))
        return [*_inside(told.inner, told.length), script]


def _guess(length: int) -> Estimate:
    """What a TIFF is expected to become whose directory cannot be seen from its beginning."""
    return Estimate(
        ratio=_TIFF_RATIO,
        encode_bytes_per_second=_TIFF_BYTES_PER_SECOND,
        decode_bytes_per_second=2 * _TIFF_BYTES_PER_SECOND,
        peak_memory_bytes=_PEAK_BYTES + _PEAK_BYTES_PER_BYTE * length,
        confidence=0.2,
    )


def _taken_apart(data: bytes, regions: list[Region], coders: tuple[int, ...], effort: Effort) -> bytes:
    out, rest, at = [bytes([_PICTURES]), varint(len(regions))], [], 0
    for region in regions:
        picture, padding = _picture(data, region)
        coder, packed = encode_picture(picture, effort, coders)
        form = region.channels | _BIG * region.big | _SIGNED * region.signed | _TWO_OCTETS * (region.octets == 2)
        form |= _BLUE_FIRST * region.blue_first
        sizes = (region.start - at, region.height, region.width, region.padding)
        out += [bytes([form, coder]), *map(varint, sizes), piece(packed)]
        rest += [data[at : region.start], padding]
        at = region.end
    rest.append(data[at:])
    return b"".join([*out, general.pack(b"".join(rest), effort)])


def _opened(data: bytes, effort: Effort) -> list[bytes]:
    """The payload of a TIFF in PackBits: that of the same file with plain strips, behind the script that packs them."""
    strips = find_packed_strips(data)
    opened = open_strips(data, [(form.start, size) for form, size in strips]) if strips else None
    if opened is None:
        return []
    plain = zip(strips, opened.starts, opened.sizes, strict=True)
    regions = [form._replace(start=start, height=size // form.row_bytes) for (form, _), start, size in plain]
    if not regions or not all(is_sound(region) for region in regions):
        return []
    inner = _taken_apart(opened.data, list(joined(regions)), (), effort)
    script = varint(len(opened.script)) + piece(general.pack(opened.script, effort))
    return [bytes([_PACKED]) + varint(len(opened.data)) + script + inner]


class _Packed(NamedTuple):
    """A TIFF in PackBits as a payload tells it."""

    length: int
    """Of the same file with plain strips."""
    script_length: int
    script: bytes
    inner: bytes


def _read_packed(payload: bytes, length: int) -> _Packed:
    fields = Fields(payload[1:])
    opened_length = fields.number(min(_PACK_RATIO_MAX * length, limits.CHUNK_BYTES_MAX), "the length of an opened file")
    script_length = fields.number(2 * length + 64 * limits.KIB, "the length of a script")
    script, inner = fields.piece("a script"), fields.rest()
    if inner[:1] != bytes([_PICTURES]):
        raise Corrupt("an opened file is not kept as pictures")
    return _Packed(opened_length, script_length, script, inner)


def _closed(payload: bytes, length: int) -> bytes:
    told = _read_packed(payload, length)
    script = general.unpack(told.script, told.script_length)
    data = close_strips(_restored(told.inner, told.length), script)
    if len(data) != length:
        raise Corrupt(f"a closed file has {len(data)} bytes, the chunk table says {length}")
    return data


def _picture(data: bytes, region: Region) -> tuple[Picture, bytes]:
    """The picture of a region, and the bytes behind its rows."""
    rows = np.frombuffer(data, np.uint8, region.height * region.row_bytes, region.start)
    rows = rows.reshape(region.height, region.row_bytes)
    used = region.row_bytes - region.padding
    samples = np.ascontiguousarray(rows[:, :used])
    padding = rows[:, used:].tobytes()
    if region.octets == 1:
        picture: Picture = samples ^ np.uint8(0x80) if region.signed else samples
    else:
        words = samples.view(">u2" if region.big else "<u2").astype(np.uint16)
        picture = words ^ np.uint16(0x8000) if region.signed else words
    picture = picture.reshape(region.height, region.width, region.channels)
    return (_swapped(picture) if region.blue_first else picture), padding


def _swapped(picture: Picture) -> Picture:
    """The same with red for blue."""
    return cast("Picture", np.ascontiguousarray(picture[:, :, (2, 1, 0, 3)[: picture.shape[2]]]))


class _Told(NamedTuple):
    """A picture as a payload tells it."""

    form: int
    coder: int
    gap: int
    """Bytes before it, behind the picture before it."""
    padding: int
    shape: Shape
    packed: bytes


def _read_pictures(fields: Fields, length: int) -> tuple[list[_Told], int]:
    """The pictures of a file of `length` bytes, and how long the rest of it is; nothing is decoded."""
    found, left, rest_bytes = [], length, length
    for _ in range(fields.number(_PICTURES_MAX, "the number of pictures")):
        form, coder = fields.byte(), fields.byte()
        gap = fields.number(left, "the bytes before a picture")
        height, width = (fields.number(limits.IMAGE_SAMPLES_MAX, what) for what in ("a height", "a width"))
        padding = fields.number(left, "the padding of a row")
        shape = Shape(height, width, form & _CHANNELS, 2 if form & _TWO_OCTETS else 1)
        if form & ~_FORM or (form & _BLUE_FIRST and shape.channels < 3):
            raise Corrupt(f"a picture has form 0x{form:02x}, which does not exist")
        left -= gap + shape.length + height * padding
        rest_bytes -= shape.length
        if left < 0:
            raise Corrupt(f"pictures take {-left} bytes more than the {length} of their file")
        found.append(_Told(form, coder, gap, padding, shape, fields.piece("a picture")))
    return found, rest_bytes


def _restored(payload: bytes, length: int) -> bytes:
    fields = Fields(payload[1:])
    told, rest_bytes = _read_pictures(fields, length)
    pieces = [
        (one.gap, one.padding, _row_bytes(decode_picture(one.coder, one.packed, one.shape), one.form)) for one in told
    ]
    return _joined(pieces, general.unpack(fields.rest(), rest_bytes))


def _inside(payload: bytes, length: int) -> list[Inside]:
    fields = Fields(payload[1:])
    told, rest_bytes = _read_pictures(fields, length)
    rest = fields.rest()
    rows = [
        Inside("pixels", CODER_NAMES.get(one.coder, f"0x{one.coder:02x}"), one.shape.length, len(one.packed))
        for one in told
    ]
    return [*rows, Inside("what stands around", general.name_of(rest), rest_bytes, len(rest))]


def _row_bytes(picture: Picture, form: int) -> npt.NDArray[np.uint8]:
    """The bytes of each row, without its padding."""
    rows = (_swapped(picture) if form & _BLUE_FIRST else picture).reshape(len(picture), -1)
    if not form & _TWO_OCTETS:
        return rows.astype(np.uint8) ^ np.uint8(0x80 if form & _SIGNED else 0)
    words = rows ^ np.uint16(0x8000 if form & _SIGNED else 0)
    return words.astype(">u2" if form & _BIG else "<u2").view(np.uint8)


def _joined(pieces: list[tuple[int, int, npt.NDArray[np.uint8]]], rest: bytes) -> bytes:
    out, at = [], 0
    for gap, padding, rows in pieces:
        out.append(rest[at : at + gap])
        at += gap
        behind = np.frombuffer(rest, np.uint8, len(rows) * padding, at).reshape(len(rows), padding)
        at += behind.size
        out.append(np.concatenate((rows, behind), axis=1).tobytes() if padding else rows.tobytes())
    return b"".join([*out, rest[at:]])
