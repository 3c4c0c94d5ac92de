"""An archive in a temporary folder, as a user would have one; codecs' processes are started once for all of them."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from lithify.workers.archive import Archive
from lithify.workers.sandbox import Sandbox

Opening = Callable[..., AbstractContextManager[Archive]]
"""Opens an archive in a folder, on the terms of Archive."""


@pytest.fixture(scope="session")
def shared_sandbox() -> Iterator[Sandbox]:
    """One sandbox: a process with kernels takes as long to start as most tests to run."""
    with Sandbox() as opened:
        yield opened


@pytest.fixture(scope="session")
def opening(shared_sandbox: Sandbox) -> Opening:
    return opening_with(shared_sandbox)


def opening_with(sandbox: Sandbox) -> Opening:
    """Archives whose codecs run in this sandbox; it must know the codecs that are installed."""

    @contextmanager
    def opened(folder: Path, **terms: Any) -> Iterator[Archive]:
        with Archive(folder, **terms) as found:
            found.sandbox = sandbox  # its own has started nothing yet
            yield found

    return opened


@pytest.fixture
def archive(tmp_path: Path, opening: Opening) -> Iterator[Archive]:
    with opening(tmp_path / "archive", effort="fast", grace_seconds=0) as opened:
        yield opened
