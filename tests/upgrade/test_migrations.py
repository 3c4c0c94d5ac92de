"""Old catalogs become new ones whole, or stay old ones; and a migrated schema is the models' schema."""

import ast
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, insert, text

import lithify.migrations
from lithify.errors import Conflict, Corrupt, UnknownFormat
from lithify.store import schema, sqlite
from lithify.store.catalog import Catalog
from lithify.store.tables import Object, Table

VERSIONS = Path(next(iter(lithify.migrations.__path__))) / "versions"
FILES = sorted(VERSIONS.glob("[0-9]*.py"))
REVISIONS = [path.name.split("_")[0] for path in FILES]
ROOT = Path(__file__).parents[2]

MIGRATE = "import sys, pathlib; from lithify.store.catalog import Catalog; Catalog(pathlib.Path(sys.argv[1])).migrate()"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "catalog.sqlite"


def config(connection: Connection | None = None) -> Config:
    found = Config(attributes={"connection": connection})
    found.set_main_option("script_location", "lithify:migrations")
    return found


def bring_to(path: Path, revision: str) -> None:
    """A catalog as the release that ended with this migration left it."""
    sqlite.create(path)
    engine = sqlite.migrating_engine(path)
    with engine.begin() as connection:
        command.upgrade(config(connection), revision)
    engine.dispose()


def migrate(path: Path) -> None:
    with Catalog(path) as catalog:
        catalog.migrate()


def version(path: Path) -> str | None:
    with Catalog(path) as catalog, catalog.reading() as connection:
        return schema.version(connection)


def written_schema(connection: Connection) -> set[str]:
    """Every table, index, unique rule and WHERE, as the database itself spells them."""
    kept = "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND tbl_name <> 'alembic_version'"
    rules = set()
    for statement in connection.scalars(text(kept)):
        # The order of columns and constraints inside a table means nothing; one that was altered has it otherwise,
        # and its name in quotes.
        head, _, body = re.sub(r"\s+", " ", statement).partition("(")
        head = head.replace('"', "")
        parts = sorted(re.split(r", (?![^(]*\))", body.rstrip(" )"))) if head.startswith("CREATE TABLE") else [body]
        rules.add(f"{head}({', '.join(part.strip() for part in parts)})")
    return rules


def start(path: Path, crashpoint: str = "") -> "subprocess.Popen[bytes]":
    environment = {"LITHIFY_CRASHPOINT": crashpoint}
    return subprocess.Popen([sys.executable, "-c", MIGRATE, str(path)], cwd=ROOT, env=environment)


def test_the_newest_migration_is_the_head_that_a_starting_process_looks_for() -> None:
    assert schema.HEAD == REVISIONS[-1] == ScriptDirectory.from_config(config()).get_current_head()


def test_migrations_are_numbered_and_say_when_they_may_run() -> None:
    assert [f"{number:04d}" for number in range(1, len(FILES) + 1)] == REVISIONS
    for path in FILES:
        assert re.fullmatch(r"\d{4}_(pre|post)_[a-z0-9_]+\.py", path.name), path.name


def test_migrations_read_nothing_of_ours_and_only_go_forward() -> None:
    for path in FILES:
        tree = ast.parse(path.read_text())
        imported = {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
        imported |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        assert imported <= {"sqlalchemy", "alembic"}, path.name
        assert "downgrade" not in {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("revision", ["base", *REVISIONS])
def test_a_catalog_of_every_earlier_release_is_brought_up_to_date(path: Path, revision: str) -> None:
    if revision == "base":
        sqlite.create(path)
    else:
        bring_to(path, revision)
    migrate(path)
    assert schema.HEAD == version(path)


def test_the_migrated_schema_is_the_models_schema(path: Path) -> None:
    migrate(path)
    models = create_engine("sqlite://")
    with Catalog(path) as catalog, catalog.reading() as migrated, models.connect() as created:
        Table.metadata.create_all(created)
        assert written_schema(created) == written_schema(migrated)
    models.dispose()


def test_alembic_sees_nothing_left_to_do(path: Path) -> None:
    def comparable(thing: object, name: str | None, *rest: object) -> bool:
        return name != "ix_jobs_claim"  # Alembic cannot read a descending index; the test above can

    migrate(path)
    with Catalog(path) as catalog, catalog.reading() as connection:
        context = MigrationContext.configure(connection, opts={"include_object": comparable})
        assert [] == compare_metadata(context, Table.metadata)


@pytest.mark.parametrize("name", ["migrate.before_apply", "migrate.after_apply"])
def test_a_kill_in_the_middle_leaves_the_old_schema(path: Path, name: str) -> None:
    process = start(path, name)
    assert -signal.SIGKILL == process.wait(60)
    assert version(path) is None
    with Catalog(path) as catalog, catalog.reading() as connection:
        assert set() == written_schema(connection)
    migrate(path)
    assert schema.HEAD == version(path)


def test_processes_and_threads_that_start_together_migrate_once(path: Path) -> None:
    processes = [start(path), start(path)]
    threads = [threading.Thread(target=migrate, args=(path,)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [0, 0] == [process.wait(60) for process in processes]
    assert schema.HEAD == version(path)


def test_a_catalog_that_is_up_to_date_costs_no_import_of_alembic(path: Path) -> None:
    migrate(path)
    look = f"{MIGRATE}; sys.exit('alembic' in sys.modules)"
    assert 0 == subprocess.run([sys.executable, "-c", look, str(path)], cwd=ROOT, check=False).returncode


def test_a_catalog_of_a_newer_lithify_is_refused_untouched(path: Path) -> None:
    bring_to(path, "head")
    with Catalog(path) as catalog, catalog.writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    before = path.read_bytes()
    with pytest.raises(UnknownFormat, match=rf"schema 9999, and this lithify knows up to {schema.HEAD}"):
        migrate(path)
    assert before == path.read_bytes()


def test_the_database_of_something_else_is_refused_untouched(path: Path) -> None:
    sqlite.create(path)
    with Catalog(path) as catalog, catalog.writing() as connection:
        connection.execute(text("CREATE TABLE photos (id INTEGER)"))
    before = path.read_bytes()
    with pytest.raises(Conflict, match="a table 'photos'"):
        migrate(path)
    assert before == path.read_bytes()


def test_a_migration_that_would_leave_a_dangling_reference_is_not_committed(path: Path) -> None:
    migrate(path)
    engine = sqlite.migrating_engine(path)
    orphan = {"id": 1, "collection_id": 7, "name": "x", "revision_id": None, "revisions_count": 0, "created_at": 0.0}
    with engine.begin() as connection:
        connection.execute(insert(Object).values(orphan))
        with pytest.raises(Corrupt, match="row 1 of objects points at no row of collections"):
            schema._check_references(connection, path)
    engine.dispose()
