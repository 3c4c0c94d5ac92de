"""The application: every route, every middleware in its order, and the refusal to start with a door left open."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response

import lithify
from lithify.api import (
    arrays,
    auth,
    health,
    jobs,
    keys,
    listings,
    objects,
    openapi,
    policies,
    problems,
    report,
    schedules,
    search,
    texts,
)
from lithify.api.doors import Doors
from lithify.api.middleware import Linger, Observe, StrictPath, answer
from lithify.errors import BadArgument, LithifyError

if TYPE_CHECKING:
    from lithify.workers.archive import Archive

# Objects first: routes are tried in order, and these are asked for most.
ROUTERS = (
    objects.router,
    listings.router,
    search.router,
    texts.router,
    arrays.router,
    jobs.router,
    report.router,
    policies.router,
    schedules.router,
    keys.router,
    health.router,
)


def build(archive: "Archive") -> FastAPI:
    """The application for an open archive, which stays the caller's to close."""
    app = FastAPI(
        title="lithify",
        version=lithify.__version__,
        summary="Keeps each thing in the densest form that can be proved to come back.",
        description="Send a key as `Authorization: Bearer lith_…`. Errors are application/problem+json.",
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        docs_url=None,  # these pages load their scripts from a CDN
        redoc_url=None,
        redirect_slashes=False,  # a name may end as it likes
        lifespan=_lifespan,
        middleware=[Middleware(Observe), Middleware(Linger), Middleware(StrictPath)],
        exception_handlers={
            LithifyError: _refused,
            RequestValidationError: _not_understood,
            HTTPException: _not_routed,
        },
    )
    app.state.doors = Doors(archive)
    for router in ROUTERS:
        app.router.routes.extend(router.routes)
    auth.refuse_unguarded(app.routes)
    app.openapi = openapi.describe(app)  # type: ignore[method-assign] # FastAPI's documented way to extend it
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    try:
        yield
    finally:
        app.state.doors.close()


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, LithifyError)
    return answer(request, error)


async def _not_understood(request: Request, error: Exception) -> Response:
    """Name what is wrong and where, and leave out what was sent: it may be a secret."""
    assert isinstance(error, RequestValidationError)
    found = [f"{'.'.join(str(step) for step in each['loc'])}: {each['msg']}" for each in error.errors()[:8]]
    return answer(request, BadArgument("; ".join(found)))


async def _not_routed(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    shown = problems.of_status(error.status_code, f"{error.detail}: {request.method[:16]} is not answered here")
    return answer(request, shown, status=error.status_code, extra=error.headers)
