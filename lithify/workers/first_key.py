"""The first API key: a server refuses everybody without one, so an archive makes one when it is first served."""

import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lithify.workers.archive import Archive

FILE = "key"


def first_key(archive: "Archive") -> Path | None:
    """The file with the key that was made for this archive's owner; None when it was taken away or never needed.

    Only the owner of the folder can read it (mode 0600). The catalog keeps its hash, like any other key's.
    """
    path = archive.folder / FILE
    if not path.exists() and not archive.keys():
        _, text = archive.add_key("first start", ("admin",))
        draft = archive.folder / f"{FILE}.{os.getpid()}"
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
        with open(descriptor, "w") as file:  # noqa: PTH123 - a descriptor, not a path
            file.write(f"{text}\n")
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):  # another server starting just now was faster; both keys count
            os.link(draft, path)
        draft.unlink()
    return path if path.exists() else None
