"""Language models in files: a model file of ours, or a Hugging Face folder, which is turned into one first."""

import hashlib
import tempfile
from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

from lithify import limits
from lithify.codecs.frame.primers import missing_model
from lithify.errors import BadArgument, LimitExceeded, MissingModel
from lithify.workers.sources import mapped

SUFFIX = ".lithlm"
_CONFIG = "config.json"


@dataclass(frozen=True)
class OpenModel:
    """A model file, open."""

    file: BinaryIO
    digest: str
    length: int
    native: bool
    """Whether it is reckoned with in floating point."""

    def mapped(self) -> memoryview:
        """Its bytes."""
        return mapped(self.file.fileno())


def memory_bytes(models: Collection[OpenModel]) -> int:
    """The address space of a child that reckons with these."""
    times = {False: limits.LM_MEMORY_TIMES, True: limits.LM_NATIVE_MEMORY_TIMES}
    needed = limits.CHILD_MEMORY_BYTES + sum(times[model.native] * model.length for model in models)
    return needed + limits.LM_NATIVE_BYTES * any(model.native for model in models)


@contextmanager
def open_model(path: Path, *, native: bool = False, digest: str | None = None, **terms: Any) -> Iterator[OpenModel]:
    """A model file, or the one that a Hugging Face folder makes. Raises BadArgument, MissingExtra.

    native  to be reckoned with in floating point
    digest  the SHA-256 of a file that was hashed before; whoever decodes with it compares it anyway
    terms   how a folder is turned into one: see codecs.text.lm.convert.convert
    """
    if path.is_dir():
        with tempfile.TemporaryFile(prefix="lithify-") as made:
            turn = _bundle if native else _convert
            turn(path, cast("BinaryIO", made), **terms)
            yield _opened(cast("BinaryIO", made), path)
    elif path.is_file():
        with path.open("rb") as file:
            yield _opened(file, path, digest)
    else:
        raise BadArgument(f"{path} is neither a model file nor a Hugging Face folder")


def _convert(folder: Path, out: BinaryIO, **terms: Any) -> None:
    from lithify.codecs.text.lm.convert import convert

    convert(folder, out, **terms)
    out.flush()


def _bundle(folder: Path, out: BinaryIO) -> None:
    from lithify.codecs.text.lm.native import bundle

    bundle(folder, out)
    out.flush()


def _opened(file: BinaryIO, path: Path, digest: str | None = None) -> OpenModel:
    from lithify.codecs.text.lm import native, shape

    length = file.seek(0, 2)
    file.seek(0)
    if file.read(len(shape.MAGIC)) not in {shape.MAGIC, native.MAGIC}:
        raise BadArgument(f"{path} is no language model of lithify's, nor a Hugging Face folder")
    if length > limits.LM_FILE_BYTES_MAX:
        raise LimitExceeded(f"{path} has {length} bytes; a language model has at most {limits.LM_FILE_BYTES_MAX}")
    file.seek(0)
    digest = digest or hashlib.file_digest(cast("Any", file), "sha256").hexdigest()
    file.seek(0)
    return OpenModel(file, digest, length, native=file.read(len(native.MAGIC)) == native.MAGIC)


def called(name: str) -> str:
    """The SHA-256 of a model in a file of this machine; what is no path here is given back, for the archive to know.

    Raises BadArgument for a file that is no model, or of none that an archive keeps anything with.
    """
    path = Path(name)
    if (path / _CONFIG).is_file():
        raise BadArgument(f"{name} is a folder: make a model file of it first, `lithify model convert {name}`")
    if not path.is_file():
        return name
    with open_model(path) as model:
        if model.native:
            raise BadArgument(f"{name} reckons in floating point: only this machine could read what it told")
        return model.digest


@contextmanager
def find_models(paths: Sequence[Path], needed: Collection[str]) -> Iterator[list[OpenModel]]:
    """The models of these digests, among files and folders; nothing is opened when none is needed.

    paths  model files, Hugging Face folders, and folders of model files, of which one named by its digest comes first

    Raises MissingModel, naming the first that is not there and what was looked at.
    """
    left, looked_at = set(needed), []
    with ExitStack() as stack:
        found: list[OpenModel] = []
        for path in _files(paths, needed) if left else ():
            for native in (False, True) if path.is_dir() else (False,):
                one = stack.enter_context(open_model(path, native=native))
                if one.digest in left:
                    left.discard(one.digest)
                    found.append(one)
                    break
                looked_at.append(f"{path} is {one.digest[:12]}…")
            if not left:
                break
        if left:
            raise _not_among(min(left), looked_at)
        yield found


def _files(paths: Sequence[Path], needed: Collection[str]) -> Iterator[Path]:
    for path in paths:
        if not path.is_dir() or (path / _CONFIG).is_file():
            yield path
            continue
        inside = [one for one in sorted(path.iterdir()) if one.suffix == SUFFIX and one.is_file()]
        yield from sorted(inside, key=lambda one: one.stem not in needed)


def _not_among(digest: str, looked_at: Sequence[str]) -> MissingModel:
    error = missing_model(digest)
    return MissingModel(f"{error.message} (given: {', '.join(looked_at)})") if looked_at else error


def arguments(models: Sequence[OpenModel]) -> tuple[dict[str, Any], tuple[int, ...]]:
    """How models travel with a task: an argument, and descriptors behind all others."""
    return {"models": [one.digest for one in models]}, tuple(one.file.fileno() for one in models)
