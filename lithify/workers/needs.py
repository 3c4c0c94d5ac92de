"""What a stored frame needs to be decoded, brought together: its primer, its language model, room for both."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from lithify.codecs.frame import Frame, models_of, primers_of
from lithify.workers.model_files import OpenModel, arguments, find_models, memory_bytes
from lithify.workers.primer_files import find_primers
from lithify.workers.sandbox import Sandbox, Stream

if TYPE_CHECKING:
    from lithify.store.places import Standing
    from lithify.workers.archive import Archive


@dataclass(frozen=True, slots=True)
class Needs:
    """What goes with a task that decodes frames."""

    sandbox: Sandbox
    primers: tuple[bytes, ...] = ()
    models: Sequence[OpenModel] = field(default=())

    @property
    def named(self) -> dict[str, Any]:
        """The argument that names the models."""
        return arguments(self.models)[0]

    def decoded(self, frame: BinaryIO, start: int = 0, end: int | None = None, **terms: Any) -> "Stream":
        """The bytes that a frame in a file decodes to, from `start` to `end`; `terms` as for Sandbox.stream."""
        from lithify.workers.proof import place_of

        args = {"input": place_of(frame).as_json(), "start": start, "end": end, **self.named}
        return self.sandbox.stream("decode", args, (frame.fileno(), *self.fds), attached=self.primers, **terms)

    @property
    def fds(self) -> tuple[int, ...]:
        """The descriptors that go behind a task's own."""
        return arguments(self.models)[1]


@contextmanager
def brought(archive: "Archive", *standings: "Standing", model: str | None = None) -> Iterator[Needs]:
    """What decoding these takes, and a further model. Raises MissingPrimer, MissingModel."""
    from lithify.workers.primers import read_primers

    digests = {one for one in (model, *(standing.model for standing in standings)) if one is not None}
    primers = read_primers(archive, (standing.primer for standing in standings))
    with archive.models.open(digests) as models:
        yield Needs(archive.sandbox_with(memory_bytes(models)) if models else archive.sandbox, primers, models)


@contextmanager
def gathered(frame: Frame, primers: Sequence[Path], models: Sequence[Path]) -> Iterator[Needs]:
    """What decoding a frame on disk takes, found among files and folders. Raises MissingPrimer, MissingModel."""
    with ExitStack() as stack:
        found = tuple(find_primers(primers, primers_of(frame)))
        opened = stack.enter_context(find_models(models, models_of(frame)))
        yield Needs(stack.enter_context(Sandbox(memory_bytes=memory_bytes(opened))), found, opened)
