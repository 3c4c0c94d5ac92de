"""The routes around objects: jobs, policies, schedules, keys, upkeep, health; each answers what it documents."""

import json
from collections.abc import Iterator

import httpx
import pytest

from lithify.api import documents
from lithify.store.views import CheckReport, JobView, KeyView, PolicyView, Report, ScheduleView, Verdict, View
from tests.serving import Served


@pytest.fixture
def http(served: Served) -> Iterator[httpx.Client]:
    with served.http() as found:
        yield found


def described(kind: type[View], document: object) -> None:
    """Fail unless the document is what the schema of this view says."""
    documents.schema(kind).model_validate_json(json.dumps(document), strict=True)


def test_a_put_defers_a_job_that_can_be_seen_cancelled_and_retried(http: httpx.Client, collection: str) -> None:
    job_id = http.put(f"/v1/objects/{collection}/a", content=b"x" * 100).json()["job"]
    job = http.get(f"/v1/jobs/{job_id}").json()
    described(JobView, job)
    assert (job_id, "waiting") == (job["id"], job["state"])
    assert "cancelled" == http.post(f"/v1/jobs/{job_id}/cancel").json()["state"]
    assert http.post(f"/v1/jobs/{job_id}/cancel").status_code == 409
    assert "waiting" == http.post(f"/v1/jobs/{job_id}/retry").json()["state"]


def test_jobs_are_listed_newest_first_and_by_state(http: httpx.Client, collection: str) -> None:
    ids = [http.put(f"/v1/objects/{collection}/{n}", content=b"x").json()["job"] for n in range(3)]
    http.post(f"/v1/jobs/{ids[1]}/cancel")
    newest = http.get("/v1/jobs", params={"limit": 3}).json()["jobs"]
    assert ids[::-1] == [job["id"] for job in newest]
    cancelled = http.get("/v1/jobs", params={"state": "cancelled", "limit": 1}).json()["jobs"]
    assert [ids[1]] == [job["id"] for job in cancelled]


@pytest.mark.parametrize("path", ["/v1/jobs/999999999", "/v1/jobs/9223372036854775807"])
def test_a_job_that_is_not_there_is_404(http: httpx.Client, path: str) -> None:
    assert (404, "not_found") == ((answer := http.get(path)).status_code, answer.json()["code"])


@pytest.mark.parametrize("path", ["/v1/jobs/x", "/v1/jobs/0", "/v1/jobs/9223372036854775808"])
def test_what_cannot_be_a_job_is_400(http: httpx.Client, path: str) -> None:
    assert (400, "bad_argument") == ((answer := http.get(path)).status_code, answer.json()["code"])


def test_a_revision_is_unsettled_until_its_job_ended(http: httpx.Client, collection: str) -> None:
    receipt = http.put(f"/v1/objects/{collection}/a", content=b"x").json()
    asked = {"revisions": [receipt["revision"], "0" * 32]}
    nobody_works = {"unsettled": 1, "unserved": [{"queue": "text", "model": None}]}
    assert nobody_works == http.post("/v1/unsettled", json=asked).json()
    http.post(f"/v1/jobs/{receipt['job']}/cancel")
    assert {"unsettled": 0, "unserved": []} == http.post("/v1/unsettled", json=asked).json()


def test_a_policy_changes_by_parts(http: httpx.Client, collection: str) -> None:
    url = f"/v1/policies/{collection}"
    described(PolicyView, http.get(url).json())
    http.patch(url, json={"effort": "max", "keep_revisions": 3})
    changed = http.patch(url, json={"codecs": ["raw.zstd"], "keep_revisions": 0}).json()
    assert ("max", ["raw.zstd"], None) == (changed["effort"], changed["codecs"], changed["keep_revisions"])
    assert changed == http.get(url).json()


@pytest.mark.parametrize(
    "change",
    [{"contract": "roughly"}, {"codecs": ["no.such"]}, {"keep_seconds": -1}, {"colour": "red"}, {"codecs": "x"}],
)
def test_a_policy_that_cannot_be_kept_is_refused(
    http: httpx.Client, collection: str, change: dict[str, object]
) -> None:
    answer = http.patch(f"/v1/policies/{collection}", json=change)
    assert (400, "bad_argument") == (answer.status_code, answer.json()["code"])


def test_a_schedule_lives_from_put_to_delete(http: httpx.Client, collection: str) -> None:
    url = f"/v1/schedules/{collection}"
    made = http.put(url, json={"kind": "sweep", "cron": "17 3 * * *"}).json()
    described(ScheduleView, made)
    assert collection in [found["name"] for found in http.get("/v1/schedules").json()["schedules"]]
    run = http.post(f"{url}/run")
    described(JobView, run.json())
    assert (202, f"/v1/jobs/{run.json()['id']}", "sweep") == (
        run.status_code,
        run.headers["location"],
        run.json()["kind"],
    )
    assert http.delete(url).status_code == 204
    assert http.delete(url).status_code == 404


@pytest.mark.parametrize(
    "wanted", [{"kind": "dance", "cron": "* * * * *"}, {"kind": "sweep", "cron": "61 * * * *"}, {"kind": "sweep"}]
)
def test_a_schedule_that_cannot_run_is_refused(http: httpx.Client, collection: str, wanted: dict[str, str]) -> None:
    answer = http.put(f"/v1/schedules/{collection}", json=wanted)
    assert (400, "bad_argument") == (answer.status_code, answer.json()["code"])


def test_a_key_works_from_its_making_to_its_end(served: Served, http: httpx.Client) -> None:
    made = http.post("/v1/keys", json={"label": "reader", "scopes": ["read"]}).json()
    described(KeyView, made["key"])
    with served.http(made["secret"]) as reader:
        assert reader.get("/v1/collections").status_code == 200
        assert reader.put("/v1/objects/c/a", content=b"x").status_code == 403
        assert http.delete(f"/v1/keys/{made['key']['id']}").json()["revoked_at"] is not None
        assert reader.get("/v1/collections").status_code == 401


def test_no_listing_shows_a_secret_or_its_hash(http: httpx.Client) -> None:
    secret = http.post("/v1/keys", json={"label": "hidden", "scopes": ["read"]}).json()["secret"]
    listing = http.get("/v1/keys").text
    assert "hidden" in listing
    assert secret.rpartition("_")[2] not in listing
    assert "digest" not in listing


@pytest.mark.parametrize(
    "wanted",
    [
        {"label": "x", "scopes": []},
        {"label": "x", "scopes": ["everything"]},
        {"label": "x", "scopes": ["read"], "expires_seconds": 0},
        {"label": "x" * 1000, "scopes": ["read"]},
        {"scopes": ["read"]},
    ],
)
def test_a_key_for_nothing_or_for_no_time_is_refused(http: httpx.Client, wanted: dict[str, object]) -> None:
    answer = http.post("/v1/keys", json=wanted)
    assert (400, "bad_argument") == (answer.status_code, answer.json()["code"])


def test_the_report_counts_what_is_kept(http: httpx.Client, collection: str) -> None:
    http.put(f"/v1/objects/{collection}/a", content=b"x" * 5000)
    report = http.get("/v1/report").json()
    described(Report, report)
    assert [(1, 5000)] == [
        (row["objects"], row["original_bytes"]) for row in report["by_collection"] if row["group"] == collection
    ]


def test_verify_decodes_and_compares(http: httpx.Client, collection: str) -> None:
    http.put(f"/v1/objects/{collection}/a", content=b"x" * 5000)
    verdict = http.post("/v1/verify", json={"collection": collection, "name": "a"}).json()
    described(Verdict, verdict)
    assert verdict["kept"] is True


def test_check_finds_a_sound_archive_sound(http: httpx.Client) -> None:
    answer = http.post("/v1/check", json={"read_data": True}).json()
    described(CheckReport, answer)
    assert [] == answer["findings"]


def test_upkeep_is_queued_for_a_worker(http: httpx.Client) -> None:
    answer = http.post("/v1/upkeep", json={"kind": "scrub"})
    assert (202, "scrub", "waiting") == (answer.status_code, answer.json()["kind"], answer.json()["state"])
    http.post(f"/v1/jobs/{answer.json()['id']}/cancel")


def test_health_is_open_and_says_nothing(served: Served) -> None:
    for path in ("/healthz", "/readyz"):
        answer = httpx.get(served.url + path)
        assert (200, {"status": "ok"}) == (answer.status_code, answer.json())


def test_a_catalog_that_cannot_be_read_is_not_ready(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    from lithify.errors import StoreUnavailable

    def gone() -> list[str]:
        raise StoreUnavailable("the catalog is gone")

    monkeypatch.setattr(served.archive, "collections", gone)
    answer = httpx.get(f"{served.url}/readyz")
    assert (503, "store_unavailable", "1") == (
        answer.status_code,
        answer.json()["code"],
        answer.headers["retry-after"],
    )
    assert httpx.get(f"{served.url}/healthz").status_code == 200


def test_metrics_count_by_template_and_name_nothing(http: httpx.Client, collection: str) -> None:
    before = figures(http)
    http.put(f"/v1/objects/{collection}/very-private-name", content=b"x" * 100)
    after = figures(http)
    route = '{method="PUT",route="/v1/objects/{collection}/{name:path}",status="201"}'
    assert after[f"lithify_requests_total{route}"] == before.get(f"lithify_requests_total{route}", 0) + 1
    assert after["lithify_received_bytes_total"] >= before["lithify_received_bytes_total"] + 100
    assert after['lithify_receipts_total{unchanged="false"}'] > before.get(
        'lithify_receipts_total{unchanged="false"}', 0
    )
    assert any(name.startswith("lithify_jobs{") and 'state="waiting"' in name for name in after)
    assert not any("private" in name or collection in name for name in after)


def figures(http: httpx.Client) -> dict[str, float]:
    lines = http.get("/metrics").text.splitlines()
    return {
        name: float(value) for line in lines if not line.startswith("#") for name, _, value in [line.rpartition(" ")]
    }


def test_what_nobody_foresaw_is_a_problem_that_tells_nothing(
    served: Served, http: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> None:
        raise ZeroDivisionError("a name that is nobody's business")

    monkeypatch.setattr(served.archive, "report", broken)
    answer = http.get("/v1/report")
    assert (500, "error") == (answer.status_code, answer.json()["code"])
    assert "business" not in answer.text
    assert http.get("/healthz").status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/", 404, "not_found"),
        ("GET", "/docs", 404, "not_found"),
        ("GET", "/v2/objects/c/a", 404, "not_found"),
        ("PATCH", "/v1/objects/c/a", 405, "refused"),
        ("PURGE", "/v1/report", 405, "refused"),
        ("BREW", "/v1/report", 400, "bad_argument"),
        ("GET", "/v1/objects/nowhere/a", 404, "not_found"),
        ("GET", "/v1/objects/No%20Such/a", 400, "bad_name"),
    ],
)
def test_whatever_is_wrong_the_answer_is_a_problem(
    http: httpx.Client, method: str, path: str, status: int, code: str
) -> None:
    answer = http.request(method, path)
    assert (status, code) == (answer.status_code, answer.json()["code"])
    assert answer.headers["content-type"] == "application/problem+json"
    assert set(answer.json()) == {"type", "title", "status", "detail", "code", "instance"}


def test_405_says_what_would_be_allowed(http: httpx.Client) -> None:
    assert "GET" in http.post("/v1/report").headers["allow"]


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"x"', b"\xff", b"null", b'{"kind": {"a": [[[]]]}}'])
def test_a_body_that_is_no_document_is_400(http: httpx.Client, body: bytes) -> None:
    answer = http.post("/v1/upkeep", content=body, headers={"Content-Type": "application/json"})
    assert (400, "bad_argument") == (answer.status_code, answer.json()["code"])


def test_a_document_has_a_largest_size(http: httpx.Client) -> None:
    answer = http.post("/v1/upkeep", json={"kind": "x" * (2 << 20)})
    assert (413, "too_large") == (answer.status_code, answer.json()["code"])
