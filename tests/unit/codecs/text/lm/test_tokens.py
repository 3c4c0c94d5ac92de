"""Whatever a tokenizer does, the bytes of the symbols are the text."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lithify.codecs.text.lm.tokens import Speller, said, said_bytes, speller_of
from lithify.codecs.text.lm.vocabulary import token_bytes
from lithify.errors import BadArgument
from tests.examples import examples
from tests.unit.codecs.text.corpus import PROSE
from tests.unit.codecs.text.lm.folders import sentence_piece, small_model


def pieces() -> Speller:
    return Speller(sentence_piece(), tuple(token_bytes(sentence_piece(), 160)))


@pytest.mark.parametrize(
    "text", [b"", b"it settles", b" it", "café €".encode(), b"\xffit\xff", b"it " * 50_000], ids=len
)
def test_a_tokenizer_that_changes_texts_is_put_right(text: bytes) -> None:
    speller = pieces()
    symbols = speller.spell(text)
    assert text == said(symbols, speller._tokens)
    assert len(text) == said_bytes(symbols, speller._tokens)


def test_the_space_that_some_tokenizers_put_first_is_left_out() -> None:
    speller = pieces()
    assert [b"it", b" sett", b"l", b"e", b"s"] == [speller._tokens[one] for one in speller.spell(b"it settles")]


def test_a_byte_that_no_token_has_is_told_as_it_is() -> None:
    speller = pieces()
    assert [160 + 0xE2, 160 + 0x82, 160 + 0xAC] == speller.spell("€".encode()).tolist()


def test_text_is_told_as_the_tokenizer_tells_it() -> None:
    import tokenizers

    model = small_model()
    expected = tokenizers.Tokenizer.from_str(model.tokenizer.decode()).encode(PROSE.decode()).ids
    assert expected == speller_of(model).spell(PROSE).tolist()


def test_special_tokens_that_stand_in_a_text_are_text() -> None:
    model = small_model()
    symbols = speller_of(model).spell(b"<|begin|>")
    assert b"<|begin|>" == said(symbols, model.tokens)
    assert 0 not in symbols


@settings(max_examples=examples(100), deadline=None)
@given(
    st.lists(
        st.sampled_from([b"it", b" settles", b"\xff", b"\xc3\xa9", b"\xc3", b"\n", "€".encode(), b"<s>"]), max_size=40
    )
)
def test_any_mixture_of_text_and_other_bytes_is_told_exactly(parts: list[bytes]) -> None:
    text = b"".join(parts)
    for speller in (pieces(), speller_of(small_model())):
        assert text == said(speller.spell(text), speller._tokens)


def test_a_tokenizer_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadArgument, match="cannot be read"):
        Speller(b"{}", (b"a",))
