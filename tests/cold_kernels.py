"""Lists the kernels that are made after warming, while the house's codecs encode, decode and search: none should be.

Run as a process of its own: what it does to numba is done to all of it.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numba.core import event

from lithify.codecs.codec import EFFORTS, Buffer, Codec, Effort
from lithify.codecs.frame.primers import digest_of
from lithify.codecs.in_memory import MemorySource
from lithify.codecs.lines import Needle
from lithify.codecs.registry import FORMATS, codec_class
from lithify.workers.kernel_cache import make_kernels
from tests.unit.codecs.arrays import files
from tests.unit.codecs.media.corpus import PNGS, sample_bytes, tone, wav

HOLED = files.smooth((5, 20, 30), "f4")

TEXTS = (
    b"".join(
        b"2026-11-21 01:15:%02d,%03d host sshd[%d]: %s\n" % (n % 60, n % 999, n % 97, b"word " * (n % 9))
        for n in range(3000)
    ),
    b"".join(
        b'10.0.%d.1 - - [21/Nov/2026:01:15:%02d +0000] "GET /a/%x?b=%d HTTP/1.1" 200 %d\n'
        % (n % 256, n % 60, n, n * n, n)
        for n in range(3000)
    ),
    b"".join(
        b'{"time": "2026-11-21T01:15:%02d.%06dZ", "n": %d, "id": "%08x", "f": %d.5}\r\n'
        % (n % 60, n, -n, n * 2654435761 % 2**32, n)
        for n in range(2000)
    ),
    bytes(range(256)) * 40,
    b"one line without an end",
    files.npy(np.where(HOLED > 1, np.nan, HOLED)),
    files.tiff([files.smooth((60, 50), "u2")], predictor=2, packed=files.lzw),
    b"\n" * 5000,
    wav(sample_bytes(tone(700, 3, 9000), 2), 3, 2),
    *PNGS,
)


SLOW_BYTES = 4000
"""As much of a text as slow codecs are given."""


class _Made(event.Listener):
    def __init__(self) -> None:
        self.names: set[str] = set()

    def on_start(self, event: Any) -> None:
        self.names.add(event.data["dispatcher"].py_func.__qualname__)

    def on_end(self, event: Any) -> None:
        pass


class _Reader:
    """A sink that decodes and searches each chunk at once."""

    def __init__(self, codec: Codec) -> None:
        self._codec, self._shared = codec, b""

    def share(self, data: bytes) -> None:
        self._shared = data

    def chunk(self, payload: Buffer, decoded: Buffer) -> None:
        shared, length = self._shared, len(decoded)
        assert bytes(decoded) == self._codec.decode(bytes(payload), shared=shared, length=length)
        lines = self._codec.lines(bytes(payload), shared=shared, length=length)
        for needle in (Needle(), Needle(((b"sshd", b"20"),)), Needle(((b"GET",), (b"time",)), ignore_case=True)):
            lines.text(lines.candidates(needle).numbers[:100])
        lines.time_range()
        self._codec.templates(bytes(payload), shared=shared, length=length)


def _codecs(found: type[Codec], effort: Effort, text: bytes) -> Iterator[Codec]:
    """The codec, and if it learns, the codec that has learnt."""
    params = found.params_for(effort, len(text))
    yield found(params)
    primer = found.make_primer([text, text]) if found.facts.takes_primer else None
    if primer is not None:
        yield found(found.params_with_primer(params, digest_of(primer))).primed(primer)


def main() -> None:
    """Print their names, one a line."""
    for found in map(codec_class, FORMATS):
        if found.facts.kernels:
            make_kernels(found)
    made = _Made()
    register: Any = event.register
    register("numba:compile", made)
    for found in map(codec_class, FORMATS):
        for text in TEXTS if found.facts.kernels else ():
            if found.facts.default_bytes_max is not None:
                text = text[:SLOW_BYTES]  # noqa: PLW2901 - the start of it
            for effort in EFFORTS:
                if found.probe(text, len(text), effort) is None:
                    continue  # not made for it
                for codec in _codecs(found, effort, text):
                    codec.encode(MemorySource(text), _Reader(codec))
    print(*sorted(made.names), sep="\n")


if __name__ == "__main__":
    main()
