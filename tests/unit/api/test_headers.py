"""What HTTP headers say about bytes."""

import base64
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lithify.api import headers
from lithify.errors import BadArgument, RangeNotSatisfiable

HELLO = hashlib.sha256(b"hello")
HEX, BASE64 = HELLO.hexdigest(), base64.b64encode(HELLO.digest()).decode()


@pytest.mark.parametrize(
    "sent",
    [
        {"content-sha256": HEX},
        {"content-sha256": HEX.upper()},
        {"repr-digest": f"sha-256=:{BASE64}:"},
        {"content-digest": f"sha-512=:AAAA:, sha-256=:{BASE64}:"},
        {"digest": f"SHA-256={BASE64}"},
        {"digest": f"md5=abc, sha-256={BASE64}", "content-sha256": HEX},
    ],
)
def test_every_spelling_of_a_digest_is_read(sent: dict[str, str]) -> None:
    assert headers.announced_digest(sent) == HEX


@pytest.mark.parametrize("sent", [{}, {"digest": "md5=abc"}, {"repr-digest": "sha-512=:AAAA:"}])
def test_other_algorithms_announce_nothing(sent: dict[str, str]) -> None:
    assert headers.announced_digest(sent) is None


@pytest.mark.parametrize(
    "sent",
    [
        {"content-sha256": "abc"},
        {"content-sha256": "g" * 64},
        {"repr-digest": BASE64 and f"sha-256={BASE64}"},
        {"repr-digest": "sha-256=:AAAA:"},
        {"repr-digest": "sha-256=:A:"},
        {"digest": "sha-256=!!!"},
        {"content-sha256": HEX, "repr-digest": headers.repr_digest("00" * 32)},
        {"repr-digest": f"sha-256=:{BASE64}:, {headers.repr_digest('00' * 32)}"},
    ],
)
def test_a_digest_that_cannot_be_read_or_contradicts_another_is_refused(sent: dict[str, str]) -> None:
    with pytest.raises(BadArgument):
        headers.announced_digest(sent)


def test_a_digest_header_that_we_write_can_be_read_again() -> None:
    assert headers.digest_of(headers.repr_digest(HEX)) == HEX


@pytest.mark.parametrize(
    ("sent", "span"),
    [
        (None, None),
        ("bytes=0-0", (0, 1)),
        ("bytes=2-5", (2, 6)),
        ("bytes=2-", (2, 10)),
        ("bytes=2-9999", (2, 10)),
        ("bytes=-3", (7, 10)),
        ("bytes=-99", (0, 10)),
        ("BYTES = 1-2", None),
        ("bytes=5-2", None),
        ("bytes=-", None),
        ("bytes=a-b", None),
        ("bytes=0-1,3-4", None),
        ("lines=0-1", None),
        ("bytes=0-99999999999999999999999", None),
    ],
)
def test_one_range_is_read_and_what_is_none_means_the_whole(sent: str | None, span: tuple[int, int] | None) -> None:
    assert span == headers.byte_range(sent, 10)


@pytest.mark.parametrize(
    ("sent", "length"), [("bytes=10-", 10), ("bytes=11-12", 10), ("bytes=-0", 10), ("bytes=0-", 0)]
)
def test_a_range_without_a_byte_cannot_be_satisfied(sent: str, length: int) -> None:
    with pytest.raises(RangeNotSatisfiable):
        headers.byte_range(sent, length)


def test_the_end_of_nothing_is_the_whole_of_it() -> None:
    assert headers.byte_range("bytes=-5", 0) is None


@given(st.text(max_size=40), st.integers(0, 1000))
def test_any_text_as_a_range_gives_a_span_inside_the_object_or_a_refusal(sent: str, length: int) -> None:
    try:
        span = headers.byte_range(f"bytes={sent}", length)
    except RangeNotSatisfiable:
        return
    assert span is None or 0 <= span[0] < span[1] <= length


@pytest.mark.parametrize("sent", [f'"{HEX}"', f'W/"{HEX}"', f'"x", W/"{HEX}"', " * "])
def test_if_none_match_compares_weakly(sent: str) -> None:
    assert headers.matches_tag(sent, HEX)


@pytest.mark.parametrize("sent", ["", HEX, '"x"'])
def test_if_none_match_does_not_match_something_else(sent: str) -> None:
    assert not headers.matches_tag(sent, HEX)


@pytest.mark.parametrize(("sent", "digest"), [(None, None), ("*", "*"), (f'"{HEX.upper()}"', HEX)])
def test_if_match_names_a_digest_or_any(sent: str | None, digest: str | None) -> None:
    assert digest == headers.required_digest(sent)


@pytest.mark.parametrize("sent", ["", HEX, f'W/"{HEX}"', '"x"', f'"{HEX}", "{HEX}"'])
def test_if_match_that_cannot_be_kept_is_refused(sent: str) -> None:
    with pytest.raises(BadArgument):
        headers.required_digest(sent)


def test_a_put_may_only_ask_that_nothing_be_there() -> None:
    assert headers.must_be_absent("*")
    assert not headers.must_be_absent(None)
    with pytest.raises(BadArgument):
        headers.must_be_absent(f'"{HEX}"')
