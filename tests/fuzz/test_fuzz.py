"""What fuzzing once found stays fixed, and the fuzzer itself finds what it is there to find."""

import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.examples import examples
from tests.fuzz import campaign as watching
from tests.fuzz.campaign import KEPT, campaign
from tests.fuzz.search import case, try_out
from tests.fuzz.targets import Target, targets

_INPUTS = examples(250)
_SEED = 20261121


def test_every_finding_stays_fixed() -> None:
    known = targets()
    for path in sorted(KEPT.glob("*.bin")):
        target = known[path.name.partition("__")[0]]
        assert try_out(target.run, path.read_bytes())[1] is None, path.name


@pytest.mark.parametrize("name", sorted(targets()))
def test_a_decoder_bears_damaged_input(name: str) -> None:
    target = targets()[name]
    seeds = target.seeds()
    for number in range(_INPUTS):
        fault = try_out(target.run, case(target, seeds, _SEED, number))[1]
        assert fault is None, f"make fuzz --seed {_SEED} --target {name}, input {number}: {fault}"


@pytest.mark.parametrize("name", sorted(targets()))
def test_a_decoder_accepts_what_the_damage_starts_from(name: str) -> None:
    target = targets()[name]
    assert all(target.run(seed) for seed in target.seeds())


def planted_seeds() -> list[bytes]:
    return [b"the fifth byte decides"]


def crashes(data: bytes) -> bool:
    if data[4:5] != b"f":
        os.abort()
    return True


def raises(data: bytes) -> bool:
    return data.decode() == "never"


def hangs(data: bytes) -> bool:
    while data[:3] != b"the":
        time.sleep(1)
    return True


@pytest.mark.parametrize(
    ("run", "what"),
    [(crashes, "exit-6"), (raises, "UnicodeDecodeError"), (hangs, "hang")],
    ids=["crash", "exception", "hang"],
)
def test_a_planted_fault_is_found_and_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Callable[[bytes], bool], what: str
) -> None:
    monkeypatch.setattr(watching, "HANG_SECONDS", 1.5)
    planted = Target("planted", run, planted_seeds)
    assert campaign([planted], seconds=3, seed=1, processes=1, kept=tmp_path) > 0
    assert list(tmp_path.glob(f"planted__{what}__*.bin"))


def accepts(data: bytes) -> bool:
    return bool(data)


def test_a_campaign_of_so_many_inputs_goes_on_where_it_was(tmp_path: Path) -> None:
    state, planted = tmp_path / "state.json", [Target("planted", accepts, planted_seeds)]
    for inputs in (30, 50, 50):
        assert campaign(planted, seconds=60, seed=1, processes=1, kept=tmp_path, inputs=inputs, state=state) == 0
        assert inputs == json.loads(state.read_text())["tried"]["planted"]
    with pytest.raises(ValueError, match="another seed"):
        campaign(planted, seconds=1, seed=2, processes=1, kept=tmp_path, state=state)
