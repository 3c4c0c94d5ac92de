"""A catalog for every test that wants one: migrated once, copied each time."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from lithify.store.catalog import Catalog


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("migrated") / "catalog.sqlite"
    with Catalog(path) as catalog:
        catalog.migrate()
    return path


@pytest.fixture
def catalog_path(migrated: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(migrated, tmp_path / "catalog.sqlite"))


@pytest.fixture
def catalog(catalog_path: Path) -> Iterator[Catalog]:
    with Catalog(catalog_path) as opened:
        yield opened
