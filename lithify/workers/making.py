"""Word that a codec's kernels are being made, for whoever wonders why nothing happens yet.

It happens when a codec is first needed after an installation or an upgrade, takes seconds to a minute of a processor,
and nothing else can be told meanwhile. Anyone in this process may listen; a worker's log has it in any case.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from lithify.workers.log import log

_listeners: list[Callable[[str], None]] = []


@contextmanager
def heard_by(listener: Callable[[str], None]) -> Iterator[None]:
    """Inside, `listener` is given the id of each codec whose kernels this process waits for; from any thread."""
    _listeners.append(listener)
    try:
        yield
    finally:
        _listeners.remove(listener)


def tell(codec: str) -> None:
    """The kernels of a codec are being made."""
    log("sandbox").info("making_kernels", codec=codec)
    for listener in list(_listeners):
        listener(codec)
