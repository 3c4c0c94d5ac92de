"""What strangers, cut lines and wrong names can do at the doors: nothing.

Rows 37, 39, 44, 47, 48 and 52 of the fault list, against a real server; test_wire.py has 13, 40 and 51.
"""

import hashlib
import itertools
import json
import os
import random
import re
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from lithify import limits
from lithify.api.auth import OPEN
from tests.serving import Served, logged, serving, statuses

_numbers = itertools.count()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("doors") / "archive") as found:
        yield found


@pytest.fixture
def collection() -> str:
    return f"c{next(_numbers)}"


# --- row 44: every operation, every kind of wrong key -------------------------------------------------------


def operations(served: Served) -> list[tuple[str, str, str]]:
    paths: dict[str, dict[str, Any]] = httpx.get(f"{served.url}/openapi.json").json()["paths"]
    return [
        (method.upper(), re.sub(r"\{[^}]*\}", "1", path), operation.get("x-scope", "open"))
        for path, methods in paths.items()
        for method, operation in methods.items()
    ]


def test_every_operation_refuses_every_kind_of_wrong_key(served: Served) -> None:
    archive = served.archive
    expiring = archive.add_key("expiring", ("admin",), 0.01)[1]
    revoked, revoked_text = archive.add_key("revoked", ("admin",))
    archive.revoke_key(revoked.id)
    key_id, secret = served.key.split("_", 2)[1:]
    time.sleep(0.05)
    wrong = {
        "none": None,
        "empty": "Bearer",
        "no secret": f"Bearer lith_{key_id}",
        "wrong secret": f"Bearer lith_{key_id}_{secret[::-1]}",
        "unknown id": f"Bearer lith_{'0' * 16}_{secret}",
        "other scheme": f"Basic {served.key}",
        "not a key": "Bearer ' OR 1=1 --",
        "endless": "Bearer " + "x" * 10_000,
        "expired": f"Bearer {expiring}",
        "revoked": f"Bearer {revoked_text}",
    }
    checked = 0
    with httpx.Client(base_url=served.url) as http:
        for method, path, scope in operations(served):
            if path in OPEN:
                continue
            for kind, sent in wrong.items():
                answer = http.request(method, path, headers={} if sent is None else {"Authorization": sent})
                assert answer.status_code == 401, f"{method} {path} ({scope}) with {kind} key"
                assert "www-authenticate" in answer.headers
                checked += 1
    assert checked > 250


def test_every_operation_refuses_a_key_of_another_scope(served: Served) -> None:
    others = {"read": ("write",), "write": ("read",), "admin": ("read", "write")}
    texts = {scope: served.archive.add_key(f"not {scope}", others[scope])[1] for scope in others}
    for method, path, scope in operations(served):
        if scope == "open":
            assert path in OPEN
            continue
        with served.http(texts[scope]) as http:
            answer = http.request(method, path)
        assert (403, method == "HEAD" or answer.json()["code"]) == (
            answer.status_code,
            method == "HEAD" or "not_allowed",
        ), f"{method} {path}"


def test_two_keys_in_one_request_are_none(served: Served) -> None:
    key = f"Authorization: Bearer {served.key}\r\n"
    assert [401] == statuses(served.raw(f"GET /v1/collections HTTP/1.0\r\n{key}{key}\r\n".encode()))
    assert [200] == statuses(served.raw(f"GET /v1/collections HTTP/1.0\r\n{key}\r\n".encode()))


def test_a_key_revoked_by_another_door_is_refused_at_once(served: Served) -> None:
    key, text = served.archive.add_key("short", ("read",))
    with served.http(text) as http:
        for _ in range(5):
            assert http.get("/v1/collections").status_code == 200
        served.archive.revoke_key(key.id)
        assert http.get("/v1/collections").status_code == 401


def test_a_stranger_is_answered_before_sending_a_body(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "LINGER_SECONDS", 0.1)
    for extra in (
        "Content-Length: 1000000000",
        "Transfer-Encoding: chunked",
        "Content-Length: 5\r\nExpect: 100-continue",
    ):
        request = f"PUT /v1/objects/c/a HTTP/1.1\r\nHost: x\r\n{extra}\r\n\r\n".encode()
        answer = served.raw(request)
        assert [401] == statuses(answer), extra


def test_who_is_refused_while_sending_still_hears_why(served: Served) -> None:
    with served.http("lith_no_key") as http:
        for _ in range(5):
            answer = http.put("/v1/objects/c/a", content=bytes(limits.LINGER_BYTES_MAX // 2))
            assert (401, "unauthenticated") == (answer.status_code, answer.json()["code"])


def test_who_asks_before_sending_is_told_to_go_on(served: Served, collection: str) -> None:
    head = served.request("PUT", f"/v1/objects/{collection}/a", "Content-Length: 4", "Expect: 100-continue")
    with served.socket() as wire:
        wire.sendall(head)
        assert wire.recv(1000).startswith(b"HTTP/1.1 100 ")
        wire.sendall(b"data")
        assert [201] == statuses(wire.recv(10_000))


# --- rows 47 and 48: bodies that are not what was announced -------------------------------------------------


def test_a_body_cut_anywhere_leaves_nothing(served: Served, collection: str) -> None:
    body = random.Random(47).randbytes(limits.MIB)
    cuts = [0, 1, limits.SMALL_BYTES - 1, limits.SMALL_BYTES + 1, *range(4096, limits.MIB, 37_111), limits.MIB - 1]
    for cut in cuts:
        request = served.request("PUT", f"/v1/objects/{collection}/a{cut}", f"Content-Length: {limits.MIB}")
        with served.socket() as wire:
            wire.sendall(request + body[:cut])
    assert [] == served.left_behind()
    assert [] == served.names(collection)


def test_a_chunked_body_without_its_end_leaves_nothing(served: Served, collection: str) -> None:
    request = served.request("PUT", f"/v1/objects/{collection}/a", "Transfer-Encoding: chunked")
    chunk = b"10000\r\n" + os.urandom(0x10000) + b"\r\n"
    for count in (1, 3, 40):
        with served.socket() as wire:
            wire.sendall(request + count * chunk)
    assert [] == served.left_behind()
    assert [] == served.names(collection)


def test_one_flipped_bit_anywhere_is_noticed_and_leaves_nothing(served: Served, collection: str) -> None:
    seed = random.Random(48)
    for size in (1, 1000, limits.SMALL_BYTES + 5, 2 * limits.MIB):
        data = bytearray(seed.randbytes(size))
        announced = hashlib.sha256(data).hexdigest()
        data[seed.randrange(size)] ^= 1 << seed.randrange(8)
        with served.http() as http:
            answer = http.put(f"/v1/objects/{collection}/a", content=bytes(data), headers={"Content-SHA256": announced})
        assert (422, "digest_mismatch") == (answer.status_code, answer.json()["code"])
    assert [] == served.left_behind()
    assert [] == served.names(collection)


# --- rows 37 and 39: names --------------------------------------------------------------------------------------

GOOD_NAMES = [
    "ä",
    "日本語/ログ",
    "🧱",
    "a b",
    "%",
    "%2e%2e",
    "~",
    "C:\\x",
    "...",
    ".hidden",
    "a" * 1024,
    "-rf",
    "con",
    "ﬁ",
    "A",
    "a",
]
BAD_PATHS = [
    "",
    "..",
    "../../etc/passwd",
    "%2e%2e/x",
    "a/%2e%2e/%2e%2e/b",
    "/etc/passwd",
    "a//b",
    "a/",
    "./a",
    "a/.",
    "%00",
    "a%00b",
    "a%0Ab",
    "a%0D%0AX-Injected:%201",
    "%1b[2J",
    "%7f",
    "%ff",
    "%c0%ae%c0%ae/x",
    "%ed%a0%80",
    "%E2%80%A8",
    "a" * 1025,
    "a" * 10_000,
    "%C3%A4" * 600,
]


def test_any_text_is_a_name_and_names_stay_apart(served: Served, collection: str) -> None:
    with served.http() as http:
        for name in GOOD_NAMES:
            answer = http.put(f"/v1/objects/{collection}/{quote(name)}", content=name.encode())
            assert (201, name) == (answer.status_code, answer.json()["name"])
        for name in GOOD_NAMES:
            assert name.encode() == http.get(f"/v1/objects/{collection}/{quote(name)}").content
    assert sorted(GOOD_NAMES) == sorted(served.names(collection))


@pytest.mark.parametrize("path", BAD_PATHS)
@pytest.mark.parametrize("method", ["PUT", "GET", "DELETE"])
def test_what_cannot_be_a_name_is_refused_before_anything_is_done(
    served: Served, collection: str, method: str, path: str
) -> None:
    url = f"/v1/objects/{collection}/{path}"
    answer = served.raw(served.request(method, url, "Content-Length: 1", "Connection: close", body=b"x"))
    head, _, body = answer.partition(b"\r\n\r\n")
    assert [400] == statuses(answer)
    assert json.loads(body)["code"] == "bad_name"
    assert b"x-injected" not in head.lower()
    assert [] == served.names(collection)


@pytest.mark.parametrize("name", ["A", "a b", "..", "a" * 129, "%2e%2e", "ä", "-a"])
def test_what_cannot_be_a_collection_is_refused(served: Served, name: str) -> None:
    path = f"/v1/objects/{quote(name, safe='%')}/x"
    answer = served.raw(served.request("PUT", path, "Content-Length: 1", "Connection: close", body=b"x"))
    assert [400] == statuses(answer)


def test_nothing_is_written_outside_the_archive(served: Served) -> None:
    assert ["archive"] == [path.name for path in served.archive.folder.parent.iterdir()]


# --- row 52: what is ours to keep quiet about ----------------------------------------------------------------------


def test_neither_keys_nor_names_nor_contents_reach_log_or_metrics(
    served: Served, capfd: pytest.CaptureFixture[str]
) -> None:
    canary = "canary-" + os.urandom(8).hex()
    _, key = served.archive.add_key(canary, ("read", "write"))
    with logged("debug"):
        metrics = everything_that_can_be_said(served, key, canary)
    out, err = capfd.readouterr()
    assert err.count('"event":') > 10, "the log said nothing, so it proves nothing"
    for secret in (canary, key, key.rpartition("_")[2], served.key):
        assert secret not in out + err + metrics
    assert key.rpartition("_")[2].encode() not in (served.archive.folder / "catalog.sqlite").read_bytes()


def everything_that_can_be_said(served: Served, key: str, canary: str) -> str:
    """Put the canary wherever a request has room for it, in good requests and in bad ones; gives the metrics."""
    headers = {"Idempotency-Key": canary, "Content-Type": f"text/{canary}"}
    good, damaged = f"/v1/objects/{canary}/{canary}", f"/v1/objects/{canary}/damaged-{canary}"
    with served.http(key) as http:
        assert http.put(good, content=canary.encode() * 50, headers=headers).status_code == 201
        http.put(good, content=b"other", headers=headers)
        http.put(good, content=b"x", headers={"Content-SHA256": canary})
        http.put(f"/v1/objects/{canary}/%ff{canary}", content=b"x")
        http.get(good)
        http.get(f"/v1/objects/{canary}/missing-{canary}")
        http.get(f"/{canary}")
        http.get("/v1/jobs", params={"limit": canary})
        http.post("/v1/verify", json={"collection": canary, "name": canary, canary: canary})
        http.post("/v1/verify", content=canary.encode(), headers={"Content-Type": "application/json"})
        http.put(damaged, content=os.urandom(limits.MIB) + canary.encode())
        spoil(served, canary, f"damaged-{canary}")
        assert http.get(damaged).status_code == 500
        metrics = http.get("/metrics").text
    served.raw(f"GET /{canary} HTTP/1.1\r\n{canary}\r\n\r\n".encode())
    with served.http(canary) as stranger:
        stranger.get("/v1/collections")
    return metrics


def spoil(served: Served, collection: str, name: str) -> None:
    """Damage the blob of an object that has a file of its own."""
    (encoding,) = served.archive.stat(collection, name).encodings
    path = next(found for found in served.archive.folder.rglob(encoding.blob) if found.is_file())
    path.chmod(0o600)
    path.write_bytes(bytes(path.stat().st_size))
