"""PNG: the pixels as pictures are kept, and a recipe that filters and deflates them just as the file's writer did."""

import zlib
from dataclasses import replace
from typing import ClassVar, cast

import numpy as np

from lithify import limits
from lithify.codecs.codec import Buffer, Effort, Estimate, Facts, Format
from lithify.codecs.inside import Inside
from lithify.codecs.media import general
from lithify.codecs.media.fields import Fields, piece, varint
from lithify.codecs.media.pictures import (
    CODER_NAMES,
    Picture,
    Shape,
    check_shape,
    coders_of_names,
    decode_picture,
    encode_picture,
    warm,
)
from lithify.codecs.media.png_chunks import (
    SIGNATURE,
    Header,
    Png,
    put_png_together,
    read_rest,
    take_png_apart,
    write_rest,
)
from lithify.codecs.media.png_layout import plain_length, row_count
from lithify.codecs.media.whole_file import EffortParams, WholeFile
from lithify.codecs.reasons import give_reason
from lithify.errors import Corrupt, LimitExceeded

_OPENED = 0x10
"""First byte of a payload that is taken apart; below it stand the methods of `general`."""
_PIXELS, _COLOURS, _OTHER_SUM = 0x01, 0x02, 0x04
"""Flags: pixels, not filtered bytes; of a palette, as its colours; the checksum of the image data is told."""
_ZLIB_HEAD_BYTES, _ZLIB_SUM_BYTES = 2, 4
_DEFLATE_RATIO_MAX = 1032
_COLOUR_PALETTE = 3
_DOUBTFUL = 0.98
_RATIO, _BYTES_PER_SECOND = 1.4, 1.6e6  # what screenshots and photographs came to; a taste of a PNG says nothing
_PEAK_BYTES = 512 * limits.MIB
_PEAK_BYTES_PER_BYTE = 30


class PngCodec(WholeFile):
    """A payload is one file (FORMAT.md)."""

    facts: ClassVar[Facts] = Facts(
        family="media",
        name="png",
        format=Format(0x0503, 1, 0),
        kinds=frozenset({"image"}),
        needs=("media",),
        seams="whole",
        bytes_max=limits.PART_BYTES,
        kernels=True,
        papers=("ISO/IEC 18181-1, JPEG XL image coding system", "RFC 9649, WebP image format"),
    )
    holds = "PNGs"

    @classmethod
    def warm(cls) -> None:
        """A picture of a few pixels, there and back."""
        warm()
        codec, data = cls(EffortParams("fast")), smallest_png()
        codec.decode(codec.encode_file(data), shared=b"", length=len(data))

    @classmethod
    def probe(cls, sample: bytes, length: int, effort: Effort) -> Estimate | None:
        """Only what its header says: deflated pixels in pieces say nothing about the whole."""
        header = (
            Png([(sample[12:16], sample[16:29])], b"", [], [], b"").header if sample.startswith(SIGNATURE) else None
        )
        if header is None or plain_length(header) > limits.IMAGE_PLAIN_BYTES_MAX:
            return None
        return Estimate(
            ratio=_RATIO,
            encode_bytes_per_second=_BYTES_PER_SECOND,
            decode_bytes_per_second=2 * _BYTES_PER_SECOND,
            peak_memory_bytes=_PEAK_BYTES + _PEAK_BYTES_PER_BYTE * plain_length(header),
            confidence=0.5,
        )

    def encode_file(self, data: bytes) -> bytes:
        """The smallest payload of a file of at least one byte."""
        if not data.startswith(SIGNATURE):
            return general.pack(data, "fast")  # others are made for it
        opened = _opened(data, self._effort)
        if opened is None:
            give_reason("its image data cannot be deflated again to the bit: the file is kept as any other")
        made = [] if opened is None else [opened]
        if not made or len(made[0]) > _DOUBTFUL * len(data):
            made.append(general.pack(data, self._effort))
        return min(made, key=len)

    def decode_file(self, payload: bytes, length: int) -> bytes:
        return _restored(payload, length) if payload[0] == _OPENED else general.unpack(payload, length)

    def contents(self, payload: bytes, *, shared: bytes, length: int) -> list[Inside]:
        """The pixels and their coder, what the recipe takes, and the rest."""
        if payload[:1] != bytes([_OPENED]):
            return general.as_it_was(payload, length)
        return _inside(payload, length)


# --- encoding ---------------------------------------------------------------------------------------------


def _opened(data: bytes, effort: Effort) -> bytes | None:
    """The payload of a PNG whose image data can be deflated again; None: it is none."""
    from lithify.codecs.media.deflate.engine import open_stream

    png = take_png_apart(data)
    if png is None or len(png.image) <= _ZLIB_HEAD_BYTES + _ZLIB_SUM_BYTES or put_png_together(png) != data:
        return None
    stream = open_stream(png.image, _ZLIB_HEAD_BYTES, plain_max=limits.IMAGE_PLAIN_BYTES_MAX)
    if stream is None or stream.end + _ZLIB_SUM_BYTES > len(png.image):
        return None
    plain, told = stream.plain, png.image[stream.end : stream.end + _ZLIB_SUM_BYTES]
    behind = png.image[stream.end + _ZLIB_SUM_BYTES :]
    flags, body = _packed_image(png, plain, effort)
    sums = told if told != _sum(plain) else b""
    rest = png.image[:_ZLIB_HEAD_BYTES] + sums + piece(behind) + write_rest(png)
    payload = [bytes([_OPENED, flags | _OTHER_SUM * bool(sums)]), varint(len(rest)), piece(general.pack(rest, effort))]
    return b"".join([*payload, piece(stream.recipe), body])


def _packed_image(png: Png, plain: bytes, effort: Effort) -> tuple[int, bytes]:
    """The pixels of a picture and how its rows are filtered; or, where there is none to be seen, its plain bytes."""
    from lithify.codecs.media.png_rows import to_picture

    header = png.header
    if header is None or not _is_sound(header) or len(plain) != plain_length(header):
        return 0, _packed_plain(plain, effort)
    made = []
    seen = to_picture(plain, header)
    if seen is not None:
        picture, filters = seen
        packed_filters = piece(general.pack(filters, effort))
        palette = png.palette() if header.colour == _COLOUR_PALETTE else None
        colours = None if palette is None else _coloured(picture, palette)
        if colours is not None:
            coder, packed = encode_picture(colours, effort)
            made.append((_PIXELS | _COLOURS, packed_filters + bytes([coder]) + packed))
        by_names = coders_of_names(picture, effort) if palette is not None else ()
        coder, packed = encode_picture(picture, effort, by_names)
        made.append((_PIXELS, packed_filters + bytes([coder]) + packed))
    if not made or effort == "max" or header.depth < 8:
        made.append((0, _packed_plain(plain, effort)))
    return min(made, key=lambda one: len(one[1]))


def _packed_plain(plain: bytes, effort: Effort) -> bytes:
    """Filtered bytes as they are; more than the general codecs take are stored, and the file is kept otherwise."""
    fits = len(plain) <= limits.CHUNK_BYTES_MAX
    return varint(len(plain)) + (general.pack(plain, effort) if fits else bytes([general.STORED]) + plain)


def _sum(plain: Buffer) -> bytes:
    return zlib.adler32(plain).to_bytes(_ZLIB_SUM_BYTES, "big")


def _is_sound(header: Header) -> bool:
    return header.width * header.height * header.channels <= limits.IMAGE_SAMPLES_MAX


def _coloured(picture: Picture, palette: bytes) -> Picture | None:
    """Each pixel in its colour, with opacity only if some are not opaque; None if one has no colour."""
    colours = np.frombuffer(palette, np.uint8).reshape(-1, 4)
    if picture.max() >= len(colours):
        return None
    return cast("Picture", np.ascontiguousarray(_visible(colours)[picture[:, :, 0]]))


def _visible(colours: Picture) -> Picture:
    return colours if (colours[:, 3] != 255).any() else colours[:, :3]


def _indexed(coloured: Picture, palette: bytes) -> Picture:
    """The indices of pixels given by their colours. Raises Corrupt for a colour that the palette lacks."""
    colours = _visible(np.frombuffer(palette, np.uint8).reshape(-1, 4))
    weights = 1 << (8 * np.arange(colours.shape[1], dtype=np.int64))
    keys = colours.astype(np.int64) @ weights
    wanted = coloured.astype(np.int64) @ weights
    order = np.argsort(keys)
    places = np.minimum(np.searchsorted(keys[order], wanted), len(keys) - 1)
    if (keys[order][places] != wanted).any():
        raise Corrupt("a pixel has a colour that the palette lacks")
    return order[places].astype(np.uint8)[:, :, np.newaxis]


# --- decoding ---------------------------------------------------------------------------------------------


def _restored(payload: bytes, length: int) -> bytes:
    from lithify.codecs.media.deflate.engine import rebuild

    fields = Fields(payload[1:])
    flags = fields.byte()
    if flags & ~(_PIXELS | _COLOURS | _OTHER_SUM) or flags & (_PIXELS | _COLOURS) == _COLOURS:
        raise Corrupt(f"a PNG is kept with flags 0x{flags:02x}, which do not exist")
    rest_length = fields.number(length + 64 * limits.KIB, "the length of the rest")
    rest = Fields(general.unpack(fields.piece("the rest"), rest_length))
    head = rest.take(_ZLIB_HEAD_BYTES)
    sums = rest.take(_ZLIB_SUM_BYTES) if flags & _OTHER_SUM else None
    behind = rest.piece("what stands behind the image data")
    png = read_rest(rest.rest(), length)
    recipe = fields.piece("a recipe")
    plain = _image(png, flags, fields, min(limits.IMAGE_PLAIN_BYTES_MAX, _DEFLATE_RATIO_MAX * length))
    deflated = rebuild(plain, recipe, length_max=length)
    image = b"".join([head, deflated, sums or _sum(plain), behind])
    if len(image) != sum(png.cuts):
        raise Corrupt(f"image data have {len(image)} bytes, their chunks {sum(png.cuts)}")
    data = put_png_together(replace(png, image=image))
    if len(data) != length:
        raise Corrupt(f"a PNG has {len(data)} bytes, the chunk table says {length}")
    return data


def _inside(payload: bytes, length: int) -> list[Inside]:
    fields = Fields(payload[1:])
    flags = fields.byte()
    rest_length = fields.number(length + 64 * limits.KIB, "the length of the rest")
    packed = fields.piece("the rest")
    rest = Fields(general.unpack(packed, rest_length))
    rest.take(_ZLIB_HEAD_BYTES + _ZLIB_SUM_BYTES * bool(flags & _OTHER_SUM))
    rest.piece("what stands behind the image data")
    header = read_rest(rest.rest(), length).header
    recipe = fields.piece("a recipe")
    around = Inside("what stands around", general.name_of(packed), rest_length, len(packed))
    corrections = Inside("corrections", "raw.stored", len(recipe), len(recipe))
    if not flags & _PIXELS or header is None:
        plain = fields.number(_DEFLATE_RATIO_MAX * length, "the length of plain image data")
        body = fields.rest()
        return [Inside("rows, filtered", general.name_of(body), plain, len(body)), corrections, around]
    filters = fields.piece("the filters")
    coder, stored = fields.byte(), fields.left
    pixels = Inside(
        "pixels", CODER_NAMES.get(coder, f"0x{coder:02x}"), plain_length(header) - row_count(header), stored
    )
    rows = Inside("filters", general.name_of(filters), row_count(header), len(filters))
    return [pixels, rows, corrections, around]


def _image(png: Png, flags: int, fields: Fields, most: int) -> Buffer:
    """The plain bytes of the image data, at most so many."""
    if not flags & _PIXELS:
        plain_bytes = fields.number(most, "the length of plain image data")
        return general.unpack(fields.rest(), plain_bytes)
    from lithify.codecs.media.png_rows import to_plain

    header = png.header
    if header is None or not _is_sound(header) or plain_length(header) > most:
        raise LimitExceeded(f"a PNG has pixels, and its header says {header}; {most} bytes can be")
    filters = general.unpack(fields.piece("the filters"), row_count(header))
    palette = png.palette() if flags & _COLOURS else None
    coder = fields.byte()
    octets = 2 if header.depth == 16 else 1
    if not flags & _COLOURS:
        shape = Shape(header.height, header.width, header.channels, octets)
        return to_plain(decode_picture(coder, fields.rest(), shape), filters, header).data
    if palette is None or header.colour != _COLOUR_PALETTE:
        raise Corrupt("a PNG has colours of a palette that it lacks")
    channels = _visible(np.frombuffer(palette, np.uint8).reshape(-1, 4)).shape[1]
    shape = Shape(header.height, header.width, channels, octets)
    check_shape(shape, "a picture")
    return to_plain(_indexed(decode_picture(coder, fields.rest(), shape), palette), filters, header).data


def smallest_png() -> bytes:
    """Two by two grey pixels, by zlib."""
    rows = b"\0\1\2\4\3\4"
    header = bytes([0, 0, 0, 2, 0, 0, 0, 2, 8, 0, 0, 0, 0])
    image = zlib.compress(rows, 6)
    return put_png_together(Png([(b"IHDR", header)], image, [len(image)], [(b"IEND", b"")], b""))
