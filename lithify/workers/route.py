"""The route: which codecs are tried on an original, in which order, and why, in sentences kept with the result.

A probe (workers/child_tasks.py) says what the original is and what each codec promises; contract, effort and policy
say what may be promised and how hard to try. `stored` always runs: it costs nothing, and nothing is ever kept in more.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Self

from lithify import limits
from lithify.codecs.fidelity import Contract
from lithify.errors import BadArgument, MissingExtra

STORED = "raw.stored"
FAST = (STORED, "raw.zstd")
"""All that is tried at effort `fast`: what the staged copy is made with, only better."""
_BEST_MIN, _BEST_MAX = 2, 3
_CLOSE = 0.9
"""At effort `default` a third codec runs when it promises at least this much of the best one's ratio: predictions from
a sample are that uncertain, and each codec more costs its time on every original."""


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


@dataclass(frozen=True, slots=True)
class Candidate:
    """A codec that was considered."""

    codec: str
    predicted: Predicted | None
    verdict: str = "run"
    """`run`, or `not run: ` and the reason."""
    found: dict[str, Any] | None = None

    @property
    def runs(self) -> bool:
        return self.verdict == "run"

    def dropped(self, why: str) -> "Candidate":
        return replace(self, verdict=f"not run: {why}")

    def as_json(self) -> dict[str, Any]:
        document: dict[str, Any] = {"codec": self.codec, "verdict": self.verdict}
        if self.predicted is not None:
            document["predicted"] = asdict(self.predicted)
        if self.found is not None:
            document["found"] = self.found
        return document


@dataclass(frozen=True, slots=True)
class Route:
    """The choice made for one original."""

    kind: str | None
    effort: str
    reason: str
    candidates: tuple[Candidate, ...]
    winner: str | None = None

    @property
    def runs(self) -> tuple[str, ...]:
        """Ids of the codecs to try, the most promising first."""
        return tuple(candidate.codec for candidate in self.candidates if candidate.runs)

    def as_json(self) -> dict[str, Any]:
        """As it is kept with the encoding."""
        document: dict[str, Any] = {"kind": self.kind, "effort": self.effort, "reason": self.reason}
        document["candidates"] = [candidate.as_json() for candidate in self.candidates]
        if self.winner is not None:
            document["winner"] = self.winner
        return document

    def completed(self, found: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
        """The route's document once its candidates have run.

        found  for each codec: stored_bytes, ratio, seconds … and parts_won of an original in parts; or error and detail
        """
        candidates = tuple(replace(candidate, found=found.get(candidate.codec)) for candidate in self.candidates)
        return replace(self, candidates=candidates, winner=_winner(found)).as_json()


def choose(probe: Mapping[str, Any], contract: Contract, effort: str, allowed: Sequence[str], length: int) -> Route:
    """The route for an original that was probed.

    probe    what the task `probe` answered
    allowed  ids of the only codecs that may serve; empty: all

    Raises MissingExtra or BadArgument when no codec may serve.
    """
    kind = probe["kind"]
    if not length:
        return Route(kind["kind"], effort, "there is nothing to encode", (Candidate(STORED, None),))
    considered = [_consider(codec, facts, contract, allowed, length) for codec, facts in probe["codecs"].items()]
    considered.sort(key=lambda candidate: -_ratio(candidate))
    missing = [facts["missing"] for facts in probe["codecs"].values() if facts.get("missing")]
    _refuse_nothing_left(considered, contract, allowed, missing)
    candidates = _by_effort(considered, effort)
    runs = sum(candidate.runs for candidate in candidates)
    what = f"{kind['kind']} ({kind['reason']}); contract {contract}, effort {effort}"
    reason = f"{what}: {runs} of {len(candidates)} codecs run"
    return Route(kind["kind"], effort, reason, tuple(candidates))


def choose_small(contract: Contract, effort: str, allowed: Sequence[str], length: int) -> Route:
    """The route for a short original: everything that may serve, unprobed.

    Trying costs less than predicting, and each wins often. On 171 pieces of real data, times won and milliseconds:

                  zstd      brotli      xz          ppmd        stored
      1 KiB    2, 0.2     86, 2.2     15, 0.5     21, 0.3     47, 0
      16 KiB   6, 2.5     38, 12      31, 4.8     64, 3.5     32, 0
    """
    from lithify.codecs.registry import all_codecs

    if not length:
        return Route(None, effort, "there is nothing to encode", (Candidate(STORED, None),))
    # Codecs that need an extra are slow to load, and the worker itself never loads them.
    light = [codec.facts for codec in all_codecs() if not codec.facts.needs]
    considered = [
        _allowed(Candidate(facts.id, None), sorted(facts.contracts), contract, allowed)
        for facts in light
        if effort != "fast" or facts.id in FAST or facts.id in allowed
    ]
    _refuse_nothing_left(considered, contract, allowed)
    reason = f"a short original; contract {contract}, effort {effort}: trying codecs costs less than predicting them"
    return Route(None, effort, reason, tuple(considered))


def _consider(
    codec: str, facts: Mapping[str, Any], contract: Contract, allowed: Sequence[str], length: int
) -> Candidate:
    if facts.get("missing"):
        return Candidate(codec, None).dropped(facts["missing"])
    estimate = facts["estimate"]
    predicted = None if estimate is None else Predicted.of(estimate, length)
    candidate = _allowed(Candidate(codec, predicted), facts["contracts"], contract, allowed)
    if not candidate.runs or codec == STORED:
        return candidate
    if predicted is None:
        return candidate.dropped("it has no use for this kind of data")
    part = length if facts["seams"] == "whole" else min(length, limits.PART_BYTES)
    seconds = predicted.encode_seconds * part / length
    if seconds > limits.CHILD_WALL_SECONDS:
        return candidate.dropped(f"it would take {seconds:.0f} s, over the {limits.CHILD_WALL_SECONDS:.0f} s it may")
    if predicted.memory_bytes > limits.CHILD_MEMORY_BYTES:
        needed, most = (number // limits.MIB for number in (predicted.memory_bytes, limits.CHILD_MEMORY_BYTES))
        return candidate.dropped(f"it would take {needed} MiB of memory, over the {most} MiB it may")
    return candidate


def _allowed(candidate: Candidate, contracts: Sequence[str], contract: Contract, allowed: Sequence[str]) -> Candidate:
    if allowed and candidate.codec not in allowed and candidate.codec != STORED:
        return candidate.dropped("the policy does not list it")
    if "exact" not in contracts and contract.kind not in contracts:
        return candidate.dropped(f"it cannot keep the contract {contract}")
    return candidate


def _by_effort(considered: Sequence[Candidate], effort: str) -> list[Candidate]:
    """Drop what this effort does not try; `considered` comes best ratio first."""
    if effort == "max":
        return list(considered)
    hopeful = [candidate for candidate in considered if candidate.runs and candidate.codec != STORED]
    if effort == "fast":
        kept = [candidate for candidate in hopeful if candidate.codec in FAST] or hopeful[:1]
        why = "effort fast tries zstd only"
    else:
        close = [candidate for candidate in hopeful if _ratio(candidate) >= _CLOSE * _ratio(hopeful[0])]
        kept = hopeful[: min(max(len(close), _BEST_MIN), _BEST_MAX)]
        why = "others promise more"
    return [
        candidate if candidate in kept or candidate.codec == STORED or not candidate.runs else candidate.dropped(why)
        for candidate in considered
    ]


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
    raise BadArgument(f"none of {', '.join(allowed)} can keep the contract {contract}")


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
