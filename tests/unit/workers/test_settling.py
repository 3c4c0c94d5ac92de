"""Those who wait for jobs: until they have ended, or nobody is there to do them."""

import os
from collections.abc import Iterator

import pytest

from lithify import limits
from lithify.errors import StoreUnavailable, Unserved
from lithify.store.views import Lane, Unsettled
from lithify.workers.archive import Archive
from lithify.workers.settling import wait_until_settled

MODEL = "f" * 64
LANES = (Lane("gpu", MODEL), Lane("logs", None))


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "UNSERVED_SECONDS", 0.05)


def answers(*found: Unsettled) -> Iterator[Unsettled]:
    """These, the last for ever."""
    yield from found
    while True:
        yield found[-1]


@pytest.mark.usefixtures("soon")
def test_waiting_ends_when_nobody_is_about_to_take_what_is_left() -> None:
    told = answers(Unsettled(3), Unsettled(2, LANES))
    with pytest.raises(Unserved) as caught:
        wait_until_settled(lambda: next(told), 3, pause_seconds=0.01)
    assert "2 of 3 objects" in caught.value.message
    assert f"queue gpu, language model {MODEL}; queue logs" in caught.value.message


@pytest.mark.usefixtures("soon")
def test_whoever_takes_a_job_now_and_then_is_waited_for() -> None:
    told = answers(*[Unsettled(1, LANES), Unsettled(1)] * 20, Unsettled(0))
    steps: list[tuple[int, int]] = []
    wait_until_settled(lambda: next(told), 1, pause_seconds=0.01, on_progress=lambda *step: steps.append(step))
    assert ([(0, 1)] * 40, (1, 1)) == (steps[:-1], steps[-1])


@pytest.mark.usefixtures("soon")
def test_a_local_archive_does_not_wait_for_a_model_that_nobody_has(archive: Archive) -> None:
    receipt = archive.put("c", "a", [b"told by a model that is not here\n" * 50], model=MODEL)
    with pytest.raises(Unserved, match=f"queue gpu, language model {MODEL}"):
        archive.wait([receipt.revision])
    assert "waiting" == archive.job(receipt.job or 0).state


def test_a_worker_that_cannot_go_on_is_not_taken_for_one_that_is_done(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    receipt = archive.put("c", "a", [os.urandom(100)])
    monkeypatch.setattr(Archive, "failure", "the disk does not answer")
    with pytest.raises(StoreUnavailable, match="the disk does not answer"):
        archive.wait([receipt.revision])
