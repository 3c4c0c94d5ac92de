"""What /openapi.json says beyond what FastAPI finds by itself: headers, byte bodies, problems, the key."""

import json
from collections.abc import Callable, Iterable
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict, create_model

from lithify.api import problems
from lithify.api.auth import SCHEME_NAME, GuardedRoute
from lithify.api.documents import schema
from lithify.errors import BadArgument, LithifyError, NotAllowed, NotNow, Unauthenticated
from lithify.store.views import JobView, KeyView, ObjectView, ScheduleView, View

LINES = "application/x-ndjson"
_BINARY = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
_DIGEST = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"


def _header(name: str, description: str, example: str, *, required: bool = False) -> dict[str, Any]:
    return {
        "name": name,
        "in": "header",
        "required": required,
        "description": description,
        "schema": {"type": "string"},
        "example": example,
    }


IF_MATCH = [_header("If-Match", "only if the object's ETag is this one; `*`: only if it exists", f'"{_DIGEST}"')]
PUT_HEADERS = [
    _header("Idempotency-Key", "repeating the request with the same key gives the same receipt", "import-7-000123"),
    _header("If-None-Match", "`*`: only if there is no object of that name", "*"),
    *IF_MATCH,
    _header("Content-SHA256", "SHA-256 of the body in hex; anything else that arrives is refused", _DIGEST),
    _header("Repr-Digest", "the same as RFC 9530 writes it; Content-Digest and Digest are read too", "sha-256=:LPJ…:"),
    _header("Lithify-Contract", "what must come back; the collection's policy decides when left out", "exact"),
    _header("Lithify-Effort", "fast, default or max", "default"),
    _header("Lithify-Model", "the language model that is to tell it: its SHA-256, or its file's name there", _DIGEST),
]
GET_HEADERS = [
    _header("Range", "one range of bytes", "bytes=0-1023"),
    _header("If-Range", "the range only if the ETag is still this one", f'"{_DIGEST}"'),
    _header("If-None-Match", "304 if the ETag is one of these", f'"{_DIGEST}"'),
]
BYTES_BODY = {
    "required": True,
    "description": "The bytes to keep, as they are: a Content-Encoding is refused, for it would not be given back.",
    "content": _BINARY,
}
_TEXT = {"schema": {"type": "string"}}
PUT_ANSWER_HEADERS = {
    "ETag": {"description": "the object's SHA-256", **_TEXT},
    "Location": {"description": "where it is", **_TEXT},
    "Lithify-Revision": {"description": "which revision it is", **_TEXT},
}
_OBJECT_HEADERS = {
    **{name: PUT_ANSWER_HEADERS[name] for name in ("ETag", "Lithify-Revision")},
    "Repr-Digest": {"description": "SHA-256 of the whole object, when it comes back exactly", **_TEXT},
    "Lithify-Contract": {"description": "what was promised", **_TEXT},
    "Lithify-Codec": {"description": "what keeps it now", **_TEXT},
}


def _model(name: str, about: str, **fields: Any) -> type[BaseModel]:
    described: dict[str, Any] = {field: (kind, ...) for field, kind in fields.items()}
    return create_model(name, __doc__=about, **described)


def _list_of(view: type[View]) -> Any:
    return list[schema(view)]  # type: ignore[misc] # built at run time


ObjectPage = _model("ObjectPage", "Objects in order of their names.", objects=_list_of(ObjectView), next=str | None)
CollectionNames = _model("CollectionNames", "Every collection.", collections=list[str])
Jobs = _model("Jobs", "Jobs, newest first.", jobs=_list_of(JobView))
Schedules = _model("Schedules", "Schedules by name.", schedules=_list_of(ScheduleView))
Keys = _model("Keys", "API keys, without their secrets.", keys=_list_of(KeyView))
NewKey = _model("NewKey", "A key just made; its text, `secret`, is given only here.", key=schema(KeyView), secret=str)


class Asked(BaseModel):
    """A document that a request brings; a field that is not described is refused, since it would be ignored."""

    model_config = ConfigDict(extra="forbid")


class Problem(BaseModel):
    """What went wrong (RFC 9457). `code` is stable; `instance` is also in the server's log."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    instance: str


def bytes_answer(description: str) -> dict[str, Any]:
    """An answer that is the bytes of an object."""
    return {"description": description, "content": _BINARY, "headers": _OBJECT_HEADERS}


def head_answer() -> dict[str, Any]:
    """An answer that has only headers."""
    return {"description": "It exists", "headers": _OBJECT_HEADERS}


def lines_answer(view: type[View]) -> dict[str, Any]:
    """An answer with one JSON object per line."""
    return {
        "description": f"One {schema(view).__name__} per line",
        "content": {LINES: {"schema": {"type": "string"}}},
    }


def line(document: dict[str, Any]) -> bytes:
    """One line of such an answer."""
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"


def refusals(*errors: type[LithifyError]) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route that may answer with these errors."""
    found: dict[int | str, dict[str, Any]] = {}
    for error in errors:
        example = problems.document(error(), instance="7c9e66797425-17")
        answer = found.setdefault(error.http_status, {"description": "", "content": {problems.MEDIA_TYPE: {}}})
        answer["description"] = " ".join([answer["description"], f"`{error.code}`: {example['title']}"]).strip()
        content = answer["content"][problems.MEDIA_TYPE]
        content["schema"] = {"$ref": "#/components/schemas/Problem"}
        content.setdefault("examples", {})[error.code] = {"value": example}
    return found


def describe(app: FastAPI) -> Callable[[], dict[str, Any]]:
    """The function that FastAPI asks for the document; it is made once."""
    found = FastAPI.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _complete(found(app), app)
        return app.openapi_schema

    return openapi


def _complete(document: dict[str, Any], app: FastAPI) -> dict[str, Any]:
    components = document.setdefault("components", {})
    components["schemas"] = {
        name: model for name, model in components.get("schemas", {}).items() if "ValidationError" not in name
    }
    components["schemas"]["Problem"] = Problem.model_json_schema()
    components["securitySchemes"] = {
        SCHEME_NAME: {"type": "http", "scheme": "bearer", "bearerFormat": "lith_<id>_<secret>"}
    }
    for route, operation in _operations(document, app):
        _complete_operation(route, operation)
    return document


def _operations(document: dict[str, Any], app: FastAPI) -> Iterable[tuple[APIRoute, dict[str, Any]]]:
    for route in app.routes:
        if isinstance(route, APIRoute) and route.include_in_schema:
            for method in route.methods or ():
                yield route, document["paths"][route.path_format][method.lower()]


def _complete_operation(route: APIRoute, operation: dict[str, Any]) -> None:
    responses = operation["responses"]
    if "ValidationError" in json.dumps(responses.get("422", {})):
        del responses["422"]  # ours is 400, with a problem document
    common: list[type[LithifyError]] = [NotNow, LithifyError]
    if isinstance(route, GuardedRoute) and route.scope_needed is not None:
        operation["security"] = [{SCHEME_NAME: []}]
        operation["x-scope"] = route.scope_needed
        common += [BadArgument, Unauthenticated, NotAllowed]
    for status, answer in refusals(*common).items():
        responses.setdefault(str(status), answer)
