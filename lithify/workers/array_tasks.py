"""What a codec's process can be asked about arrays: which there are, and a slice of them, as a file of its own.

A frame is the first descriptor, at args' `input`; primers that it needs are attached.
"""

import json
from typing import TYPE_CHECKING, Any

from lithify import limits
from lithify.codecs.frame import at_hand, decode_frame, read_frame
from lithify.errors import Conflict, LimitExceeded
from lithify.workers import kernels
from lithify.workers.child import Call, Reply
from lithify.workers.sources import Place, open_slice

if TYPE_CHECKING:
    from lithify.codecs.arrays.labelled import LabelledFile

_HEAD_BYTES = 512
"""Of an original, by which a container is known."""


def arrays(call: Call) -> Reply:
    """The variables of a file of arrays.

    args      input
    attached  (to the answer) what `telling.told` says, as JSON
    """
    from lithify.codecs.arrays.telling import told

    document = json.dumps(told(_labelled(call)), allow_nan=False).encode()
    if len(document) > limits.ARRAYS_TOLD_BYTES_MAX:
        raise LimitExceeded(f"its variables and attributes take {len(document)} bytes to tell")
    return Reply({}, [document])


def slice_arrays(call: Call) -> Reply:
    """Send a line of JSON with the `length` of the file that comes then, and that file.

    args  input; wish: a Cut; form: npy or netcdf
    """
    from lithify.codecs.arrays.wish import Cut
    from lithify.codecs.arrays.written import write

    written = write(_labelled(call), Cut.from_json(call.args["wish"]), call.args["form"])
    call.data(json.dumps({"length": written.length}).encode() + b"\n")
    for block in written.blocks:
        call.data(block)
    return Reply({})


def _labelled(call: Call) -> "LabelledFile":
    """The file that the frame keeps, opened. Raises Conflict for what is no container, before it was decoded."""
    from lithify.codecs.arrays.containers.find import container_of
    from lithify.codecs.arrays.labelled import label
    from lithify.codecs.arrays.opened import open_arrays

    file = open_slice(call.fds[0], Place(**call.args["input"]))
    frame = read_frame(file)
    kernels.require_for(frame)
    primers = at_hand(call.attached)
    if not _is_of_arrays(frame):
        head = b"".join(decode_frame(file, end=min(_HEAD_BYTES, frame.decoded_length), frame=frame, primers=primers))
        if container_of(head) is None:
            raise Conflict("there is nothing to slice: it is no file of arrays")
        if frame.decoded_length > limits.SLICED_WHOLE_BYTES_MAX:
            raise Conflict(
                f"its {frame.decoded_length} bytes are not (yet) kept as arrays: a slice would decode them whole, "
                f"which is done up to {limits.SLICED_WHOLE_BYTES_MAX}"
            )
        file.seek(0)
    return label(open_arrays(file, primers=primers))


def _is_of_arrays(frame: Any) -> bool:
    from lithify.codecs.arrays.codec import Arrays

    return any(entry.format.id == Arrays.facts.format.id for entry in frame.formats)
