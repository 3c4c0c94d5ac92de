"""What a search finds, as JSON documents and back: the lines of `POST /v1/search` and of `lithify grep --json`.

Text that is not UTF-8 travels as base64, under another name, so that nobody takes the one for the other.
"""

import base64
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from lithify.errors import BY_CODE, LithifyError, StoreUnavailable
from lithify.workers.found import Found, FoundLines, Query, Searched, Where

Document = dict[str, Any]


def asked(query: Query) -> Document:
    """A query as the body of `POST /v1/search` says it; what is as usual is left out."""
    usual = Query(b"")
    terms = {name: getattr(query, name) for name in query.__dataclass_fields__ if name != "pattern"}
    told = {name: value for name, value in terms.items() if value != getattr(usual, name)}
    pattern = written(query.pattern)
    return {**told, **({"pattern": pattern["text"]} if "text" in pattern else {"pattern_base64": pattern["base64"]})}


def documents(found: Found) -> Iterator[Document]:
    """One for each line, or one that says that an original is through."""
    of = {"collection": found.where.collection, "name": found.where.name, "revision": found.where.revision}
    if isinstance(found, Searched):
        error = found.error and {"code": found.error.code, "message": found.error.message}
        yield {"type": "object", **of, "matches": found.matches, "error": error}
        return
    for number, matched, text in zip(found.numbers, found.matched, found.lines(), strict=True):
        yield {"type": "match" if matched else "context", **of, "line": number, **written(text)}


def written(text: bytes) -> Document:
    """A line as `text`, or as `base64` where it is not UTF-8."""
    try:
        return {"text": text.decode()}
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(text).decode()}


def found_in(lines: Iterable[Document]) -> Iterator[Found]:
    """What these documents say, up to the one that says that all is through.

    Raises StoreUnavailable when they are something else, or the last one is missing.
    """
    ended = False
    for document in lines:
        try:
            if document["type"] != "end":
                yield _read(document)
            ended = document["type"] == "end"
        except (KeyError, TypeError, ValueError) as error:
            raise StoreUnavailable(f"the server's answer is no search: {error!r}") from error
    if not ended:
        raise StoreUnavailable("the server's answer ended before the search did")


def _read(document: Mapping[str, Any]) -> Found:
    where = Where(str(document["collection"]), str(document["name"]), str(document["revision"]))
    match document["type"]:
        case "object":
            return Searched(where, int(document["matches"]), _error(document.get("error")))
        case "match" | "context" as kind:
            text = document["text"].encode() if "text" in document else base64.b64decode(document["base64"])
            return FoundLines(where, [int(document["line"])], bytes([kind == "match"]), text + b"\n")
        case kind:
            raise ValueError(f"type {kind!r:.40}")


def _error(found: Mapping[str, Any] | None) -> LithifyError | None:
    return None if found is None else BY_CODE.get(found["code"], LithifyError)(str(found["message"]))
