"""API keys by REST, for those whose own key carries `admin`."""

from typing import Annotated

from fastapi import Path
from pydantic import Field
from starlette.responses import JSONResponse, Response

from lithify.api.auth import guarded, needs
from lithify.api.documents import schema
from lithify.api.doors import Here
from lithify.api.openapi import Asked, Keys, NewKey, refusals
from lithify.errors import NotFound
from lithify.store.views import KeyView

router = guarded("keys")


class KeyWanted(Asked):
    """What the new key is for."""

    label: str = Field(examples=["log shipper"])
    scopes: list[str] = Field(examples=[["read", "write"]], description="any of read, write, admin")
    expires_seconds: float | None = Field(None, gt=0, description="from now; never when left out")


@router.get("/v1/keys", summary="All keys, revoked ones too", responses={200: {"model": Keys}})
@needs("admin")
def list_keys(doors: Here) -> Response:
    """Ids, labels, scopes and times; a secret is never shown again."""
    found = doors.archive.keys()
    return JSONResponse({"keys": [key.as_json() for key in found]})


@router.post("/v1/keys", status_code=201, summary="Make a key", responses={201: {"model": NewKey}})
@needs("admin")
def add(wanted: KeyWanted, doors: Here) -> Response:
    """The answer holds the key's text, this once; only its hash is kept."""
    key, secret = doors.archive.add_key(wanted.label, wanted.scopes, wanted.expires_seconds)
    return JSONResponse({"key": key.as_json(), "secret": secret}, 201, {"Cache-Control": "no-store"})


@router.delete(
    "/v1/keys/{key_id}",
    summary="End a key at once",
    responses={200: {"model": schema(KeyView)}, **refusals(NotFound)},
)
@needs("admin")
def revoke(key_id: Annotated[str, Path(examples=["3f2a91c0"])], doors: Here) -> Response:
    """It stays listed, with the time it ended."""
    return JSONResponse(doors.archive.revoke_key(key_id).as_json())
