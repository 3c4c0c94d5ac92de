"""No door without a lock."""

from pathlib import Path

import pytest
from fastapi import APIRouter, FastAPI
from starlette.responses import Response
from starlette.routing import Mount, Route

from lithify.api import app as application
from lithify.api.auth import GuardedRoute, needs, refuse_unguarded
from lithify.workers.archive import Archive


async def endpoint() -> Response:
    return Response("let in")


def test_an_endpoint_without_a_rule_cannot_become_a_route() -> None:
    with pytest.raises(RuntimeError, match="/v1/secrets has no auth rule"):
        APIRouter(route_class=GuardedRoute).get("/v1/secrets")(endpoint)


@pytest.mark.parametrize(
    "route",
    [Route("/v1/secrets", endpoint), Mount("/files", routes=[]), FastAPI().routes[-1]],
    ids=["plain", "mount", "docs"],
)
def test_a_route_of_another_kind_is_refused_too(route: Route) -> None:
    with pytest.raises(RuntimeError, match="has no auth rule"):
        refuse_unguarded([route])


def test_a_marked_endpoint_and_an_open_one_are_fine() -> None:
    router = APIRouter(route_class=GuardedRoute)
    router.get("/v1/secrets")(needs("admin")(lambda: None))
    router.get("/healthz")(endpoint)
    refuse_unguarded(router.routes)


def test_an_application_with_a_door_left_open_does_not_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    left_open = APIRouter()
    left_open.get("/v1/backdoor")(endpoint)
    monkeypatch.setattr(application, "ROUTERS", (*application.ROUTERS, left_open))
    with Archive(tmp_path / "archive") as archive, pytest.raises(RuntimeError, match="/v1/backdoor"):
        application.build(archive)
