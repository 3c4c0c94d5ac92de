"""Which models this installation has, and whether they are what they should be: what `lithify model` shows."""

from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from lithify.codecs.registry import by_id
from lithify.codecs.text.models import MODELS
from lithify.errors import NotFound, Unsound
from lithify.workers.sandbox import Sandbox

if TYPE_CHECKING:
    from lithify.codecs.text.models import Model


def model_names() -> list[str]:
    """The names of all models."""
    return [model.name for model in MODELS]


def model_facts(name: str) -> dict[str, Any]:
    """What a model is and where it comes from; `packed_bytes` is None when its file is not there. Raises NotFound."""
    model = _model(name)
    return {
        "model": model.name,
        "codec": model.codec,
        "role": model.role,
        "format": str(by_id(model.codec).facts.format),
        "compiler": f"numba {version('numba')}",
        "digest": model.digest,
        "file": str(model.path),
        "packed_bytes": model.path.stat().st_size if model.path.is_file() else None,
        "classes": model.classes,
        "data": [{**pack._asdict(), "text_class": pack.text_class.name.lower()} for pack in model.data],
    }


def verify_model(name: str) -> dict[str, Any]:
    """Read a model's file again, compare its digest, and let it encode and decode what is known.

    Raises NotFound, and Unsound when this installation does not compute what it must.
    """
    model = _model(name)
    try:
        packed = model.path.read_bytes()
    except OSError as error:
        raise Unsound(f"the file of {name} cannot be read ({error}): install lithify again") from error
    with Sandbox() as sandbox:
        known = {"role": model.role, "digest": model.digest, "streams": model.streams}
        proved = sandbox.run("prove", known, attached=[packed], kernels=(model.codec,)).result
    return {"model": name, "role": model.role, "sound": True, "packed_bytes": len(packed), **proved}


def _model(name: str) -> "Model":
    for model in MODELS:
        if model.name == name:
            return model
    raise NotFound(f"there is no model {name!r:.80}; there is {', '.join(model_names())}")
