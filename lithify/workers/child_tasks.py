"""What a codec's process can be asked to do. Each task is one function, and one line in TASKS at the end.

Descriptors come in the order that a task's docstring names. An `input` is a Place: an original as it is, or a frame
that decodes to it; `start` and `end` cut the part that is wanted. Whatever is attached behind what a task's docstring
names are primers: those that frames or params name, known by what their bytes hash to. Descriptors behind those that
a docstring names are language models: the argument `models` has the SHA-256 of each, in their order. A task asks for
the kernels it needs (workers/kernels.py) before it does anything: it may have to begin again elsewhere.
"""

import hashlib
import io
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any, BinaryIO, cast

from lithify import limits
from lithify.codecs.codec import Buffer, ChunkSink, Codec, Effort, Source
from lithify.codecs.fidelity import EXACT, Contract
from lithify.codecs.frame import Frame, FrameWriter, Primers, Tally, at_hand, checked_model, decode_frame, read_frame
from lithify.codecs.frame.primers import check_length
from lithify.codecs.reasons import reasons_given
from lithify.codecs.registry import FORMATS, all_codecs, by_id, codec_class, known_formats
from lithify.codecs.signs import heard_by
from lithify.errors import FidelityBroken, LithifyError, MissingExtra
from lithify.workers import kernels
from lithify.workers.array_tasks import arrays, slice_arrays
from lithify.workers.child import Call, Reply, Task, as_lithify_error
from lithify.workers.contents_tasks import contents
from lithify.workers.extras import missing_extras
from lithify.workers.kinds import look
from lithify.workers.parts import last_line_end
from lithify.workers.plot_tasks import plot
from lithify.workers.route import FAST, STORED
from lithify.workers.search_tasks import search, templates
from lithify.workers.sources import DigestedSource, Place, brought, open_slice, open_source
from lithify.workers.text_tasks import compare, prove, prove_model, weigh

_PRELOADED = [codec_class(number) for number in FORMATS if number < 0x0200]
"""The raw family is needed by all and loads in 0.1 s: the zygote pays for it. Others are loaded where they are used."""
_SAMPLE_PIECES = 3


# --- looking ------------------------------------------------------------------------------------------


def probe(call: Call) -> Reply:
    """What an original is, and what each codec promises to make of it.

    fds      the original
    args     input, effort; name (or None); codecs: ids of the only ones that may serve, or None; contract
    answer   length, kind (see kinds.Kind), codecs: {id: contracts, seams, format, params, estimate, missing,
             takes_primer, made_for_kind, refusal, falls_back, exact_because, names_variables}, or only takes_model
             and contracts;
             without_kernels: ids of those to be asked where kernels are
    """
    source = _source(call)
    effort = cast("Effort", call.args["effort"])
    sample = _sample(source)
    kind = look(sample[: limits.PROBE_BYTES // _SAMPLE_PIECES], call.args["name"], source.length)
    asked = call.args["codecs"] or ()
    contract = Contract.parse(call.args.get("contract") or str(EXACT))
    facts: dict[str, dict[str, Any]] = {}
    without_kernels = []
    for number, target in known_formats().items():
        try:
            codec = codec_class(number)
        except MissingExtra as error:
            facts[target] = {"missing": error.message}
            continue
        if codec.facts.takes_model and (not asked or codec.facts.id in asked):
            facts[codec.facts.id] = {"takes_model": True, "contracts": sorted(codec.facts.contracts)}
        if codec.facts.takes_model:
            continue
        made_for_kind = kind.kind in codec.facts.kinds_at(source.length)
        if not _is_wanted(codec, asked, effort, made_for_kind=made_for_kind):
            continue
        fits = made_for_kind or not codec.facts.kinds or codec.facts.id in asked
        refusal = _refusal(codec, source.length, effort, asked) if fits else None
        fits = fits and refusal is None
        if fits and kernels.lacking(codec):
            if codec.may_suit(sample, source.length):
                without_kernels.append(codec.facts.id)
            fits = False
        with reasons_given() as reasons:
            found = _facts(codec, sample, source.length, effort, contract, fits=fits)
        why = refusal or "; ".join(reasons) or None
        facts[codec.facts.id] = {**found, "made_for_kind": made_for_kind, "refusal": why}
    return Reply({"length": source.length, "kind": asdict(kind), "codecs": facts, "without_kernels": without_kernels})


def _is_wanted(codec: type[Codec], asked: Sequence[str], effort: Effort, *, made_for_kind: bool) -> bool:
    if asked:
        return codec.facts.id in (*asked, STORED)
    return effort != "fast" or codec.facts.id in FAST or made_for_kind


def _refusal(codec: type[Codec], length: int, effort: Effort, asked: Sequence[str]) -> str | None:
    too_slow = None if codec.facts.id in asked else codec.facts.too_slow(effort, length)
    return codec.facts.too_long(length) or too_slow


def _sample(source: Source) -> bytes:
    """The whole of a short original; pieces from the start, the middle and the end of a long one."""
    if source.length <= limits.PROBE_BYTES:
        return source.read(0, source.length)
    piece = limits.PROBE_BYTES // _SAMPLE_PIECES
    last = source.length - piece
    return b"".join(source.read(last * i // (_SAMPLE_PIECES - 1), piece) for i in range(_SAMPLE_PIECES))


def _facts(
    codec: type[Codec], sample: bytes, length: int, effort: Effort, contract: Contract, *, fits: bool
) -> dict[str, Any]:
    missing = missing_extras(codec.facts.needs)
    estimate = None
    if fits and not missing and contract != EXACT and contract.kind in codec.facts.contracts:
        estimate = codec.probe_keeping(sample, length, effort, contract)
    elif fits and not missing:
        estimate = codec.probe(sample, length, effort)
    return {
        "contracts": sorted(codec.facts.contracts),
        "seams": codec.facts.seams,
        "format": str(codec.facts.format),
        "params": json.loads(codec.params_for(effort, length).to_json() or "{}"),
        "estimate": estimate and asdict(estimate),
        "missing": missing,
        "takes_primer": codec.facts.takes_primer,
        "falls_back": codec.facts.falls_back,
        "names_variables": codec.facts.names_variables,
        "exact_because": codec.facts.exact_because,
    }


def line_ends(call: Call) -> Reply:
    """Where an original may be cut, near to where it would be.

    fds      the original
    args     input; cuts: the places; back_bytes: how far before each a line end is looked for
    answer   cuts: the place behind the last line end before each cut, or the cut where there is none
    """
    source = _source(call)
    return Reply({"cuts": [last_line_end(source, cut, call.args["back_bytes"]) for cut in call.args["cuts"]]})


# --- encoding -----------------------------------------------------------------------------------------


class _ReportingSink:
    """A sink that tells how much of the original is done."""

    def __init__(self, sink: ChunkSink, report: Callable[[int], None]) -> None:
        self._sink, self._report = sink, report
        self._done_bytes = 0

    def share(self, data: bytes) -> None:
        self._sink.share(data)

    def chunk(self, payload: Buffer, decoded: Buffer) -> None:
        self._sink.chunk(payload, decoded)
        self._done_bytes += len(decoded)
        self._report(self._done_bytes)

    def inside(self, done_bytes: int) -> None:
        """So many bytes of the next chunk are done."""
        self._report(self._done_bytes + done_bytes)


def encode(call: Call) -> Reply:
    """Write one complete frame for a part of an original.

    fds      the original; the file the frame is written to, from where that stands
    args     input, start, end; codec; params, or effort to have them chosen; primer, model: the digest of one to encode
             with; contract: a looser one than exact that may be kept, or None
    answer   codec, format, params, original_bytes, stored_bytes, digest of the decoded bytes, contract that is kept,
             seconds, reasons for what is kept otherwise than was asked for
    """
    source = _source(call)
    kernels.require(by_id(call.args["codec"]))
    codec = _codec(call.args, source.length, brought(call))
    started = time.perf_counter()
    with open(call.fds[1], "wb", buffering=0, closefd=False) as out, reasons_given() as reasons:
        frame = _encode(source, codec, cast("BinaryIO", out), call.progress, call.args.get("contract"))
    return Reply(_outcome(codec, frame, time.perf_counter() - started, reasons))


def encode_small(call: Call) -> Reply:
    """Race the candidates over many small originals, in one round trip.

    attached  the originals, or frames that decode to them
    args      framed; items: for each original the candidates, each codec and params (or effort), and perhaps a primer
    answer    items: original_bytes, digest, found (one per candidate: as `encode` answers, or codec and error), winner:
              index into found, or None when all failed; attached: the winners' frames, empty where there is none
    """
    items, frames = [], []
    done_bytes = 0
    originals, primers = _split(call.attached, len(call.args["items"]))
    tried = {candidate["codec"] for item in call.args["items"] for candidate in item["candidates"]}
    kernels.require(*(codec for codec in all_codecs() if codec.facts.id in tried))
    for original, wanted in zip(originals, call.args["items"], strict=True):
        source = open_source(io.BytesIO(original), framed=call.args["framed"], primers=primers)
        item, frame = _race(source, wanted["candidates"], primers)
        items.append(item)
        frames.append(frame)
        done_bytes += source.length
        call.progress(done_bytes)
    return Reply({"items": items}, frames)


def _race(source: Source, candidates: list[dict[str, Any]], primers: Primers) -> tuple[dict[str, Any], bytes]:
    found, frames = [], []
    for candidate in candidates:
        outcome, frame = _attempt(source, candidate, primers)
        found.append(outcome)
        frames.append(frame)
    fit = [index for index, frame in enumerate(frames) if frame]
    winner = min(fit, key=lambda index: len(frames[index]), default=None)
    digest = _digest_of(source).hex()
    item = {"original_bytes": source.length, "digest": digest, "found": found, "winner": winner}
    return item, b"" if winner is None else frames[winner]


def _attempt(source: Source, candidate: dict[str, Any], primers: Primers) -> tuple[dict[str, Any], bytes]:
    out = io.BytesIO()
    started = time.perf_counter()
    try:
        codec = _codec(candidate, source.length, primers)
        with reasons_given() as reasons:
            frame = _encode(source, codec, out, lambda _: None)
    except Exception as error:  # noqa: BLE001 - a codec that fails on one original costs that candidate, not the batch
        found = as_lithify_error(error)
        return {"codec": candidate["codec"], "error": {"code": found.code, "message": found.message}}, b""
    return _outcome(codec, frame, time.perf_counter() - started, reasons), out.getvalue()


def _codec(args: dict[str, Any], length: int, primers: Primers) -> Codec:
    found = by_id(args["codec"])
    if args.get("params") is not None:
        params = found.params_type.from_json(json.dumps(args["params"]).encode())
    else:
        params = found.params_for(args["effort"], length)
    if args.get("contract") is not None:
        params = found.params_keeping(params, Contract.parse(args["contract"]))
    primer, model = args.get("primer"), args.get("model")
    if model is not None:
        return found(found.params_with_model(params, model)).with_model(checked_model(model, primers))
    if primer is not None:
        return found(found.params_with_primer(params, primer)).primed(bytes(primers(primer)))
    return found(params)


def _encode(
    source: Source, codec: Codec, out: BinaryIO, report: Callable[[int], None], contract: str | None = None
) -> Frame:
    writer = FrameWriter(out)
    sink = _ReportingSink(writer.sink(codec), report)
    with heard_by(sink.inside):
        codec.encode(source, sink)
    if contract is not None:
        digest = _digest_of(source)
        kept = EXACT if writer.decoded_digest == digest else Contract.parse(contract)
        return writer.finish(contract=kept, original_length=source.length, original_digest=digest)
    frame = writer.finish(contract=EXACT)
    if frame.decoded_length != source.length:
        raise FidelityBroken(f"{codec.facts.id} made {frame.decoded_length} bytes of {source.length}")
    return frame


def _digest_of(source: Source) -> bytes:
    sha256 = hashlib.sha256()
    for at in range(0, source.length, limits.COPY_BYTES):
        sha256.update(source.read(at, limits.COPY_BYTES))
    return sha256.digest()


def _outcome(codec: Codec, frame: Frame, seconds: float, reasons: Sequence[str]) -> dict[str, Any]:
    return {
        "codec": codec.facts.id,
        "format": str(codec.facts.format),
        "params": json.loads(codec.params.to_json() or "{}"),
        "original_bytes": frame.original_length,
        "stored_bytes": frame.frame_length,
        "digest": frame.decoded_digest.hex(),
        "contract": str(frame.contract),
        "seconds": seconds,
        "reasons": list(reasons),
    }


def make_primer(call: Call) -> Reply:
    """What earlier originals teach about the next one of their kind.

    attached  the originals, or their beginnings
    args      codecs: ids of the only ones to be taught, or None; kinds: what the originals are, or None
    answer    codec: who learnt something, or None; attached: its primer
    """
    for number in known_formats():
        try:
            codec = codec_class(number)
        except MissingExtra:
            continue
        suits = not codec.facts.kinds or call.args["kinds"] is None or codec.facts.kinds & set(call.args["kinds"])
        allowed = suits if call.args["codecs"] is None else codec.facts.id in call.args["codecs"]
        if not allowed or not codec.facts.takes_primer or missing_extras(codec.facts.needs):
            continue
        kernels.require(codec)
        primer = codec.make_primer(call.attached)
        if primer is not None:
            check_length(len(primer), f"the primer that {codec.facts.id} made")
            return Reply({"codec": codec.facts.id}, [primer])
    return Reply({"codec": None})


# --- decoding -----------------------------------------------------------------------------------------


def decode(call: Call) -> Reply:
    """Send the bytes of an original, from `start` to `end` (None: the last), each checked.

    fds      the file the frame lies in
    args     input, start, end
    answer   length, stored_bytes: what had to be read
    """
    length, tally = 0, Tally()
    with heard_by(lambda done: call.progress(length + done)):
        for block in _decoded(call, tally):
            call.data(block)
            length += len(block)
    return Reply({"length": length, "stored_bytes": tally.stored_bytes})


def digest(call: Call) -> Reply:
    """Decode, and give the SHA-256 of what came out; fds and args as for `decode`.

    answer   digest, length, stored_bytes, seconds
    """
    length, tally, sha256 = 0, Tally(), hashlib.sha256()
    started = time.perf_counter()
    with heard_by(lambda done: call.progress(length + done)):
        for block in _decoded(call, tally):
            sha256.update(block)
            length += len(block)
            call.progress(length)
    seconds = time.perf_counter() - started
    return Reply(
        {"digest": sha256.hexdigest(), "length": length, "stored_bytes": tally.stored_bytes, "seconds": seconds}
    )


def measure(call: Call) -> Reply:
    """Decode a frame that keeps less than every byte, and measure what came out beside the original.

    fds      the file the frame lies in; the original
    args     input: the frame's place; original: the original's
    answer   digest and length of what came out, figures: what its codec measured, seconds: what decoding took

    Raises FidelityBroken when the frame's contract is not kept.
    """
    decoded = DigestedSource(open_slice(call.fds[0], Place(**call.args["input"])), brought(call), call.progress)
    place = Place(**call.args["original"])
    source = open_source(open_slice(call.fds[1], place), framed=place.framed, primers=brought(call))
    (entry,) = decoded.frame.formats
    figures = codec_class(entry.format.id).measure_sources(source, decoded, decoded.frame.contract)
    found = {"digest": decoded.digest(), "length": decoded.length, "figures": dict(figures), "seconds": decoded.seconds}
    return Reply(found)


def digest_small(call: Call) -> Reply:
    """Decode many small frames.

    attached  the frames
    args      frames: how many
    answer    items: digest, length and seconds of each, or its error (code, message)
    """
    frames, primers = _split(call.attached, call.args["frames"])
    return Reply({"items": [_digest(frame, primers) for frame in frames]})


def _digest(frame: bytes, primers: Primers) -> dict[str, Any]:
    started = time.perf_counter()
    file = io.BytesIO(frame)
    try:
        said = read_frame(file)
        kernels.require_for(said)
        data = b"".join(decode_frame(file, frame=said, primers=primers))
    except LithifyError as error:
        return {"error": {"code": error.code, "message": error.message}}
    seconds = time.perf_counter() - started
    return {"digest": hashlib.sha256(data).hexdigest(), "length": len(data), "seconds": seconds}


def _decoded(call: Call, tally: Tally) -> Any:
    file = open_slice(call.fds[0], Place(**call.args["input"]))
    start, end = call.args.get("start") or 0, call.args.get("end")
    frame = read_frame(file)
    kernels.require_for(frame)
    return decode_frame(file, start=start, end=end, frame=frame, tally=tally, primers=brought(call))


def _source(call: Call) -> Source:
    place = Place(**call.args["input"])
    start, end = call.args.get("start") or 0, call.args.get("end")
    primers = brought(call)
    return open_source(open_slice(call.fds[0], place), framed=place.framed, start=start, end=end, primers=primers)


def _split(attached: Sequence[bytes], count: int) -> tuple[Sequence[bytes], Primers]:
    """The `count` things that a task is about, and the primers behind them."""
    return attached[:count], at_hand(attached[count:])


TASKS: dict[str, Task] = {
    "probe": probe,
    "line_ends": line_ends,
    "encode": encode,
    "encode_small": encode_small,
    "make_primer": make_primer,
    "decode": decode,
    "digest": digest,
    "digest_small": digest_small,
    "measure": measure,
    "plot": plot,
    "search": search,
    "templates": templates,
    "arrays": arrays,
    "slice_arrays": slice_arrays,
    "contents": contents,
    "weigh": weigh,
    "compare": compare,
    "prove": prove,
    "prove_model": prove_model,
}
