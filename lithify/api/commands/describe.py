"""Answers as lines for people: the same wording wherever an object, a job or a schedule is shown."""

from typing import TYPE_CHECKING

from lithify.api.output import moment, plural, ratio, size

if TYPE_CHECKING:
    from lithify.store.views import JobView, ObjectView, ReportRow

JOB_COLUMNS = ("id", "kind", "state", "attempt", "done", "created", "about")


def object_line(view: "ObjectView") -> str:
    """One object of a long listing: sizes, how it is kept, when it came, its name."""
    proved = view.codec if view.verified_at is not None else "staged"
    original = view.length if view.original_bytes is None else view.original_bytes
    sizes = f"{size(original):>10} {size(view.stored_bytes):>10} {ratio(view.ratio):>8}"
    return f"{sizes}  {proved:<14} {view.fidelity:<10} {moment(view.created_at)}  {view.collection}/{view.name}"


def collection_line(name: str, row: "ReportRow | None") -> str:
    """One collection of a long listing; `row` is its slice of the report, None while it is empty."""
    sizes, objects = ((row.original_bytes, row.stored_bytes, row.ratio), row.objects) if row else ((0, 0, 1.0), 0)
    return f"{size(sizes[0]):>10} {size(sizes[1]):>10} {ratio(sizes[2]):>8}  {plural(objects, 'object')}  {name}"


def job_row(view: "JobView") -> list[str]:
    """A job's cells, for JOB_COLUMNS."""
    about = (view.error or {}).get("message") or view.revision or view.schedule or ""
    done = f"{100 * view.progress:.0f} %"
    return [str(view.id), view.kind, view.state, str(view.attempt), done, moment(view.created_at), str(about)]


def report_row(row: "ReportRow") -> list[str]:
    """A slice's cells: what it is, what came in, what is kept, what was won."""
    proved = f"{row.verified_objects}/{row.objects}"
    won = [size(row.original_bytes), size(row.stored_bytes), ratio(row.ratio), size(row.saved_bytes)]
    return [row.group, str(row.objects), *won, proved, f"{row.encode_seconds:.1f} s"]
