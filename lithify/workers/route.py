"""The route: which codecs are tried on an original, in which order, and why, in sentences kept with the result.

A probe (workers/child_tasks.py) says what the original is and what each codec promises; contract, effort and policy
say what may be promised and how hard to try. `stored` always runs: it costs nothing, and nothing is ever kept in more.
"""

from collections.abc import Container, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Self

from lithify import limits
from lithify.codecs.codec import Facts
from lithify.codecs.fidelity import EXACT, Contract
from lithify.errors import BadArgument, MissingExtra
from lithify.workers.extras import missing_extras
from lithify.workers.patience import wall_seconds_for

STORED = "raw.stored"
FAST = (STORED, "raw.zstd")
"""All that is tried at effort `fast`, but for what is made for the kind: what the staged copy is made with, better."""
_RAW = "raw."
_CLEARLY_MORE = 1.1
"""A codec that falls back on the raw family, block by block, has it in the race already: running raw codecs beside it
costs time for nothing (xz: a second per megabyte), unless one promises this much more than the other for the whole."""
_KERNELS_BYTES_MIN = 1 * limits.KIB
"""Shorter originals are not worth a process with kernels."""
_BEST_MIN, _BEST_MAX = 2, 3
_CLOSE = 0.9
"""At effort `default` a third codec runs when it promises at least this much of the best one's ratio: predictions from
a sample are that uncertain, and each codec more costs its time on every original."""


_HARDLY, _ALIKE = 1.03, 0.99
"""What promises less than this is compressed already (films, music, archives): at effort `default` the quickest of the
codecs that promise about the same runs alone, and what it does not make smaller is stored."""


@dataclass(frozen=True, slots=True)
class Predicted:
    """What a codec is expected to make of the whole original."""

    ratio: float
    encode_seconds: float
    decode_seconds: float
    memory_bytes: int
    confidence: float

    @classmethod
    def of(cls, estimate: Mapping[str, Any], length: int) -> Self:
        """A codec's estimate (see codecs.codec.Estimate), for an original of `length` bytes."""
        return cls(
            ratio=round(estimate["ratio"], 4),
            encode_seconds=round(length / max(estimate["encode_bytes_per_second"], 1.0), 4),
            decode_seconds=round(length / max(estimate["decode_bytes_per_second"], 1.0), 4),
            memory_bytes=int(estimate["peak_memory_bytes"]),
            confidence=round(estimate["confidence"], 2),
        )


_NOT_RUN = "not run: "
_OF_NO_USE = "it has no use for this kind of data"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A codec that was considered."""

    codec: str
    predicted: Predicted | None
    verdict: str = "run"
    """`run`, or `not run: ` and the reason."""
    found: dict[str, Any] | None = None
    primer: str | None = None
    """The digest of the primer it runs with."""
    contract: str | None = None
    """The contract that it may make use of; None: it gives every byte back, whatever was promised."""
    model: str | None = None
    """The digest of the language model it runs with."""
    exact_because: str | None = None
    """Why it makes no use of a looser contract, where somebody may have expected it to."""

    @property
    def label(self) -> str:
        """What tells it from the other candidates: a codec may run twice, with and without a primer."""
        if self.model is not None:
            return f"{self.codec} with model {self.model[:12]}"
        return self.codec if self.primer is None else f"{self.codec} with primer {self.primer[:12]}"

    @property
    def runs(self) -> bool:
        return self.verdict == "run"

    def dropped(self, why: str) -> "Candidate":
        return replace(self, verdict=_NOT_RUN + why)

    def as_json(self) -> dict[str, Any]:
        document: dict[str, Any] = {"codec": self.codec, "verdict": self.verdict}
        if self.primer is not None:
            document["primer"] = self.primer
        if self.contract is not None:
            document["contract"] = self.contract
        if self.model is not None:
            document["model"] = self.model
        if self.predicted is not None:
            document["predicted"] = asdict(self.predicted)
        if self.found is not None:
            document["found"] = self.found
        return document

    def said(self) -> list[str]:
        """Once it has run: why what it was let to lose is there after all."""
        if self.contract is None:
            return [] if self.exact_because is None else [self.exact_because]
        if not self.runs:
            return [self.verdict]
        found = self.found or {}
        if "error" in found:
            return [found["detail"]]
        return found.get("reasons") or ["what it found was no smaller than what gives every byte back"]


@dataclass(frozen=True, slots=True)
class Route:
    """The choice made for one original."""

    kind: str | None
    effort: str
    reason: str
    candidates: tuple[Candidate, ...]
    winner: str | None = None
    at_lines: bool = False
    """Whether parts should end at line ends."""
    uncut: frozenset[str] = frozenset()
    """Labels of the candidates that are given the whole of an original, however long."""
    contract: Contract = EXACT

    @property
    def running(self) -> tuple[Candidate, ...]:
        """The candidates to try, the most promising first."""
        return tuple(candidate for candidate in self.candidates if candidate.runs)

    @property
    def runs(self) -> tuple[str, ...]:
        """Their labels."""
        return tuple(candidate.label for candidate in self.running)

    def without(self, codecs: Container[str], why: str) -> "Route":
        """The same route, but for these codecs."""
        kept = [one.dropped(why) if one.runs and one.codec in codecs else one for one in self.candidates]
        return replace(self, candidates=tuple(kept))

    def as_json(self) -> dict[str, Any]:
        """As it is kept with the encoding."""
        document: dict[str, Any] = {"kind": self.kind, "effort": self.effort, "reason": self.reason}
        document["candidates"] = [candidate.as_json() for candidate in self.candidates]
        if self.winner is not None:
            document["winner"] = self.winner
        return document

    def completed(self, found: Mapping[str, dict[str, Any]], kept: Contract = EXACT) -> dict[str, Any]:
        """The route's document once its candidates have run.

        found  for each label: stored_bytes, ratio, seconds …, reasons, and parts_won of an original in parts; or error
               and detail
        kept   the contract that what won makes use of
        """
        candidates = tuple(replace(candidate, found=found.get(candidate.label)) for candidate in self.candidates)
        document = replace(self, candidates=candidates, winner=_winner(found)).as_json()
        if kept != self.contract and kept == EXACT:
            document["exact_because"] = _exact_because(candidates, self.contract, self.kind)
        return document


@dataclass(frozen=True, slots=True)
class Priming:
    """A primer that may help, and whom."""

    digest: str
    codec: str | None = None
    """The only codec that can use it; None: whichever can use any."""
    refusal: str | None = None
    """Why it cannot be used after all."""

    def of(self, candidate: Candidate, *, takes_primer: bool) -> Candidate | None:
        """The candidate once more, with this primer; None when that says nothing."""
        if not candidate.runs or not takes_primer or self.codec not in {None, candidate.codec}:
            return None
        primed = replace(candidate, primer=self.digest)
        return primed if self.refusal is None else primed.dropped(self.refusal)


def choose(
    probe: Mapping[str, Any],
    contract: Contract,
    effort: str,
    allowed: Sequence[str],
    length: int,
    priming: Priming | None = None,
    *,
    model: str | None = None,
) -> Route:
    """The route for an original that was probed.

    probe    what the task `probe` answered
    allowed  ids of the only codecs that may serve; empty: all
    priming  a primer that may help: its codec then runs once more, whatever is predicted for it without
    model    the digest of a language model: codecs that take one run with it, whatever others promise

    Raises MissingExtra or BadArgument when no codec may serve.
    """
    kind = probe["kind"]
    if not length:
        return Route(kind["kind"], effort, "there is nothing to encode", (Candidate(STORED, None),))
    codecs = {codec: facts for codec, facts in probe["codecs"].items() if not facts.get("takes_model")}
    with_model = [
        _allowed(Candidate(codec, None, model=model), facts["contracts"], contract, allowed)
        for codec, facts in probe["codecs"].items()
        if facts.get("takes_model") and (model is not None or codec in allowed)
    ]
    if model is None and with_model:
        raise BadArgument(f"{with_model[0].codec} needs a language model: name its file or folder with --model")
    considered = [_consider(codec, facts, contract, allowed, length) for codec, facts in codecs.items()]
    considered.sort(key=lambda candidate: -_ratio(candidate))
    missing = [facts["missing"] for facts in codecs.values() if facts.get("missing")]
    _refuse_nothing_left([*considered, *with_model], contract, allowed, missing)
    candidates = _by_effort(considered, codecs, effort)
    primed = _primed(candidates if effort == "fast" else considered, codecs, priming)
    runs = sum(candidate.runs for candidate in candidates)
    what = f"{kind['kind']} ({kind['reason']}); contract {contract}, effort {effort}"
    reason = f"{what}: {runs} of {len(candidates)} codecs run" + ", and one with a primer" * bool(primed)
    reason += ", and one with a language model" * any(candidate.runs for candidate in with_model)
    if contract != EXACT and not any(candidate.contract for candidate in candidates if candidate.runs):
        reason += "; none makes use of the contract, so that every byte is kept"
    running = {candidate.codec for candidate in (*candidates, *primed) if candidate.runs}
    at_lines = any(codecs[codec]["seams"] == "lines" for codec in running)
    uncut = frozenset(one.label for one in (*candidates, *primed) if codecs[one.codec]["seams"] == "whole")
    return Route(
        kind["kind"],
        effort,
        reason,
        (*candidates, *primed, *with_model),
        at_lines=at_lines,
        uncut=uncut,
        contract=contract,
    )


def choose_small(
    contract: Contract,
    effort: str,
    allowed: Sequence[str],
    length: int,
    priming: Priming | None = None,
    *,
    kind: str | None = None,
) -> Route:
    """The route for a short original: everything that may serve its kind, unprobed.

    Trying costs less than predicting, and each wins often. On 171 pieces of real data, times won and milliseconds:

                  zstd      brotli      xz          ppmd        stored
      1 KiB    2, 0.2     86, 2.2     15, 0.5     21, 0.3     47, 0
      16 KiB   6, 2.5     38, 12      31, 4.8     64, 3.5     32, 0
    """
    from lithify.codecs.registry import all_codecs

    if not length:
        return Route(None, effort, "there is nothing to encode", (Candidate(STORED, None),))
    # Codecs that need an extra are tried on what they are made for: their libraries are loaded where they run.
    known = [codec.facts for codec in all_codecs() if not codec.facts.takes_model]
    light = [facts for facts in known if not facts.needs or _can_serve(facts, kind)]
    considered = [
        _allowed(Candidate(facts.id, None), sorted(facts.contracts), contract, allowed)
        for facts in light
        if facts.id in allowed or _suits_small(facts, kind, effort, length)
    ]
    _refuse_nothing_left(considered, contract, allowed)
    reason = f"a short original; contract {contract}, effort {effort}: trying codecs costs less than predicting them"
    takes = {facts.id: {"takes_primer": facts.takes_primer} for facts in light}
    return Route(None, effort, reason, (*considered, *_primed(considered, takes, priming)))


def _can_serve(facts: Facts, kind: str | None) -> bool:
    """Whether a codec that needs an extra is made for this kind, and has what it needs."""
    return kind in facts.kinds and missing_extras(facts.needs) is None


def _suits_small(facts: Facts, kind: str | None, effort: str, length: int) -> bool:
    """Whether a codec is tried on a short original of this kind without being asked for."""
    if (facts.kernels and length < _KERNELS_BYTES_MIN) or facts.too_slow(effort, length):
        return False
    kinds = facts.kinds_at(length)
    return kind in kinds if kinds else effort != "fast" or facts.id in FAST


def _primed(
    considered: Sequence[Candidate], facts: Mapping[str, Mapping[str, Any]], priming: Priming | None
) -> list[Candidate]:
    if priming is None:
        return []
    again = (priming.of(one, takes_primer=facts[one.codec].get("takes_primer", False)) for one in considered)
    return [candidate for candidate in again if candidate is not None]


def _consider(
    codec: str, facts: Mapping[str, Any], contract: Contract, allowed: Sequence[str], length: int
) -> Candidate:
    because = None if contract == EXACT else _because(facts, contract, length)
    if facts.get("missing"):
        return Candidate(codec, None, exact_because=because).dropped(facts["missing"])
    estimate = facts["estimate"]
    predicted = None if estimate is None else Predicted.of(estimate, length)
    candidate = _allowed(Candidate(codec, predicted, exact_because=because), facts["contracts"], contract, allowed)
    if not candidate.runs or codec == STORED:
        return candidate
    if predicted is None:
        return candidate.dropped(facts.get("refusal") or _OF_NO_USE)
    at_once = length if facts["seams"] == "whole" else min(length, limits.PART_BYTES)
    is_of_use = not contract.variables or facts.get("names_variables", False)
    if contract != EXACT and contract.kind in facts["contracts"] and at_once == length and is_of_use:
        candidate = replace(candidate, contract=str(contract))
    seconds = predicted.encode_seconds * at_once / length
    if seconds > (allowed_seconds := wall_seconds_for(at_once)):
        return candidate.dropped(f"it would take {seconds:.0f} s, over the {allowed_seconds:.0f} s it may")
    if predicted.memory_bytes > limits.CHILD_MEMORY_BYTES:
        needed, most = (number // limits.MIB for number in (predicted.memory_bytes, limits.CHILD_MEMORY_BYTES))
        return candidate.dropped(f"it would take {needed} MiB of memory, over the {most} MiB it may")
    return candidate


def _because(facts: Mapping[str, Any], contract: Contract, length: int) -> str | None:
    """Why a codec that is made for an original may make no use of a contract; None: nobody would expect it to."""
    if not facts.get("made_for_kind"):
        return None
    if missing := facts.get("missing"):
        return str(missing)
    if contract.kind not in facts["contracts"]:
        return facts.get("exact_because") or None
    if facts["estimate"] is None:
        return facts.get("refusal") or "it knows no such files as this one"
    if facts["seams"] != "whole" and length > limits.PART_BYTES:
        return f"of originals of more than {limits.PART_BYTES // limits.MIB} MiB it gives every byte back"
    return None


def _exact_because(candidates: Sequence[Candidate], contract: Contract, kind: str | None) -> list[str]:
    """Why every byte is kept of an original that need not come back so: a sentence for each codec that had a say."""
    said = [f"{candidate.codec}: {why}" for candidate in candidates for why in candidate.said()]
    return list(dict.fromkeys(said)) or [
        f"no codec here keeps less than every byte of {kind} for the sake of {contract}"
    ]


def _allowed(candidate: Candidate, contracts: Sequence[str], contract: Contract, allowed: Sequence[str]) -> Candidate:
    if allowed and candidate.codec not in allowed and candidate.codec != STORED:
        return candidate.dropped("the policy does not list it")
    if "exact" not in contracts and contract.kind not in contracts:
        return candidate.dropped(f"it cannot keep the contract {contract}")
    return candidate


def _by_effort(considered: Sequence[Candidate], facts: Mapping[str, Mapping[str, Any]], effort: str) -> list[Candidate]:
    """Drop what this effort does not try; `considered` comes best ratio first."""
    if effort == "max":
        return list(considered)
    considered = _without_fallbacks(considered, facts)
    hopeful = [candidate for candidate in considered if candidate.runs and candidate.codec != STORED]
    # What makes use of a looser contract takes nobody's place: where it finds no way to, the best exact one wins.
    loose = [candidate for candidate in hopeful if candidate.contract is not None]
    exact = [candidate for candidate in hopeful if candidate.contract is None]
    if effort == "fast":
        fast = {*FAST, *(codec for codec in facts if facts[codec].get("made_for_kind"))}
        kept = [candidate for candidate in exact if candidate.codec in fast] or exact[:1]
        why = "effort fast tries zstd only" + " beside what is made for the kind" * (fast != set(FAST))
    elif exact and _ratio(exact[0]) < _HARDLY:
        kept, why = [_cheapest(exact)], "it seems to be compressed already: one cheap try is all that is made"
    else:
        # Who expects the original to grow does not run beside others: opening deflated streams in vain takes longest.
        hopeful = [candidate for candidate in exact if _ratio(candidate) >= 1]
        close = [candidate for candidate in hopeful if _ratio(candidate) >= _CLOSE * _ratio(exact[0])]
        kept = hopeful[: min(max(len(close), _BEST_MIN), _BEST_MAX)]
        why = "others promise more"
    kept += loose
    return [
        candidate if candidate in kept or candidate.codec == STORED or not candidate.runs else candidate.dropped(why)
        for candidate in considered
    ]


def _cheapest(hopeful: Sequence[Candidate]) -> Candidate:
    """The quickest of those that promise about as much as the first one."""
    alike = [one for one in hopeful if _ratio(one) >= _ALIKE * _ratio(hopeful[0])]
    return min(alike, key=lambda one: one.predicted.encode_seconds if one.predicted else 0.0)


def _without_fallbacks(considered: Sequence[Candidate], facts: Mapping[str, Mapping[str, Any]]) -> Sequence[Candidate]:
    """Drop the raw codecs that another candidate tries by itself."""
    wide = [one for one in considered if one.runs and facts[one.codec].get("falls_back")]
    if not wide:
        return considered
    why = f"{wide[0].codec} falls back to it by itself, block by block"
    most = _CLEARLY_MORE * _ratio(wide[0])

    def is_tried_there(one: Candidate) -> bool:
        return one.codec.startswith(_RAW) and one.codec != STORED and _ratio(one) <= most

    return [one.dropped(why) if one.runs and is_tried_there(one) else one for one in considered]


def _ratio(candidate: Candidate) -> float:
    return 0.0 if candidate.predicted is None else candidate.predicted.ratio


def _refuse_nothing_left(
    considered: Sequence[Candidate], contract: Contract, allowed: Sequence[str], missing: Sequence[str] = ()
) -> None:
    """Codecs were asked for by name and none of them may run: say why, rather than quietly store."""
    if not allowed or any(candidate.runs for candidate in considered if candidate.codec in allowed):
        return
    if missing:
        raise MissingExtra(f"none of {', '.join(allowed)} can run here: {'; '.join(missing)}")
    why = {one.codec: one.verdict.removeprefix(_NOT_RUN) for one in considered}
    reasons = "; ".join(f"{codec}: {why.get(codec, _OF_NO_USE)}" for codec in allowed)
    raise BadArgument(f"no codec that was named can serve, under the contract {contract}: {reasons}")


def _winner(found: Mapping[str, dict[str, Any]]) -> str | None:
    """One sentence on who won, by how much."""
    fit = sorted((outcome["stored_bytes"], codec) for codec, outcome in found.items() if "stored_bytes" in outcome)
    parts = {codec: outcome["parts_won"] for codec, outcome in found.items() if outcome.get("parts_won")}
    if len(parts) > 1:
        shares = sorted(parts.items(), key=lambda item: -item[1])
        return "; ".join(
            f"{codec} has the smallest form of {won} of {sum(parts.values())} parts" for codec, won in shares
        )
    if not fit:
        return None
    (best_bytes, best), *rest = fit
    if not rest:
        return f"{best}: {best_bytes} bytes"
    next_bytes, following = rest[0]
    return f"{best}: {best_bytes} bytes, {1 - best_bytes / next_bytes:.1%} smaller than {following}"
