"""Proof: what lies in the cellar is read back and decoded in a process that did not encode it, and compared.

Only after that may anything stand on it alone.
"""

from collections.abc import Callable, Sequence
from typing import BinaryIO

from lithify.crashpoints import crashpoint
from lithify.errors import BY_CODE, Corrupt, FidelityBroken, LithifyError
from lithify.workers.model_files import OpenModel, arguments
from lithify.workers.sandbox import Sandbox
from lithify.workers.sources import Place

ROLE = "verify"


def place_of(blob: BinaryIO, *, framed: bool = True) -> Place:
    """Where an open blob lies in the file behind its descriptor."""
    return Place(getattr(blob, "fd_offset", 0), blob.seek(0, 2), framed)


def prove(
    sandbox: Sandbox,
    blob: BinaryIO,
    digest: str,
    length: int,
    on_progress: Callable[[float], None] | None = None,
    *,
    primers: Sequence[bytes] = (),
    models: Sequence[OpenModel] = (),
) -> float:
    """Decode a frame whole, with the primers and models it needs, and compare; gives the seconds it took.

    Raises FidelityBroken when it decodes to something else, and what decoding raises.
    """
    crashpoint("work.before_verify")

    def tell(done_bytes: int) -> None:
        if on_progress is not None:
            on_progress(done_bytes / max(length, 1))

    named, fds = arguments(models)
    args = {"input": place_of(blob).as_json(), "start": 0, "end": None, **named}
    found = sandbox.run("digest", args, (blob.fileno(), *fds), attached=primers, role=ROLE, on_progress=tell).result
    _compare(found, digest, length)
    crashpoint("work.after_verify")
    return float(found["seconds"])


def prove_small(
    sandbox: Sandbox, frames: Sequence[bytes], expected: Sequence[tuple[str, int]], *, primers: Sequence[bytes] = ()
) -> list[float | LithifyError]:
    """The same for many small frames in one round trip: seconds for each, or what is wrong with it."""
    crashpoint("work.before_verify")
    args = {"frames": len(frames)}
    found = sandbox.run("digest_small", args, attached=[*frames, *primers], role=ROLE).result["items"]
    crashpoint("work.after_verify")
    return [_seconds(item, *promise) for item, promise in zip(found, expected, strict=True)]


def _seconds(found: dict[str, object], digest: str, length: int) -> float | LithifyError:
    try:
        if isinstance(error := found.get("error"), dict):
            raise BY_CODE.get(error["code"], Corrupt)(error["message"])
        _compare(found, digest, length)
    except LithifyError as wrong:
        return wrong
    return float(str(found["seconds"]))


def _compare(found: dict[str, object], digest: str, length: int) -> None:
    if (found["digest"], found["length"]) != (digest, length):
        raise FidelityBroken(
            f"the frame decodes to {found['length']} bytes with SHA-256 {found['digest']}; "
            f"the original has {length} bytes with SHA-256 {digest}"
        )
