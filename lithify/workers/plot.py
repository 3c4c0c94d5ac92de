"""Draw what came back of an original beside it: a picture for people, for people to look at."""

from typing import BinaryIO

from lithify.codecs.fidelity import EXACT
from lithify.codecs.frame import read_frame
from lithify.errors import BadArgument
from lithify.workers.proof import ROLE, place_of
from lithify.workers.sandbox import Sandbox
from lithify.workers.sources import Place, digest_and_length


def plot(
    sandbox: Sandbox,
    original: tuple[int, Place],
    decoded: tuple[int, Place],
    *,
    name: str | None = None,
    part: str | None = None,
) -> bytes:
    """A PNG. Raises BadArgument where nothing of this kind is drawn.

    original, decoded  each an open file and where in it the bytes lie, or a frame of them that needs no primer
    name               what the original is called, which helps to tell what it is
    part               which of its variables is to be drawn; None: for the codec to choose
    """
    (first, before), (second, after) = original, decoded
    args = {"original": before.as_json(), "decoded": after.as_json(), "name": name, "part": part}
    (drawn,) = sandbox.run("plot", args, (first, second), role=ROLE).attached
    return drawn


def plot_files(original: BinaryIO, decoded: BinaryIO, *, name: str | None = None, part: str | None = None) -> bytes:
    """The same for two files as they are, with no archive near; one file may be both."""
    places = [(file.fileno(), place_of(file, framed=False)) for file in (original, decoded)]
    with Sandbox() as sandbox:
        return plot(sandbox, *places, name=name, part=part)


def plot_frame(
    frame: BinaryIO, original: BinaryIO | None = None, *, name: str | None = None, part: str | None = None
) -> bytes:
    """The same for a frame in a file.

    original  None: what comes back is the original, and nothing differs

    Raises BadArgument where the frame keeps less than every byte and no original is given, or another's.
    """
    said = read_frame(frame)
    if original is None and said.contract != EXACT:
        raise BadArgument(f"the frame keeps {said.contract}, and no longer has its original: name it with --against")
    source = frame.fileno(), place_of(frame)
    if original is not None:
        (found, _), expected = digest_and_length(original), said.original_digest.hex()
        if found != expected:
            raise BadArgument(f"the frame was made of a file with SHA-256 {expected}; --against has {found}")
        source = original.fileno(), place_of(original, framed=False)
    with Sandbox() as sandbox:
        return plot(sandbox, source, (frame.fileno(), place_of(frame)), name=name, part=part)
