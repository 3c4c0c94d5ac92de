"""One server for all tests of the doors; each test has a collection of its own."""

import itertools
from collections.abc import Iterator

import httpx
import pytest
from click.testing import Result

from tests.serving import Served, serving
from tests.unit.api.running import Ask, quieten, run

_numbers = itertools.count()


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    quieten()
    with serving(tmp_path_factory.mktemp("served") / "archive") as found:
        yield found


@pytest.fixture
def collection() -> str:
    return f"c{next(_numbers)}"


@pytest.fixture(scope="module")
def quiet() -> None:
    """The server runs in this process: what it logs must not end up among the answers."""
    quieten()


@pytest.fixture
def http(served: Served) -> Iterator[httpx.Client]:
    with served.http() as found:
        yield found


@pytest.fixture(params=["here", "over the wire"])
def lithify(request: pytest.FixtureRequest, served: Served) -> Ask:
    """The command line, on the archive's folder and on its server."""

    def ask(*words: str) -> Result:
        if request.param == "here":
            return run("--archive", str(served.archive.folder), *words)
        return run(*words, environment={"LITHIFY_URL": served.url, "LITHIFY_KEY": served.key})

    return ask
