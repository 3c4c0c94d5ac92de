"""What is said of the models that are shipped is what they are, and what their card says."""

import re
from pathlib import Path

import pytest

from lithify.codecs.text import learnt, proof
from lithify.codecs.text.classes import TextClass
from lithify.codecs.text.models import ENGLISH, MODELS, Model, Pack, tables_of
from lithify.errors import Unsound
from tests.house import ROOT

CARD = (ROOT / "lithify/codecs/text/MODEL.md").read_text(encoding="utf-8")
CLASSES = {
    "prose": "prose",
    "docs": "documentation",
    "code": "source code",
    "markup": "markup",
    "languages": "languages",
}
TABLES = [model for model in MODELS if model.role == "tables"]


def row(pack: Pack) -> str:
    """A pack as the card's table has it."""
    words = CLASSES[pack.text_class.name.lower()]
    return f"| {pack.name} | {words} | {pack.megabytes} MB | {pack.sources} | {pack.licences} |"


def test_no_two_models_have_the_same_name() -> None:
    names = [model.name for model in MODELS]
    assert sorted(set(names)) == sorted(names)


def test_the_card_has_every_pack_and_no_other() -> None:
    table = CARD.partition("## Data")[2].partition("\n## ")[0]
    packs = [pack for model in TABLES for pack in model.data]
    assert [row(pack) for pack in packs] == re.findall(r"^\| [a-z]\w* \|.*\d MB.*$", table, re.MULTILINE)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.path.name)
def test_the_card_has_the_size_and_the_digest(model: Model) -> None:
    assert f"{model.path.stat().st_size:,} bytes" in CARD
    assert model.digest in CARD


@pytest.mark.parametrize("model", TABLES, ids=lambda model: model.path.name)
def test_what_is_shipped_is_proved(model: Model) -> None:
    tables = learnt.shipped(model.path.read_bytes(), model.digest)
    assert tables is proof.prove(tables, model.streams)


@pytest.mark.parametrize("text_class", TextClass)
def test_every_class_has_its_tables(text_class: TextClass) -> None:
    assert proof.proved_for(text_class).digest.hex() == tables_of(text_class).digest
    assert text_class in proof.proved_for(text_class).classes


def test_what_is_not_what_it_should_be_is_unsound() -> None:
    with pytest.raises(Unsound, match="this release was made with"):
        learnt.shipped(ENGLISH.path.read_bytes(), "0" * 64)
    with pytest.raises(Unsound, match="neither encoded nor decoded here"):
        proof.prove(proof.proved(), "0" * 64)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(Unsound, match=r"absent\.bin"):
        learnt.read_tables(tmp_path / "absent.bin")
