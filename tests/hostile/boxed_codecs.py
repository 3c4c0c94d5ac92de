"""One codec on one original in a sandbox, and the judge of what may come of it."""

import hashlib
import os
import time
from typing import Any

from lithify import limits
from lithify.codecs.media.ffmpeg.memory import Memory
from lithify.errors import CodecCrashed, LithifyError
from lithify.workers.sandbox import Sandbox

SECONDS_MAX = 60.0


def encoded(
    boxed: Sandbox, data: bytes, *, codec: str = "media.video", contract: str | None = None, name: str = "x.mp4"
) -> LithifyError | dict[str, Any]:
    """Probe, encode, decode in a second process and compare: what came of it, or the error that says why nothing did.

    Anything else is an AssertionError: wrong bytes, a lost process, too much memory or time.
    """
    with Memory(data) as original, Memory() as frame:
        place = {"input": {"offset": 0, "length": len(data), "framed": False}}
        started = time.monotonic()
        try:
            asked = {**place, "effort": "fast", "name": name, "codecs": [codec], "contract": contract}
            boxed.run("probe", asked, (original.fd,), wall_seconds=SECONDS_MAX)
            made = boxed.run(
                "encode",
                {**place, "start": 0, "end": len(data), "codec": codec, "effort": "fast", "contract": contract},
                (original.fd, frame.fd),
                output_bytes_max=len(data) + limits.FRAME_SLACK_BYTES,
                wall_seconds=SECONDS_MAX,
            )
        except CodecCrashed:
            raise
        except LithifyError as error:
            return error
        finally:
            assert time.monotonic() - started < SECONDS_MAX, "it took too long"
        assert made.peak_memory_bytes < limits.CHILD_MEMORY_BYTES
        return _proved(boxed, original, frame, made.result)


def _proved(boxed: Sandbox, original: Memory, frame: Memory, made: dict[str, Any]) -> dict[str, Any]:
    size = os.fstat(frame.fd).st_size
    at = {"offset": 0, "length": size, "framed": True}
    if made["contract"] == "exact":
        found = boxed.run("digest", {"input": at, "start": 0, "end": None}, (frame.fd,), role="verify").result
        assert hashlib.sha256(original.read()).hexdigest() == found["digest"], "wrong bytes came back"
        return made
    whole = {"offset": 0, "length": original.length, "framed": False}
    measured = boxed.run("measure", {"input": at, "original": whole}, (frame.fd, original.fd), role="verify").result
    return {**made, "figures": measured["figures"]}
