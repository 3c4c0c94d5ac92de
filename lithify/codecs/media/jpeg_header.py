"""What the segments of a JPEG say of its picture and scans. Trusts none of it: they may come from a damaged payload."""

from typing import NamedTuple

from lithify import limits
from lithify.errors import Corrupt, LimitExceeded

SOF0, SOF1, SOF2, DHT, SOI, EOI, SOS, DQT, DRI = 0xC0, 0xC1, 0xC2, 0xC4, 0xD8, 0xD9, 0xDA, 0xDB, 0xDD
_FRAMES = frozenset({SOF0, SOF1, SOF2})
_UNKNOWN = frozenset(range(0xC0, 0xD0)) - _FRAMES - {DHT} | {0xDC, 0xDE, 0xDF}
"""Arithmetic coding, hierarchies, heights told later: not for us."""
_SCANS_MAX = 256
_VISITS_MAX = 1 << 27
"""Blocks that scans pass over, together: 10 s."""
_COMPONENTS_MAX = 4
_SAMPLING_MAX = 4
_BLOCKS_PER_BYTE_MAX = 8
"""A block takes at least a bit of the scan that begins it."""

ZIGZAG = (
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5,
    12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21, 28,
    35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51,
    58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
)  # fmt: skip
"""Where the n-th coefficient of a scan stands in its block, row by row."""


class Component(NamedTuple):
    """A plane of a picture, in blocks."""

    identifier: int
    across: int
    """Blocks of it side by side in a unit of an interleaved scan."""
    down: int
    quantization: int
    columns: int
    """Blocks in a row, with those that fill up the last unit."""
    rows: int
    shown_columns: int
    """Blocks in a row that hold something of the picture."""
    shown_rows: int


class HuffmanTable(NamedTuple):
    """How many codes there are of each length from 1 to 16, and their symbols."""

    counts: bytes
    symbols: bytes


class ScanPart(NamedTuple):
    """A component in a scan, with the tables of its coefficients; None where there is none."""

    component: int
    dc: HuffmanTable | None
    ac: HuffmanTable | None


class Scan(NamedTuple):
    """One pass over some components."""

    parts: tuple[ScanPart, ...]
    first: int
    last: int
    high: int
    """Bits below which coefficients are known; 0: nothing is."""
    low: int
    """Bits below which they stay unknown."""
    restart: int
    """Units between two restart markers; 0: there are none."""
    at: int
    """Where in the header its data belongs: behind its own segment."""


class Recipe(NamedTuple):
    """What coefficients do not say of a scan's data."""

    padding: int
    """The bit that fills up bytes."""
    tail: bytes
    """What stands behind the last of them, as it stands there."""


class Picture(NamedTuple):
    """A JPEG without the data of its scans."""

    progressive: bool
    components: tuple[Component, ...]
    tables: tuple[tuple[int, ...], ...]
    """Of each component the 64 steps of its coefficients, row by row."""
    scans: tuple[Scan, ...]
    units_across: int
    units_down: int

    @property
    def blocks(self) -> int:
        """Of all components."""
        return sum(one.columns * one.rows for one in self.components)


class _Reader:
    def __init__(self, header: bytes, length: int) -> None:
        self._header, self._length = header, length
        self._quantization: dict[int, tuple[int, ...]] = {}
        self._huffman: dict[int, HuffmanTable] = {}
        self._restart = 0
        self._picture: Picture | None = None
        self._chosen: list[int] = []
        self._scans: list[Scan] = []

    def read(self) -> Picture:
        header, at = self._header, 2
        if header[:2] != bytes((0xFF, SOI)):
            raise Corrupt("the segments of a JPEG do not begin with its SOI")
        while at < len(header):
            marker, end = self._segment(at)
            body = header[at + 4 : end]
            if marker == SOS:
                self._scan(body, end)
            elif marker == DHT:
                self._huffman_tables(body)
            elif marker == DQT:
                self._quantization_tables(body)
            elif marker == DRI:
                self._restart = int.from_bytes(body[:2], "big")
            elif marker in _FRAMES:
                self._frame(marker, body)
            elif marker in _UNKNOWN:
                raise Corrupt(f"a JPEG has a segment 0x{marker:02x}, which the coder of coefficients does not know")
            at = end
        return self._finished()

    def _segment(self, at: int) -> tuple[int, int]:
        """Its marker and its end."""
        header = self._header
        marker = header[at + 1] if at + 1 < len(header) else 0
        if header[at] != 0xFF or marker < 0xC0:
            raise Corrupt(f"byte {at} of the segments of a JPEG is no marker")
        if marker == EOI:
            return marker, at + 2
        end = at + 2 + int.from_bytes(header[at + 2 : at + 4], "big")
        if not at + 4 <= end <= len(header):
            raise Corrupt(f"segment 0x{marker:02x} at byte {at} ends at byte {end} of {len(header)}")
        return marker, end

    def _finished(self) -> Picture:
        if self._picture is None or not self._scans:
            raise Corrupt("the segments of a JPEG name no picture, or none of its scans")
        flat = (1,) * 64
        tables = tuple(self._quantization.get(one.quantization, flat) for one in self._picture.components)
        return self._picture._replace(scans=tuple(self._scans), tables=tables)

    def _quantization_tables(self, body: bytes) -> None:
        at = 0
        while at < len(body):
            wide, number = body[at] >> 4, body[at] & 15
            size = 128 if wide else 64
            values = body[at + 1 : at + 1 + size]
            if wide > 1 or number > 3 or len(values) != size:
                raise Corrupt("a quantization table of a JPEG is not as the standard says")
            steps = [0] * 64
            for n, place in enumerate(ZIGZAG):
                steps[place] = int.from_bytes(values[2 * n : 2 * n + 2], "big") if wide else values[n]
            self._quantization[number] = tuple(max(step, 1) for step in steps)
            at += 1 + size

    def _huffman_tables(self, body: bytes) -> None:
        at = 0
        while at < len(body):
            name, counts = body[at], body[at + 1 : at + 17]
            symbols = body[at + 17 : at + 17 + sum(counts)]
            room = 1 << 16
            for length, count in enumerate(counts, 1):
                room -= count << (16 - length)
            if name & 0xEC or len(counts) != 16 or len(symbols) != sum(counts) or len(symbols) > 256 or room < 0:
                raise Corrupt("a Huffman table of a JPEG is not as the standard says")
            self._huffman[name] = HuffmanTable(counts, symbols)
            at += 17 + len(symbols)

    def _frame(self, marker: int, body: bytes) -> None:
        count = body[5] if len(body) > 5 else 0
        height, width = int.from_bytes(body[1:3], "big"), int.from_bytes(body[3:5], "big")
        if self._picture is not None or not 1 <= count <= _COMPONENTS_MAX or len(body) != 6 + 3 * count:
            raise Corrupt("a JPEG has two frames, or one of another length than its components take")
        named = [body[6 + 3 * n : 9 + 3 * n] for n in range(count)]
        sampling = [(one[1] >> 4, one[1] & 15) for one in named] if count > 1 else [(1, 1)]
        sampled = all(1 <= x <= _SAMPLING_MAX for both in sampling for x in both)
        if body[0] != 8 or not (height and width and sampled):
            raise Corrupt("a frame of a JPEG has no area, no 8 bits a sample, or samples it unlike the standard")
        across, down = max(one for one, _ in sampling), max(one for _, one in sampling)
        units_across, units_down = -(-width // (8 * across)), -(-height // (8 * down))
        components = tuple(
            Component(
                one[0], h, v, one[2], units_across * h, units_down * v, -(-width * h // (8 * across)),
                -(-height * v // (8 * down)),
            )
            for one, (h, v) in zip(named, sampling, strict=True)
        )  # fmt: skip
        self._picture = Picture(marker == SOF2, components, (), (), units_across, units_down)
        most = min(limits.IMAGE_SAMPLES_MAX // 64, _BLOCKS_PER_BYTE_MAX * self._length)
        if self._picture.blocks > most:
            raise LimitExceeded(
                f"a JPEG of {self._length} bytes claims {self._picture.blocks} blocks; at most {most} can be"
            )

    def _scan(self, body: bytes, end: int) -> None:
        picture = self._picture
        count = body[0] if body else 0
        if picture is None or not 1 <= count <= len(picture.components) or len(body) != 4 + 2 * count:
            raise Corrupt("a scan of a JPEG stands before its frame, or has another length than its components take")
        if len(self._scans) == _SCANS_MAX or len(self._scans) * picture.blocks > _VISITS_MAX:
            raise LimitExceeded(f"a JPEG of {picture.blocks} blocks has more than {len(self._scans)} scans")
        first, last, high, low = body[-3], body[-2], body[-1] >> 4, body[-1] & 15
        parts = tuple(self._part(picture, body[1 + 2 * n], body[2 + 2 * n]) for n in range(count))
        self._scans.append(Scan(parts, first, last, high, low, self._restart, end))
        if [part.component for part in parts] != sorted({part.component for part in parts}):
            raise Corrupt("a scan of a JPEG names components twice, or not in their order")
        if picture.progressive:
            sound = first == last == 0 or (0 < first <= last < 64 and count == 1)
            sound = sound and low <= 13 and high in {0, low + 1}
        else:
            sound = (first, last, high, low) == (0, 63, 0, 0)
        if not sound:
            raise Corrupt(f"a scan of a JPEG is of coefficients {first} to {last}, bits {high} to {low}")

    def _part(self, picture: Picture, identifier: int, tables: int) -> ScanPart:
        found = [n for n, one in enumerate(picture.components) if one.identifier == identifier]
        if len(found) != 1:
            raise Corrupt(f"a scan of a JPEG names component {identifier}, which is not there once")
        return ScanPart(found[0], self._huffman.get(tables >> 4), self._huffman.get(0x10 | tables & 15))


def read_header(header: bytes, length: int) -> Picture:
    """The picture in a JPEG of `length` bytes of which `header` is all but the data of the scans.

    Raises Corrupt for what the coder of coefficients does not know, LimitExceeded for more blocks than `length`
    bytes can hold.
    """
    return _Reader(header, length).read()
