"""A second decoder of the logs family, written from lithify/codecs/logs/FORMAT.md: the executable specification.

Slow and plain on purpose, and nothing of the codec's kernels is used: if it gives what the codec gives, the document
says enough. Section titles are the document's. zstd, LZMA2 and PPMd come from their libraries, coders 6 and 7 from
mixing.py, which has a document of its own. It is for right payloads: of what a decoder must reject it notices little.
"""

import lzma
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from itertools import accumulate, pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyppmd
import zstandard

from lithify.codecs.logs.mixing import Learnt, LearntRecords, decode_records, decode_text

U64 = (1 << 64) - 1
WORD, NUMBER, MIXED, ADDRESS, TIME, GROUP = range(6)
HEAD, TEMPLATES, COLUMNS, LINES, LINES_FAR, CODES, FAR, WIDTH_1 = range(8)
MAGNITUDES, LOW_BITS, ESCAPES, GROUPS, WORDS, HEX, LEFT = range(15, 22)
INDEX = 23
LOGARITHM = 9


def decode(payload: bytes, length: int, primer: bytes | None = None) -> bytes:
    """The block of `length` bytes that a payload holds; `primer` is what the frame's params name, if they do."""
    method, rest = payload[0], payload[1:]
    learnt = Primer(primer) if primer else None
    if method == 0:
        return _block(Streams(rest, learnt), length)
    if method == 1:
        assert learnt is not None
        return _unzstd(rest, learnt.text)
    if method == 2:
        assert learnt is not None
        return _gone_on(learnt.text, rest, length)
    if method == 6:
        assert learnt is not None
        return _behind(Streams(rest, learnt, behind=True), length, learnt)
    if method == 3:
        return _unzstd(rest)
    return {4: _unxz, 5: _unppmd}[method](rest, length)


class Primer:
    """What a primer teaches: a text, and the streams it is made of."""

    def __init__(self, primer: bytes) -> None:
        assert primer.startswith(b"LTHP\x01")
        length, at = _varint(primer, 5)
        self.streams = Streams(primer[at:], None)
        self.text = _block(self.streams, length)

    # What method 6 goes on behind.

    @cached_property
    def shapes(self) -> list["Template"]:
        return _templates(self.streams.get(TEMPLATES))

    @cached_property
    def line_template(self) -> list[int]:
        return _line_templates(self.streams, len(self.shapes))

    @cached_property
    def table(self) -> "_Table":
        return _Table(self.streams, self.shapes, [self.line_template.count(t) for t in range(len(self.shapes))])

    @cached_property
    def renamed(self) -> list["Plan"]:
        """The plans, with the names that they have where blocks go on behind."""
        table, columns = self.table, len(self.table.plans) - len(self.table.series_time)
        series = zip(table.plans[columns:], table.series_time, strict=True)
        return [*table.plans[:columns], *(plan._replace(name=65_536 + form) for plan, form in series)]

    def base(self, column: int, series: int, delta: bool) -> int:
        """What the least value of a column is counted from, or that of the series of a time format (-1: it is none)."""
        known = [*self.table.numeric, *(-1 - form for form in self.table.series_time)]
        key = column if series < 0 else -1 - series
        if key not in known:
            return 0
        number = known.index(key)
        plan, end = self.table.plans[number], sum(plan.rows for plan in self.table.plans[: number + 1])
        return _numbers(self.streams, self.table.plans)[end - 1] if delta else plan.least

    def known_text(self, stream: int) -> bytes:
        """What coders 5 and 8 go on behind in method 6."""
        if stream != COLUMNS:
            return self.streams.get(stream)
        return self.streams.get(COLUMNS)[: self.table.least_at] + bytes(len(self.table.plans))

    def known_columns(self, stream: int) -> tuple[bytes, "Columns"]:
        """What coder 9 goes on behind."""
        if stream == LINES:
            lines = bytes(min(t + 1, 255) for t in self.line_template)
            return lines, Columns([(len(lines), 0, -1)])
        if stream == FAR:
            return self.streams.get(FAR, self.table.far_columns()), self.table.far_columns()
        if stream == CODES:
            return b"".join(self.table.codes[c] for c in self.table.told), self.table.code_columns
        width = stream - WIDTH_1 + 1
        data = self.streams.get(stream, _number_columns(self.table.plans, width))
        return data, _number_columns(self.renamed, width)


# --- Conventions ----------------------------------------------------------------------------------------


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while data[at] > 127:
        value |= (data[at] & 127) << shift
        shift += 7
        at += 1
    return value | data[at] << shift, at + 1


def _signed(value: int) -> int:
    """64 bits as a signed number."""
    return (value & U64) - ((value & 1 << 63) << 1)


def _unzigzag(code: int) -> int:
    return (code & U64) >> 1 ^ -(code & 1)


def _from_planes(data: bytes, width: int) -> list[int]:
    count = len(data) // width
    return [int.from_bytes(data[i::count]) for i in range(count)]


# --- The table of streams -------------------------------------------------------------------------------


class Columns(NamedTuple):
    """How a stream falls into segments: (rows, name, which segment stands beside or -1) of each; planes of a number."""

    segments: Sequence[tuple[int, int, int]]
    planes: int = 1


class Streams:
    """The streams of a block, by number."""

    def __init__(self, data: bytes, primer: Primer | None, *, behind: bool = False) -> None:
        self._primer, self._behind = primer, behind
        self._packed: dict[int, tuple[int, int, bytes]] = {}
        count, at = _varint(data, 0)
        table = []
        for _ in range(count):
            stream, coder = data[at : at + 2]
            length, at = _varint(data, at + 2)
            stored, at = _varint(data, at)
            table.append((stream, coder, length, stored))
        for stream, coder, length, stored in table:
            self._packed[stream] = coder, length, data[at : at + stored]
            at += stored
        assert at == len(data)

    def get(self, stream: int, columns: Columns | None = None) -> bytes:
        """A stream's bytes; none if it was left out."""
        if stream not in self._packed:
            return b""
        coder, length, data = self._packed[stream]
        found = self._unpacked(stream, coder, length, data, columns or Columns([(length, 0, -1)]))
        assert len(found) == length
        return found

    def _unpacked(self, stream: int, coder: int, length: int, data: bytes, columns: Columns) -> bytes:
        decoders: list[Callable[[], bytes]] = [
            lambda: data,
            lambda: _unzstd(data),
            lambda: _unxz(data, length),
            lambda: _unppmd(data, length),
            lambda: Symbols(data).decode(columns.segments),
            lambda: _unzstd(data, self._known(stream)),
            lambda: decode_text(data, length).tobytes(),
            lambda: _unmixed(data, length, columns),
            lambda: _gone_on(self._known(stream), data, length),
            lambda: _records_gone_on(
                self._primer.known_columns(stream) if self._primer else None, data, length, columns
            ),
        ]
        return decoders[coder]()

    def _known(self, stream: int) -> bytes:
        assert self._primer is not None
        return self._primer.known_text(stream) if self._behind else self._primer.streams.get(stream)


# --- The block ------------------------------------------------------------------------------------------


def _block(streams: Streams, length: int) -> bytes:
    head = streams.get(HEAD)
    lines, at = _varint(head, 1)
    templates, _ = _varint(head, at)
    line_template = _line_templates(streams, templates)
    assert lines == len(line_template)
    shapes = _templates(streams.get(TEMPLATES))
    assert templates == len(shapes)
    table = _Table(streams, shapes, [line_template.count(t) for t in range(templates)])
    _compare_index(streams.get(INDEX), [line_template.count(t) for t in range(templates)], table)
    shown = _Walk(table, len(table.kind)).over(line_template, table, _Literals(streams, table).all())
    return _written(streams, line_template, shapes, shown, length)


def _written(
    streams: Streams, line_template: Sequence[int], shapes: Sequence["Template"], shown: Iterator[bytes], length: int
) -> bytes:
    left = iter(_cut(streams.get(LEFT)))
    out = bytearray()
    for t in line_template:
        out += next(left) if t < 0 else _line(shapes[t], shown) + b"\n"
    if streams.get(HEAD)[0] & 1 and line_template[-1] >= 0:
        del out[-1:]
    assert len(out) == length
    return bytes(out)


def _compare_index(data: bytes, lines: Sequence[int], table: "_Table") -> None:
    """INDEX says what LINES and CODES say."""
    if not data:
        return
    at = 0
    for number in [*lines, *(table.literals[c] for c in table.told)]:
        said, at = _varint(data, at)
        assert said == number
    numbers = sum(
        kind == NUMBER and source == c for c, (kind, source) in enumerate(zip(table.kind, table.source, strict=True))
    )
    assert len(data) == at + numbers


# --- Method 6: behind the primer ------------------------------------------------------------------------


def _behind(streams: Streams, length: int, primer: Primer) -> bytes:
    shapes = primer.shapes + _templates(streams.get(TEMPLATES))
    far = iter(_from_planes(streams.get(LINES_FAR), 2))
    line_template = [(near if near < 255 else 255 + next(far)) - 1 for near in streams.get(LINES)]
    table = _Table(streams, shapes, [line_template.count(t) for t in range(len(shapes))], primer)
    walk = _Walk(primer.table, len(table.kind))
    for _ in walk.over(primer.line_template, primer.table, _Literals(primer.streams, primer.table).all()):
        pass
    shown = walk.over(line_template, table, _Literals(streams, table).all())
    return _written(streams, line_template, shapes, shown, length)


def _cut(text: bytes) -> list[bytes]:
    """Lines, each with its line end; the last may have none."""
    pieces = [line + b"\n" for line in text.split(b"\n")]
    pieces[-1] = pieces[-1][:-1]
    return pieces if pieces[-1] else pieces[:-1]


def _line_templates(streams: Streams, templates: int) -> list[int]:
    """LINES and LINES_FAR: the template of each line, -1 for none."""
    far = iter(_from_planes(streams.get(LINES_FAR), 2))
    found = [near if near < 255 else 255 + next(far) for near in streams.get(LINES)]
    return [-1 if t == templates else t for t in found]


class Template(NamedTuple):
    """Static pieces, and between them the kinds of the slots."""

    pieces: list[bytes]
    kinds: list[int]


def _templates(text: bytes) -> list[Template]:
    found: list[Template] = []
    pieces, kinds = [b""], list[int]()
    at = 0
    while at < len(text):
        byte = text[at]
        at += 1
        if byte == 7:
            pieces[-1] += text[at : at + 1]
            at += 1
        elif 1 <= byte <= 6:
            kinds.append(byte - 1)
            pieces.append(b"")
        elif byte == 10:
            found.append(Template(pieces, kinds))
            pieces, kinds = [b""], []
        else:
            pieces[-1] += bytes([byte])
    return found


def _line(template: Template, shown: Iterator[bytes]) -> bytes:
    return template.pieces[0] + b"".join(next(shown) + piece for piece in template.pieces[1:])


# --- Roles ----------------------------------------------------------------------------------------------


def _roles(shapes: Sequence[Template]) -> list[int]:
    known: dict[object, int] = {}
    found: list[int] = []
    for template in shapes:
        for piece, kind in zip(template.pieces, template.kinds, strict=False):
            tail = piece[-12:]
            letters = sum(byte in b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ" for byte in tail)
            key: object = (kind, tail) if letters >= 3 else len(found)
            found.append(known.setdefault(key, len(known)))
    return found


# --- The table of columns -------------------------------------------------------------------------------


class Plan(NamedTuple):
    """How a column of numbers is written."""

    delta: bool
    width: int
    least: int
    rows: int
    name: int


class _Table:
    """All that is known of the columns before their literals."""

    def __init__(
        self, streams: Streams, shapes: Sequence[Template], rows_of: Sequence[int], primer: Primer | None = None
    ) -> None:
        self._primer = primer
        self._data, self._at = streams.get(COLUMNS), 0
        self.kind = [kind for template in shapes for kind in template.kinds]
        self.first = [0, *accumulate(len(template.kinds) for template in shapes)]
        self.rows = [rows for template, rows in zip(shapes, rows_of, strict=True) for _ in template.kinds]
        self.role = _roles(shapes)
        columns = range(len(self.kind))
        modes = self._take(len(columns))
        self.pooled = [bool(mode & 1) for mode in modes]
        told = [mode & 3 == 1 for mode in modes]
        self.form = [mode >> 2 & 3 for mode in modes]
        equal = [bool(mode >> 4) for mode in modes]
        distances = iter(_from_planes(self._take(2 * sum(equal)), 2))
        self.source = [c - next(distances) if equal[c] else c for c in columns]
        digits = iter(self._take(sum(self._has_digits(c) for c in columns)))
        self.digits = [next(digits) if self._has_digits(c) else 0 for c in columns]
        times = iter(_from_planes(self._take(2 * self.kind.count(TIME)), 2))
        self.time = [next(times) if kind == TIME else -1 for kind in self.kind]
        self.series, self.series_time = self._line_times()
        self.told = [c for c in columns if told[c]]
        self.code_columns = self._code_columns()
        self.codes = self._codes(streams)
        self.far = _from_planes(streams.get(FAR, self.far_columns()), 4)
        self.literals = [self._literals(c) for c in columns]
        self.plans = self._plans()
        assert self._at == len(self._data)

    def _take(self, count: int) -> bytes:
        self._at += count
        return self._data[self._at - count : self._at]

    def _has_digits(self, c: int) -> bool:
        numbers = self.kind[c] == NUMBER and self.form[c] == 1
        return self.source[c] == c and (numbers or (self.kind[c] == MIXED and self.form[c] > 0))

    def _line_times(self) -> tuple[list[int], list[int]]:
        """Each column's series, or -1; each series' time format."""
        of_column, formats = [-1] * len(self.kind), []
        for first, end in pairwise(self.first):
            for c in range(first, end):
                if self.kind[c] == TIME:
                    if self.time[c] not in formats:
                        formats.append(self.time[c])
                    of_column[c] = formats.index(self.time[c])
                    break
        return of_column, formats

    def _code_columns(self) -> Columns:
        """How the stream of codes falls into columns."""
        told = self.told
        template = [t for t, (first, end) in enumerate(pairwise(self.first)) for _ in range(first, end)]
        segments = []
        for i, c in enumerate(told):
            beside = i - 1 if i and template[told[i - 1]] == template[c] else -1
            segments.append((self.rows[c], self.role[c] + 1, beside))
        return Columns(segments)

    def _codes(self, streams: Streams) -> list[bytes]:
        """Each column's codes."""
        data, at = streams.get(CODES, self.code_columns), 0
        found = [bytes(rows) for rows in self.rows]
        for c in self.told:
            found[c] = data[at : at + self.rows[c]]
            at += self.rows[c]
        return found

    def far_columns(self) -> Columns:
        return Columns(_planes(sum(codes.count(255) for codes in self.codes), 4, 0), 4)

    def _literals(self, c: int) -> int:
        """How many values of a column are written out."""
        if self.source[c] != c:
            return 0
        return self.codes[c].count(6) if self.pooled[c] else self.rows[c]

    def _plans(self) -> list[Plan]:
        numeric = [
            c
            for c, kind in enumerate(self.kind)
            if kind in {NUMBER, ADDRESS, TIME} and self.series[c] < 0 and self.literals[c]
        ]
        self.numeric = numeric
        sizes = [(self.literals[c], self.role[c], c, -1) for c in numeric]
        for number, form in enumerate(self.series_time):
            rows = sum(rows for rows, series in zip(self.rows, self.series, strict=True) if series == number)
            sizes.append((rows, 65_536 + form if self._primer else len(self.kind) + number, -1, form))
        how = self._take(len(sizes))
        self.least_at = self._at
        found = []
        for (rows, name, column, series), byte in zip(sizes, how, strict=True):
            code, self._at = _varint(self._data, self._at)
            base = self._primer.base(column, series, bool(byte & 1)) if self._primer else 0
            found.append(Plan(bool(byte & 1), byte >> 1, _signed(base + _unzigzag(code)), rows, name))
        return found


def _planes(rows: int, planes: int, name: int, at: int = 0) -> list[tuple[int, int, int]]:
    """The segments of one column of numbers, the first of them number `at`."""
    return [(rows, name * 8 + plane + 1, at + plane - 1 if plane else -1) for plane in range(planes)]


# --- Literals -------------------------------------------------------------------------------------------


class _Literals:
    """Takes literals from their streams, column after column."""

    def __init__(self, streams: Streams, table: _Table) -> None:
        self._table = table
        self._texts = {stream: iter(_cut(streams.get(stream))) for stream in (GROUPS, WORDS)}
        self._hex, self._hex_at = streams.get(HEX), 0
        self._numbers = iter(_numbers(streams, table.plans))

    def all(self) -> list[Iterator[bytes]]:
        """The literals of each column; columns of one series of line times share theirs."""
        table = self._table
        found: list[Iterator[bytes]] = []
        for c, rows in enumerate(table.literals):
            found.append(iter([] if table.series[c] >= 0 else [self._one(c) for _ in range(rows)]))
        for number, form in enumerate(table.series_time):
            rows = table.plans[len(table.plans) - len(table.series_time) + number].rows
            series = iter([_time(next(self._numbers), form) for _ in range(rows)])
            found = [series if table.series[c] == number else mine for c, mine in enumerate(found)]
        return found

    def _one(self, c: int) -> bytes:
        kind, form, digits = self._table.kind[c], self._table.form[c], self._table.digits[c]
        if kind == NUMBER:
            text = b"%d" % next(self._numbers)
            return text[1:] if form == 2 else text.rjust(digits, b"0")
        if kind == ADDRESS:
            return b".".join(b"%d" % byte for byte in (next(self._numbers) & 0xFFFFFFFF).to_bytes(4))
        if kind == TIME:
            return _time(next(self._numbers), self._table.time[c])
        if kind == MIXED and form:
            self._hex_at += digits // 2
            text = self._hex[self._hex_at - digits // 2 : self._hex_at].hex().encode()
            return text if form == 1 else text.upper()
        return next(self._texts[GROUPS if kind == GROUP else WORDS]).removesuffix(b"\n")


def _numbers(streams: Streams, plans: Sequence[Plan]) -> list[int]:
    """All literals that are numbers, plan after plan."""
    data = {width: iter(streams.get(WIDTH_1 + width - 1, _number_columns(plans, width))) for width in range(1, 10)}
    escapes = iter(_from_planes(streams.get(ESCAPES), 8))
    bits = (byte >> shift & 1 for byte in streams.get(LOW_BITS) for shift in range(7, -1, -1))
    found = []
    for plan in plans:
        before = plan.least
        for code in _plan_codes(plan, data, escapes, bits):
            if plan.delta:
                before = _signed(before + _unzigzag(code))
            found.append(before if plan.delta else _signed(plan.least + code))
    return found


def _number_columns(plans: Sequence[Plan], width: int) -> Columns:
    """The segments of the stream that holds the columns of one width."""
    planes = 1 if width == LOGARITHM else width
    segments: list[tuple[int, int, int]] = []
    for plan in plans:
        if plan.width == width:
            segments += _planes(plan.rows, planes, plan.name, len(segments))
    return Columns(segments, planes)


def _plan_codes(
    plan: Plan, data: dict[int, Iterator[int]], escapes: Iterator[int], bits: Iterator[int]
) -> Iterator[int]:
    """The codes of one column of numbers."""
    if plan.width == 0:
        yield from [0] * plan.rows
    elif plan.width == LOGARITHM:
        for _ in range(plan.rows):
            yield _from_magnitude(next(data[LOGARITHM]), bits)
    else:
        planes = bytes(next(data[plan.width]) for _ in range(plan.rows * plan.width))
        for code in _from_planes(planes, plan.width):
            yield next(escapes) if plan.width < 8 and code == (1 << 8 * plan.width) - 1 else code


def _from_magnitude(magnitude: int, bits: Iterator[int]) -> int:
    if magnitude < 8:
        return magnitude
    code = 4 + magnitude % 4
    for _ in range((magnitude - 4) // 4):
        code = code << 1 | next(bits)
    return code


# --- Times ----------------------------------------------------------------------------------------------

PATTERNS = [
    *("Y-m-dTH:M:S", "Y-m-d H:M:S", "Y/m/d H:M:S", "b e H:M:S", "d/b/Y:H:M:S", "m.d H:M:S", "m-d H:M:S"),
    *("y/m/d H:M:S", "ymd HMS", "Y-m-d-H.M.S", "Ymd-H:M:S", "Y-m-d\tH:M:S", "H:M:S", "b D H:M:S"),
    *("Y.m.d H:M:S", "d/b/Y H:M:S", "m/d/Y H:M:S", "d.m.Y H:M:S", "YmdTHMS", "Ymd HMS"),
]
MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


def _time(value: int, form: int) -> bytes:
    pattern, fraction = PATTERNS[form // 32], form % 32
    digits = fraction % 10
    seconds, part = divmod(value, 10**digits)
    days, second = divmod(seconds, 86_400)
    year, month, day = _date(days)
    letters = {
        "Y": f"{year % 10_000:04}", "y": f"{year % 100:02}", "m": f"{month:02}", "b": MONTHS[month - 1],
        "d": f"{day:02}", "e": f"{day:2}", "D": f"{day}",
        "H": f"{second // 3600:02}", "M": f"{second // 60 % 60:02}", "S": f"{second % 60:02}",
    }  # fmt: skip
    text = "".join(letters.get(letter, letter) for letter in pattern)
    return (text + (f"{'.,:'[fraction // 10]}{part:0{digits}}" if digits else "")).encode()


def _date(days: int) -> tuple[int, int, int]:
    """The date so many days after 1970-01-01: whole cycles of 400 years aside, numpy knows it."""
    cycles, rest = divmod(days, 146_097)
    year, month, day = str(np.datetime64("1970-01-01") + np.timedelta64(rest, "D")).split("-")
    return int(year) + 400 * cycles, int(month), int(day)


# --- The walk -------------------------------------------------------------------------------------------


class _Memory:
    """What the walk remembers."""

    def __init__(self, table: _Table, columns: int) -> None:
        slots = sum(rows for rows, pooled in zip(table.rows, table.pooled, strict=True) if pooled)
        self.bits = min(max(slots.bit_length(), 8), 18)
        self.tables = [[-1] * (1 << self.bits) for _ in range(4)]
        self.last = [-1] * columns
        self.order = [list(range(6)) for _ in range(columns)]
        self.score = [[0] * 6 for _ in range(columns)]
        self.rings: dict[int, list[int]] = {}
        self.before = self.earlier = self.first = -1

    def hash(self, a: int, b: int) -> int:
        key = ((a + 1) * 0x9E3779B97F4A7C15 ^ (b + 1) * 0xC2B2AE3D27D4EB4F) & U64
        key ^= key >> 29
        return (key * 0xBF58476D1CE4E5B9 & U64) >> (64 - self.bits)

    def places(self, column: int, role: int) -> list[int]:
        return [
            self.hash(self.before, role),
            self.hash(self.before * 1_000_003 + self.earlier, role),
            self.hash(self.first, column),
            self.hash(self.last[column], column),
        ]

    def guesses(self, column: int, places: Sequence[int]) -> list[int]:
        found = [table[place] for table, place in zip(self.tables, places, strict=True)]
        return [*found, self.last[column], self.before]

    def ranked(self, column: int, guesses: Sequence[int]) -> list[int]:
        """The guesses, the best first, each value once."""
        return [v for v in dict.fromkeys(guesses[kind] for kind in self.order[column]) if v >= 0]

    def remember(self, column: int, places: Sequence[int], guesses: Sequence[int], ring: list[int], value: int) -> None:
        score, order = self.score[column], self.order[column]
        for kind, guess in enumerate(guesses):
            score[kind] += (32 if guess == value else 0) - (score[kind] >> 5)
        for k in range(5, 0, -1):
            if score[order[k]] > score[order[k - 1]]:
                order[k - 1 : k + 1] = order[k], order[k - 1]
        if value in ring:
            ring.remove(value)
        ring.insert(0, value)
        del ring[240:]
        for table, place in zip(self.tables, places, strict=True):
            table[place] = value
        self.last[column] = value
        self.earlier, self.before = self.before, value
        if self.first < 0:
            self.first = value


class _Walk:
    """A walk over the lines of a block, and maybe of one behind it."""

    def __init__(self, table: _Table, columns: int) -> None:
        self._memory = _Memory(table, columns)
        self._texts: list[bytes] = []
        self._of_class: dict[int, list[int]] = {NUMBER: [], ADDRESS: [], WORD: []}

    def over(self, line_template: Sequence[int], table: _Table, literals: Sequence[Iterator[bytes]]) -> Iterator[bytes]:
        """The text of each slot, line by line."""
        memory, texts, of_class = self._memory, self._texts, self._of_class
        codes, far = [iter(codes) for codes in table.codes], iter(table.far)
        for t in line_template:
            memory.first = -1
            line: dict[int, bytes] = {}
            for c in range(table.first[t], table.first[t + 1]) if t >= 0 else ():
                if table.source[c] != c:
                    line[c] = line[table.source[c]]
                elif not table.pooled[c]:
                    line[c] = next(literals[c])
                else:
                    kind, role = table.kind[c], table.role[c]
                    ring = memory.rings.setdefault({ADDRESS: 0, MIXED: 1}.get(kind, role + 2), [])
                    newest = of_class[kind if kind in {NUMBER, ADDRESS} else WORD]
                    places = memory.places(c, role)
                    guesses = memory.guesses(c, places)
                    code = next(codes[c])
                    if code < 6:
                        value = memory.ranked(c, guesses)[code]
                    elif code == 6:
                        value = len(texts)
                        texts.append(next(literals[c]))
                        newest.append(value)
                    elif code == 255:
                        value = newest[-1 - next(far)]
                    else:
                        value = ring[code - 7]
                    line[c] = texts[value]
                    memory.remember(c, places, guesses, ring, value)
                yield line[c]


# --- Coder 4 --------------------------------------------------------------------------------------------

POINTS = [
    1, 2, 3, 6, 10, 16, 27, 45, 73, 120, 194, 310, 488, 747, 1101, 1546, 2047, 2549, 2994, 3348, 3607, 3785, 3901, 3975,
    4022, 4050, 4068, 4079, 4085, 4089, 4092, 4093, 4094,
]  # fmt: skip


def _squash(x: int) -> int:
    at, beyond = (x >> 7) + 16, x & 127
    return (POINTS[at] * (128 - beyond) + POINTS[min(at + 1, 32)] * beyond + 64) >> 7


SQUASH = {x: _squash(x) for x in range(-2047, 2048)}
STRETCH = [next((x for x in SQUASH if SQUASH[x] >= p), 2047) for p in range(4096)]


def _mixed(a: int, b: int) -> int:
    key = ((a + 0x9E3779B97F4A7C15) * 0xBF58476D1CE4E5B9 ^ b) & U64
    key ^= key >> 31
    key = key * 0x94D049BB133111EB & U64
    return (key ^ key >> 29) & U64 >> 1


class Symbols:
    """The coder for columns."""

    def __init__(self, data: bytes) -> None:
        lengths, at = _code_lengths(data)
        self._codes = _canonical(lengths)
        self._stream, self._at = data, at
        self._low, self._high, self._code = 0, 0xFFFFFFFF, 0
        for _ in range(4):
            self._shift_in()

    def _shift_in(self) -> None:
        byte = self._stream[self._at] if self._at < len(self._stream) else 0
        self._at += 1
        self._code = (self._code << 8 & 0xFFFFFFFF) | byte

    def decode(self, segments: Sequence[tuple[int, int, int]]) -> bytes:
        length = sum(rows for rows, _, _ in segments)
        self._mask = (1 << min(max(length.bit_length(), 10), 20)) - 1
        self._chances: list[dict[int, tuple[int, int]]] = [{} for _ in range(5)]
        self._weights: dict[int, list[int]] = {}
        done: list[bytes] = []
        for rows, name, beside in segments:
            column, history = bytearray(), 0
            for row in range(rows):
                contexts = _contexts(name, history, done[beside][row] if beside >= 0 else 0)
                column.append(self._symbol(contexts, self._weights.setdefault(name & 511, [24_576] * 5)))
                history = (history << 8 | column[-1]) & 0xFFFFFFFFFFFF
            done.append(bytes(column))
        return b"".join(done)

    def _symbol(self, contexts: Sequence[int], weights: list[int]) -> int:
        path = ""
        while path not in self._codes:
            path += str(self._bit(contexts, self._codes.node(path), weights))
        return self._codes[path]

    def _bit(self, contexts: Sequence[int], node: int, weights: list[int]) -> int:
        places = [context + node * 0x9E3779B1 & self._mask for context in contexts]
        found = [table.get(place, (1 << 21, 0)) for table, place in zip(self._chances, places, strict=True)]
        inputs = [STRETCH[chance >> 10] for chance, _ in found]
        x = sum(i * w for i, w in zip(inputs, weights, strict=True)) >> 16
        p = SQUASH[min(max(x, -2047), 2047)]
        bit = self._coded(p)
        error = ((bit << 12) - p) * 24
        for k, (chance, times) in enumerate(found):
            weights[k] += (inputs[k] * error + 512) >> 16
            moved = chance + (((bit * 4_194_303 - chance) * (131_072 // (2 * times + 3))) >> 16)
            self._chances[k][places[k]] = moved, min(times + 1, 255)
        return bit

    def _coded(self, p: int) -> int:
        size = self._high - self._low
        middle = self._low + (size >> 12) * p + ((size & 4095) * p >> 12)
        bit = int(self._code <= middle)
        if bit:
            self._high = middle
        else:
            self._low = middle + 1
        while self._low >> 24 == self._high >> 24:
            self._low = self._low << 8 & 0xFFFFFFFF
            self._high = (self._high << 8 & 0xFFFFFFFF) | 255
            self._shift_in()
        return bit


def _contexts(name: int, history: int, beside: int) -> list[int]:
    one, two = history & 0xFF, history & 0xFFFF
    if name == 0:
        longer = ((history & 0xFFFFFF, 0x300), (history & 0xFFFFFFFF, 0x400), (history, 0x600))
        return [_mixed(one, 0x100), _mixed(two, 0x200), *(_mixed(*pair) for pair in longer)]
    c0 = _mixed(name, 0x100)
    c1 = _mixed(c0, 0x1000 + one)
    return [c0, c1, _mixed(c0, 0x20000 + two), _mixed(c1, 0x3000 + beside), _mixed(two, 0x500)]


def _code_lengths(data: bytes) -> tuple[dict[int, int], int]:
    """Bits of each symbol's code, and where the list ends."""
    lengths: dict[int, int] = {}
    symbol = at = 0
    while data[at]:
        symbol += data[at + 1]
        lengths[symbol] = data[at]
        symbol += 1
        at += 2
    return lengths, at + 1


class _Codes(dict[str, int]):
    """Symbols by the bits of their codes; inner nodes are numbered as they are first met."""

    def __init__(self) -> None:
        self._nodes = {"": 0}

    def add(self, path: str, symbol: int) -> None:
        self[path] = symbol
        for end in range(1, len(path)):
            self._nodes.setdefault(path[:end], len(self._nodes))

    def node(self, path: str) -> int:
        return self._nodes[path]


def _canonical(lengths: dict[int, int]) -> _Codes:
    found = _Codes()
    code = before = 0
    for length, symbol in sorted((length, symbol) for symbol, length in lengths.items()):
        code <<= length - before
        before = length
        found.add(f"{code:0{length}b}", symbol)
        code += 1
    if len(lengths) == 1:
        found["1"] = found["0"]
    return found


# --- The other coders -----------------------------------------------------------------------------------


def _unzstd(data: bytes, dictionary: bytes = b"") -> bytes:
    text = zstandard.ZstdCompressionDict(dictionary, dict_type=zstandard.DICT_TYPE_RAWCONTENT) if dictionary else None
    return zstandard.ZstdDecompressor(dict_data=text).decompress(data)


def _unxz(data: bytes, length: int) -> bytes:
    size = max(4096, 1 << (length - 1).bit_length())
    return lzma.decompress(data, lzma.FORMAT_RAW, filters=[{"id": lzma.FILTER_LZMA2, "dict_size": size}])


def _unppmd(data: bytes, length: int) -> bytes:
    if data[0] == 0:
        return data[1:]
    found: bytes = pyppmd.Ppmd7Decoder(data[0], 1 << data[1]).decode(b"\0" + data[2:] + bytes(8), length)
    return found


def _gone_on(known: bytes, data: bytes, length: int) -> bytes:
    """Coder 8 and method 2: text behind the end of what both sides know."""
    return Learnt(known[-262_144:]).decode(data, length).tobytes()


def _unmixed(data: bytes, length: int, columns: Columns) -> bytes:
    """Coder 7: each column's planes are the bytes of its records."""
    return _in_planes(decode_records(data, length, columns.planes, *_beside_records(columns)).tobytes(), columns)


def _records_gone_on(known: tuple[bytes, Columns] | None, data: bytes, length: int, columns: Columns) -> bytes:
    """Coder 9: records behind those that the primer's stream holds."""
    assert known is not None
    before = np.frombuffer(_in_records(*known), np.uint8)
    learnt = LearntRecords(before, columns.planes, *_beside_records(known[1]))
    return _in_planes(learnt.decode(data, length, *_beside_records(columns)).tobytes(), columns)


def _beside_records(columns: Columns) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int32]]:
    """The side of each record, and which stands beside it."""
    planes, whole = columns.planes, columns.segments[:: columns.planes]
    side = [((name * 0x9E3779B1) >> 12) & 255 for rows, name, _ in whole for _ in range(rows)]
    starts = [0, *accumulate(rows for rows, _, _ in whole)]
    beside = [
        starts[other] + row if other >= 0 and planes == 1 else -1 for rows, _, other in whole for row in range(rows)
    ]
    return np.array(side, np.uint8), np.array(beside, np.int32)


def _in_planes(records: bytes, columns: Columns) -> bytes:
    """Records as their stream holds them: each column plane by plane."""
    planes, out, start = columns.planes, bytearray(), 0
    for rows, _, _ in columns.segments[::planes]:
        column = records[start : start + rows * planes]
        out += b"".join(column[plane::planes] for plane in range(planes))
        start += rows * planes
    return bytes(out)


def _in_records(data: bytes, columns: Columns) -> bytes:
    """The inverse."""
    planes, out, start = columns.planes, bytearray(), 0
    for rows, _, _ in columns.segments[::planes]:
        column = data[start : start + rows * planes]
        out += b"".join(column[row::rows] for row in range(rows))
        start += rows * planes
    return bytes(out)
