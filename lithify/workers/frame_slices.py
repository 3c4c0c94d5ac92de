"""Slices of arrays: which a frame keeps, and a part of them as a NetCDF or NumPy file.

Frames are opened and decoded in a child, as for everything else; only the blocks that a slice touches are decoded. What
comes is not compared with the checksums of the frame, which are those of whole chunks; `get` and `verify` do that.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from types import TracebackType
from typing import TYPE_CHECKING, Any, BinaryIO, Literal, Self

from lithify import limits
from lithify.codecs.arrays.telling import attributes_of, dtype_of
from lithify.codecs.arrays.wish import Cut
from lithify.codecs.frame import primers_of, read_frame
from lithify.errors import CodecCrashed
from lithify.store.views import ArraysView, ArrayView
from lithify.workers.primer_files import find_primers
from lithify.workers.proof import place_of
from lithify.workers.sandbox import Sandbox

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Cut", "Form", "Sliced", "attributes_of", "dtype_of", "file_slice", "frame_arrays"]
Form = Literal["npy", "netcdf"]
ROLE = "search"


class Sliced:
    """A file on its way out: `length` bytes. Iterate once, inside a `with`; leaving early is safe."""

    def __init__(
        self,
        sandbox: Sandbox,
        frame: BinaryIO,
        wish: Cut,
        form: Form,
        *,
        primers: Sequence[bytes] = (),
        wall_seconds: float | None = None,
    ) -> None:
        """Waits for the first bytes, so that what is wrong with the wish is raised here."""
        args = {"input": place_of(frame).as_json(), "wish": wish.as_json(), "form": form}
        with ExitStack() as opening:
            stream = opening.enter_context(
                sandbox.stream(
                    "slice_arrays", args, (frame.fileno(),), attached=primers, role=ROLE, wall_seconds=wall_seconds
                )
            )
            self._blocks = iter(stream)
            self.length, self._first = self._head()
            self._closing = opening.pop_all()

    def _head(self) -> tuple[int, bytes]:
        head = b""
        while b"\n" not in head and len(head) <= limits.SLICE_HEAD_BYTES_MAX:
            block = next(self._blocks, b"")
            if not block:
                break
            head += block
        line, end, first = head.partition(b"\n")
        try:
            length = json.loads(line)["length"]
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise CodecCrashed("a slice without its length") from error
        if not end or not isinstance(length, int) or length < 0:
            raise CodecCrashed(f"a slice of {length!r:.40} bytes")
        return length, first

    def __iter__(self) -> Iterator[bytes]:
        """The bytes, block by block. Raises what decoding raises, and CodecCrashed when they do not add up."""
        done = len(self._first)
        if self._first:
            yield self._first
        for block in self._blocks:
            done += len(block)
            if done <= self.length:
                yield block
        if done != self.length:
            raise CodecCrashed(f"a slice of {self.length} bytes came as {done}")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.close()


def file_slice(sandbox: Sandbox, frame: BinaryIO, wish: Cut, form: Form, primers: Sequence["Path"] = ()) -> Sliced:
    """A part of the arrays that a frame in a file keeps.

    primers  files, or folders of files, among which are the primers that the frame needs
    """
    return Sliced(sandbox, frame, wish, form, primers=find_primers(primers, primers_of(read_frame(frame))))


def frame_arrays(
    sandbox: Sandbox,
    frame: BinaryIO,
    *,
    primers: Sequence[bytes] = (),
    wall_seconds: float | None = None,
    **of: str,
) -> ArraysView:
    """The variables of what a frame keeps. Raises Conflict when that is no file of arrays.

    of  collection, name and revision
    """
    args = {"input": place_of(frame).as_json()}
    answer = sandbox.run("arrays", args, (frame.fileno(),), attached=primers, role=ROLE, wall_seconds=wall_seconds)
    try:
        told = json.loads(answer.attached[0])
        variables = tuple(map(_variable, told["variables"]))
        unlimited = tuple(map(str, told["unlimited"]))
        return ArraysView(
            **of,
            container=told["container"],
            attributes=told["attributes"],
            variables=variables,
            unlimited=unlimited,
        )
    except (ValueError, IndexError, RecursionError, KeyError, TypeError) as error:
        raise CodecCrashed(f"an account of arrays that cannot be read: {error!r:.200}") from error


def _variable(one: dict[str, Any]) -> ArrayView:
    blocks = None if one["blocks"] is None else tuple(one["blocks"])
    return ArrayView(one["name"], tuple(one["dimensions"]), tuple(one["shape"]), one["type"], blocks, one["attributes"])
