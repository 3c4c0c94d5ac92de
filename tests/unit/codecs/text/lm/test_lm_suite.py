"""The suite, run by the codec of language models; and what it does with a model and without."""

import hashlib
from io import BytesIO

import pytest

from lithify import limits
from lithify.codecs.frame import at_hand, decode_frame, models_of, read_frame
from lithify.codecs.text.lm.codec import PPMD, STORED, TOLD, TOLD_NATIVELY, ZSTD, LmParams, TextLm
from lithify.errors import BadBytes, Corrupt, LimitExceeded, MissingModel, Truncated
from tests.suites.codec_suite import CodecSuite, framed
from tests.unit.codecs.text.corpus import PROSE
from tests.unit.codecs.text.lm.folders import small_file, small_model

TEXT = PROSE[:300]


class TestTextLm(CodecSuite):
    codec = TextLm
    several_chunks = LmParams(group_bytes=1000)


def digest() -> str:
    return hashlib.sha256(small_file()).hexdigest()


def with_model(group_bytes: int = 200) -> TextLm:
    return TextLm(LmParams(group_bytes=group_bytes, model=digest())).with_model(memoryview(small_file()))


def told() -> bytes:
    """A frame of two groups, both told by the model whatever that costs."""
    from lithify.codecs.frame import FrameWriter

    codec = with_model()
    writer = FrameWriter(file := BytesIO())
    sink = writer.sink(codec)
    for group in (TEXT[:200], TEXT[200:]):
        sink.chunk(codec._told(group, small_model()), group)
    writer.finish()
    return file.getvalue()


# --- with a model -------------------------------------------------------------------------------------


def test_a_frame_names_its_model_and_decodes_with_it() -> None:
    frame = told()
    found = read_frame(BytesIO(frame))

    assert {digest()} == models_of(found)
    known = at_hand([], {digest(): memoryview(small_file())})
    assert TEXT == b"".join(decode_frame(BytesIO(frame), primers=known))


def test_a_frame_without_its_model_is_refused_in_a_sentence_that_names_it() -> None:
    for known in (None, at_hand([small_file()[:-1]])):
        with pytest.raises(MissingModel, match=digest()):
            b"".join(decode_frame(BytesIO(told()), primers=known))


def test_a_model_of_other_bytes_is_refused() -> None:
    other = at_hand([], {digest(): memoryview(small_file()[:-1] + b"\x01")})
    with pytest.raises(Corrupt, match="other bytes"):
        b"".join(decode_frame(BytesIO(told()), primers=other))


def test_the_smallest_form_is_kept() -> None:
    assert STORED == with_model().encode_group(b"\xff\xfe")[0]
    assert with_model().encode_group(b"rock " * 400)[0] in {ZSTD, PPMD}
    for group in (TEXT, b"\xff" * 50, bytes(range(256))):
        payload = with_model().encode_group(group)
        assert len(payload) <= 1 + len(group)
        assert group == with_model().decode(payload, shared=b"", length=len(group))


def test_groups_are_told_one_by_one() -> None:
    frame = read_frame(BytesIO(framed(with_model(100), TEXT)))
    assert [100, 100, 100] == list(frame.chunks.lengths())


def test_a_codec_that_names_no_model_takes_none() -> None:
    with pytest.raises(Corrupt, match="names none"):
        TextLm().with_model(memoryview(small_file()))


# --- what is refused ----------------------------------------------------------------------------------


@pytest.mark.parametrize("head", sorted(set(range(256)) - {STORED, ZSTD, PPMD, TOLD, TOLD_NATIVELY}))
def test_a_method_that_does_not_exist_is_corrupt(head: int) -> None:
    with pytest.raises(Corrupt, match="does not exist"):
        TextLm().decode(bytes([head]) + b"rock", shared=b"", length=4)


def test_wrong_payloads_are_refused() -> None:
    for payload, error in (
        (b"", Truncated),
        (bytes([STORED]) + b"rocks", Corrupt),
        (bytes([TOLD, 1, 1]), MissingModel),
        (bytes([TOLD_NATIVELY, 1, 1]), MissingModel),
    ):
        with pytest.raises(error):
            TextLm().decode(payload, shared=b"", length=4)
    with pytest.raises(LimitExceeded):
        TextLm().decode(bytes([STORED]), shared=b"", length=limits.LM_GROUP_BYTES_MAX + 1)
    with pytest.raises(BadBytes):
        TextLm().decode(bytes([STORED]) + b"rock", shared=b"x", length=4)


def test_wrong_params_are_refused() -> None:
    for wrong in (
        {"model": "beef"},
        {"effort": "much"},
        {"group_bytes": 0},
        {"group_bytes": 1 << 30},
        {"machine": "here"},
    ):
        with pytest.raises(BadBytes):
            LmParams(**wrong)
