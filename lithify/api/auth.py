"""Who may do what: a Bearer key, the scopes it carries, and the rule that a route without a rule does not start.

    Authorization: Bearer lith_<id>_<secret>

Every endpoint names the scope it needs with `@needs("read")`; one that names none, and is not in OPEN, stops the
application from being built. The key is looked at before a byte of the body is.
"""

from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Final, Literal, TypeVar

from fastapi.routing import APIRoute, APIRouter
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute
from starlette.types import Message, Receive

from lithify import limits
from lithify.api.doors import doors_of
from lithify.api.uploads import receive_document
from lithify.errors import NotAllowed, Unauthenticated
from lithify.store import keys

Scope = Literal["read", "write", "admin"]
OPEN: Final = frozenset({"/healthz", "/readyz", "/openapi.json"})
SCHEME_NAME: Final = "key"

_RULE = "lithify_scope"
_STRAIGHT = "lithify_straight"
_Endpoint = TypeVar("_Endpoint", bound=Callable[..., Any])


def needs(scope: Scope) -> Callable[[_Endpoint], _Endpoint]:
    """Mark an endpoint with the scope that its caller's key must carry."""

    def mark(endpoint: _Endpoint) -> _Endpoint:
        setattr(endpoint, _RULE, scope)
        return endpoint

    return mark


def straight(endpoint: _Endpoint) -> _Endpoint:
    """Let FastAPI describe an endpoint but not call it, which takes it half a millisecond.

    It is given the parameters of the path as they are, `request` and `doors`, and checks them itself.
    """
    setattr(endpoint, _STRAIGHT, True)
    return endpoint


class GuardedRoute(APIRoute):
    """A route that admits a caller before anything else happens; it cannot be made without a rule."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **settings: Any) -> None:
        rule: Scope | None = getattr(endpoint, _RULE, None)
        if rule is None and path not in OPEN:
            raise RuntimeError(f"{path} has no auth rule: mark its endpoint with @needs(...) or list it in OPEN")
        self.scope_needed = rule
        super().__init__(path, endpoint, **settings)

    def get_route_handler(self) -> Callable[[Request], Awaitable[Response]]:  # type: ignore[override] # it is awaited
        handle = self._straight if hasattr(self.endpoint, _STRAIGHT) else super().get_route_handler()
        scope_needed = self.scope_needed
        if scope_needed is None:
            return handle

        async def admitted(request: Request) -> Response:
            await _admit(request, scope_needed)
            if self.body_field is not None:  # FastAPI would wait for it for ever, and take any size
                document = await receive_document(request, limits.REQUEST_JSON_BYTES_MAX)
                request = Request(request.scope, _replay(document))
            return await handle(request)

        return admitted

    async def _straight(self, request: Request) -> Response:
        answer: Response = await self.endpoint(**request.path_params, request=request, doors=doors_of(request))
        return answer


def guarded(tag: str) -> APIRouter:
    """A router for one kind of thing, all of whose routes are guarded."""
    return APIRouter(
        route_class=GuardedRoute, tags=[tag], generate_unique_id_function=lambda route: f"{tag}_{route.name}"
    )


def refuse_unguarded(routes: Iterable[BaseRoute]) -> None:
    """Raise RuntimeError if a route could be reached without passing a guard and is not meant to be."""
    for route in routes:
        path = getattr(route, "path", repr(route))
        locked = isinstance(route, GuardedRoute) and route.scope_needed is not None
        if not locked and path not in OPEN:
            raise RuntimeError(f"{path} has no auth rule")


def _replay(document: bytes) -> Receive:
    async def receive() -> Message:
        return {"type": "http.request", "body": document, "more_body": False}

    return receive


async def _admit(request: Request, scope: Scope) -> None:
    key = await doors_of(request).gate.key(_bearer(request))
    if not keys.allows(key, scope):
        raise NotAllowed(f"this needs a key with the scope {scope!r}; yours has {', '.join(key.scopes)}")


def _bearer(request: Request) -> str:
    sent = request.headers.getlist("authorization")
    scheme, _, text = sent[0].partition(" ") if len(sent) == 1 else ("", "", "")
    if scheme.lower() != "bearer" or not 0 < len(text.strip()) <= limits.API_KEY_BYTES_MAX:
        raise Unauthenticated("send one API key as `Authorization: Bearer lith_…`")
    return text.strip()
