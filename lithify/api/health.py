"""Whether this process lives, whether it can serve, and its figures."""

from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import BaseModel
from starlette.responses import JSONResponse, Response

from lithify.api.auth import guarded, needs
from lithify.api.doors import Here
from lithify.api.openapi import refusals
from lithify.errors import StoreUnavailable

router = guarded("health")


class Health(BaseModel):
    """`ok`, or the answer is a problem."""

    status: str = "ok"


@router.get("/healthz", summary="Whether the process lives", responses={200: {"model": Health}})
async def healthz() -> Response:
    """Open to all; touches nothing."""
    return JSONResponse({"status": "ok"})


@router.get(
    "/readyz",
    summary="Whether requests can be served",
    responses={200: {"model": Health}, **refusals(StoreUnavailable)},
)
def readyz(doors: Here) -> Response:
    """Open to all; reads the catalog once and says nothing about what is in it."""
    doors.archive.collections()
    return JSONResponse({"status": "ok"})


@router.get(
    "/metrics",
    summary="Figures for Prometheus",
    response_class=Response,
    responses={200: {"description": "Counters and gauges", "content": {"text/plain": {"schema": {"type": "string"}}}}},
)
@needs("read")
def metrics(doors: Here) -> Response:
    """Labels are route templates, methods, statuses, queues and states: never a name."""
    return Response(doors.metrics.text(), headers={"Content-Type": CONTENT_TYPE_LATEST})
