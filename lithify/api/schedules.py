"""Schedules by REST: upkeep that comes due by cron, in UTC."""

from typing import Annotated, Any

from fastapi import Path
from pydantic import Field
from starlette.responses import JSONResponse, Response

from lithify.api.auth import guarded, needs
from lithify.api.documents import schema
from lithify.api.doors import Here
from lithify.api.openapi import Asked, Schedules, refusals
from lithify.errors import NotFound
from lithify.store.views import JobView, ScheduleView

router = guarded("schedules")
ScheduleName = Annotated[str, Path(examples=["nightly-scrub"])]


class ScheduleWanted(Asked):
    """What is to run, and when."""

    kind: str = Field(examples=["scrub"], description="scrub, sweep, reencode, retention or report")
    cron: str = Field(examples=["17 3 * * *"], description="five fields, UTC")
    args: dict[str, Any] = Field(default_factory=dict)


@router.get("/v1/schedules", summary="All schedules", responses={200: {"model": Schedules}})
@needs("read")
def list_schedules(doors: Here) -> Response:
    """By name."""
    return JSONResponse({"schedules": [found.as_json() for found in doors.archive.schedules()]})


@router.put(
    "/v1/schedules/{name}",
    summary="Make a schedule, or change the one of that name",
    responses={200: {"model": schema(ScheduleView)}},
)
@needs("admin")
def put(name: ScheduleName, wanted: ScheduleWanted, doors: Here) -> Response:
    """One job per due time, however many servers and workers there are."""
    return JSONResponse(doors.archive.add_schedule(name, wanted.kind, wanted.cron, wanted.args).as_json())


@router.delete("/v1/schedules/{name}", status_code=204, summary="Remove a schedule", responses={**refusals(NotFound)})
@needs("admin")
def remove(name: ScheduleName, doors: Here) -> Response:
    """Jobs that it made already stay."""
    doors.archive.remove_schedule(name)
    return Response(None, 204)


@router.post(
    "/v1/schedules/{name}/run",
    status_code=202,
    summary="Run it now, whatever its cron says",
    responses={202: {"model": schema(JobView)}, **refusals(NotFound)},
)
@needs("admin")
def run(name: ScheduleName, doors: Here) -> Response:
    """Answers with the job, which a worker will take."""
    job = doors.archive.run_schedule(name)
    return JSONResponse(job.as_json(), 202, {"Location": f"/v1/jobs/{job.id}"})
