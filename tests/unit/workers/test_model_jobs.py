"""Originals that a language model is to tell: their jobs wait for who has it, and nothing is lost without it."""

import hashlib
import random
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lithify.codecs.text.lm import native
from lithify.errors import BadArgument, MissingModel, NotFound
from lithify.store.put import MODELS_QUEUE
from lithify.store.views import JobView, Receipt
from lithify.workers.archive import Archive
from lithify.workers.found import FoundLines, Query, Searched
from lithify.workers.loop import QUEUES, Worker
from lithify.workers.model_files import called
from lithify.workers.model_folder import ModelFolder
from lithify.workers.rebuild import rebuild
from lithify.workers.reencode import reencode
from tests.unit.codecs.text.corpus import PROSE
from tests.unit.codecs.text.lm.folders import small_file

pytest.importorskip("tokenizers", reason="tokens are found by tokenizers (extra llm)")
_chance = random.Random(3)
TEXT = b" ".join(_chance.choice(PROSE.split()) for _ in range(3000)) + b"\n"
"""Words without sense: the general coders that text.lm has inside win enough for a frame that names a model."""


@pytest.fixture
def models(tmp_path: Path) -> Path:
    folder = tmp_path / "models"
    folder.mkdir()
    (folder / "small.lithlm").write_bytes(small_file())
    return folder


@pytest.fixture
def archive(tmp_path: Path, models: Path) -> Iterator[Archive]:
    with opened(tmp_path, models) as archive:
        archive.set_policy("c", codecs=["text.lm"])
        yield archive


def opened(tmp_path: Path, models: Path | None) -> Archive:
    return Archive(tmp_path / "archive", effort="fast", grace_seconds=0, models=models)


def digest() -> str:
    return hashlib.sha256(small_file()).hexdigest()


def put(archive: Archive, name: str = "a", **wishes: Any) -> Receipt:
    return archive.put("c", name, [TEXT], **wishes)


def work(archive: Archive, queues: tuple[str, ...] = QUEUES) -> None:
    Worker(archive, queues).run(until_idle=True)


def job_of(archive: Archive, receipt: Receipt) -> JobView:
    assert receipt.job is not None
    return archive.job(receipt.job)


def got(archive: Archive, name: str = "a") -> bytes:
    with archive.get("c", name) as content:
        return b"".join(content)


def test_a_text_is_told_by_the_model_that_was_asked_for(archive: Archive) -> None:
    receipt = put(archive, model="small")
    waiting = job_of(archive, receipt)
    assert (MODELS_QUEUE, {"model": digest()}) == (waiting.queue, waiting.args)
    work(archive, (MODELS_QUEUE,))
    view = archive.stat("c", "a")
    assert ("text.lm", digest()) == (view.codec, view.model)
    assert [None, digest()] == [encoding.model for encoding in view.encodings]
    assert TEXT == got(archive)
    assert archive.verify("c", "a").kept
    assert not archive.check(read_data=True).findings


def test_a_worker_of_other_queues_leaves_it(archive: Archive) -> None:
    receipt = put(archive, model=digest())
    work(archive, tuple(queue for queue in QUEUES if queue != MODELS_QUEUE))
    assert "waiting" == job_of(archive, receipt).state
    work(archive)
    assert "done" == job_of(archive, receipt).state


def test_a_worker_without_the_model_leaves_it_and_takes_it_once_the_model_is_there(
    archive: Archive, models: Path
) -> None:
    (models / "small.lithlm").rename(models / "small.gone")
    receipt, other = put(archive, model=digest()), archive.put("d", "b", [TEXT])
    work(archive)
    assert ("waiting", "done") == (job_of(archive, receipt).state, job_of(archive, other).state)
    assert TEXT == got(archive)  # of the staged copy
    (models / "small.gone").rename(models / "small.lithlm")
    work(archive)
    assert "done" == job_of(archive, receipt).state


def test_an_object_without_its_model_says_which_and_where_it_belongs(
    archive: Archive, models: Path, tmp_path: Path
) -> None:
    put(archive, model="small.lithlm")
    work(archive)
    archive.start_upkeep("sweep")
    work(archive)  # the staged copy goes
    (models / "small.lithlm").unlink()
    sentence = f"{digest()}, which is not in LITHIFY_MODELS={models}"
    with pytest.raises(MissingModel, match=sentence):
        got(archive)
    (searched,) = archive.search("c", "a", Query(b"rock"))
    assert isinstance(searched, Searched)
    assert sentence in str(searched.error)
    assert [("object", "c/a", "missing_model")] == [(one.what, one.where, one.code) for one in archive.check().findings]
    assert digest() in archive.verify("c", "a").detail
    archive.close()
    with opened(tmp_path, None) as without, pytest.raises(MissingModel, match="LITHIFY_MODELS is not set"):
        got(without)


def test_what_was_told_is_searched_and_weighed_and_likened(archive: Archive) -> None:
    put(archive, model="small")
    put(archive, "b")
    work(archive)
    lines = [found for found in archive.search("c", "a", Query(b"the")) if isinstance(found, FoundLines)]
    assert lines
    assert TEXT == lines[0].text
    assert len(TEXT) == archive.surprise("c", "a").read_bytes
    assert [("b", True)] == [(item.name, item.likeness > 0.5) for item in archive.like("c", "a").items]


def test_a_rebuilt_catalog_knows_models_and_what_waits_for_them(archive: Archive, tmp_path: Path, models: Path) -> None:
    archive.set_policy("d", model="small")
    put(archive, model="small")
    work(archive)
    put(archive, "b", model="small")
    archive.close()
    rebuild(tmp_path / "archive")
    with opened(tmp_path, models) as rebuilt:
        assert digest() == rebuilt.policy("d").model
        assert digest() == rebuilt.stat("c", "a").encodings[-1].model
        assert TEXT == got(rebuilt)
        assert [(MODELS_QUEUE, {"model": digest()})] == [(job.queue, job.args) for job in rebuilt.jobs()]
        work(rebuilt)
        assert "text.lm" == rebuilt.stat("c", "b").codec


def test_what_is_encoded_again_is_told_by_its_model_again(archive: Archive) -> None:
    put(archive, model="small")
    work(archive)
    assert {"queued": 1} == reencode(archive)
    assert (MODELS_QUEUE, {"model": digest()}) == (archive.jobs()[0].queue, archive.jobs()[0].args)
    work(archive)
    assert "done" == archive.jobs()[0].state
    assert TEXT == got(archive)


def test_the_model_of_a_collection_is_for_its_texts_alone(archive: Archive) -> None:
    assert digest() == archive.set_policy("d", model="small").model
    text = archive.put("d", "text.md", [TEXT])
    other = archive.put("d", "bytes", [bytes(range(256)) * 8])
    assert (MODELS_QUEUE, True) == (job_of(archive, text).queue, job_of(archive, other).queue != MODELS_QUEUE)
    assert archive.set_policy("d", model="").model is None
    assert MODELS_QUEUE != job_of(archive, archive.put("d", "later.md", [TEXT])).queue


def test_the_same_bytes_are_taken_again_for_a_model(archive: Archive) -> None:
    put(archive)
    assert put(archive).unchanged
    told = put(archive, model="small")
    assert (False, 2) == (told.unchanged, told.number)
    assert put(archive, model="small").unchanged
    assert put(archive).unchanged


def test_what_is_appended_to_is_told_by_the_same_model(archive: Archive) -> None:
    put(archive, model="small")
    work(archive)
    receipt = archive.append("c", "a", [b"and rock again\n"])
    assert {"model": digest()} == job_of(archive, receipt).args
    assert TEXT + b"and rock again\n" == got(archive)
    archive.retry_job(receipt.job or 0)
    work(archive)
    assert TEXT + b"and rock again\n" == got(archive)


def test_models_are_called_by_their_digest_or_by_their_files(models: Path, tmp_path: Path) -> None:
    folder, elsewhere = ModelFolder(models), tmp_path / "elsewhere.lithlm"
    shutil.copy(models / "small.lithlm", elsewhere)
    for name in (digest(), "small", "small.lithlm", called(str(elsewhere)), called(str(models / "small.lithlm"))):
        assert digest() == folder.named(name)
    assert "small" == called("small")
    assert "f" * 64 == folder.named("f" * 64)  # some other worker may have it
    assert not folder.has("f" * 64)


def test_what_is_no_model_at_hand_is_refused(models: Path, tmp_path: Path) -> None:
    (tmp_path / "llama").mkdir()
    (tmp_path / "llama/config.json").write_text("{}")
    (tmp_path / "note.txt").write_text("rock")
    (tmp_path / "native.lithlm").write_bytes(native.MAGIC + b"more")
    for folder in (ModelFolder(None), ModelFolder(tmp_path / "llama"), ModelFolder(tmp_path / "nowhere")):
        with pytest.raises(NotFound, match="LITHIFY_MODELS"):
            folder.named("small")
    with pytest.raises(NotFound, match="there is no model"):  # a path may be of another machine
        ModelFolder(models).named(str(models / "small.lithlm"))
    refusals = {"llama": "model convert", "note.txt": "no language model", "native.lithlm": "floating point"}
    for wrong, sentence in refusals.items():
        with pytest.raises(BadArgument, match=sentence):
            called(str(tmp_path / wrong))


def test_files_that_are_no_models_are_passed_over(models: Path) -> None:
    (models / "a.lithlm").write_bytes(b"rock")
    (models / "b.txt").write_bytes(small_file())
    assert ModelFolder(models).has(digest())
    (models / "small.lithlm").write_bytes(b"settled")
    assert not ModelFolder(models).has(digest())
