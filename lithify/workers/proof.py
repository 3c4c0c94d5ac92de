"""Proof: what lies in the cellar is read back and decoded in a process that did not encode it, and compared.

Only after that may anything stand on it alone.
"""

from collections.abc import Callable, Sequence
from typing import Any, BinaryIO

from lithify.crashpoints import crashpoint
from lithify.errors import BY_CODE, Corrupt, FidelityBroken, LithifyError
from lithify.workers.needs import Needs
from lithify.workers.sandbox import Sandbox
from lithify.workers.sources import Place

ROLE = "verify"


def place_of(blob: BinaryIO, *, framed: bool = True) -> Place:
    """Where an open blob lies in the file behind its descriptor."""
    return Place(getattr(blob, "fd_offset", 0), blob.seek(0, 2), framed)


def prove(
    needs: Needs, blob: BinaryIO, digest: str, length: int, on_progress: Callable[[float], None] | None = None
) -> float:
    """Decode a frame whole, with what it needs, and compare; gives the seconds it took.

    Raises FidelityBroken when it decodes to something else, and what decoding raises.
    """
    crashpoint("work.before_verify")

    def tell(done_bytes: int) -> None:
        if on_progress is not None:
            on_progress(done_bytes / max(length, 1))

    args = {"input": place_of(blob).as_json(), "start": 0, "end": None, **needs.named}
    fds = (blob.fileno(), *needs.fds)
    found = needs.sandbox.run(
        "digest", args, fds, attached=needs.primers, role=ROLE, work_bytes=length, on_progress=tell
    ).result
    _compare(found, digest, length)
    crashpoint("work.after_verify")
    return float(found["seconds"])


def measure(
    needs: Needs, blob: BinaryIO, original: int, place: Place, digest: str, length: int
) -> tuple[float, dict[str, Any]]:
    """Decode a frame that keeps less than every byte, and measure it beside the original.

    original, place  an open file, and where in it the original lies
    digest, length   SHA-256 of what the frame should decode to, and how much the original has
    needs            what decoding the original takes

    Gives the seconds that decoding took, and the codec's figures. Raises FidelityBroken when the contract of the frame
    is not kept, and what decoding raises.
    """
    crashpoint("work.before_verify")
    args = {"input": place_of(blob).as_json(), "original": place.as_json(), **needs.named}
    fds = (blob.fileno(), original, *needs.fds)
    found = needs.sandbox.run("measure", args, fds, attached=needs.primers, role=ROLE, work_bytes=length).result
    crashpoint("work.after_verify")
    if found["digest"] != digest:
        raise FidelityBroken(f"the frame decodes to SHA-256 {found['digest']} here, and to {digest} where it was made")
    return float(found["seconds"]), found["figures"]


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
