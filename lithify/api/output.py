"""What the command line says: text for people, a JSON object per line for programs, bars on a terminal only.

Standard output carries answers and nothing else. Errors, notes and progress go to standard error; in JSON mode
errors and notes are JSON objects there too. rich is imported only when a table or a bar is really drawn.
"""

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.progress import Progress, ProgressColumn

    from lithify.errors import LithifyError
    from lithify.store.views import View

Advance = Callable[[float], None]
"""How far a bar has come: bytes so far, or a fraction of the total given to `Output.progress`."""


_NUMBER_MAX = 24
"""Characters of a number with its unit, or of two; what is longer and begins with a digit is a line of some log."""
_SPEED_SECONDS = 120.0
"""Over which a bar's speed is taken: a model may take many seconds between two steps."""
SENTENCE_MAX = 1000
"""Characters of an error that are shown: what was typed may be part of it, and may be a megabyte."""


class ReaderLeft(Exception):
    """Whoever read our standard output has closed it, as `head -1` does: there is nothing left to do."""


def printable(text: str) -> str:
    """`text` with everything spelled out that could move a cursor or cannot be encoded."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode("ascii") for char in text)


def size(count: float) -> str:
    """`1.5 MiB`."""
    for unit in ("B", "KiB", "MiB", "GiB", "TiB"):
        if abs(count) < 1024:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:.1f} PiB"


def ratio(value: float) -> str:
    """`4.20x`."""
    return f"{value:.2f}x"


def moment(seconds: float | None) -> str:
    """`2026-11-21 01:15:59Z`, or a dash for what has not happened."""
    if seconds is None:
        return "-"
    from lithify.store.views import iso

    return iso(seconds)[:19].replace("T", " ") + "Z"


def plural(count: int, noun: str) -> str:
    """`1 object`, `2 objects`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


class Output:
    """Where one run of the program writes."""

    def __init__(self, *, as_json: bool = False) -> None:
        self.as_json = as_json
        self._bar: Progress | None = None
        self._told_making = False

    def line(self, text: str) -> None:
        """One line of the answer, for people."""
        if self._bar is not None and sys.stdout.isatty():
            # The same terminal shows the bar: the line goes above it.
            self._bar.console.print(printable(text), markup=False, highlight=False, soft_wrap=True)
        else:
            self._write(printable(text) + "\n")

    def document(self, document: "Mapping[str, Any] | View", text: str) -> None:
        """One answer: the document in JSON mode, else the text."""
        if self.as_json:
            self._write(_json(document if isinstance(document, Mapping) else document.as_json()) + "\n")
        else:
            self.line(text)

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[str]], *, title: str = "") -> None:
        """A table for people: drawn on a terminal, plain aligned columns into a pipe or a file."""
        cells = [[printable(cell) for cell in row] for row in rows]
        text = _drawn(columns, cells) if sys.stdout.isatty() else _aligned(columns, cells)
        self._write(f"{title}\n{text}" if title else text)

    def block(self, block: bytes) -> None:
        """A piece of an object, as it is."""
        self._write(block)

    def note(self, kind: str, text: str) -> None:
        """Something people should know that is neither the answer nor an error."""
        _to_stderr(_json({kind: text}) if self.as_json else printable(text))

    def making(self, codec: str) -> None:
        """Machine code is being made: said once, and like progress only to whoever sits at a terminal."""
        if self._told_making or self.as_json or not sys.stderr.isatty():
            return
        self._told_making = True
        text = f"making machine code for {codec} and what goes with it: once per release, up to a minute or two ..."
        bar = self._bar  # the main thread may end it meanwhile
        if bar is not None:
            bar.console.print(text, markup=False, highlight=False, soft_wrap=True)
        else:
            _to_stderr(text)

    def error(self, error: "LithifyError") -> None:
        """One sentence: what, where, what was expected and what was found."""
        self.failure(error.code, error.message, error.exit_code)

    def failure(self, code: str, message: str, exit_code: int) -> None:
        """The sentence, or in JSON mode `{"error": {"code", "message", "exit_code"}}`, on standard error."""
        if self.as_json:
            _to_stderr(_json({"error": {"code": code, "message": message, "exit_code": exit_code}}))
        else:
            sentence = " ".join(message.split())
            _to_stderr(f"lithify: {printable(_clipped(sentence))}")

    def flush(self) -> None:
        """Make sure that the reader, if any is left, has the whole answer."""
        try:
            sys.stdout.flush()
        except BrokenPipeError as error:
            raise ReaderLeft from error

    @contextmanager
    def progress(self, what: str, total: float | None = None, *, unit: str = "bytes") -> Iterator[Advance]:
        """A bar on standard error while the block runs; nothing at all when that is not a terminal."""
        if self.as_json or not sys.stderr.isatty():
            yield lambda _done: None
            return
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        text = TextColumn("{task.description}", markup=False)
        console = Console(stderr=True)
        # rich would else send what is written to standard output to the bar's console: standard error.
        still: dict[str, Any] = {"redirect_stdout": False, "redirect_stderr": False, "transient": True}
        columns = (text, BarColumn(), *_amount(unit), TimeRemainingColumn())
        with Progress(*columns, console=console, speed_estimate_period=_SPEED_SECONDS, **still) as bar:
            task = bar.add_task(printable(what), total=total)
            self._bar = bar
            try:
                yield lambda done: bar.update(task, completed=done)
            finally:
                self._bar = None

    def _write(self, data: str | bytes) -> None:
        try:
            if isinstance(data, str):
                sys.stdout.write(data)
            else:
                sys.stdout.flush()
                sys.stdout.buffer.write(data)
        except BrokenPipeError as error:
            raise ReaderLeft from error


def _amount(unit: str) -> "tuple[ProgressColumn, ...]":
    """How much is done, in bytes and bytes a second, or as a share."""
    from rich.progress import DownloadColumn, TextColumn, TransferSpeedColumn

    if unit == "bytes":
        return DownloadColumn(binary_units=True), TransferSpeedColumn()
    return (TextColumn("{task.percentage:>3.0f} %"),)


def _json(document: Mapping[str, Any]) -> str:
    # ASCII only: valid whatever the terminal's encoding, and names that are not UTF-8 cannot break it.
    return json.dumps(document, separators=(",", ":"))


def _to_stderr(line: str) -> None:
    try:
        print(line, file=sys.stderr, flush=True)
    except OSError:
        # Nobody can be told; the exit code still says it.
        return


def _drawn(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for index, column in enumerate(columns):
        table.add_column(column, justify="right" if _numeric(rows, index) else "left", no_wrap=True)
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    # A row too wide for the terminal is better broken by the terminal than cell by cell.
    needed = sum(_widths(columns, rows)) + 3 * len(columns)
    console = Console(width=max(needed, Console().width))
    with console.capture() as captured:
        console.print(table)
    return "\n".join(line.rstrip() for line in captured.get().splitlines()).strip("\n") + "\n"


def _widths(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> list[int]:
    return [max(len(line[index]) for line in (columns, *rows)) for index in range(len(columns))]


def _aligned(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    widths = _widths(columns, rows)
    right = [_numeric(rows, index) for index in range(len(columns))]
    text = []
    for line in (columns, *rows):
        cells = (
            cell.rjust(width) if to_right else cell.ljust(width)
            for cell, width, to_right in zip(line, widths, right, strict=True)
        )
        text.append("  ".join(cells).rstrip())
    return "\n".join(text) + "\n"


def _clipped(sentence: str) -> str:
    """A sentence without the middle of what is too long in it: names come first, and what is wrong with them last."""
    if len(sentence) <= SENTENCE_MAX:
        return sentence
    return f"{sentence[: SENTENCE_MAX // 2]} … {sentence[-SENTENCE_MAX // 2 :]}"


def _numeric(rows: Sequence[Sequence[str]], index: int) -> bool:
    cells = [row[index] for row in rows]
    return bool(cells) and all(
        cell in {"", "-"} or (len(cell) <= _NUMBER_MAX and cell.lstrip("-")[:1].isdigit()) for cell in cells
    )
