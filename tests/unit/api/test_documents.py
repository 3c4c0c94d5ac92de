"""Views as documents, and back."""

import json

import pytest

from lithify.api import documents
from lithify.errors import StoreUnavailable
from lithify.store.views import (
    CheckReport,
    EncodingView,
    Finding,
    JobView,
    KeyView,
    ObjectView,
    PolicyView,
    Receipt,
    Report,
    ReportRow,
    ScheduleView,
    Verdict,
    View,
)

AT = 1_763_690_159.123
ENCODING = EncodingView(
    "e", 1, "current", "raw.zstd", "0x0101 1.0", "exact", "b", 9, 3, 3.0, 2.7, 0.1, None, 7, AT, None
)
ROW = ReportRow("all", 1, 9, 3, 3.0, 6, 0.1, 1)
VIEWS: list[View] = [
    Receipt("logs", "a", "r", 1, "d", 9, "log", "exact", "default", AT, job=3),
    ENCODING,
    ObjectView(
        *("logs", "ä", "r", 1, "d", 9, "log", None, "exact", "max", AT, "raw.zstd", "exact", 3, 3.0, AT, None, 12),
        encodings=(ENCODING,),
    ),
    JobView(
        3, "scrub", "upkeep", "failed", 0, 2, None, 0.5, {"n": 1}, {"code": "x"}, None, "n", AT, AT, AT, None, AT, False
    ),
    PolicyView("logs", "exact", "default", ("raw.zstd", "raw.xz"), 3.5, None),
    ScheduleView("nightly", "scrub", "17 3 * * *", {}, True, AT, None),
    KeyView("k", "shipper", ("read",), AT, None, AT),
    Report(ROW, (ROW,), (), (ROW, ROW), 12),
    CheckReport(1, 2, 3, 4, (Finding("blob", "b", "corrupt", "digest is x"),)),
    Verdict("logs", "a", "r", "d", "exact", True, "same bytes", 0.25),
]


@pytest.mark.parametrize("sent", VIEWS, ids=lambda view: type(view).__name__)
def test_a_view_comes_back_as_it_went(sent: View) -> None:
    assert sent == documents.view(type(sent), json.loads(json.dumps(sent.as_json())))


@pytest.mark.parametrize("sent", VIEWS, ids=lambda view: type(view).__name__)
def test_a_document_is_what_its_schema_says(sent: View) -> None:
    documents.schema(type(sent)).model_validate_json(json.dumps(sent.as_json()), strict=True)


def test_a_field_of_a_newer_server_is_left_out() -> None:
    document = {**VIEWS[0].as_json(), "parity": "2+1"}
    assert VIEWS[0] == documents.view(Receipt, document)


@pytest.mark.parametrize("answer", [None, [], "collection", {}, {"collection": "logs"}])
def test_an_answer_that_is_no_document_is_refused(answer: object) -> None:
    with pytest.raises(StoreUnavailable):
        documents.view(Receipt, answer)
