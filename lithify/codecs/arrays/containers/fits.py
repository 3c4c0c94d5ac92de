"""FITS: units of a header (cards of 80 characters) and big-endian data, both padded to 2,880 bytes."""

import re
from collections.abc import Mapping
from math import prod
from typing import Any

import numpy as np

from lithify.codecs.arrays.containers.bytes_reader import Bytes, BytesReader
from lithify.codecs.arrays.containers.variable import Variable, bytes_at, of_dtype
from lithify.errors import Corrupt, Truncated

_BLOCK_BYTES = 2880
_CARD_BYTES = 80
_RANK_MAX = 16
_UNITS_MAX = 10_000
_CARDS_MAX = 100_000
_TYPES = {"8": "u1", "16": ">i2", "32": ">i4", "64": ">i8", "-32": ">f4", "-64": ">f8"}
_COLUMN = re.compile(r"(\d*)([A-Z])")
_COLUMNS = {"B": "u1", "I": ">i2", "J": ">i4", "K": ">i8", "E": ">f4", "D": ">f8", "C": ">c8", "M": ">c16"}
_OTHER_COLUMNS = {"L": 1, "A": 1, "P": 8, "Q": 16}
_Header = Mapping[str, str]


def find(data: Bytes, length: int) -> list[Variable]:
    """Images, and the columns of binary tables, of all units; what follows a broken unit is left alone."""
    found: list[Variable] = []
    reader = BytesReader(data)
    for number in range(_UNITS_MAX):
        if reader.at >= length:
            break
        try:
            header = _header(reader)
        except Truncated:
            break  # of a file of which only the begin is at hand, or with something else at its end
        sides = [_number(header, f"NAXIS{axis}") for axis in range(1, 1 + _number(header, "NAXIS", most=_RANK_MAX))]
        kind = header.get("XTENSION", "").strip("' ")
        if kind == "BINTABLE":
            found += _table(header, sides, reader.at, number)
        elif kind in ("", "IMAGE"):
            found += _image(header, sides, reader.at, number)
        elements = prod(sides) if sides else 0
        if sides and not sides[0] and header.get("GROUPS") == "T":
            elements = prod(sides[1:])
        count = max(_number(header, "GCOUNT", 1), 1) * (_number(header, "PCOUNT", 0) + elements)
        reader.at += _padded(_type(header).itemsize * count)
    return found


def _header(reader: BytesReader) -> dict[str, str]:
    """The values of its cards, without comments; the reader is then behind its padding."""
    start = reader.at
    found: dict[str, str] = {}
    for _ in range(_CARDS_MAX):
        card = reader.take(_CARD_BYTES).decode("latin-1")
        name = card[:8].rstrip()
        if name == "END":
            reader.at = start + _padded(reader.at - start)
            return found
        if card[8:10] == "= ":
            found[name] = card[10:].split("/")[0].strip() if "'" not in card else card[10:].strip().split("' ")[0]
    raise Corrupt("a FITS header without an end")


def _number(header: _Header, name: str, default: int | None = None, *, most: int = 1 << 40) -> int:
    text = header.get(name)
    if text is None and default is not None:
        return default
    if text is None or not re.fullmatch(r"\d{1,12}", text) or int(text) > most:
        raise Corrupt(f"FITS card {name} says {text!r:.80}")
    return int(text)


def _type(header: _Header) -> np.dtype[Any]:
    """Of an element."""
    if header.get("BITPIX") not in _TYPES:
        raise Corrupt(f"FITS card BITPIX says {header.get('BITPIX')!r:.80}")
    return np.dtype(_TYPES[header["BITPIX"]])


def _padded(count: int) -> int:
    return count + -count % _BLOCK_BYTES


def _is_loose(header: _Header) -> bool:
    """Values under a checksum stay as they are: a reader would find it wrong."""
    return "DATASUM" not in header and "CHECKSUM" not in header


def _image(header: _Header, sides: list[int], at: int, number: int) -> list[Variable]:
    if not sides or not prod(sides) or "GROUPS" in header:
        return []
    dtype = _type(header)
    is_data = len(sides) >= 2 and _is_loose(header)
    extent = bytes_at(tuple(reversed(sides)), dtype.itemsize, at)
    return of_dtype(dtype, Variable(_name(header, number), extent, data=is_data, sealed=not _is_loose(header)))


def _table(header: _Header, sides: list[int], at: int, number: int) -> list[Variable]:
    """Each column as an array whose first stride is the length of a row."""
    if len(sides) != 2 or not prod(sides):
        return []
    fields = []
    for column in range(1, 1 + _number(header, "TFIELDS", most=999)):
        match = _COLUMN.match(header.get(f"TFORM{column}", "").strip("' "))
        if match is None:
            return []
        fields.append(_field(int(match[1] or 1), match[2]))
    dtype = np.dtype([(str(place), field) for place, field in enumerate(fields) if field.itemsize])
    if dtype.itemsize != sides[0]:
        return []
    rows = bytes_at((sides[1],), sides[0], at)
    return of_dtype(dtype, Variable(_name(header, number), rows, sealed=not _is_loose(header)))


def _field(count: int, code: str) -> np.dtype[np.void]:
    if code in _COLUMNS:
        return np.dtype((_COLUMNS[code], (count,)))
    width = -(-count // 8) if code == "X" else count * _OTHER_COLUMNS.get(code, 0)
    return np.dtype(f"V{width}") if width < 1 << 31 else np.dtype("V1")


def _name(header: _Header, number: int) -> str:
    return header.get("EXTNAME", "").strip("' ") or (str(number) if number else "")
