"""The language models that an archive has at hand: model files in one folder of the operator's, known by their SHA-256.

Files are looked at when somebody needs a model, and hashed once as long as they stay as they are: a worker that asks
every second whether a model has come costs a listing of the folder.
"""

import os
import re
import threading
from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from lithify.errors import LithifyError, MissingModel, NotFound
from lithify.workers.log import log
from lithify.workers.model_files import SUFFIX, OpenModel, open_model

_DIGEST = re.compile("[0-9a-f]{64}")
_Stamp = tuple[int, int, int, int]
"""What changes when a file does: device, inode, length, time of the last change."""


class ModelFolder:
    """Thread-safe. Without a folder there are no models."""

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder
        self._lock = threading.Lock()
        self._digests: dict[_Stamp, str | None] = {}

    def has(self, digest: str) -> bool:
        """Whether the model of this SHA-256 is there."""
        return self._path_of(digest) is not None

    def named(self, name: str) -> str:
        """The SHA-256 of the model that somebody calls so: by its SHA-256, or by its file here.

        Of a model that is not here only the SHA-256 will do: some other worker may have it. Paths mean nothing, since
        whoever asks may be on another machine. Raises NotFound for any other name.
        """
        if _DIGEST.fullmatch(name):
            return name
        for path, digest in self._models():
            if name in {path.name, path.stem}:
                return digest
        raise NotFound(f"there is no model {name!r:.80} {self._where()}")

    @contextmanager
    def open(self, digests: Collection[str]) -> Iterator[list[OpenModel]]:
        """The models of these SHA-256s. Raises MissingModel, naming the first that is not there and where to put it."""
        with ExitStack() as stack:
            found = []
            for digest in sorted(set(digests)):
                path = self._path_of(digest)
                if path is None:
                    raise MissingModel(self.lacks(digest))
                found.append(stack.enter_context(open_model(path, digest=digest)))
            yield found

    def lacks(self, digest: str) -> str:
        """The sentence of who needs a model that is not here."""
        return (
            f"it needs the language model {digest}, which is not {self._where()}; put its file there (`lithify model "
            "convert` makes it of a Hugging Face folder, and prints its SHA-256)"
        )

    def _where(self) -> str:
        return "in any folder: LITHIFY_MODELS is not set" if self.folder is None else f"in LITHIFY_MODELS={self.folder}"

    def _path_of(self, digest: str) -> Path | None:
        return next((path for path, found in self._models(digest) if found == digest), None)

    def _models(self, first: str = "") -> Iterator[tuple[Path, str]]:
        """Path and SHA-256 of each model, those named by `first` before the others."""
        if self.folder is None or not self.folder.is_dir():
            return
        files = [one for one in sorted(self.folder.iterdir()) if one.suffix == SUFFIX and one.is_file()]
        for path in sorted(files, key=lambda one: one.stem != first):
            if (digest := self._digest(path)) is not None:
                yield path, digest

    def _digest(self, path: Path) -> str | None:
        """The SHA-256 of a model file; None: it is none, or cannot be read, which the log then says once."""
        try:
            stamp = _stamp(path.stat())
            with self._lock:
                if stamp not in self._digests:
                    self._digests[stamp] = self._hashed(path)
                return self._digests[stamp]
        except OSError as error:  # it went away meanwhile, or is not ours to read
            log("models").warning("model_unreadable", path=str(path), reason=str(error))
            return None

    @staticmethod
    def _hashed(path: Path) -> str | None:
        try:
            with open_model(path) as model:
                return None if model.native else model.digest
        except LithifyError as error:
            log("models").warning("no_model", path=str(path), reason=error.message)
            return None


def _stamp(found: os.stat_result) -> _Stamp:
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns
