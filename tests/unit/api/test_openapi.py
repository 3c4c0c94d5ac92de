"""What the application says of itself, to machines and in its README."""

from typing import Any

import httpx
import pytest

from lithify.api import readme
from lithify.api.auth import OPEN
from tests.serving import Served


@pytest.fixture(scope="module")
def document(served: Served) -> dict[str, Any]:
    found: dict[str, Any] = httpx.get(f"{served.url}/openapi.json").json()
    return found


def operations(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (path, method, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]


def test_every_operation_says_what_it_is_needs_and_may_answer(document: dict[str, Any]) -> None:
    assert len(operations(document)) > 25
    for path, method, operation in operations(document):
        where = f"{method} {path}"
        assert operation["summary"], where
        assert operation["description"], where
        assert any(status.startswith("2") for status in operation["responses"]), where
        assert {"500", "503"} <= operation["responses"].keys(), where
        if path not in OPEN:
            assert operation["security"] == [{"key": []}], where
            assert operation["x-scope"] in {"read", "write", "admin"}, where
            assert {"400", "401", "403"} <= operation["responses"].keys(), where


def test_every_error_is_described_as_a_problem_with_an_example(document: dict[str, Any]) -> None:
    for path, method, operation in operations(document):
        for status, answer in operation["responses"].items():
            if status >= "400":
                problem = answer["content"]["application/problem+json"]
                assert problem["schema"] == {"$ref": "#/components/schemas/Problem"}, f"{method} {path}"
                for code, example in problem["examples"].items():
                    assert (code, int(status)) == (example["value"]["code"], example["value"]["status"])


def test_frameworks_own_errors_are_not_promised(document: dict[str, Any]) -> None:
    assert "ValidationError" not in str(document)


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    def references(part: object) -> list[str]:
        if isinstance(part, dict):
            here = [part["$ref"]] if "$ref" in part else []
            return here + [found for value in part.values() for found in references(value)]
        return [found for value in part for found in references(value)] if isinstance(part, list) else []

    for reference in set(references(document)):
        assert reference.removeprefix("#/components/schemas/") in document["components"]["schemas"], reference


def test_the_key_is_described(document: dict[str, Any]) -> None:
    assert document["components"]["securitySchemes"]["key"]["scheme"] == "bearer"


def test_a_put_is_described_with_its_body_and_its_headers(document: dict[str, Any]) -> None:
    put = document["paths"]["/v1/objects/{collection}/{name}"]["put"]
    assert "application/octet-stream" in put["requestBody"]["content"]
    assert {"collection", "name", "Idempotency-Key", "If-Match", "Lithify-Contract"} <= {
        parameter["name"] for parameter in put["parameters"]
    }
    assert {"200", "201", "404", "408", "409", "412", "413", "415", "422", "507"} <= put["responses"].keys()


def test_the_readme_shows_the_routes_that_there_are() -> None:
    text = readme.README.read_text()
    assert readme.refreshed(text) == text, "run `python -m lithify.api.readme`"
    assert "/v1/objects/{collection}/{name}" in text
