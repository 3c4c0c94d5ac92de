"""The log: one JSON object per line on standard error, without a name, a key or a byte of anybody's content.

Exceptions are written as their types and the places they passed, never as their messages: messages name objects. What
the caller was told carries the same `request` id.
"""

import logging
import sys
import threading
import traceback
from typing import Any

import structlog
from structlog.typing import EventDict, Processor

_LIBRARIES_LEVEL = logging.WARNING


def configure(level: str = "info") -> None:
    """Send everything, our own and the libraries', through one formatter to standard error."""
    shared: list[Processor] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _places_only,
    ]
    structlog.configure(
        processors=[*shared, structlog.processors.JSONRenderer()],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=lambda *_: structlog.WriteLogger(sys.stderr),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[_template_only, *shared],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(_LIBRARIES_LEVEL)
    threading.excepthook = _thread_died


def _thread_died(died: threading.ExceptHookArgs) -> None:
    get().error("thread_died", thread=died.thread.name if died.thread else None, exc_info=died.exc_value)


def get() -> Any:
    """The log of the doors."""
    return structlog.get_logger()


def _template_only(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """Keep a library's message as it is in its source, without what was put into it."""
    record: logging.LogRecord | None = event.get("_record")
    if record is not None:
        event["event"] = str(record.msg).splitlines()[0] if isinstance(record.msg, str) else type(record.msg).__name__
        event["library"] = record.name
    return event


def _places_only(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """Replace an exception by the types of its chain and the places the last one passed."""
    found = event.pop("exc_info", None)
    error = found[1] if isinstance(found, tuple) else found
    if isinstance(error, BaseException):
        event["error"] = places(error)
    return event


def places(error: BaseException) -> dict[str, list[str]]:
    """`{"types": [...], "places": ["file.py:12 function", ...]}`, outermost first."""
    types: list[str] = []
    cause: BaseException | None = error
    while cause is not None and len(types) < 8:
        types.append(type(cause).__name__)
        cause = cause.__cause__ or cause.__context__
    frames = traceback.extract_tb(error.__traceback__)[-12:]
    return {
        "types": types,
        "places": [f"{frame.filename.rsplit('/site-packages/')[-1]}:{frame.lineno} {frame.name}" for frame in frames],
    }
