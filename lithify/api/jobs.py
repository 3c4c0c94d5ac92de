"""Jobs by REST: what is being done, and cancel and retry."""

from typing import Annotated

from fastapi import Path, Query
from pydantic import Field
from starlette.responses import JSONResponse, Response

from lithify.api.auth import guarded, needs
from lithify.api.documents import schema
from lithify.api.doors import Here
from lithify.api.openapi import Asked, Jobs, refusals
from lithify.errors import Conflict, NotFound
from lithify.store.unserved import unsettled as find_unsettled
from lithify.store.views import JobView, Unsettled

router = guarded("jobs")
JobId = Annotated[int, Path(ge=1, le=2**63 - 1, examples=[17])]


class WhoseJobs(Asked):
    """Revisions, as receipts name them."""

    revisions: list[str] = Field(max_length=1000, examples=[["7c9e6679742540de944be07fc1f90ae7"]])


@router.get("/v1/jobs", summary="Jobs, newest first", responses={200: {"model": Jobs}})
@needs("read")
def list_jobs(
    doors: Here,
    state: Annotated[str | None, Query(description="waiting, running, done, failed, quarantined or cancelled")] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> Response:
    """The newest `limit` of them, in one state if you name it."""
    return JSONResponse({"jobs": [job.as_json() for job in doors.archive.jobs(state=state, limit=limit)]})


@router.get("/v1/jobs/{job_id}", summary="One job", responses={200: {"model": schema(JobView)}, **refusals(NotFound)})
@needs("read")
def get(job_id: JobId, doors: Here) -> Response:
    """How far it is, and what went wrong if something did."""
    return JSONResponse(doors.archive.job(job_id).as_json())


@router.post(
    "/v1/jobs/{job_id}/cancel",
    summary="Ask that a job not be done, or be stopped",
    responses={200: {"model": schema(JobView)}, **refusals(NotFound, Conflict)},
)
@needs("write")
def cancel(job_id: JobId, doors: Here) -> Response:
    """What was stored stays as it is."""
    return JSONResponse(doors.archive.cancel_job(job_id).as_json())


@router.post(
    "/v1/jobs/{job_id}/retry",
    summary="Give a job that ended without success another round of attempts",
    responses={200: {"model": schema(JobView)}, **refusals(NotFound, Conflict)},
)
@needs("write")
def retry(job_id: JobId, doors: Here) -> Response:
    """Refused while it is waiting, running or done."""
    return JSONResponse(doors.archive.retry_job(job_id).as_json())


@router.post(
    "/v1/unsettled", summary="How many revisions still have work ahead", responses={200: {"model": schema(Unsettled)}}
)
@needs("read")
def unsettled(whose: WhoseJobs, doors: Here) -> Response:
    """For those who wait: ask about up to 1000 revisions, until it says 0, or names lanes that nobody serves."""
    with doors.archive.catalog.reading() as connection:
        return JSONResponse(find_unsettled(connection, whose.revisions).as_json())
