"""The remote twin of workers.archive.Archive: the same verbs, values and errors, over REST.

    with Client("http://127.0.0.1:8377", key) as archive:
        receipt = archive.put("logs", "web.log", open("web.log", "rb"))

Whole downloads are checked against the server's digest, uploads against the receipt. A request is repeated only when
that is harmless: when it reads, or carries an Idempotency-Key and a body that can be sent again.
"""

import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import closing
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar
from urllib.parse import quote

from lithify import limits
from lithify.api import documents, matches
from lithify.api.remote import FOREVER, Remote, given, retrying
from lithify.api.transfers import Incoming, IncomingSlice, Nothing, Outgoing
from lithify.errors import LithifyError, NotFound, RangeNotSatisfiable, StoreUnavailable
from lithify.store.names import collection_name, object_name
from lithify.store.views import (
    ArraysView,
    CheckReport,
    ContentsView,
    JobView,
    KeyView,
    LikeView,
    ObjectView,
    PolicyView,
    Receipt,
    Report,
    ScheduleView,
    SurpriseView,
    TemplatesView,
    Unsettled,
    Verdict,
    View,
)
from lithify.workers.settling import wait_until_settled

if TYPE_CHECKING:
    from lithify.api.service import Body, Content
    from lithify.workers.found import Found, Query
    from lithify.workers.frame_slices import Cut, Form
    from lithify.workers.ingest import PutFailure, PutItem

V = TypeVar("V", bound=View)

_SIDE_BY_SIDE = 8
"""Uploads of put_many: enough for the server to fill its group commits, few enough for one socket each."""
_ASK_AT_ONCE = 1000


class Client:
    """A lithify server. Thread-safe."""

    def __init__(self, url: str, key: str | None = None) -> None:
        """Nothing is asked before the first verb. Raises BadArgument for a malformed URL."""
        self._remote = Remote(url, key, connections=_SIDE_BY_SIDE)

    def close(self) -> None:
        """Close all connections."""
        self._remote.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # --- objects ----------------------------------------------------------------------------------------

    def put(
        self,
        collection: str,
        name: str,
        body: "Body",
        *,
        contract: str | None = None,
        effort: str | None = None,
        model: str | None = None,
        content_type: str | None = None,
        digest: str | None = None,
        length: int | None = None,
        idempotency_key: str | None = None,
        if_match: str | None = None,
        if_none_match: bool = False,
    ) -> Receipt:
        """Send what `body` gives; the receipt means that it is durable there, and is compared with what was sent."""
        outgoing = Outgoing(body)
        wishes = {"Content-Type": content_type, "Lithify-Contract": contract, "Lithify-Effort": effort}
        wishes |= {
            "Lithify-Model": model,
            "Content-SHA256": digest,
            "Idempotency-Key": idempotency_key,
            **_conditions(if_match, if_none_match),
        }
        receipt = self._send("PUT", _object(collection, name), outgoing, length, wishes)
        outgoing.compare(receipt.digest)
        return receipt

    def append(
        self,
        collection: str,
        name: str,
        body: "Body",
        *,
        contract: str | None = None,
        effort: str | None = None,
        model: str | None = None,
        content_type: str | None = None,
        digest: str | None = None,
        length: int | None = None,
        idempotency_key: str | None = None,
        if_match: str | None = None,
        if_none_match: bool = False,
    ) -> Receipt:
        """Send what goes behind an object; without digest and key, the server keeps it piece by piece as it comes."""
        wishes = {"Content-Type": content_type, "Lithify-Contract": contract, "Lithify-Effort": effort}
        wishes |= {
            "Lithify-Model": model,
            "Content-SHA256": digest,
            "Idempotency-Key": idempotency_key,
            **_conditions(if_match, if_none_match),
        }
        return self._send("POST", _object(collection, name), Outgoing(body), length, wishes)

    def _send(
        self, method: str, path: str, outgoing: Outgoing, length: int | None, wishes: dict[str, str | None]
    ) -> Receipt:
        length = outgoing.length() if length is None else length
        sent = given(**wishes, **{"Content-Length": None if length is None else str(length)})

        def once() -> Receipt:
            answer = self._remote.ask(method, path, content=outgoing.blocks(), headers=sent)
            return documents.view(Receipt, answer)

        return retrying(once) if "Idempotency-Key" in sent and outgoing.repeatable else once()

    def put_many(self, items: "Iterable[PutItem]") -> "Iterator[Receipt | PutFailure]":
        """Send many files side by side, each under a key of its own, so that a server may restart meanwhile."""
        with ThreadPoolExecutor(_SIDE_BY_SIDE, thread_name_prefix="put") as threads:
            under_way: set[Future[Receipt | PutFailure]] = set()
            for item in items:
                under_way.add(threads.submit(self._put_item, item))
                if len(under_way) >= 2 * _SIDE_BY_SIDE:
                    done, under_way = wait(under_way, return_when=FIRST_COMPLETED)
                    yield from (future.result() for future in done)
            yield from (future.result() for future in wait(under_way).done)

    def _put_item(self, item: "PutItem") -> "Receipt | PutFailure":
        from lithify.workers.ingest import PutFailure

        try:
            with item.path.open("rb") as file:
                return self.put(
                    item.collection,
                    item.name,
                    file,
                    contract=item.contract,
                    effort=item.effort,
                    model=item.model,
                    idempotency_key=uuid.uuid4().hex,
                )
        except FileNotFoundError:
            return PutFailure(item, NotFound(f"there is no file {item.path}"))
        except OSError as error:
            return PutFailure(item, StoreUnavailable(f"cannot read {item.path}: {error.strerror}"))
        except LithifyError as error:
            return PutFailure(item, error)

    def get(
        self, collection: str, name: str, *, revision: str | None = None, start: int = 0, end: int | None = None
    ) -> "Content":
        """The bytes of an object, or `start` up to `end` of them; of a whole object the digest is checked."""
        if start == end or not 0 <= start <= (start if end is None else end):
            return self._nothing(collection, name, revision, start, end)
        span = {} if (start, end) == (0, None) else {"Range": f"bytes={start}-{'' if end is None else end - 1}"}
        try:
            answer = self._remote.open(_object(collection, name), params=given(revision=revision), headers=span)
        except RangeNotSatisfiable:
            return self._nothing(collection, name, revision, start, end)
        return Incoming(self._remote, answer, lambda found: self.stat(collection, name, found))

    def original(self, collection: str, name: str, *, revision: str | None = None) -> "Content":
        """What was put in, where something else comes back; its digest is checked. Raises NotFound once it is gone."""
        path = f"/v1/original/{collection_name(collection)}/{quote(object_name(name))}"
        answer = self._remote.open(path, params=given(revision=revision), headers={})
        return Incoming(self._remote, answer, lambda found: self.stat(collection, name, found))

    def _nothing(self, collection: str, name: str, revision: str | None, start: int, end: int | None) -> Nothing:
        view = self.stat(collection, name, revision)
        if 0 <= start == (view.length if end is None else min(end, view.length)):
            return Nothing(view, start)
        raise RangeNotSatisfiable(f"{collection}/{name} has {view.length} bytes, none of them from {start} on")

    def stat(self, collection: str, name: str, revision: str | None = None) -> ObjectView:
        """One object with all its encodings. Raises NotFound."""
        path = f"/v1/encodings/{collection_name(collection)}/{quote(object_name(name))}"
        return documents.view(ObjectView, self._get(path, revision=revision))

    def list(
        self, collection: str, *, prefix: str = "", after: str = "", limit: int = limits.LIST_PAGE_MAX
    ) -> Sequence[ObjectView]:
        """Objects of a collection by name, a page at a time. Raises NotFound for an unknown collection."""
        page = self._get(f"/v1/objects/{collection_name(collection)}", prefix=prefix, after=after, limit=limit)
        return _views(ObjectView, page, "objects")

    def find(self, **wanted: Any) -> Iterator[ObjectView]:
        """Objects anywhere, by name pattern, kind, size and age."""
        with closing(self._remote.open("/v1/find", params=given(**wanted))) as answer:
            yield from (documents.view(ObjectView, found) for found in self._remote.lines(answer))

    def collections(self) -> Sequence[str]:
        """The names of all collections."""
        found: Sequence[str] = self._get("/v1/collections")["collections"]
        return found

    def remove(self, collection: str, name: str, *, if_match: str | None = None) -> ObjectView:
        """Take the name away, with all its revisions; gives what was there."""
        condition = given(**{"If-Match": if_match if if_match in {None, "*"} else f'"{if_match}"'})
        answer = self._remote.ask("DELETE", _object(collection, name), headers=condition)
        return documents.view(ObjectView, answer)

    # --- lines ------------------------------------------------------------------------------------------

    def search(self, collection: str, name: str, query: "Query", *, limit: int | None = None) -> "Iterator[Found]":
        """The lines that the query finds, as the server comes by them; see Service."""
        wanted = {"collection": collection_name(collection), "name": name, "limit": limit, **matches.asked(query)}
        with closing(self._remote.open("/v1/search", method="POST", json=wanted, timeout=FOREVER)) as answer:
            yield from matches.found_in(self._remote.lines(answer))

    def templates(self, collection: str, name: str, *, most: int = limits.LIST_PAGE_MAX) -> TemplatesView:
        """The shapes that the lines of an object have, the most frequent first. Raises NotFound, Conflict."""
        path = f"/v1/templates/{collection_name(collection)}/{quote(object_name(name))}"
        return documents.view(TemplatesView, self._get(path, most=most))

    def contents(self, collection: str, name: str, *, revision: str | None = None) -> ContentsView:
        """What the codec of an object found inside it. Raises NotFound."""
        path = f"/v1/contents/{collection_name(collection)}/{quote(object_name(name))}"
        return documents.view(ContentsView, self._get(path, revision=revision))

    # --- texts ------------------------------------------------------------------------------------------

    def surprise(
        self,
        collection: str,
        name: str,
        *,
        revision: str | None = None,
        by: str = "excess",
        lines: int = limits.LIST_PAGE_MAX,
    ) -> SurpriseView:
        """What the lines of an object cost, the most surprising first. Raises NotFound."""
        path = f"/v1/surprise/{collection_name(collection)}/{quote(object_name(name))}"
        params = given(revision=revision, by=by, lines=lines)
        return documents.view(SurpriseView, self._remote.ask("GET", path, params=params, timeout=FOREVER))

    def like(
        self, collection: str, name: str, *, among: str | None = None, limit: int = limits.LIKE_MEASURED_MAX
    ) -> LikeView:
        """The objects that resemble one most, of one collection or all. Raises NotFound, Conflict."""
        wanted = {"collection": collection_name(collection), "name": object_name(name), "among": among, "limit": limit}
        return documents.view(LikeView, self._post("/v1/like", wanted, timeout=FOREVER))

    # --- arrays -----------------------------------------------------------------------------------------

    def arrays(self, collection: str, name: str, *, revision: str | None = None) -> ArraysView:
        """The variables of a file of arrays. Raises NotFound, Conflict."""
        path = f"/v1/arrays/{collection_name(collection)}/{quote(object_name(name))}"
        answer = self._remote.ask("GET", path, params=given(revision=revision), timeout=FOREVER)
        return documents.view(ArraysView, answer)

    def slice(
        self, collection: str, name: str, wish: "Cut", form: "Form" = "netcdf", *, revision: str | None = None
    ) -> IncomingSlice:
        """A part of its arrays as a file of its own. Raises NotFound, BadArgument, Conflict."""
        path = f"/v1/slice/{collection_name(collection)}/{quote(object_name(name))}"
        wanted = {"variable": wish.variables, "slice": wish.slices, "select": wish.labels}
        params = {**{name: list(words) for name, words in wanted.items()}, **given(revision=revision, format=form)}
        return IncomingSlice(self._remote, self._remote.open(path, params=params, timeout=FOREVER))

    # --- the archive's health ---------------------------------------------------------------------------

    def report(self) -> Report:
        """What was won, by kind, codec and collection."""
        return documents.view(Report, self._get("/v1/report"))

    def verify(self, collection: str, name: str) -> Verdict:
        """Have the server decode an object whole and compare it with what was promised."""
        wanted = {"collection": collection_name(collection), "name": object_name(name)}
        return documents.view(Verdict, self._post("/v1/verify", wanted, timeout=FOREVER))

    def check(self, *, read_data: bool = False) -> CheckReport:
        """Have the server compare catalog and cellar."""
        return documents.view(CheckReport, self._post("/v1/check", {"read_data": read_data}, timeout=FOREVER))

    def start_upkeep(self, kind: str, args: dict[str, Any] | None = None) -> JobView:
        """Queue one run of an upkeep job."""
        return documents.view(JobView, self._post("/v1/upkeep", {"kind": kind, "args": args or {}}))

    # --- jobs -------------------------------------------------------------------------------------------

    def jobs(self, *, state: str | None = None, limit: int = 100) -> Sequence[JobView]:
        """Jobs, newest first."""
        return _views(JobView, self._get("/v1/jobs", state=state, limit=limit), "jobs")

    def job(self, job_id: int) -> JobView:
        """One job. Raises NotFound."""
        return documents.view(JobView, self._get(f"/v1/jobs/{job_id}"))

    def cancel_job(self, job_id: int) -> JobView:
        """Ask that a job not be done, or be stopped."""
        return documents.view(JobView, self._post(f"/v1/jobs/{job_id}/cancel"))

    def retry_job(self, job_id: int) -> JobView:
        """Give a job that ended without success another round of attempts."""
        return documents.view(JobView, self._post(f"/v1/jobs/{job_id}/retry"))

    def wait(
        self,
        revisions: Sequence[str],
        *,
        timeout: float | None = None,
        on_progress: Callable[[int, int], None] | None = None,
    ) -> None:
        """Return once the server's workers are done with these revisions. Raises TimedOut, Unserved."""
        wait_until_settled(
            lambda: self._unsettled(revisions),
            len(revisions),
            pause_seconds=limits.POLL_SECONDS,
            timeout=timeout,
            on_progress=on_progress,
        )

    def _unsettled(self, revisions: Sequence[str]) -> Unsettled:
        parts = [revisions[at : at + _ASK_AT_ONCE] for at in range(0, len(revisions), _ASK_AT_ONCE)]
        answers = (self._post("/v1/unsettled", {"revisions": [*part]}, repeatable=True) for part in parts)
        left = [found for answer in answers if (found := documents.view(Unsettled, answer)).unsettled]
        waits = all(found.unserved for found in left)
        lanes = dict.fromkeys(lane for found in left for lane in found.unserved)
        return Unsettled(sum(found.unsettled for found in left), tuple(lanes) if waits else ())

    # --- rules ------------------------------------------------------------------------------------------

    def policy(self, collection: str) -> PolicyView:
        """The rule of a collection; the defaults when it has none."""
        return documents.view(PolicyView, self._get(f"/v1/policies/{collection_name(collection)}"))

    def set_policy(self, collection: str, **changes: Any) -> PolicyView:
        """Change the rule of a collection; None leaves a part as it is."""
        path = f"/v1/policies/{collection_name(collection)}"
        return documents.view(PolicyView, self._remote.ask("PATCH", path, json=given(**changes)))

    def schedules(self) -> Sequence[ScheduleView]:
        """All schedules by name."""
        return _views(ScheduleView, self._get("/v1/schedules"), "schedules")

    def add_schedule(self, name: str, kind: str, cron: str, args: dict[str, Any] | None = None) -> ScheduleView:
        """Make a schedule, or change the one of that name."""
        wanted = {"kind": kind, "cron": cron, "args": args or {}}
        return documents.view(ScheduleView, self._remote.ask("PUT", _schedule(name), json=wanted))

    def remove_schedule(self, name: str) -> None:
        """Remove a schedule. Raises NotFound."""
        self._remote.ask("DELETE", _schedule(name))

    def run_schedule(self, name: str) -> JobView:
        """Queue the job of a schedule now."""
        return documents.view(JobView, self._post(f"{_schedule(name)}/run"))

    def keys(self) -> Sequence[KeyView]:
        """All API keys, revoked ones too."""
        return _views(KeyView, self._get("/v1/keys"), "keys")

    def add_key(self, label: str, scopes: Sequence[str], expires_seconds: float | None = None) -> tuple[KeyView, str]:
        """Make an API key; its text is given once, here."""
        wanted = {"label": label, "scopes": [*scopes], "expires_seconds": expires_seconds}
        made = self._post("/v1/keys", wanted)
        return documents.view(KeyView, made["key"]), made["secret"]

    def revoke_key(self, key_id: str) -> KeyView:
        """End an API key at once. Raises NotFound."""
        return documents.view(KeyView, self._remote.ask("DELETE", f"/v1/keys/{quote(key_id, safe='')}"))

    def _get(self, path: str, **params: Any) -> Any:
        return self._remote.ask("GET", path, params=given(**params))

    def _post(self, path: str, document: dict[str, Any] | None = None, **request: Any) -> Any:
        return self._remote.ask("POST", path, json=document, **request)


def _object(collection: str, name: str) -> str:
    # Checked here too: httpx folds `..` segments away, and the request would go to another object.
    return f"/v1/objects/{collection_name(collection)}/{quote(object_name(name))}"


def _conditions(if_match: str | None, if_none_match: bool) -> dict[str, str | None]:
    return {
        "If-Match": if_match if if_match in {None, "*"} else f'"{if_match}"',
        "If-None-Match": "*" if if_none_match else None,
    }


def _schedule(name: str) -> str:
    return f"/v1/schedules/{quote(name, safe='')}"


def _views(kind: type[V], document: Any, field: str) -> Sequence[V]:
    return [documents.view(kind, found) for found in document[field]]
