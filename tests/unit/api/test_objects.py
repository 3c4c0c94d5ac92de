"""Objects through a real server: what goes in comes out, and every condition holds."""

import base64
import hashlib
import json
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from lithify import limits
from lithify.api.documents import schema
from lithify.store.views import ObjectView, Receipt
from tests.serving import Served

SIZES = (0, 1, limits.SMALL_BYTES, limits.SMALL_BYTES + 1, limits.STAGE_CHUNK_BYTES, 3 * limits.STAGE_CHUNK_BYTES + 7)


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.fixture
def http(served: Served) -> Iterator[httpx.Client]:
    with served.http() as found:
        yield found


@pytest.mark.parametrize("size", SIZES)
def test_what_was_put_comes_back(http: httpx.Client, collection: str, size: int) -> None:
    data = os.urandom(size // 2) + bytes(size - size // 2)
    put = http.put(f"/v1/objects/{collection}/a/b.bin", content=data, headers={"Content-Type": "text/plain"})
    assert (201, digest(data), size) == (put.status_code, put.json()["digest"], put.json()["length"])
    got = http.get(put.headers["location"])
    assert (200, data) == (got.status_code, got.content)
    assert (f'"{digest(data)}"', "text/plain") == (got.headers["etag"], got.headers["content-type"])
    assert put.json()["revision"] == got.headers["lithify-revision"] == put.headers["lithify-revision"]


def test_a_chunked_body_without_a_length_is_kept_whole(http: httpx.Client, collection: str) -> None:
    pieces = [os.urandom(70_000) for _ in range(40)]
    put = http.put(f"/v1/objects/{collection}/a", content=iter(pieces))
    assert digest(b"".join(pieces)) == put.json()["digest"]
    assert b"".join(pieces) == http.get(f"/v1/objects/{collection}/a").content


def test_a_receipt_has_the_documented_shape(http: httpx.Client, collection: str) -> None:
    answer = http.put(f"/v1/objects/{collection}/a", content=b"x").json()
    schema(Receipt).model_validate_json(json.dumps(answer), strict=True)


def test_the_same_bytes_again_are_answered_200_and_change_nothing(http: httpx.Client, collection: str) -> None:
    first = http.put(f"/v1/objects/{collection}/a", content=b"x")
    second = http.put(f"/v1/objects/{collection}/a", content=b"x")
    assert (201, 200) == (first.status_code, second.status_code)
    assert first.json()["revision"] == second.json()["revision"]
    assert second.json()["unchanged"] is True


def test_an_older_revision_can_still_be_read(http: httpx.Client, collection: str) -> None:
    old = http.put(f"/v1/objects/{collection}/a", content=b"old").json()["revision"]
    http.put(f"/v1/objects/{collection}/a", content=b"new")
    assert b"old" == http.get(f"/v1/objects/{collection}/a", params={"revision": old}).content
    assert b"new" == http.get(f"/v1/objects/{collection}/a").content


def test_head_says_what_get_would_without_the_bytes(http: httpx.Client, collection: str) -> None:
    http.put(f"/v1/objects/{collection}/a", content=b"hello")
    head, got = http.head(f"/v1/objects/{collection}/a"), http.get(f"/v1/objects/{collection}/a")
    assert (200, b"") == (head.status_code, head.content)
    without_date = {name: value for name, value in got.headers.items() if name != "date"}
    assert without_date == {name: value for name, value in head.headers.items() if name != "date"}


def test_a_whole_object_comes_with_its_digest_and_cannot_run_in_a_browser(http: httpx.Client, collection: str) -> None:
    http.put(f"/v1/objects/{collection}/a", content=b"<script>", headers={"Content-Type": "text/html"})
    headers = http.get(f"/v1/objects/{collection}/a").headers
    assert f"sha-256=:{base64.b64encode(hashlib.sha256(b'<script>').digest()).decode()}:" == headers["repr-digest"]
    assert "sandbox" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"


def test_delete_takes_the_name_away_and_says_what_was_there(http: httpx.Client, collection: str) -> None:
    http.put(f"/v1/objects/{collection}/a", content=b"x")
    gone = http.delete(f"/v1/objects/{collection}/a")
    assert (200, digest(b"x")) == (gone.status_code, gone.json()["digest"])
    assert http.get(f"/v1/objects/{collection}/a").status_code == 404
    assert http.delete(f"/v1/objects/{collection}/a").status_code == 404


# --- ranges -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def data() -> bytes:
    return os.urandom(3 * limits.STAGE_CHUNK_BYTES + 5)


@pytest.fixture(scope="module")
def ranged(served: Served, data: bytes) -> str:
    with served.http() as http:
        return str(http.put("/v1/objects/ranges/data", content=data).headers["location"])


@pytest.mark.parametrize(
    ("sent", "start", "end"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=1048570-1048590", 1048570, 1048591),
        ("bytes=100-2200000", 100, 2200001),
        ("bytes=-7", -7, None),
        ("bytes=3000000-", 3000000, None),
    ],
)
def test_one_range_gives_exactly_its_bytes(
    http: httpx.Client, ranged: str, data: bytes, sent: str, start: int, end: int | None
) -> None:
    got = http.get(ranged, headers={"Range": sent})
    first = start if start >= 0 else len(data) + start
    assert (206, data[start:end]) == (got.status_code, got.content)
    assert f"bytes {first}-{first + len(got.content) - 1}/{len(data)}" == got.headers["content-range"]


def test_several_ranges_give_the_whole(http: httpx.Client, ranged: str, data: bytes) -> None:
    got = http.get(ranged, headers={"Range": "bytes=0-1,5-6"})
    assert (200, data) == (got.status_code, got.content)


def test_a_range_beyond_the_end_is_416_and_says_how_long_it_is(http: httpx.Client, ranged: str, data: bytes) -> None:
    got = http.get(ranged, headers={"Range": f"bytes={len(data)}-"})
    assert (416, "range_not_satisfiable") == (got.status_code, got.json()["code"])
    assert f"bytes */{len(data)}" == got.headers["content-range"]


def test_if_range_gives_the_range_only_of_the_same_bytes(http: httpx.Client, ranged: str, data: bytes) -> None:
    same = http.get(ranged, headers={"Range": "bytes=0-1", "If-Range": f'"{digest(data)}"'})
    other = http.get(ranged, headers={"Range": "bytes=0-1", "If-Range": f'"{digest(b"")}"'})
    assert (206, 200) == (same.status_code, other.status_code)


def test_what_has_not_changed_is_not_sent_again(http: httpx.Client, ranged: str, data: bytes) -> None:
    got = http.get(ranged, headers={"If-None-Match": f'"{digest(data)}"'})
    assert (304, b"") == (got.status_code, got.content)


# --- conditions -------------------------------------------------------------------------------------------


def test_if_none_match_creates_and_never_replaces(http: httpx.Client, collection: str) -> None:
    url = f"/v1/objects/{collection}/a"
    first = http.put(url, content=b"1", headers={"If-None-Match": "*"})
    second = http.put(url, content=b"2", headers={"If-None-Match": "*"})
    assert (201, 412) == (first.status_code, second.status_code)
    assert b"1" == http.get(url).content


def test_if_match_replaces_only_what_it_names(http: httpx.Client, collection: str) -> None:
    url = f"/v1/objects/{collection}/a"
    assert http.put(url, content=b"0", headers={"If-Match": "*"}).status_code == 412
    etag = http.put(url, content=b"1").headers["etag"]
    assert http.put(url, content=b"2", headers={"If-Match": etag}).status_code == 201
    assert http.put(url, content=b"3", headers={"If-Match": etag}).status_code == 412
    assert http.delete(url, headers={"If-Match": etag}).status_code == 412
    assert b"2" == http.get(url).content


def test_of_many_that_create_at_once_one_wins(served: Served, collection: str) -> None:
    def put(number: int) -> int:
        with served.http() as http:
            sent = {"If-None-Match": "*"}
            return http.put(f"/v1/objects/{collection}/a", content=str(number), headers=sent).status_code

    with ThreadPoolExecutor(16) as threads:
        assert sorted([201] + 15 * [412]) == sorted(threads.map(put, range(16)))


def test_64_equal_puts_under_one_key_give_one_revision_and_64_equal_receipts(served: Served, collection: str) -> None:
    def put(_: int) -> bytes:
        with served.http() as http:
            sent = {"Idempotency-Key": f"{collection}-key"}
            return http.put(f"/v1/objects/{collection}/a", content=b"the same", headers=sent).content

    with ThreadPoolExecutor(64) as threads:
        receipts = set(threads.map(put, range(64)))
    assert len(receipts) == 1
    view = served.archive.stat(collection, "a")
    assert (1, 1) == (view.number, len(view.encodings))


def test_a_key_used_for_other_bytes_is_a_conflict(http: httpx.Client, collection: str) -> None:
    sent = {"Idempotency-Key": f"{collection}-key"}
    http.put(f"/v1/objects/{collection}/a", content=b"1", headers=sent)
    answer = http.put(f"/v1/objects/{collection}/a", content=b"2", headers=sent)
    assert (409, "conflict") == (answer.status_code, answer.json()["code"])


# --- digests and encodings --------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [5, limits.SMALL_BYTES + 1, 3 * limits.MIB])
@pytest.mark.parametrize("good", [True, False])
def test_an_announced_digest_decides(http: httpx.Client, collection: str, size: int, good: bool) -> None:
    data = os.urandom(size)
    announced = digest(data if good else data + b"x")
    answer = http.put(f"/v1/objects/{collection}/a", content=data, headers={"Content-SHA256": announced})
    there = http.head(f"/v1/objects/{collection}/a").status_code
    assert ((201, 200) if good else (422, 404)) == (answer.status_code, there)
    if not good:
        assert answer.json()["code"] == "digest_mismatch"


@pytest.mark.parametrize("encoding", ["gzip", "zstd", "br, identity"])
def test_a_wrapped_body_is_refused_since_the_wrapping_would_not_come_back(
    http: httpx.Client, collection: str, encoding: str
) -> None:
    answer = http.put(f"/v1/objects/{collection}/a", content=b"x", headers={"Content-Encoding": encoding})
    assert (415, "unsupported_encoding") == (answer.status_code, answer.json()["code"])


@pytest.mark.parametrize(
    "sent",
    [
        {"Lithify-Contract": "roughly"},
        {"Lithify-Effort": "enormous"},
        {"Content-SHA256": "abc"},
        {"If-Match": "abc"},
        {"If-None-Match": '"abc"'},
        {"Idempotency-Key": "x" * 256},
        {"Content-Range": "bytes 0-1/2"},
    ],
)
def test_a_wish_that_is_not_understood_is_refused(http: httpx.Client, collection: str, sent: dict[str, str]) -> None:
    answer = http.put(f"/v1/objects/{collection}/a", content=b"x", headers=sent)
    assert (400, "bad_argument") == (answer.status_code, answer.json()["code"])
    assert http.head(f"/v1/objects/{collection}/a").status_code == 404


# --- listings ---------------------------------------------------------------------------------------------


def test_listing_goes_by_name_in_pages(http: httpx.Client, collection: str) -> None:
    names = [f"a/{number:03d}" for number in range(7)] + ["b"]
    for name in names:
        http.put(f"/v1/objects/{collection}/{name}", content=name.encode())
    found, after = [], ""
    while after is not None:
        query = {"prefix": "a/", "limit": "3", "after": after}
        page = http.get(f"/v1/objects/{collection}", params=query).json()
        found += [each["name"] for each in page["objects"]]
        after = page["next"]
    assert names[:-1] == found
    assert collection in http.get("/v1/collections").json()["collections"]


@pytest.mark.parametrize("query", ["limit=0", "limit=1001", "limit=many"])
def test_a_page_has_a_size_within_reason(http: httpx.Client, collection: str, query: str) -> None:
    answer = http.get(f"/v1/objects/{collection}?{query}")
    assert (400, "bad_argument") == (answer.status_code, answer.json()["code"])


def test_find_gives_one_object_per_line(http: httpx.Client, collection: str) -> None:
    for name in ("x.log", "y.log", "z.txt"):
        http.put(f"/v1/objects/{collection}/{name}", content=name.encode())
    answer = http.get("/v1/find", params={"collection": collection, "pattern": "*.log"})
    lines = answer.text.splitlines()
    assert {"x.log", "y.log"} == {json.loads(line)["name"] for line in lines}
    for line in lines:
        schema(ObjectView).model_validate_json(line, strict=True)


def test_encodings_show_how_a_revision_is_kept(http: httpx.Client, collection: str) -> None:
    http.put(f"/v1/objects/{collection}/a", content=b"x" * 1000)
    answer = http.get(f"/v1/encodings/{collection}/a").json()
    assert [(0, 1000)] == [(each["number"], each["original_bytes"]) for each in answer["encodings"]]


def test_an_object_may_be_called_encodings(http: httpx.Client, collection: str) -> None:
    http.put(f"/v1/objects/{collection}/a", content=b"1")
    http.put(f"/v1/objects/{collection}/a/encodings", content=b"2")
    assert b"2" == http.get(f"/v1/objects/{collection}/a/encodings").content
