"""The whole of the training, in small: texts go in, tables come out, and other texts like them become smaller."""

import io
import random
import tarfile
from pathlib import Path

import numpy as np

from lithify.codecs.text import learnt
from lithify.codecs.text.classes import FIRST_CLASSES
from lithify.codecs.text.learnt import Learnt
from lithify.codecs.text.mixing import decode_text, encode_text
from lithify.codecs.text.model import blank_start
from lithify.codecs.text.train import corpus
from lithify.codecs.text.train.choosing import Room, choose, grades
from lithify.codecs.text.train.corpus import COUNTS, Document, read_corpus
from lithify.codecs.text.train.starting import all_starts
from tests.unit.codecs.test_text_suite import ticket

SMALL = Room(slots_log=14, table_log=12)


def documents(count: int) -> list[Document]:
    return [
        Document(f"ticket {number}", text_class, ticket(number))
        for number in range(count)
        for text_class in corpus.LEARNT_CLASSES
    ]


def made(read: list[Document]) -> Learnt:
    primed = choose([document for document in read if document.part in COUNTS], SMALL)
    return learnt.unpack(learnt.pack(primed, all_starts(read, primed)))


def test_what_is_learnt_of_texts_makes_others_like_them_smaller() -> None:
    tables = made(documents(120))
    untaught = Learnt(
        np.zeros_like(tables.primed), (learnt.rounded(blank_start()),) * len(FIRST_CLASSES), tables.digest
    )
    text = ticket(5000)
    for text_class in corpus.LEARNT_CLASSES:
        before, after = (encode_text(text, one, text_class) for one in (untaught, tables))
        assert before is not None
        assert after is not None
        assert len(after) < 0.4 * len(before)
        assert text == decode_text(after, len(text), tables, text_class)


def test_the_same_texts_give_the_same_tables() -> None:
    assert made(documents(40)).digest == made(documents(40)).digest


def test_a_corpus_is_read_from_its_tar_files_in_an_order_of_its_own(tmp_path: Path) -> None:
    for name in corpus.CLASS_OF:
        with tarfile.open(tmp_path / f"{name}.tar.xz", "w:xz") as tar:
            for number in range(4):
                member = tarfile.TarInfo(f"{name}/{number}.txt")
                member.size = len(ticket(number))
                tar.addfile(member, io.BytesIO(ticket(number)))
    found = read_corpus(tmp_path)

    assert len(found) == 4 * len(corpus.CLASS_OF)
    assert {document.text_class for document in found} == set(corpus.LEARNT_CLASSES)
    assert [document.name for document in found] != sorted(document.name for document in found)
    assert found == read_corpus(tmp_path)


def test_a_grade_says_how_often_which_bit_came() -> None:
    counts = np.zeros((6, 16, 2), np.uint16)
    counts[:, 1] = [[0, 0], [1, 0], [900, 0], [0, 1], [0, 900], [5, 5]]
    assert [0, 1, 7, 8, 14, 23] == grades(counts)[:, 1].tolist()


def test_hard_lines_keep_every_word() -> None:
    text = b" ".join(b"%d" % random.Random(n).randrange(10**6) for n in range(400)) + b"\n\nrock " + b"x" * 200
    for name in map(str, range(40)):
        assert text.split() == corpus.as_books_are(name, text).split()
