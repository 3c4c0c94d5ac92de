"""Frames on this machine, for xarray: headers are read at once, and blocks when they are computed with."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np

from lithify.api.scientific.store import KeptStore, Parts, Told, Whole, refuse_unnamed
from lithify.errors import BadArgument, BadBytes, Conflict
from lithify.workers.array_files import ArrayFile, Labelled, LabelledFile, label, open_file


class Shared:
    """A frame that any number of threads read from. Pickled it is its path: another process opens it anew."""

    def __init__(self, path: Path) -> None:
        self.path, self._lock = path.absolute(), Lock()
        self._opened: tuple[ArrayFile, LabelledFile] | None = None

    def __reduce__(self) -> tuple[type["Shared"], tuple[Path]]:
        return Shared, (self.path,)

    def labelled(self) -> LabelledFile:
        """Its variables."""
        with self._lock:
            return self._file()

    def read(self, name: str, parts: Parts) -> Any:
        """A part of a variable."""
        return self.labelled().variables[name].read(parts)

    def close(self) -> None:
        """Close the file; reading opens it again."""
        with self._lock:
            if self._opened is not None:
                self._opened[0].close()
                self._opened = None

    def _file(self) -> LabelledFile:
        if self._opened is None:
            file = open_file(self.path)
            try:
                self._opened = file, label(file)
            except BaseException:
                file.close()
                raise
        return self._opened[1]


@dataclass(frozen=True)
class _Reader:
    """Reads parts of one variable."""

    frame: Shared
    name: str

    def __call__(self, parts: Parts) -> Any:
        return self.frame.read(self.name, parts)


def local_store(path: Path, group: str | None) -> KeptStore:
    """The variables of what a frame keeps, or of one group of it. Raises BadArgument, and what opening it does."""
    frame = Shared(path)
    try:
        found = _named(frame)
        refuse_unnamed(found.container, str(path))
        _refuse_empty(found, path)
        variables = [_told(frame, one) for one in found.variables.values()]
        attributes = {name: _as_xarray(one) for name, one in found.attributes.items()}
        return KeptStore(Whole(str(path), variables, attributes, found.unlimited, frame.close), group)
    except BaseException:
        frame.close()
        raise


def _named(frame: Shared) -> LabelledFile:
    """Its variables; what is wrong with its bytes is told with its name."""
    try:
        return frame.labelled()
    except (BadBytes, Conflict) as error:
        raise type(error)(f"{frame.path}: {error.message}") from error


def _refuse_empty(found: LabelledFile, path: Path) -> None:
    """Raise BadArgument for a file of which nothing could be read: as an empty dataset nobody would notice."""
    if not found.variables and not any(found.attributes.values()):
        raise BadArgument(f"{path}: no variables were found in this {found.container} file")


def _told(frame: Shared, one: Labelled) -> Told:
    reader = _Reader(frame, one.name)
    return Told(one.name, one.dimensions, one.shape, one.stored, _as_xarray(one.attributes), one.blocks, reader)


def _as_xarray(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """One number by itself, several as an array."""
    return {
        name: value[0] if isinstance(value, np.ndarray) and value.size == 1 else value
        for name, value in attributes.items()
    }
