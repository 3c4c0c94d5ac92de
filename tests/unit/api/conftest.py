"""One server for all tests of the doors; each test has a collection of its own."""

import itertools
from collections.abc import Iterator

import pytest

from tests.serving import Served, serving

_numbers = itertools.count()


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("served") / "archive") as found:
        yield found


@pytest.fixture
def collection() -> str:
    return f"c{next(_numbers)}"
