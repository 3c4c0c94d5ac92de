"""Containers: what lies deflated or as it is inside an original is taken out and kept by the codec made for it.

gzip, zip and all that is a zip file, PDF, and whatever else holds deflate streams: the original comes back to the byte,
whoever wrote those streams (../deflate/).
"""

from dataclasses import dataclass
from importlib.util import find_spec
from typing import ClassVar

from lithify import limits
from lithify.codecs.codec import ChunkSink, Codec, Effort, Estimate, Facts, Format, Source
from lithify.codecs.inside import Inside
from lithify.codecs.media.containers.signs import is_still_png, may_hold_streams
from lithify.codecs.media.whole_file import WholeFile
from lithify.errors import Corrupt, LimitExceeded

CLOSED, OPENED = 0, 1
"""First byte of a payload: whether anything was opened."""
DEPTH_MAX = 4
"""Containers within containers."""
_PLAIN_PER_BYTE = 1040
"""Deflate never makes more of a byte than 1032."""


@dataclass
class Budget:
    """What an original and all that is inside may still open."""

    plain_left: int = limits.OPENED_BYTES_MAX

    def spend(self, plain: int) -> None:
        """Open so many bytes. Raises LimitExceeded."""
        if plain > self.plain_left:
            raise LimitExceeded(f"{plain} plain bytes, where {self.plain_left} of {limits.OPENED_BYTES_MAX} are left")
        self.plain_left -= plain


def _is_read_as_arrays(sample: bytes) -> bool:
    """Whether `arrays.values` opens the same streams, knows which numbers they are, and falls back as widely.

    Six times as long went by on a deflated HDF5 file of 58 MiB while both opened it.
    """
    return sample.startswith(b"\x89HDF\r\n\x1a\n") and find_spec("h5py") is not None


class Deflate(WholeFile):
    """A payload is an original: a table of its pieces, recipes for its streams, and groups of what is inside.

    Of a longer original it is a part: what a cut tears stays as it is.
    """

    facts: ClassVar[Facts] = Facts(
        family="media",
        name="deflate",
        format=Format(0x0500, 1, 0),
        kinds=frozenset({"archive", "document", "image", "array", "executable", "binary", "opaque", "database"}),
        exact_because="what lies in another file comes back byte for byte",
        kernels=True,
        nests=(
            "logs.template",
            "text.mixing",
            "arrays.values",
            "media.jpeg",
            "media.audio",
            "media.png",
            "media.pixels",
            "media.gif",
        ),
        papers=("RFC 1950, 1951, 1952", "Steinke, preflate: predicting what deflate encoders do"),
    )
    holds = "containers"
    _depth: int = 0
    _budget: Budget | None = None

    @classmethod
    def warm(cls) -> None:
        from lithify.codecs.media.deflate.engine import warm

        warm()

    @classmethod
    def may_suit(cls, sample: bytes, length: int) -> bool:
        return may_hold_streams(sample)

    @classmethod
    def probe(cls, sample: bytes, length: int, effort: Effort) -> Estimate | None:
        """Look for what is inside, and compress some of it."""
        if is_still_png(sample) or _is_read_as_arrays(sample):
            return None
        from lithify.codecs.media.containers.probe import estimate

        return estimate(sample, length)

    def encode(self, source: Source, sink: ChunkSink) -> None:
        """One chunk, of the whole original."""
        if source.length > limits.PART_BYTES:
            raise LimitExceeded(f"an original of {source.length} bytes; the limit is {limits.PART_BYTES}")
        super().encode(source, sink)

    def encode_file(self, data: bytes) -> bytes:
        """The payload of an original of at least one byte."""
        from lithify.codecs.media.containers.nested import pack_part
        from lithify.codecs.media.containers.opening import open_all

        budget = self._budget or Budget()
        opened = open_all(data, budget, self._effort)
        if opened is None:
            return bytes([CLOSED]) + pack_part(data, self._effort, _never_within)
        return bytes([OPENED]) + opened.packed(lambda codec: self.within(codec, budget))

    def decode_file(self, payload: bytes, length: int) -> bytes:
        from lithify.codecs.media.containers.closing import close_all
        from lithify.codecs.media.containers.nested import unpack_part

        if length > limits.PART_BYTES:
            raise LimitExceeded(f"an original of {length} bytes; the limit is {limits.PART_BYTES}")
        budget = self._budget or Budget(min(limits.OPENED_BYTES_MAX, _PLAIN_PER_BYTE * length))
        if payload[0] == CLOSED:
            original, at = unpack_part(payload, 1, length, _never_within)
            if at != len(payload):
                raise Corrupt(f"a container that was not opened goes on for {len(payload) - at} bytes behind its end")
            return original
        if payload[0] != OPENED:
            raise Corrupt(f"a container is kept by method 0x{payload[0]:02x}, which does not exist")
        return close_all(payload, length, budget, lambda codec: self.within(codec, budget))

    def contents(self, payload: bytes, *, shared: bytes, length: int) -> list[Inside]:
        """Groups of what lay deflated, or as it was, with the codec of each; the recipes for what was deflated."""
        from lithify.codecs.media.containers import contents

        def within(codec: Codec) -> Codec | None:
            return self.within(codec, Budget())

        if payload[:1] == bytes([OPENED]):
            return contents.opened(payload, within)
        return contents.closed(payload, length, within)

    def within(self, codec: Codec, budget: Budget) -> Codec | None:
        """A codec, ready to work inside this one; None: it may not, or lies too deep."""
        if not isinstance(codec, Deflate):
            return codec if codec.facts.id in self.facts.nests else _never_within(codec)
        if self._depth + 1 >= DEPTH_MAX:
            return None
        found = Deflate(codec.params)
        found._depth, found._budget = self._depth + 1, budget
        return found


def _never_within(codec: Codec) -> Codec | None:
    """For what was looked through already, or is not worth a look."""
    return codec if codec.facts.family == "raw" else None
