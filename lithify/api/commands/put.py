"""`lithify put`: take files, folders or standard input in."""

import io
import os
import uuid
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, cast

import click

from lithify.api.commands.describe import object_line
from lithify.api.commands.session import Session, json_option, open_service, standard_input
from lithify.api.commands.values import EFFORT, PATH, PIPE, TEXT
from lithify.api.commands.walk import File, Skipped, named, shown, walk
from lithify.api.output import Advance, plural, size
from lithify.errors import BadArgument, Conflict, LithifyError

if TYPE_CHECKING:
    from lithify.api.service import Service
    from lithify.store.views import Receipt
    from lithify.workers.ingest import PutItem


@click.command()
@click.argument("paths", nargs=-1, required=True, type=PATH, metavar="PATH...")
@click.option("--to", "collection", type=TEXT, default="default", show_default=True, help="Collection.")
@click.option("--contract", type=TEXT, help="What must come back: exact, content, bounded:abs=0.01, floor:psnr=60 ...")
@click.option("--effort", type=EFFORT, help="How hard workers try.")
@click.option("--model", type=TEXT, help="Let a language model tell it: SHA-256, or name or path of its file.")
@click.option("--name", type=TEXT, help="Name of the object, for one file or for - (standard input).")
@click.option("--follow", is_flag=True, help="With -: go on behind what the object holds, as long as input comes.")
@click.option(
    "--wait", is_flag=True, help="Wait until the densest form has been found and proved, or nobody works on it."
)
@json_option
@click.pass_obj
def put(session: Session, /, paths: Sequence[Path], name: str | None, follow: bool, **wishes: Any) -> None:
    """Take in files, or whole folders, and answer when they are durable.

    A file is named by its own name, a file in a folder by its path from that folder on. Links and special
    files in folders are skipped, and reported. With PATH - standard input is read, and --name names it.

    With --model NAME the job waits in the queue gpu for a worker that has that language model in its folder
    LITHIFY_MODELS; until it is done the staged copy serves. NAME is looked for in the same folder, here or on the
    server. What was told by a model can only be read where that is.

    With --follow what comes is appended to the object, and is durable and readable a few seconds later; with
    --json each such step prints its receipt. The input may last for days: tail -f app.log | lithify put - --follow
    """
    if name is None and PIPE in paths:
        raise BadArgument("standard input needs a name: lithify put - --name NAME")
    if name is not None and len(paths) > 1:
        raise BadArgument(f"--name names one object, and {len(paths)} paths were given")
    if follow and paths != (PIPE,):
        raise BadArgument("--follow goes with - alone: tail -f FILE | lithify put - --name NAME --follow")
    with open_service(session, create=True) as service:
        if wishes["model"] is not None:
            wishes["model"] = _model(session, wishes["model"])
        batch = _Batch(session, service, **wishes)
        if follow:
            batch.follow(name or "")
        elif name is not None or (len(paths) == 1 and paths[0].is_file()):
            batch.put_one(paths[0], name)
        else:
            batch.put_all(paths)
        batch.finish()


@dataclass
class _Batch:
    """One call of put: where it goes to, and what has happened so far."""

    session: Session
    service: "Service"
    collection: str
    contract: str | None
    effort: str | None
    model: str | None
    wait: bool

    def __post_init__(self) -> None:
        self._receipts: list[Receipt] = []
        self._count = 0
        self._bytes = 0
        self._skipped = 0

    def put_one(self, path: Path, name: str | None) -> None:
        """One file, with a bar that knows where it ends, or standard input."""
        if path == PIPE:
            self._received(self._send(name or "", standard_input()))
            return
        if not path.is_file():
            path.stat()  # says what is wrong, if it is not there at all
            raise BadArgument(f"--name names one file, and {shown(path)} is none")
        # A key makes it harmless to send the file again when the answer of a server was lost.
        key = uuid.uuid4().hex if self.session.settings.url else None
        bar = self.session.out.progress(f"put {shown(path)}", path.stat().st_size)
        with bar as advance, _Watched(path, advance) as file:
            receipt = self._send(name or _own_name(path), cast("BinaryIO", file), idempotency_key=key)
        self._received(receipt)

    def follow(self, name: str) -> None:
        """Standard input, behind what the object holds, until it ends or we are told to."""
        from lithify.api.commands.follow import Follower

        wishes = {"contract": self.contract, "effort": self.effort, "model": self.model}
        follower = Follower(self.session, self.service, self.collection, name, wishes)
        receipt = follower.run(standard_input())
        if self.session.out.as_json and not self.wait:
            self._count = 1  # its receipt was printed when it came
        else:
            self._settle(receipt)
            self._received(receipt)
        if follower.told_to_end:
            raise click.Abort

    def _settle(self, receipt: "Receipt") -> None:
        """With --wait, do not wait for the object to rest."""
        if self.wait and receipt.job is not None:
            with suppress(Conflict):  # it runs already
                self.service.retry_job(receipt.job)

    def _send(self, name: str, body: BinaryIO, *, idempotency_key: str | None = None) -> "Receipt":
        return self.service.put(
            self.collection,
            name,
            body,
            contract=self.contract,
            effort=self.effort,
            model=self.model,
            idempotency_key=idempotency_key,
        )

    def put_all(self, paths: Sequence[Path]) -> None:
        """All regular files under `paths`; what cannot be put is reported, and the rest goes on."""
        from lithify.workers.ingest import PutFailure

        with self.session.out.progress(f"put to {self.collection}") as advance:
            for answer in self.service.put_many(self._items(paths)):
                if isinstance(answer, PutFailure):
                    self.session.failed(answer.error)
                else:
                    self._received(answer)
                    advance(self._bytes)

    def finish(self) -> None:
        """Wait if that was asked for, and say what was done."""
        if self.wait:
            self._wait()
        if self._count != 1 or self._skipped:
            skipped = f"; {self._skipped} skipped" if self._skipped else ""
            self.session.out.note("summary", f"stored {plural(self._count, 'object')}, {size(self._bytes)}{skipped}")

    def _items(self, paths: Sequence[Path]) -> "Iterator[PutItem]":
        from lithify.workers.ingest import PutItem

        settings = self.session.settings
        for found in walk(paths, leave_out=None if settings.url else settings.archive):
            if isinstance(found, File):
                yield PutItem(self.collection, found.name, found.path, self.contract, self.effort, self.model)
            elif isinstance(found, Skipped):
                self._skipped += 1
                self.session.out.note("skipped", f"skipped {shown(found.path)}: {found.why}")
            else:
                self.session.failed(found)

    def _received(self, receipt: "Receipt") -> None:
        self._count += 1
        self._bytes += receipt.length
        if self.wait:
            self._receipts.append(receipt)
            return
        unchanged = ", unchanged" if receipt.unchanged else ""
        text = f"{receipt.collection}/{receipt.name} ({size(receipt.length)}{unchanged})"
        self.session.out.document(receipt, text)

    def _wait(self) -> None:
        """With --wait the answer is each object as it stands in the end, not its receipt."""
        revisions = [receipt.revision for receipt in self._receipts]
        proving = self.session.out.progress("proving", len(revisions), unit="objects")
        with self.session.going_on(), proving as advance:
            self.service.wait(revisions, on_progress=lambda done, _all: advance(done))
        for receipt in self._receipts:
            with self.session.going_on():
                view = self.service.stat(receipt.collection, receipt.name, receipt.revision)
                self.session.out.document(view, object_line(view))


def _model(session: Session, name: str) -> str:
    """The model by its SHA-256, or by its name on a server; one that is not here is no mistake, but is worth a note."""
    from lithify.workers.model_files import called
    from lithify.workers.model_folder import ModelFolder

    wanted = called(name)
    if session.settings.url:
        return wanted
    folder = ModelFolder(session.settings.models)
    digest = folder.named(wanted)
    if not folder.has(digest):
        session.out.note("waits", f"the job waits for a worker that has the model: {folder.lacks(digest)}")
    return digest


def _own_name(path: Path) -> str:
    name = Path(os.path.abspath(path)).name  # noqa: PTH100 - resolve() would lose the name that was typed
    found = named(path, name)
    if isinstance(found, LithifyError):
        raise found
    return found.name


class _Watched(io.FileIO):
    """A file that tells how far it has been read."""

    def __init__(self, path: Path, advance: Advance) -> None:
        super().__init__(path)
        self._advance = advance

    def read(self, size: int | None = -1) -> bytes:
        """The next bytes."""
        block = super().read(-1 if size is None else size)
        self._advance(self.tell())
        return block
