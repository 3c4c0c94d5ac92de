"""An archive in a temporary folder, as a user would have one."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from lithify.workers.archive import Archive


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    with Archive(tmp_path / "archive", effort="fast", grace_seconds=0) as opened:
        yield opened
