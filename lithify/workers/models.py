"""Which models there are, shipped or the user's own, and whether they are sound: what `lithify model` shows."""

import shutil
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from lithify import limits
from lithify.codecs.registry import by_id
from lithify.codecs.text.models import MODELS
from lithify.errors import NotFound, Unsound
from lithify.workers.model_files import arguments, memory_bytes, open_model
from lithify.workers.sandbox import Sandbox

if TYPE_CHECKING:
    from lithify.codecs.text.models import Model

_SHOWN = ("layers", "width", "heads", "vocabulary", "context", "activation_bits")


def model_names() -> list[str]:
    """The names of all models."""
    return [model.name for model in MODELS]


def model_facts(name: str) -> dict[str, Any]:
    """What a model is and where it comes from; `packed_bytes` is None when its file is not there. Raises NotFound.

    name  of a model that is shipped, or the path of a language model's file or folder
    """
    if Path(name).exists():
        return _own_facts(Path(name))
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

    name  of a model that is shipped, or the path of a language model's file or folder

    Raises NotFound, and Unsound when this installation does not compute what it must.
    """
    if Path(name).exists():
        return _verify_own(Path(name))
    model = _model(name)
    try:
        packed = model.path.read_bytes()
    except OSError as error:
        raise Unsound(f"the file of {name} cannot be read ({error}): install lithify again") from error
    with Sandbox() as sandbox:
        known = {"role": model.role, "digest": model.digest, "streams": model.streams}
        proved = sandbox.run("prove", known, attached=[packed], kernels=(model.codec,)).result
    return {"model": name, "role": model.role, "sound": True, "packed_bytes": len(packed), **proved}


def _own_facts(path: Path) -> dict[str, Any]:
    from lithify.codecs.text.lm.codec import TextLm
    from lithify.codecs.text.lm.shape import read_shape

    with open_model(path) as model:
        shape, proof = read_shape(model.mapped())
        return {
            "model": path.name,
            "codec": TextLm.facts.id,
            "format": str(TextLm.facts.format),
            "compiler": f"numba {version('numba')}",
            "digest": model.digest,
            "file": str(path),
            "packed_bytes": model.length,
            "weights": shape.weights,
            "proof": proof.hex(),
            **{
                name: getattr(shape, name)
                for name in ("layers", "width", "heads", "vocabulary", "context", "activation_bits")
            },
        }


def _verify_own(path: Path) -> dict[str, Any]:
    with open_model(path) as model, Sandbox(memory_bytes=memory_bytes([model])) as sandbox:
        named, fds = arguments([model])
        proved = sandbox.run("prove_model", named, fds, kernels=("text.lm",)).result
        return {"model": path.name, "sound": True, "packed_bytes": model.length, **proved}


def convert_model(folder: Path, out: BinaryIO, *, context: int | None, activation_bits: int) -> dict[str, Any]:
    """Write the model file of a Hugging Face folder. Raises BadArgument when it is of another kind, MissingExtra."""
    with open_model(folder, context=context, activation_bits=activation_bits) as model:
        model.file.seek(0)
        shutil.copyfileobj(model.file, out, limits.COPY_BYTES)
        out.flush()
        return {"model": model.digest, "packed_bytes": model.length}


def _model(name: str) -> "Model":
    for model in MODELS:
        if model.name == name:
            return model
    shipped = ", ".join(model_names())
    raise NotFound(f"there is no model {name!r:.80}, nor a file or folder of that name; there is {shipped}")
