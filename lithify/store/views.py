"""What the catalog answers: plain values, the same for the command line, REST and Python.

Times are seconds since 1970 UTC.

`as_json` gives the documents that `--json` and REST print; a field added here appears in all of them.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any


def iso(seconds: float) -> str:
    """`2026-11-21T01:15:59.123Z`."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class View:
    """A frozen answer. Fields ending in `_at` are times and become ISO 8601 in JSON."""

    def as_json(self) -> dict[str, Any]:
        """The document people and programs read."""
        # Not by asdict: it copies deeply, which took a quarter of the time of listing a page of objects.
        return {name: _readable(name, getattr(self, name)) for name in self.__dataclass_fields__}  # type: ignore[attr-defined]


def _readable(name: str, found: Any) -> Any:
    if isinstance(found, View):
        return found.as_json()
    if isinstance(found, dict):
        return {key: _readable(key, value) for key, value in found.items()}
    if isinstance(found, list | tuple):
        return [_readable("", item) for item in found]
    return iso(found) if name.endswith("_at") and isinstance(found, int | float) else found


@dataclass(frozen=True, slots=True)
class Receipt(View):
    """Our answer once the bytes are durable; the thing we never break."""

    collection: str
    name: str
    revision: str
    number: int
    digest: str
    """SHA-256 of the original, hex."""
    length: int
    kind: str
    contract: str
    effort: str
    created_at: float
    unchanged: bool = False
    """The same bytes under the same contract were already there: nothing new was stored."""
    job: int | None = None
    """The job that will find the densest form."""


@dataclass(frozen=True, slots=True)
class EncodingView(View):
    """One way a revision is stored, what it won and what it kept."""

    id: str
    number: int
    state: str
    codec: str
    format: str
    fidelity: str
    blob: str
    original_bytes: int
    stored_bytes: int
    ratio: float
    bits_per_byte: float
    encode_seconds: float
    decode_seconds: float | None
    peak_memory_bytes: int | None
    created_at: float
    verified_at: float | None
    primer: str | None = None
    """Digest of the primer that decoding needs besides the blob."""
    model: str | None = None
    """Digest of the language model that decoding needs."""
    measured: dict[str, Any] = field(default_factory=dict)
    """Fidelity figures, for contracts looser than exact."""
    route: dict[str, Any] = field(default_factory=dict)
    """Why this codec: reason, candidates, predicted beside found (see workers/route.py)."""


@dataclass(frozen=True, slots=True)
class ObjectView(View):
    """An object as it stands: its chosen revision and the encoding that serves it."""

    collection: str
    name: str
    revision: str
    number: int
    digest: str
    length: int
    kind: str
    content_type: str | None
    contract: str
    effort: str
    created_at: float
    codec: str
    fidelity: str
    stored_bytes: int
    ratio: float
    verified_at: float | None
    """None while only the staged copy exists."""
    model: str | None = None
    """Digest of the language model that is to tell it, if one was asked for."""
    original_bytes: int | None = None
    """Length of what was put in; `length` and `digest` are those of what comes back. None: the server is older."""
    encodings: tuple[EncodingView, ...] = ()
    """Filled by `stat`, oldest first; empty in listings."""


@dataclass(frozen=True, slots=True)
class JobView(View):
    """One unit of work and how it goes."""

    id: int
    kind: str
    queue: str
    state: str
    priority: int
    attempt: int
    revision: str | None
    progress: float
    args: dict[str, Any]
    error: dict[str, Any] | None
    result: dict[str, Any] | None
    schedule: str | None
    due_at: float | None
    created_at: float
    started_at: float | None
    finished_at: float | None
    run_at: float
    cancel_requested: bool


@dataclass(frozen=True, slots=True)
class Lane(View):
    """What a worker must serve to take some jobs."""

    queue: str
    model: str | None
    """SHA-256 of the language model that it must have."""


@dataclass(frozen=True, slots=True)
class Unsettled(View):
    """How many of the revisions that somebody waits for have a job that has not ended."""

    unsettled: int
    unserved: tuple[Lane, ...] = ()
    """Where those jobs wait, if nobody is about to take any; empty while some run, or may yet be come to."""


@dataclass(frozen=True, slots=True)
class PolicyView(View):
    """The rule of one collection."""

    collection: str
    contract: str
    effort: str
    codecs: tuple[str, ...]
    keep_seconds: float | None
    keep_revisions: int | None
    model: str | None = None
    """SHA-256 of the language model that texts are told by."""


@dataclass(frozen=True, slots=True)
class PrimerView(View):
    """What a collection's originals have taught a codec."""

    collection: str
    digest: str
    length: int
    codec: str
    objects: int
    """Logs that the collection had when it was made."""
    created_at: float


@dataclass(frozen=True, slots=True)
class ScheduleView(View):
    """A job kind that comes due by cron, in UTC."""

    name: str
    kind: str
    cron: str
    args: dict[str, Any]
    enabled: bool
    next_due_at: float
    last_due_at: float | None


@dataclass(frozen=True, slots=True)
class KeyView(View):
    """An API key, without its secret."""

    id: str
    label: str
    scopes: tuple[str, ...]
    created_at: float
    expires_at: float | None
    revoked_at: float | None


@dataclass(frozen=True, slots=True)
class ReportRow(View):
    """What was won on one slice of the archive."""

    group: str
    """The slice: a kind, a codec or a collection."""
    objects: int
    original_bytes: int
    stored_bytes: int
    ratio: float
    saved_bytes: int
    encode_seconds: float
    verified_objects: int


@dataclass(frozen=True, slots=True)
class Report(View):
    """The smaller bill: totals and slices over every live revision's current encoding."""

    total: ReportRow
    by_kind: tuple[ReportRow, ...]
    by_codec: tuple[ReportRow, ...]
    by_collection: tuple[ReportRow, ...]
    disk_bytes: int
    """All bytes in the cellar, staged copies and overhead included."""


@dataclass(frozen=True, slots=True)
class Finding(View):
    """One thing that check, scrub or verify found wrong."""

    what: str
    where: str
    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class CheckReport(View):
    """Catalog compared with cellar; `findings` is empty when all is well."""

    objects: int
    blobs: int
    packs: int
    read_bytes: int
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Verdict(View):
    """One object decoded whole and compared with what was promised."""

    collection: str
    name: str
    revision: str
    digest: str
    fidelity: str
    kept: bool
    detail: str
    decode_seconds: float


@dataclass(frozen=True, slots=True)
class TemplateView(View):
    """A shape that lines of an object have in common."""

    pattern: str
    """Its text, with `<type>` where the lines differ."""
    count: int
    share: float
    """Of all lines that have a template."""
    example: str
    """One of the lines; bytes that are not UTF-8 are written \\xNN."""


@dataclass(frozen=True, slots=True)
class TemplatesView(View):
    """What the lines of an object look like, as its codec found."""

    collection: str
    name: str
    revision: str
    lines: int
    """Lines that have a template."""
    templates: int
    """How many templates there are."""
    items: tuple[TemplateView, ...]
    """The most frequent first."""


@dataclass(frozen=True, slots=True)
class MemberView(View):
    """A member of an archive."""

    name: str
    """With the names of what lies around it, `a.zip/word/document.xml`; what is no text is spelled out."""
    original_bytes: int


@dataclass(frozen=True, slots=True)
class InsideView(View):
    """One thing that a codec found inside an original, or what it keeps beside those."""

    what: str
    """In a word or two: `chunk`, `JPEG`, `deflated`, `corrections`."""
    codec: str
    original_bytes: int
    """As it was when the codec got it: of what was deflated, the plain bytes."""
    stored_bytes: int
    count: int
    """How many pieces of the original lie in it."""
    depth: int
    """How many of the things told before it lie around it."""
    members: tuple[MemberView, ...] = ()
    """Those of its pieces whose names are known."""


@dataclass(frozen=True, slots=True)
class ContentsView(View):
    """What was found inside an object."""

    collection: str
    name: str
    revision: str
    items: tuple[InsideView, ...]
    """In the order of the original's chunks; what lies inside a thing follows it."""


@dataclass(frozen=True, slots=True)
class SurprisingLine(View):
    """What one line costs under a model."""

    number: int
    """The first is 1."""
    start: int
    """Where it begins, in bytes."""
    bytes: int
    """How long it is, with its end."""
    bits: float
    bits_per_byte: float
    text: str
    """Without its end, and of a long one the beginning; bytes that are not UTF-8 are written \\xNN."""


@dataclass(frozen=True, slots=True)
class SurpriseView(View):
    """Where an object is as a model expects, and where it surprises."""

    collection: str
    name: str
    revision: str
    length: int
    read_bytes: int
    """What was weighed: the beginning, if less than all."""
    model: str
    text_class: str
    bits: float
    """What that costs in all."""
    lines: int
    """How many lines it has."""
    by: str
    """What makes a line surprising: `excess` (bits beyond what so many bytes cost on average here), `bits`, `rate`."""
    items: tuple[SurprisingLine, ...]
    """The most surprising first."""
    stretch_bytes: int
    stretches: tuple[float, ...]
    """Bits per byte of one stretch of so many bytes after another."""


@dataclass(frozen=True, slots=True)
class LikeItem(View):
    """An object that resembles another."""

    collection: str
    name: str
    revision: str
    length: int
    compared_bytes: int
    """Its beginning, as far as it was read."""
    likeness: float
    """The share of the other's bits that reading this one first saves; below 0: it only confuses."""
    bits: float
    """What the other costs behind this one."""
    shared: float
    """The share of the other's places of 8 bytes that are here too."""


@dataclass(frozen=True, slots=True)
class LikeView(View):
    """What in an archive resembles an object."""

    collection: str
    name: str
    revision: str
    length: int
    compared_bytes: int
    """Its beginning, as far as it was read."""
    text_class: str
    bits: float
    """What that costs alone."""
    objects: int
    """Others that there were, without empty ones, among the first 100,000 of the catalog."""
    read: int
    """Of those, how many were read."""
    measured: int
    """And of those, how many were measured."""
    items: tuple[LikeItem, ...]
    """The likest first."""


@dataclass(frozen=True, slots=True)
class ArrayView(View):
    """One variable of a file of arrays."""

    name: str
    """Behind the path of its group, if it is in one: `model/t`."""
    dimensions: tuple[str, ...]
    shape: tuple[int, ...]
    type: str
    """As NumPy spells it: `f4`, or `>f4` where a file has them big-endian by choice; `text` for texts of any length."""
    blocks: tuple[int, ...] | None
    """The shape of what decodes alone; None: the whole."""
    attributes: dict[str, Any]
    """Texts, lists of texts, and numbers with their type: `{"type": "f4", "numbers": [1.5, "nan"]}`."""


@dataclass(frozen=True, slots=True)
class ArraysView(View):
    """The variables of a file of arrays, as `slice` can cut them."""

    collection: str
    name: str
    revision: str
    container: str
    """What the file is: `netcdf3`, `hdf5`, `npy` ..."""
    attributes: dict[str, Any]
    """Of the whole and of its groups, by path; that of the whole is empty."""
    variables: tuple[ArrayView, ...]
    unlimited: tuple[str, ...] = ()
    """The dimensions that may grow, behind the path of their group."""
