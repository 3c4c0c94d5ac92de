"""Errors to documents and back."""

import json

import pytest

from lithify.api import problems
from lithify.errors import BY_CODE, Busy, Fenced, LithifyError, MissingExtra, NotFound, NotNow, Refused, Unauthenticated


@pytest.mark.parametrize("code", sorted(BY_CODE))
def test_every_error_comes_back_from_its_document_as_it_went(code: str) -> None:
    sent = BY_CODE[code]("logs/a.log is not what it was")
    document = problems.document(sent)
    received = problems.error_from(document["status"], json.dumps(document).encode())
    assert (type(sent), sent.message) == (type(received), received.message)


def test_a_document_has_the_fields_of_rfc_9457_and_a_stable_code() -> None:
    document = problems.document(NotFound("there is no object logs/a"), instance="1234")
    assert document == {
        "type": "urn:lithify:problem:not_found",
        "title": "There is nothing of that name.",
        "status": 404,
        "detail": "there is no object logs/a",
        "code": "not_found",
        "instance": "urn:lithify:request:1234",
    }


@pytest.mark.parametrize("error", BY_CODE.values(), ids=BY_CODE)
def test_a_status_tells_whose_fault_it_is(error: type[LithifyError]) -> None:
    """501 is the exception: nothing is wrong with asking for what this server was installed without."""
    assert (error.http_status < 500) == (issubclass(error, Refused | Fenced) and error is not MissingExtra)


def test_those_who_must_come_back_are_told_when() -> None:
    assert problems.answer(Busy("later")).headers["retry-after"] == "1"


def test_those_without_a_key_are_told_which_kind() -> None:
    assert problems.answer(Unauthenticated()).headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize(("status", "kind"), [(404, NotFound), (418, Refused), (503, NotNow), (599, LithifyError)])
def test_an_answer_without_a_document_is_understood_by_its_status(status: int, kind: type[LithifyError]) -> None:
    assert type(problems.error_from(status, b"<html>proxy says no</html>")) is kind


@pytest.mark.parametrize("body", [b"", b"[]", b'{"code": "no_such_code", "detail": ""}', b'{"code": [], "detail": ""}'])
def test_a_document_that_is_not_ours_is_no_reason_to_fail_otherwise(body: bytes) -> None:
    assert isinstance(problems.error_from(500, body), LithifyError)
