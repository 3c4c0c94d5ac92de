"""The program in processes of its own that have everything imported when they begin.

They are forked from one process that imported it all once, which spares each of them the second that imports take. For
tests that start many and look at what they do; how the program itself starts is seen by those that start it as users do
(tests/unit/api/test_server.py, test_cli_pipes.py).
"""

import importlib
import os
import sys
from collections.abc import Mapping
from multiprocessing import get_context
from multiprocessing.process import BaseProcess

from lithify import crashpoints

_CONTEXT = get_context("forkserver")
_CONTEXT.set_forkserver_preload(["lithify.api.server", "lithify.api.commands.serve", "lithify.workers.loop", __name__])


def started(*words: str, environment: Mapping[str, str] | None = None) -> BaseProcess:
    """`lithify WORDS`, silent, in a session of its own; in this process's environment if no other is given."""
    process = _CONTEXT.Process(
        target=_run, args=(words, dict(os.environ if environment is None else environment)), daemon=True
    )
    process.start()
    return process


def ended(*words: str, environment: Mapping[str, str] | None = None, seconds: float = 120.0) -> int | None:
    """How such a process ended: its exit code, or below 0 the signal that killed it; None if it had to be ended."""
    process = started(*words, environment=environment)
    try:
        process.join(seconds)
        return process.exitcode
    finally:
        process.kill()
        process.join()


def _run(words: tuple[str, ...], environment: dict[str, str]) -> None:
    os.setsid()
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in range(3):
        os.dup2(nowhere, descriptor)
    os.environ.clear()
    os.environ.update(environment)
    importlib.reload(crashpoints)  # it looked at the environment when it was imported
    sys.argv = ["lithify", *words]
    from lithify.api.cli import main

    main()
