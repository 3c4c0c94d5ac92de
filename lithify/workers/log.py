"""The workers' log, loaded when there is first something to say: structlog brings rich and asyncio along, 80 ms.

A server or worker configures it (lithify/api/logs.py). Inside a short command nobody does, and then only what is broken
is told, on standard error: standard output belongs to the command.
"""

import logging
import sys
from typing import Any


def log(name: str) -> Any:
    """The log of one part of the workers."""
    import structlog

    if not structlog.is_configured():
        structlog.configure(
            wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR),
            processors=[structlog.processors.add_log_level, structlog.processors.JSONRenderer()],
            logger_factory=lambda *_: structlog.WriteLogger(sys.stderr),
        )
    return structlog.get_logger(f"lithify.{name}")
