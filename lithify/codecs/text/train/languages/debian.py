"""Packages of Debian, read as they are: an archive of `ar`, in which the files lie in a tar file."""

import hashlib
import io
import tarfile
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from lithify.errors import Corrupt

MIRRORS = ("https://deb.debian.org/debian", "https://snapshot.debian.org/archive/debian/20261120T000000Z")
_MAGIC = b"!<arch>\n"
_HEAD_BYTES = 60


def fetch(pool: str, digest: str, folder: Path) -> bytes:
    """A package by its place in the archive and its SHA-256; kept in `folder`. Raises Corrupt when no copy is it."""
    path = folder / pool.rpartition("/")[2]
    if not path.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        path.write_bytes(_download(pool))
    package = path.read_bytes()
    found = hashlib.sha256(package).hexdigest()
    if found != digest:
        raise Corrupt(f"{path} has SHA-256 {found}, expected {digest}")
    return package


def _download(pool: str) -> bytes:
    failure: OSError | None = None
    for mirror in MIRRORS:
        try:
            with urllib.request.urlopen(f"{mirror}/{pool}", timeout=60) as answer:  # noqa: S310 - https, as named above
                package: bytes = answer.read()
                return package
        except OSError as error:
            failure = error
    assert failure is not None, "there is a mirror"
    raise failure


def files(package: bytes) -> Iterator[tuple[str, bytes]]:
    """The regular files of a package: path from the root, and content. Raises Corrupt when it is none."""
    for name, member in _members(package):
        if name.startswith("data.tar"):
            with tarfile.open(fileobj=io.BytesIO(member)) as tar:
                for entry in tar:
                    file = tar.extractfile(entry) if entry.isreg() else None
                    if file is not None:
                        yield entry.name.removeprefix("./"), file.read()


def _members(package: bytes) -> Iterator[tuple[str, bytes]]:
    if not package.startswith(_MAGIC):
        raise Corrupt(f"a package of Debian begins with {_MAGIC!r}, found {package[:8]!r}")
    at = len(_MAGIC)
    while at < len(package):
        head = package[at : at + _HEAD_BYTES]
        length = int(head[48:58])
        yield head[:16].decode("ascii").strip().rstrip("/"), package[at + _HEAD_BYTES : at + _HEAD_BYTES + length]
        at += _HEAD_BYTES + length + length % 2
