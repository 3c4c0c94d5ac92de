"""What a codec's process can be asked about arrays: which there are, and a slice of them, as a file of its own.

A frame is the first descriptor, at args' `input`; primers that it needs are attached.
"""

import json
from typing import TYPE_CHECKING

from lithify import limits
from lithify.codecs.frame import at_hand, read_frame
from lithify.errors import Conflict, LimitExceeded
from lithify.workers import kernels
from lithify.workers.child import Call, Reply
from lithify.workers.sources import Place, open_slice

if TYPE_CHECKING:
    from lithify.codecs.arrays.labelled import LabelledFile


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
    """The file that the frame keeps, opened. Raises Conflict for what holds no arrays."""
    from lithify.codecs.arrays.labelled import label
    from lithify.codecs.arrays.opened import open_arrays

    file = open_slice(call.fds[0], Place(**call.args["input"]))
    kernels.require_for(read_frame(file))
    file.seek(0)
    found = label(open_arrays(file, primers=at_hand(call.attached)))
    if not found.variables:
        what = f"no array of numbers was found in a {found.container} file" if found.container else "no file of arrays"
        raise Conflict(f"there is nothing to slice: {what}")
    return found
