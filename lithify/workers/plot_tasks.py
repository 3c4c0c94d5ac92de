"""What a codec's process can be asked to draw: `plot`."""

from lithify import limits
from lithify.codecs.codec import Codec
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
    original, decoded = (_read(first, Place(**call.args["original"])), _read(second, Place(**call.args["decoded"])))
    drawer = _drawer(look(original, call.args["name"]))
    part = call.args["part"]
    drawn = drawer.plot(original, decoded) if part is None else drawer.plot_part(original, decoded, part)
    return Reply({"codec": drawer.facts.id}, [drawn])


def _read(fd: int, place: Place) -> bytes:
    source = open_source(open_slice(fd, place), framed=place.framed)
    if source.length > limits.PART_BYTES:
        most = limits.PART_BYTES // limits.MIB
        raise BadArgument(f"of {source.length} bytes nothing is drawn: at most {most} MiB are")
    return source.read(0, source.length)


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
