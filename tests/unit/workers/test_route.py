"""Routes: who is tried, in which order, and the sentences that say why."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from lithify import limits
from lithify.codecs import registry
from lithify.codecs.codec import Facts, Format
from lithify.codecs.fidelity import EXACT, Contract
from lithify.codecs.raw.ppmd import Ppmd
from lithify.codecs.raw.stored import Stored
from lithify.codecs.raw.zstd import Zstd
from lithify.codecs.text.codec import Text
from lithify.errors import BadArgument, MissingExtra
from lithify.workers.patience import wall_seconds_for
from lithify.workers.route import Route, choose, choose_small

LENGTH = 100 * limits.MIB


def promise(ratio: float, speed: float = 20e6, memory: int = 10 * limits.MIB, **changes: Any) -> dict[str, Any]:
    """What a probe says of one codec."""
    estimate = {
        "ratio": ratio,
        "encode_bytes_per_second": speed,
        "decode_bytes_per_second": 5 * speed,
        "peak_memory_bytes": memory,
        "confidence": 0.6,
    }
    facts: dict[str, Any] = {
        "contracts": ["exact"],
        "seams": "bytes",
        "format": "0x0101 1.0",
        "params": {},
        "missing": None,
    }
    return {**facts, "estimate": estimate, **changes}


def probed(**codecs: dict[str, Any]) -> dict[str, Any]:
    named = {name.replace("__", "."): facts for name, facts in codecs.items()}
    kind = {"kind": "log", "queue": "logs", "mime": "text/plain", "reason": "9 of 9 lines carry a time"}
    return {"length": LENGTH, "kind": kind, "codecs": {"raw.stored": promise(1.0), **named}}


PROBE = probed(raw__zstd=promise(5.0), raw__brotli=promise(5.5), raw__xz=promise(6.5), raw__ppmd=promise(7.0))


def route(
    probe: dict[str, Any] = PROBE, contract: Contract = EXACT, effort: str = "default", allowed: tuple[str, ...] = ()
) -> Route:
    return choose(probe, contract, effort, allowed, LENGTH)


def verdict(found: Route, codec: str) -> str:
    (candidate,) = [candidate for candidate in found.candidates if candidate.codec == codec]
    return candidate.verdict


def test_default_runs_the_best_two_and_stored() -> None:
    assert ("raw.ppmd", "raw.xz", "raw.stored") == route().runs
    assert "not run: others promise more" == verdict(route(), "raw.zstd")


def test_default_runs_a_third_that_is_close_to_the_best() -> None:
    close = probed(raw__zstd=promise(5.0), raw__brotli=promise(6.4), raw__xz=promise(6.5), raw__ppmd=promise(7.0))
    assert ("raw.ppmd", "raw.xz", "raw.brotli", "raw.stored") == route(close).runs


def test_max_runs_all() -> None:
    assert ("raw.ppmd", "raw.xz", "raw.brotli", "raw.zstd", "raw.stored") == route(effort="max").runs


def test_fast_runs_zstd_and_stored() -> None:
    assert ("raw.zstd", "raw.stored") == route(effort="fast").runs


def test_fast_runs_what_the_policy_lists_when_that_is_not_zstd() -> None:
    assert ("raw.xz", "raw.stored") == route(effort="fast", allowed=("raw.xz",)).runs


def test_a_policy_keeps_all_others_out_but_never_stored() -> None:
    found = route(effort="max", allowed=("raw.zstd",))
    assert ("raw.zstd", "raw.stored") == found.runs
    assert "not run: the policy does not list it" == verdict(found, "raw.xz")


def test_a_codec_too_slow_for_one_part_does_not_run() -> None:
    slow = probed(raw__zstd=promise(5.0), text__model=promise(9.0, speed=1000.0))
    found = route(slow)
    assert ("raw.zstd", "raw.stored") == found.runs
    assert verdict(found, "text.model").startswith("not run: it would take 67109 s")


def test_a_codec_that_expects_to_lose_does_not_run_beside_one_that_gains() -> None:
    found = route(probed(a__whole=promise(1.4), raw__zstd=promise(0.98)))
    assert ("a.whole", "raw.stored") == found.runs


def test_a_codec_that_needs_the_whole_has_time_for_the_whole() -> None:
    for share, runs in ((0.9, True), (1.1, False)):
        speed = LENGTH / (share * wall_seconds_for(LENGTH))
        assert runs == ("a.whole" in route(probed(a__whole=promise(3.0, speed=speed, seams="whole"))).runs)
    speed = limits.PART_BYTES / (0.9 * limits.CHILD_WALL_SECONDS)
    assert "a.parts" in route(probed(a__parts=promise(3.0, speed=speed))).runs


def test_a_codec_that_needs_the_whole_is_given_it_and_may_keep_a_looser_contract_at_any_length() -> None:
    facts = promise(3.0, seams="whole", contracts=["exact", "bounded"])
    loose = Contract("bounded", "abs", 1.0)
    found = route(probed(a__whole=facts, a__parts={**facts, "seams": "bytes"}), loose)
    assert {"a.whole"} == found.uncut
    assert {"a.whole": str(loose), "a.parts": None} == {
        one.codec: one.contract for one in found.running if one.codec != "raw.stored"
    }


def test_a_codec_is_not_tried_on_originals_longer_than_it_takes() -> None:
    facts = replace(Text.facts, bytes_max=limits.PART_BYTES)
    assert facts.too_long(limits.PART_BYTES) is None
    why = facts.too_long(limits.PART_BYTES + 1)
    found = route(probed(raw__ppmd=promise(5.0), a__whole=promise(1.0, estimate=None, refusal=why)))
    assert "not run: it takes originals of up to 64 MiB" == verdict(found, "a.whole")


def test_a_codec_that_needs_too_much_memory_does_not_run() -> None:
    hungry = probed(raw__zstd=promise(5.0), text__model=promise(9.0, memory=8 * limits.GIB))
    assert "not run: it would take 8192 MiB of memory, over the 3072 MiB it may" == verdict(route(hungry), "text.model")


def test_a_codec_whose_extra_is_missing_is_named() -> None:
    found = route(probed(raw__zstd=promise(5.0), media__jxl=promise(9.0, missing="it needs the extra media")))
    assert ("raw.zstd", "raw.stored") == found.runs
    assert "not run: it needs the extra media" == verdict(found, "media.jxl")


def test_a_codec_with_nothing_to_say_does_not_run() -> None:
    found = route(probed(raw__zstd=promise(5.0), arrays__sperr=promise(1.0, estimate=None)))
    assert "not run: it has no use for this kind of data" == verdict(found, "arrays.sperr")


def test_exceptions_for_variables_are_made_use_of_by_who_knows_variables() -> None:
    probe = probed(
        arrays__values=promise(3.0, contracts=["exact", "floor"], seams="whole", names_variables=True),
        media__image=promise(9.0, contracts=["exact", "floor"], seams="whole"),
    )
    contract = Contract.parse("floor:psnr=50;rain=exact")
    found = choose(probe, contract, "max", (), LENGTH)
    running = {one.codec: one.contract for one in found.running if one.codec != "raw.stored"}
    assert running == {"arrays.values": str(contract), "media.image": None}


def test_a_lossy_codec_serves_only_its_own_kind_of_contract() -> None:
    lossy = probed(raw__zstd=promise(1.3), arrays__sperr=promise(20.0, contracts=["bounded"]))
    bounded = Contract.parse("bounded:abs=0.01")
    assert ("arrays.sperr", "raw.zstd", "raw.stored") == route(lossy, bounded).runs
    assert "not run: it cannot keep the contract exact" == verdict(route(lossy), "arrays.sperr")
    assert "arrays.sperr" not in route(lossy, Contract.parse("floor:psnr=60")).runs


def test_asking_by_name_for_what_is_missing_says_what_to_install() -> None:
    missing = probed(media__jxl=promise(9.0, missing="it needs the extra media: pip install 'lithify[media]'"))
    with pytest.raises(MissingExtra, match=r"media\.jxl can run here: it needs the extra media"):
        route(missing, allowed=("media.jxl",))


def test_asking_by_name_for_what_cannot_keep_the_contract_is_refused() -> None:
    lossy = probed(arrays__sperr=promise(20.0, contracts=["bounded"]))
    with pytest.raises(BadArgument, match=r"contract exact: arrays\.sperr: it cannot keep the contract exact"):
        route(lossy, allowed=("arrays.sperr",))


def test_nothing_at_all_is_stored() -> None:
    assert ("raw.stored",) == choose(PROBE, EXACT, "max", (), 0).runs
    assert ("raw.stored",) == choose_small(EXACT, "max", (), 0).runs


def test_stored_alone_may_be_asked_for() -> None:
    assert ("raw.stored",) == route(allowed=("raw.stored",)).runs


# --- codecs made for a kind -----------------------------------------------------------------------------

MADE_FOR_LOGS: dict[str, Any] = {"seams": "lines", "made_for_kind": True, "falls_back": True}
WITH_LOGS = probed(
    raw__zstd=promise(5.0), raw__brotli=promise(5.5), raw__xz=promise(6.5), logs__template=promise(9.0, **MADE_FOR_LOGS)
)


@pytest.mark.parametrize("effort", ["fast", "default"])
def test_what_falls_back_to_raw_codecs_by_itself_runs_without_them(effort: str) -> None:
    found = route(WITH_LOGS, effort=effort)
    assert ("logs.template", "raw.stored") == found.runs
    assert "not run: logs.template falls back to it by itself, block by block" == verdict(found, "raw.xz")


def test_max_runs_the_raw_codecs_beside_it() -> None:
    found = route(WITH_LOGS, effort="max")
    assert ("logs.template", "raw.xz", "raw.brotli", "raw.zstd", "raw.stored") == found.runs


def test_a_raw_codec_that_promises_clearly_more_runs_beside_it() -> None:
    both = probed(raw__ppmd=promise(10.0), raw__xz=promise(9.8), logs__template=promise(9.0, **MADE_FOR_LOGS))
    assert ("raw.ppmd", "logs.template", "raw.stored") == route(both).runs


def test_raw_codecs_run_where_it_may_not() -> None:
    found = route(WITH_LOGS, allowed=("raw.xz",))
    assert ("raw.xz", "raw.stored") == found.runs
    missing = probed(raw__zstd=promise(5.0), logs__template=promise(9.0, **MADE_FOR_LOGS, missing="it has no kernels"))
    assert ("raw.zstd", "raw.stored") == route(missing).runs


def test_fast_tries_zstd_beside_what_is_made_for_the_kind_and_does_not_fall_back() -> None:
    images = probed(raw__zstd=promise(1.05), raw__xz=promise(1.1), media__png=promise(1.4, made_for_kind=True))
    found = route(images, effort="fast")
    assert ("media.png", "raw.zstd", "raw.stored") == found.runs
    assert "not run: effort fast tries zstd only beside what is made for the kind" == verdict(found, "raw.xz")


def test_parts_end_at_line_ends_when_a_codec_that_runs_reads_lines() -> None:
    assert route(WITH_LOGS).at_lines
    assert not route().at_lines
    assert not route(WITH_LOGS, allowed=("raw.zstd",)).at_lines


def test_a_route_can_do_without_a_codec_after_all() -> None:
    found = route(WITH_LOGS).without({"logs.template", "raw.xz"}, "it has no kernels")
    assert ("raw.stored",) == found.runs
    assert "not run: it has no kernels" == verdict(found, "logs.template")
    assert verdict(found, "raw.xz").startswith("not run: logs.template falls back")


# --- small originals ------------------------------------------------------------------------------------


def test_a_small_original_is_tried_on_everything() -> None:
    found = choose_small(EXACT, "default", (), 1000)
    assert {"raw.stored", "raw.zstd", "raw.brotli", "raw.xz", "raw.ppmd"} <= set(found.runs)
    assert {"raw.stored", "raw.zstd"} == set(choose_small(EXACT, "fast", (), 1000).runs)


def test_a_small_original_follows_the_policy_too() -> None:
    assert {"raw.stored", "raw.ppmd"} == set(choose_small(EXACT, "default", ("raw.ppmd",), 1000).runs)
    assert {"raw.stored", "raw.ppmd"} == set(choose_small(EXACT, "fast", ("raw.ppmd",), 1000).runs)
    with pytest.raises(BadArgument):
        choose_small(EXACT, "default", ("raw.sand",), 1000)


def small(kind: str | None, length: int = 2000, effort: str = "default", allowed: tuple[str, ...] = ()) -> set[str]:
    with pytest.MonkeyPatch.context() as patch:
        facts = Facts(family="logs", name="some", format=Format(0x8002, 1, 0), kinds=frozenset({"log"}), kernels=True)
        patch.setattr(registry, "all_codecs", lambda: [Stored, Zstd, Ppmd, SimpleNamespace(facts=facts)])
        return set(choose_small(EXACT, effort, allowed, length, kind=kind).runs)


def test_a_small_original_is_tried_on_what_is_made_for_its_kind() -> None:
    assert {"raw.stored", "raw.zstd", "raw.ppmd", "logs.some"} == small("log")
    assert {"raw.stored", "raw.zstd", "logs.some"} == small("log", effort="fast")
    assert {"raw.stored", "raw.zstd", "raw.ppmd"} == small("prose") == small(None)
    assert {"raw.stored", "logs.some"} == small("prose", allowed=("logs.some",))


def test_a_very_small_original_is_not_worth_a_process_with_kernels() -> None:
    assert "logs.some" not in small("log", length=1023)
    assert "logs.some" in small("log", length=1024)
    assert {"raw.stored", "logs.some"} == small("log", length=10, allowed=("logs.some",))


# --- what is kept ---------------------------------------------------------------------------------------


def test_a_route_is_kept_with_its_reason_and_predictions() -> None:
    kept = route().as_json()
    assert "log (9 of 9 lines carry a time); contract exact, effort default: 3 of 5 codecs run" == kept["reason"]
    best = kept["candidates"][0]
    assert ("raw.ppmd", "run") == (best["codec"], best["verdict"])
    assert {
        "ratio": 7.0,
        "encode_seconds": 5.2429,
        "decode_seconds": 1.0486,
        "memory_bytes": 10 * limits.MIB,
        "confidence": 0.6,
    } == best["predicted"]
    assert "winner" not in kept


def test_what_was_found_stands_beside_what_was_predicted() -> None:
    outcome = {"stored_bytes": 800, "ratio": 12.5, "encode_seconds": 2.0}
    failure = {"error": "codec_crashed", "detail": "was killed by SIGSEGV"}
    kept = route().completed({"raw.ppmd": failure, "raw.xz": outcome, "raw.stored": {**outcome, "stored_bytes": 1000}})
    found = {candidate["codec"]: candidate.get("found") for candidate in kept["candidates"]}
    assert {"raw.ppmd": failure, "raw.xz": outcome}.items() <= found.items()
    assert found["raw.zstd"] is None
    assert "raw.xz: 800 bytes, 20.0% smaller than raw.stored" == kept["winner"]


def test_parts_may_have_different_winners() -> None:
    kept = route().completed(
        {"raw.ppmd": {"stored_bytes": 900, "parts_won": 1}, "raw.xz": {"stored_bytes": 800, "parts_won": 3}}
    )
    assert (
        "raw.xz has the smallest form of 3 of 4 parts; raw.ppmd has the smallest form of 1 of 4 parts" == kept["winner"]
    )


def test_a_route_nobody_finished_has_no_winner() -> None:
    kept = route().completed({"raw.ppmd": {"error": "timed_out", "detail": "…"}})
    assert "winner" not in kept


# --- slow codecs ----------------------------------------------------------------------------------------

SLOW = Text.facts.too_slow("default", LENGTH)


def test_why_a_slow_codec_is_not_tried_is_said() -> None:
    found = route(probed(raw__ppmd=promise(5.0), text__mixing=promise(1.0, estimate=None, refusal=SLOW)))
    assert "not run: it is slow: effort default tries it up to 8 MiB, effort max at any length" == verdict(
        found, "text.mixing"
    )


def test_what_is_slow_depends_on_effort_and_length() -> None:
    most = limits.TEXT_DEFAULT_BYTES_MAX
    assert Text.facts.too_slow("max", 1 << 40) is None
    assert Text.facts.too_slow("default", most) is None
    assert Text.facts.too_slow("default", most + 1)
    assert Text.facts.too_slow("fast", 1000)


def test_short_texts_are_mixed_but_not_at_effort_fast() -> None:
    assert "text.mixing" in choose_small(EXACT, "default", (), 5000, kind="prose").runs
    assert "text.mixing" in choose_small(EXACT, "fast", ("text.mixing",), 5000, kind="prose").runs
    assert "text.mixing" not in choose_small(EXACT, "fast", (), 5000, kind="prose").runs


@pytest.mark.parametrize("kind", ["log", "json-lines"])
def test_short_logs_are_tried_as_texts_too_and_longer_ones_are_not(kind: str) -> None:
    most = limits.SHORT_BYTES_MAX
    assert {"text.mixing", "logs.template"} <= set(choose_small(EXACT, "default", (), most, kind=kind).runs)
    assert "text.mixing" not in choose_small(EXACT, "default", (), most + 1, kind=kind).runs
    assert "text.mixing" not in choose_small(EXACT, "default", (), most, kind="opaque").runs


# --- what is compressed already -----------------------------------------------------------------------


def test_what_is_compressed_already_gets_one_cheap_try() -> None:
    found = route(
        probed(raw__xz=promise(1.012, speed=1e6), raw__brotli=promise(1.013), raw__zstd=promise(1.01, speed=9e7))
    )

    assert {"raw.zstd", "raw.stored"} == set(found.runs)
    assert "compressed already" in verdict(found, "raw.xz")


def test_a_codec_that_promises_clearly_more_runs_whatever_its_price() -> None:
    found = route(probed(a__made=promise(1.02, speed=1e6), raw__zstd=promise(1.001, speed=9e7)))

    assert "a.made" in found.runs


def test_a_codec_that_may_make_use_of_a_looser_contract_always_runs() -> None:
    loose = promise(0.5, contracts=["exact", "floor"])
    found = choose(
        {**PROBE, "codecs": {**PROBE["codecs"], "a.film": loose}},
        Contract.parse("floor:vmaf=95"),
        "default",
        (),
        1000,
    )

    assert "a.film" in found.runs
