"""A local archive: one folder, opened; every verb that people and programs use, each handed to the file that does it.

`lithify.api.client.Client` offers the same verbs over REST; `lithify.api.service.Service` is what both promise.
"""

import builtins
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any, BinaryIO, Self

from lithify import limits
from lithify.crashpoints import crashpoint
from lithify.errors import Conflict, NotFound
from lithify.store import jobs, keys, policies, primers, queries, reserve, schedules
from lithify.store.blobs_local import LocalBlobs
from lithify.store.catalog import Catalog
from lithify.store.commit import GroupCommit, sequence
from lithify.store.highwater import HighWater
from lithify.store.names import collection_name, object_name
from lithify.store.removal import Remove, Tombstones
from lithify.store.views import (
    ArraysView,
    CheckReport,
    ContentsView,
    JobView,
    KeyView,
    LikeView,
    ObjectView,
    PolicyView,
    PrimerView,
    Receipt,
    Report,
    ScheduleView,
    SurpriseView,
    TemplatesView,
    Verdict,
)
from lithify.store.write import Write
from lithify.workers import schedule
from lithify.workers.append import Appending, Appends
from lithify.workers.folder import CATALOG, HIGH_WATER, STAGING, hold_shared, open_folder
from lithify.workers.found import Found, Query
from lithify.workers.frame_slices import Cut, Form, Sliced
from lithify.workers.ingest import Ingest, PutFailure, PutItem, ingest_many
from lithify.workers.model_folder import ModelFolder
from lithify.workers.primers import read_primer
from lithify.workers.queue_sqlite import SqliteQueue
from lithify.workers.restore import Content, open_content, open_original
from lithify.workers.sandbox import Sandbox
from lithify.workers.teach import Watch


class Archive:
    """A folder that keeps things. Thread-safe; any number of processes may have the same folder open."""

    def __init__(
        self,
        folder: Path,
        *,
        create: bool = True,
        effort: str = "default",
        child_memory_bytes: int = limits.CHILD_MEMORY_BYTES,
        child_wall_seconds: float = limits.CHILD_WALL_SECONDS,
        grace_seconds: float = limits.GRACE_SECONDS,
        checkpoint_seconds: float = limits.CHECKPOINT_SECONDS,
        repack_seconds: float = limits.REPACK_SECONDS,
        models: Path | None = None,
    ) -> None:
        """Open the archive in `folder`, making it on first use.

        models  the folder of language models

        Raises NotFound when it is not there and may not be made, Conflict when its catalog is gone (rebuild brings it
        back), UnknownFormat when a newer lithify laid it out.
        """
        self.folder = folder
        self.staging = folder / STAGING
        """Where temporary files go; those made here have no name and vanish with their process."""
        self.effort = effort
        self.grace_seconds = grace_seconds
        self.checkpoint_seconds = checkpoint_seconds
        """How long the doors let wait what is appended before they commit it."""
        self.repack_seconds = repack_seconds
        self.appends = Appends()
        self.models = ModelFolder(models)
        self._wall_seconds = child_wall_seconds
        self._large: dict[int, Sandbox] = {}
        self._large_lock = threading.Lock()
        self.id = open_folder(folder, create=create)
        with ExitStack() as opening:
            opening.callback(os.close, hold_shared(folder))
            reserve.let_go_if_short(folder)
            self.catalog = opening.enter_context(closing(Catalog(folder / CATALOG)))
            self.catalog.migrate()
            self._highwater = HighWater(folder / HIGH_WATER)
            self.refuse_old_catalog()
            self.blobs = opening.enter_context(closing(LocalBlobs(folder)))
            self.sandbox = opening.enter_context(
                Sandbox(memory_bytes=child_memory_bytes, wall_seconds=child_wall_seconds)
            )
            opening.callback(self._close_large)
            self.commits = opening.enter_context(closing(GroupCommit(self.catalog, self.blobs, self._highwater)))
            self._closing = opening.pop_all()
        self.queue = SqliteQueue(self.catalog)
        self.watch = Watch(self)
        self.queue.install(schedule.DEFAULTS)
        reserve.take(folder)

    @property
    def failure(self) -> str | None:
        """Why this process must end: a flush failed, so what is durable is unknown until the archive is opened anew."""
        return self.blobs.failure or self.catalog.failure

    def refuse_old_catalog(self) -> None:
        """Raise Conflict when the catalog has forgotten what the cellar keeps: it was put back from a backup."""
        mark = self._highwater.read()
        with self.catalog.reading() as connection:
            found = sequence(connection)
        if found < mark:
            raise Conflict(
                f"the catalog {self.folder / CATALOG} ends at record {found}, the archive had come to {mark}: it "
                "forgot some of what the archive keeps. `lithify rebuild` brings it back from the records beside them"
            )

    def sandbox_with(self, memory_bytes: int) -> Sandbox:
        """A sandbox whose children may use at least so much memory, for whoever brings a language model."""
        rounded = 1 << (memory_bytes - 1).bit_length()
        with self._large_lock:
            if rounded not in self._large:
                self._large[rounded] = Sandbox(memory_bytes=rounded, wall_seconds=self._wall_seconds)
            return self._large[rounded]

    def _close_large(self) -> None:
        with self._large_lock:
            for sandbox in self._large.values():
                sandbox.close()

    def close(self) -> None:
        """Finish what is being committed and let go of everything."""
        self._closing.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    # --- objects ----------------------------------------------------------------------------------------

    def ingest(self, collection: str, name: str, **wishes: Any) -> Ingest:
        """Start receiving an object; see Ingest for the wishes. Refuses at once what can be refused at once."""
        return Ingest(self, collection_name(collection), object_name(name), **wishes)

    def put(self, collection: str, name: str, body: BinaryIO | Iterable[bytes], **wishes: Any) -> Receipt:
        """Take in everything `body` gives, and answer once it is durable."""
        with self.ingest(collection, name, **wishes) as ingest:
            for block in _blocks(body):
                ingest.write(block)
            return ingest.commit()

    def appending(self, collection: str, name: str, **wishes: Any) -> Appending:
        """Start receiving what goes behind an object; see Appending for the wishes. Hold it first, by `appends`."""
        return Appending(self, collection_name(collection), object_name(name), **wishes)

    def append(self, collection: str, name: str, body: BinaryIO | Iterable[bytes], **wishes: Any) -> Receipt:
        """Take in everything `body` gives, behind what the object holds, and answer once it is durable."""
        with self.appends.hold(collection, name), self.appending(collection, name, **wishes) as appending:
            for block in _blocks(body):
                appending.write(block)
            return appending.commit()

    def put_many(self, items: Iterable[PutItem]) -> Iterator[Receipt | PutFailure]:
        """Take in many files, sharing flushes and commits; answers come in no particular order."""
        return ingest_many(self, items)

    def get(
        self,
        collection: str,
        name: str,
        *,
        revision: str | None = None,
        start: int = 0,
        end: int | None = None,
    ) -> Content:
        """The bytes of an object, or `start` up to `end` of them, checked as they pass."""
        return open_content(self, self.stat(collection, name, revision), start, end)

    def original(self, collection: str, name: str, *, revision: str | None = None) -> Content:
        """What was put in, while a copy still stands that has every byte of it. Raises NotFound once there is none."""
        return open_original(self, self.stat(collection, name, revision))

    def stat(self, collection: str, name: str, revision: str | None = None) -> ObjectView:
        """One object with all its encodings. Raises NotFound."""
        with self.catalog.reading() as connection:
            found = queries.find_object(connection, collection_name(collection), object_name(name), revision)
        if found is None:
            which = f" of revision {revision}" if revision else ""
            raise NotFound(f"there is no object {collection}/{name}{which}")
        return found

    def list(
        self, collection: str, *, prefix: str = "", after: str = "", limit: int = limits.LIST_PAGE_MAX
    ) -> list[ObjectView]:
        """Objects of a collection by name, a page at a time. Raises NotFound for an unknown collection."""
        with self.catalog.reading() as connection:
            return queries.list_objects(
                connection, collection_name(collection), prefix=prefix, after=after, limit=limit
            )

    def find(self, **wanted: Any) -> Iterator[ObjectView]:
        """Objects anywhere, by name pattern, kind, size and age."""
        with self.catalog.reading() as connection:
            yield from queries.find_objects(connection, **wanted)

    def collections(self) -> builtins.list[str]:
        """The names of all collections."""
        with self.catalog.reading() as connection:
            return queries.collections(connection)

    def remove(self, collection: str, name: str, *, if_match: str | None = None) -> ObjectView:
        """Take the name away, with all its revisions; gives what was there. The bytes go after the grace."""
        view = self.stat(collection, name)
        crashpoint("delete.before_row")
        gone = self.commits.run(Remove(collection, name, if_match))
        crashpoint("delete.after_row")
        crashpoint("delete.before_record")
        self.commits.run(Tombstones(gone))
        crashpoint("delete.after_record")
        return view

    def report(self) -> Report:
        """What was won, by kind, codec and collection."""
        with self.catalog.reading() as connection:
            return queries.report(connection)

    def verify(self, collection: str, name: str) -> Verdict:
        """Decode an object whole and compare it with what was promised."""
        from lithify.workers.verify import verify_object

        return verify_object(self, self.stat(collection, name))

    # --- lines ------------------------------------------------------------------------------------------

    def search(self, collection: str, name: str, query: Query, **terms: Any) -> Iterator[Found]:
        """Lines of one object, or of all whose name begins with `name/` or matches a glob; see workers/search.py."""
        from lithify.workers.search import search

        return search(self, collection_name(collection), name, query, **terms)

    def templates(
        self, collection: str, name: str, *, most: int = limits.LIST_PAGE_MAX, wall_seconds: float | None = None
    ) -> TemplatesView:
        """The shapes that the lines of an object have, the most frequent first. Raises NotFound, Conflict."""
        from lithify.workers.templates import object_templates

        return object_templates(self, self.stat(collection, name), most, wall_seconds)

    def contents(
        self, collection: str, name: str, *, revision: str | None = None, wall_seconds: float | None = None
    ) -> ContentsView:
        """What the codec of an object found inside it. Raises NotFound."""
        from lithify.workers.contents import object_contents

        return object_contents(self, self.stat(collection, name, revision), wall_seconds)

    # --- texts ------------------------------------------------------------------------------------------

    def surprise(
        self,
        collection: str,
        name: str,
        *,
        revision: str | None = None,
        by: str = "excess",
        lines: int = limits.LIST_PAGE_MAX,
        wall_seconds: float | None = None,
    ) -> SurpriseView:
        """What the lines of an object cost, the most surprising first. Raises NotFound."""
        from lithify.workers.surprise import object_surprise

        view = self.stat(collection, name, revision)
        return object_surprise(self, view, by=by, lines=lines, wall_seconds=wall_seconds)

    def like(
        self,
        collection: str,
        name: str,
        *,
        among: str | None = None,
        limit: int = limits.LIKE_MEASURED_MAX,
        wall_seconds: float | None = None,
    ) -> LikeView:
        """The objects that resemble one most, of one collection or all. Raises NotFound, Conflict."""
        from lithify.workers.like import like

        where = None if among is None else collection_name(among)
        return like(self, self.stat(collection, name), among=where, limit=limit, wall_seconds=wall_seconds)

    # --- arrays -----------------------------------------------------------------------------------------

    def arrays(
        self, collection: str, name: str, *, revision: str | None = None, wall_seconds: float | None = None
    ) -> ArraysView:
        """The variables of a file of arrays. Raises NotFound, Conflict."""
        from lithify.workers.slices import object_arrays

        return object_arrays(self, self.stat(collection, name, revision), wall_seconds=wall_seconds)

    def slice(
        self,
        collection: str,
        name: str,
        wish: Cut,
        form: Form = "netcdf",
        *,
        revision: str | None = None,
        wall_seconds: float | None = None,
    ) -> Sliced:
        """A part of its arrays as a file of its own. Raises NotFound, BadArgument, Conflict."""
        from lithify.workers.slices import object_slice

        return object_slice(self, self.stat(collection, name, revision), wish, form, wall_seconds=wall_seconds)

    # --- the archive's health ---------------------------------------------------------------------------

    def check(self, *, read_data: bool = False) -> CheckReport:
        """Compare catalog and cellar; with `read_data`, hash every blob as well."""
        from lithify.workers.check import check_archive

        return check_archive(self, read_data=read_data)

    def start_upkeep(self, kind: str, args: dict[str, Any] | None = None) -> JobView:
        """Queue one run of an upkeep job."""
        schedule.check_kind(kind)
        with self.catalog.writing() as connection:
            job_id = self.queue.defer(connection, kind=kind, queue=schedule.QUEUE, args=args or {})
            return jobs.get(connection, job_id)

    # --- jobs -------------------------------------------------------------------------------------------

    def jobs(self, *, state: str | None = None, limit: int = 100) -> builtins.list[JobView]:
        """Jobs, newest first."""
        with self.catalog.reading() as connection:
            return jobs.list_jobs(connection, state=state, limit=limit)

    def job(self, job_id: int) -> JobView:
        """One job. Raises NotFound."""
        with self.catalog.reading() as connection:
            return jobs.get(connection, job_id)

    def cancel_job(self, job_id: int) -> JobView:
        """Ask that a job not be done, or be stopped."""
        with self.catalog.writing() as connection:
            self.queue.cancel(connection, job_id)
            return jobs.get(connection, job_id)

    def retry_job(self, job_id: int) -> JobView:
        """Give a job that ended without success another round of attempts."""
        with self.catalog.writing() as connection:
            self.queue.retry(connection, job_id)
            return jobs.get(connection, job_id)

    def wait(
        self,
        revisions: Sequence[str],
        *,
        timeout: float | None = None,
        on_progress: Callable[[int, int], None] | None = None,
    ) -> None:
        """Work, in this process, until the jobs of these revisions have ended; raises TimedOut."""
        from lithify.workers.loop import Worker

        Worker(self).run_until_settled(revisions, timeout=timeout, on_progress=on_progress)

    # --- rules ------------------------------------------------------------------------------------------

    def policy(self, collection: str) -> PolicyView:
        """The rule of a collection; the defaults when it has none."""
        with self.catalog.reading() as connection:
            return policies.get(connection, collection_name(collection), effort_default=self.effort)

    def set_policy(self, collection: str, **changes: Any) -> PolicyView:
        """Change the rule of a collection for what comes in from now on; what is stored keeps its contract."""
        from lithify.codecs.fidelity import Contract
        from lithify.codecs.registry import by_id

        if changes.get("contract") is not None:
            changes["contract"] = str(Contract.parse(changes["contract"]))
        for codec in changes.get("codecs") or ():
            by_id(codec)
        if changes.get("model"):
            changes["model"] = self.models.named(changes["model"])
        name = collection_name(collection)
        self.commits.run(
            Write(
                "policy",
                lambda connection, now: policies.set_policy(
                    connection, name, now, effort_default=self.effort, **changes
                ),
            )
        )
        return self.policy(name)

    def primer(self, collection: str) -> PrimerView:
        """What a collection's originals have taught a codec so far. Raises NotFound."""
        with self.catalog.reading() as connection:
            found = primers.current(connection, collection_name(collection))
        if found is None:
            raise NotFound(f"the collection {collection} has no primer: it is made once enough logs are in it")
        place = found.place
        return PrimerView(collection, place.digest, place.length, found.codec, found.objects, found.created_at)

    def read_primer(self, collection: str, name: str | None = None) -> bytes:
        """The primer of a collection, or the one that an object's encoding needs. Raises NotFound, MissingPrimer."""
        digest = self.primer(collection).digest if name is None else self._primer_of(collection, name)
        with self.catalog.reading() as connection:
            place = queries.blob(connection, digest)
        if place is None:
            raise NotFound(f"there is no primer {digest}")
        return read_primer(self, place)

    def _primer_of(self, collection: str, name: str) -> str:
        serving = next(one for one in self.stat(collection, name).encodings if one.state == "current")
        if serving.primer is None:
            raise NotFound(f"{collection}/{name} needs no primer")
        return serving.primer

    def schedules(self) -> builtins.list[ScheduleView]:
        """All schedules by name."""
        with self.catalog.reading() as connection:
            return schedules.list_schedules(connection)

    def add_schedule(self, name: str, kind: str, cron: str, args: dict[str, Any] | None = None) -> ScheduleView:
        """Make a schedule, or change the one of that name."""
        schedule.check_kind(kind)
        self.commits.run(
            Write(
                "schedule",
                lambda connection, now: schedules.put(connection, name, kind, cron, args or {}, now),
            )
        )
        with self.catalog.reading() as connection:
            return schedules.get(connection, name)

    def remove_schedule(self, name: str) -> None:
        """Remove a schedule. Raises NotFound."""
        self.commits.run(Write("schedule", lambda connection, now: schedules.remove(connection, name, now)))

    def run_schedule(self, name: str) -> JobView:
        """Queue the job of a schedule now, whatever its cron says."""
        with self.catalog.reading() as connection:
            found = schedules.get(connection, name)
        return self.start_upkeep(found.kind, found.args)

    def keys(self) -> builtins.list[KeyView]:
        """All API keys, revoked ones too."""
        with self.catalog.reading() as connection:
            return keys.list_keys(connection)

    def add_key(self, label: str, scopes: Sequence[str], expires_seconds: float | None = None) -> tuple[KeyView, str]:
        """Make an API key; its text is given once, here, and only its hash is kept."""
        made = keys.new(label, scopes)
        facts = self.commits.run(Write("key", lambda connection, now: keys.add(connection, made, now, expires_seconds)))
        return keys.view(facts), made.text

    def revoke_key(self, key_id: str) -> KeyView:
        """End an API key at once. Raises NotFound."""
        facts = self.commits.run(Write("key", lambda connection, now: keys.revoke(connection, key_id, now)))
        return keys.view(facts)


def _blocks(body: BinaryIO | Iterable[bytes]) -> Iterator[bytes]:
    read = getattr(body, "read", None)
    if read is None:
        yield from body
        return
    while block := read(limits.COPY_BYTES):
        yield block
