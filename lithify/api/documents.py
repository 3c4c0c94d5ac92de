"""Views as JSON documents: their schemas for OpenAPI, and the way back for the client.

Both are derived from the dataclasses in lithify/store/views.py, so that a field added there is described, sent and
read without anybody writing it down twice.
"""

from dataclasses import MISSING, Field, fields
from datetime import datetime
from types import UnionType
from typing import TYPE_CHECKING, Any, TypeVar, cast, get_args, get_origin, get_type_hints

from lithify.errors import StoreUnavailable
from lithify.store.views import View

if TYPE_CHECKING:
    from pydantic import BaseModel

V = TypeVar("V", bound=View)


_schemas: "dict[type[View], type[BaseModel]]" = {}


def schema(view: type[View]) -> "type[BaseModel]":
    """The pydantic model of `view.as_json()`: the same fields, times as ISO 8601. It is described, never run."""
    from pydantic import create_model

    if view not in _schemas:
        hints = get_type_hints(view)
        described: dict[str, Any] = {f.name: (_in_json(f.name, hints[f.name]), ...) for f in _fields(view)}
        _schemas[view] = create_model(view.__name__.removesuffix("View"), __doc__=view.__doc__, **described)
    return _schemas[view]


def _in_json(name: str, hint: Any) -> Any:
    if name.endswith("_at"):
        return datetime | None if type(None) in get_args(hint) else datetime
    if isinstance(hint, type) and issubclass(hint, View):
        return schema(hint)
    if get_origin(hint) is tuple:
        return list[_in_json("", get_args(hint)[0])]  # type: ignore[misc] # built at run time
    return hint


def view(kind: type[V], document: Any) -> V:
    """The view that `as_json` made this document from; fields that a newer server added are left out.

    Raises StoreUnavailable when it is something else: then we are not talking to a lithify server.
    """
    hints = get_type_hints(kind)
    try:
        values = {
            f.name: _from_json(f.name, hints[f.name], document[f.name]) for f in _fields(kind) if f.name in document
        }
        missing = [f.name for f in _fields(kind) if f.name not in values and _required(f)]
    except (TypeError, ValueError, AttributeError) as error:
        raise StoreUnavailable(f"the server's answer is no {kind.__name__}: {error}") from error
    if missing:
        raise StoreUnavailable(f"the server's answer is no {kind.__name__}: {', '.join(missing)} missing")
    return kind(**values)


def _fields(kind: type[View]) -> "tuple[Field[Any], ...]":
    return fields(cast("Any", kind))  # every view is a dataclass; their base alone is not


def _required(field: "Field[Any]") -> bool:
    return field.default is MISSING and field.default_factory is MISSING


def _from_json(name: str, hint: Any, found: Any) -> Any:
    if found is None:
        return None
    if name.endswith("_at"):
        return datetime.fromisoformat(found).timestamp()
    if isinstance(hint, UnionType):
        return _from_json(name, next(option for option in get_args(hint) if option is not type(None)), found)
    if isinstance(hint, type) and issubclass(hint, View):
        return view(hint, found)
    if get_origin(hint) is tuple:
        return tuple(_from_json("", get_args(hint)[0], item) for item in found)
    return found
