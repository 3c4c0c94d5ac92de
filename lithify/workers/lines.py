"""What a text is: log, table, JSON, markup, code or prose, by the shape of its lines.

All in bytes: logs hold invalid UTF-8, NUL and lone CR, and that changes nothing. The regular expressions have no nested
repetition, and see a few hundred bytes of a line at most, so that no text can make them slow.
"""

import re
from collections import Counter

from lithify import limits
from lithify.workers.signatures import Found

_LINES_MAX = 64
_LINE_BYTES = 2048
_TOP_BYTES = 160  # of a line: where a time stands, if it is a log's
_TEXT_BYTES = 16 * limits.KIB
_CONTROLS = bytes(set(range(32)) - set(b"\t\n\v\f\r\b\x1b")) + b"\x7f"
_CONTROL_SHARE_MAX = 0.01
_HIGH = bytes(range(128, 256))
_HIGH_SHARE_MAX = 0.35  # of text in an 8-bit encoding; UTF-8 may be all high bytes
_MOSTLY_WORDS, _SURELY_WORDS = 0.7, 0.9  # share of letters and blanks; programs have 0.6 to 0.85

_TIME = re.compile(
    rb"""\d\d:\d\d:\d\d                             # 06:06:20, in nearly every log there is
    | ^\W{0,2}\d{10}(?:\.\d+)?\b | \ \d{10}\b         # seconds since 1970
    | ^\d{13}\b                                       # the same in milliseconds
    | ^\d{6}\ \d{6}\b                                 # 081109 203615
    | ^\[\s{0,8}\d{1,9}\.\d{6}\]                      # the kernel's own
    | ^[A-Z]\d{4}\ \d\d:                              # glog""",
    re.VERBOSE | re.MULTILINE,
)
_SUBTITLE = re.compile(rb"^\d\d:\d\d:\d\d[,.]\d{3} --> ", re.MULTILINE)
_LEVEL = re.compile(rb"\b(?:INFO|WARN|WARNING|ERROR|DEBUG|FATAL|TRACE|NOTICE|CRITICAL|SEVERE)\b|\b(?:level|lvl)=\w")
_TRACE = re.compile(
    rb"""^\s+at\ \S | ^Caused\ by: | ^Traceback\ \( | ^\s+File\ "[^"]{1,200}",\ line\ \d
    | ^Exception\ in\ thread | ^goroutine\ \d | ^\s+\.\.\.\ \d+\ more | ^[\w.]{1,80}(?:Error|Exception)\b:?""",
    re.VERBOSE | re.MULTILINE,
)
_JSON_LINES_NAME = re.compile(r"\.(?:jsonl|ndjson|log)(?:\.\d+)?$")
_LOG_NAME = re.compile(r"(?:\.|^)(?:log|logs|out|err|syslog)(?:[.-]?\d+)?(?:\.txt)?$|^(?:syslog|messages|dmesg)\b")
_CODE_NAME = re.compile(
    r"\.(?:py|pyi|c|h|cc|cpp|hpp|cxx|java|js|mjs|jsx|ts|tsx|go|rs|rb|php|pl|pm|sh|bash|zsh|cs|kt|swift|scala|lua|r|jl|"
    r"sql|f|f90|f95|hs|ml|erl|ex|exs|clj|lisp|el|vim|ps1|bat|cmake|mk|gradle|proto|css|scss|less|v|vhd|asm|s|m|nim|zig|"
    r"dart|ipynb|tf|toml|ini|cfg|conf|yaml|yml|dockerfile)$|^(?:makefile|dockerfile|cmakelists\.txt)$"
)
_PROSE_NAME = re.compile(r"\.(?:md|markdown|rst|txt|tex|adoc|org|srt|vtt)$|^(?:readme|license|changelog|copying)\b")
_MARKUP_NAME = re.compile(r"\.(?:html?|xhtml|xml|svg|rss|atom|xsd|xsl|kml|gml|gpx|xlf)$")
_CODE_LINE = re.compile(
    rb"""^\s*(?:(?:def|class|fn|func|function|interface|struct|enum|impl|trait|namespace|module|package)\ \w
    | (?:from|import|use|using|require|include)\b[\ (]
    | (?:public|private|protected|static|const|let|var|val|extern|typedef|inline|export|async)\ \w
    | (?:if|for|while|switch|elif|match)\b[\ (].*[:{]\s*$ | return\b.*[;)\w]\s*$ | else\s*[:{]
    | @\w+ | \#(?:include|define|if|endif)
    | \#!/ | //\  | /\*)
    | [;{}]\s*$ | ^\s*[\w.\]\[]+\ (?:=|:=|\+=)\ \S | ^\s+\w[\w.]*\(.*\),?\s*$""",
    re.VERBOSE,
)
_TAG = re.compile(rb"</?[A-Za-z][^<>]{0,200}>|<!--|<[!?][A-Za-z]")
_MARKUP_START = re.compile(rb"\s*<(?:!--|\?xml\b|!doctype\b|html\b|svg\b)", re.IGNORECASE)
_HTML = re.compile(rb"<(?:html|!doctype html)\b", re.IGNORECASE)
_JSON_TOKEN = re.compile(
    rb'\s*(?:([\[{])|([\]}])|([,:])|("(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.])|true\b|false\b|null\b))'
)
_JSON_TOKENS = 40
_CELL = re.compile(
    rb"""\s*(?:"[^"]*"|[-+]?[\d.,%$]*|[\d\-/.T]+[\ T]?[\d:.]*Z?|[^\s:=\[\]{}]+(?:\ [^\s:=\[\]{}]+){0,3})\s*$"""
)
_QUOTED = re.compile(rb'"[^"]*"')
_WORD_BYTES = bytes(set(range(ord("A"), ord("Z") + 1)) | set(range(ord("a"), ord("z") + 1)) | set(_HIGH) | {32})


def look_at_text(head: bytes, name: str, *, whole: bool) -> Found | None:
    """What kind of text `head` begins; None when it is not text. `whole`: nothing follows it."""
    text, charset = _as_text(head)
    if text is None:
        return None
    lines = _some_lines(text, whole=whole)
    found = (
        _markup(text, name)
        or _json(text, lines, name)
        or _table(lines, name)
        or _log(lines, name)
        or _code_or_prose(lines, text, name)
    )
    kind, mime, reason = found
    return kind, mime if charset is None else f"{mime}; charset={charset}", reason


def _as_text(head: bytes) -> tuple[bytes | None, str | None]:
    """The bytes as something ASCII-like, and their encoding where that had to change; None: not text."""
    wide = _wide_encoding(head)
    if wide is not None:
        text = head[:_TEXT_BYTES].decode(wide, "replace").lstrip("\ufeff").encode()
        return (text, wide) if _is_text(text) else (None, None)
    text = head.removeprefix(b"\xef\xbb\xbf")
    return (text, None) if _is_text(text) else (None, None)


def _wide_encoding(head: bytes) -> str | None:
    """UTF-16, told by its mark or by a zero in every other byte."""
    if head[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        return "utf-16-le" if head[0] == 0xFF else "utf-16-be"
    piece = head[:512]
    if piece.count(0) < len(piece) * 0.3 or len(piece) < 8:
        return None
    zeros = piece[0::2].count(0), piece[1::2].count(0)
    half = len(piece) // 2
    if zeros[1] > 0.7 * half and zeros[0] < 0.05 * half:
        return "utf-16-le"
    return "utf-16-be" if zeros[0] > 0.7 * half and zeros[1] < 0.05 * half else None


def _is_text(head: bytes) -> bool:
    controls = len(head) - len(head.translate(None, _CONTROLS))
    if controls > max(_CONTROL_SHARE_MAX * len(head), 1 if len(head) > 16 else 0):
        return False
    high = len(head) - len(head.translate(None, _HIGH))
    if high <= _HIGH_SHARE_MAX * len(head):
        return True
    try:
        head.decode()
    except UnicodeDecodeError as error:
        return error.start >= len(head) - 3  # the last character may be cut
    return True


def _some_lines(text: bytes, *, whole: bool) -> list[bytes]:
    """Lines from the start and the middle, none empty, none cut unless it is the only one."""
    lines = text.splitlines() if b"\n" not in text else text.split(b"\n")
    if len(lines) > 1 and not whole:
        lines.pop()
    half = _LINES_MAX // 2
    if len(lines) > _LINES_MAX:
        middle = len(lines) // 2
        lines = lines[:half] + lines[middle : middle + half]
    return [line[:_LINE_BYTES].rstrip(b"\r") for line in lines if line.strip()]


# --- one question each --------------------------------------------------------------------------------


def _markup(text: bytes, name: str) -> Found | None:
    """HTML and XML: they begin with a tag, or have many."""
    piece = text[:_TEXT_BYTES]
    if b"<" not in piece:
        return None
    tags = len(_TAG.findall(piece))
    bytes_per_tag = 500 if _MARKUP_NAME.search(name) else 100
    begins = _MARKUP_START.match(piece) and not _PROSE_NAME.search(name)
    if not begins and tags * bytes_per_tag < len(piece):
        return None
    html = _HTML.search(piece[:1024])
    return "markup", "text/html" if html else "text/xml", f"{tags} tags in its first {len(piece)} bytes"


def _json(text: bytes, lines: list[bytes], name: str) -> Found | None:
    if text.lstrip()[:1] not in {b"{", b"["}:
        return None
    many = len(lines) > 1 or _JSON_LINES_NAME.search(name)
    cut = len(lines) == 1  # a line too long for the sample, or for us, ends anyhow
    objects = sum(1 for line in lines if line[:1] in b"{[" and (cut or line[-1:] in b"}]" or len(line) == _LINE_BYTES))
    if many and objects >= 0.9 * len(lines) and all(map(_begins_json, lines[:3])):
        return "json-lines", "application/x-ndjson", f"{objects} of {len(lines)} lines are JSON of their own"
    if _begins_json(text):
        return "json", "application/json", "its first words are JSON's, in JSON's order"
    return None


def _begins_json(text: bytes) -> bool:
    """Whether the first tokens are JSON's, in an order JSON allows."""
    at, after_value = 0, False
    for _ in range(_JSON_TOKENS):
        token = _JSON_TOKEN.match(text, at)
        if token is None:
            return not text[at:].strip() or _is_cut_string(text, at)
        opens, closes, joins, value = token.groups()
        if (opens or value) and after_value:
            return False
        if joins and not after_value:
            return False
        after_value = bool(closes or value)
        at = token.end()
    return True


def _is_cut_string(text: bytes, at: int) -> bool:
    rest = text[at:].lstrip()
    return rest[:1] == b'"' and len(text) >= _LINE_BYTES


def _table(lines: list[bytes], name: str) -> Found | None:
    """CSV and the like: every line the same number of separators, between short cells."""
    if len(lines) < 2:
        return None
    plain = [_QUOTED.sub(b'""', line) for line in lines]
    for separator, mime in (
        (b"\t", "text/tab-separated-values"),
        (b",", "text/csv"),
        (b";", "text/csv"),
        (b"|", "text/csv"),
    ):
        if separator not in plain[0]:
            continue
        counts = Counter(line.count(separator) for line in plain)
        columns, agreeing = counts.most_common(1)[0]
        if columns and agreeing >= 0.9 * len(lines) and _are_cells(plain, separator, columns, name):
            return "csv", mime, f"{agreeing} of {len(lines)} lines have {columns + 1} cells"
    return None


def _are_cells(lines: list[bytes], separator: bytes, columns: int, name: str) -> bool:
    if separator == b"|" and any(line.lstrip()[:1] == b"|" for line in lines[:2]):
        return False  # a table in Markdown
    cells = [cell for line in lines[:32] for cell in line.split(separator)]
    fit = sum(1 for cell in cells if len(cell) <= 64 and _CELL.match(cell))
    named = name.endswith((".csv", ".tsv", ".tab"))
    return fit >= (0.5 if named else 0.9) * len(cells) and (columns >= 2 or named or separator == b"\t")


def _log(lines: list[bytes], name: str) -> Found | None:
    """Lines with a time near their start, or a level; lines of a stack trace belong to the one before."""
    tops = [line[:_TOP_BYTES] for line in lines]
    unmarked = _without(_TIME, tops)
    times = len(tops) - len(unmarked) - _count(_SUBTITLE, tops)
    levels = _count(_LEVEL, unmarked)
    traces = _count(_TRACE, unmarked)
    count, marked = len(lines), times + levels + traces
    if times >= 0.5 * count or (times and marked >= 0.6 * count):
        return "log", "text/plain", f"{times} of {count} lines carry a time"
    if marked >= 0.7 * count and traces >= 2:
        return "log", "text/plain", f"{traces} of {count} lines are a stack trace"
    if (levels >= 0.7 * count and count > 1) or (_LOG_NAME.search(name) and not _looks_like_prose(lines)):
        return "log", "text/plain", f"{levels} of {count} lines carry a level" if levels else "its name is a log's"
    return None


def _without(pattern: re.Pattern[bytes], lines: list[bytes]) -> list[bytes]:
    """The lines that do not match. Most texts have no match at all, and one search over all of it says so."""
    if not pattern.search(b"\n".join(lines)):
        return lines
    return [line for line in lines if not pattern.search(line)]


def _count(pattern: re.Pattern[bytes], lines: list[bytes]) -> int:
    return len(lines) - len(_without(pattern, lines))


def _looks_like_prose(lines: list[bytes]) -> bool:
    joined = b"".join(lines)
    letters = len(joined) - len(joined.translate(None, _WORD_BYTES))
    return letters >= _SURELY_WORDS * len(joined) > 0


def _code_or_prose(lines: list[bytes], text: bytes, name: str) -> Found:
    if _PROSE_NAME.search(name):
        return "prose", "text/plain", "its name is a document's"
    if _CODE_NAME.search(name):
        return "code", "text/plain", "its name is a program's"
    letters = len(text) - len(text.translate(None, _WORD_BYTES))
    if letters >= _SURELY_WORDS * len(text):
        return "prose", "text/plain", "it is mostly words"
    code = sum(1 for line in lines if _CODE_LINE.search(line[:_TOP_BYTES]))
    if lines and code >= 0.4 * len(lines):
        return "code", "text/plain", f"{code} of {len(lines)} lines look like a program's"
    if letters >= _MOSTLY_WORDS * len(text):
        return "prose", "text/plain", "it is mostly words"
    return "text", "text/plain", "it is text of no particular form"
