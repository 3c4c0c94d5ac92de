"""Files in memory: what ffmpeg reads and writes, handed to it as open descriptors."""

import fcntl
import os
from types import TracebackType
from typing import Self

from lithify.codecs.codec import Buffer


class Memory:
    """A file without a name. A context manager: its memory is freed with it."""

    def __init__(self, content: Buffer = b"") -> None:
        self.fd = os.memfd_create("lithify", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        view = memoryview(content).cast("B")
        while view:
            view = view[os.write(self.fd, view) :]
        if content:
            fcntl.fcntl(self.fd, fcntl.F_ADD_SEALS, fcntl.F_SEAL_WRITE | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SHRINK)
        self.rewind()

    def rewind(self) -> None:
        """Have the next reader begin at the beginning: a descriptor and its copies share their place."""
        os.lseek(self.fd, 0, os.SEEK_SET)

    @property
    def length(self) -> int:
        """In bytes."""
        return os.fstat(self.fd).st_size

    def read(self) -> bytes:
        """All of it."""
        pieces, at = [], 0
        while piece := os.pread(self.fd, self.length - at, at):
            pieces.append(piece)
            at += len(piece)
        return b"".join(pieces)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self.fd)
