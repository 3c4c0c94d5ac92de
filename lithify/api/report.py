"""Report and upkeep by REST: what was won, whether all is well, and the jobs that keep it so."""

from typing import Any

from pydantic import Field
from starlette.responses import JSONResponse, Response

from lithify.api.auth import guarded, needs
from lithify.api.documents import schema
from lithify.api.doors import Here
from lithify.api.openapi import Asked, refusals
from lithify.errors import NotFound
from lithify.store.views import CheckReport, JobView, Report, Verdict

router = guarded("report")


class WhatToVerify(Asked):
    """One object."""

    collection: str = Field(examples=["logs"])
    name: str = Field(examples=["web/2026-11-21.log"])


class HowToCheck(Asked):
    """How deep to look."""

    read_data: bool = Field(False, description="read and hash every blob as well; takes as long as reading them does")


class UpkeepWanted(Asked):
    """An upkeep job."""

    kind: str = Field(examples=["sweep"], description="scrub, sweep, reencode, retention or report")
    args: dict[str, Any] = Field(default_factory=dict)


@router.get("/v1/report", summary="What was won", responses={200: {"model": schema(Report)}})
@needs("read")
def report(doors: Here) -> Response:
    """Totals, and slices by kind, codec and collection."""
    return JSONResponse(doors.archive.report().as_json())


@router.post(
    "/v1/verify",
    summary="Decode one object whole and compare",
    responses={200: {"model": schema(Verdict)}, **refusals(NotFound)},
)
@needs("read")
def verify(wanted: WhatToVerify, doors: Here) -> Response:
    """Answers when it is done; `kept` says whether what was promised comes back."""
    return JSONResponse(doors.archive.verify(wanted.collection, wanted.name).as_json())


@router.post("/v1/check", summary="Compare catalog and cellar", responses={200: {"model": schema(CheckReport)}})
@needs("admin")
def check(wanted: HowToCheck, doors: Here) -> Response:
    """Answers when it is done; `findings` is empty when all is well."""
    return JSONResponse(doors.archive.check(read_data=wanted.read_data).as_json())


@router.post("/v1/upkeep", status_code=202, summary="Queue an upkeep job", responses={202: {"model": schema(JobView)}})
@needs("admin")
def upkeep(wanted: UpkeepWanted, doors: Here) -> Response:
    """Answers with the job, which a worker will take."""
    job = doors.archive.start_upkeep(wanted.kind, wanted.args)
    return JSONResponse(job.as_json(), 202, {"Location": f"/v1/jobs/{job.id}"})
