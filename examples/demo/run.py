"""`make demo`: real input of every kind goes in by REST, is encoded and proved, and comes back; then the bill.

Ends with exit code 0 only if every byte came back and nothing grew beyond what is promised.
"""

import hashlib
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.status import Status

from examples.demo import report
from examples.demo.inputs import make_inputs
from examples.demo.service import LITHIFY, Service
from lithify import limits
from lithify.api.client import Client
from lithify.store.views import ObjectView, Receipt
from lithify.workers.ingest import PutFailure, PutItem

COLLECTION = "demo"
_PROVE_SECONDS = 600.0
_RANGE_BYTES = 1_000_000


@dataclass
class Phase:
    """What is going on now, and in the end what was done."""

    status: Status
    done: str = ""


class Story:
    """Tells each phase as it happens, with how long it took."""

    def __init__(self) -> None:
        self.console = Console(highlight=False, soft_wrap=True)
        self.seconds = 0.0

    @contextmanager
    def phase(self, doing: str) -> Iterator[Phase]:
        """While inside, a terminal shows `doing`; then come the sentence in `done`, and the time."""
        started = time.monotonic()
        with self.console.status(doing) as status:
            yield (phase := Phase(status))
        seconds = time.monotonic() - started
        self.seconds += seconds
        self.console.print(f"[green]✓[/] {phase.done:<67}[dim]{seconds:6.1f} s[/]")


def put_all(client: Client, folder: Path, files: Sequence[Path]) -> list[Receipt]:
    """Send every file by REST; raises what the service answered if it refuses one."""
    items = [PutItem(COLLECTION, path.relative_to(folder).as_posix(), path) for path in files]
    receipts = []
    for answer in client.put_many(items):
        if isinstance(answer, PutFailure):
            raise answer.error
        receipts.append(answer)
    return receipts


def prove(client: Client, receipts: Sequence[Receipt], status: Status) -> None:
    """Wait until the workers are done with every object. Raises TimedOut."""

    def tell(done: int, everything: int) -> None:
        status.update(f"encoding and proving: {done} of {everything}")

    revisions = [receipt.revision for receipt in receipts]
    client.wait(revisions, timeout=_PROVE_SECONDS, on_progress=tell)


def differing(client: Client, folder: Path, names: Sequence[str]) -> list[str]:
    """Get every object and compare it with its file; the names of those that are not the same."""
    wrong = []
    for name in names:
        with client.get(COLLECTION, name) as content:
            digest = hashlib.sha256()
            for block in content:
                digest.update(block)
        with (folder / name).open("rb") as file:
            if hashlib.file_digest(file, "sha256").digest() != digest.digest():
                wrong.append(name)
    return wrong


def same_range(client: Client, path: Path, name: str) -> bool:
    """Get some bytes out of the middle of a large object, and compare."""
    start = path.stat().st_size // 2
    with client.get(COLLECTION, name, start=start, end=start + _RANGE_BYTES) as content:
        found = b"".join(content)
    with path.open("rb") as file:
        file.seek(start)
        return found == file.read(_RANGE_BYTES)


def grown(views: Sequence[ObjectView]) -> list[str]:
    """The objects that take more room than promised, whatever they are."""
    return [
        view.name
        for view in views
        if view.stored_bytes > view.length + limits.FRAME_OVERHEAD_BYTES + limits.FRAME_OVERHEAD_FRACTION * view.length
    ]


def tell(story: Story, work: Path) -> int:
    """The whole story in `work`; gives the exit code."""
    folder = work / "inputs"
    folder.mkdir()
    with story.phase("making logs, texts, a cube, pictures, sounds and a film") as phase:
        files = make_inputs(folder)
        size = sum(path.stat().st_size for path in files) / 1e6
        phase.done = f"made or found {len(files)} real files on this machine, {size:.0f} MB"
    with story.phase("starting the service") as phase:
        service = Service(work / "archive", work / "service.log")
        phase.done = f"started the service on {service.url}"
    with service, service.client() as client:
        return serve_and_compare(story, client, folder, files)


def serve_and_compare(story: Story, client: Client, folder: Path, files: Sequence[Path]) -> int:
    """Put, prove, get, compare, and show what was won."""
    with story.phase("putting") as phase:
        receipts = put_all(client, folder, files)
        phase.done = f"put {len(receipts)} objects by REST; every receipt means durable"
    with story.phase("encoding and proving") as phase:
        prove(client, receipts, phase.status)
        phase.done = "encoded them; a second process decoded each and compared"
    names = [receipt.name for receipt in receipts]
    largest = max(files, key=lambda path: path.stat().st_size)
    with story.phase("getting everything back") as phase:
        wrong = differing(client, folder, names)
        if not same_range(client, largest, largest.relative_to(folder).as_posix()):
            wrong.append(f"{largest.name}, the middle of it")
        same = f"{len(names) - len(wrong)} of {len(names)}"
        phase.done = f"got {same} back, same SHA-256; and a range of the largest"
    views = list(client.list(COLLECTION))
    story.console.print()
    report.show(story.console, report.rows(views, folder))
    faults = [f"{name} came back different" for name in wrong]
    faults += [f"{name} grew beyond the promise" for name in grown(views)]
    faults += [f"{view.name} was not proved" for view in views if view.verified_at is None]
    for fault in faults:
        story.console.print(f"[bold red]✗ {fault}[/]")
    return 1 if faults else 0


def main() -> int:
    """Run the demo; the archive stays for whoever wants to look around in it."""
    story = Story()
    work = Path(tempfile.mkdtemp(prefix="lithify-demo-"))
    try:
        code = tell(story, work)
    finally:
        shutil.rmtree(work / "inputs", ignore_errors=True)
    lithify = LITHIFY.relative_to(Path.cwd()) if LITHIFY.is_relative_to(Path.cwd()) else LITHIFY
    story.console.print(
        f"\nAll of it took {story.seconds:.0f} s. Try next:\n\n"
        f"  {lithify} --archive {work / 'archive'} report\n"
        f"  {lithify} --archive {work / 'archive'} stat {COLLECTION}/logs/web-access.log\n"
        f"  {lithify} pack README.md\n\n"
        f"[dim]The archive is yours to look at; rm -r {work} takes it away.[/]"
    )
    return code


if __name__ == "__main__":
    sys.exit(main())
