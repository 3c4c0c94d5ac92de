"""What the doors ask of the catalog."""

from dataclasses import fields
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, update

from lithify.errors import BadArgument, NotFound
from lithify.store import queries
from lithify.store.blobs import Address
from lithify.store.catalog import Catalog
from lithify.store.glob import Glob
from lithify.store.tables import Blob, Encoding, Object, Revision
from lithify.store.views import ObjectView
from tests.catalog_rows import add_encoding, add_object

AWKWARD = ["%", "100%", "100_", "a", "a%b", "a*", "a/b", "a[0]", "aZ", "b\\", "é", "ﬀ", "日本/ログ", "\U0001f5ff"]


def names(views: Any) -> list[str]:
    return [view.name for view in views]


def plan(connection: Connection, query: Any) -> str:
    compiled = query.compile(connection.engine, compile_kwargs={"literal_binds": True})
    return "\n".join(row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {compiled}"))


def test_the_columns_of_an_object_stand_in_the_order_of_the_views_fields() -> None:
    names_of_fields = [field.name for field in fields(ObjectView)]
    assert [column.key for column in queries._OBJECT_COLUMNS] == names_of_fields[: len(queries._OBJECT_COLUMNS)]
    assert ["encodings"] == names_of_fields[len(queries._OBJECT_COLUMNS) :]


class TestFindObject:
    """One object by its name."""

    def test_gives_the_newest_revision_with_every_encoding_oldest_first(self, catalog: Catalog) -> None:
        with catalog.writing() as connection:
            add_object(connection, "app.log", length=500)
            revision = add_object(connection, "app.log", length=1000, stored=200)
            add_encoding(connection, revision, stored=50, codec="logs.template", verified_at=7.0)
            found = queries.find_object(connection, "logs", "app.log")
        assert found is not None
        assert (revision, 2, 1000, 50, 20.0) == (
            found.revision,
            found.number,
            found.length,
            found.stored_bytes,
            found.ratio,
        )
        assert ("logs.template", 7.0) == (found.codec, found.verified_at)
        assert [(0, "retired", 200), (1, "current", 50)] == [
            (encoding.number, encoding.state, encoding.stored_bytes) for encoding in found.encodings
        ]
        assert {"reason": "staged"} == found.encodings[0].route

    def test_gives_an_older_revision_by_its_id(self, catalog: Catalog) -> None:
        with catalog.writing() as connection:
            old = add_object(connection, "app.log", length=500)
            add_object(connection, "app.log")
            found = queries.find_object(connection, "logs", "app.log", old)
        assert found is not None
        assert (1, 500) == (found.number, found.length)

    def test_knows_no_revision_of_another_object(self, catalog: Catalog) -> None:
        with catalog.writing() as connection:
            other = add_object(connection, "other.log")
            add_object(connection, "app.log")
            assert queries.find_object(connection, "logs", "app.log", other) is None

    def test_knows_nothing_removed(self, catalog: Catalog) -> None:
        with catalog.writing() as connection:
            revision = add_object(connection, "app.log")
            connection.execute(update(Revision).values(deleted_at=5.0))
            connection.execute(update(Object).values(revision_id=None))
            assert queries.find_object(connection, "logs", "app.log") is None
            assert queries.find_object(connection, "logs", "app.log", revision) is None

    def test_keeps_collections_apart(self, catalog: Catalog) -> None:
        with catalog.writing() as connection:
            add_object(connection, "x", collection="one", length=1, stored=1)
            add_object(connection, "x", collection="two", length=2, stored=1)
            found = queries.find_object(connection, "two", "x")
        assert found is not None
        assert ("two", 2) == (found.collection, found.length)


class TestList:
    """A collection, a page at a time."""

    def test_goes_by_the_bytes_of_the_name(self, catalog: Catalog) -> None:
        with catalog.writing() as connection:
            for name in reversed(AWKWARD):
                add_object(connection, name)
            listed = queries.list_objects(connection, "logs")
        assert sorted(AWKWARD, key=str.encode) == names(listed)

    def test_a_prefix_is_taken_literally(self, catalog: Catalog) -> None:
        prefixes = ["", "a", "100", "100%", "a%", "a*", "日本", "\U0001f5ff", "none"]
        with catalog.writing() as connection:
            for name in AWKWARD:
                add_object(connection, name)
            found = {prefix: names(queries.list_objects(connection, "logs", prefix=prefix)) for prefix in prefixes}
        assert {prefix: [name for name in sorted(AWKWARD) if name.startswith(prefix)] for prefix in prefixes} == found

    def test_pages_join_without_a_gap_or_a_double(self, catalog: Catalog) -> None:
        with catalog.writing() as connection:
            for name in AWKWARD:
                add_object(connection, name)
            found: list[str] = []
            while page := queries.list_objects(connection, "logs", after=found[-1] if found else "", limit=3):
                assert len(page) <= 3
                found += names(page)
        assert sorted(AWKWARD) == found

    def test_after_may_lie_before_inside_or_behind_the_prefix(self, catalog: Catalog) -> None:
        with catalog.writing() as connection:
            for name in ("a", "b1", "b2", "c"):
                add_object(connection, name)
            pages = [
                names(queries.list_objects(connection, "logs", prefix="b", after=after)) for after in ("a", "b1", "c")
            ]
        assert [["b1", "b2"], ["b2"], []] == pages

    def test_uses_the_index_of_names_and_sorts_nothing(self, catalog: Catalog) -> None:
        with catalog.reading() as connection:
            used = plan(connection, queries._range("logs", "app/", "app/3"))
        assert "sqlite_autoindex_objects_1 (collection_id=? AND name>? AND name<?)" in used
        assert "TEMP B-TREE" not in used

    def test_an_unknown_collection_is_not_found(self, catalog: Catalog) -> None:
        with catalog.reading() as connection, pytest.raises(NotFound, match="no collection absent"):
            queries.list_objects(connection, "absent")

    @pytest.mark.parametrize("limit", [0, -1, 1001])
    def test_a_page_has_1_to_1000_names(self, catalog: Catalog, limit: int) -> None:
        with catalog.reading() as connection, pytest.raises(BadArgument, match="1 to 1000"):
            queries.list_objects(connection, "logs", limit=limit)

    def test_names_that_are_no_unicode_are_refused(self, catalog: Catalog) -> None:
        with catalog.writing() as connection:
            add_object(connection, "x")
        with pytest.raises(BadArgument, match="not valid Unicode"), catalog.reading() as connection:
            queries.list_objects(connection, "logs", prefix="\ud800")


class TestFind:
    """Objects anywhere by what they are."""

    @pytest.fixture
    def connection(self, catalog: Catalog) -> Any:
        with catalog.writing() as connection:
            add_object(connection, "a/1.log", length=10, created_at=100.0)
            add_object(connection, "a/2.csv", length=20, created_at=200.0, kind="csv")
            add_object(connection, "b/1.log", length=30, created_at=300.0)
            add_object(connection, "a/1.log", collection="archive", length=40, created_at=400.0)
            yield connection

    @pytest.mark.parametrize(
        ("wanted", "expected"),
        [
            ({}, ["archive/a/1.log", "logs/a/1.log", "logs/a/2.csv", "logs/b/1.log"]),
            ({"pattern": "*.log"}, ["archive/a/1.log", "logs/a/1.log", "logs/b/1.log"]),
            ({"pattern": "a/*", "collection": "logs"}, ["logs/a/1.log", "logs/a/2.csv"]),
            ({"pattern": "A/*"}, []),
            ({"kind": "csv"}, ["logs/a/2.csv"]),
            ({"larger": 20}, ["archive/a/1.log", "logs/b/1.log"]),
            ({"smaller": 20}, ["logs/a/1.log"]),
            ({"newer": 200.0, "older": 400.0}, ["logs/b/1.log"]),
            ({"pattern": "*.log", "larger": 15, "collection": "logs"}, ["logs/b/1.log"]),
            ({"after": ("logs", "a/1.log")}, ["logs/a/2.csv", "logs/b/1.log"]),
            ({"collection": "absent"}, []),
        ],
    )
    def test_every_condition_given_must_hold(
        self, connection: Connection, wanted: dict[str, Any], expected: list[str]
    ) -> None:
        found = queries.find_objects(connection, **wanted)
        assert expected == [f"{view.collection}/{view.name}" for view in found]

    def test_an_original_is_as_long_as_what_was_put_in(self, catalog: Catalog) -> None:
        with catalog.writing() as connection:
            revision = add_object(connection, "film.mp4", length=1000)
            add_encoding(connection, revision, stored=50, decoded_length=600, fidelity="floor:vmaf=95.0")
            found = list(queries.find_objects(connection, larger=900))
            assert [] == list(queries.find_objects(connection, smaller=900))
        assert [(1000, 600)] == [(view.original_bytes, view.length) for view in found]

    @given(st.text(st.sampled_from("ab/12.logcsv*?[]!-%_"), max_size=8))
    @settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=25)
    def test_a_pattern_finds_what_matching_every_name_would_find(self, connection: Connection, pattern: str) -> None:
        matches = Glob(pattern).matches
        expected = [view.name for view in queries.find_objects(connection) if matches(view.name)]
        assert expected == names(queries.find_objects(connection, pattern=pattern))

    def test_gives_the_first_before_it_looked_at_the_last(self, catalog: Catalog) -> None:
        with catalog.writing() as connection:
            for number in range(3):
                add_object(connection, f"{number}.log")
        with catalog.reading() as connection:
            found = queries.find_objects(connection)
            assert "0.log" == next(found).name
            assert ["1.log", "2.log"] == names(found)


class TestSources:
    """Where the bytes of a revision lie."""

    def test_the_current_encoding_comes_first_then_retired_ones_newest_first(self, catalog: Catalog) -> None:
        with catalog.writing() as connection:
            revision = add_object(connection, "app.log", stored=300)
            add_encoding(connection, revision, stored=200)
            add_encoding(connection, revision, stored=100)
            lengths = [address.length for address in queries.serving_order(connection, revision)]
        assert [100, 200, 300] == lengths

    def test_a_damaged_retired_blob_is_left_out_and_a_damaged_current_one_is_tried(self, catalog: Catalog) -> None:
        with catalog.writing() as connection:
            revision = add_object(connection, "app.log", stored=300)
            add_encoding(connection, revision, stored=200)
            add_encoding(connection, revision, stored=100)
            connection.execute(update(Blob).where(Blob.length != 300).values(damage="flipped"))
            lengths = [address.length for address in queries.serving_order(connection, revision)]
        assert [100, 300] == lengths

    def test_an_older_encoding_made_current_again_comes_first(self, catalog: Catalog) -> None:
        with catalog.writing() as connection:
            revision = add_object(connection, "app.log", stored=300)
            add_encoding(connection, revision, stored=200)
            connection.execute(update(Encoding).values(state="retired"))
            connection.execute(update(Encoding).where(Encoding.number == 0).values(state="current"))
            lengths = [address.length for address in queries.serving_order(connection, revision)]
        assert [300, 200] == lengths

    def test_a_blob_is_found_by_its_digest(self, catalog: Catalog) -> None:
        with catalog.writing() as connection:
            _, digest = add_encoding(connection, add_object(connection, "app.log"), stored=7)
            connection.execute(update(Blob).where(Blob.digest == digest).values(pack="ab" * 16, offset=40))
            assert Address(digest, 7, "ab" * 16, 40) == queries.blob(connection, digest)
            assert queries.blob(connection, "0" * 64) is None


class TestReport:
    """The smaller bill."""

    def test_an_empty_archive_has_saved_nothing(self, catalog: Catalog) -> None:
        with catalog.reading() as connection:
            found = queries.report(connection)
        assert (0, 0, 1.0, 0, ()) == (
            found.total.objects,
            found.total.saved_bytes,
            found.total.ratio,
            found.disk_bytes,
            found.by_kind,
        )

    def test_sums_current_encodings_of_live_revisions(self, catalog: Catalog) -> None:
        with catalog.writing() as connection:
            add_object(connection, "a", length=1000, stored=500)
            proved = add_object(connection, "a", length=1000, stored=400)
            add_encoding(connection, proved, stored=100, codec="logs.template", verified_at=9.0)
            add_object(connection, "b", collection="maps", kind="image", length=300, stored=300)
            gone = add_object(connection, "c", length=10_000, stored=1)
            connection.execute(update(Revision).where(Revision.id == gone).values(deleted_at=9.0))
            found = queries.report(connection)
        total = found.total
        assert (2, 2300, 900, 1400) == (total.objects, total.original_bytes, total.stored_bytes, total.saved_bytes)
        assert (1, 1.5, 2300 / 900) == (total.verified_objects, total.encode_seconds, total.ratio)
        assert [("log", 1, 1400), ("image", 1, 0)] == [
            (row.group, row.objects, row.saved_bytes) for row in found.by_kind
        ]
        assert [("logs.template", 100), ("raw.zstd", 800)] == [(row.group, row.stored_bytes) for row in found.by_codec]
        assert ["logs", "maps"] == [row.group for row in found.by_collection]
        assert 500 + 400 + 100 + 300 + 1 == found.disk_bytes
