"""The remote client answers as the local archive does."""

import hashlib
import io
import json
import os
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from lithify import limits
from lithify.api import remote
from lithify.api.client import Client
from lithify.api.service import Service
from lithify.errors import (
    BadArgument,
    BadName,
    Conflict,
    Corrupt,
    DigestMismatch,
    LithifyError,
    NotFound,
    NotNow,
    PreconditionFailed,
    RangeNotSatisfiable,
    StoreUnavailable,
    TimedOut,
    Unauthenticated,
)
from lithify.store.views import Receipt, View
from lithify.workers.archive import Archive
from lithify.workers.found import Query
from lithify.workers.ingest import PutFailure, PutItem
from tests.serving import Served


@pytest.fixture
def client(served: Served) -> Iterator[Client]:
    with served.client() as found:
        yield found


def test_plain_http_reads_no_certificates_and_https_believes_whom_the_system_believes(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    monkeypatch.setattr(ssl.SSLContext, "load_verify_locations", lambda *_, **__: asked.append("certificates"))
    with served.client() as plain:
        plain.collections()
    assert [] == asked
    Client(served.url.replace("http://", "https://"), None).close()
    assert asked


def fetched(service: Service, collection: str, name: str, **wanted: Any) -> bytes:
    with service.get(collection, name, **wanted) as content:
        return b"".join(content)


# --- both sides of the same thing -------------------------------------------------------------------------


def told(value: object) -> object:
    """A value as JSON tells it: times to the millisecond."""
    if isinstance(value, View):
        return value.as_json()
    return [told(item) for item in value] if isinstance(value, list | tuple) else value


ANSWERS: list[Callable[[Service, str], object]] = [
    lambda service, c: service.stat(c, "a/b.log"),
    lambda service, c: service.list(c, prefix="a/", limit=2),
    lambda service, c: service.list(c, after="a/b.log"),
    lambda service, c: list(service.find(collection=c, pattern="*.log", larger=1)),
    lambda service, c: c in service.collections(),
    lambda service, c: service.jobs(limit=3),
    lambda service, c: service.job(service.jobs(limit=1)[0].id),
    lambda service, c: service.policy(c),
    lambda service, c: service.schedules(),
    lambda service, c: service.keys(),
    lambda service, c: service.report(),
    lambda service, c: service.check(),
    lambda service, c: (fetched(service, c, "a/b.log"), fetched(service, c, "a/b.log", start=3, end=9)),
    lambda service, c: (fetched(service, c, "a/b.log", start=3), fetched(service, c, "a/b.log", start=5, end=5)),
    lambda service, c: fetched(service, c, "a/b.log", start=3, end=999_999),
    lambda service, c: fetched(service, c, "a/b.log", start=5000),
]


@pytest.mark.parametrize("ask", ANSWERS)
def test_client_and_archive_give_the_same_answer(
    served: Served, client: Client, collection: str, ask: Callable[[Service, str], object]
) -> None:
    client.put(collection, "a/b.log", [b"x" * 5000], content_type="text/plain")
    client.put(collection, "a/c.log", [b"y"], contract="exact", effort="max")
    assert told(ask(served.archive, collection)) == told(ask(client, collection))


REFUSALS: list[tuple[type[LithifyError], Callable[[Service, str], object]]] = [
    (NotFound, lambda service, c: service.stat(c, "nothing")),
    (NotFound, lambda service, c: service.list("no-such-collection")),
    (NotFound, lambda service, c: service.remove(c, "nothing")),
    (NotFound, lambda service, c: service.job(999_999_999)),
    (NotFound, lambda service, c: service.remove_schedule("nothing")),
    (NotFound, lambda service, c: service.revoke_key("0" * 16)),
    (BadName, lambda service, c: service.stat(c, "../up")),
    (BadName, lambda service, c: service.stat("Not a collection", "a")),
    (BadName, lambda service, c: service.put(c, "a\x00b", [b""])),
    (BadArgument, lambda service, c: service.put(c, "b", [b""], contract="roughly")),
    (BadArgument, lambda service, c: service.set_policy(c, codecs=["no.such"])),
    (BadArgument, lambda service, c: service.add_key("x", ["everything"])),
    (BadArgument, lambda service, c: service.add_schedule("x", "dance", "* * * * *")),
    (PreconditionFailed, lambda service, c: service.put(c, "a", [b"2"], if_none_match=True)),
    (PreconditionFailed, lambda service, c: service.put(c, "a", [b"2"], if_match="0" * 64)),
    (PreconditionFailed, lambda service, c: service.remove(c, "a", if_match="0" * 64)),
    (DigestMismatch, lambda service, c: service.put(c, "b", [b"2"], digest="0" * 64)),
    (NotFound, lambda service, c: list(service.search(c, "nothing", Query(b"x")))),
    (NotFound, lambda service, c: list(service.search("no-such-collection", "", Query(b"x")))),
    (BadArgument, lambda service, c: list(service.search(c, "", Query(b"(")))),
    (NotFound, lambda service, c: service.templates(c, "nothing")),
    (NotFound, lambda service, c: service.contents(c, "nothing")),
    (NotFound, lambda service, c: service.original(c, "nothing")),
    (Conflict, lambda service, c: service.templates(c, "a")),
    (NotFound, lambda service, c: service.surprise(c, "nothing")),
    (NotFound, lambda service, c: service.surprise(c, "a", revision="0" * 32)),
    (NotFound, lambda service, c: service.like(c, "nothing")),
    (NotFound, lambda service, c: service.like(c, "a", among="no-such-collection")),
    (BadName, lambda service, c: service.like(c, "a", among="Not a collection")),
    (RangeNotSatisfiable, lambda service, c: fetched(service, c, "a", start=2)),
    (RangeNotSatisfiable, lambda service, c: fetched(service, c, "a", start=1, end=0)),
]


@pytest.mark.parametrize(("error", "ask"), REFUSALS)
@pytest.mark.parametrize("where", ["archive", "client"])
def test_client_and_archive_refuse_alike(
    served: Served,
    client: Client,
    collection: str,
    where: str,
    error: type[LithifyError],
    ask: Callable[[Service, str], object],
) -> None:
    served.archive.put(collection, "a", [b"1"])
    with pytest.raises(error):
        ask(served.archive if where == "archive" else client, collection)


# --- bytes ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [0, 10, 3 * limits.MIB + 1])
@pytest.mark.parametrize("kind", ["file", "memory", "pieces"])
def test_what_goes_out_comes_back(client: Client, collection: str, tmp_path: Path, size: int, kind: str) -> None:
    data = os.urandom(size)
    (tmp_path / "data").write_bytes(data)
    with (tmp_path / "data").open("rb") as file:
        bodies = {"file": file, "memory": io.BytesIO(data), "pieces": iter([data[:5], data[5:]])}
        receipt = client.put(collection, "a", bodies[kind])
    assert (hashlib.sha256(data).hexdigest(), size) == (receipt.digest, receipt.length)
    with client.get(collection, "a") as content:
        assert (0, size, size) == (content.start, content.end, content.length)
        assert data == b"".join(content)
        assert receipt.revision == content.view.revision


def test_a_file_is_sent_from_where_it_stands(client: Client, collection: str) -> None:
    body = io.BytesIO(b"headtail")
    body.seek(4)
    client.put(collection, "a", body)
    assert b"tail" == fetched(client, collection, "a")


def test_names_arrive_as_they_are(client: Client, collection: str) -> None:
    for name in ("ä/日本 %2F?#&+.log", "a%b", "~", "x" * 1024, "\U0001f9f1", "encodings", "%00"):
        client.put(collection, name, [name.encode()])
        assert name.encode() == fetched(client, collection, name)
        assert name == client.stat(collection, name).name


def test_many_files_go_side_by_side_and_failures_are_told_one_by_one(
    served: Served, client: Client, collection: str, tmp_path: Path
) -> None:
    for number in range(40):
        (tmp_path / f"{number}").write_bytes(b"%d" % number)
    items = [PutItem(collection, f"n/{number}", tmp_path / f"{number}") for number in range(40)]
    items += [PutItem(collection, "../bad", tmp_path / "0"), PutItem(collection, "gone", tmp_path / "gone")]
    answers = list(client.put_many(items))
    receipts = [answer for answer in answers if isinstance(answer, Receipt)]
    failures = {answer.item.name: type(answer.error) for answer in answers if isinstance(answer, PutFailure)}
    assert {f"n/{number}" for number in range(40)} == {receipt.name for receipt in receipts}
    assert failures == {"../bad": BadName, "gone": NotFound}
    assert len(served.archive.list(collection)) == 40


def test_an_upload_that_fails_half_way_on_our_side_leaves_nothing(client: Client, collection: str) -> None:
    def broken() -> Iterator[bytes]:
        yield os.urandom(limits.MIB)
        raise RuntimeError("the disk here broke")

    with pytest.raises(RuntimeError):
        client.put(collection, "a", broken())
    with pytest.raises(NotFound):
        client.stat(collection, "a")


def test_waiting_ends_when_the_work_does(served: Served, client: Client, collection: str) -> None:
    receipt = client.put(collection, "a", [b"x" * 1000])
    with pytest.raises(TimedOut):
        client.wait([receipt.revision], timeout=0)
    steps: list[tuple[int, int]] = []
    threading.Timer(0.3, served.archive.cancel_job, [receipt.job]).start()
    client.wait([receipt.revision], timeout=30, on_progress=lambda done, total: steps.append((done, total)))
    assert steps[0] == (0, 1)
    assert steps[-1] == (1, 1)


# --- a world in the way -----------------------------------------------------------------------------------


@pytest.fixture
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "RETRY_SECONDS", (0.01, 0.01, 0.01))


@contextmanager
def answering(*answers: bytes) -> Iterator[tuple[str, list[bytes]]]:
    """A server that reads one request per connection, says these things in turn, and hangs up."""
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            for answer in answers:
                wire, _ = listener.accept()
                with wire:
                    heard.append(_request(wire))
                    wire.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", heard
        thread.join(10)
        assert not thread.is_alive(), f"only {len(heard)} of {len(answers)} requests came"


def _request(wire: socket.socket) -> bytes:
    heard = b""
    while b"\r\n\r\n" not in heard:
        heard += wire.recv(65536)
    head, _, body = heard.partition(b"\r\n\r\n")
    length = next((int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0)
    while len(body) < length:
        body += wire.recv(65536)
    return head + b"\r\n\r\n" + body


def ok(body: bytes, **headers: str) -> bytes:
    more = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 200 OK\r\n{more}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body


BUSY = b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
HANG_UP = b""


@pytest.mark.usefixtures("_at_once")
@pytest.mark.parametrize("trouble", [BUSY, HANG_UP])
def test_reading_is_repeated_until_the_world_is_out_of_the_way(trouble: bytes) -> None:
    with answering(trouble, trouble, ok(b'{"collections": ["a"]}')) as (url, _), Client(url, "key") as client:
        assert ["a"] == client.collections()


@pytest.mark.usefixtures("_at_once")
@pytest.mark.parametrize("trouble", [BUSY, HANG_UP])
def test_a_put_under_a_key_is_sent_again_from_its_beginning(trouble: bytes) -> None:
    receipt = Receipt("c", "a", "r", 1, hashlib.sha256(b"data").hexdigest(), 4, "prose", "exact", "default", 0.5)
    answer = ok(json.dumps(receipt.as_json()).encode())
    with answering(trouble, trouble, answer) as (url, heard), Client(url, "key") as client:
        assert receipt == client.put("c", "a", io.BytesIO(b"data"), idempotency_key="once")
    assert [b"data"] * 3 == [request.rpartition(b"\r\n")[2] for request in heard]


@pytest.mark.usefixtures("_at_once")
@pytest.mark.parametrize("trouble", [BUSY, HANG_UP])
def test_a_put_without_a_key_is_never_repeated(trouble: bytes) -> None:
    with (
        answering(trouble) as (url, _),
        Client(url, "key") as client,
        pytest.raises((StoreUnavailable, NotNow)),
    ):
        client.put("c", "a", io.BytesIO(b"data"))


@pytest.mark.usefixtures("_at_once")
def test_what_cannot_be_wound_back_is_never_repeated() -> None:
    with (
        answering(HANG_UP) as (url, _),
        Client(url, "key") as client,
        pytest.raises(StoreUnavailable),
    ):
        client.put("c", "a", iter([b"data"]), idempotency_key="once", length=4)


def test_a_refusal_is_never_repeated() -> None:
    conflict = b"HTTP/1.1 409 Conflict\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    with answering(conflict) as (url, _), Client(url, "key") as client, pytest.raises(Conflict):
        client.put("c", "a", io.BytesIO(b"data"), idempotency_key="once")


def test_a_download_that_breaks_off_is_not_taken_for_the_whole() -> None:
    cut = ok(b"x" * 1000)[:-1]
    with answering(cut) as (url, _), Client(url) as client, pytest.raises(StoreUnavailable, match="999 of 1000"):
        fetched(client, "c", "a")


def test_a_download_with_other_bytes_than_its_digest_keeps_its_end_back() -> None:
    wrong = ok(b"data", Repr_Digest="sha-256=:LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=:", Lithify_Revision="r")
    got: list[bytes] = []
    with (
        answering(wrong) as (url, _),
        Client(url) as client,
        client.get("c", "a") as content,
        pytest.raises(Corrupt),
    ):
        got.extend(content)
    assert got == []


def test_a_receipt_for_other_bytes_is_not_believed() -> None:
    receipt = Receipt("c", "a", "r", 1, "0" * 64, 4, "prose", "exact", "default", 0.5)
    answer = ok(json.dumps(receipt.as_json()).encode())
    with answering(answer) as (url, _), Client(url) as client, pytest.raises(DigestMismatch):
        client.put("c", "a", io.BytesIO(b"data"))


def test_a_server_that_is_not_there_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "RETRY_SECONDS", ())
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with Client(f"http://127.0.0.1:{port}") as client, pytest.raises(StoreUnavailable):
        client.collections()


@pytest.mark.parametrize("url", ["", "nonsense", "ftp://host", "http://[::", "127.0.0.1:80"])
def test_a_url_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(BadArgument):
        Client(url)


def test_a_wrong_key_is_refused_as_such(served: Served) -> None:
    with Client(served.url, "lith_no_such") as client, pytest.raises(Unauthenticated):
        client.collections()


def test_an_answer_that_is_no_json_comes_from_something_else() -> None:
    with answering(ok(b"<html>")) as (url, _), Client(url) as client, pytest.raises(StoreUnavailable):
        client.report()


def test_archive_and_client_both_are_the_service() -> None:
    def takes(service: Service) -> Service:
        return service

    assert callable(takes)
    verbs = [name for name in vars(Service) if not name.startswith("_")]
    for verb in verbs:
        assert callable(getattr(Client, verb)), verb
        assert callable(getattr(Archive, verb)), verb


def test_time_passes_between_attempts(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    monkeypatch.setattr(time, "sleep", pauses.append)

    def attempt() -> None:
        raise StoreUnavailable

    with pytest.raises(StoreUnavailable):
        remote.retrying(attempt)
    assert pauses == sorted(pauses)
    assert sum(pauses) > 5
