"""Files that hold arrays, made byte by byte: what the readers of containers are tried on."""

import io
import struct
import warnings
import zipfile
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[Any]


def smooth(shape: Sequence[int], dtype: str, seed: int = 0) -> Numbers:
    """Waves with a little noise: what neighbours say something about."""
    chance = np.random.default_rng(seed)
    axes = np.meshgrid(*(np.linspace(0, 3, side) for side in shape), indexing="ij") if shape else []
    waves = sum((np.sin(axis * (1 + number)) for number, axis in enumerate(axes)), np.zeros(tuple(shape)))
    noisy = waves + chance.normal(0, 0.01, tuple(shape))
    kind = np.dtype(dtype)
    if kind.kind in "iu":
        largest = float(np.iinfo(kind).max)
        return (np.abs(noisy) / 8 * min(largest, 20_000)).astype(kind)
    return noisy.astype(kind)


def npy(values: Numbers, *, fortran: bool = False, version: tuple[int, int] | None = None) -> bytes:
    """As numpy.save writes it."""
    file = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # numpy warns of the versions that only odd types need
        np.lib.format.write_array(file, np.asfortranarray(values) if fortran else values, version=version)
    return file.getvalue()


def zipped(members: Mapping[str, bytes], *, compressed: bool = False) -> bytes:
    """A zip file of these members."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED if compressed else zipfile.ZIP_STORED)
    return file.getvalue()


# --- NetCDF 3 -----------------------------------------------------------------------------------------


@dataclass
class Nc3Variable:
    """A variable of a NetCDF 3 file; its values have a first axis of records if `dimensions` begins with `time`."""

    name: str
    dimensions: Sequence[str]
    values: Numbers
    attributes: Mapping[str, Any] = field(default_factory=dict)


_NC3_TYPES = {
    "i1": 1, "S1": 2, "i2": 3, "i4": 4, "f4": 5, "f8": 6, "u1": 7, "u2": 8, "u4": 9, "i8": 10, "u8": 11,
}  # fmt: skip


def netcdf3(
    variables: Sequence[Nc3Variable], *, version: int = 1, records: str = "time", streaming: bool = False
) -> bytes:
    """A NetCDF 3 file: 1 classic, 2 with 64-bit offsets, 5 with 64-bit counts. Dimension `records` is unlimited."""
    count = struct.Struct(">q" if version == 5 else ">i").pack
    offset = struct.Struct(">i" if version == 1 else ">q").pack
    sizes: dict[str, int] = {}
    for one in variables:
        sizes.update(zip(one.dimensions, one.values.shape, strict=True))
    names = list(sizes)

    def text(word: str) -> bytes:
        raw = word.encode()
        return count(len(raw)) + raw + bytes(-len(raw) % 4)

    def attribute(name: str, value: Any) -> bytes:
        if isinstance(value, str):
            return text(name) + struct.pack(">i", 2) + text(value)
        array = np.atleast_1d(np.asarray(value))
        raw = array.astype(array.dtype.newbyteorder(">")).tobytes()
        kind = _NC3_TYPES[array.dtype.str[1:]]
        return text(name) + struct.pack(">i", kind) + count(array.size) + raw + bytes(-len(raw) % 4)

    def listed(tag: int, items: Sequence[bytes]) -> bytes:
        return struct.pack(">i", tag if items else 0) + count(len(items)) + b"".join(items)

    def is_recorded(one: Nc3Variable) -> bool:
        return bool(one.dimensions) and one.dimensions[0] == records

    def raw(one: Nc3Variable) -> bytes:
        return one.values.astype(one.values.dtype.newbyteorder(">")).tobytes()

    recorded = [one for one in variables if is_recorded(one)]
    number = sizes.get(records, 0)
    slices = {one.name: len(raw(one)) // max(number, 1) for one in recorded}
    alone = len(recorded) == 1

    def head(begins: Mapping[str, int]) -> bytes:
        dimensions = [text(name) + count(0 if name == records else sizes[name]) for name in names]
        declared = []
        for one in variables:
            kind = _NC3_TYPES[one.values.dtype.str[1:]]
            size = slices[one.name] if is_recorded(one) else len(raw(one))
            declared.append(
                text(one.name)
                + count(len(one.dimensions))
                + b"".join(count(names.index(name)) for name in one.dimensions)
                + listed(12, [attribute(*pair) for pair in one.attributes.items()])
                + struct.pack(">i", kind)
                + count(size + -size % 4)
                + offset(begins[one.name])
            )
        told = b"\xff" * (8 if version == 5 else 4) if streaming else count(number)
        return (
            b"CDF" + bytes([version]) + told
            + listed(10, dimensions) + listed(12, [attribute("title", "made for a test")]) + listed(11, declared)
        )  # fmt: skip

    at, begins, body = len(head({one.name: 0 for one in variables})), {}, b""
    for one in variables:
        if not is_recorded(one):
            begins[one.name] = at + len(body)
            body += raw(one) + bytes(-len(raw(one)) % 4)
    place = at + len(body)
    for one in recorded:
        begins[one.name] = place
        place += slices[one.name] + (0 if alone else -slices[one.name] % 4)
    for record in range(number):
        for one in recorded:
            size = slices[one.name]
            body += raw(one)[record * size : (record + 1) * size] + bytes(0 if alone else -size % 4)
    return head(begins) + body


# --- NIfTI, FITS, TIFF --------------------------------------------------------------------------------

_NIFTI_TYPES = {
    "u1": 2, "i2": 4, "i4": 8, "f4": 16, "c8": 32, "f8": 64, "i1": 256, "u2": 512, "u4": 768, "i8": 1024, "u8": 1280,
    "c16": 1792,
}  # fmt: skip


def nifti(values: Numbers, *, version: int = 1, order: str = "<") -> bytes:
    """A NIfTI file in one piece."""
    sides = [values.ndim, *reversed(values.shape), *[1] * (7 - values.ndim)]
    kind, depth = _NIFTI_TYPES[values.dtype.str[1:]], values.dtype.itemsize * 8
    if version == 1:
        header = bytearray(352)
        struct.pack_into(order + "i", header, 0, 348)
        struct.pack_into(order + "8h", header, 40, *sides)
        struct.pack_into(order + "hh", header, 70, kind, depth)
        struct.pack_into(order + "f", header, 108, 352.0)
        header[344:348] = b"n+1\0"
    else:
        header = bytearray(544)
        struct.pack_into(order + "i", header, 0, 540)
        header[4:12] = b"n+2\0\r\n\x1a\n"
        struct.pack_into(order + "hh8q", header, 12, kind, depth, *sides)
        struct.pack_into(order + "q", header, 168, 544)
    return bytes(header) + values.astype(values.dtype.newbyteorder("<" if order == "<" else ">")).tobytes()


def fits(images: Sequence[Numbers], *, table: Numbers | None = None, checksum: bool = False) -> bytes:
    """A FITS file of images, and perhaps a binary table at its end."""
    units = []
    for number, image in enumerate(images):
        depth = image.dtype.itemsize * (-8 if image.dtype.kind == "f" else 8)
        cards = [
            ("SIMPLE", "T") if not number else ("XTENSION", "'IMAGE   '"),
            ("BITPIX", depth),
            ("NAXIS", image.ndim),
        ]
        cards += [(f"NAXIS{axis}", side) for axis, side in enumerate(reversed(image.shape), start=1)]
        cards += [("PCOUNT", 0), ("GCOUNT", 1)] if number else []
        cards += [("DATASUM", "'1234567 '")] if checksum else []
        units.append(_fits_unit(cards, image.astype(image.dtype.newbyteorder(">")).tobytes()))
    if table is not None:
        cards = [("XTENSION", "'BINTABLE'"), ("BITPIX", 8), ("NAXIS", 2), ("NAXIS1", table.dtype.itemsize)]
        cards += [("NAXIS2", len(table)), ("PCOUNT", 0), ("GCOUNT", 1), ("TFIELDS", len(table.dtype.names or ()))]
        codes = {"f4": "E", "f8": "D", "i2": "I", "i4": "J", "u1": "B", "S5": "5A"}
        for place, name in enumerate(table.dtype.names or (), start=1):
            inner = table.dtype[name]
            base, shape = inner.subdtype or (inner, ())
            cards.append((f"TFORM{place}", f"'{int(np.prod(shape)) if shape else ''}{codes[base.str[1:]]}'"))
        units.append(_fits_unit(cards, table.tobytes()))
    return b"".join(units)


def _fits_unit(cards: Sequence[tuple[str, Any]], data: bytes) -> bytes:
    text = "".join(f"{name:<8}= {value!s:>20} / of a test".ljust(80)[:80] for name, value in cards) + "END".ljust(80)
    header = text.encode("ascii")
    return header + b" " * (-len(header) % 2880) + data + bytes(-len(data) % 2880)


def tiff(
    pages: Sequence[Numbers],
    *,
    order: str = "<",
    big: bool = False,
    rows: int = 0,
    tile: int = 0,
    predictor: int = 0,
    packed: Callable[[bytes], bytes] | None = None,
) -> bytes:
    """Pages (y, x) or (y, x, samples), in strips of `rows` rows (0: one strip) or square tiles, with gaps between.

    predictor  0: plain; 1: deflated; 2, 3: told as differences before
    packed     instead of deflating them: `lzw`
    """
    code, size = ("Q", 8) if big else ("I", 4)
    out = bytearray(struct.pack(order + "2sHHHQ", b"II" if order == "<" else b"MM", 43, 8, 0, 0))
    if not big:
        out = bytearray(struct.pack(order + "2sHI", b"II" if order == "<" else b"MM", 42, 0))
    link = len(out) - size
    for page in pages:
        stored = page.astype(page.dtype.newbyteorder("<" if order == "<" else ">"))
        samples = page.shape[2] if page.ndim == 3 else 1
        pieces = _tiff_pieces(stored, rows, tile)
        if predictor:
            row = (tile or page.shape[1]) * samples
            pack = packed or zlib.compress
            pieces = [pack(_tiff_told(piece, stored.dtype, row, samples, predictor)) for piece in pieces]
        offsets = []
        for piece in pieces:
            out += b"gap"
            offsets.append(len(out))
            out += piece
        kind = {"u": 1, "i": 2, "f": 3}[page.dtype.kind]
        tags: dict[int, tuple[str, Sequence[int]]] = {
            256: (code, [page.shape[1]]), 257: (code, [page.shape[0]]), 258: ("H", [page.dtype.itemsize * 8] * samples),
            259: ("H", [1 if not predictor else 8 if packed is None else 5]), 277: ("H", [samples]), 284: ("H", [1]),
            339: ("H", [kind] * samples),
        }  # fmt: skip
        if predictor:
            tags[317] = ("H", [predictor])
        lengths = [len(piece) for piece in pieces]
        if tile:
            tags |= {322: ("H", [tile]), 323: ("H", [tile]), 324: (code, offsets), 325: (code, lengths)}
        else:
            tags |= {273: (code, offsets), 278: ("H", [rows or page.shape[0]]), 279: (code, lengths)}
        entries = b""
        for tag in sorted(tags):
            letter, numbers = tags[tag]
            raw = struct.pack(f"{order}{len(numbers)}{letter}", *numbers)
            if len(raw) > size:
                place, raw = len(out), raw + bytes(-len(raw) % 2)
                out += raw
                raw = struct.pack(order + code, place)
            entries += struct.pack(order + "HH" + code, tag, {"H": 3, "I": 4, "Q": 16}[letter], len(numbers))
            entries += raw.ljust(size, b"\0")
        out[link : link + size] = struct.pack(order + code, len(out))
        out += struct.pack(order + ("Q" if big else "H"), len(tags)) + entries + bytes(size)
        link = len(out) - size
    return bytes(out)


def _tiff_told(piece: bytes, dtype: np.dtype[Any], row: int, step: int, predictor: int) -> bytes:
    numbers = np.frombuffer(piece, dtype).reshape(-1, row)
    if predictor == 2:
        numbers = numbers.view(f"{dtype.byteorder}u{dtype.itemsize}")
    if predictor == 3:
        octets = numbers.astype(dtype.newbyteorder(">")).view("u1").reshape(-1, row, dtype.itemsize)
        numbers = octets.transpose(0, 2, 1).reshape(len(octets), -1)
    told = numbers.copy()
    if predictor > 1:
        told[:, step:] -= numbers[:, :-step]
    return told.tobytes()


def lzw(data: bytes, *, most: int = 4094) -> bytes:
    """A strip as TIFF's document says; its table is cleared when it has so many codes."""
    codes, known, before, sizes = [256], {bytes([n]): n for n in range(256)}, b"", [9]
    for octet in data:
        phrase = before + bytes([octet])
        if phrase in known:
            before = phrase
            continue
        codes.append(known[before])
        sizes.append(_lzw_bits(len(known)))
        known[phrase] = len(known) + 2
        before = phrase[-1:]
        if len(known) + 2 >= most:
            codes.append(256)
            sizes.append(_lzw_bits(len(known)))
            known = {bytes([n]): n for n in range(256)}
    codes += [known[before], 257]
    sizes += [_lzw_bits(len(known)), _lzw_bits(len(known) + 1)]
    text = "".join(f"{code:0{size}b}" for code, size in zip(codes, sizes, strict=True))
    return int(text.ljust(-(-len(text) // 8) * 8, "0"), 2).to_bytes(-(-len(text) // 8), "big")


def _lzw_bits(known: int) -> int:
    return max(9, (known + 2).bit_length())


def _tiff_pieces(page: Numbers, rows: int, tile: int) -> list[bytes]:
    if not tile:
        step = rows or len(page)
        return [page[at : at + step].tobytes() for at in range(0, len(page), step)]
    padded = np.pad(page, [(0, -side % tile) for side in page.shape[:2]] + [(0, 0)] * (page.ndim - 2), mode="edge")
    return [
        np.ascontiguousarray(padded[y : y + tile, x : x + tile]).tobytes()
        for y in range(0, padded.shape[0], tile)
        for x in range(0, padded.shape[1], tile)
    ]


# --- GRIB ---------------------------------------------------------------------------------------------


def packed_bits(numbers: Numbers, bits: int) -> bytes:
    """Whole numbers of so many bits, most significant first."""
    if not bits:
        return b""
    text = "".join(f"{int(number):0{bits}b}" for number in numbers.reshape(-1))
    return int(text.ljust(-(-len(text) // 8) * 8, "0"), 2).to_bytes(-(-len(text) // 8), "big")


def grib1(
    frames: Numbers, bits: int, *, parameter: int = 167, pack: Callable[[Numbers], "tuple[int, bytes]"] | None = None
) -> bytes:
    """A message of edition 1 for each frame (rows, columns) of whole numbers.

    pack  gives the flags of section 4 and what is in it from the bits on; None: simple packing
    """
    messages = []
    for number, frame in enumerate(frames):
        data = packed_bits(frame, bits)
        unused, said = len(data) * 8 - frame.size * bits, bytes([bits]) + data
        if pack is not None:
            unused, said = pack(frame)
        product = _three(28) + bytes([128, 98, 1, 0, 0x80, parameter, 1, 0, 0, number % 256]) + bytes(15)
        grid = _three(32) + bytes([0, 255, 0]) + struct.pack(">HH", frame.shape[1], frame.shape[0]) + bytes(22)
        values = _three(10 + len(said)) + bytes([unused]) + struct.pack(">HI", 0x8009, 0x43123456 + number) + said
        body = product + grid + values + b"7777"
        messages.append(b"GRIB" + _three(8 + len(body)) + b"\x01" + body)
    return b"".join(messages)


def second_order(order: int, *, length: int = 13, backwards: bool = False) -> Callable[[Numbers], tuple[int, bytes]]:
    """General extended second-order packing, in groups of some length, of differences of some order.

    backwards  whether every other row runs backwards
    """

    def pack(frame: Numbers) -> tuple[int, bytes]:
        rows = frame.astype(np.int64).reshape(frame.shape[-2:])
        if backwards:
            rows = np.where(np.arange(len(rows))[:, None] % 2, rows[:, ::-1], rows)
        numbers = rows.reshape(-1)
        told = np.diff(numbers, order)
        least = int(told.min()) if order else 0
        told -= least
        groups = [told[at : at + length] for at in range(0, len(told), length)]
        firsts = np.array([group.min() for group in groups])
        widths = np.array([int(group.max() - group.min()).bit_length() for group in groups])
        begin = [*numbers[:order].tolist(), abs(least)]
        begin_bits = 1 + max(one.bit_length() for one in begin)
        begin[-1] |= (least < 0) << (begin_bits - 1)
        text = "".join(
            f"{one - low:0{width}b}"
            for group, low, width in zip(groups, firsts.tolist(), widths.tolist(), strict=True)
            for one in group.tolist()
            if width
        )
        body = int(text.ljust(-(-len(text) // 8) * 8, "0"), 2).to_bytes(-(-len(text) // 8), "big") if text else b""
        bits = max(1, int(firsts.max()).bit_length())
        head = struct.pack(">BHBHHHBBBH", bits, 0, 0x18 | backwards << 2 | order, 0, len(groups), 0, 0, 5, 6, 0)
        head += bytes([begin_bits]) + packed_bits(np.array(begin), begin_bits) if order else b""
        head += packed_bits(widths, 5) + packed_bits(np.array([len(one) for one in groups]), 6)
        found = head + packed_bits(firsts, bits) + body
        return 0x40, found + bytes(len(found) % 2)

    return pack


Packed2 = tuple[int, bytes, bytes]
"""Of values in GRIB 2: the number of the template, what section 5 says behind the scales, section 7."""


def grib2(
    frames: Numbers, bits: int, *, decimal: int = 0, pack: Callable[[Numbers, int], Packed2] | None = None
) -> bytes:
    """A message of edition 2 for each frame (rows, columns) of whole numbers, simply packed unless told otherwise."""
    messages = []
    for number, frame in enumerate(frames):
        template, said, data = (0, bytes([bits, 0]), packed_bits(frame, bits)) if pack is None else pack(frame, bits)
        sections = _section(1, bytes(16) + bytes([number % 256]))
        grid = struct.pack(">BIBBHB", 0, frame.size, 0, 0, 0, 6) + bytes(15)
        sections += _section(3, grid + struct.pack(">II", frame.shape[1], frame.shape[0]) + bytes(30))
        sections += _section(4, struct.pack(">HH", 0, 0) + bytes(25))
        scales = struct.pack(">fHH", 273.5 + number, 0x8009, decimal)
        sections += _section(5, struct.pack(">IH", frame.size, template) + scales + said)
        sections += _section(6, b"\xff") + _section(7, data) + b"7777"
        messages.append(b"GRIB" + bytes([0, 0, 0, 2]) + struct.pack(">Q", 16 + len(sections)) + sections)
    return b"".join(messages)


def ccsds(frame: Numbers, bits: int) -> Packed2:
    """Values by CCSDS 121.0, as ECMWF packs them; the library is another than ours."""
    import imagecodecs

    dtype = np.dtype(f">u{1 if bits <= 8 else 2 if bits <= 16 else 4}")
    encode: Any = imagecodecs.aec_encode
    data = encode(frame.astype(dtype).tobytes(), bitspersample=bits, flags=12, blocksize=32, rsi=128)
    return 42, bytes([bits, 0]) + struct.pack(">BBH", 14, 32, 128), bytes(data)


def jpeg2000(frame: Numbers, bits: int) -> Packed2:
    """Values as pixels."""
    import imagecodecs

    encode: Any = imagecodecs.jpeg2k_encode
    pixels = frame.astype(np.uint16)
    return (
        40,
        bytes([bits, 0, 0, 255]),
        bytes(encode(pixels, level=0, codecformat="j2k", reversible=True, bitspersample=bits)),
    )


def grouped(order: int, *, length: int = 13, missing: int = 0) -> Callable[[Numbers, int], Packed2]:
    """Values in groups of some length, as first or second differences if the order is 1 or 2.

    missing  how many kinds of missing values are managed: numbers 2^24 - 1 and 2^24 - 2 are those
    """

    def pack(frame: Numbers, bits: int) -> Packed2:
        kinds = [max(0, (1 << 24) - int(one)) for one in frame.reshape(-1)]
        kinds = [kind if kind <= missing else 0 for kind in kinds]
        numbers = [int(one) for one, kind in zip(frame.reshape(-1), kinds, strict=True) if not kind]
        told = numbers[:]
        for _ in range(order):
            told = [after - before for before, after in pairwise(told)]
        least = min(told) if order else 0
        there = iter([0] * order + [one - least for one in told])
        every = [-kind if kind else next(there) for kind in kinds]
        groups = [every[at : at + length] for at in range(0, len(every), length)]
        lows = [min((one for one in group if one >= 0), default=0) for group in groups]
        most = (max(lows) + missing).bit_length()
        references = [
            group[0] + (1 << most) if max(group) < 0 and len({*group}) == 1 else low
            for group, low in zip(groups, lows, strict=True)
        ]
        widths = [
            (max(group) - low + missing).bit_length() if len({*group}) > 1 else 0
            for group, low in zip(groups, lows, strict=True)
        ]
        begin = b"".join(_sign_and_size(one) for one in (*numbers[:order], least)) if order else b""
        head = begin + packed_bits(np.array(references), most) + packed_bits(np.array(widths), 5)
        text = "".join(
            f"{one - low if one >= 0 else one + (1 << width):0{width}b}"
            for group, low, width in zip(groups, lows, widths, strict=True)
            for one in group
            if width
        )
        body = int(text.ljust(-(-len(text) // 8) * 8, "0"), 2).to_bytes(-(-len(text) // 8), "big") if text else b""
        said = struct.pack(">BBBIIIBBIBIB", 0, 1, missing, 0, 0, len(groups), 0, 5, length, 1, len(groups[-1]), 0)
        said = bytes([most]) + said + (bytes([order, 3]) if order else b"")
        return 3 if order else 2, said, head + body

    return pack


def _sign_and_size(number: int) -> bytes:
    return (abs(number) | (number < 0) << 23).to_bytes(3, "big")


def _section(number: int, body: bytes) -> bytes:
    return struct.pack(">IB", 5 + len(body), number) + body


def _three(number: int) -> bytes:
    return number.to_bytes(3, "big")
