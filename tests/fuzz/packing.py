"""A file packed as `lithify pack` does it, in this process: probed, routed, encoded by each candidate, decoded again.

No sandbox stands between, so that a thousand files take seconds, and whatever a codec raises is seen.
"""

import io
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from lithify.codecs.fidelity import EXACT
from lithify.codecs.frame import decode_frame
from lithify.codecs.registry import all_codecs
from lithify.workers import child_tasks, kernels
from lithify.workers.child import Call
from lithify.workers.kinds import look
from lithify.workers.route import STORED, choose, choose_small

_NOBODY = socket.socket(socket.AF_UNIX)


class _Quiet(Call):
    """A call that nobody listens to."""

    def progress(self, done_bytes: int) -> None:
        """Say nothing."""


def pack_here(data: bytes) -> str:
    """Pack a file of at least one byte; gives who has it smallest. An AssertionError says that other bytes came back.

    Whatever a codec raises that is none of our errors passes through.
    """
    with _ready_kernels(), _in_memory(data) as file:
        best = (len(data), STORED)
        for codec in sorted(_candidates(data, file)):
            frame = _encoded(data, file, codec)
            assert b"".join(decode_frame(io.BytesIO(frame))) == data, f"{codec} gives back another file"
            best = min(best, (len(frame), codec))
    return best[1]


def _candidates(data: bytes, file: int) -> set[str]:
    """Who runs: by what is predicted, and by what would be tried unpredicted."""
    args = {"input": _place(data), "effort": "fast", "name": None, "codecs": None, "contract": str(EXACT)}
    facts = child_tasks.probe(_Quiet(_NOBODY, args, (file,), ())).document
    assert not facts["without_kernels"]
    routes = (
        choose(facts, EXACT, "fast", (), len(data)),
        choose_small(EXACT, "fast", (), len(data), kind=look(data, None, len(data)).kind),
    )
    return {candidate.codec for route in routes for candidate in route.running}


def _encoded(data: bytes, file: int, codec: str) -> bytes:
    made = os.memfd_create("frame")
    try:
        args = {"input": _place(data), "start": 0, "end": None, "codec": codec, "effort": "fast"}
        child_tasks.encode(_Quiet(_NOBODY, args, (file, made), ()))
        return os.pread(made, os.fstat(made).st_size, 0)
    finally:
        os.close(made)


def _place(data: bytes) -> dict[str, Any]:
    return {"offset": 0, "length": len(data), "framed": False}


@contextmanager
def _in_memory(data: bytes) -> Iterator[int]:
    file = os.memfd_create("original")
    try:
        os.write(file, data)
        yield file
    finally:
        os.close(file)


@contextmanager
def _ready_kernels() -> Iterator[None]:
    """All codecs run: kernels are made here as they are met."""
    before = set(kernels.ready)
    kernels.ready |= {codec.facts.id for codec in all_codecs()}
    try:
        yield
    finally:
        kernels.ready &= before
