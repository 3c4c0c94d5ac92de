"""Policies by REST: what a collection's objects are promised, and how long they are kept."""

from typing import Annotated

from fastapi import Path
from pydantic import Field
from starlette.responses import JSONResponse, Response

from lithify.api.auth import guarded, needs
from lithify.api.documents import schema
from lithify.api.doors import Here
from lithify.api.openapi import Asked
from lithify.store.views import PolicyView

router = guarded("policies")
Collection = Annotated[str, Path(examples=["logs"])]


class PolicyChange(Asked):
    """What to change; what is left out, or null, stays as it is."""

    contract: str | None = Field(None, examples=["exact"], description="for objects that name none themselves")
    effort: str | None = Field(None, examples=["default"], description="fast, default or max")
    codecs: list[str] | None = Field(None, examples=[[]], description="the only codecs to try; empty for all")
    model: str | None = Field(None, examples=[""], description="the language model that texts are told by; empty: none")
    keep_seconds: float | None = Field(None, ge=0, description="retire older revisions; 0 keeps them")
    keep_revisions: int | None = Field(None, ge=0, description="keep only so many revisions; 0 keeps all")


@router.get(
    "/v1/policies/{collection}", summary="The rule of a collection", responses={200: {"model": schema(PolicyView)}}
)
@needs("read")
def get(collection: Collection, doors: Here) -> Response:
    """The defaults when it has none of its own."""
    return JSONResponse(doors.archive.policy(collection).as_json())


@router.patch(
    "/v1/policies/{collection}",
    summary="Change the rule of a collection",
    responses={200: {"model": schema(PolicyView)}},
)
@needs("admin")
def change(collection: Collection, wanted: PolicyChange, doors: Here) -> Response:
    """Holds for what comes in from now on; what is stored keeps its contract."""
    return JSONResponse(doors.archive.set_policy(collection, **wanted.model_dump()).as_json())
