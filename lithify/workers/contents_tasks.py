"""What a codec's process can be asked about the inside of a frame: `contents`. Nothing is decoded but tables."""

from collections.abc import Iterator
from dataclasses import asdict, replace

from lithify import limits
from lithify.codecs.frame import at_hand, read_frame
from lithify.codecs.frame.search import FrameChunks
from lithify.codecs.inside import Inside, merged
from lithify.workers.child import Call, Reply
from lithify.workers.sources import Place, open_slice


def contents(call: Call) -> Reply:
    """What the codecs of a frame found inside its original.

    fds      the file the frame lies in
    args     input: its place
    answer   items: for each chunk its codec and, below it by `depth`, what that found (codecs/inside.py); of long lists
             things of one kind are told together, and the names of some members only
    """
    file = open_slice(call.fds[0], Place(**call.args["input"]))
    chunks = FrameChunks(file, read_frame(file), at_hand(call.attached))
    rows: list[Inside] = []
    for number, chunk in enumerate(_chunks(chunks)):
        rows += chunk
        if len(rows) > limits.CONTENTS_MAX:
            rows = merged(rows)[: limits.CONTENTS_MAX]
        rows = _named(rows)
        call.progress(number)
    return Reply({"items": [asdict(row) for row in rows]})


def _named(rows: list[Inside]) -> list[Inside]:
    """The same rows with the first so many names."""
    left, told = limits.CONTENTS_MAX, []
    for row in rows:
        told.append(replace(row, members=row.members[:left]))
        left -= len(told[-1].members)
    return told


def _chunks(chunks: FrameChunks) -> Iterator[list[Inside]]:
    for whole, inside in chunks.contents():
        yield [whole, *(row.deeper(1) for row in inside)]
