"""API keys: what lets somebody in, and what a stranger can learn."""

import hmac
from contextlib import suppress
from typing import Any

import pytest
from sqlalchemy import delete, event, select, update

from lithify.errors import BadArgument, NotFound, Unauthenticated
from lithify.store import keys
from lithify.store.catalog import Catalog
from lithify.store.clock import read_clock
from lithify.store.tables import Key
from lithify.store.views import KeyView


def add(catalog: Catalog, *scopes: str, **options: Any) -> keys.NewKey:
    key = keys.new("laptop", scopes or ["read"])
    with catalog.writing() as connection:
        keys.add(connection, key, read_clock(connection), **options)
    return key


def authenticate(catalog: Catalog, text: str) -> KeyView:
    with catalog.reading() as connection:
        return keys.authenticate(connection, text)


def strangers(key: keys.NewKey) -> dict[str, str]:
    """Texts that must not get in, by what is wrong with them."""
    _, key_id, secret = key.text.split("_", 2)
    return {
        "unknown id": f"lith_{'f' * 16}_{secret}",
        "wrong secret": f"lith_{key_id}_{'A' * 43}",
        "last letter wrong": key.text[:-1] + ("A" if key.text[-1] != "A" else "B"),
        "secret missing": f"lith_{key_id}_",
        "longer": key.text + "A",
        "upper case": key.text.upper(),
        "a space": key.text + " ",
        "a line end": key.text + "\n",
        "not ours": "Bearer nothing",
        "empty": "",
        "not unicode": "lith_\ud800",
        "not ascii": f"lith_{key_id}_{'é' * 43}",
    }


def test_a_key_gets_in_and_shows_its_scopes(catalog: Catalog) -> None:
    key = add(catalog, "write", "read")
    view = authenticate(catalog, key.text)
    assert (key.id, "laptop", ("read", "write"), None, None) == (
        view.id,
        view.label,
        view.scopes,
        view.expires_at,
        view.revoked_at,
    )


def test_a_keys_text_is_an_id_and_256_bits(catalog: Catalog) -> None:
    first, second = keys.new("a", ["read"]), keys.new("a", ["read"])
    assert first.text.startswith(f"lith_{first.id}_")
    assert len("lith_") + 16 + len("_") + 43 == len(first.text)
    assert first.text != second.text


def test_neither_catalog_nor_facts_nor_repr_hold_the_secret(catalog: Catalog) -> None:
    key = keys.new("laptop", ["read"])
    secret = key.text.split("_", 2)[2]
    with catalog.writing() as connection:
        facts = keys.add(connection, key, 0.0)
    catalog.close()
    assert secret not in str(facts)
    assert secret not in repr(key)
    assert secret.encode() not in catalog.path.read_bytes()


def test_strangers_are_all_told_the_same(catalog: Catalog) -> None:
    key = add(catalog)
    told = set()
    for text in strangers(key).values():
        with pytest.raises(Unauthenticated) as refusal:
            authenticate(catalog, text)
        told.add(refusal.value.message)
    assert {"this API key is not known here"} == told


def test_every_stranger_costs_one_query_and_one_comparison(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    key = add(catalog)
    real = hmac.compare_digest
    compared: list[tuple[int, int]] = []

    def compare(found: str, expected: str) -> bool:
        compared.append((len(found), len(expected)))
        return real(found, expected)

    monkeypatch.setattr(hmac, "compare_digest", compare)
    work = set()
    for text in [key.text, *strangers(key).values()]:
        queries: list[str] = []

        def note(connection: Any, cursor: Any, sql: str, values: Any, context: Any, many: bool) -> None:
            queries.append(sql)  # noqa: B023 - used up within this turn of the loop

        compared.clear()
        with catalog.reading() as connection:
            event.listen(connection, "before_cursor_execute", note)
            with suppress(Unauthenticated):
                keys.authenticate(connection, text)
        work.add((tuple(queries), tuple(compared)))
    assert 1 == len(work)
    assert ((64, 64),) == work.pop()[1]


def test_an_expired_key_is_refused_by_the_databases_clock(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.time", lambda: 0.0)
    key = add(catalog, expires_seconds=60)
    assert key.id == authenticate(catalog, key.text).id
    with catalog.writing() as connection:
        connection.execute(update(Key).values(expires_at=read_clock(connection) - 1))
    with pytest.raises(Unauthenticated, match=f"{key.id} expired at 20"):
        authenticate(catalog, key.text)


def test_a_revoked_key_is_refused_and_stays_revoked(catalog: Catalog) -> None:
    key = add(catalog)
    with catalog.writing() as connection:
        facts = keys.revoke(connection, key.id, 86400.0)
        again = keys.revoke(connection, key.id, 90000.0)
    assert (86400.0, facts) == (facts["revoked_at"], again)
    with pytest.raises(Unauthenticated, match="revoked at 1970-01-02"):
        authenticate(catalog, key.text)


def test_only_who_knows_the_secret_learns_that_a_key_was_revoked(catalog: Catalog) -> None:
    key = add(catalog)
    with catalog.writing() as connection:
        keys.revoke(connection, key.id, 1.0)
    with pytest.raises(Unauthenticated, match="not known here"):
        authenticate(catalog, strangers(key)["wrong secret"])


def test_revoking_what_is_not_there_is_not_found(catalog: Catalog) -> None:
    with catalog.writing() as connection, pytest.raises(NotFound, match="no API key"):
        keys.revoke(connection, "0" * 16, 1.0)


def test_facts_bring_a_key_back_as_it_was(catalog: Catalog) -> None:
    key = keys.new("laptop", ["admin"])
    with catalog.writing() as connection:
        facts = keys.add(connection, key, 5.0, 1e9)
        revoked = keys.revoke(connection, key.id, 7.0)
        connection.execute(delete(Key))
        for restored in (facts, revoked, revoked):
            keys.restore(connection, restored, 9.0)
        assert [keys.view(revoked)] == keys.list_keys(connection)
        assert key.secret_digest == connection.scalar(select(Key.secret_digest))


@pytest.mark.parametrize(
    ("granted", "allowed"),
    [
        (["read"], {"read"}),
        (["write"], {"write"}),
        (["admin"], {"read", "write", "admin"}),
        (["read", "write"], {"read", "write"}),
    ],
)
def test_admin_includes_everything_and_write_does_not_include_read(granted: list[str], allowed: set[str]) -> None:
    view = KeyView("id", "label", tuple(granted), 0.0, None, None)
    assert allowed == {scope for scope in keys.SCOPES if keys.allows(view, scope)}


@pytest.mark.parametrize("scopes", [[], ["read", "root"], ["Read"], [""]])
def test_scopes_that_do_not_exist_are_refused(scopes: list[str]) -> None:
    with pytest.raises(BadArgument, match="expected some of read, write, admin"):
        keys.new("laptop", scopes)


@pytest.mark.parametrize("label", ["x" * 129, "two\nlines", "\ud800"])
def test_labels_are_one_short_printable_line(label: str) -> None:
    with pytest.raises(BadArgument, match="at most 128 printable"):
        keys.new(label, ["read"])


@pytest.mark.parametrize("seconds", [0, -1, float("nan"), float("inf"), 1e12])
def test_an_expiry_that_is_no_time_to_come_is_refused(catalog: Catalog, seconds: float) -> None:
    with catalog.writing() as connection, pytest.raises(BadArgument, match="expires_seconds"):
        keys.add(connection, keys.new("laptop", ["read"]), 0.0, seconds)
