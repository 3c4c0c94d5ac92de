"""What a codec's process can be asked to draw: `plot`."""

import os

from lithify import limits
from lithify.codecs.codec import Codec, Source
from lithify.codecs.registry import all_codecs
from lithify.errors import BadArgument, MissingExtra
from lithify.workers import kernels
from lithify.workers.child import Call, Reply
from lithify.workers.extras import missing_extras
from lithify.workers.kinds import Kind, look
from lithify.workers.sources import Place, open_slice, open_source


def plot(call: Call) -> Reply:
    """Draw what came back of an original beside it.

    fds      the original; what came back
    args     original, decoded: where each lies, as it is or in a frame that needs no primer; name (or None); part: a
             variable to be drawn (or None)
    answer   codec: who drew it; attached: the PNG

    Raises BadArgument where no codec draws originals of this kind.
    """
    first, second = call.fds
    place, other = Place(**call.args["original"]), Place(**call.args["decoded"])
    original = _source(first, place)
    decoded = original if place == other and _is_same(first, second) else _source(second, other)
    head = original.read(0, limits.PROBE_BYTES)
    drawer = _drawer(look(head, call.args["name"], original.length))
    return Reply({"codec": drawer.facts.id}, [drawer.plot_sources(original, decoded, call.args["part"])])


def _source(fd: int, place: Place) -> Source:
    return open_source(open_slice(fd, place), framed=place.framed)


def _is_same(first: int, second: int) -> bool:
    one, other = os.fstat(first), os.fstat(second)
    return (one.st_dev, one.st_ino) == (other.st_dev, other.st_ino)


def _drawer(kind: Kind) -> type[Codec]:
    drawers = [codec for codec in all_codecs() if codec.facts.draws]
    for codec in drawers:
        if kind.kind not in codec.facts.kinds:
            continue
        if missing := missing_extras(codec.facts.needs):
            raise MissingExtra(f"{codec.facts.id} would draw this: {missing}")
        kernels.require(codec)
        return codec
    drawn = sorted({name for codec in drawers for name in codec.facts.kinds})
    raise BadArgument(f"this is {kind.kind} ({kind.reason}); what can be drawn is {', '.join(drawn) or 'nothing yet'}")
