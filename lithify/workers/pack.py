"""Pack, unpack, info: one file and one frame, with no archive, server or catalog anywhere near.

The same race and the same proof as for stored objects: what `pack` has written was decoded in a second process.
"""

import shutil
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

from lithify import limits
from lithify.codecs.codec import effort as check_effort
from lithify.codecs.fidelity import EXACT, Contract
from lithify.codecs.frame import FormatEntry, Frame, read_frame
from lithify.codecs.frame.primers import digest_of, model_of, primer_of
from lithify.codecs.registry import by_id, codec_class
from lithify.errors import BadArgument, MissingExtra, UnknownFormat
from lithify.workers.encoder import Encoded, Original, Wishes, encode_original
from lithify.workers.kinds import look
from lithify.workers.model_files import memory_bytes, open_model
from lithify.workers.needs import Needs, gathered
from lithify.workers.plot import plot
from lithify.workers.proof import measure, place_of, prove
from lithify.workers.route import Priming
from lithify.workers.sandbox import Sandbox
from lithify.workers.sources import Place, digest_and_length

_HEAD_BYTES = 4096
OnProgress = Callable[[float], None]


def pack_file(
    original: BinaryIO,
    frame: BinaryIO,
    *,
    contract: str = "exact",
    effort: str = "default",
    codec: str | None = None,
    primer: bytes | None = None,
    model: Path | None = None,
    native: bool = False,
    picture: BinaryIO | None = None,
    on_progress: OnProgress | None = None,
) -> dict[str, Any]:
    """Write the smallest proved frame of the file `original` into the file `frame`; gives what was won.

    native   the model reckons in floating point, and only this machine can then read the frame
    picture  a file for a drawing of what comes back beside the original (workers/plot.py)

    Both are real files, open, read from and written to their descriptors. With a `primer` the codecs that can use one
    also run with it, and the frame needs it if that gives less; the same with the language model in a `model` file or
    Hugging Face folder. Raises FidelityBroken rather than keep a frame that does not decode to the same bytes, or
    breaks a looser contract.
    """
    tell = on_progress or (lambda _: None)
    promised = Contract.parse(contract)
    if codec is not None:
        by_id(codec)  # refuses a name that no codec has, and lists those there are
    digest, length = digest_and_length(original)
    name = _name_of(original)
    place = Place(0, length, framed=False)
    wishes = Wishes(
        contract=promised,
        effort=check_effort(effort),
        codecs=(codec,) if codec else (),
        priming=None if primer is None else Priming(digest_of(primer)),
        primer=primer or b"",
    )
    with ExitStack() as stack:
        opened = [] if model is None else [stack.enter_context(open_model(model, native=native))]
        wishes = replace(wishes, model=opened[0] if opened else None)
        sandbox = stack.enter_context(Sandbox(memory_bytes=memory_bytes(opened)))
        staging = stack.enter_context(tempfile.TemporaryDirectory(prefix="lithify-"))
        source = Original(original.fileno(), place, length, digest, name)
        with encode_original(sandbox, source, wishes, Path(staging), lambda done: tell(0.8 * done)) as encoded:
            encoded.file.seek(0)
            shutil.copyfileobj(encoded.file, frame, limits.COPY_BYTES)
        frame.flush()
        for what, given in (("primer", primer), ("model", model)):
            if given is not None:
                _check_used(encoded.route, what)
        figures: dict[str, Any] = {}
        if encoded.contract == EXACT:
            needs = Needs(sandbox, (wishes.primer,) if encoded.primer else (), opened if encoded.model else [])
            decode_seconds = prove(needs, frame, digest, length, lambda done: tell(0.8 + 0.2 * done))
        else:
            decode_seconds, figures = measure(Needs(sandbox), frame, original.fileno(), place, encoded.digest, length)
        if picture is not None:
            before, after = (original.fileno(), place), (frame.fileno(), place_of(frame))
            picture.write(plot(sandbox, before, before if encoded.contract == EXACT else after, name=name))
    tell(1.0)
    return _won(source, promised, encoded, decode_seconds, figures)


def _name_of(file: BinaryIO) -> str:
    named = getattr(file, "name", "-")
    return Path(named).name if isinstance(named, str) else "-"  # a pipe's temporary file has a number for a name


def _won(
    source: Original, promised: Contract, encoded: Encoded, decode_seconds: float, figures: dict[str, Any]
) -> dict[str, Any]:
    """What `pack --json` prints: what was put in, what became of it, and how."""
    return {
        "name": source.name,
        "original_bytes": source.length,
        "packed_bytes": encoded.length,
        "ratio": round(source.length / encoded.length, 4) if source.length else 1.0,
        "codec": encoded.codec,
        "format": encoded.format,
        "primer": encoded.primer,
        "model": encoded.model,
        "contract": str(promised),
        "fidelity": {"kept": str(encoded.contract), **_because(encoded.route), **figures},
        "encode_seconds": round(encoded.seconds, 6),
        "decode_seconds": round(decode_seconds, 6),
        "peak_memory_bytes": encoded.peak_memory_bytes,
        "sha256": source.digest,
        "route": encoded.route,
    }


def _because(route: dict[str, Any]) -> dict[str, Any]:
    """Why every byte is kept of what need not come back so."""
    return {"because": "; ".join(route["exact_because"])} if "exact_because" in route else {}


def _check_used(route: dict[str, Any], what: str) -> None:
    """Raise BadArgument when the primer or model given could not even be tried: that it lost is no fault."""
    tried = [candidate for candidate in route["candidates"] if what in candidate]
    if not tried:
        raise BadArgument(f"no codec that runs on this takes a {what} ({route['reason']})")
    failed = [candidate["found"]["detail"] for candidate in tried if "error" in candidate.get("found", {})]
    if len(failed) == len(tried):
        raise BadArgument(f"the {what} that was given cannot be used: {failed[0]}")


def unpack_file(
    frame: BinaryIO,
    original: BinaryIO,
    *,
    primers: Sequence[Path] = (),
    models: Sequence[Path] = (),
    on_progress: OnProgress | None = None,
) -> dict[str, Any]:
    """Write what the frame holds into `original`, each chunk checked before it is written, all of it at the end.

    primers  files, or folders of files, among which are the primers that the frame needs
    models   the same for language models; a Hugging Face folder is one

    Raises MissingPrimer or MissingModel, naming the one that is not among them.
    """
    found = read_frame(frame)
    done, furthest, head = 0, 0, b""

    def tell(done_bytes: int) -> None:
        nonlocal furthest
        furthest = max(furthest, done_bytes)
        if on_progress is not None:
            on_progress(furthest / max(1, found.decoded_length))

    with gathered(found, primers, models) as needs, needs.decoded(frame, on_progress=tell) as blocks:
        for block in blocks:
            original.write(block)
            head = head or bytes(block[:_HEAD_BYTES])
            done += len(block)
            tell(done)
    # Under a looser contract a picture may come back in another form.
    form = None if found.contract == EXACT else look(head, length=done).mime
    said: dict[str, Any] = {"original_bytes": done, "sha256": found.decoded_digest.hex()}
    return said | {"contract": str(found.contract), "media_type": form}


def frame_info(frame: BinaryIO) -> dict[str, Any]:
    """What a frame says about itself; no payload is read."""
    found = read_frame(frame)
    return {
        "frame_version": found.version,
        "contract": str(found.contract),
        "original_bytes": found.original_length,
        "packed_bytes": found.frame_length,
        "ratio": round(found.original_length / found.frame_length, 4) if found.original_length else 1.0,
        "sha256": found.original_digest.hex(),
        "formats": _formats(found),
        "primers": sorted(_named(found, primer_of)),
        "models": sorted(_named(found, model_of)),
        "chunks": len(found.chunks),
        "chunk_bytes_max": max(found.chunks.lengths(), default=0),
    }


def _formats(frame: Frame) -> list[str]:
    """Each format with its codec's name, as far as this release knows it."""
    named = []
    for entry in frame.formats:
        try:
            named.append(
                f"{entry.format} {codec_class(entry.format.id).facts.id} {entry.params.decode('utf-8', 'replace')}"
            )
        except (UnknownFormat, MissingExtra):
            named.append(f"{entry.format} (not known to this release)")
    return [name.rstrip() for name in named]


def _named(frame: Frame, of: Callable[[FormatEntry], str | None]) -> set[str]:
    """What the formats of a frame need, as far as this release knows them."""
    named: set[str | None] = set()
    for entry in frame.formats:
        with suppress(UnknownFormat, MissingExtra):
            named.add(of(entry))
    return set(filter(None, named))
